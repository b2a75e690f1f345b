"""``troth check``: validates the declaration and compares it with the stores."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.text import counted

if TYPE_CHECKING:
    from troth.declaration import Declaration, Problem, System


def _print_schema(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from troth.declaration import json_schema

        cli.print_json(json_schema())
        context.exit()


@click.command()
@cli.declaration_option
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of a declaration, for an editor, and check nothing.",
)
@click.option("--no-stores", is_flag=True, help="Check only the file; open no store.")
@click.option("--values", is_flag=True, help="Also read a sample of rows of undeclared tables and columns.")
@cli.json_option
def check(declaration: Path, no_stores: bool, values: bool, as_json: bool) -> None:
    """Check the declaration, and whether the stores agree with it. Suitable for continuous integration.

    Reports mistakes and placeholders in the file, quotes that are not in the policy, tables and columns that are
    declared but missing or present but undeclared, and what would block an erasure. Notes what each blind index reveals
    to an observer of its table, and for each purpose the systems without a column to flag that a person has stopped it.
    Reads no rows, except with --values a sample of undeclared data.

    Exits with 1 if there is an error, but not for warnings and notes. An undeclared table or column is an error if its
    name suggests personal data (with --values: or its values do), else a warning: list columns without personal data
    under 'ignore'.

    \b
    Example:  troth check
              troth check --values
              troth check -d troth.yaml --no-stores --json
              troth check --schema > troth.schema.json
    """
    if no_stores and values:
        raise click.UsageError("--values reads the stores, and --no-stores opens none: use only one of them.")
    problems = list(_problems(declaration, look=not no_stores, values=values))
    if as_json:
        cli.print_json([_json(problem) for problem in problems])
    else:
        for problem in problems:
            # Names in a store are untrusted, and must not look like our own output.
            click.echo(f"{problem.severity}: {' '.join(cli.printable(str(problem)).splitlines())}")
        errors = sum(problem.severity == "error" for problem in problems)
        warnings = sum(problem.severity == "warning" for problem in problems)
        click.echo(f"{declaration}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    cli.fail_if(any(problem.severity == "error" for problem in problems))


def _problems(path: Path, *, look: bool, values: bool) -> Iterator[Problem]:
    """Problems of the file, then of the policy, then of the stores."""
    from troth.controls import check as promises
    from troth.declaration import examine
    from troth.protect.fields import check as indexes
    from troth.protect.tokens.check import check as tokens
    from troth.subjects import unmarked

    declaration, problems = examine(path, now=cli.now())
    yield from problems
    if declaration is None:
        return
    yield from promises(declaration)
    yield from indexes(declaration)
    yield from tokens(declaration)
    yield from _policy(declaration)
    yield from unmarked(declaration)
    yield from _untried(declaration)
    if look:
        yield from _stores(declaration, problems, values=values)


def _untried(declaration: Declaration) -> Iterator[Problem]:
    """Connectors that nobody has tried against the real service."""
    from troth.declaration import Problem, Severity
    from troth.stores.external.trials import trial_of

    for name, system in declaration.systems.items():
        if system.asked is not None and system.asked.sync is not None and trial_of(cli.home(), name) is None:
            path, said = f"systems.{name}.store", "this connector has never run against the real service"
            fix = f"troth connector try {name} --canary ADDRESS"
            yield Problem("connector-untried", declaration.where(path), path, said, fix, Severity.WARNING)


def _policy(declaration: Declaration) -> Iterator[Problem]:
    """Quotes that are not in the policy, and versions that promise less without notice to people."""
    from troth.policy import check as quotes
    from troth.policy.versions import check as versions

    yield from quotes(declaration)
    if declaration.policy.versions:
        yield from versions(declaration)


def _stores(declaration: Declaration, problems: Sequence[Problem], *, values: bool) -> Iterator[Problem]:
    """Mismatches with the stores, except those already in *problems* of the file. A store that cannot be reached is an
    error, because it was not checked."""
    from troth.declaration import Problem, SecretMissing, Severity
    from troth.detect import check as beside
    from troth.detect import sample_undeclared
    from troth.protect.fields import check_rows as sparse
    from troth.rows import map_data
    from troth.stores import StoreError, check_figures, open_system
    from troth.subjects import check as fits
    from troth.subjects import feed_misfits, slow_ways

    schemas, samples = {}, {}
    for name, system in declaration.systems.items():
        path = f"systems.{name}.store"
        if not system.is_looked_into:
            yield from _asked(declaration, name, system)
            continue
        try:
            store = open_system(name, system, os.environ, read_only=True)
            with contextlib.closing(store):
                schemas[name] = store.describe()
                if values:
                    samples[name] = sample_undeclared(declaration, name, schemas[name], store)
                yield from check_figures(declaration, name, store)
        except (SecretMissing, StoreError) as error:
            yield Problem("store-not-checked", declaration.where(path), path, f"the store was not checked: {error}")
    looked = declaration.model_copy(update={"systems": {k: v for k, v in declaration.systems.items() if k in schemas}})
    misfits = fits(looked, schemas)
    by_file = {problem.path for problem in problems if problem.severity is Severity.ERROR}
    # A cycle has no first table: if the stores' map finds one, it is in the file, and was reported there.
    has_circle = any(problem.code == "reference-cycle" for problem in problems)
    for misfit in misfits:
        if misfit.path in by_file or (has_circle and misfit.path.endswith(".belongs_to")):
            continue
        yield Problem("store-misfit", declaration.where(misfit.path), misfit.path, misfit.message, misfit.fix)
    if not misfits:
        map_ = map_data(looked, schemas)
        for misfit in feed_misfits(map_):
            yield Problem("store-misfit", declaration.where(misfit.path), misfit.path, misfit.message, misfit.fix)
        for slow in slow_ways(map_, schemas):
            where = declaration.where(slow.path)
            yield Problem("store-slow", where, slow.path, slow.message, slow.fix, Severity.WARNING)
    estimates = {
        f"{system}.{name}": table.rows_estimate
        for system, schema in schemas.items()
        for name, table in schema.tables.items()
    }
    yield from sparse(looked, estimates)
    by_store = {misfit.path for misfit in misfits}
    yield from (problem for problem in beside(looked, schemas, samples) if problem.path not in by_store)


def _asked(declaration: Declaration, name: str, system: System) -> Iterator[Problem]:
    """Rights that an external system is declared for but does not answer. Manual tasks are not checked."""
    from troth.declaration import Problem, SecretMissing
    from troth.stores import StoreError, is_asked, not_offered, open_asked

    if not is_asked(system) or system.asked is None:
        return
    path = f"systems.{name}.asked"
    try:
        with contextlib.closing(open_asked(name, system, os.environ)) as asked:
            missing = not_offered(system.asked, asked.offers())
    except (SecretMissing, StoreError) as error:
        yield Problem("store-not-checked", declaration.where(path), path, f"the system was not asked: {error}")
    else:
        fix = "write the function that answers it there, or remove it from 'answers'"
        for right in missing:
            yield Problem("store-misfit", declaration.where(path), path, f"it does not answer '{right}'", fix)


def _json(problem: Problem) -> dict[str, Any]:
    where = problem.where
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "path": problem.path,
        "file": str(where.file) if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "message": problem.message,
        "fix": problem.fix or None,
    }

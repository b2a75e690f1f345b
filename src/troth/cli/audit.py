"""``troth audit``: compares real databases, a policy and a site; read-only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli
from troth.cli import store_options
from troth.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from troth.audit import AuditReport, PolicyFacts, Progress, SystemFacts
    from troth.declaration import Declaration
    from troth.site import Site

STATEMENT_S = 15.0
"""Maximum duration of one statement of an audit."""
_SHOWN_MAX = 14
"""Maximum number of findings shown on the terminal; the report contains all."""


@click.command()
@store_options.store_option
@click.option(
    "--policy",
    type=cli.EXISTING_FILE,
    help="The privacy policy: Markdown, HTML or plain text, by the file's ending.",
)
@click.option(
    "-d",
    "--declaration",
    type=cli.EXISTING_FILE,
    help="Also compare policy, stores and site with this declaration.",
)
@click.option("--site", metavar="URL", help="The public home page, visited without cookies or scripts.")
@click.option(
    "--out",
    type=cli.FOLDER,
    help="Write report.html, report.json and report.sarif into this folder, readable only by you.",
)
@cli.json_option
def audit(
    stores: tuple[str, ...],
    policy: Path | None,
    declaration: Path | None,
    site: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare real databases, a privacy policy and a site, and report what is wrong.

    Read-only: it needs no service and no keys, and writes no files except its report. It outputs no personal data.
    Exits with 1 if there are errors, 2 for wrong usage.

    \b
    Example:  troth audit --store sqlite:///shop.sqlite --policy policy.md
              troth audit --store '${SHOP_DATABASE_URL}' --store calls=files:/srv/calls \\
                  --policy policy.html --site https://www.example.org --out audit
    """
    from troth.audit import as_data, write_report
    from troth.audit import audit as look

    text, home = _policy(policy) if policy else None, _site(site) if site else None
    declared = _declared(declaration) if declaration else None
    asked = store_options.named(stores)
    with store_options.open_read_only(asked, statement_s=STATEMENT_S) as opened, progress("looking") as step:
        known = {"references": store_options.references(asked), "addresses": store_options.addresses(asked)}
        report = look(opened, text, home, now=cli.now(), progress=step, declaration=declared, **known)
    files = write_report(report, out) if out is not None else ()
    if as_json:
        cli.print_json(as_data(report))
    else:
        _show(report, files)
    cli.fail_if(report.has_errors)


def _policy(file: Path) -> PolicyFacts:
    from troth.audit import look_at_policy
    from troth.policy import PolicyError, read_file

    with cli.usage_errors(PolicyError):
        return look_at_policy(str(file), read_file(file))


def _declared(file: Path) -> Declaration:
    from troth.declaration import load

    return load(file)


def _site(url: str) -> Site:
    from troth.site import ProbeError, Site

    try:
        return Site(url)
    except (ProbeError, ValueError):
        raise click.UsageError("--site is the address of the home page, such as https://www.example.org") from None


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Context manager: a progress bar on the terminal whose total is updated on the way; silent elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda place, done, steps: bar.update(task, completed=done, total=steps, description=_plain(what, place))


def _plain(what: str, place: str) -> str:
    from rich.markup import escape

    return escape(f"{what}: {_visible(place)[:40]}")


def _visible(text: str) -> str:
    """Replace control characters in *text*, because names in a schema may contain anything."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


# --- the terminal ---------------------------------------------------------------------------------------------------


def _show(report: AuditReport, files: tuple[Path, ...]) -> None:
    """Print a summary of one screen, most important facts first."""
    from rich.console import Console

    out = Console(highlight=False, soft_wrap=True)
    for system in report.facts.systems:
        _line(out, "[bold]{}[/bold]  {}", system.name, _figures(system))
    if report.facts.policy is not None:
        policy = report.facts.policy
        said = f"{counted(len(policy.text.sentences), 'sentence')}, {len(policy.promises):,} commit the company"
        _line(out, "[bold]{}[/bold]  {}", policy.file, said)
        measured = sum(bool(it.proofs) for it in report.promises)
        if report.promises:
            told = f"{measured:,} of {counted(len(report.promises), 'promise')} could be checked by controls"
            _line(out, "{}  {}", " " * len(policy.file), told)
    if report.facts.site is not None and not report.facts.site.unreached:
        site = report.facts.site
        seen = counted(len(site.pages), "page"), counted(len(site.cookies), "cookie"), counted(len(site.hosts), "host")
        said = f"{seen[0]}, {seen[1]} before a choice, {seen[2]} besides its own"
        _line(out, "[bold]{}[/bold]  {}", site.home, said)
    out.print()
    _show_findings(out, report)
    out.print()
    for number, step in enumerate(report.next_steps, 1):
        script = " (the script is in the report)" if step.language == "sql" else ""
        _line(out, "{}. {}{}", str(number), step.says, script)
        for line in step.code.splitlines() if not script else ():
            _line(out, "     [cyan]{}[/cyan]", line)
    out.print()
    if files:
        _line(out, "Full report in {}", str(files[0]))
    else:
        out.print("With --out DIR the full report is written as HTML, JSON and SARIF.")


def _figures(system: SystemFacts) -> str:
    if system.unreached:
        return f"could not be read: {system.unreached}"
    rows = sum(table.rows or 0 for table in system.tables)
    columns = sum(len(table.best) for table in system.holding)
    connection = "connection unknown"
    if system.transport is not None:
        # A local file or socket counts as encrypted; its detail says what it is.
        connection = (
            system.transport.detail if system.transport.encrypted else f"UNENCRYPTED: {system.transport.detail}"
        )
    lost = len(system.left_out.unread) + sum(system.left_out.passed_over.values())
    unseen = f"; {counted(lost, 'file')} NOT read" if lost else ""
    return (
        f"{system.dialect}, {counted(len(system.tables), 'table')}, about {counted(rows, 'row')}; "
        f"{counted(columns, 'column')} of {counted(len(system.holding), 'table')} with personal data; "
        f"{counted(system.declared_keys, 'key')} declared, {len(system.inferred):,} inferred; "
        f"{counted(len(system.readers), 'account')} can read it; {connection}{unseen}"
    )


def _show_findings(out: Console, report: AuditReport) -> None:
    """Print the most severe findings, one line each. Long runs of one rule are cut and only counted."""
    colours = {"error": "red", "warning": "yellow", "note": "blue"}
    told: Counter[str] = Counter()
    shown = 0
    for finding in report.findings:
        told[finding.rule.id] += 1
        if shown < _SHOWN_MAX and told[finding.rule.id] <= _SHOWN_MAX // 2:
            shown += 1
            severity = str(finding.severity)
            message = finding.message if len(finding.message) <= 200 else f"{finding.message[:199]}…"
            _line(
                out, f"[{colours[severity]}]{severity:7}[/] {{}}  {{}}  [dim]{{}}[/dim]",
                str(finding.place), message, finding.rule.id,
            )  # fmt: skip
    counts = ", ".join(counted(count, str(severity)) for severity, count in report.counts.items())
    more = f"; {len(report.findings) - shown:,} not shown here" if len(report.findings) > shown else ""
    _line(out, "[bold]{}[/bold]{}", counts, more)


def _line(out: Console, markup: str, *texts: str) -> None:
    """Print one line. Only *markup* is trusted; *texts* are escaped."""
    from rich.markup import escape

    out.print(markup.format(*(escape(_visible(text)) for text in texts)))

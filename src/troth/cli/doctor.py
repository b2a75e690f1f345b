"""``troth doctor``: reports what this installation still needs."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.errors import install_hint
from troth.text import counted

Finding = tuple[str, str, str]
"""State (ok, note or wrong), the item checked, and the result with its fix."""

_EXTRAS = {
    "postgresql": ("psycopg", "PostgreSQL stores"),
    "mariadb": ("pymysql", "MariaDB stores"),
    "parquet": ("pyarrow", "Parquet files"),
    "policy": ("pypdfium2", "policies in DOCX and PDF"),
    "s3": ("s3fs", "files in S3"),
    "service": ("django", "the service: troth serve, keep, view, amend, erase"),
}


@click.command()
@cli.wanted_declaration_option
@click.option("--probe", metavar="URL", help="Also check the service from outside, as a visitor of URL sees it.")
@cli.json_option
def doctor(declaration: Path, probe: str | None, as_json: bool) -> None:
    """Report what this installation still needs: packages, keys, declaration, stores, settings; and, once Troth's own
    database exists, the health of the deployment: mail, clock, disk, workers, e-mails, staff. Changes nothing.

    \b
    Example:  troth doctor
              troth doctor -d troth.yaml --json
              troth doctor --probe https://privacy.example.org
    """
    findings = [*_machine(), *_packages(), *_keys(), *_company(declaration), *_settings()]
    findings += [*_deployment(declaration), *_probed(probe)]
    facts = [dict(zip(("state", "what", "found"), finding, strict=True)) for finding in findings]
    cli.answer(facts, *(f"{state:6}{what}: {found}" for state, what, found in findings), as_json=as_json)
    cli.fail_if(any(state == "wrong" for state, _, _ in findings))


def _machine() -> Iterator[Finding]:
    from troth import __version__

    yield "ok", "Troth", f"{__version__} on Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"


def _packages() -> Iterator[Finding]:
    for extra, (module, what) in _EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield "note", what, f"not installed; {install_hint(extra)} if you need it"
        else:
            yield "ok", what, "installed"


def _keys() -> Iterator[Finding]:
    from troth.protect import Keyring, KeysMissing, ProtectError

    try:
        yield "ok", "keys", f"root key {Keyring.open(cli.home()).id} in {cli.home()}"
    except KeysMissing as missing:
        yield "note", "keys", str(missing)
    except ProtectError as unsafe:
        yield "wrong", "keys", str(unsafe)


def _company(path: Path) -> Iterator[Finding]:
    from troth.declaration import DeclarationErrors, SecretMissing, load
    from troth.stores import StoreError, is_asked, open_asked, open_system

    if not path.exists():
        yield "note", "declaration", f"there is no {path}; `troth init` drafts one from a store"
        return
    try:
        declaration = load(path)
    except DeclarationErrors as errors:
        yield "wrong", "declaration", f"{counted(len(errors.problems), 'error')}; see `troth check`"
        return
    declared = f"{counted(len(declaration.systems), 'system')}, {counted(len(declaration.promises), 'promise')}"
    yield "ok", "declaration", f"{path}: {declared}"
    for name, system in declaration.systems.items():
        try:
            if is_asked(system):
                with contextlib.closing(open_asked(name, system, os.environ)) as asked:
                    yield "ok", f"store {name}", f"it answers {', '.join(sorted(asked.offers()))}"
            elif not system.is_looked_into:
                yield "ok", f"store {name}", "a person carries it out"
            else:
                with contextlib.closing(open_system(name, system, os.environ, read_only=True)) as store:
                    transport = store.transport()
                yield "ok" if transport.encrypted else "wrong", f"store {name}", transport.detail
        except (SecretMissing, StoreError) as error:
            yield "wrong", f"store {name}", str(error)


def _deployment(path: Path) -> Iterator[Finding]:
    """Health of the service, if it has keys and its own database."""
    from troth.service import Settings, SettingsError

    try:
        settings = Settings.read()
    except SettingsError:
        return  # already reported
    is_begun = settings.is_production or (settings.home / "troth.sqlite3").exists()
    if importlib.util.find_spec("django") is None or not is_begun or not (settings.home / "root.key").exists():
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    from troth.errors import TrothError
    from troth.service.health_report import examined

    try:
        yield from examined(settings)
    except TrothError as refused:
        yield "wrong", "deployment", str(refused)


def _probed(url: str | None) -> Iterator[Finding]:
    if url is None:
        yield "note", "from outside", "not checked; give the address of the service with --probe https://…"
        return
    from troth.service.health_report import seen_from_outside

    yield from seen_from_outside(url, now=cli.now())


def _settings() -> Iterator[Finding]:
    from troth.service import Settings, SettingsError

    try:
        settings = Settings.read()
    except SettingsError as wrong:
        yield "wrong", "settings", str(wrong)
    else:
        yield "ok", "settings", f"{settings.profile} profile, database {settings.database.engine}"

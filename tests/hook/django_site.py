"""The Django application of `tests.hook.site`, as a process of its own, seen from outside: its address, its database,
its files."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from troth.testing.external_systems import PEOPLE, SECRET

ROOT = Path(__file__).parents[2]


class Site:
    """One that is running."""

    def __init__(self, folder: Path, url: str, log: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.kill = process.kill
        self.url = f"{url}/privacy"
        self.log = log

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement that commits, in its SQLite database."""
        with closing(sqlite3.connect(self.folder / "desk.sqlite3", timeout=30)) as opened, opened:
            return opened.execute(statement, values).fetchall()

    def begin_anew(self) -> None:
        """Everybody is there again, and nothing was asked."""
        (self.folder / "broken").unlink(missing_ok=True)
        (self.folder / "media").mkdir(exist_ok=True)
        for table in ("desk_ticket", "desk_contact", "desk_invoice", "desk_job", "desk_done", "troth_hook_asked"):
            self.run(f"DELETE FROM {table}")
        for number, (email, person) in enumerate(PEOPLE.items()):
            photo = f"{number}.jpg"
            (self.folder / "media" / photo).write_bytes(b"a face")
            self.run("INSERT INTO desk_contact VALUES (?, ?, ?, ?, 0)", number, email, person["name"], photo)
            for subject in person["tickets"]:
                self.run("INSERT INTO desk_ticket (subject, contact_id) VALUES (?, ?)", subject, number)
            for _ in range(person["invoices"]):
                self.run("INSERT INTO desk_invoice (email) VALUES (?)", email)
        self.log.write_bytes(b"")


def environment(folder: Path, database: dict[str, Any] | None = None) -> dict[str, str]:
    """What a process of the site has to be told."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "desk.sqlite3")}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
        "DESK_FOLDER": str(folder),
        "DESK_DATABASE": json.dumps(database or sqlite),
        "TROTH_HOOK_SECRET": SECRET,
        "DJANGO_SETTINGS_MODULE": "tests.hook.site.settings",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running(folder: Path, database: dict[str, Any] | None = None) -> Iterator[Site]:
    """The site on localhost, for as long as the block lasts."""
    log = folder / "log"
    with log.open("ab") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hook.site.serve"],
            cwd=ROOT,
            env=environment(folder, database),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        with process:
            assert process.stdout
            assert process.stdin
            url = process.stdout.readline().strip()
            assert url, log.read_text()
            yield Site(folder, url, log, process)
            process.stdin.close()


def manage(folder: Path, *command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` of the site."""
    return subprocess.run(
        [sys.executable, "-m", "django", *command],
        cwd=ROOT,
        env=environment(folder) | changed,
        capture_output=True,
        text=True,
    )

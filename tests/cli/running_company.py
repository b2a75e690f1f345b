"""The example company, running: its systems laid down, its website served with Troth beside it, and `troth keep`."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from example_voice import Places, lay_down
from tests.cli.firm import Answer, Firm

EXAMPLE = Path(__file__).parents[2] / "examples" / "voice-company"
_SOURCE = Path(__file__).parents[2] / "src"
_SITE = Path(__file__).parent / "faulty_site.py"
_STARTS_S = 30


@dataclass(frozen=True)
class Running:
    """The company in *folder*, whose website answers at *home*."""

    folder: Path
    home: str
    environment: dict[str, str]

    @property
    def declaration(self) -> Path:
        return self.folder / "troth.yaml"

    def troth(self, *command: str, **environment: str) -> Answer:
        """Run a command as the company does."""
        return Firm(self.folder, {**self.environment, **environment}).troth(*command)

    def keep(self, **environment: str) -> dict[str, str]:
        """One ``troth keep`` with every control: what became of each promise that changed, by its quote."""
        answer = self.troth("keep", "--all", "--json", **environment)
        assert answer.code in (0, 1), answer.err  # 1 where a promise is broken
        return {change["promise"]: change["status"] for change in answer.document["promises_changed"]}

    def statuses(self) -> dict[str, str]:
        """The status of each promise by its quote, as the page says it to staff."""
        promises = httpx.get(f"{self.home}/policy/status.json", timeout=30).json()["promises"]
        return {promise["quote"]: promise["status"] for promise in promises}

    def page(self, fault: str, *, on: bool) -> None:
        """Switch a fault of every page on or off (see `faulty_site`)."""
        switch = self.folder / "switches" / fault
        switch.touch() if on else switch.unlink()

    def write(self, system: str, *statements: str) -> None:
        """Somebody writes into one of the company's databases, or with ``troth`` into our own."""
        with closing(self._open(system)) as database, database:
            for statement in statements:
                database.execute(statement)

    def read(self, system: str, statement: str) -> list[tuple[Any, ...]]:
        """What one of these databases holds."""
        with closing(self._open(system)) as database:
            return database.execute(statement).fetchall()

    def _open(self, system: str) -> sqlite3.Connection:
        file = self.folder / ("home/troth.sqlite3" if system == "troth" else f"company/{system}.sqlite")
        return sqlite3.connect(file, timeout=30)

    def edit(self, before: str, after: str) -> None:
        """Somebody edits the declaration."""
        text = self.declaration.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} stands there {text.count(before)} times"
        self.declaration.write_text(text.replace(before, after), encoding="utf-8")

    def ask(self, page: str, **answers: str) -> None:
        """Somebody fills in a form of the privacy centre."""
        with httpx.Client(base_url=self.home, timeout=30) as visitor:
            shown = visitor.get(f"/your-data/{page}/")
            found = re.search(r'name="form-token" value="([^"]+)"', shown.text)
            assert found is not None
            sent = {"form-token": found[1], **answers}
            done = visitor.post(f"/your-data/{page}/", data=sent, headers={"Origin": self.home})
            assert done.status_code in {200, 302}, done.status_code


@contextmanager
def running(folder: Path, *, home: Path, people: int, desk: str) -> Iterator[Running]:
    """Lay the company down in *folder*, its support desk in the PostgreSQL database *desk* and a copy of *home* as its
    TROTH_HOME, and serve its website."""
    places = Places.in_folder(folder / "company", desk=desk)
    (folder / "company").mkdir()
    lay_down(places, people=people, seed=9, now=dt.datetime.now(dt.UTC))
    for name in ("mail", "switches", "inbox", "inbox/cur", "inbox/new", "inbox/tmp"):
        (folder / name).mkdir(mode=0o700)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = f"http://localhost:{port}"
    text = (EXAMPLE / "troth.yaml").read_text(encoding="utf-8").replace("http://localhost:8000", site)
    desk_accounts = "store: ${DESK_DATABASE_URL}\n    accounts: [root]"
    (folder / "troth.yaml").write_text(text.replace(desk_accounts, desk_accounts.replace("root", "postgres")), "utf-8")
    shutil.copyfile(EXAMPLE / "policy.md", folder / "policy.md")
    for papers in ("contracts", "assessments"):
        shutil.copytree(EXAMPLE / papers, folder / papers)
    environment = {
        **places.environment(),
        "TROTH_DEMO_MAIL": str(folder / "mail"),
        "TROTH_MAIL_URL": f"folder://{folder}/mail",
        "TROTH_MAILBOX_URL": f"maildir://{folder}/inbox",
        "TROTH_HOME": str(folder / "home"),
        "TROTH_PROFILE": "development",
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
        "EXAMPLE_VOICE_HOME": site,
        "PYTHONPATH": f"{EXAMPLE}{os.pathsep}{_SOURCE}",  # of this checkout, wherever the package is installed from
    }
    company = Running(folder, site, environment)
    shutil.copytree(home, folder / "home")
    company.troth("keep")
    Firm(folder, environment).approve_statements()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    command = [sys.executable, str(_SITE), str(port), str(folder / "switches")]
    with subprocess.Popen(command, env={**clean, **environment}, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n", "the website did not start"
            yield company
        finally:
            server.terminate()

"""A company of `firm` with its keys, the people who approve, and its own database on either engine."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from tests import forks
from tests.cli.firm import TROTH, Answer, Firm

ROOT = Path(__file__).parents[2]
WORDS = {"custodian-a": "six words for a", "custodian-b": "six words for b", "custodian-c": "six words for c"}
HASH = re.compile(r"dg1:[0-9a-f]{64}")


class House:
    """Commands on the keys of *firm*, and what stands in its database."""

    def __init__(self, firm: Firm, database: str | None = None) -> None:
        self.folder, self.home = firm.folder, firm.home
        self.database = database or f"sqlite:///{firm.home}/troth.sqlite3"
        self._extra = {"TROTH_DATABASE_URL": database} if database else {}

    # --- commands ---------------------------------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **Firm(self.folder, {**self._extra, **more}).environment}

    def troth(self, *command: str, words: str | None = None, home: Path | None = None, **more: str) -> Answer:
        """Run ``troth keys`` for real, with a passphrase in a file where one is needed."""
        extra = {**self._extra, **more}
        if words is not None:
            file = self.folder / "words"
            file.touch(0o600)
            file.write_text(words + "\n")
            extra["TROTH_APPROVER_PASSPHRASE_FILE"] = str(file)
        if home is not None:
            extra["TROTH_HOME"] = str(home)
        return Firm(self.folder, extra).troth("keys", *command)

    def begin(self, *command: str) -> forks.Process:
        """Begin ``troth keys`` in a process that can be killed."""
        return forks.start([TROTH, "keys", *command], env=self.environment(), cwd=self.folder)

    def killed(self, script: str, *arguments: str, **more: str) -> int:
        """How a process ended that runs *script* in the folder of the company."""
        command = [sys.executable, "-c", script, *arguments]
        return forks.run(command, env=self.environment(**more), cwd=self.folder).returncode

    def plan(self, *command: str, **more: Any) -> str:
        """The hash of what a command would do."""
        answer = self.troth(*command, "--json", **more)
        assert answer.code == 0, answer.err
        return str(answer.document["plan"])

    def add_approvers(self) -> None:
        for role in ("custodian-a", "custodian-b"):
            assert self.troth("approvers", "add", role, words=WORDS[role]).code == 0

    def approve(self, plan: str, *roles: str, by: tuple[str, ...] = (), home: Path | None = None) -> None:
        for role in roles or ("custodian-a", "custodian-b"):
            answer = self.troth("approve", plan, "--as", role, *by, words=WORDS[role], home=home)
            assert answer.code == 0, answer.err

    def states(self) -> dict[str, str]:
        return {key["name"]: key["state"] for key in self.troth("status", "--json").document["keys"]}

    # --- what the service does --------------------------------------------------------------------------------------

    def own(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Let the service do something; see `tests.cli.own`."""
        own = [sys.executable, "-m", "tests.cli.own", *command]
        return forks.run(own, env=self.environment(TROTH_HOME=str(self.home)), cwd=ROOT)

    def tokens(self, count: int = 5) -> list[str]:
        """Values in the vault, under the key in use."""
        return self.own("tokens", str(count)).stdout.split()

    def values(self, tokens: list[str]) -> list[str]:
        return self.own("values", *tokens).stdout.splitlines()

    def age(self, days: int) -> None:
        """Let every time that stands in the key files lie so many days further back."""
        for name in ("keys.toml", "root.key"):
            file = self.home / name
            if file.exists():
                file.write_text(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", lambda it: _earlier(it[0], days), file.read_text()))

    # --- the database -----------------------------------------------------------------------------------------------

    def asked(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, asked of the database itself."""
        if self.database.startswith("sqlite"):
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=20)) as file:
                return file.execute(statement.replace("%b", "?"), values).fetchall()
        with psycopg.connect(self.database) as server:
            return server.execute(statement.encode(), values).fetchall()

    def under(self, name: str) -> int:
        """How many values of the vault are under a field key."""
        number = int(name.rpartition("-")[2]).to_bytes(4, "big")
        [(count,)] = self.asked("SELECT count(*) FROM vault_token WHERE substr(sealed, 14, 4) = %b", number)
        return int(count)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        stored = [bytes(content) for (content,) in self.asked("SELECT content FROM core_entry ORDER BY id")]
        entries = [json.loads(content.removeprefix(b"troth1 ")) for content in stored]
        return [entry for entry in entries if entry["kind"] == kind]


def _earlier(text: str, days: int) -> str:
    at = dt.datetime.fromisoformat(text) - dt.timedelta(days=days)
    return at.isoformat(timespec="milliseconds" if "." in text else "seconds").replace("+00:00", "Z")

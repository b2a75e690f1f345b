"""A small company for the commands: two SQLite files, a policy, and the declaration that ties them together.

Ann has an invoice that tax law keeps; Ben answered in her thread. Ben and Chloe share a telephone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import forks

ROOT = Path(__file__).parents[2]
TROTH = str(Path(sys.executable).parent / "troth")
"""The real entry point."""

POLICY = "# Privacy\n\nWe keep invoices for six years. We keep your address in our shop.\n"

DECLARATION = """\
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    store: ${SHOP}
    tables:
      customer:
        identity: {email: email, phone: {column: phone, shared: review}}
        fields: {email: user.contact.email, name: user.name, phone: user.contact.phone_number}
        erase: delete
      invoice:
        belongs_to: {customer_id: customer.id}
        fields: {address: user.contact.address}
        keep:
          for: 6 years
          from: issued
          because: tax law keeps invoices
          cite: VATA 1994 Sch 11
          meanwhile: {customer_id: "null"}
        erase: delete
  desk:
    store: ${DESK}
    tables:
      message:
        belongs_to: {customer_id: shop.customer.id}
        mentions: {email: sender}
        fields:
          sender: {category: user.contact.email, of: sender}
          body: {category: user.content, of: sender, free_text: true}
        erase: delete
purposes:
  order:
    use: essential.service
    basis: contract
    data: [user.contact, user.name, user.content]
promises:
  - {quote: We keep invoices for six years., owner: dpo@example.org, controls: [stores.schema_declared]}
"""

_SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, phone TEXT);
CREATE INDEX customer_phone ON customer (phone);
CREATE TABLE invoice (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), address TEXT, issued DATE NOT NULL
);
CREATE INDEX invoice_customer ON invoice (customer_id);
INSERT INTO customer VALUES
    (1, 'ann@example.org', 'Ann', '07700 900001'),
    (2, 'ben@example.org', 'Ben', '07700 900002'),
    (3, 'chloe@example.org', 'Chloe', '07700 900002');
INSERT INTO invoice VALUES (11, 1, '1 Example Street', '2025-01-31'), (21, 2, '2 Example Street', '2015-01-31');
"""
_DESK = """
CREATE TABLE message (id INTEGER PRIMARY KEY, customer_id INTEGER, sender TEXT, body TEXT);
CREATE INDEX message_customer ON message (customer_id);
CREATE INDEX message_sender ON message (sender);
INSERT INTO message VALUES
    (101, 1, 'ann@example.org', 'where is my parcel?'),
    (102, 1, 'ben@example.org', 'I had it delivered'),
    (103, 2, 'ben@example.org', 'where is mine?');
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Firm:
    """The company in *folder*, and the commands on it, each in a process of its own."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def declaration(self) -> Path:
        return self.folder / "troth.yaml"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SHOP": f"sqlite:///{self.folder}/shop.sqlite",
            "DESK": f"sqlite:///{self.folder}/desk.sqlite",
            "TROTH_HOME": str(self.home),
            "TROTH_DECLARATION": str(self.declaration),
            **self.extra,
        }

    def troth(self, *command: str, stdin: str = "", timeout_s: float = 180) -> Answer:
        """Run ``troth`` in a process of its own. The environment holds nothing of ours but what the company sets."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        environment = {**clean, "COLUMNS": "120", **self.environment}
        done = forks.run([TROTH, *command], env=environment, cwd=self.folder, stdin=stdin, timeout=timeout_s)
        return Answer(done.returncode, done.stdout, done.stderr)

    def approve_statements(self) -> None:
        """A second person approves the waivers and attestations of the declaration."""
        self._second_person()

    def may_approve(self, email: str) -> None:
        """*email* gets an account with the right to approve them."""
        self._second_person(email)

    def _second_person(self, *arguments: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        command = ["python", "-m", "tests.rig.second_person", *arguments]
        done = forks.run(command, env={**clean, **self.environment}, cwd=ROOT, timeout=180)
        assert done.returncode == 0, done.stderr

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of one table, by key."""
        system = "desk" if table == "message" else "shop"
        with closing(sqlite3.connect(self.folder / f"{system}.sqlite")) as database:
            return database.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()

    def change(self, system: str, statement: str) -> None:
        """Somebody else writes into a store."""
        with closing(sqlite3.connect(self.folder / f"{system}.sqlite")) as database, database:
            database.execute(statement)

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All rows of all tables, to compare before and after."""
        return [self.rows(table) for table in ("customer", "invoice", "message")]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The ledger's entries of one kind, the oldest first."""
        with closing(sqlite3.connect(self.home / "troth.sqlite3")) as database:
            stored = database.execute("SELECT content FROM core_entry ORDER BY id").fetchall()
        entries = [json.loads(content.removeprefix(b"troth1 ")) for (content,) in stored]
        return [entry for entry in entries if entry["kind"] == kind]


def lay(folder: Path) -> Firm:
    """Lay the company down in an empty *folder*: stores, policy, declaration; no keys yet."""
    for system, script in (("shop", _SHOP), ("desk", _DESK)):
        with closing(sqlite3.connect(folder / f"{system}.sqlite")) as database:
            database.executescript(script)
    (folder / "policy.md").write_text(POLICY, encoding="utf-8")
    (folder / "troth.yaml").write_text(DECLARATION, encoding="utf-8")
    return Firm(folder)

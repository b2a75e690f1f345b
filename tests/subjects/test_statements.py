"""How many statements reach a company's database: as many for a hundred people as for one.

A chunk of people costs a fixed number of statements for each table, however many rows they have. What is counted are
statements on tables; each set of parameters of an `executemany` counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.subjects import world
from tests.subjects.conftest import Company, build

from troth.rows import DataMap, map_data
from troth.subjects import Identity, carry_out, locate, plan_amendment, plan_erasure, plan_hash, plan_view
from troth.subjects import plan as planning

TABLES = sum(map(len, world.TABLES.values()))
COUNTS = (1, 10, 100)
FIRST = 1_000


@dataclass
class Watched:
    """The company, its map, and every statement that its stores were sent."""

    company: Company
    map: DataMap
    sent: list[str] = field(default_factory=list)
    rescan_from: int = 0

    def note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not statement.startswith("BEGIN"):
            self.sent += [statement] * (len(parameters) if many else 1)

    def view(self, who: Sequence[Identity]) -> None:
        located = locate(self.map, self.company.stores, who, purpose="view")
        assert all(len(view.tables) == TABLES for view in plan_view(self.company.declaration, located))

    def erase(self, who: Sequence[Identity]) -> None:
        located = locate(self.map, self.company.stores, who, purpose="erase")
        self._carry_out(plan_erasure(self.company.declaration, located, now=world.NOW))

    def amend(self, who: Sequence[Identity]) -> None:
        located = locate(self.map, self.company.stores, who, purpose="amend")
        self._carry_out(plan_amendment(self.company.declaration, located, {"user.name": "Ben"}))

    def _carry_out(self, plan: Any) -> None:
        receipts = carry_out(
            plan,
            self.company.stores,
            approved=plan_hash(plan, self.company.keyring),
            declaration_hash=self.company.declaration.hash,
            keyring=self.company.keyring,
            journal=self.company.journal,
            now=lambda: world.NOW,
            progress=self._stepped,
        )
        assert all(receipt.is_clean and receipt.lines for receipt in receipts)

    def _stepped(self, _step: str) -> None:
        self.rescan_from = len(self.sent)

    def counted(self, action: str, who: Sequence[Identity]) -> tuple[int, int]:
        """Statements of the action itself, and of the rescan that follows it."""
        self.sent.clear()
        self.rescan_from = 0
        getattr(self, action)(who)
        own = self.rescan_from or len(self.sent)
        return own, len(self.sent) - own


@pytest.fixture(params=["sqlite", "postgresql"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """The company with many people more, who have rows in every table, all of them alike."""
    url = request.getfixturevalue(f"{request.param}_url")
    with ExitStack() as stack:
        company = build(dict.fromkeys(world.TABLES, url), tmp_path / "home", world.declaration(), stack)
        _fill(url, FIRST + sum(COUNTS))
        map_ = map_data(company.declaration, {name: store.describe() for name, store in company.stores.items()})
        made = Watched(company, map_)
        stack.enter_context(_listening(made))
        yield made


@contextmanager
def _listening(watched: Watched) -> Iterator[None]:
    sa.event.listen(sa.Engine, "before_cursor_execute", watched.note)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", watched.note)


def _fill(url: str, end: int) -> None:
    engine = world.engine(url)
    with engine.begin() as connection:
        for table in world.metadata.sorted_tables:
            rows = [row for person in range(FIRST, end) for name, row in _rows(person) if name == table.name]
            connection.execute(table.insert(), rows)
    engine.dispose()


def _rows(person: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """One invoice has to be kept, the other one does not."""
    mail = f"p{person}@example.org"
    yield "customer", {"id": person, "email": mail, "name": "Ann", "phone": f"07700 9{person}", "referred_by": None}
    yield "address", {"id": person, "customer_id": person, "street": f"{person} Example Street"}
    yield "orders", {"shop": "east", "number": person, "customer_id": person, "ship_to": person, "note": "ring twice"}
    yield "order_item", {"shop": "east", "number": person, "line": 1, "engraving": "for Ben"}
    for year in (2015, 2025):
        billed = {"customer_id": person, "address": "billed", "total": 10, "issued": dt.date(year, 1, 31)}
        yield "invoice", {"id": person * 100 + year % 100, **billed}
    yield "ticket", {"id": person, "customer_ref": str(person), "subject": "help"}
    yield "message", {"id": person, "ticket_id": person, "reply_to": None, "sender": mail, "body": "hello"}
    yield "subscriber", {"email": mail, "name": "Ann"}


def _groups() -> list[list[Identity]]:
    """One person, ten others, a hundred others."""
    people = iter(range(FIRST, FIRST + sum(COUNTS)))
    return [[Identity.of(email=f"p{next(people)}@example.org") for _ in range(count)] for count in COUNTS]


@pytest.mark.parametrize(("action", "own_max", "rescan_max"), [
    ("view", TABLES + 2, 0),
    ("erase", 3 * TABLES, TABLES),
    ("amend", 3 * TABLES, TABLES),
])  # fmt: skip
def test_statements_depend_on_tables_and_not_on_people(
    watched: Watched, action: str, own_max: int, rescan_max: int
) -> None:
    one, ten, hundred = (watched.counted(action, who) for who in _groups())
    assert one == ten == hundred
    assert one[0] <= own_max
    assert one[1] <= rescan_max


def test_a_second_chunk_costs_its_changes_and_no_more(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """People are looked for and looked at again all at once; only the changes are made chunk by chunk."""
    monkeypatch.setattr(planning, "SUBJECTS_PER_CHUNK", 50)
    one, _, hundred = (watched.counted("erase", who) for who in _groups())
    assert hundred[1] == one[1]
    assert 0 < hundred[0] - one[0] <= 2 * TABLES

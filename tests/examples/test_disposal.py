"""The company's own retention rules, carried out: what is old goes once, whatever dies meanwhile."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.rig.dying import Died, Life
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog

from troth.declaration import Declaration, load
from troth.ledger import DeclaredName, Entry
from troth.protect import Keyring, create_home
from troth.rows import Disposal, DisposalResult, carry_out, map_data, plan_disposal, resume, select
from troth.stores import Store, open_stores
from troth.stores.ages import Ages

LATER = dt.datetime(2028, 5, 1, 12, tzinfo=dt.UTC)
"""When much of the company's data is past its period."""


@pytest.fixture(scope="module")
def declaration(folder: Path) -> Declaration:
    return load(folder / "troth.yaml")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", 5)


class Company:
    """A copy of the small company, with keys and a journal."""

    def __init__(self, example_voice: Any, folder: Path, declaration: Declaration) -> None:
        self.environment = example_voice.Places.in_folder(folder).environment()
        self.declaration = declaration
        self.keyring = Keyring.open(folder / "home")
        self.log = FileLog(folder / "home" / "ledger", self.keyring.signer("ledger"))
        self.journal = FileJournal(folder / "home" / "runs", self.log)

    @contextmanager
    def stores(self) -> Iterator[dict[str, Store]]:
        stores = open_stores(self.declaration, self.environment)
        yield stores
        for store in stores.values():
            store.close()

    def dispose(self, life: Life | None = None) -> Counter[str]:
        """Carry out every rule; the number of rows deleted by place."""
        deleted = Counter[str]()
        with self.stores() as stores:
            map_ = map_data(self.declaration, {name: store.describe() for name, store in stores.items()})
            written = {name: life.store(store) for name, store in stores.items()} if life else stores
            for rule in self.declaration.retention.values():
                disposal = Disposal.of(rule, LATER.date())
                for selection in select(map_, stores, disposal):
                    plan = plan_disposal(
                        selection, declaration_hash=self.declaration.hash, keyring=self.keyring, now=LATER
                    )
                    result = carry_out(
                        plan,
                        written,
                        keyring=self.keyring,
                        journal=life.journal(self.journal) if life else self.journal,
                        now=lambda: LATER,
                        entries=_entries,
                    )
                    deleted.update(result.deleted)
        return deleted

    def resume(self) -> None:
        """Resume what was begun."""
        with self.stores() as stores:
            for run in list(self.journal.unfinished()):
                resume(run, stores, keyring=self.keyring, journal=self.journal, entries=_entries)

    def contents(self) -> Mapping[str, list[Any]]:
        with self.stores() as stores:
            return {
                f"{name}.{table}": sorted(store.read(table, [column.name for column in schema.columns], None), key=repr)
                for name, store in stores.items()
                for table, schema in store.describe().tables.items()
            }

    def ages(self) -> dict[str, Ages]:
        with self.stores() as stores:
            return {
                rule.table: Ages.of(
                    stores[(place := rule.table.split("."))[0]],
                    place[1],
                    rule,
                    self.declaration.systems[place[0]].tables[place[1]],
                    LATER.date(),
                )
                for rule in self.declaration.retention.values()
            }


def _entries(result: DisposalResult) -> list[Entry]:
    return [Entry("demo.fault_planted", LATER, {"fault": DeclaredName(f"rows-{sum(result.deleted.values())}")})]


@pytest.fixture(scope="module")
def template(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overdue") / "company"
    shutil.copytree(small, folder)
    create_home(folder / "home")
    return folder


@pytest.fixture
def copy(template: Path, tmp_path: Path, example_voice: Any, declaration: Declaration) -> Any:
    numbers = itertools.count()

    def make() -> Company:
        folder = tmp_path / f"copy{next(numbers)}"
        shutil.copytree(template, folder)
        return Company(example_voice, folder, declaration)

    return make


def test_nothing_is_overdue_after_every_rule_was_carried_out(copy: Any) -> None:
    company = copy()
    before, overdue = company.contents(), sum(ages.overdue for ages in company.ages().values())
    deleted = company.dispose()
    after = company.contents()
    assert overdue > 50
    assert {place: ages.overdue for place, ages in company.ages().items() if ages.overdue} == {}
    gone = {place: len(rows) - len(after[place]) for place, rows in before.items()}
    assert {place: count for place, count in gone.items() if count} == {p: n for p, n in deleted.items() if n}
    assert company.dispose() == Counter(), "and a second time there is nothing to do"
    assert company.contents() == after


@pytest.mark.parametrize("share", [0.04, pytest.param(1.0, marks=pytest.mark.soak)])
def test_a_disposal_that_dies_at_any_moment_has_the_same_end(copy: Any, share: float) -> None:
    company, whole = copy(), Life()
    deleted = company.dispose(whole)
    undisturbed = company.contents()
    chance = random.Random(20281)
    for moment in chance.sample(range(whole.passed), round(whole.passed * share)):
        company = copy()
        with pytest.raises(Died):
            company.dispose(Life(moment))
        company.resume()
        company.dispose()
        assert company.contents() == undisturbed, moment
        assert _on_record(company) == sum(deleted.values()), moment


def _on_record(company: Company) -> int:
    entries = (company.log.entry(index) for index in range(company.log.size))
    return sum(int(str(entry.fields["fault"]).removeprefix("rows-")) for entry in entries)

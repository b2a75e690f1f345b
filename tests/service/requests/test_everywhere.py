"""The example company over every kind of store: PostgreSQL, MariaDB, SQLite, files, a desk without foreign keys, a
service that is asked, and a person with a task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from example_voice import Places, lay_down
from tests.rig.packages import read_package
from tests.rig.vendor import FakeVendor, Trap
from tests.service.requests.conftest import Office

from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import CaseKind, CaseOutcome, CaseState, Channel
from troth.service.configuration import Settings
from troth.service.core.jobs.models import Job
from troth.service.core.keys import make_keys
from troth.service.core.store_pool import close_stores
from troth.service.mail.models import LetterRow
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import CaseStep
from troth.service.requests.responses import outcome
from troth.stores import AnyOf, Match
from troth.testing.external_systems import SECRET

pytestmark = pytest.mark.sampled

VOICE = Path(__file__).parents[3] / "examples" / "voice-company"
NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
ASKED = """
  mailer:
    title: The mailer
    store: ${MAILER_URL}
    asked:
      answers: [view, erase]
      secret: ${MAILER_SECRET}
      holds: {name: user.name, subject: user.content.private}
      retain: 1 year
    purposes: [support]
  archive: {title: The paper archive, store: task, owner: archive@example.org, purposes: [support]}
"""


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as server:
        yield server


@pytest.fixture
def company(
    database: str,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    postgresql_url: str,
    mariadb_url: str,
    vendor: FakeVendor,
) -> Iterator[Office]:
    places = Places.in_folder(tmp_path / "company", shop=postgresql_url, desk=mariadb_url)
    (tmp_path / "company").mkdir()
    lay_down(places, people=60, seed=9, now=NOW)
    told = Settings.read(
        {
            "TROTH_HOME": str(tmp_path / "home"),
            "TROTH_DATABASE_URL": database,
            "TROTH_DECLARATION": str(tmp_path / "troth.yaml"),
        }
    )
    told.home.mkdir(mode=0o700)
    make_keys(told.home)
    settings.TROTH = told
    for name, value in {**places.environment(), "MAILER_URL": vendor.url, "MAILER_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    declared = (VOICE / "troth.yaml").read_text(encoding="utf-8")
    at = declared.index("# --- why ---")
    (tmp_path / "troth.yaml").write_text(declared[:at] + ASKED + declared[at:], encoding="utf-8")
    (tmp_path / "policy.md").write_bytes((VOICE / "policy.md").read_bytes())
    yield Office(tmp_path, told)
    close_stores()


def held(office: Office, who: str) -> int:
    """Rows that name somebody by their address, in every store that is looked into."""
    declaration, found = office.deployment.declaration, 0
    with office.deployment.stores(read_only=True) as stores:
        for name, store in stores.items():
            for table, declared in declaration.systems[name].tables.items():
                for column in (*declared.identity.values(), *declared.mentions.values()):
                    where = AnyOf((Match((column.column,), ((who,),), fold=True),))
                    found += len(store.read(table, [column.column], where))
    return found


def test_a_deletion_reaches_every_kind_of_store(company: Office, vendor: FakeVendor) -> None:
    assert held(company, "ann@example.org") > 5
    case = company.answered("erase")
    assert held(company, "ann@example.org") == 0
    waiting = {step.system: step.state for step in case.steps.all()}
    assert waiting == {"archive": CaseStep.State.WAITING, "mailer": CaseStep.State.DONE}
    assert (case.state, case.needs) == (CaseState.IN_PROGRESS, "systems")
    assert LetterRow.objects.filter(about=case.about, kind="staff_task").count() == 1

    step = case.steps.get(system="archive")
    external_systems.complete(step.pk, by="", done=True, why="", counts={"folders": 1}, proof=None, at=company.now())
    company.work()
    case.refresh_from_db()
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.PARTLY_FULFILLED)
    kept = {line["place"] for receipt in case.receipts.all() for line in receipt.lines if line["what"] == "keep"}
    assert kept <= {"shop.invoice"}
    assert [row for row in vendor.tables["contact"] if row["email"] == "ann@example.org"] == []


def test_a_task_that_cannot_be_done_is_said_plainly(company: Office) -> None:
    case = company.answered("erase")
    step = case.steps.get(system="archive")
    external_systems.complete(step.pk, by="", done=False, why="not_found", counts={}, proof=None, at=company.now())
    company.work()
    case.refresh_from_db()
    assert (case.outcome, company.letters(case)[-1]) == (CaseOutcome.PARTLY_FULFILLED, "partly_fulfilled")


def test_what_a_vendor_only_says_is_not_done(company: Office, vendor: FakeVendor) -> None:
    vendor.trap = Trap.LIES
    case = company.answered("erase")
    step = case.steps.get(system="mailer")
    assert (step.state, step.why) == (CaseStep.State.WAITING, "still_there")


def test_a_vendor_that_is_down_holds_up_nobody_and_is_asked_again(
    company: Office, vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_URL", "http://127.0.0.1:9/")
    case = company.answered("erase")
    assert held(company, "ann@example.org") == 0
    step = case.steps.get(system="mailer")
    assert (step.state, step.why) == (CaseStep.State.WAITING, "unreachable")
    monkeypatch.setenv("MAILER_URL", vendor.url)
    assert Job.objects.filter(kind="requests.ask", key=str(step.pk), due_at__gt=company.now()).exists()
    assert external_systems.ask_again(step.pk) is None
    step.refresh_from_db()
    assert step.state == CaseStep.State.DONE


def test_a_package_holds_what_every_system_holds(company: Office) -> None:
    case = company.answered("view")
    step = case.steps.get(system="archive")
    paper = b"%PDF-1.4 what the archive holds"
    external_systems.complete(step.pk, by="", done=True, why="", counts={}, proof=paper, at=company.now())
    company.work()
    packed = outcome.unsealed(case, company.deployment, now=company.now())
    assert packed is not None
    places = {part.place.partition(".")[0] for part in read_package(packed).parts}
    assert places >= {"shop", "desk", "newsletter", "logins", "mailer"}


@pytest.mark.parametrize("who", ["ann@example.org", "ANN@EXAMPLE.ORG"])
def test_the_person_is_known_however_the_address_is_written(company: Office, who: str) -> None:
    case = receive.receive(
        receive.Intake(
            CaseKind.REQUEST,
            CaseContent(address=who, identifiers=(("email", who),)),
            Channel.API,
            right="erase",
            tier=1,
        ),
        company.deployment,
        now=company.now(),
    )
    company.work()
    case.refresh_from_db()
    assert case.receipts.get().lines

"""A pass runs what is due, once, and everything follows from the checks."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from tests.rig.witness import FakeWitness, serving
from tests.site.conftest import HOME, POLICY, POLICY_TEXT, REGISTER, World, serve

from troth.controls import CheckOutcome, ControlResult, Status, check_session, controls_of, result
from troth.declaration import Audience, Granularity, Ledger, Period, Promise, parse
from troth.ledger import DeclaredName, Entry, Verifier
from troth.policy import read
from troth.protect import Keyring
from troth.rows import Run
from troth.service.assurance import evaluation, jobs
from troth.service.assurance.actions import Last
from troth.service.assurance.control_inputs import register_answers
from troth.service.assurance.models import PromiseRow
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.journal import DatabaseJournal
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import record, sequence
from troth.service.core.models import CheckRow, EntryRow, RunRow, Task, Tile
from troth.service.database import may_pass

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RUN = Run("r-1", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW - 9 * HOUR, b"sealed")
QUOTE = "We finish every deletion that we begin."
DECLARED = f"""
troth: 1
organisation: {{name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}}
policy: {{file: policy.md, effective: 2026-11-01}}
promises:
  - {{quote: "{QUOTE}", owner: dpo@example.org, controls: [core.runs_finished]}}
"""


@contextlib.contextmanager
def look(company: Deployment, now: dt.datetime) -> Iterator[Mapping[str, object]]:
    text = company.policy.published
    yield {"declaration": company.declaration, "journal": DatabaseJournal(), "policy_text": text, "now": now}


@pytest.fixture
def office(database: str) -> Deployment:
    """A company that has finished a deletion before."""
    hashes = {"plan_hash": RUN.plan_hash, "declaration_hash": RUN.declaration_hash}
    yesterday = NOW - 24 * HOUR
    RunRow.objects.create(run_id="r-0", action="erase", **hashes, begun_at=yesterday, finished_at=yesterday)
    declaration = parse(DECLARED)
    company = Deployment(declaration, policy=read(f"# Policy\n\n{QUOTE}\n"))
    return company.but(keyring=Keyring(b"\x01" * 32), look=look)


def promising(office: Deployment, *promises: Promise) -> Deployment:
    declaration = office.declaration.model_copy(update={"promises": promises})
    return office.but(declaration=declaration)


def entries(kind: str) -> list[Mapping[str, Any]]:
    found = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    return [entry.fields for entry in found if entry.kind == kind]


def test_a_promise_is_kept_once_its_control_has_passed(database: str, office: Deployment) -> None:
    report = jobs.run_due(NOW, deployment=office)
    assert [check.outcome for check in report.checks] == ["pass"]
    assert PromiseRow.objects.get().status == "kept"
    assert (EntryRow.objects.count(), EntryRow.objects.filter(leaf=None).count()) == (6, 0)
    assert len(entries("keys.created")) == len(entries("declaration.loaded")) == len(entries("policy.published")) == 1


def test_a_promise_of_another_period_than_its_rule_says_why_it_cannot_be_kept(
    database: str, office: Deployment
) -> None:
    quote = "We delete logins after 30 days."
    bound = Promise(quote=quote, owner="dpo@example.org", controls=("retention.nothing_overdue",))
    here = promising(office, bound).but(policy=read(f"# Policy\n\n{quote}\n"))
    (judged,) = evaluation.judge(here, now=NOW)
    assert judged.status is Status.UNPROVEN
    assert any("says 30 days" in reason for reason in judged.reasons)


def test_a_promise_whose_words_are_gone_is_unproven_though_its_control_passed(
    database: str, office: Deployment
) -> None:
    gone = office.but(policy=read("# Policy\n\nWe do what we can.\n"))
    assert [check.outcome for check in jobs.run_due(NOW, deployment=gone).checks] == ["pass"]
    assert PromiseRow.objects.get().status == "unproven"


def test_nothing_is_run_before_it_is_due_again(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    assert jobs.run_due(NOW + HOUR / 2, deployment=office).checks == ()
    assert len(jobs.run_due(NOW + HOUR, deployment=office).checks) == 1


def test_a_failure_breaks_the_promise_opens_a_task_and_is_recorded(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    DatabaseJournal().begin(RUN)
    jobs.run_due(NOW + HOUR, deployment=office)
    assert PromiseRow.objects.get().status == "broken"
    assert Task.objects.get().closed_at is None
    assert [(fields["before"], fields["after"]) for fields in entries("promise.changed")] == [
        ("none", "kept"),
        ("kept", "broken"),
    ]
    DatabaseJournal().finish(RUN.id, [])
    jobs.run_due(NOW + 2 * HOUR, deployment=office)
    assert PromiseRow.objects.get().status == "kept"
    assert Task.objects.get().closed_at == NOW + 2 * HOUR


def test_a_pass_that_began_earlier_does_not_doubt_what_a_later_one_has_checked(
    database: str, office: Deployment
) -> None:
    jobs.run_due(NOW + HOUR / 60, deployment=office)
    assert jobs.run_due(NOW, deployment=office).promises_changed == ()
    assert PromiseRow.objects.get().status == "kept"


def test_a_promise_goes_stale_although_nothing_is_checked(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    Job.objects.filter(kind=CHECK).update(due_at=NOW + 99 * HOUR)
    jobs.run_due(NOW + 48 * HOUR, deployment=office)
    assert PromiseRow.objects.get().status == "unproven"
    assert entries("promise.changed")[-1]["after"] == "unproven"


def test_a_pass_after_which_nothing_is_new_judges_nothing_and_half_a_minute_is_new(
    database: str, office: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, judged = Last(), list[dt.datetime]()
    was = evaluation.judge

    def judge(of: Deployment, *, now: dt.datetime, **more: Any) -> Any:
        judged.append(now)
        return was(of, now=now, **more)

    monkeypatch.setattr(evaluation, "judge", judge)
    second = dt.timedelta(seconds=1)
    jobs.run_due(NOW, deployment=office, last=last)
    jobs.run_due(NOW + second, deployment=office, last=last)
    assert judged == [NOW]
    jobs.run_due(NOW + 30 * second, deployment=office, last=last)
    assert judged == [NOW, NOW + 30 * second]
    jobs.run_due(NOW + 31 * second, deployment=office, last=last, hasten=True)  # a check
    jobs.run_due(NOW + 32 * second, deployment=promising(office), last=last)  # another declaration
    assert judged[2:] == [NOW + 31 * second, NOW + 32 * second]
    jobs.run_due(NOW + 33 * second, deployment=promising(office), last=last)
    assert len(judged) == 4


def test_unbinding_and_loosening_a_control_are_entries(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    [promise] = office.declaration.promises
    hidden = promising(office, promise.model_copy(update={"audience": Audience.STAFF}))
    jobs.run_due(NOW, deployment=hidden)
    assert [fields["what"] for fields in entries("control.loosened")] == ["audience"]
    for what in ({"delay": Period(count=7, unit="day")}, {"granularity": Granularity.NONE}, {"failures": 3}):
        jobs.run_due(NOW, deployment=promising(office, promise))
        jobs.run_due(NOW, deployment=promising(office, promise.model_copy(update=what)))
        assert entries("control.loosened")[-1]["what"] == next(iter(what))
    jobs.run_due(NOW, deployment=promising(office, promise.model_copy(update={"controls": ()})))
    assert len(entries("control.unbound")) == 1
    jobs.run_due(NOW, deployment=office)  # binding it again is no loosening
    assert len(entries("control.unbound") + entries("control.loosened")) == 5


def test_the_first_declaration_and_every_change_of_it_or_of_the_policy_are_entries(
    database: str, office: Deployment
) -> None:
    for _ in range(2):
        jobs.run_due(NOW, deployment=office)
    [loaded] = entries("declaration.loaded")
    assert (loaded["declaration"].text, loaded["promises"]) == (office.declaration.hash, 1)
    reworded = office.but(policy=read("# Policy\n\nWe promise less.\n"))
    for _ in range(2):
        jobs.run_due(NOW, deployment=reworded)
    [changed] = entries("declaration.changed")
    assert changed["before"] == changed["after"] == loaded["declaration"]
    assert changed["policy_before"] == loaded["policy"] != changed["policy_after"]
    jobs.run_due(NOW, deployment=promising(office))
    assert entries("declaration.changed")[-1]["after"] != loaded["declaration"]


def test_a_control_that_breaks_is_an_error_and_is_tried_again_soon(database: str, office: Deployment) -> None:
    @contextlib.contextmanager
    def blind(company: Deployment, now: dt.datetime) -> Iterator[Mapping[str, object]]:
        yield {"declaration": company.declaration, "now": now}

    report = jobs.run_due(NOW, deployment=office.but(look=blind))
    assert [check.outcome for check in report.checks] == ["error"]
    soon = NOW + HOUR / 60
    assert Job.objects.get(kind=CHECK).due_at == soon
    jobs.run_due(soon, deployment=office.but(look=blind))
    assert Job.objects.get(kind=CHECK).due_at == soon + HOUR / 4
    assert PromiseRow.objects.get().status == "unproven"


def test_a_broken_ledger_holds_no_control_up_and_is_told(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    Tile.objects.update(data=bytes(32))
    DatabaseJournal().begin(RUN)
    report = jobs.run_due(NOW + HOUR, deployment=office)
    assert [check.outcome for check in report.checks] == ["fail"]
    assert PromiseRow.objects.get().status == "broken"
    assert EntryRow.objects.filter(leaf=None).count() == 3
    assert "troth ledger rebuild" in report.unsigned[0]


def test_a_ledger_that_cannot_be_shown_to_an_outsider_is_told(database: str, office: Deployment) -> None:
    signer = ledger_signer(office.keyring, office.declaration.organisation)
    witness = FakeWitness("witness.example.org/w1", (Verifier.of(signer),), clock=NOW.timestamp)
    with serving(lambda _, body: witness.add_checkpoint(body)) as url:
        shown = Ledger.model_validate({"witnesses": [{"key": str(witness.key), "url": url}]})
        declaration = office.declaration.model_copy(update={"ledger": shown})
        office = office.but(declaration=declaration)
        assert jobs.run_due(NOW, deployment=office).unsigned == ()
        record(Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue")}))
        sequence(signer, now=NOW)
        Tile.objects.update(data=b"")
        [told] = jobs.run_due(NOW + HOUR / 5, deployment=office).unsigned
    assert told.startswith("tile/0/000.p/7 is missing")


def test_a_clock_that_went_back_is_told_and_everything_is_recorded(database: str, office: Deployment) -> None:
    assert jobs.run_due(NOW, deployment=office).unsigned == ()
    DatabaseJournal().begin(RUN)
    report = jobs.run_due(NOW - 3 * HOUR, deployment=office, hasten=True)
    [told] = report.unsigned
    assert told.startswith("the clock went back, or was ahead before: the last checkpoint is of 2026-11-24 09:41 UTC")
    assert not EntryRow.objects.filter(leaf=None).exists()
    assert jobs.run_due(NOW + HOUR, deployment=office).unsigned == ()


def test_a_crash_between_claim_and_result_is_made_good_when_the_lease_ends(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, checks=False, deployment=office)
    Job.objects.filter(kind=CHECK).update(state="running", worker="dead", due_at=None)
    WorkerRow.objects.create(name="dead", begun_at=NOW, lease_until=NOW + HOUR / 4)
    assert jobs.run_due(NOW + HOUR / 6, deployment=office).checks == ()
    assert len(jobs.run_due(NOW + HOUR / 2, deployment=office).checks) == 1


def test_a_result_that_comes_after_its_lease_leaves_nothing_behind(database: str, office: Deployment) -> None:
    @contextlib.contextmanager
    def slow(company: Deployment, now: dt.datetime) -> Iterator[Mapping[str, object]]:
        class Slow(DatabaseJournal):
            def unfinished(self) -> Iterator[Run]:
                Job.objects.filter(kind=CHECK).update(worker="another")
                WorkerRow.objects.create(name="another", begun_at=NOW, lease_until=NOW + HOUR)
                return super().unfinished()

        yield {"declaration": company.declaration, "journal": Slow(), "now": now}

    assert jobs.run_due(NOW, deployment=office.but(look=slow)).checks == ()
    assert not CheckRow.objects.exists()
    assert entries("check.changed") == []


def test_judging_needs_no_database_of_statuses(database: str, office: Deployment) -> None:
    [judgement] = evaluation.judge(office, now=NOW)
    assert judgement.status is Status.UNPROVEN


def test_another_declaration_is_checked_at_once(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    moved = parse(DECLARED.replace("1 Example Street", "2 Example Street"))
    there = office.but(declaration=moved)
    report = jobs.run_due(NOW + HOUR / 60, deployment=there)
    assert (len(report.checks), report.promises_changed) == (1, ())
    assert PromiseRow.objects.get().status == "kept"
    assert jobs.run_due(NOW + HOUR / 30, deployment=there).checks == ()


def test_another_version_of_a_control_is_checked_at_once(database: str, office: Deployment) -> None:
    jobs.run_due(NOW, deployment=office)
    CheckRow.objects.update(control_version=99)
    assert len(jobs.run_due(NOW + HOUR / 60, deployment=office).checks) == 1
    assert jobs.run_due(NOW + HOUR / 30, deployment=office).checks == ()


# --- our own database goes away -------------------------------------------------------------------------------------


def test_a_check_that_our_own_database_went_away_from_is_none_and_is_made_again(
    database: str, office: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def looking(company: Deployment, now: dt.datetime) -> Iterator[Mapping[str, object]]:
        with look(company, now) as seen:
            yield {**seen, "is_away": may_pass}

    def away(journal: object, now: object) -> ControlResult:
        raise OperationalError("the connection is lost")

    office = office.but(look=looking)
    register_answers()
    with monkeypatch.context() as patch:
        patch.setitem(result._ANSWERS, "core.runs_finished", away)
        assert jobs.run_due(NOW, deployment=office).checks == ()
    assert not CheckRow.objects.exists()
    report = jobs.run_due(NOW + HOUR / 60, deployment=office)
    assert [check.control for check in report.checks] == ["core.runs_finished"]


def test_a_check_that_breaks_by_a_mistake_of_ours_is_an_error(
    database: str, office: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(journal: object, now: object) -> ControlResult:
        raise LookupError("a row")

    register_answers()
    monkeypatch.setitem(result._ANSWERS, "core.runs_finished", broken)
    [check] = jobs.run_due(NOW, deployment=office).checks
    assert check.outcome is CheckOutcome.ERROR


# --- one look at the site ---------------------------------------------------------------------------------------------

SITE_CONTROLS = (
    *("collection.only_declared_fields", "disclosures.only_to_recipients", "site.cookies_declared", "site.links_alive"),
    *("site.nothing_stored_before_choice", "site.policy_conspicuous", "site.policy_published", "site.signal_honoured"),
    "ours.home_answers",
)
OF_THE_SITE = """
troth: 1
organisation: {{name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org, site: "{home}"}}
policy: {{file: policy.md, effective: 2026-11-01}}
notice: {{signals: {{gpc: honoured, dnt: ignored}}}}
cookies: {{choice: {{purpose: necessary, lifetime: 6 months, allows: "yes"}}}}
collection_points: {{register: {{page: /register/, fields: {{email: required, phone: optional}}, purposes: [account]}}}}
controls:
  ours.home_answers: {{question: Does it answer?, cannot_see: The rest., http: {{url: "{home}", also: [/register/]}}}}
promises:
  - {{quote: "We never sell your data.", owner: dpo@example.org, controls: [{controls}]}}
"""


@pytest.fixture
def website() -> Iterator[World]:
    world = World()
    for path, page in (("/", HOME), ("/policy/", POLICY), ("/register/", REGISTER)):
        world.put(path, page)
    server = serve(world)
    yield world
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("hangs", ["none", "site.contact_reachable"])
def test_all_controls_of_a_run_request_each_page_once_for_each_visitor(
    database: str, website: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    controls = ", ".join(SITE_CONTROLS if hangs == "none" else ("site.contact_reachable", *SITE_CONTROLS))
    declaration = parse(OF_THE_SITE.format(home=website.home, controls=controls))
    (tmp_path / "home").mkdir(0o700)
    company = Deployment(declaration, home=tmp_path / "home", policy=read(f"# {POLICY_TEXT}\n"))
    gate = threading.Event()
    register_answers()
    monkeypatch.setitem(result._ANSWERS, "site.contact_reachable", lambda: gate.wait(60))
    known = controls_of(declaration)
    quick = {**known, hangs: replace(known["site.contact_reachable"], limit=dt.timedelta(seconds=0.2))}
    monkeypatch.setattr(check_session, "controls_of", lambda _: quick)
    report = jobs.run_due(NOW, deployment=company.but(keyring=Keyring(b"\x01" * 32)))
    gate.set()

    outcomes = {check.control: check.outcome for check in report.checks}
    assert {outcomes[control] for control in SITE_CONTROLS} <= {CheckOutcome.PASS, CheckOutcome.FAIL}
    assert outcomes.get(hangs, CheckOutcome.ERROR) is CheckOutcome.ERROR
    asked = Counter((path, sent.get("sec-gpc"), sent.get("cookie")) for path, sent in website.asked)
    assert set(asked.values()) == {1}
    assert [count for (path, *_), count in asked.items() if path == "/"] == [1, 1, 1]  # plain, allowing, and signalling
    periods = [check.evidence.period for check in report.checks if check.control in SITE_CONTROLS]
    assert all(period is not None and NOW <= period[0] <= period[1] < NOW + HOUR for period in periods)

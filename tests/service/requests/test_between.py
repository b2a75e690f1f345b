"""What happens between two steps of a case: somebody dies there, decides there, or fixes something there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError
from tests.rig.jobs import run_due
from tests.service.requests.conftest import Office

from troth.ledger import Entry
from troth.service.cases import actions as case_actions
from troth.service.cases.content import CaseContent
from troth.service.cases.deadlines import watch
from troth.service.cases.intake import receive
from troth.service.cases.intake.mailbox import take_in
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import Actor, CaseRefused
from troth.service.cases.models import Case, CaseBatch, CaseKind, CasePause, CaseState, Channel, WaitReason
from troth.service.core.jobs.models import Job
from troth.service.core.journal import DatabaseJournal
from troth.service.core.models import EntryRow, RunRow
from troth.service.core.store_pool import close_stores
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.preferences.actions import record_choices
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import ALL_USES, MARKETING, Scope, Source
from troth.service.requests import actions
from troth.service.requests.fulfilment import external_systems, queue, steps
from troth.service.requests.fulfilment.restriction import choices_in_force, lift
from troth.service.requests.models import CaseReceipt, CaseStep, ProcessingHalt
from troth.stores import StoreUnreachable

pytestmark = pytest.mark.sampled

STAFF = Actor("staff")
TASK = "  archive: {title: The paper archive, store: task, owner: archive@example.org}\n"
ASKED = """
  mailer: {store: "http://127.0.0.1:9/", asked: {answers: [erase], secret: "${MAILER_SECRET}", holds: {n: user.name},
           retain: 1 year}}
"""


def run_row(run_id: str, office: Office) -> None:
    """A run that is over, and left no receipt: a store forbade its only step."""
    now = office.now()
    RunRow.objects.create(
        run_id=run_id, action="erase", plan_hash="", declaration_hash="", begun_at=now, finished_at=now
    )


def test_a_run_that_failed_as_its_worker_died_is_no_answer(office: Office) -> None:
    """The restriction of the window stands; nothing is erased."""
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    Case.objects.filter(pk=case.pk).update(window_until=office.now())
    queue.form_batches()
    batch = CaseBatch.objects.get(ended_at=None)
    run_row(f"cases:{batch.pk}", office)
    steps.act(batch.pk)
    assert steps.settle_batch(batch.pk) == 0
    case.refresh_from_db()
    assert (case.state, case.batch) == (CaseState.IN_PROGRESS, None)
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    assert office.rows("select count(*) from customer where id = 2") == [(0,)]


def test_a_case_that_never_has_a_receipt_comes_before_somebody(office: Office) -> None:
    case = office.ask("erase", "ben@example.org", tier=1)
    for _ in range(3):
        queue.form_batches()
        batch = CaseBatch.objects.get(ended_at=None)
        run_row(f"cases:{batch.pk}", office)
        steps.act(batch.pk)
        steps.settle_batch(batch.pk)
    case.refresh_from_db()
    assert case.needs == WaitReason.REVIEW


class _Killed(BaseException):
    """The process ends here."""


def _batch_in_execution(office: Office, right: str) -> tuple[Case, int]:
    case = office.ask(right, "ben@example.org", tier=1)
    queue.form_batches()
    case.refresh_from_db()
    assert case.batch_id is not None
    return case, case.batch_id


def _die_in(function: str, module: Any, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, function, die)
        with pytest.raises(_Killed):
            steps.act(batch)
    assert not CaseReceipt.objects.exists()


def _assert_one_receipt(case: Case, batch: int) -> None:
    for _ in range(2):
        assert steps.act(batch) == 1
    receipt = case.receipts.get()
    [erased] = [row for row in EntryRow.objects.all() if Entry.decode(bytes(row.content)).kind == "subject.erased"]
    assert (receipt.entry, receipt.run) == (erased, f"cases:{batch}")
    assert {line["place"] for line in receipt.lines} == {"shop.customer", "shop.login"}


def test_a_worker_killed_between_a_run_and_its_receipts_adds_them_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, batch = _batch_in_execution(office, "erase")
    _die_in("_add_receipts", steps, batch, monkeypatch)
    assert RunRow.objects.get().finished_at
    assert office.rows("select count(*) from customer where id = 2") == [(0,)]
    _assert_one_receipt(case, batch)


def test_receipts_of_a_run_that_another_process_finished_are_added(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, batch = _batch_in_execution(office, "erase")
    _die_in("finish", DatabaseJournal, batch, monkeypatch)
    assert RunRow.objects.get().finished_at is None
    DatabaseJournal().let_go(RunRow.objects.get().run_id)
    run_due(office.now() + dt.timedelta(minutes=1), "core.run")
    assert RunRow.objects.get().finished_at
    assert not CaseReceipt.objects.exists()
    _assert_one_receipt(case, batch)


def test_receipts_are_added_if_the_declaration_has_changed_since_the_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The purposes of an objection are part of the id of its run."""
    case, batch = _batch_in_execution(office, "object")
    _die_in("_add_receipts", steps, batch, monkeypatch)
    run = RunRow.objects.get()
    path = office.folder / "troth.yaml"
    path.write_text(path.read_text().replace("news:", "letters:"))
    steps.act(batch)
    receipt = case.receipts.get(run=run.run_id)
    assert receipt.entry_id == run.receipts[0][0]


def test_an_objection_to_nothing_is_for_a_handler(office: Office) -> None:
    path = office.folder / "troth.yaml"
    path.write_text(path.read_text().replace("use: marketing.communications.email", "use: essential.service"))
    case = office.answered("object")
    assert case.needs == WaitReason.REVIEW
    assert CaseBatch.objects.count() == 1, "and not one after the other"


def test_what_waits_for_an_answer_goes_on_whenever_that_was_given(office: Office) -> None:
    """The answer was given while the erasure was on its way to wait for it."""
    office.answered("view", "ben@example.org")
    case = office.ask("erase", "ben@example.org", tier=1)
    Case.objects.filter(pk=case.pk).update(needs=WaitReason.ACCESS)
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def test_who_stopped_as_the_line_was_started_goes_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"sqlite:///{office.folder}/shop.sqlite"
    monkeypatch.delenv("SHOP_DATABASE_URL")
    case = office.answered("erase", "ben@example.org")
    assert Job.objects.get(kind="requests.batch").state == Job.State.STOPPED
    monkeypatch.setenv("SHOP_DATABASE_URL", where)
    ProcessingHalt.objects.update(cleared_at=office.now())
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def test_a_case_that_waited_for_others_stops_with_the_line_and_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.declare(systems=TASK)
    case = office.answered("view")
    assert case.needs == WaitReason.SYSTEMS
    where = f"sqlite:///{office.folder}/shop.sqlite"
    monkeypatch.delenv("SHOP_DATABASE_URL")
    close_stores()
    step = case.steps.get()
    external_systems.complete(step.pk, by="", done=True, why="", counts={}, proof=None, at=office.now())
    office.work()
    assert Job.objects.get(kind="requests.follow").state == Job.State.STOPPED
    assert ProcessingHalt.objects.get(cleared_at=None).why == "secret_missing"
    monkeypatch.setenv("SHOP_DATABASE_URL", where)
    queue.end_halt(office.now())
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def test_a_declaration_that_is_not_true_stops_the_line(office: Office) -> None:
    office.do("create table note (id integer primary key, customer_id integer references customer (id), text text)")
    case = office.answered("erase", "ben@example.org")
    assert (case.state, case.needs) == (CaseState.IN_PROGRESS, "")
    assert ProcessingHalt.objects.get(cleared_at=None).why == "plan_refused"
    assert Job.objects.get(kind="requests.batch").state == Job.State.STOPPED
    office.do("drop table note")
    queue.end_halt(office.now())
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def test_nobody_refuses_what_is_being_done(office: Office) -> None:
    case = office.ask("erase", "ben@example.org", tier=1)
    queue.form_batches()
    with pytest.raises(CaseRefused, match="being carried out"):
        case_actions.refuse(case.pk, "no", "GDPR Art. 12(5)", office.deployment, who=STAFF, now=office.now())


def test_nobody_is_asked_while_systems_do_their_part(office: Office) -> None:
    office.declare(systems=TASK)
    case = office.answered("view")
    assert case.needs == WaitReason.SYSTEMS
    with pytest.raises(CaseRefused, match="being carried out"):
        case_actions.pause(case.pk, "Which account?", office.deployment, who=STAFF, now=office.now())


def test_what_was_given_up_while_it_was_asked_stays_given_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SECRET", "c2VjcmV0" * 6)
    office.declare(systems=ASKED)
    case = office.answered("erase", "ben@example.org")
    step = case.steps.get()

    def give_up(*_: Any) -> Any:
        external_systems.give_up(step.pk, by="", at=office.now())
        raise StoreUnreachable("nobody is there", store="mailer")

    monkeypatch.setattr(external_systems, "open_asked", give_up)
    steps.ask_again(step.pk)
    step.refresh_from_db()
    assert (step.state, step.why) == (CaseStep.State.FAILED, "no_answer")


def test_a_question_to_a_system_that_stopped_for_the_configuration_is_asked_once_that_is_fixed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SECRET", "c2VjcmV0" * 6)
    office.declare(systems=ASKED)
    step = office.answered("erase", "ben@example.org").steps.get()
    Job.objects.filter(kind="requests.ask", key=str(step.pk)).update(
        state="stopped", reason="no_deployment", due_at=None
    )
    queue.form_batches()
    assert Job.objects.get(kind="requests.ask", key=str(step.pk)).state == "queued"


def test_a_system_that_people_look_after_by_now_is_a_task(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SECRET", "c2VjcmV0" * 6)
    office.declare(systems=ASKED)
    step = office.answered("erase", "ben@example.org").steps.get()
    office.declare(systems="  mailer: {title: The mailer, store: task, owner: mailer@example.org}\n")
    assert steps.ask_again(step.pk) is None
    step.refresh_from_db()
    assert (step.way, step.state) == ("task", CaseStep.State.WAITING)


def test_a_mark_stays_while_another_case_restricts(office: Office) -> None:
    first, second = office.answered("restrict"), office.answered("restrict")
    for case, mark in ((first, "yes"), (second, None)):
        actions.lift(case.pk, "It was right.", office.deployment, who=STAFF, now=office.now())
        Job.objects.filter(kind="requests.lift", state="queued").update(due_at=office.now())
        office.work()
        assert office.rows("select on_hold from customer where id = 1") == [(mark,)]
        assert not choices_in_force(case).exists()


@pytest.mark.parametrize("scope", [MARKETING, ALL_USES, Scope.of("news"), Scope.of("orders")])
def test_a_mark_stays_while_a_choice_of_another_duty_stops_the_use(office: Office, scope: Scope) -> None:
    case = office.answered("object")
    record_choices(
        [("email", "ann@example.org")],
        ChoiceState.OBJECTED,
        [scope],
        Source("newsletters", "message:1", "subject"),
        office.deployment.keyring,
        now=office.now(),
    )
    assert lift(case.pk) == 2, "the objection to the newsletter, and to all marketing"
    mark = "yes" if scope == Scope.of("orders") else "stopped"
    assert office.rows("select mailing from customer where id = 1") == [(mark,)]


def test_a_restriction_is_written_down_once(office: Office) -> None:
    case = office.answered("restrict")
    row = choices_in_force(case).get()
    row.pk = None
    with pytest.raises(IntegrityError):
        row.save()


def test_rows_are_marked_although_an_earlier_run_was_in_vain(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.ask("erase", "ben@example.org", tier=1)
    run_row(f"marks:{case.pk}:set:restricted:1", office)
    office.work()
    assert office.rows("select on_hold from customer where id = 2") == [("yes",)]


def test_many_purposes_are_withdrawn_at_once(office: Office) -> None:
    purposes = ("news", *(f"a_purpose_with_a_long_name_{number}" for number in range(20)))
    declared = "".join(f"  {name}: {{basis: consent, use: essential.service, data: [user]}}\n" for name in purposes[1:])
    path = office.folder / "troth.yaml"
    path.write_text(path.read_text("utf-8").replace("recipients:\n", f"{declared}recipients:\n"), "utf-8")
    case = office.answered("withdraw", purposes=purposes)
    assert (case.state, case.needs) == (
        CaseState.IN_PROGRESS,
        "systems",
    )  # no column marks the others: a person does it
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]


def test_a_letter_that_could_not_be_taken_in_stays_in_the_mailbox(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Case:
        raise IntegrityError

    done = list[str]()
    raw = b"From: ann@example.org\nSubject: Delete my data\n\nPlease.\n"
    letter = MailboxMessage(raw, office.now(), lambda: done.append("done"))
    with monkeypatch.context() as patched:
        patched.setattr(receive, "receive_all", broken)
        with pytest.raises(IntegrityError):
            take_in(letter, office.deployment, now=office.now())
    assert done == []
    assert take_in(letter, office.deployment, now=office.now())
    assert not take_in(letter, office.deployment, now=office.now())
    assert Case.objects.count() == 1


def test_who_was_reminded_keeps_nobody_else_from_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.service.cases.deadlines._AT_ONCE", 1)
    cases = [office.ask("erase", who, tier=1) for who in ("ann@example.org", "ben@example.org", "chloe@example.org")]
    for case in cases:
        case_actions.pause(case.pk, "Which account?", office.deployment, who=STAFF, now=office.now())
    asked_at = office.now() - dt.timedelta(days=8)
    case_actions.refuse(cases[0].pk, "No.", "GDPR Art. 12(5)", office.deployment, who=STAFF, now=office.now())
    assert not CasePause.objects.filter(case=cases[0], answered_at=None).exists(), "the answer ends the pause"
    CasePause.objects.update(asked_at=asked_at)
    Case.objects.update(due_on=office.now().date())
    for _ in range(2):
        watch(office.now())
    for case in cases[1:]:
        assert {"reminder_to_person", "staff_escalation"} <= set(office.letters(case))


def test_each_pause_is_reminded_of_once(office: Office) -> None:
    asked = CaseContent(address="ann@example.org", identifiers=(("email", "ann@example.org"),), message="?")
    case = receive.receive(Intake(CaseKind.QUESTION, asked, Channel.CENTRE), office.deployment, now=office.now())
    for _ in range(2):
        case_actions.pause(case.pk, "Which invoice?", office.deployment, who=STAFF, now=office.now())
        CasePause.objects.filter(answered_at=None).update(asked_at=office.now() - dt.timedelta(days=8))
        watch(office.now())
        watch(office.now())
        case.events.filter(what="asked_again").update(at=office.now() - dt.timedelta(days=20))
        case_actions.resume(case.pk, "That one.", office.deployment, who=STAFF, now=office.now())
    assert office.letters(case).count("reminder_to_person") == 2

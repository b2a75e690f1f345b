"""From a request to its answer: what is done in the company's stores, and what the person is told."""

from __future__ import annotations

import datetime as dt
import re
import sys
import types
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy
from django.utils.formats import date_format
from tests.service.requests.conftest import FLOWS, Office
from tests.service.team import bare_member

from troth.declaration import Purpose
from troth.hook import FileMemory, Hook
from troth.ledger import Entry
from troth.service.cases import actions as case_actions
from troth.service.cases import lifecycle
from troth.service.cases.console.search import cases_of
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.deadlines import watch
from troth.service.cases.intake import receive
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseBatch, CaseKind, CaseOutcome, CaseState, Channel, WaitReason
from troth.service.cases.pages import case_status
from troth.service.core import deployment
from troth.service.core.deployment import NoDeployment
from troth.service.core.jobs.models import Job
from troth.service.core.models import EntryRow, LegalHold
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.preferences.actions import may
from troth.service.preferences.models import Choice
from troth.service.requests import actions
from troth.service.requests.fulfilment import external_systems, preview, steps
from troth.service.requests.fulfilment.queue import end_halt, form_batches
from troth.service.requests.fulfilment.restriction import choices_in_force, restrictions_in_force
from troth.service.requests.models import CaseReceipt, Package, ProcessingHalt
from troth.service.requests.responses import outcome
from troth.service.requests.responses.receipt_sentences import whole
from troth.service.staff import approvals
from troth.service.staff.models import Approval
from troth.subjects import Identity

pytestmark = pytest.mark.sampled

STAFF = lifecycle.Actor("staff")


def kinds(case: Case) -> list[str]:
    return list(case.events.order_by("at", "id").values_list("what", flat=True))


def test_a_view_ends_in_a_package_and_a_letter(office: Office) -> None:
    case = office.answered("view")
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.FULFILLED)
    assert office.letters(case) == ["link", "acknowledged", "package_ready"]
    assert Package.objects.get(case=case).size > 0


def test_an_erasure_keeps_what_the_law_keeps_and_says_so(office: Office) -> None:
    case = office.answered("erase")
    assert office.rows("select id from customer") == [(2,), (3,)]
    assert office.rows("select address, email from invoice") == [("1 High Street", None)]
    assert (case.outcome, office.letters(case)[-1]) == (CaseOutcome.PARTLY_FULFILLED, "partly_fulfilled")
    [receipt] = case.receipts.all()
    assert receipt.residue == {}
    assert receipt.entry is not None
    assert b'"subject.erased"' in bytes(receipt.entry.content)


def test_an_amendment_is_made_everywhere(office: Office) -> None:
    case = office.answered("amend", changes={"user.contact.phone_number": "+44 1632 960009"})
    assert office.rows("select phone from customer where id = 1") == [("+44 1632 960009",)]
    assert office.letters(case)[-1] == "fulfilled_amend"


def test_a_restriction_marks_the_rows_and_guards_reads(office: Office) -> None:
    case = office.answered("restrict")
    assert office.rows("select id, on_hold from customer where on_hold is not null") == [(1, "yes")]
    assert restrictions_in_force(case).count() == 1


def test_an_erasure_needs_no_policy(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever breaks the policy's file holds up no request; the pages that show it say so."""
    monkeypatch.setattr(deployment, "_known", {})
    monkeypatch.setattr(deployment, "_policies", {})
    (office.folder / "policy.md").write_bytes(b"\xff\xfe\x00 no text")
    case = office.answered("erase")
    assert case.outcome == "partly_fulfilled"
    assert office.rows("select * from customer where email = 'ann@example.org'") == []
    with pytest.raises(NoDeployment, match=r"the policy .* cannot be read"):
        _ = office.deployment.policy


def test_who_was_erased_is_guarded_no_more(office: Office) -> None:
    restricted, others = office.answered("restrict", "ben@example.org"), office.answered("restrict")
    office.answered("erase", "ben@example.org")
    assert not choices_in_force(restricted).exists()
    assert choices_in_force(others).exists()


@pytest.mark.parametrize(("invoices", "letter"), [(False, "fulfilled_erase"), (True, "partly_fulfilled")])
def test_a_choice_outlives_the_erasure_which_says_so(office: Office, invoices: bool, letter: str) -> None:
    if not invoices:
        office.do("delete from invoice")
    objection, restriction = office.answered("object"), office.answered("restrict")
    erasure = office.answered("erase")
    assert office.rows("select id from customer where id = 1") == []
    assert sorted(choices_in_force(objection).values_list("scope", "purpose")) == [
        ("marketing", ""),
        ("purpose", "news"),
    ]
    assert not choices_in_force(restriction).exists()
    said = " ".join(letter_of(office, erasure, letter).replace("=\r\n", "").split())
    assert "your data must not be used for this: - The newsletter This also counts for data that come in later." in said
    assert "we keep a coded mark of what you named yourself with, made with a secret key" in said


def test_who_is_not_known_is_informed_of_a_choice_that_is_kept(office: Office) -> None:
    office.answered("object", "nobody@example.org")
    said = letter_of(office, office.answered("view", "nobody@example.org"), "nothing_held")
    assert "your data must not be used for this:\r\n\r\n- The newsletter" in said
    assert "coded mark" in said
    assert "coded mark" not in letter_of(office, office.answered("view", "noone@example.org"), "nothing_held")


def test_an_erasure_without_a_choice_says_nothing_of_one(office: Office) -> None:
    office.answered("restrict", "ben@example.org")
    said = letter_of(office, office.answered("erase", "ben@example.org"), "fulfilled_erase")
    assert "coded mark" not in said
    assert "still counts" not in said


@pytest.mark.parametrize(("purposes", "allowed"), [((), False), (("news",), True)])
def test_an_objection_to_all_marketing_covers_what_is_declared_later(
    office: Office, purposes: tuple[str, ...], allowed: bool
) -> None:
    office.answered("object", purposes=purposes)
    offers = Purpose.model_validate(
        {"basis": "legitimate_interests", "interests": "to sell", "use": "marketing.advertising", "data": ["user"]}
    )
    current = office.deployment
    later = current.declaration.model_copy(update={"purposes": {**current.declaration.purposes, "offers": offers}})
    ann = Identity.of(email="ann@example.org")
    assert may(ann, "offers", current.but(declaration=later)).allowed is allowed


def test_an_objection_stops_marketing_at_once_and_needs_no_proof(office: Office) -> None:
    case = office.answered("object")
    assert case.tier == 0
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]
    assert office.letters(case) == ["acknowledged", "stopped"]


def test_what_is_missing_from_a_package_is_said_in_its_letter(office: Office) -> None:
    office.declare(systems="  archive: {title: The paper archive, store: task, owner: archive@example.org}\n")
    case = office.answered("view")
    external_systems.give_up(case.steps.get().pk, by="", at=office.now())
    office.work()
    case.refresh_from_db()
    assert case.outcome == CaseOutcome.PARTLY_FULFILLED
    row = LetterRow.objects.get(about=case.about, kind="package_ready")
    letter = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))
    assert b"The paper archive: it did not answer" in letter
    assert b"You may also appeal" in letter
    assert (
        "the letter says which are missing"
        in case_status.show(case, office.deployment, inside=False, now=office.now()).next
    )


def test_nobody_known_is_told_so(office: Office) -> None:
    case = office.answered("view", "nobody@example.org")
    assert office.letters(case)[-1] == "nothing_held"
    assert (
        "found nothing under the details that you gave us"
        in case_status.show(case, office.deployment, inside=False, now=office.now()).next
    )
    assert not Package.objects.exists()


def test_recipients_are_told_of_an_erasure_by_letter(office: Office) -> None:
    case = office.answered("erase")
    assert "recipient_notice" in office.letters(case)


def test_cases_of_one_right_are_carried_out_together(office: Office) -> None:
    cases = [office.ask("erase", who) for who in ("ann@example.org", "ben@example.org", "chloe@example.org")]
    for case in cases:
        office.prove(case)
    office.work()
    assert office.rows("select count(*) from customer") == [(0,)]
    assert CaseBatch.objects.count() == 1
    assert {case.outcome for case in Case.objects.all()} <= {CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED}


@pytest.fixture
def reads() -> Iterator[list[str]]:
    """Tables of the company's stores, as each is read, but not their schemas."""
    tables: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if read := re.match(r"SELECT .* FROM [`\"](customer|invoice|login)[`\"]", statement):
            tables.append(read[1])

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    yield tables
    sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("right", "without_flag"), [("erase", 2), ("restrict", 1)])
@pytest.mark.parametrize("is_approved", [False, True])
def test_rows_are_located_once_and_scanned_once_more(
    office: Office, reads: list[str], right: str, without_flag: int, is_approved: bool
) -> None:
    """The decision, the approval, the evidence for recipients and the plan are made from the same rows."""
    office.declare(requests=f"{{approve: [{right}]}}" if is_approved else "{}")
    case = office.prove(office.ask(right, "ben@example.org"))
    if is_approved:
        office.work()
        case.refresh_from_db()
        case_actions.approve(case.pk, case.plan_hash, bare_member("chloe"), office.deployment, now=office.now())
    form_batches()
    batch = Case.objects.get(pk=case.pk).batch_id
    assert batch is not None
    reads.clear()
    assert steps.act(batch) == 1
    assert Counter(reads) == {"customer": 2, "invoice": without_flag, "login": without_flag}


def test_the_same_person_asking_twice_is_answered_twice(office: Office) -> None:
    first, second = office.ask("erase", "ben@example.org"), office.ask("erase", "ben@example.org")
    office.prove(first)
    office.prove(second)
    office.work()
    assert {Case.objects.get(pk=case.pk).state for case in (first, second)} == {CaseState.CLOSED}


def kinds_of_holds() -> list[str]:
    """The holds that the ledger tells of, placed by rule."""
    entries = map(Entry.decode, map(bytes, EntryRow.objects.order_by("id").values_list("content", flat=True)))
    return [entry.kind for entry in entries if entry.fields.get("actor") == "rule" and entry.kind.startswith("hold.")]


def test_an_open_request_to_see_holds_the_erasure_of_the_same_person(office: Office) -> None:
    view, erase = office.ask("view"), office.ask("erase")
    office.prove(view)
    case_actions.pause(view.pk, "Which account?", office.deployment, who=STAFF, now=office.now())
    office.prove(erase)
    office.work()
    assert Case.objects.get(pk=erase.pk).needs == WaitReason.ACCESS
    assert office.rows("select count(*) from customer") == [(3,)]
    assert LegalHold.objects.filter(matter=view.reference, released_at=None).exists()
    assert kinds_of_holds() == ["hold.placed"]
    case_actions.resume(view.pk, "Mine.", office.deployment, who=lifecycle.SUBJECT, now=office.now())
    actions.try_again(view.pk, office.deployment, who=STAFF, now=office.now())
    office.work()
    assert kinds_of_holds() == ["hold.placed", "hold.released"]
    assert Case.objects.get(pk=view.pk).state == CaseState.CLOSED
    assert Case.objects.get(pk=erase.pk).state == CaseState.CLOSED
    assert office.rows("select count(*) from customer") == [(2,)]


def test_a_request_to_see_that_nobody_proved_holds_no_erasure(office: Office) -> None:
    """Anybody may ask under Ann's address; what she asks for, and proves, is done all the same, and wholly."""
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    view = office.ask("view", "ben@example.org")
    Case.objects.filter(pk=case.pk).update(window_until=office.now() - dt.timedelta(minutes=1))
    office.work()
    case.refresh_from_db()
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.FULFILLED)
    assert LegalHold.objects.filter(matter=view.reference, released_at=None).exists()


def test_a_request_to_see_freezes_for_a_day_and_from_its_proof_on(office: Office) -> None:
    view = office.ask("view")
    watch(office.now())
    assert kinds_of_holds() == ["hold.placed"]
    watch(office.now() + dt.timedelta(days=1))
    assert kinds_of_holds() == ["hold.placed", "hold.released"]
    office.prove(view)
    assert kinds_of_holds() == ["hold.placed", "hold.released", "hold.placed"]
    watch(office.now() + dt.timedelta(days=1))
    assert LegalHold.objects.filter(matter=view.reference, released_at=None).exists()


def test_a_request_by_more_identifiers_is_about_the_same_person(office: Office) -> None:
    both = CaseContent(
        address="ann@example.org", identifiers=(("email", "ann@example.org"), ("phone", "+44 1632 960001"))
    )
    asked = receive.Intake(CaseKind.REQUEST, both, Channel.STAFF, right="view", tier=1)
    view = receive.receive(asked, office.deployment, now=office.now())
    case_actions.pause(view.pk, "Which account?", office.deployment, who=STAFF, now=office.now())
    by_phone = CaseContent(address="ann@example.org", identifiers=(("phone", "+44 1632 960001"),))
    assert by_phone.identity is not None
    found = cases_of(by_phone.identity, [lifecycle.subject_of(by_phone, office.deployment)], office.deployment)
    assert list(found) == [view]
    erase = office.ask("erase")
    office.prove(erase)
    office.work()
    assert Case.objects.get(pk=erase.pk).needs == WaitReason.ACCESS
    assert LegalHold.objects.filter(matter=view.reference, released_at=None).count() == 2
    case_actions.withdraw(view.pk, office.deployment, who=lifecycle.SUBJECT, now=office.now())
    office.work()
    assert Case.objects.get(pk=erase.pk).state == CaseState.CLOSED
    assert office.rows("select count(*) from customer") == [(2,)]


def test_a_shared_phone_waits_for_a_handler(office: Office) -> None:
    office.do("update customer set phone = '+44 1632 960001'")
    content = CaseContent(address="ann@example.org", identifiers=(("phone", "+44 1632 960001"),))
    intake = receive.Intake("request", content, "centre", right="erase", tier=1)  # type: ignore[arg-type]
    case = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    case.refresh_from_db()
    assert (case.state, case.needs) == (CaseState.IN_PROGRESS, WaitReason.REVIEW)
    assert office.rows("select count(*) from customer") == [(3,)]


def test_one_case_that_needs_a_look_holds_up_no_other(office: Office) -> None:
    office.do("insert into customer (id, email) values (4, 'ann@example.org')")
    ann, ben = office.ask("erase"), office.ask("erase", "ben@example.org")
    office.prove(ann)
    office.prove(ben)
    office.work()
    assert Case.objects.get(pk=ann.pk).needs == WaitReason.REVIEW
    assert Case.objects.get(pk=ben.pk).state == CaseState.CLOSED


@pytest.mark.parametrize("right", ["view", "port"])
def test_what_would_be_shown_is_approved_before_it_is(office: Office, right: str) -> None:
    office.declare(requests=f"{{approve: [{right}]}}")
    chloe = bare_member("chloe")

    def waiting() -> Case:
        office.work()
        found = Case.objects.get()
        assert (found.state, found.needs, Package.objects.count()) == (CaseState.IN_PROGRESS, WaitReason.APPROVAL, 0)
        return found

    def approve(case: Case) -> None:
        case_actions.approve(case.pk, case.plan_hash, chloe, office.deployment, now=office.now())

    office.prove(office.ask(right))
    case = waiting()
    assert {line["place"]: line["rows"] for line in case.plan or ()} == {
        "shop.customer": 1,
        "shop.invoice": 1,
        "shop.login": 2,
    }
    approve(case)
    office.do("insert into login values (4, 1, '192.0.2.4')")
    approve(waiting())
    office.work()
    assert (Case.objects.get().outcome, Package.objects.count()) == ("fulfilled", 1)


def test_what_is_shown_once_all_systems_have_answered_is_what_was_approved(office: Office) -> None:
    task = "\n  desk: {title: The desk, store: task, owner: ben@example.org}\n"
    office.declare(requests="{approve: [view]}", systems=task)
    chloe = bare_member("chloe")
    office.prove(office.ask("view"))
    for needs in (WaitReason.APPROVAL, WaitReason.SYSTEMS, WaitReason.APPROVAL):
        office.work()
        case = Case.objects.get()
        assert case.needs == needs
        if needs == WaitReason.APPROVAL:
            case_actions.approve(case.pk, case.plan_hash, chloe, office.deployment, now=office.now())
        else:
            office.do("insert into login values (4, 1, '192.0.2.4')")
            external_systems.complete(
                case.steps.get().pk, by="", done=True, why="", counts={}, proof=None, at=office.now()
            )
    assert not Package.objects.exists()
    office.work()
    assert (Case.objects.get().outcome, Package.objects.count()) == ("fulfilled", 1)
    assert not Job.objects.filter(kind__in=FLOWS).exists()


def test_an_approval_is_for_exactly_the_plan_that_was_seen(office: Office) -> None:
    office.declare(requests="{approve: [erase]}")
    case = office.answered("erase", "ben@example.org")
    assert case.needs == WaitReason.APPROVAL
    assert [line["place"] for line in case.plan or ()] == ["shop.login", "shop.customer"]
    approver = bare_member("chloe")
    case_actions.approve(case.pk, case.plan_hash, approver, office.deployment, now=office.now())
    office.do("insert into login values (9, 2, '192.0.2.9')")
    office.work()
    case.refresh_from_db()
    assert case.needs == WaitReason.APPROVAL, "rows have come since, so it is another plan"
    case_actions.approve(case.pk, case.plan_hash, approver, office.deployment, now=office.now())
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def _approved(office: Office) -> Case:
    """The erasure of Ben, whose plan Chloe has approved."""
    office.declare(requests="{approve: [erase]}")
    case = office.answered("erase", "ben@example.org")
    return case_actions.approve(case.pk, case.plan_hash, bare_member("chloe"), office.deployment, now=office.now())


def test_an_approval_is_used_up_by_its_run(office: Office) -> None:
    case = _approved(office)
    office.work()
    run = CaseReceipt.objects.get(case=case).run
    assert Approval.objects.get().used_for == run
    with pytest.raises(approvals.ApprovalMissing, match="used already"):
        approvals.use(lifecycle.plan_approval(case, case.plan_hash), use="cases:0", now=office.now())


def test_an_approval_that_has_expired_is_asked_for_again(office: Office) -> None:
    case = _approved(office)
    at = office.now() - dt.timedelta(days=30)
    Approval.objects.update(at=at, until=at + dt.timedelta(days=30))
    office.work()
    case.refresh_from_db()
    assert (case.needs, office.rows("select count(*) from customer where id = 2")) == (WaitReason.APPROVAL, [(1,)])
    case_actions.approve(case.pk, case.plan_hash, bare_member("chloe"), office.deployment, now=office.now())
    office.work()
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED


def test_a_crash_between_the_approval_and_its_run_needs_no_other_approval(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = _approved(office)
    form_batches()
    batch = Case.objects.get(pk=case.pk).batch_id
    assert batch is not None
    with monkeypatch.context() as patch:
        patch.setattr(preview, "execute", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            steps.act(batch)
    assert Approval.objects.get().used_for
    assert steps.act(batch) == 1


def test_a_window_restricts_first_and_erases_when_it_is_over(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    assert case.needs == WaitReason.WINDOW
    assert choices_in_force(case).exists()
    assert office.rows("select on_hold from customer where id = 2") == [("yes",)]
    Case.objects.filter(pk=case.pk).update(window_until=office.now() - dt.timedelta(minutes=1))
    office.work()
    assert office.rows("select count(*) from customer where id = 2") == [(0,)]
    assert not choices_in_force(case).exists()


def test_a_request_taken_back_within_the_window_lifts_the_restriction(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    case_actions.withdraw(case.pk, office.deployment, who=lifecycle.SUBJECT, now=office.now())
    office.work()
    assert office.rows("select on_hold from customer where id = 2") == [(None,)]
    assert not Choice.objects.filter(ended_at=None).exists()


def test_a_wrong_configuration_stops_the_line_and_loses_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_DATABASE_URL")
    case = office.answered("erase", "ben@example.org")
    assert case.state == CaseState.IN_PROGRESS
    assert case.due_on is not None
    assert ProcessingHalt.objects.filter(cleared_at=None, why="secret_missing").exists()
    later = office.ask("view", "chloe@example.org", tier=1)
    form_batches()
    later.refresh_from_db()
    assert later.batch_id is None, "nothing new is begun while the line is stopped"
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{office.folder}/shop.sqlite")
    end_halt(office.now())
    office.work()
    assert {one.state for one in Case.objects.all()} == {CaseState.CLOSED}


def test_every_step_of_a_case_is_on_record(office: Office) -> None:
    office.answered("view")
    entries = b" ".join(bytes(row.content) for row in EntryRow.objects.all())
    for kind in ("case.received", "case.verified", "case.changed", "subject.viewed", "case.closed"):
        assert f'"{kind}"'.encode() in entries
    assert b"ann@" not in entries


def test_data_that_is_contested_is_only_stored_until_somebody_has_looked(office: Office) -> None:
    office.do("insert into invoice values (2, 1, '2 High Street', 'a.archer@example.org', '2026-01-01')")
    case = office.answered("amend", changes={"shop.invoice.email": "ann.new@example.org"})
    assert (case.needs, choices_in_force(case).count()) == (WaitReason.REVIEW, 1)
    assert office.rows("select on_hold from customer where id = 1") == [("yes",)]
    case_actions.refuse(
        case.pk,
        "The invoices are right.",
        "GDPR Art. 16",
        office.deployment,
        who=lifecycle.Actor("staff"),
        now=office.now(),
    )
    assert "restriction_lifted" in office.letters(case)
    Job.objects.filter(kind="requests.lift").update(due_at=office.now())
    office.work()
    assert office.rows("select on_hold from customer where id = 1") == [(None,)]
    assert not Choice.objects.filter(ended_at=None).exists()


def test_who_asks_for_an_erasure_with_a_window_is_told_of_it(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    row = LetterRow.objects.get(about=case.about, kind="acknowledged")
    packed = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))
    assert b"Before that day you can take" in packed


def test_a_window_ends_on_the_day_that_was_announced_and_in_time(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    asked = CaseContent(address="ben@example.org", identifiers=(("email", "ben@example.org"),))
    arrived = office.now() - dt.timedelta(days=25)
    intake = receive.Intake(CaseKind.REQUEST, asked, Channel.STAFF, right="erase", tier=1, received_at=arrived)
    case = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    case.refresh_from_db()
    assert case.window_until is not None
    until = day(case.window_until, office.deployment)
    assert (case.needs, until) == (WaitReason.WINDOW, case.due_on)
    row = LetterRow.objects.get(about=case.about, kind="acknowledged")
    packed = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))
    assert date_format(until, "DATE_FORMAT").encode() in packed


def test_a_question_shortens_no_window(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    until = case.window_until
    case_actions.pause(case.pk, "Which account?", office.deployment, who=STAFF, now=office.now())
    case_actions.resume(case.pk, "All of it.", office.deployment, who=lifecycle.SUBJECT, now=office.now())
    actions.try_again(case.pk, office.deployment, who=STAFF, now=office.now())
    office.declare()  # the window that was announced stays, whatever is declared later
    office.work()
    case.refresh_from_db()
    assert (case.needs, case.window_until) == (WaitReason.WINDOW, until)
    assert office.rows("select count(*) from customer where id = 2") == [(1,)]
    assert kinds(case).count("restricted") == 1


def test_an_objection_needs_nobodys_look_whoever_shares_the_address(office: Office) -> None:
    office.do("insert into customer (id, email, mailing) values (4, 'ann@example.org', 'yes')")
    case = office.answered("object")
    assert case.state == CaseState.CLOSED
    assert office.rows("select mailing from customer where email = 'ann@example.org'") == [("stopped",), ("stopped",)]


def letter_of(office: Office, case: Case, kind: str) -> str:
    row = LetterRow.objects.get(about=case.about, kind=kind)
    return office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)).decode()


def test_nothing_held_names_the_systems_that_were_searched(office: Office) -> None:
    office.declare(systems="  lake: {title: The lake, store: task, owner: ben@example.org}\n")
    case = office.answered("view", "nobody@example.org")
    external_systems.complete(case.steps.get().pk, by="", done=True, why="", counts={}, proof=None, at=office.now())
    office.work()
    said = letter_of(office, case, "nothing_held")
    assert "- Shop" in said
    assert "- The lake" in said
    assert "all" not in said.partition("Where we searched:")[0]


def test_where_nobody_is_found_by_an_address_is_not_said_to_be_searched(office: Office) -> None:
    office.do("create table call (id integer primary key, phone text, customer_id integer)")
    office.declare(
        systems="""
  calls:
    title: The calls
    store: ${SHOP_DATABASE_URL}
    tables:
      call:
        key: id
        mentions: {phone: {column: phone, shared: review}}
        belongs_to: {customer_id: shop.customer.id}
        fields: {phone: user.contact.phone_number}
        erase: delete
"""
    )
    case = office.answered("view", "nobody@example.org")
    said = letter_of(office, case, "nothing_held")
    searched, _, unsearchable = said.partition("These cannot be searched by what you gave us")
    assert "- Shop" in searched
    assert "- The calls" not in searched
    assert "- The calls: it is searched by: Telephone number" in unsearchable


def test_a_record_of_the_past_is_not_corrected_and_the_message_says_why(office: Office) -> None:
    office.do("create table sent (issue integer, email text); insert into sent values (1, 'ann@example.org')")
    office.declare(
        systems="""
  news:
    title: The newsletter
    store: ${SHOP_DATABASE_URL}
    tables:
      sent:
        key: [issue, email]
        mentions: {email: email}
        fields:
          email: {category: user.contact.email, fixed: {en: it records where an issue went, de: es belegt den Versand}}
        erase: delete
"""
    )
    case = office.ask("amend", changes={"user.contact.email": "ann.new@example.org"})
    Case.objects.filter(pk=case.pk).update(language="de")
    office.prove(case)
    office.work()
    said = " ".join(letter_of(office, case, "partly_fulfilled").split())
    assert "es belegt den Versand (GDPR Art. 16)" in said
    assert office.rows("select email from sent") == [("ann@example.org",)]
    assert office.rows("select email from customer where id = 1") == [("ann.new@example.org",)]


def port_rests_on(office: Office, data: str) -> None:
    """Nothing rests on the contract; the consent covers *data* alone."""
    path = office.folder / "troth.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("basis: contract, use: essential.service,", "basis: legal_obligation, use: essential.service,")
    path.write_text(text.replace("data: [user.contact.email]}", f"data: [{data}]}}"), encoding="utf-8")


def test_what_may_not_be_taken_along_is_not_said_to_be_in_the_file(office: Office) -> None:
    port_rests_on(office, "user.name")
    case = office.answered("port")
    shown = case_status.show(case, office.deployment, inside=False, now=office.now())
    assert [one.table for one in shown.details.done] == ["Customer"]
    assert "says what is left out" in shown.next
    assert "Your data are ready" in letter_of(office, case, "package_ready")


def test_a_package_with_nothing_to_take_along_is_not_called_ready(office: Office) -> None:
    port_rests_on(office, "user.demographic")
    case = office.answered("port")
    said = letter_of(office, case, "package_ready")
    assert "Nothing to take with you" in said
    assert "are ready" not in said
    shown = case_status.show(case, office.deployment, inside=False, now=office.now())
    assert shown.details.done == ()
    assert "Nothing of what we found falls under this right." in shown.next


def test_an_erasure_that_found_nothing_does_not_say_that_it_deleted(office: Office) -> None:
    case = office.answered("erase", "nobody@example.org")
    said = letter_of(office, case, "fulfilled_erase")
    assert "found nothing to delete" in said
    assert "have deleted" not in said


def test_an_erasure_says_what_was_done_where_and_what_a_second_look_found(office: Office) -> None:
    office.do("delete from invoice")
    case = office.answered("erase")
    said = letter_of(office, case, "fulfilled_erase")
    assert "- Shop: Customer (1): Deleted" in said
    assert "- Shop: Login (2): Deleted" in said
    assert "Afterwards we searched again by the same details, and found no record" in " ".join(said.split())


def test_what_a_second_look_found_is_not_called_gone(office: Office) -> None:
    office.do("delete from invoice")
    case = office.answered("erase")
    case.receipts.update(residue={"shop.login": 1})
    Case.objects.filter(pk=case.pk).update(state=CaseState.IN_PROGRESS, outcome="", closed_at=None)
    case.refresh_from_db()
    contents = {case.pk: SealedContent(office.deployment.keyring).content(case)}
    assert outcome.close_done([case], contents, office.deployment, now=office.now()) == 1
    case.refresh_from_db()
    assert case.outcome == CaseOutcome.PARTLY_FULFILLED
    said = letter_of(office, case, "partly_fulfilled")
    assert "Shop: Login (1): it was still there when we looked again" in said


def test_a_correction_is_told_by_what_was_corrected(office: Office) -> None:
    case = office.answered("amend", changes={"user.contact.phone_number": "+44 1632 960009"})
    said = letter_of(office, case, "fulfilled_amend")
    assert "- Phone number" in said
    assert "user.contact" not in said


def test_a_correction_that_changed_nothing_does_not_say_that_it_did(office: Office) -> None:
    """Ben's row has no such entry; a correction by category fills nothing that is empty."""
    office.do("update customer set phone = '+44 1632 960009' where id = 1")
    for who in ("ann@example.org", "nobody@example.org"):
        case = office.answered("amend", who, changes={"user.contact.phone_number": "+44 1632 960009"})
        said = letter_of(office, case, "fulfilled_amend")
        assert "We have corrected" not in said
        assert "changed nothing" in said
        assert "reads already as you want it: - Phone number" in " ".join(said.split())
        assert (
            "found nothing that had to be done"
            in case_status.show(case, office.deployment, inside=False, now=office.now()).next
        )


def test_a_correction_names_what_it_changed_and_what_not(office: Office) -> None:
    office.do("update customer set phone = '+44 1632 960009' where id = 1")
    wanted = {"user.contact.phone_number": "+44 1632 960009", "user.name": "Anna"}
    said = letter_of(office, office.answered("amend", changes=wanted), "fulfilled_amend")
    changed, _, rest = said.partition("For this we found nothing to change")
    assert ("- Name" in changed, "- Phone number" in changed, "- Phone number" in rest) == (True, False, True)


@pytest.mark.parametrize("right", ["amend", "erase"])
def test_a_system_that_does_not_answer_for_a_right_is_named_as_not_searched(
    office: Office, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("example_mailer")
    module.hook = Hook(FileMemory(office.folder / "hook.sqlite"))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "example_mailer", module)
    asked = "asked: {answers: [view], by: [email]}"
    office.declare(systems=f"  mailer: {{title: The mailer, store: 'hook:example_mailer', {asked}}}\n")
    changes = {"user.name": "Ann"} if right == "amend" else {}
    for who, kind in (("nobody@example.org", f"fulfilled_{right}"), ("ann@example.org", "")):
        case = office.answered(right, who, changes=changes)
        said = letter_of(office, case, kind or office.letters(case)[-1])
        assert "These we did not search" in said
        assert "- The mailer" in said


def test_an_erasure_names_the_systems_whose_free_text_nobody_searched(office: Office) -> None:
    path = office.folder / "troth.yaml"
    text = path.read_text(encoding="utf-8").replace("name: user.name", "name: {category: user.name, free_text: true}")
    path.write_text(text, encoding="utf-8")
    office.do("delete from invoice where customer_id = 2")
    for who, kind in (("ben@example.org", "fulfilled_erase"), ("ann@example.org", "partly_fulfilled")):
        said = letter_of(office, office.answered("erase", who), kind)
        assert "may still mention you, in: - Shop" in " ".join(said.split())


def test_rows_of_others_are_not_told_to_the_person(office: Office) -> None:
    """A reference to her that is emptied in somebody else's row would tell her about them."""
    words = "null referred_by, in rows of others that referred to these"
    line = {"place": "shop.customer", "rows": 1, "what": "null", "words": words, "cite": "", "until": None}
    assert whole([line]) == []


def test_an_erasure_of_nothing_is_not_said_to_be_on_record(office: Office) -> None:
    case = office.answered("erase", "nobody@example.org")
    assert "ledger" not in letter_of(office, case, "fulfilled_erase")
    shown = case_status.show(case, office.deployment, inside=False, now=office.now())
    assert "What was done in our systems" not in [proof.text for proof in shown.proofs]


def test_a_request_taken_back_says_what_is_lifted(office: Office) -> None:
    office.declare(requests="{window: 14 days}")
    case = office.answered("erase", "ben@example.org")
    case_actions.withdraw(case.pk, office.deployment, who=lifecycle.SUBJECT, now=office.now())
    assert "we now undo that" in " ".join(letter_of(office, case, "withdrawn").split())


def test_the_page_counts_what_is_in_the_file_and_not_what_was_left_out(office: Office) -> None:
    """The purposes of the shop rest on a contract for orders alone: sign-ins are found, and not taken along."""
    path = office.folder / "troth.yaml"
    text = path.read_text(encoding="utf-8").replace("data: [user]}", "data: [user.contact, user.name]}")
    text = text.replace(
        "purposes:\n",
        "purposes:\n  guard: {title: To keep accounts safe, basis: legitimate_interests, "
        "interests: safety, use: essential.service.security, data: [user.device]}\n",
    )
    path.write_text(text.replace("  shop:\n", "  shop:\n    purposes: [orders, news, guard]\n"), encoding="utf-8")
    shown = {
        right: {
            one.table
            for one in case_status.show(
                office.answered(right), office.deployment, inside=False, now=office.now()
            ).details.done
        }
        for right in ("view", "port")
    }
    assert shown == {"view": {"Customer", "Invoice", "Login"}, "port": {"Customer", "Invoice"}}

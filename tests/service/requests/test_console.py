"""The console's pages of cases: who may open them, what they show, and what each act does and refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern
from selectolax.lexbor import LexborHTMLParser
from tests.service.requests.conftest import Office
from tests.service.team import StaffClient

from troth.ledger import Entry
from troth.service.access_rules import rule_of
from troth.service.cases import actions, lifecycle
from troth.service.cases.console import urls as case_urls
from troth.service.cases.console.actions import ACTIONS
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.handling import handlings
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseEvent, CaseKind, Channel, WaitReason
from troth.service.core.models import EntryRow
from troth.service.mail.models import LetterRow
from troth.service.requests.console import urls
from troth.service.requests.fulfilment import steps
from troth.service.requests.models import CaseStep
from troth.service.staff.approvals import OwnPlan
from troth.service.staff.console.lists import PAGE_ROWS
from troth.service.staff.models import AccessRow, Refusal
from troth.service.staff.rights import StaffRight, StaffRole, rights_of_role

pytestmark = pytest.mark.sampled

Staff = Callable[..., StaffClient]


def opened(office: Office, right: str = "erase", *, who: str = "", **more: Any) -> Case:
    """A verified request of Ann's; without *who* it names nobody, and waits for a handler."""
    named = (("email", who),) if who else ()
    content = CaseContent(address="ann@example.org", identifiers=named, message="about my account")
    intake = receive.Intake(
        CaseKind.REQUEST, content, Channel.STAFF, right=right, tier=1, who=lifecycle.Actor("staff"), **more
    )
    return receive.receive(intake, office.deployment, now=office.now())


def asked(office: Office, kind: CaseKind = CaseKind.QUESTION, message: str = "Why?", **more: Any) -> Case:
    content = CaseContent(address="ann@example.org", message=message)
    return receive.receive(receive.Intake(kind, content, Channel.CENTRE, **more), office.deployment, now=office.now())


def planned(office: Office) -> Case:
    """An erasure that waits for a second person."""
    office.declare(requests="{approve: [erase]}")
    return office.answered("erase")


@pytest.fixture
def ben(office: Office, staff_member: Staff) -> StaffClient:
    """A handler."""
    return staff_member(StaffRight.CASES_HANDLE)


@pytest.fixture
def chloe(office: Office, staff_member: Staff) -> StaffClient:
    """An approver."""
    return staff_member(StaffRight.CASES_APPROVE)


def page(client: Client, case: Case, **query: str) -> str:
    response = client.get(f"/console/cases/{case.reference}/", query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def do(client: Client, case: Case, what: str, **given: Any) -> Any:
    return client.post(f"/console/cases/{case.reference}/{what}", given)


def done(client: Client, case: Case, what: str, **given: Any) -> Case:
    """Do it, see that it was done, and look at the case anew."""
    response = do(client, case, what, **given)
    assert response.status_code == 302, response.content.decode()
    return Case.objects.get(pk=case.pk)


def entries(kind: str) -> list[Entry]:
    known = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    return [entry for entry in known if entry.kind == kind]


def every_action() -> set[str]:
    return {*ACTIONS, *(name for one in handlings() for name in one.actions)}


# --- who may open what -----------------------------------------------------------------------------------------------


def patterns() -> Iterator[tuple[str, Any]]:
    for pattern in (*case_urls.urlpatterns, *urls.urlpatterns):
        assert isinstance(pattern, URLPattern)
        yield str(pattern.pattern), pattern.callback


@pytest.mark.parametrize(
    "role", [None, StaffRole.HANDLER, StaffRole.APPROVER, StaffRole.OFFICER, StaffRole.AUDITOR, StaffRole.ADMINISTRATOR]
)
def test_each_page_opens_to_its_rights_and_to_nothing_else(
    role: StaffRole | None, office: Office, staff_member: Staff
) -> None:
    client = staff_member(roles=[role] if role else [])
    held = set(rights_of_role(role)) if role else set()
    case = opened(office)
    found, wanted = {}, {}
    for address, view in patterns():
        rule = rule_of(view)
        assert rule is not None
        assert rule.kind == "needs"
        url = "/console/" + address.replace("<str:reference>", case.reference).replace("<slug:what>", "nothing")
        url = url.replace("<int:pk>", "1").replace("<int:step>", "1").replace("<int:letter>", "1")
        found[url] = {client.get(url).status_code == 403, client.post(url).status_code == 403}
        wanted[url] = {not held & set(rule.rights)}
    if role is StaffRole.OFFICER:  # approves confidential cases alone, and this is none
        wanted[f"/console/cases/{case.reference}/approve"] = {False, True}
    assert found == wanted


def test_nobody_comes_in_without_signing_in(office: Office) -> None:
    case, visitor = opened(office), Client(headers={"host": "localhost"})
    for path in ("cases/", f"cases/{case.reference}/", "search/", "tasks/", "holds/", "disclosures/", "work/"):
        assert visitor.get(f"/console/{path}")["Location"] == f"/staff/sign-in?next=/console/{path}"


def test_every_change_wants_the_page_s_token(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    strict.cookies = ben.cookies
    for what in ("take", "note", "approve", "steps/1/give-up"):
        assert do(strict, case, what, text="x").status_code == 403
    case.refresh_from_db()
    assert case.handler is None


# --- the queue -------------------------------------------------------------------------------------------------------


def test_the_queue_shows_open_cases_and_what_each_needs(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    text = ben.get("/console/cases/").content.decode()
    assert case.reference in text
    assert "Choose the person" in text
    assert "1 open" in text
    assert "none late" in text
    assert "ann@example.org" not in text
    assert not AccessRow.objects.exists()


def test_the_queue_is_in_the_order_of_due_dates_and_tells_what_is_late(office: Office, ben: StaffClient) -> None:
    later = opened(office)
    late = opened(office, received_at=office.now() - dt.timedelta(days=60))
    text = ben.get("/console/cases/").content.decode()
    assert text.index(late.reference) < text.index(later.reference)
    assert "1 late" in text
    shown = ben.get("/console/cases/", {"only": "late"}).content.decode()
    assert late.reference in shown
    assert later.reference not in shown


def test_the_queue_is_filtered(office: Office, ben: StaffClient) -> None:
    mine, question = opened(office), asked(office)
    done(ben, mine, "take")
    refused = done(ben, opened(office), "refuse", reasons="twice", other="GDPR Art. 12(5)")

    def shown(**query: str) -> set[str]:
        text = ben.get("/console/cases/", query).content.decode()
        return {case.reference for case in (mine, question, refused) if f">{case.reference}<" in text}

    assert shown() == {mine.reference, question.reference}
    assert shown(only="mine") == {mine.reference}
    assert shown(what="question") == shown(needs="answer") == {question.reference}
    assert shown(what="erase") == shown(needs="review") == {mine.reference}
    assert shown(needs="somebody") == shown(needs="handler") == {mine.reference, question.reference}
    assert shown(only="closed") == {refused.reference}
    assert shown(only="today") == shown(only="late") == set()
    assert shown(only="unassigned") == {question.reference}
    assert shown(only="nonsense") == set(), "another filter than the one that was asked for"
    assert ben.get("/console/cases/", {"only": "nonsense"}).status_code == 400


@pytest.mark.parametrize("only", ["", "closed"])
def test_the_queue_goes_on_page_by_page(only: str, office: Office, ben: StaffClient) -> None:
    many = PAGE_ROWS * 2 + 5
    given = [receive.Intake(CaseKind.QUESTION, CaseContent(message="Why?"), Channel.CENTRE) for _ in range(many)]
    cases = receive.receive_all(given, office.deployment, now=office.now())
    if only:
        Case.objects.update(state="closed", outcome="fulfilled", needs="", closed_at=office.now())
    seen, path, pages = list[str](), f"/console/cases/?only={only}", 0
    while path:
        tree = LexborHTMLParser(ben.get(path).content.decode())
        seen += [link.text() for link in tree.css("tbody a.number")]
        following = tree.css_first("a[rel=next]")
        path, pages = (following.attributes["href"] or "") if following else "", pages + 1
    assert pages == 3
    assert sorted(seen) == sorted(case.reference for case in cases)


def test_a_case_is_found_by_its_reference(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    there = ben.get("/console/cases/find", {"reference": f" {case.reference.lower()} "})
    assert there["Location"] == f"/console/cases/{case.reference}/"
    assert ben.get("/console/cases/find", {"reference": "R-2026-9999"}).status_code == 404


# --- looking ---------------------------------------------------------------------------------------------------------


def test_a_look_at_a_case_is_on_record_before_the_page_leaves(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    assert "about my account" in page(ben, case)
    look = AccessRow.objects.get()
    assert (look.purpose, look.about, look.by) == ("troth_requests", case.about, ben.member.pseudonym)
    assert look.subject == case.subject


def test_without_the_record_nothing_is_shown(office: Office, ben: StaffClient, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(office, who="ann@example.org")

    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("troth.service.staff.access_log.record", broken)
    ben.raise_request_exception = False
    response = ben.get(f"/console/cases/{case.reference}/")
    assert response.status_code == 500
    assert b"ann@example.org" not in response.content


def test_an_agent_s_data_is_on_record_as_well(office: Office, ben: StaffClient) -> None:
    case = office.ask("erase", agent_name="Ben", agent_address="ben@example.org")
    assert "ben@example.org" in page(ben, case)
    assert AccessRow.objects.count() == 2


def test_a_declared_purpose_may_be_chosen_and_another_is_refused(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert "about my account" in page(ben, case, purpose="orders")
    assert AccessRow.objects.get().purpose == "orders"
    response = ben.get(f"/console/cases/{case.reference}/", {"purpose": "curiosity"})
    assert response.status_code == 403
    assert b"about my account" not in response.content
    assert Refusal.objects.get().why == "purpose"


def test_the_purpose_stays_when_something_is_done(office: Office, ben: StaffClient) -> None:
    response = do(ben, opened(office), "take", purpose="orders")
    assert response["Location"].endswith("?purpose=orders")


def test_a_page_without_content_says_that_it_has_ended(office: Office, ben: StaffClient) -> None:
    case = done(ben, opened(office), "refuse", reasons="twice", other="GDPR Art. 12(5)")
    with_key = Case.objects.select_related("key").get(pk=case.pk)
    with transaction.atomic():
        SealedContent(office.deployment.keyring).destroy([with_key], now=office.now())
    Case.objects.filter(pk=case.pk).update(content=None)
    assert "destroyed at the end of its period" in page(ben, case)


def test_what_people_write_is_shown_as_they_wrote_it(office: Office, ben: StaffClient) -> None:
    hostile = "<script>alert(1)</script>{{ 7|add:7 }}"
    case = asked(office, message=hostile)
    done(ben, case, "note", text=hostile)
    text = page(ben, case)
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}") == 2


def test_a_confidential_case_is_there_for_officers_alone(
    office: Office, ben: StaffClient, chloe: StaffClient, staff_member: Staff
) -> None:
    office.declare(requests="{approve: [erase]}")
    case = asked(office, CaseKind.COMPLAINT, "about my manager", is_confidential=True)
    officer = staff_member(roles=[StaffRole.OFFICER])
    for client in (ben, chloe):
        assert client.get(f"/console/cases/{case.reference}/").status_code == 404
        assert case.reference not in client.get("/console/cases/").content.decode()
        assert client.get("/console/cases/find", {"reference": case.reference}).status_code == 404
    assert do(ben, case, "take").status_code == 404
    assert do(chloe, case, "approve").status_code == 404
    assert case.reference in officer.get("/console/cases/").content.decode()
    assert "about my manager" in page(officer, case)


# --- acts ------------------------------------------------------------------------------------------------------------


def test_taking_a_case_makes_one_its_handler_and_is_on_record(office: Office, ben: StaffClient) -> None:
    case = done(ben, opened(office), "take")
    assert case.handler == ben.member.user
    assert entries("case.changed")[-1].fields["change"] == "assigned"
    assert "Take it" not in page(ben, case)


def test_the_person_is_asked_and_may_answer_another_way(office: Office, ben: StaffClient) -> None:
    case = done(ben, opened(office), "ask", question="Which account?")
    assert (case.state, office.letters(case)[-1]) == ("paused", "more_information")
    assert "Which account?" in page(ben, case)
    case = done(ben, case, "resume", text="the one of 2024")
    assert (case.state, office.letters(case)[-1]) == ("in_progress", "resumed")


def test_an_extension_says_its_reasons(office: Office, ben: StaffClient) -> None:
    before = opened(office)
    case = done(ben, before, "extend", reasons="The archive is on paper.")
    assert before.due_on is not None
    assert case.due_on is not None
    assert case.due_on > before.due_on
    assert "extended" in office.letters(case)
    assert do(ben, case, "extend", reasons="And again.").status_code == 409


def test_a_refusal_names_a_law(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    response = do(ben, case, "refuse", reasons="It is the fifth this week.")
    assert response.status_code == 400
    assert "legal ground" in response.content.decode()
    text = page(ben, case)
    assert "UK GDPR Art. 17" in text
    assert "manifestly unfounded or excessive" in text
    case = done(ben, case, "refuse", reasons="It is the fifth this week.", other="UK GDPR Art. 12(5)(b)")
    assert (case.outcome, office.letters(case)[-1]) == ("refused", "refused")
    assert do(ben, case, "refuse", reasons="Again.", other="UK GDPR Art. 12(5)(b)").status_code == 409


def test_a_question_is_answered(office: Office, ben: StaffClient) -> None:
    case = done(ben, asked(office), "answer", text="Because the law wants it.")
    assert (case.outcome, office.letters(case)[-1]) == ("fulfilled", "question_answered")
    assert "Because the law wants it." in page(ben, case)


def test_a_complaint_is_answered_with_its_remedy(office: Office, ben: StaffClient) -> None:
    case = asked(office, CaseKind.COMPLAINT)
    assert "Remedy" in page(ben, case)
    case = done(ben, case, "answer", text="You were right.", remedy="We have changed it.")
    assert office.letters(case)[-1] == "complaint_outcome"


def test_what_no_letter_may_hold_is_refused_and_nothing_changes(office: Office, ben: StaffClient) -> None:
    case = asked(office)
    response = do(ben, case, "answer", text="evil \u202e words")
    assert response.status_code == 409
    case.refresh_from_db()
    assert case.state == "in_progress"


def test_rows_are_chosen_from_those_in_question_or_typed(office: Office, ben: StaffClient) -> None:
    office.do("insert into customer values (4, 'x@example.org', 'X', '+44 1632 960001', 'X', null, 'yes')")
    identifiers = (("phone", "+44 1632 960001"),)
    content = CaseContent(address="ann@example.org", identifiers=identifiers)
    intake = receive.Intake(
        CaseKind.REQUEST, content, Channel.STAFF, right="erase", tier=1, who=lifecycle.Actor("staff")
    )
    case = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    text = page(ben, case)
    assert "To check" in text
    assert 'value="shop.customer=1"' in text
    assert do(ben, case, "rows").status_code == 400
    assert do(ben, case, "rows", rows="shop.customer=999").status_code == 400
    assert do(ben, case, "rows", other="no such thing").status_code == 409
    case = done(ben, case, "rows", rows="shop.customer=1")
    assert (case.needs, case.reviewed) == ("", True)
    office.work()
    assert office.rows("select id from customer where id in (1, 4)") == [(4,)]
    assert "Receipts" in page(ben, case)


def test_typed_rows_are_taken(office: Office, ben: StaffClient) -> None:
    case = done(ben, opened(office), "rows", other="shop.customer=1\n\n shop.customer=1 ")
    assert SealedContent(office.deployment.keyring).content(case).rows == ("shop.customer=1",)


@pytest.mark.parametrize(("what", "said"), [("ask", {"question": "Which account?"}), ("plan", {})])
def test_what_is_not_offered_is_not_done(office: Office, ben: StaffClient, what: str, said: dict[str, str]) -> None:
    case = opened(office, who="ann@example.org")
    Case.objects.filter(pk=case.pk).update(needs=WaitReason.SYSTEMS)
    response = do(ben, case, what, **said)
    assert (response.status_code, "state of the case has changed" in response.content.decode()) == (409, True)
    case.refresh_from_db()
    assert (case.state, case.plan) == ("in_progress", None)


def test_a_case_that_was_looked_at_is_tried_again(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    Case.objects.filter(pk=case.pk).update(needs=WaitReason.REVIEW)
    assert done(ben, case, "again").needs == ""
    assert do(ben, case, "again").status_code == 409


def test_a_note_is_for_staff(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    done(ben, case, "note", text="called, nobody there")
    assert "called, nobody there" in page(ben, case)
    event = CaseEvent.objects.get(what="note")
    assert event.is_internal
    assert b"called" not in bytes(event.note or b"")


def test_a_case_is_left_to_the_officer_and_given_back(office: Office, ben: StaffClient, staff_member: Staff) -> None:
    officer = staff_member(StaffRight.CASES_HANDLE, StaffRight.OFFICER)
    case = opened(office)
    do(ben, case, "take")
    assert do(ben, case, "share").status_code == 404
    assert do(ben, case, "confide").headers["location"] == "/console/cases/"
    case.refresh_from_db()
    assert (case.is_confidential, case.handler) == (True, None)
    assert do(ben, case, "take").status_code == 404
    case = done(officer, case, "share")
    assert not case.is_confidential
    assert list(case.events.filter(is_internal=True).values_list("what", flat=True)) == ["confided", "shared"]
    done(ben, case, "take")


def test_a_person_takes_it_back_by_telephone(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert do(ben, case, "withdraw").status_code == 400
    case = done(ben, case, "withdraw", text="rang at ten")
    assert (case.outcome, office.letters(case)[-1]) == ("withdrawn", "withdrawn")


def test_what_is_refused_leaves_no_note_behind(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    Case.objects.filter(pk=case.pk).update(needs=WaitReason.SYSTEMS)
    assert do(ben, case, "withdraw", text="rang at ten").status_code == 409
    assert not CaseEvent.objects.filter(what="note").exists()


def test_a_restriction_is_lifted_after_the_person_is_told(office: Office, ben: StaffClient) -> None:
    case = office.answered("restrict")
    assert "Lift the restriction" in page(ben, case)
    done(ben, case, "lift", reasons="The address was confirmed.")
    assert "restriction_lifted" in office.letters(case)
    assert do(ben, opened(office), "lift", reasons="x").status_code == 409


def test_looking_shows_places_counts_and_grounds(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    done(ben, case, "plan")
    text = page(ben, case)
    assert "<code>shop.invoice</code>" in text
    assert "tax law wants invoices" in text
    assert office.rows("select count(*) from customer") == [(3,)]


def test_a_system_that_is_down_is_said_and_not_a_crash(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    (office.folder / "shop.sqlite").write_bytes(b"not a database at all, not even a little bit of one")
    assert do(ben, case, "plan").status_code == 409


def test_an_amendment_shows_values_before_and_after_to_whoever_asks(office: Office, ben: StaffClient) -> None:
    case = office.ask("amend", changes={"user.name": "Anna"}, tier=1)
    assert "<del>" not in page(ben, case)
    text = page(ben, case, values="1")
    assert "<code>shop.customer.name</code>" in text
    assert "<del>Ann</del>" in text
    assert "<ins>Anna</ins>" in text
    assert do(ben, case, "plan")["Location"].endswith("?values=1")


def test_an_act_that_nobody_knows_is_no_page(office: Office, ben: StaffClient) -> None:
    assert do(ben, opened(office), "destroy").status_code == 404
    assert ben.post("/console/cases/R-1999-0001/take").status_code == 404


def test_acts_are_offered_where_they_can_be_done(office: Office, ben: StaffClient) -> None:
    case = opened(office)

    def offered() -> set[str]:
        text = page(ben, case)
        return {name for name in every_action() if f'/{case.reference}/{name}"' in text}

    assert offered() == {"rows", "take", "plan", "ask", "extend", "refuse", "withdraw", "note", "confide"}
    case = done(ben, case, "ask", question="Which?")
    assert offered() == {"resume", "take", "extend", "refuse", "withdraw", "note", "confide"}
    case = done(ben, case, "refuse", reasons="x", other="GDPR Art. 12(5)")
    assert offered() == {"note", "confide"}


def test_an_approver_who_is_no_handler_changes_nothing_else(office: Office, chloe: StaffClient) -> None:
    case = opened(office)
    assert "You can read this case" in page(chloe, case)
    assert {do(chloe, case, what, text="x").status_code for what in every_action()} == {403}


# --- four eyes -------------------------------------------------------------------------------------------------------


def test_a_second_person_approves_exactly_the_plan(office: Office, ben: StaffClient, chloe: StaffClient) -> None:
    case = planned(office)
    done(ben, case, "take")
    assert "Approve exactly this plan" not in page(ben, case)
    assert f'name="plan" value="{case.plan_hash}"' in page(chloe, case)
    assert do(ben, case, "approve", plan=case.plan_hash).status_code == 403
    assert do(chloe, case, "approve", plan="dg1:" + "0" * 64).status_code == 409
    assert do(chloe, case, "approve").status_code == 409
    assert done(chloe, case, "approve", plan=case.plan_hash).needs == ""
    assert entries("plan.approved")[-1].fields["actor"] == "staff"
    office.work()
    case.refresh_from_db()
    assert case.state == "closed"


def test_nobody_approves_a_case_of_their_own(office: Office, staff_member: Staff) -> None:
    both = staff_member(StaffRight.CASES_HANDLE, StaffRight.CASES_APPROVE)
    case = planned(office)
    done(both, case, "take")
    assert do(both, case, "approve", plan=case.plan_hash).status_code == 403
    assert do(staff_member(StaffRight.CASES_APPROVE), case, "approve", plan=case.plan_hash).status_code == 302


def test_who_chose_the_rows_does_not_approve_them(office: Office, staff_member: Staff) -> None:
    office.declare(requests="{approve: [erase]}")
    both = staff_member(StaffRight.CASES_HANDLE, StaffRight.CASES_APPROVE)
    case = done(both, opened(office), "rows", other="shop.customer=1")
    office.work()
    case.refresh_from_db()
    assert case.needs == WaitReason.APPROVAL
    assert "Approve exactly this plan" not in page(both, case)
    response = do(both, case, "approve", plan=case.plan_hash)
    assert response.status_code == 403
    assert "Somebody else has to approve" in response.content.decode()


def test_who_had_any_part_in_a_case_does_not_approve_its_plan(office: Office, staff_member: Staff) -> None:
    office.declare(requests="{approve: [erase]}")
    both, other = (staff_member(StaffRight.CASES_HANDLE, StaffRight.CASES_APPROVE) for _ in range(2))
    said = {"about": "erase", "arrived_on": f"{office.now():%Y-%m-%d}", "language": "en", "tier": "4", "proof": "seen"}
    both.post("/console/cases/new/", said | {"address": "ann@example.org", "email": "ann@example.org"})
    office.work()
    case = Case.objects.get()
    assert (case.needs, case.handler) == (WaitReason.APPROVAL, None)
    assert do(both, case, "approve", plan=case.plan_hash).status_code == 403
    with pytest.raises(OwnPlan, match="somebody else"):
        actions.approve(case.pk, case.plan_hash, both.member, office.deployment, now=office.now())
    done(other, case, "note", text="I have looked at it.")
    assert do(other, case, "approve", plan=case.plan_hash).status_code == 403
    assert do(staff_member(StaffRight.CASES_APPROVE), case, "approve", plan=case.plan_hash).status_code == 302


def test_a_confidential_plan_is_approved_by_another_officer(office: Office, staff_member: Staff) -> None:
    case = planned(office)
    Case.objects.filter(pk=case.pk).update(is_confidential=True)
    officer, deputy = staff_member(roles=[StaffRole.OFFICER]), staff_member(roles=[StaffRole.DEPUTY])
    done(officer, case, "take")
    assert do(officer, case, "approve", plan=case.plan_hash).status_code == 403
    assert do(staff_member(StaffRight.CASES_APPROVE), case, "approve", plan=case.plan_hash).status_code == 404
    assert do(deputy, case, "approve", plan=case.plan_hash).status_code == 302


def test_an_officer_is_no_approver_of_other_cases(office: Office, staff_member: Staff) -> None:
    case = planned(office)
    assert do(staff_member(roles=[StaffRole.OFFICER]), case, "approve", plan=case.plan_hash).status_code == 403


# --- systems and letters ---------------------------------------------------------------------------------------------


def waiting(office: Office) -> tuple[Case, CaseStep]:
    """An erasure that waits for a system which never answers."""
    case = opened(office, who="ann@example.org")
    office.work()
    Case.objects.filter(pk=case.pk).update(state="in_progress", outcome="", closed_at=None, needs=WaitReason.SYSTEMS)
    case.refresh_from_db()
    LetterRow.objects.filter(about=case.about).delete()
    return case, CaseStep.objects.create(case=case, system="desk", way="http", why="unreachable")


def test_a_system_that_never_answers_is_given_up_on_and_the_letter_says_so(office: Office, ben: StaffClient) -> None:
    case, step = waiting(office)
    assert "cannot be reached" in page(ben, case)
    assert do(ben, opened(office), f"steps/{step.pk}/give-up").status_code == 404
    done(ben, case, f"steps/{step.pk}/give-up")
    step.refresh_from_db()
    assert (step.state, step.why) == ("failed", "no_answer")
    assert steps.settle_case(case.pk) == 1
    case.refresh_from_db()
    assert case.outcome == "partly_fulfilled"
    assert "went on without it" in page(ben, case)


def test_the_queue_tells_how_many_systems_have_answered(office: Office, ben: StaffClient) -> None:
    case, _ = waiting(office)
    CaseStep.objects.create(case=case, system="other", way="http", state="done")
    assert "in progress · 1/2" in ben.get("/console/cases/").content.decode()


def test_a_letter_that_failed_is_sent_again(office: Office, ben: StaffClient) -> None:
    case = done(ben, opened(office), "ask", question="Which?")
    letter = LetterRow.objects.get(about=case.about, kind="more_information")
    assert do(ben, case, f"letters/{letter.pk}/again").status_code == 409
    LetterRow.objects.filter(pk=letter.pk).update(state="failed", ended_at=office.now(), reason="mailbox full")
    assert "mailbox full" in page(ben, case)
    assert do(ben, opened(office), f"letters/{letter.pk}/again").status_code == 404
    done(ben, case, f"letters/{letter.pk}/again")
    letter.refresh_from_db()
    assert letter.state == "queued"

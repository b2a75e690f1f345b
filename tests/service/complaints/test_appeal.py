"""Whoever was refused has somebody else look again: a case of its own, with its own clock and another decider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from tests.service.requests.conftest import Office
from tests.service.requests.test_mailbox import arrived, letter
from tests.service.team import StaffClient

from troth.service.cases import actions, case_links, lifecycle
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.lifecycle import Actor, CaseRefused
from troth.service.cases.models import Case, Channel, WaitReason
from troth.service.complaints import actions as appeals
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.staff.rights import StaffRight

pytestmark = pytest.mark.sampled

BEN, CHLOE = Actor("staff", "ps1:" + "b" * 32), Actor("staff", "ps1:" + "c" * 32)


def refused(office: Office, *, who: Actor = BEN) -> Case:
    case = office.ask("erase")
    office.prove(case)
    actions.refuse(
        case.pk, "We need it for a claim.", "GDPR Art. 17(3)(e)", office.deployment, who=who, now=office.now()
    )
    return Case.objects.get(pk=case.pk)


def appealed(office: Office, case: Case) -> Case:
    return appeals.open_appeal(
        case.pk, "The claim is over.", office.deployment, channel=Channel.CENTRE, is_proved=True, now=office.now()
    )


def visitor(office: Office, case: Case) -> Client:
    client = Client(headers={"host": "localhost"})
    client.post(f"/your-data/link/{case_links.make(case, STATUS_LINK, now=office.now())}")
    return client


def test_from_the_page_of_a_refusal_to_what_was_asked_for(
    office: Office, staff_member: Callable[..., StaffClient]
) -> None:
    first, second = staff_member(StaffRight.CASES_HANDLE), staff_member(StaffRight.CASES_HANDLE)
    case = office.ask("erase")
    office.prove(case)
    reasons = {"reasons": "We need it for a claim.", "other": "GDPR Art. 17(3)(e)"}
    first.post(f"/console/cases/{case.reference}/refuse", reasons)
    assert Case.objects.get(pk=case.pk).outcome == "refused"
    ann = visitor(office, case)
    assert "/your-data/case/appeal" in ann.get("/your-data/case/").content.decode()
    assert ann.post("/your-data/case/appeal", {"answer": ""}).status_code == 422
    assert ann.post("/your-data/case/appeal", {"answer": "The claim is over."}).status_code == 302
    opened = Case.objects.get(right="appeal")
    assert (opened.answers_case, opened.needs, opened.subject) == (case, "answer", case.subject)
    assert opened.reference in ann.get("/your-data/case/").content.decode()
    said = {"text": "You are right.", "granted": "on"}
    assert first.post(f"/console/cases/{opened.reference}/answer", said).status_code == 409
    assert second.post(f"/console/cases/{opened.reference}/answer", said).status_code == 302
    assert LetterRow.objects.filter(kind="appeal_answered", about=opened.about).count() == 1
    office.work()
    assert office.rows("select count(*) from customer where id = 1") == [(0,)]


def test_an_appeal_has_a_clock_of_its_own(office: Office) -> None:
    case = refused(office)
    later = office.now() + dt.timedelta(days=60)
    opened = appeals.open_appeal(
        case.pk, "The claim is over.", office.deployment, channel=Channel.CENTRE, is_proved=True, now=later
    )
    assert opened.due_on is not None
    assert opened.due_on > later.date() + dt.timedelta(days=27)


def test_one_that_is_denied_says_why_and_leaves_things_as_they_are(office: Office) -> None:
    opened = appealed(office, refused(office, who=BEN))
    with pytest.raises(CaseRefused, match="somebody else has to decide"):
        appeals.decide(opened.pk, "No.", office.deployment, granted=True, who=BEN, now=office.now())
    with pytest.raises(CaseRefused, match="somebody else has to decide"):
        actions.refuse(opened.pk, "No.", "GDPR Art. 17(3)(e)", office.deployment, who=BEN, now=office.now())
    appeals.decide(opened.pk, "It is still open.", office.deployment, granted=False, who=CHLOE, now=office.now())
    assert (Case.objects.get(pk=opened.pk).outcome, Case.objects.count()) == ("refused", 2)


def test_nobody_appeals_twice_or_against_what_was_done(office: Office) -> None:
    done, once = office.answered("view", "ben@example.org"), refused(office)
    appealed(office, once)
    for case in (done, once):
        with pytest.raises(CaseRefused):
            appealed(office, case)
        assert visitor(office, case).get("/your-data/case/appeal").status_code == 302


def test_an_answer_to_a_refusal_by_mail_appeals_once_its_sender_is_proved(office: Office) -> None:
    case = refused(office)
    sent = LetterRow.objects.get(kind="refused", about=case.about)
    stranger = arrived(office, letter("It is over.", sender="ben@example.org", In_Reply_To=sent.message_id))
    assert stranger is not None
    assert stranger.right != "appeal"
    opened = arrived(office, letter("The claim is over.", In_Reply_To=sent.message_id))
    assert opened is not None
    assert (opened.right, opened.answers_case, opened.state) == ("appeal", case, "verifying")
    assert office.letters(opened) == ["link"], "a sender's address is easily forged"
    office.prove(opened)
    assert Case.objects.get(pk=opened.pk).needs == "answer"


def test_an_answer_to_a_partial_answer_by_mail_appeals_as_well(office: Office) -> None:
    case = office.answered("erase")
    assert case.outcome == "partly_fulfilled"
    sent = LetterRow.objects.get(kind="partly_fulfilled", about=case.about)
    opened = arrived(office, letter("My invoices, too.", In_Reply_To=sent.message_id))
    assert opened is not None
    assert (opened.right, opened.answers_case) == ("appeal", case)


def test_a_paused_appeal_waits_for_its_answer_again(office: Office) -> None:
    opened = appealed(office, refused(office))
    actions.pause(opened.pk, "Which claim?", office.deployment, who=CHLOE, now=office.now())
    resumed = actions.resume(opened.pk, "The one of May.", office.deployment, who=lifecycle.SUBJECT, now=office.now())
    assert resumed.needs == WaitReason.ANSWER
    appeals.decide(opened.pk, "It is still open.", office.deployment, granted=False, who=CHLOE, now=office.now())


@pytest.mark.parametrize(("country", "turns"), [("GB", False), ("US", True)])
def test_a_refusal_says_how_to_appeal(office: Office, country: str, turns: bool) -> None:
    path = office.folder / "troth.yaml"
    path.write_text(path.read_text().replace("country: GB", f"country: {country}").replace("regulator: ICO,", ""))
    from troth.service.cases.messages import redress

    said = redress(refused(office), office.deployment, is_less=True)["appeal"]
    assert "You may also appeal" in said
    assert ("attorney general" in said) is turns


def test_who_had_any_part_in_the_answer_does_not_decide_on_it(office: Office) -> None:
    case = office.ask("erase")
    office.prove(case)
    lifecycle.note(Case.objects.get(pk=case.pk), "Ann called.", office.deployment, who=CHLOE, now=office.now())
    actions.refuse(case.pk, "We need it.", "GDPR Art. 17(3)(e)", office.deployment, who=BEN, now=office.now())
    opened = appealed(office, Case.objects.get(pk=case.pk))
    with pytest.raises(CaseRefused, match="somebody else has to decide"):
        appeals.decide(opened.pk, "No.", office.deployment, granted=False, who=CHLOE, now=office.now())


def test_an_appeal_is_acknowledged_as_one(office: Office) -> None:
    opened = appealed(office, refused(office))
    row = LetterRow.objects.get(about=opened.about, kind="acknowledged")
    sent = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)).decode()
    assert "Next, a person decides" in sent
    assert "we look in our systems" not in sent
    assert "Colo. Rev. Stat." not in sent, "a law of another country that we keep to of our own accord"

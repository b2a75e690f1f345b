"""The life of a case: what a handler may do with it and when, and what time does to it."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.service.requests.conftest import Office

from troth.service.cases import actions as case_actions
from troth.service.cases import case_links, lifecycle
from troth.service.cases.content import CaseContent, ContentGone, SealedContent
from troth.service.cases.deadlines import watch
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.intake import receive
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import Actor, CaseRefused
from troth.service.cases.models import Case, CaseKind, CaseOutcome, CaseState, Channel, WaitReason
from troth.service.cases.pages import case_status
from troth.service.complaints import actions
from troth.service.core.models import Subject
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.portal import links
from troth.service.portal.models import MailedLink
from troth.service.requests.models import Package

pytestmark = pytest.mark.sampled

BEN = Actor("staff")


def opened(office: Office, right: str = "erase", *, at: dt.datetime | None = None) -> Case:
    """A verified request that waits for a handler: nobody is named by it."""
    content = CaseContent(address="ann@example.org", message="about my account")
    intake = Intake(CaseKind.REQUEST, content, Channel.STAFF, right=right, tier=1, received_at=at)
    return receive.receive(intake, office.deployment, now=office.now())


def question(office: Office) -> Case:
    content = CaseContent(address="ann@example.org", message="What do you mean by “partners”?")
    return receive.receive(Intake(CaseKind.QUESTION, content, Channel.CENTRE), office.deployment, now=office.now())


def test_the_clock_starts_when_the_request_arrived(office: Office) -> None:
    arrived = office.now() - dt.timedelta(days=5)
    case = opened(office, at=arrived)
    assert case.received_at == arrived


def test_no_request_arrives_in_the_future(office: Office) -> None:
    case = opened(office, at=office.now() + dt.timedelta(days=5))
    assert case.received_at <= office.now()


def test_a_request_that_names_nobody_waits_for_a_handler(office: Office) -> None:
    assert (opened(office).state, opened(office).needs) == (CaseState.IN_PROGRESS, WaitReason.REVIEW)


def test_a_pause_asks_the_person_and_the_answer_ends_it(office: Office) -> None:
    case = case_actions.pause(opened(office).pk, "Which account?", office.deployment, who=BEN, now=office.now())
    assert (case.state, office.letters(case)[-1]) == (CaseState.PAUSED, "more_information")
    case = case_actions.resume(case.pk, "the one of 2024", office.deployment, who=lifecycle.SUBJECT, now=office.now())
    assert (case.state, office.letters(case)[-1]) == (CaseState.IN_PROGRESS, "resumed")
    assert "the one of 2024" in SealedContent(office.deployment.keyring).content(case).message


def test_a_case_is_not_paused_twice(office: Office) -> None:
    case = case_actions.pause(opened(office).pk, "Which account?", office.deployment, who=BEN, now=office.now())
    with pytest.raises(CaseRefused):
        case_actions.pause(case.pk, "And which year?", office.deployment, who=BEN, now=office.now())


def test_an_extension_gives_two_months_more_and_says_why(office: Office) -> None:
    case = opened(office)
    before = case.due_on
    case = case_actions.extend(case.pk, "The archive is on paper.", office.deployment, who=BEN, now=office.now())
    assert before is not None
    assert case.due_on is not None
    assert case.due_on > before + dt.timedelta(days=10)
    assert office.letters(case)[-1] == "extended"


def test_an_extension_is_announced_before_the_deadline_and_once(office: Office) -> None:
    case = opened(office)
    with pytest.raises(CaseRefused, match="was due"):
        case_actions.extend(case.pk, "late", office.deployment, who=BEN, now=office.now() + dt.timedelta(days=60))
    case_actions.extend(case.pk, "The archive is on paper.", office.deployment, who=BEN, now=office.now())
    with pytest.raises(CaseRefused, match="already"):
        case_actions.extend(case.pk, "again", office.deployment, who=BEN, now=office.now())


@pytest.mark.parametrize(("reasons", "cite"), [("", "GDPR Art. 12(5)"), ("It is excessive.", " ")])
def test_a_refusal_without_reasons_or_law_is_no_refusal(office: Office, reasons: str, cite: str) -> None:
    case = opened(office)
    with pytest.raises(CaseRefused):
        case_actions.refuse(case.pk, reasons, cite, office.deployment, who=BEN, now=office.now())
    case.refresh_from_db()
    assert case.state == CaseState.IN_PROGRESS


def test_a_refusal_closes_the_case_with_a_letter(office: Office) -> None:
    case = opened(office)
    case = case_actions.refuse(
        case.pk, "It is excessive.", "GDPR Art. 12(5)", office.deployment, who=BEN, now=office.now()
    )
    assert (case.state, case.outcome, office.letters(case)[-1]) == (CaseState.CLOSED, CaseOutcome.REFUSED, "refused")


def test_a_closed_case_stays_closed(office: Office) -> None:
    case = case_actions.withdraw(opened(office).pk, office.deployment, who=lifecycle.SUBJECT, now=office.now())
    with pytest.raises(CaseRefused):
        case_actions.withdraw(case.pk, office.deployment, who=lifecycle.SUBJECT, now=office.now())
    with pytest.raises(CaseRefused):
        case_actions.extend(case.pk, "more", office.deployment, who=BEN, now=office.now())
    with pytest.raises(CaseRefused):
        case_actions.refuse(case.pk, "no", "Art. 1", office.deployment, who=BEN, now=office.now())


def test_a_question_is_answered_in_words(office: Office) -> None:
    case = question(office)
    assert (case.needs, office.letters(case)) == (WaitReason.ANSWER, ["question_acknowledged"])
    case = actions.answer(case.pk, "The carriers who deliver.", office.deployment, who=BEN, now=office.now())
    assert (case.outcome, office.letters(case)[-1]) == (CaseOutcome.FULFILLED, "question_answered")


@pytest.mark.parametrize("message", ["What do you\u202e mean?\x07", "\u202e \x07"])
def test_a_question_is_answered_whatever_is_in_it(office: Office, message: str) -> None:
    content = CaseContent(address="ann@example.org", message=message)
    case = receive.receive(Intake(CaseKind.QUESTION, content, Channel.MAIL), office.deployment, now=office.now())
    case = actions.answer(case.pk, "The carriers who deliver.", office.deployment, who=BEN, now=office.now())
    assert office.letters(case)[-1] == "question_answered"


def test_a_complaint_is_acknowledged_at_once(office: Office) -> None:
    content = CaseContent(address="ann@example.org", message="You wrote to me again.")
    case = receive.receive(Intake(CaseKind.COMPLAINT, content, Channel.CENTRE), office.deployment, now=office.now())
    assert office.letters(case) == ["complaint_acknowledged"]
    case = actions.answer(case.pk, "You are right.", office.deployment, who=BEN, now=office.now(), remedy="We stopped.")
    assert office.letters(case)[-1] == "complaint_outcome"


# --- links -----------------------------------------------------------------------------------------------------------


def test_fetching_a_link_changes_nothing_and_pressing_its_button_opens_a_window(office: Office) -> None:
    case = office.ask("view")
    secret = case_links.make(case, PROVE_LINK, now=office.now())
    for _ in range(100):
        links.find(secret, now=office.now())
    assert links.find(secret, now=office.now()).used_at is None
    used = links.use(secret, now=office.now())
    assert used.open_until is not None
    assert links.use(secret, now=office.now()).open_until == used.open_until, "within the window it opens again"
    with pytest.raises(links.LinkDead):
        links.find(secret, now=used.open_until)


@pytest.mark.parametrize("secret", ["", "x" * 43, "../../etc/passwd", "%00", "é" * 43])
def test_what_is_no_link_is_dead(office: Office, secret: str) -> None:
    with pytest.raises(links.LinkDead):
        links.use(secret, now=office.now())


def test_a_link_ends_after_a_day(office: Office) -> None:
    secret = case_links.make(office.ask("view"), PROVE_LINK, now=office.now())
    with pytest.raises(links.LinkDead):
        links.use(secret, now=office.now() + dt.timedelta(hours=24))


def test_the_links_of_a_case_go_with_it(office: Office) -> None:
    case, second, third = office.answered("view"), office.ask("erase"), office.ask("port", "ben@example.org")
    kinds = set(MailedLink.objects.filter(matter=case.pk).values_list("kind", flat=True))
    assert kinds == {"requests.prove", "requests.status", "requests.package"}
    Case.objects.filter(pk__in=[case.pk, second.pk]).delete()
    assert set(MailedLink.objects.values_list("matter", flat=True)) == {third.pk}
    third.delete()
    assert not MailedLink.objects.exists()


def test_proving_twice_is_harmless(office: Office) -> None:
    case = office.ask("view")
    first, second = office.prove(case), office.prove(case)
    assert first.verified_at == second.verified_at
    assert office.letters(case).count("acknowledged") == 1


# --- time ------------------------------------------------------------------------------------------------------------


def test_reminders_come_before_the_deadline_and_once_for_each_level(office: Office) -> None:
    case = opened(office)
    assert case.due_on is not None
    noon = dt.time(12, tzinfo=dt.UTC)
    for days in (7, 6, 3, 1, 1, -1, -2):
        watch(dt.datetime.combine(case.due_on - dt.timedelta(days=days), noon))
    told = [kind for kind in office.letters(case) if kind.startswith("staff_")]
    assert told == ["staff_due_soon", "staff_due_soon", "staff_escalation", "staff_escalation"]


def test_letters_to_staff_are_in_the_language_of_the_policy(office: Office) -> None:
    """Ann is written to in her language, and staff in theirs, whoever asked."""
    content = CaseContent(address="ann@example.org", identifiers=(("email", "ann@example.org"),))
    intake = receive.Intake(CaseKind.REQUEST, content, Channel.CENTRE, right="view", language="fr")
    case = office.prove(receive.receive(intake, office.deployment, now=office.now()))
    assert case.due_on is not None
    watch(dt.datetime.combine(case.due_on, dt.time(12, tzinfo=dt.UTC)))
    languages = dict(LetterRow.objects.filter(about=case.about).values_list("kind", "language"))
    assert languages == {"link": "fr", "acknowledged": "fr", "staff_escalation": "en"}


def test_a_question_of_ours_is_repeated_once(office: Office) -> None:
    case = case_actions.pause(opened(office).pk, "Which account?", office.deployment, who=BEN, now=office.now())
    for days in (3, 8, 9):
        watch(office.now() + dt.timedelta(days=days))
    assert office.letters(case).count("reminder_to_person") == 1


def test_a_request_that_nobody_confirms_ends_without_a_letter(office: Office) -> None:
    case = office.ask("erase")
    watch(office.now() + dt.timedelta(days=31))
    case.refresh_from_db()
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.REFUSED)
    assert office.letters(case)[:1] == ["link"]
    assert "refused" not in office.letters(case)
    assert office.rows("select count(*) from customer") == [(3,)]
    seen = case_status.show(case, office.deployment, inside=False, now=office.now())
    assert "Nobody confirmed it within thirty days" in seen.next
    assert "We closed it, because nobody confirmed it" in [one.text for one in seen.happened]


def test_nothing_of_a_package_is_left_after_its_days(office: Office) -> None:
    case = office.answered("view")
    key = Package.objects.get(case=case).key
    assert key is not None
    watch(office.now() + dt.timedelta(days=6))
    assert Package.objects.filter(case=case).exists()
    watch(office.now() + dt.timedelta(days=8))
    assert not Package.objects.filter(case=case).exists()
    assert Subject.objects.get(pk=key.pk).wrapped_key is None


def test_what_was_written_ends_with_its_period(office: Office) -> None:
    case = office.answered("view")
    watch(office.now() + dt.timedelta(days=3 * 366))
    case.refresh_from_db()
    with pytest.raises(ContentGone):
        SealedContent(office.deployment.keyring).content(case)
    assert case.outcome == CaseOutcome.FULFILLED


def test_nothing_personal_stands_in_clear(office: Office) -> None:
    case = office.ask("amend", changes={"user.name": "Anna of example.org"}, message="Please hurry")
    office.prove(case)
    office.work()
    case.refresh_from_db()
    shown = repr([case.__dict__, [event.__dict__ for event in case.events.all()], list(LetterRow.objects.values())])
    for value in ("ann@example.org", "Anna of", "Please hurry"):
        assert value not in shown


def test_a_question_is_acknowledged_as_a_question(office: Office) -> None:
    case = question(office)
    row = LetterRow.objects.get(about=case.about, kind="question_acknowledged")
    said = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)).decode()
    assert "Your question has come in" in said
    assert "No law sets that day: it is our own promise." in said
    assert "We will answer by:" in said
    assert "/your-data/link/" in said
    assert "look in our systems" not in said

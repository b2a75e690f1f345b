"""E-mails that were owed and came back: a task in their case, until the person was reached in another way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone
from tests.service.mailing import Sink, send_due
from tests.service.newsletters.test_coming_back import bounce
from tests.service.requests.conftest import Office
from tests.service.team import StaffClient

from troth.service.cases.models import Case
from troth.service.mail.actions import settle
from troth.service.mail.bounces.actions import take
from troth.service.mail.controls import letters, letters_sent
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import REACHED, LetterRow
from troth.service.mail.smtp import Smtp
from troth.service.staff.rights import StaffRight

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sent(office: Office) -> tuple[Case, LetterRow]:
    """A case whose acknowledgement has left."""
    case = office.ask("object")
    letter = LetterRow.objects.filter(about=case.about, kind="acknowledged").get()
    LetterRow.objects.filter(pk=letter.pk).update(state="sent", sealed=None, ended_at=office.now())
    letter.refresh_from_db()
    return case, letter


def arrives(office: Office, raw: bytes) -> bool:
    return take(MailboxMessage(raw, office.now(), lambda: None), office.deployment, office.now())


def returned(letter: LetterRow, kind: str = "gone", about: str = "nobody@example.net") -> bytes:
    return bounce(kind, sent_to="privacy@example.org", about=about, message_id=letter.message_id)


def tasks(case: Case) -> list[str]:
    return [event.facts["why"] for event in case.events.filter(what="mail_returned")]


@pytest.mark.parametrize(("kind", "code"), [("gone", "5.1.1"), ("ours", "5.7.1")])
def test_an_owed_email_that_came_back_is_a_task_in_its_case(office: Office, kind: str, code: str) -> None:
    case, letter = sent(office)
    for _ in range(2):
        assert arrives(office, returned(letter, kind))
    letter.refresh_from_db()
    assert (letter.state, letter.reason) == ("failed", f"came back {code}")
    assert tasks(case) == [f"came back {code}"]
    assert office.letters(case).count("staff_alert") == 1
    assert letters_sent(letters(None, office.now()), office.now()).outcome == "fail"


@pytest.mark.parametrize("kind", ["unsure", "later"])
def test_one_that_may_have_come_back_is_a_task_and_counts_as_sent_until_that_is_sure(office: Office, kind: str) -> None:
    case, letter = sent(office)
    for _ in range(2):
        arrives(office, returned(letter, kind))
    letter.refresh_from_db()
    assert letter.state == "sent"
    [why] = tasks(case)
    assert why.startswith("came back?")
    arrives(office, returned(letter, "gone"))
    letter.refresh_from_db()
    assert (letter.state, tasks(case)[1:]) == ("failed", ["came back 5.1.1"])


@pytest.mark.parametrize(
    ("answer", "days", "alarms"),
    [
        ("550 5.1.1 no such user", 0, 1),
        ("550 5.7.1 blocked using zen.spamhaus.org", 0, 2),
        ("452 4.2.2 mailbox full", 90, 1),
    ],
)
def test_an_owed_email_that_the_server_refuses_is_a_task_in_its_case(
    office: Office, answer: str, days: int, alarms: int
) -> None:
    case = office.ask("object")
    with Sink() as sink:
        sink.to = lambda envelope: answer
        smtp = Smtp(sink.server)
        for wait in (0, days):
            send_due(office.now() + dt.timedelta(days=wait), keyring=office.deployment.keyring, transport=smtp)
        smtp.close()
    letter = LetterRow.objects.filter(about=case.about, kind="acknowledged").get()
    assert (letter.state, tasks(case)) == ("failed", [answer[:9]])
    assert letter.is_unreached
    assert LetterRow.objects.filter(kind="staff_alert").count() == alarms
    assert settle(letter.once, now=office.now())
    assert LetterRow.objects.get(pk=letter.pk).reason == REACHED
    assert not settle(letter.once, now=office.now())


def test_a_report_that_names_only_the_address_is_not_sure(office: Office) -> None:
    case, letter = sent(office)
    arrives(office, bounce("gone", sent_to="privacy@example.org", about="ann@example.org"))
    letter.refresh_from_db()
    assert (letter.state, tasks(case)) == ("sent", ["came back? 5.1.1"])


@pytest.mark.parametrize("kind", ["staff_alert", "link"])
def test_an_email_to_staff_or_that_nobody_is_owed_is_no_task_of_the_case(office: Office, kind: str) -> None:
    case, letter = sent(office)
    LetterRow.objects.filter(pk=letter.pk).update(kind=kind)
    arrives(office, returned(letter))
    assert (tasks(case), LetterRow.objects.get(pk=letter.pk).state) == ([], "failed")


def test_nobody_elses_case_has_a_task(office: Office) -> None:
    case, _ = sent(office)
    forged = bounce("gone", sent_to="privacy@example.org", about="ben@example.org", message_id="<none@example.org>")
    arrives(office, forged)
    assert tasks(case) == []


def test_the_task_ends_once_staff_have_reached_the_person_in_another_way(
    office: Office, staff_member: Callable[..., StaffClient]
) -> None:
    case, letter = sent(office)
    arrives(office, returned(letter))
    client = staff_member(StaffRight.CASES_HANDLE, StaffRight.PERSONAL_SEE)
    assert "E-mails that came back" in client.get("/console/").content.decode()
    url = f"/console/cases/{case.reference}/letters/{letter.pk}/reached"
    page = client.get(f"/console/cases/{case.reference}/").content.decode()
    assert url in page
    assert f"letters/{letter.pk}/again" not in page, "its text is not kept"
    assert "Reach the person in another way" in client.get("/console/work/").content.decode()
    assert client.post(url).status_code == 302
    assert url not in client.get(f"/console/cases/{case.reference}/").content.decode()
    assert f"{letter.pk}/again" not in client.get("/console/work/").content.decode(), "it does not wait any more"
    assert case.events.get(what="reached").actor == "staff"
    assert letters_sent(letters(None, timezone.now()), timezone.now()).outcome == "pass"
    client.post(url)
    assert case.events.filter(what="reached").count() == 1


def test_only_who_handles_cases_says_that_a_person_was_reached(
    office: Office, staff_member: Callable[..., StaffClient]
) -> None:
    case, letter = sent(office)
    arrives(office, returned(letter))
    client = staff_member(StaffRight.STAFF_MANAGE)
    assert client.post(f"/console/cases/{case.reference}/letters/{letter.pk}/reached").status_code == 403
    other = office.ask("object", "ben@example.org")
    handler = staff_member(StaffRight.CASES_HANDLE, StaffRight.PERSONAL_SEE)
    assert handler.post(f"/console/cases/{other.reference}/letters/{letter.pk}/reached").status_code == 404
    assert LetterRow.objects.get(pk=letter.pk).is_returned

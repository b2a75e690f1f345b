"""What staff decide about reports that are unsure, and the faults of ours that alarm them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.service.newsletters.conftest import ANN, BEN, DECLARATION, Publisher
from tests.service.newsletters.test_coming_back import arrives, bounce, people, returns, to
from tests.service.team import StaffClient

from troth.service.mail.actions import letter_context
from troth.service.mail.bulk.tokens import delivery_token
from troth.service.mail.models import EditionDelivery, LetterRow
from troth.service.newsletters.actions import decide_report
from troth.service.preferences.models import Choice
from troth.service.staff.rights import StaffRight

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
__all__ = ["returns"]


def unsure(publisher: Publisher) -> EditionDelivery:
    publisher.send()
    arrives(publisher, bounce("unsure", sent_to=to(publisher, ANN)[0], about=ANN))
    return EditionDelivery.objects.exclude(report="").get()


def test_a_report_that_is_unsure_waits_for_staff_and_stops_nobody(
    publisher: Publisher, staff_member: Callable[..., StaffClient]
) -> None:
    delivery, client = unsure(publisher), staff_member(StaffRight.CASES_HANDLE)
    assert (delivery.report, people(publisher)) == ("later?", 2)
    page = client.get("/console/reports/").content.decode()
    assert delivery_token(delivery.pk, publisher.deployment.keyring) in page
    assert "/console/stops/" in page, "where a wrong decision is taken back"
    assert "ann@" not in page
    assert "could not be read for certain" in client.get("/console/").content.decode()
    answer = client.post(f"/console/reports/{delivery.pk}/true").content.decode()
    assert "Decided." in answer
    assert {row.actor for row in Choice.objects.all()} == {"staff"}
    assert people(publisher) == 1
    assert "decided already" in client.post(f"/console/reports/{delivery.pk}/wrong").content.decode()
    assert people(publisher) == 1
    assert client.post(f"/console/reports/{delivery.pk}/perhaps").status_code == 404


def test_nothing_follows_from_a_report_that_staff_find_wrong_even_if_it_comes_again(publisher: Publisher) -> None:
    delivery = unsure(publisher)
    assert decide_report(delivery.pk, publisher.deployment, is_true=False, now=publisher.now())
    arrives(publisher, bounce("unsure", sent_to=to(publisher, ANN)[0], about=ANN))
    delivery.refresh_from_db()
    assert (delivery.report, people(publisher), Choice.objects.count()) == ("none", 2, 0)
    arrives(publisher, bounce("gone", sent_to=to(publisher, ANN)[0], about=ANN))
    assert people(publisher) == 1, "a clear one counts"


def test_only_handlers_decide_about_reports(publisher: Publisher, staff_member: Callable[..., StaffClient]) -> None:
    delivery, client = unsure(publisher), staff_member(StaffRight.STAFF_MANAGE)
    assert client.get("/console/reports/").status_code == 403
    assert client.post(f"/console/reports/{delivery.pk}/true").status_code == 403
    assert people(publisher) == 2


def alarms(publisher: Publisher) -> list[str]:
    rows = LetterRow.objects.filter(kind="staff_alert").order_by("pk")
    keyring = publisher.deployment.keyring
    contents = [keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)) for row in rows]
    return [next(it for it in content.decode().splitlines() if it.startswith("Subject:")) for content in contents]


def test_a_fault_of_ours_alarms_staff_once_a_day_for_each_code(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.send()
    for kind in ("ours", "ours", "ours as well", "gone", "later"):
        for address in (ANN, BEN):
            arrives(publisher, bounce(kind, sent_to=to(publisher, address)[0], about=address))
    assert [subject.rpartition("(")[2] for subject in alarms(publisher)] == ["5.7.1)", "5.7.26)"]
    assert caplog.text.count("refuse our e-mails") == 2
    publisher.clock[0] += dt.timedelta(days=1)
    arrives(publisher, bounce("ours", sent_to=to(publisher, ANN)[0], about=ANN))
    assert len(alarms(publisher)) == 3


def test_forged_reports_alarm_nobody_and_many_codes_alarm_a_few_times(publisher: Publisher) -> None:
    publisher.send()
    arrives(publisher, bounce("ours", sent_to="bounces@example.org", about="other@example.net"))
    assert alarms(publisher) == []
    raw = bounce("ours", sent_to=to(publisher, ANN)[0], about=ANN)
    for number in range(20, 40):
        arrives(publisher, raw.replace(b"5.7.1", f"5.7.{number}".encode()))
    assert len(alarms(publisher)) == 5


def test_a_refusal_for_a_fault_of_ours_alarms_staff_too(publisher: Publisher) -> None:
    publisher.sink.data = lambda envelope: "554 5.7.1 listed"
    publisher.send()
    assert len(alarms(publisher)) == 1


def test_a_refusal_that_says_too_little_waits_for_staff(publisher: Publisher) -> None:
    publisher.sink.data = lambda envelope: "550 said so"
    publisher.send()
    assert set(EditionDelivery.objects.values_list("report", flat=True)) == {"later?"}
    assert Choice.objects.count() == 0


def test_an_alarm_that_cannot_be_written_does_not_hold_up_the_report(publisher: Publisher) -> None:
    publisher.send()
    text = DECLARATION.replace("email: privacy@example.org", "email: privacy")
    raw = bounce("ours", sent_to=to(publisher, ANN)[0], about=ANN)
    (publisher.folder / "troth.yaml").write_text(text, encoding="utf-8")
    assert arrives(publisher, raw)
    assert EditionDelivery.objects.filter(report="ours").count() == 1

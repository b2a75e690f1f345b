"""What shows that a stop counts, and that each edition ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.service.newsletters.conftest import ANN, TEXT, Publisher

from troth.controls import Check, CheckOutcome, run
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import stop_by_address
from troth.service.newsletters.controls import editions
from troth.service.preferences.models import Choice

DAY = dt.timedelta(days=1)
Ask = Callable[..., Check]


@pytest.fixture
def ask(publisher: Publisher) -> Ask:
    def asked(control: str, *, at: dt.datetime | None = None) -> Check:
        now = at or publisher.now() + dt.timedelta(minutes=10)
        looking = {"declaration": publisher.deployment.declaration, "now": now}
        return run(control, {**looking, "editions": editions(publisher.deployment, now)})

    return asked


def stop(publisher: Publisher, scope: StopScope = StopScope.LIST) -> None:
    stop_by_address(ANN, "monthly", scope, publisher.deployment, channel="centre", now=publisher.now())


def ago(publisher: Publisher, time: dt.timedelta) -> None:
    """The stop was earlier than the edition."""
    Choice.objects.exclude(state="given").update(since=publisher.now() - time)


@pytest.mark.parametrize("scope", StopScope)
def test_a_message_after_a_stop_is_found(publisher: Publisher, ask: Ask, scope: StopScope) -> None:
    publisher.send()
    publisher.clock[0] += dt.timedelta(seconds=5)
    stop(publisher, scope)
    assert ask("mail.optout_effective").outcome is CheckOutcome.PASS
    ago(publisher, DAY)
    check = ask("mail.optout_effective")
    assert (check.outcome, check.findings[0].place) == (CheckOutcome.FAIL, "newsletter monthly")
    assert "example.org" not in repr(check)


def test_a_stop_that_crosses_an_edition_is_no_fault(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    stop(publisher)
    ago(publisher, dt.timedelta(seconds=0.5))
    assert ask("mail.optout_effective").outcome is CheckOutcome.PASS


def test_a_message_to_somebody_who_came_back_is_no_fault(publisher: Publisher, ask: Ask) -> None:
    stop(publisher)
    ago(publisher, 3 * DAY)
    row = Choice.objects.get()
    row.pk, row.state, row.since, row.act = None, "given", publisher.now() - DAY, "signup:1"
    row.save()
    publisher.send()
    assert ANN in publisher.got
    assert ask("mail.optout_effective").outcome is CheckOutcome.PASS


def test_without_an_edition_nothing_is_claimed(publisher: Publisher, ask: Ask) -> None:
    stop(publisher)
    for control in ("mail.optout_effective", "mail.delivered"):
        assert ask(control).outcome is CheckOutcome.NOT_APPLICABLE


def test_an_edition_that_does_not_end_is_found(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    assert ask("mail.delivered").outcome is CheckOutcome.PASS
    other = publisher.start(TEXT.replace("June", "July"))
    bulk.pause(other, publisher.deployment, now=publisher.now())
    assert ask("mail.delivered").outcome is CheckOutcome.PASS
    assert ask("mail.delivered", at=publisher.now() + 6 * DAY).outcome is CheckOutcome.FAIL


def test_a_message_in_doubt_after_a_stop_counts_as_sent(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    stop(publisher)
    ago(publisher, DAY)
    EditionDelivery.objects.filter(state="sent").update(state="in_doubt")
    assert ask("mail.optout_effective").outcome is CheckOutcome.FAIL
    assert ask("mail.delivered").figures["in doubt"] == Edition.objects.get().deliveries.count()

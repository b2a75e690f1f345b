"""What shows that each newsletter went to addresses that serve its purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, DECLARATION, TEXT, Publisher

from troth.controls import Check, CheckOutcome, run
from troth.declaration import IdentityKind
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import confirm, sign_up, stop_by_address
from troth.service.newsletters.editions.purpose import addressed_mail
from troth.service.newsletters.models import SignUp
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import fingerprints

Ask = Callable[..., Check]
DECLARED = DECLARATION.replace("    store: ${SHOP", "    purposes: [news, offers]\n    store: ${SHOP")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def ask(publisher: Publisher) -> Ask:
    declare(publisher, DECLARED)

    def asked(*, days: float = 0.01) -> Check:
        now, deployment = publisher.now() + dt.timedelta(days=days), publisher.deployment
        inputs = {"declaration": deployment.declaration, "now": now, "addressed_mail": addressed_mail(deployment, now)}
        return run("mail.purpose", inputs)

    return asked


def declare(publisher: Publisher, text: str) -> None:
    (publisher.folder / "troth.yaml").write_text(text, encoding="utf-8")


def ticket(publisher: Publisher) -> str:
    """The fingerprint of somebody whose address is in a ticket, and nowhere else."""
    [name] = fingerprints([(IdentityKind.EMAIL, "dora@example.org")], publisher.deployment.keyring)
    return name


def messages(check: Check) -> list[str]:
    assert check.outcome is CheckOutcome.FAIL, check.summary
    return [f"{it.place.removeprefix('newsletter ')}: {it.message}" for it in check.findings]


NOTHING_SHOWS = "monthly: nothing shows that 1 message may have been sent"


def test_editions_to_those_who_agreed_are_no_fault(publisher: Publisher, ask: Ask) -> None:
    sign_up("monthly", CHLOE, {}, publisher.deployment, shown="Send me it.", language="en", now=publisher.now())
    confirm(SignUp.objects.get().pk, publisher.deployment, now=publisher.now())
    publisher.send()
    publisher.send(name="offers")
    check = ask()
    assert check.outcome is CheckOutcome.PASS, check.findings
    assert [check.figures[it] for it in ("messages", "for news", "for offers")] == [6, 3, 3]
    assert "(3 for news, 3 for offers): 1 by a choice of the person, 5 by the audience" in check.summary
    bases = EditionDelivery.objects.order_by("basis").values_list("basis", flat=True)
    assert list(bases) == ["company"] * 2 + ["given"] + ["nothing_recorded"] * 3


@on_sqlite
def test_consent_under_a_clock_that_was_ahead_counts_where_it_was_seen(publisher: Publisher, ask: Ask) -> None:
    publisher.do("update subscriber set confirmed_at = null;")
    sign_up("monthly", CHLOE, {}, publisher.deployment, shown="Send me it.", language="en", now=publisher.now())
    confirm(SignUp.objects.get().pk, publisher.deployment, now=publisher.now() + dt.timedelta(hours=3))
    publisher.send()
    assert (publisher.got, ask().outcome) == ([CHLOE], CheckOutcome.PASS)
    EditionDelivery.objects.update(basis="company")
    assert messages(ask()) == [NOTHING_SHOWS]


@on_sqlite
def test_without_an_edition_nothing_is_claimed(ask: Ask) -> None:
    assert ask().outcome is CheckOutcome.NOT_APPLICABLE


@on_sqlite
@pytest.mark.parametrize(("basis", "state"), [("", "sent"), ("given", "refused"), ("nothing_recorded", "in_doubt")])
def test_a_message_to_the_address_of_a_ticket_is_found(publisher: Publisher, ask: Ask, basis: str, state: str) -> None:
    publisher.send()
    delivery = EditionDelivery.objects.order_by("pk")[0]
    EditionDelivery.objects.filter(pk=delivery.pk).update(fingerprint=ticket(publisher), basis=basis, state=state)
    check = ask()
    assert messages(check) == [NOTHING_SHOWS]
    assert "dora" not in repr(check)
    assert ask(days=91).outcome is CheckOutcome.NOT_APPLICABLE


@on_sqlite
def test_a_message_that_was_never_allowed_is_found_without_consent_too(publisher: Publisher, ask: Ask) -> None:
    publisher.send(name="offers")
    EditionDelivery.objects.filter(pk=EditionDelivery.objects.order_by("pk")[0].pk).update(basis="")
    assert messages(ask()) == [NOTHING_SHOWS.replace("monthly", "offers")]


@on_sqlite
@pytest.mark.parametrize("consent", [None, "", "yes", "1", "2999-01-01 00:00:00", "01/02/2026"])
def test_an_audience_that_does_not_say_when_somebody_agreed_is_found(
    publisher: Publisher, ask: Ask, consent: str | None
) -> None:
    publisher.send()
    value = "null" if consent is None else f"'{consent}'"
    publisher.do(f"update subscriber set confirmed_at = {value} where id = 1;")
    assert messages(ask()) == [NOTHING_SHOWS]


@on_sqlite
def test_consent_in_a_time_of_any_zone_is_before_a_message(publisher: Publisher, ask: Ask) -> None:
    for at in (publisher.now() - dt.timedelta(days=1), publisher.now() + dt.timedelta(hours=2)):
        publisher.do(f"update subscriber set confirmed_at = '{at:%Y-%m-%dT%H:%M:%S}' where id = 1;")
        publisher.send(f"# At {at:%H}\n\ntext")
    assert ask().outcome is CheckOutcome.PASS


@on_sqlite
def test_a_reader_who_left_since_is_counted_and_no_fault(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    publisher.do("delete from subscriber where id = 1;")
    check = ask()
    assert (check.outcome, check.figures["not in the audience now"]) == (CheckOutcome.PASS, 1)
    assert (check.evidence.tested, check.evidence.excluded) == (1, 1)
    assert check.figures["messages"] == 2


@on_sqlite
def test_an_audience_that_was_there_for_one_edition_only_is_no_pass(publisher: Publisher, ask: Ask) -> None:
    rows = ",".join(f"({at}, 'reader-{at}@example.org', 'Ann', 'active', '2026-01-01')" for at in range(10, 20))
    publisher.do(f"insert into subscriber values {rows};")
    publisher.send()
    assert ask().outcome is CheckOutcome.PASS
    publisher.do("delete from subscriber where id >= 10;")
    check = ask()
    assert check.outcome is CheckOutcome.ERROR
    assert "too many people who got an edition are not in its audience now" in check.summary


@on_sqlite
def test_an_edition_to_more_rows_than_the_audience_has_is_no_pass(publisher: Publisher, ask: Ask) -> None:
    """Its condition was another one while it was sent."""
    publisher.do("update subscriber set state = 'asleep' where id = 1;")
    declare(publisher, DECLARED.replace("where: {state: active}, ", ""))
    publisher.send()
    assert (sorted(publisher.got), ask().outcome) == ([ANN, BEN], CheckOutcome.PASS)
    declare(publisher, DECLARED)
    assert ask().outcome is CheckOutcome.ERROR


@on_sqlite
def test_what_a_column_of_consent_says_without_a_time_is_no_consent(publisher: Publisher) -> None:
    publisher.do("update subscriber set confirmed_at = '0' where id = 1;")
    publisher.send()
    assert publisher.got == [BEN]


@on_sqlite
def test_a_stop_and_its_end_leave_what_was_allowed_before(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    stop_by_address(ANN, "monthly", StopScope.LIST, publisher.deployment, channel="link", now=publisher.now())
    assert ask().outcome is CheckOutcome.PASS, "it crossed the edition"
    Choice.objects.update(since=publisher.now() - dt.timedelta(days=1))
    assert messages(ask()) == [NOTHING_SHOWS]


@on_sqlite
def test_a_table_whose_addresses_serve_another_purpose_is_found(publisher: Publisher, ask: Ask) -> None:
    publisher.send(name="offers")
    declare(publisher, DECLARED.replace("purposes: [news, offers]", "purposes: [news]"))
    assert messages(ask()) == ["offers: shop.subscriber holds addresses for other purposes than offers"]


@on_sqlite
def test_a_purpose_that_does_not_name_addresses_is_found(publisher: Publisher, ask: Ask) -> None:
    publisher.send(name="offers")
    named = "advertising,\n           data: ["
    declare(publisher, DECLARED.replace(f"{named}user.contact.email, ", named))
    assert messages(ask()) == ["offers: offers does not name e-mail addresses among its data"]


@on_sqlite
def test_an_edition_to_another_table_is_found(publisher: Publisher, ask: Ask) -> None:
    """The declaration named another table while it was sent, and names the right one again."""
    publisher.do(
        "create table ticket (id integer primary key, email text, name text, state text, confirmed_at text);"
        "insert into ticket values (1, 'dora@example.org', 'Dora', 'active', '2026-01-01 00:00:00');"
    )
    desk = DECLARED[DECLARED.index("  shop:") : DECLARED.index("newsletters:")].replace("subscriber", "ticket")
    desk = desk.replace("  shop:", "  desk:").replace("purposes: [news, offers]", "purposes: [support]")
    support = "  support: {title: Help, basis: contract, use: essential.service, data: [user]}\n"
    wrong = DECLARED.replace("table: shop.subscriber", "table: desk.ticket")
    wrong = wrong.replace("newsletters:", f"{desk}newsletters:").replace("systems:", f"{support}systems:", 1)
    declare(publisher, wrong)
    publisher.send()
    assert publisher.got == ["dora@example.org"]
    assert "monthly: desk.ticket holds addresses for other purposes than news" in messages(ask())
    declare(publisher, DECLARED)
    check = ask()
    assert check.outcome is CheckOutcome.ERROR
    assert "an edition went to desk.ticket, which is not its audience now" in check.summary


@on_sqlite
def test_what_is_not_declared_any_more_is_no_pass(publisher: Publisher, ask: Ask) -> None:
    publisher.send(name="offers")
    declare(publisher, DECLARED[: DECLARED.index("  offers:\n")])
    assert ask().outcome is CheckOutcome.ERROR
    declare(publisher, DECLARATION)
    assert "does not say which purposes it serves" in ask().summary


@on_sqlite
def test_an_edition_without_a_record_of_its_audience_is_found(publisher: Publisher, ask: Ask) -> None:
    publisher.send(TEXT)
    Edition.objects.update(audience={})
    assert messages(ask())[0] == "monthly: it is not on record where the recipients of an edition were read"


@on_sqlite
def test_an_audience_that_cannot_be_read_is_an_error(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    assert sorted(publisher.got) == [ANN, BEN]
    publisher.do("alter table subscriber rename column confirmed_at to agreed_at;")
    check = ask()
    assert check.outcome is CheckOutcome.ERROR
    assert "confirmed_at" in check.summary

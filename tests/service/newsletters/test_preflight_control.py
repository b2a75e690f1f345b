"""What shows that every newsletter passed its checks, and would pass them now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.service.newsletters.conftest import DECLARATION, TEXT, Publisher

from troth.controls import Check, CheckOutcome, run
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight.faults import fault
from troth.service.mail.signatures.keys import DomainKey, signer_for
from troth.service.mail.signatures.records import DnsUnavailable
from troth.service.newsletters.editions.preflight import PreflightRecords, preflight_records, records_of
from troth.service.newsletters.rehearsal import InventedDns

Ask = Callable[..., Check]
LATER = dt.timedelta(minutes=10)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class NoDns:
    """No name server answers."""

    def txt(self, name: str) -> Sequence[str]:
        raise DnsUnavailable("no name server answers (Timeout)")


@dataclass
class OldDns:
    """A name server that has not got the key yet that replaced *key*."""

    now: InventedDns
    key: DomainKey

    def txt(self, name: str) -> list[str]:
        return [] if "_domainkey" in name and not name.startswith(self.key.selector) else self.now.txt(name)


def with_key(publisher: Publisher, domain: str = "example.org") -> DomainKey:
    return publisher.sign(domain)


@pytest.fixture
def ask(publisher: Publisher) -> Ask:
    def asked(records: PreflightRecords | None = None, *, at: dt.timedelta = LATER, mail_dns: Any = None) -> Check:
        now, deployment = publisher.now() + at, publisher.deployment
        inputs = {"declaration": deployment.declaration, "now": now}
        inputs["preflight_records"] = (lambda: records) if records else preflight_records(deployment, now)
        return run("mail.preflight", {**inputs, "mail_dns": mail_dns or InventedDns(deployment.keyring)})

    return asked


def faults(check: Check) -> set[str]:
    """Newsletter and fault of each finding."""
    assert check.outcome is CheckOutcome.FAIL, check.summary
    return {f"{it.place.removeprefix('newsletter ')}: {it.message.partition(' (')[0]}" for it in check.findings}


def declare(publisher: Publisher, old: str, new: str) -> None:
    assert old in DECLARATION
    (publisher.folder / "troth.yaml").write_text(DECLARATION.replace(old, new), encoding="utf-8")


def test_newsletters_that_passed_and_would_pass_now_are_no_fault(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    publisher.send()
    check = ask()
    assert check.outcome is CheckOutcome.PASS, check.findings
    assert check.figures == {"messages": 2, "newsletters": 2, "failures": 0}
    assert (check.evidence.population, check.evidence.tested) == (2, 2)
    assert set(EditionDelivery.objects.values_list("preflight", "basis")) == {("passed", "company")}
    assert Edition.objects.get().checked == 2


@on_sqlite
def test_a_newsletter_is_looked_at_before_its_first_edition(publisher: Publisher, ask: Ask) -> None:
    assert "monthly: unsigned" in faults(ask())
    with_key(publisher)
    assert ask().outcome is CheckOutcome.PASS


@on_sqlite
def test_without_newsletters_nothing_is_claimed(publisher: Publisher, ask: Ask) -> None:
    text = DECLARATION[: DECLARATION.index("newsletters:")]
    (publisher.folder / "troth.yaml").write_text(text, encoding="utf-8")
    assert ask().outcome is CheckOutcome.NOT_APPLICABLE


@on_sqlite
def test_without_a_name_server_it_is_no_pass(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    check = ask(mail_dns=NoDns())
    assert check.outcome is CheckOutcome.ERROR
    assert "dns not observed" in check.summary


def test_messages_that_left_unsigned_are_found_once_there_is_a_key(publisher: Publisher, ask: Ask) -> None:
    publisher.send()
    with_key(publisher)
    check = ask()
    assert faults(check) >= {f"monthly: 2 messages left with unsigned: {fault('unsigned', '').wrong}"}
    assert "example.org" not in repr(check.findings)
    assert ask(at=dt.timedelta(days=91)).outcome is CheckOutcome.PASS


@on_sqlite
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"preflight": ""}, "1 message left without a check on record"),
        ({"preflight": "token_of_another"}, "1 message left with token_of_another"),
        ({"preflight": "", "state": "refused"}, "1 message left without a check on record"),
    ],
)
def test_a_message_that_left_past_its_checks_is_found(
    publisher: Publisher, ask: Ask, changed: dict[str, str], message: str
) -> None:
    with_key(publisher)
    publisher.send()
    EditionDelivery.objects.filter(pk=EditionDelivery.objects.order_by("pk")[0].pk).update(**changed)
    check = ask()
    assert [it.message.partition(":")[0] for it in check.findings] == [message]


@on_sqlite
def test_an_edition_that_began_without_the_full_checks_is_found(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    publisher.send()
    Edition.objects.update(checked=1)
    assert faults(ask()) == {"monthly: 1 edition began without the full checks of its samples on record"}


@on_sqlite
def test_a_plan_that_is_made_again_is_checked_again(publisher: Publisher) -> None:
    with_key(publisher)
    assert publisher.plan().edition.checked == 2
    publisher.do("update subscriber set confirmed_at = '2026-01-03 00:00:00'")
    assert publisher.plan().edition.checked == 3
    assert Edition.objects.get().checked == 3


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "postal_address_missing": lambda content: content.replace(b"1 High Street", b"our office"),
    "optout_not_one_click": lambda content: content.replace(b"List-Unsubscribe-Post: ", b"X-Post: "),
    "optout_missing": lambda content: content.replace(b"\r\nList-Unsubscribe: ", b"\r\nX-Unsubscribe: "),
    "pixel": lambda content: content.replace(b"</body>", b'<img src=3D"https://example.org/p.gif" width=3D1></body>'),
    "advertisement_unlabelled": lambda content: content.replace(b"an advertisement", b"our news"),
    "subject_reply": lambda content: content.replace(b"Subject: ", b"Subject: Re: "),
    "recipient_several": lambda content: content.replace(b"\r\nTo: ", b"\r\nCc: ben@example.org\r\nTo: "),
}


@on_sqlite
def test_a_fault_of_what_is_made_now_is_found(publisher: Publisher, ask: Ask) -> None:
    records = records_of(publisher.deployment, publisher.now())
    signer = signer_for(with_key(publisher).domain, publisher.deployment.keyring)
    assert signer is not None
    for id_, change in CHANGES.items():
        samples = records.samples["offers"]
        messages = [replace(it.message, content=change(it.message.content)).signed(signer) for it in samples]
        changed = [replace(it, message=message) for it, message in zip(samples, messages, strict=True)]
        assert f"offers: {id_}" in faults(ask(replace(records, samples={"offers": changed})))


@on_sqlite
def test_a_token_of_somebody_else_is_found(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    records = records_of(publisher.deployment, publisher.now())
    first, second = records.samples["offers"]
    crossed = [replace(first, expected=second.expected), replace(second, expected=first.expected)]
    assert "offers: token_of_another" in faults(ask(replace(records, samples={"offers": crossed})))


@on_sqlite
def test_a_key_that_dns_does_not_have_is_found(publisher: Publisher, ask: Ask) -> None:
    old = with_key(publisher)
    publisher.send()
    new = with_key(publisher)
    assert ask().outcome is CheckOutcome.PASS
    dns = OldDns(InventedDns(publisher.deployment.keyring), old)
    assert "monthly: key_missing" in faults(ask(mail_dns=dns)), new.selector


@on_sqlite
@pytest.mark.parametrize(("prefix", "fault"), [("_dmarc.", "dmarc_missing"), ("example.org", "spf_missing")])
def test_a_record_that_dns_does_not_have_is_found(publisher: Publisher, ask: Ask, prefix: str, fault: str) -> None:
    with_key(publisher)
    dns = InventedDns(publisher.deployment.keyring, prefix)
    assert faults(ask(mail_dns=dns)) == {f"monthly: {fault}", f"offers: {fault}"}


@on_sqlite
@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    purpose: offers\n", "    purpose: offers\n    sender: offers@example.net\n", "offers: unsigned"),
        ('site: "https://', 'site: "http://', "monthly: optout_missing"),
        (
            "address: 1 High Street",
            "address: online",
            "organisation.address: this is not recognised as a postal address",
        ),
    ],
)
def test_a_declaration_by_which_messages_fail_is_found(
    publisher: Publisher, ask: Ask, old: str, new: str, fault: str
) -> None:
    with_key(publisher)
    declare(publisher, old, new)
    assert fault in faults(ask())


@on_sqlite
def test_an_edition_that_cannot_be_made_any_more_is_found(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    publisher.send()
    declare(publisher, "consent: confirmed_at, values: [name]", "consent: confirmed_at")
    check = ask()
    assert [it.place for it in check.findings] == ["newsletter monthly"]
    assert "no message can be made" in check.findings[0].message


@on_sqlite
def test_a_draft_is_not_what_is_looked_at(publisher: Publisher, ask: Ask) -> None:
    with_key(publisher)
    publisher.send()
    publisher.plan(TEXT.replace("June", "July"))
    Edition.objects.filter(state="draft").update(content={"subject": "Re: News", "markdown": "News"})
    assert ask().outcome is CheckOutcome.PASS
    Edition.objects.filter(state="draft").update(state="sending")
    assert "monthly: subject_reply" in faults(ask())


@on_sqlite
def test_recipients_of_another_table_than_at_the_start_get_nothing(publisher: Publisher) -> None:
    publisher.do(
        "create table ticket (id integer primary key, email text, name text, state text, confirmed_at text);"
        "insert into ticket select * from subscriber;"
    )
    edition = publisher.start()
    text = DECLARATION.replace("table: shop.subscriber", "table: shop.ticket")
    (publisher.folder / "troth.yaml").write_text(text.replace("      subscriber:", "      ticket:"), encoding="utf-8")
    publisher.work()
    assert (publisher.got, publisher.outcomes(edition)) == ([], {"stopped": 2})

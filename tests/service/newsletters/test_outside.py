"""What planning an edition looks up outside, where editions leave for people's mailboxes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.service.newsletters.conftest import DECLARATION, Publisher

from troth.protect import KeyState
from troth.service.configuration import MailServer
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk.actions import EditionRefused
from troth.service.mail.signatures.keys import domain_keys
from troth.service.mail.signatures.records import Dns, DnsUnavailable
from troth.service.newsletters.editions import outside
from troth.service.newsletters.rehearsal import InventedDns
from troth.site.fetch import SiteUnreachable

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
_IS_LIVE = outside.is_live


class NoDns:
    """No name server answers."""

    def txt(self, name: str) -> list[str]:
        raise DnsUnavailable("no name server answers (Timeout)")


@dataclass
class Internet:
    """The name server and the pages as a test wants them, and what was *asked* of the pages."""

    dns: object
    page: Callable[[str], int] = lambda url: 200
    asked: list[str] = field(default_factory=list)

    def status(self, url: str, seconds: float) -> int:
        self.asked.append(url)
        return self.page(url)


@pytest.fixture
def internet(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Internet:
    publisher.sign()
    made = Internet(InventedDns(publisher.deployment.keyring))
    monkeypatch.setattr(outside, "is_live", _IS_LIVE)
    monkeypatch.setattr(outside, "Dns", lambda seconds: made.dns)
    monkeypatch.setattr(outside, "status_of", made.status)
    return made


def warned(publisher: Publisher) -> set[tuple[str, str]]:
    return {(it.id, it.place) for it in publisher.plan().warnings}


def test_records_and_pages_that_are_there_are_no_fault(publisher: Publisher, internet: Internet) -> None:
    assert warned(publisher) == set()
    assert internet.asked == ["https://example.org/june"]  # opt-outs are not followed


def test_a_key_without_its_record_blocks_the_edition(publisher: Publisher, internet: Internet) -> None:
    internet.dns = InventedDns(publisher.deployment.keyring, "troth-")
    with pytest.raises(EditionRefused, match=r"DKIM-Signature: DNS has no record.*troth mail dns"):
        publisher.plan()


def test_an_unsigned_edition_is_refused_where_a_mail_server_sends_it(publisher: Publisher, internet: Internet) -> None:
    edition = publisher.plan().edition
    keyring = publisher.deployment.keyring
    assert keyring.chain is not None
    for key in domain_keys(keyring):
        keyring.chain.move(key.info.name, KeyState.DEACTIVATED, now=publisher.now())
    with pytest.raises(EditionRefused, match=r"DKIM-Signature: No DKIM signature.*troth mail dns --new-key"):
        publisher.plan("# News\n\nOther news.\n")
    started = bulk.start(edition.plan_hash, publisher.deployment, now=publisher.now())
    publisher.work()
    assert (publisher.got, publisher.outcomes(started)) == ([], {"refused": 2})


@pytest.mark.parametrize(
    ("site", "server"),
    [
        ("http://localhost:8000", MailServer(host="127.0.0.1", port=25)),
        ("https://shop.example.org", MailServer(provider="postmark", options=(("server_token", "t"),))),
        ("https://shop.example.org", MailServer(folder=Path("/nowhere"))),
        ("https://shop.example.org", None),
    ],
)
def test_no_signature_of_ours_is_needed(
    site: str, server: MailServer | None, settings: Any, publisher: Publisher
) -> None:
    file = publisher.folder / "troth.yaml"
    file.write_text(DECLARATION.replace("https://shop.example.org", site), encoding="utf-8")
    settings.TROTH = replace(settings.TROTH, mail=server)
    assert not outside.must_sign(publisher.deployment)
    assert "unsigned" in {it.id for it in publisher.plan().warnings}


def test_missing_policies_of_a_domain_are_warnings(publisher: Publisher, internet: Internet) -> None:
    internet.dns = InventedDns(publisher.deployment.keyring, "_dmarc")
    assert warned(publisher) == {("dmarc_missing", "example.org")}


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_page_that_is_gone_blocks_the_edition(publisher: Publisher, internet: Internet, status: int) -> None:
    internet.page = lambda url: status
    with pytest.raises(EditionRefused, match=r"example\.org: A linked page does not answer"):
        publisher.plan()


def test_what_this_machine_does_not_reach_is_a_warning(publisher: Publisher, internet: Internet) -> None:
    def no_answer(url: str) -> int:
        raise SiteUnreachable("/june does not answer (ConnectTimeout)")

    internet.dns, internet.page = NoDns(), no_answer
    assert warned(publisher) == {("records_unseen", "DNS"), ("link_unseen", "example.org")}


def test_a_plan_does_not_wait_for_slow_pages(
    publisher: Publisher, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(outside, "SECONDS", 0.2)
    internet.page = lambda url: 200 if is_over.wait(20) else 500
    text = "# News\n\n" + "\n\n".join(f"[News](https://example.org/page{number})" for number in "abcdefghijklmnop")
    begun = time.monotonic()
    assert {it.id for it in publisher.plan(text).warnings} == {"link_unseen"}
    assert time.monotonic() - begun < 10
    is_over.set()


def test_all_questions_to_name_servers_share_the_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import dns.resolver

    given = list[float]()

    def resolve(name: str, kind: str, *, lifetime: float, search: bool) -> list[object]:
        given.append(lifetime)
        return []

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    Dns(1.0).txt("example.org")
    Dns(0.0).txt("example.org")
    Dns().txt("example.org")
    assert 0.5 < given[0] <= 1.0
    assert given[1:] == [0.01, 5.0]


def test_nothing_is_looked_up_for_editions_that_stay_in_a_folder(
    publisher: Publisher, internet: Internet, settings: Any
) -> None:
    internet.dns = NoDns()
    settings.TROTH = replace(settings.TROTH, mail=MailServer(folder=publisher.folder))
    assert (warned(publisher), internet.asked) == (set(), [])

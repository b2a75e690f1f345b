"""Signing keys: published before use, one at a time, replaced while messages are under way, visible in every state."""

from __future__ import annotations

import datetime as dt
import logging
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest
from tests.service.mail_samples import Records, copy
from tests.service.mailing import send_due
from tests.service.test_mail import letter, posted, rows  # noqa: F401 - a fixture

from troth.ledger import Entry
from troth.protect import MAIL_RECORD_KEPT, HomeRefused, KeyRefused, Keyring, KeyState, create_home, standing
from troth.service.core.models import EntryRow, KeyRow
from troth.service.mail.message import Message
from troth.service.mail.signatures.keys import (
    DomainKey,
    SigningKeyRefused,
    activate,
    domain_keys,
    make_domain_key,
    record_of,
    signed,
    signer_for,
)
from troth.service.mail.transports import FolderTransport

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def keyring(rows: None, tmp_path: Path) -> Keyring:  # noqa: F811
    create_home(tmp_path / "keys")
    return Keyring.open(tmp_path / "keys")


def in_use(keyring: Keyring, domain: str = "example.org", *, now: dt.datetime = NOW, ed: bool = False) -> DomainKey:
    made = make_domain_key(domain, "ed25519-sha256" if ed else "rsa-sha256", keyring, now=now)
    return activate(made.selector, keyring, None, now=now)


def test_nothing_is_signed_before_a_key_is_in_use(keyring: Keyring) -> None:
    assert signer_for("example.org", keyring) is None
    made = make_domain_key("example.org", "rsa-sha256", keyring, now=NOW)
    assert (made.selector, made.info.state) == ("troth-2026-12a", KeyState.PRE_ACTIVATION)
    assert signer_for("example.org", keyring) is None
    message = copy(signed=False)
    assert signed(message, keyring) is message


def test_a_key_is_used_once_its_record_is_in_dns(keyring: Keyring) -> None:
    made = make_domain_key("example.org", "rsa-sha256", keyring, now=NOW)
    wanted, dns = record_of(made, keyring), Records()
    assert wanted.name == "troth-2026-12a._domainkey.example.org"
    with pytest.raises(SigningKeyRefused, match="publish it first"):
        activate(made.selector, keyring, dns, now=NOW)
    dns.texts[wanted.name] = ["v=DKIM1; p=AAAA", wanted.value]
    assert activate(made.selector, keyring, dns, now=NOW).info.state is KeyState.ACTIVE
    with pytest.raises(SigningKeyRefused, match="waiting are: none"):
        activate(made.selector, keyring, dns, now=NOW)
    content = signed(copy(signed=False), keyring).content
    assert dkim.verify(content, dnsfunc=lambda name, timeout=5: wanted.value.encode())


def test_both_algorithms_sign_together_and_each_replaces_its_own(keyring: Keyring) -> None:
    in_use(keyring)
    in_use(keyring, ed=True)
    assert signed(copy(signed=False), keyring).content.count(b"DKIM-Signature:") == 2
    newer = in_use(keyring, now=NOW + DAY)
    assert [(it.selector[-1], it.info.state.value) for it in domain_keys(keyring)] == [
        ("a", "deactivated"),
        ("b", "active"),
        ("c", "active"),
    ]
    assert b"s=" + newer.selector.encode() in signed(copy(signed=False), keyring).content
    assert b"s=troth-2026-12a" not in signed(copy(signed=False), keyring).content


def test_the_record_of_a_replaced_key_stays_until_its_mail_has_arrived(keyring: Keyring) -> None:
    old, new = in_use(keyring), in_use(keyring, now=NOW + DAY)
    [old, new] = domain_keys(keyring)
    assert dt.timedelta(days=7) <= MAIL_RECORD_KEPT
    assert (old.published_until, new.published_until) == (NOW + DAY + MAIL_RECORD_KEPT, None)
    assert record_of(old, keyring).value != record_of(new, keyring).value
    assert standing(old.info, 0, now=NOW + 2 * DAY).due == ""
    assert "take its record out of DNS" in standing(old.info, 0, now=NOW + DAY + MAIL_RECORD_KEPT).due
    assert "troth mail dns --new-key example.org" in standing(new.info, 0, now=NOW + 400 * DAY).due


def test_the_nearest_domain_signs_and_no_other(keyring: Keyring) -> None:
    for domain in ("example.org", "mail.example.org", "ample.org"):
        in_use(keyring, domain)
    signing = {
        "example.org": "example.org",
        "mail.example.org": "mail.example.org",
        "new.mail.example.org": "mail.example.org",
        "news.example.org": "example.org",
        "example.net": None,
        "org": None,
    }
    for domain, by in signing.items():
        signer = signer_for(domain, keyring)
        assert (signer and signer.domain) == by, domain


@pytest.mark.parametrize("state", [KeyState.SUSPENDED, KeyState.COMPROMISED, KeyState.DEACTIVATED])
def test_a_key_that_another_process_takes_out_of_use_signs_nothing_more(
    keyring: Keyring, tmp_path: Path, state: KeyState
) -> None:
    key = in_use(keyring)
    assert signer_for("example.org", keyring) is not None
    other = Keyring.open(tmp_path / "keys")
    assert other.chain is not None
    other.chain.move(key.info.name, state, now=NOW)
    assert signer_for("example.org", keyring) is None


def test_keys_are_on_record(keyring: Keyring) -> None:
    in_use(keyring)
    assert KeyRow.objects.get(purpose="mail").state == "active"
    kinds = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    assert [(it.kind, it.fields.get("state")) for it in kinds if it.fields.get("purpose") == "mail"] == [
        ("keys.created", None),
        ("keys.changed", "pre_activation"),
        ("keys.changed", "active"),
    ]


def test_an_older_copy_of_the_keys_makes_no_key(keyring: Keyring, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "keys.toml"
    before = file.read_bytes()
    in_use(keyring)
    file.write_bytes(before)
    with pytest.raises(KeyRefused, match=r"older keys\.toml"):
        make_domain_key("example.org", "rsa-sha256", keyring, now=NOW)


@pytest.mark.parametrize("domain", ["", "org", "Example.org", "a b.org", "exa\nmple.org", "-a.org", "a" * 300 + ".org"])
def test_a_key_is_for_a_domain(keyring: Keyring, domain: str) -> None:
    with pytest.raises(SigningKeyRefused, match=r"such as example\.org"):
        make_domain_key(domain, "rsa-sha256", keyring, now=NOW)


def test_a_label_survives_the_file_and_a_damaged_one_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    in_use(keyring)
    home = tmp_path / "keys"
    assert [it.domain for it in domain_keys(Keyring.open(home))] == ["example.org"]
    (home / "keys.toml").write_text((home / "keys.toml").read_text().replace('purpose = "mail"', 'purpose = "male"'))
    with pytest.raises(HomeRefused, match="damaged"):
        Keyring.open(home)


def test_owed_messages_are_signed_when_they_are_handed_over(keyring: Keyring, tmp_path: Path) -> None:
    posted(letter("once:a"), keyring=keyring)
    key = in_use(keyring)  # made after the message was queued
    transport = FolderTransport(tmp_path / "out")
    from tests.service.mail_processes import NOW as QUEUED

    assert send_due(QUEUED, keyring=keyring, transport=transport) == 1
    [file] = (tmp_path / "out").glob("*.eml")
    record = record_of(key, keyring).value.encode()
    assert dkim.verify(file.read_bytes(), dnsfunc=lambda name, timeout=5: record)
    assert message_from_bytes(file.read_bytes())["DKIM-Signature"].count("d=example.org;") == 1


def test_what_cannot_be_signed_still_goes_out(keyring: Keyring, caplog: pytest.LogCaptureFixture) -> None:
    in_use(keyring)
    message = Message("<1@example.org>", "a@example.org", "b@example.org", b"From: a@example.org\r\n\r\na\nb\r\n")
    with caplog.at_level(logging.ERROR):
        assert signed(message, keyring) is message
    assert "line ends" in caplog.text

"""Signing keys of domains, in the keychain: made, published, used, and replaced.

A domain's e-mails are signed once a key of it is active. A key is made pre-active: its record is published first. The
key that it replaces is deactivated, and its record stays until what it signed has arrived (`MAIL_RECORD_KEPT`).
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import logging
import re
import string
from dataclasses import dataclass

from troth.protect import MAIL_RECORD_KEPT, KeyInfo, Keyring, KeyState, MailAlgorithm, MailSigningKey
from troth.service.configuration import ServiceError
from troth.service.core.key_registry import add_key, note_keys
from troth.service.mail.message import Message, author_domain
from troth.service.mail.signatures.dkim import DkimKey, DkimSigner, SigningRefused
from troth.service.mail.signatures.records import Lookup, WantedRecord, key_record

_LOG = logging.getLogger("troth.mail")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class SigningKeyRefused(ServiceError):
    """The key cannot be made or used like this; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DomainKey:
    """A signing key of a domain, and its state."""

    info: KeyInfo

    @property
    def domain(self) -> str:
        return self.info.label.split(" ")[0]

    @property
    def selector(self) -> str:
        """Its name in DNS, below ``_domainkey`` of the domain."""
        return self.info.label.split(" ")[1]

    @property
    def algorithm(self) -> str:
        return self.info.label.split(" ")[2]

    @property
    def published_until(self) -> dt.datetime | None:
        """When the record of a replaced key may leave DNS; None for others."""
        return self.info.since[self.info.state] + MAIL_RECORD_KEPT if self.info.state is KeyState.DEACTIVATED else None

    def needs_record(self, now: dt.datetime) -> bool:
        """Whether receivers look for its record."""
        return self.info.state.seals or (self.published_until is not None and now < self.published_until)


def domain_keys(keyring: Keyring) -> list[DomainKey]:
    """Every signing key that is not destroyed, the oldest first."""
    infos = keyring.chain.infos() if keyring.chain is not None else ()
    kept = (info for info in infos if info.purpose == "mail" and info.state is not KeyState.DESTROYED)
    return [DomainKey(info) for info in kept]


def record_of(key: DomainKey, keyring: Keyring) -> WantedRecord:
    """The record to publish for a key."""
    return key_record(key.domain, key.selector, key.algorithm, _opened(keyring, key.info.number).public_key)


def make_domain_key(domain: str, algorithm: MailAlgorithm, keyring: Keyring, *, now: dt.datetime) -> DomainKey:
    """Make a key, which signs nothing before it is `activate`d. Raises `SigningKeyRefused` and `KeyRefused`."""
    if not _DOMAIN.fullmatch(domain):
        raise SigningKeyRefused("a signing key is for a domain in DNS form, such as example.org")
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    used = {info.label.split(" ")[1] for info in keyring.chain.infos() if info.label.startswith(f"{domain} ")}
    letters = ("".join(it) for size in (1, 2) for it in itertools.product(string.ascii_lowercase, repeat=size))
    selector = next(it for letter in letters if (it := f"troth-{now:%Y-%m}{letter}") not in used)
    label = f"{domain} {selector} {algorithm}"
    return DomainKey(add_key(keyring, "mail", MailSigningKey.generate(algorithm), label, now=now))


def activate(selector: str, keyring: Keyring, lookup: Lookup | None, *, now: dt.datetime) -> DomainKey:
    """Sign with a key from now on, instead of the former one of its domain and algorithm. Its record must be in DNS;
    without *lookup* the caller knows that. Raises `SigningKeyRefused` and `DnsUnavailable`."""
    waiting = [key for key in domain_keys(keyring) if key.info.state is KeyState.PRE_ACTIVATION]
    key = next((it for it in waiting if selector in (it.selector, f"{it.selector}._domainkey.{it.domain}")), None)
    if key is None:
        names = ", ".join(f"{it.selector}._domainkey.{it.domain}" for it in waiting) or "none"
        raise SigningKeyRefused(f"no key of that selector waits to be used; waiting are: {names}")
    if lookup is not None and not record_of(key, keyring).published(lookup):
        raise SigningKeyRefused(f"DNS has no record for {key.selector}._domainkey.{key.domain} yet; publish it first")
    assert keyring.chain is not None, "it has keys"
    info = keyring.chain.move(key.info.name, KeyState.ACTIVE, now=now)
    for other in domain_keys(keyring):
        is_former = (other.domain, other.algorithm) == (key.domain, key.algorithm) and other.info.number != info.number
        if is_former and other.info.state in (KeyState.ACTIVE, KeyState.SUSPENDED):
            keyring.chain.move(other.info.name, KeyState.DEACTIVATED, now=now)
    note_keys(keyring, now=now)
    return DomainKey(info)


def signer_for(domain: str, keyring: Keyring) -> DkimSigner | None:
    """Signs for the author's *domain* with the active keys of it, or of the nearest domain above that has any; None if
    there are none. The keychain is asked each time: a key that another process replaced signs nothing more."""
    active = [it for it in domain_keys(keyring) if it.info.state.seals and f".{domain}".endswith(f".{it.domain}")]
    nearest = max((it.domain for it in active), key=len, default="")
    keys = [DkimKey(it.selector, _opened(keyring, it.info.number)) for it in active if it.domain == nearest]
    return DkimSigner(nearest, keys) if keys else None


def signed(message: Message, keyring: Keyring) -> Message:
    """*message*, signed if its domain has keys. What cannot be signed is returned as it is: what is owed goes out."""
    signer = signer_for(author_domain(message.content), keyring)
    try:
        return message.signed(signer) if signer is not None else message
    except SigningRefused as refused:
        _LOG.error("an e-mail leaves without a signature: %s", refused)
        return message


@functools.lru_cache(64)
def _opened(keyring: Keyring, number: int) -> MailSigningKey:
    """Opening an RSA key takes as long as signing. Its state is not cached."""
    [info] = [it.info for it in domain_keys(keyring) if it.info.number == number]
    return keyring.mail_key(info)

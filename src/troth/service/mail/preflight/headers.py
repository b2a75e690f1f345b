"""Faults of the headers: who writes to whom, the signatures, and the opt-out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from troth.service.mail.message import Address
from troth.service.mail.preflight.faults import Expected, MailClass, MailFault, fault, words
from troth.service.mail.preflight.parts import MailParts
from troth.service.mail.rules import LetterRefused

ONE_CLICK = "List-Unsubscribe=One-Click"
_SINGLE = ("From", "Date", "Subject", "Message-ID")
_AT_MOST_ONE = ("To", "Cc", "Reply-To", "MIME-Version", "Content-Type", "List-Id")
_COVERED = ("From", "To", "Subject", "Date", "Reply-To", "Content-Type")
_LINE_MAX = 998
_CLIPPED_BYTES = 102 * 1024
_URI = re.compile(r"<\s*([^<>\s]+)\s*>")
_SECOND_LEVEL = re.compile(r"\.(?:co|com|org|net|gov|ac|edu|or|ne)\.[a-z]{2}$")
[_STOP] = words("stop")


@dataclass(frozen=True, slots=True)
class SignatureTags:
    """What a DKIM signature says of itself: its domain, the names that it signs, whether it ends early (``l=``)."""

    domain: str
    names: Sequence[str]
    is_cut: bool

    @classmethod
    def read(cls, value: str) -> SignatureTags:
        tags = {name.strip(): "".join(it.split()) for name, _, it in (tag.partition("=") for tag in value.split(";"))}
        return cls(tags.get("d", "").lower(), tags.get("h", "").lower().split(":"), "l" in tags)

    def covers(self, name: str, count: int = 1) -> bool:
        """Whether all *count* headers of a name are signed."""
        return self.names.count(name.lower()) >= count


def is_aligned(domain: str, author: str) -> bool:
    """Whether two domains belong to one organisation (RFC 7489 §3.2): they share their last two labels, or three where
    the country's second level is open to all, such as ``co.uk``. The full list of such suffixes is not consulted."""
    ends = [name.lower().split(".")[-3:] for name in (domain, author)]
    count = 3 if _SECOND_LEVEL.search(author.lower()) else 2
    return min(map(len, ends)) >= count and ends[0][-count:] == ends[1][-count:]


def author_of(mail: MailParts) -> str:
    """The domain of the address in From; empty if that is unclear."""
    try:
        [address] = mail.addresses("From")
        return Address.read(address).domain.lower()
    except (ValueError, LetterRefused):
        return ""


def opt_outs(mail: MailParts) -> list[str]:
    """The addresses in every List-Unsubscribe."""
    return [uri for value in mail.all("List-Unsubscribe") for uri in _URI.findall(value)]


def header_faults(mail: MailParts, expected: Expected, raw: bytes) -> Iterator[MailFault]:
    """Faults of the form of a message, and of who writes to whom."""
    for name in _SINGLE:
        if len(values := mail.all(name)) != 1 or not values[0]:
            yield fault("header_missing", name)
    yield from (fault("header_missing", name) for name in _AT_MOST_ONE if len(mail.all(name)) > 1)
    if not author_of(mail):
        yield fault("author_unclear", "From")
    shown = {address.casefold() for address in mail.addresses("To", "Cc", "Bcc")}
    is_for_one = bool(expected.to) or expected.mail_class is not MailClass.OWED
    if is_for_one and (len(shown) > 1 or (expected.to and shown != {expected.to.casefold()})):
        yield fault("recipient_several", "To, Cc, Bcc")
    if any(len(line.rstrip(b"\r")) > _LINE_MAX for line in raw.split(b"\n")):
        yield fault("line_too_long", "message")
    yield from (fault("undecodable", part) for part in mail.undecodable)
    if len((mail.html or "").encode()) > _CLIPPED_BYTES:
        yield fault("clipped", "text/html")


def signature_faults(mail: MailParts, expected: Expected) -> Iterator[MailFault]:
    """Faults of what the signatures claim, and of the envelope. Whether they verify is another question."""
    author = author_of(mail)
    signatures = [SignatureTags.read(value) for value in mail.all("DKIM-Signature")]
    aligned = [it for it in signatures if is_aligned(it.domain, author)]
    if not aligned:
        # Nobody's owed message waits for a key.
        yield replace(fault("unsigned", "DKIM-Signature"), blocks=expected.mail_class is not MailClass.OWED)
    for name in (name for name in _COVERED if mail.all(name)) if aligned else ():
        if not any(it.covers(name, len(mail.all(name))) for it in aligned):
            yield fault("signature_partial", name)
    if any(it.is_cut for it in aligned):
        yield fault("signature_partial", "l=")
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        if mail.all(name) and not any(it.covers(name, len(mail.all(name))) for it in aligned):
            yield fault("optout_unsigned", name)
    if expected.envelope and not is_aligned(expected.envelope.rpartition("@")[2].lower(), author):
        yield fault("envelope_elsewhere", "envelope")


def optout_faults(mail: MailParts, expected: Expected) -> Iterator[MailFault]:
    """Faults of the opt-out, which every message but an owed one has."""
    addresses = opt_outs(mail)
    if expected.is_own is not None:
        yield from (fault("token_of_another", where) for where in _of_another(mail, addresses, expected))
    if expected.mail_class is MailClass.OWED:
        return
    web = [uri for uri in addresses if uri.lower().startswith("https://")]
    if len(mail.all("List-Unsubscribe")) != 1 or len(web) != 1:
        yield fault("optout_missing", "List-Unsubscribe")
    if not any(uri.lower().startswith("mailto:") for uri in addresses):
        yield fault("optout_no_mail", "List-Unsubscribe")
    if mail.all("List-Unsubscribe-Post") != [ONE_CLICK]:
        yield fault("optout_not_one_click", "List-Unsubscribe-Post")
    if mail.html and not any(it.url in web or is_stop(it.url) or is_stop(it.words) for it in mail.shown_links):
        yield fault("optout_hidden", "text/html")
    if mail.text is not None and not (any(uri in mail.text for uri in web) or is_stop(mail.text)):
        yield fault("optout_hidden", "text/plain")


def is_stop(text: str) -> bool:
    """Whether a text or an address speaks of stopping messages."""
    return bool(_STOP.search(text))


def _of_another(mail: MailParts, addresses: Sequence[str], expected: Expected) -> Iterator[str]:
    """Where there is an opt-out that is not the recipient's: in the header, or in a link beside that of the header."""
    assert expected.is_own is not None, "it was looked at"
    if not all(map(expected.is_own, addresses)):
        yield "List-Unsubscribe"
    places = tuple(uri.rpartition("/")[0] + "/" for uri in addresses if uri.startswith("https://"))
    if not all(expected.is_own(url) for url in mail.urls if url.startswith(places)):
        yield "text"

"""The full checks: of one message, and of several people's copies of it beside each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from troth.service.mail.inbox.parsing import BAD_MAIL
from troth.service.mail.preflight.content import (
    content_faults,
    host_of,
    is_opt_out,
    is_personal,
    link_faults,
    may_be_id,
)
from troth.service.mail.preflight.faults import Expected, MailFault, fault
from troth.service.mail.preflight.headers import (
    SignatureTags,
    author_of,
    header_faults,
    is_aligned,
    optout_faults,
    signature_faults,
)
from troth.service.mail.preflight.parts import MailParts, take_apart
from troth.service.mail.signatures.records import DnsUnavailable, Lookup, has_dmarc, is_spf
from troth.site.fetch import FetchLimits, Site, get
from troth.site.page import ProbeError

RECORDS = "whether the signatures verify, and the records of SPF and DMARC"
"""What begins with this in `Preflight.not_looked_at` says that no name server answered."""
_LINKS_MAX = 50
_SILENT = logging.getLogger("troth.mail.preflight.dkim")
_SILENT.disabled = True  # its texts may quote the message
Follow = Callable[[str], int | None]
"""The HTTP status of a page, whose redirects are not followed; None if it could not be looked up. Raises `ProbeError`
if it does not answer."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found, and what was *not_looked_at*, with the reason."""

    faults: tuple[MailFault, ...]
    not_looked_at: tuple[str, ...]


def check(raw: bytes, expected: Expected, dns: Lookup | None = None, follow: Follow | None = None) -> Preflight:
    """Check a message as it is sent. Without *dns* and *follow* records and pages are not looked at. Raises
    `MailUnreadable`."""
    return _checked(take_apart(raw), raw, expected, dns, follow)


def check_samples(samples: Sequence[tuple[bytes, Expected]], dns: Lookup | None, follow: Follow | None) -> Preflight:
    """Check the copies of several people, also beside each other: nothing but the opt-out may tell them apart, and no
    copy may name somebody else. Pages are followed from the first. Raises `MailUnreadable`."""
    mails = [take_apart(raw) for raw, _ in samples]
    each = [
        _checked(mail, raw, expected, dns, None if at else follow)
        for at, (mail, (raw, expected)) in enumerate(zip(mails, samples, strict=True))
    ]
    faults = [*(it for one in each for it in one.faults), *_crossed(mails, [expected for _, expected in samples])]
    return Preflight(tuple(dict.fromkeys(faults)), each[0].not_looked_at if each else ())


def status_of(url: str, seconds: float = 10.0) -> int:
    """`Follow` over the network, to public addresses only. No wait is longer than *seconds*."""
    site = Site(url, limits=FetchLimits(seconds), public_only=True)
    return get(site, url, {}, is_read=lambda headers: False)[0].status_code


def _checked(mail: MailParts, raw: bytes, expected: Expected, dns: Lookup | None, follow: Follow | None) -> Preflight:
    faults = [
        *header_faults(mail, expected, raw),
        *signature_faults(mail, expected),
        *optout_faults(mail, expected),
        *content_faults(mail, expected),
        *link_faults(mail, expected),
    ]
    unseen: list[str] = []
    try:
        faults += _of_dns(mail, raw, expected, dns) if dns is not None else ()
    except DnsUnavailable as error:
        dns, reason = None, str(error)
    else:
        reason = "DNS was not asked"
    if dns is None:
        unseen.append(f"{RECORDS}: {reason}")
    if not expected.envelope:
        unseen.append("the envelope sender: a stored message does not have it")
    if expected.is_own is None:
        unseen.append("whether the opt-out is this recipient's: only its sender knows")
    dead, skipped = _dead_links(mail, expected, follow) if follow is not None else ([], len(set(mail.urls)))
    if skipped:
        what = "opt-outs and links with an id, because following them may do something" if follow else "links"
        unseen.append(f"whether pages answer: {skipped} {what}")
    return Preflight(tuple(dict.fromkeys([*faults, *dead])), tuple(unseen))


def _of_dns(mail: MailParts, raw: bytes, expected: Expected, lookup: Lookup) -> Iterator[MailFault]:
    author = author_of(mail)
    yield from _of_signatures(mail, raw, author, lookup)
    envelope = expected.envelope.rpartition("@")[2].lower() or author
    if not author:
        return
    if sum(map(is_spf, lookup.txt(envelope))) != 1:
        yield fault("spf_missing", envelope)
    if not has_dmarc(author, lookup):
        yield fault("dmarc_missing", author)


def _of_signatures(mail: MailParts, raw: bytes, author: str, lookup: Lookup) -> Iterator[MailFault]:
    import dkim  # asks for its own DNS library, which the checks of every message do not need

    missing: list[str] = []

    def record(name: bytes, timeout: int = 0) -> bytes | None:
        found = lookup.txt(name.decode("ascii", "replace").rstrip("."))
        missing.extend(() if found else ("",))
        return found[0].encode() if found else None

    for at, value in enumerate(mail.all("DKIM-Signature")):
        if is_aligned(SignatureTags.read(value).domain, author):
            missing.clear()
            try:
                is_verified = dkim.DKIM(raw, logger=_SILENT).verify(at, dnsfunc=record)
            except (dkim.DKIMException, *BAD_MAIL):
                is_verified = False
            if not is_verified:
                yield fault("key_missing" if missing else "signature_broken", "DKIM-Signature")


def _dead_links(mail: MailParts, expected: Expected, follow: Follow) -> tuple[list[MailFault], int]:
    """Faults of pages that do not answer or could not be looked up, and how many links were not followed."""
    urls = {url.partition("#")[0] for url in mail.urls if url.lower().startswith("https:")}
    safe = [it for it in urls if not (is_opt_out(it, mail) or is_personal(it, mail, expected) or may_be_id(it))]
    faults = []
    for url in sorted(safe)[:_LINKS_MAX]:
        try:
            status = follow(url)
        except ProbeError:
            status = 404
        if status is None:
            faults.append(fault("link_unseen", host_of(url)))
        elif status in (404, 410) or status >= 500:
            faults.append(fault("link_dead", host_of(url)))
    return faults, len(urls) - len(safe[:_LINKS_MAX])


def _crossed(mails: Sequence[MailParts], expected: Sequence[Expected]) -> Iterator[MailFault]:
    people = {it.to.casefold() for it in expected if it.to}
    texts = [f"{mail.first('Subject')} {mail.text or ''} {mail.html or ''}".casefold() for mail in mails]
    for text, own in zip(texts, expected, strict=True):
        if any(address in text for address in people - {own.to.casefold()}):
            yield fault("recipient_several", "text")
    untracked = [mail for mail, own in zip(mails, expected, strict=True) if not own.may_track]
    seen = [{url for url in _all_urls(mail) if not is_opt_out(url, mail)} for mail in untracked]
    if any(urls != seen[0] for urls in seen[1:]):
        yield fault("decorated_link", "text")


def _all_urls(mail: MailParts) -> Iterator[str]:
    yield from (url for url in mail.urls if url.startswith("http"))
    yield from (source for image in mail.images if (source := image.get("src")))

"""Faults of what a message says and shows: subject, texts, addresses, tracking and links."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from troth.detect.addresses import AddressFinder
from troth.detect.text import FoldedText
from troth.service.mail.preflight.faults import Expected, MailClass, MailFault, fault, words
from troth.service.mail.preflight.headers import author_of, is_aligned, is_stop, opt_outs
from troth.service.mail.preflight.parts import MailParts, is_hidden
from troth.text import folded

[_REPLY], [_ADVERTISEMENT], [_PLACEHOLDER] = words("reply"), words("advertisement"), words("placeholder")
[_PERSONAL], [_REDIRECTOR] = words("personal"), words("redirector")
_CLAIMS = words("claims")
_URL = re.compile(r"(?:https?://|mailto:)\S+", re.I)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_TINY = re.compile(r"(?:^|[;\s])(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|$)", re.I)
_ID = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", re.I)
_WORDS_MIN, _URL_MAX = 30, 4_000
_OTHER_MAX, _OTHER_SHARE = 5, 0.1
"""Words, and their share, that only one of text and HTML may have."""


def content_faults(mail: MailParts, expected: Expected) -> Iterator[MailFault]:
    """Faults of what a message says, by simple rules: they cannot tell a lie from the truth."""
    subject, text = mail.first("Subject"), folded(mail.words)
    if _REPLY.match(subject) and not (mail.all("In-Reply-To") or mail.all("References")):
        yield fault("subject_reply", "Subject")
    if any(claim.search(subject) and not claim.search(mail.words) for claim in _CLAIMS):
        yield fault("subject_claim", "Subject")
    stems = {word[:5] for word in folded(subject).split() if len(word) > 3}
    if stems and len(text.split()) >= _WORDS_MIN and not any(stem in text for stem in stems):
        yield fault("subject_unrelated", "Subject")
    for place, part in (("Subject", subject), ("text/plain", mail.text or ""), ("text/html", mail.html or "")):
        if _PLACEHOLDER.search(part):
            yield fault("placeholder_left", place)
    if expected.mail_class is not MailClass.OWED:
        yield from _sender_faults(mail, expected, text)
    yield from _difference(mail)
    if any(not _is_known(address, mail, expected) for address in _EMAIL.findall(mail.words)):
        yield fault("stranger_named", "text")


def _sender_faults(mail: MailParts, expected: Expected, text: str) -> Iterator[MailFault]:
    if expected.postal_address:
        if folded(expected.postal_address) not in text:
            yield fault("postal_address_missing", "text")
    elif not any(found.type == "ADDRESS" for found in AddressFinder().find(FoldedText(mail.words))):
        yield fault("postal_address_unseen", "text")
    is_advertisement = expected.mail_class is MailClass.COMMERCIAL and not expected.has_consented
    if is_advertisement and not _ADVERTISEMENT.search(f"{mail.first('Subject')} {mail.words}"):
        yield fault("advertisement_unlabelled", "text")


def _difference(mail: MailParts) -> Iterator[MailFault]:
    if mail.text is None or mail.html is None:
        if mail.html is not None:
            yield fault("text_missing", "text/plain")
        return
    urls = {_place(url) for url in _URL.findall(mail.text)}
    plain, shown = (Counter(folded(_URL.sub(" ", it)).split()) for it in (mail.text, mail.shown))
    # The numbers of a list are in the text only, a heading may be on the page only.
    other = sum(count for word, count in ((plain - shown) + (shown - plain)).items() if not word.isdigit())
    has_more_links = any(_place(link.url) not in urls for link in mail.shown_links if link.url.startswith("http"))
    if has_more_links or other > max(_OTHER_MAX, _OTHER_SHARE * max(plain.total(), shown.total())):
        yield fault("texts_differ", "text/plain, text/html")


def _place(url: str) -> str:
    """A link without what surrounds it in a text."""
    return url.strip("<>()[].,;:!?\"'").rstrip("/")


def _is_known(address: str, mail: MailParts, expected: Expected) -> bool:
    known = {
        expected.to.casefold(),
        *(it.casefold() for it in expected.addresses),
        *map(str.casefold, mail.addresses("To")),
    }
    return address.casefold() in known or is_aligned(address.rpartition("@")[2].lower(), author_of(mail))


# --- tracking and links ---------------------------------------------------------------------------------------------


def link_faults(mail: MailParts, expected: Expected) -> Iterator[MailFault]:
    """Faults of images and links: unsafe ones, and those that tell who reads, unless the person consented to that."""
    sources = [(image.get("src") or "").strip() for image in mail.images]
    if mail.has_active or any(not _is_safe(url) for url in (*(link.url for link in mail.links), *sources)):
        yield fault("link_unsafe", "text/html")
    if expected.may_track:
        return
    for image, source in zip(mail.images, sources, strict=True):
        is_remote = source.lower().startswith(("http:", "https:", "//"))
        if is_remote and (_is_unseen(image) or is_personal(source, mail, expected) or may_be_id(source)):
            yield fault("pixel", "text/html")
            break
    links = [url for url in mail.urls if url.lower().startswith("http") and not is_opt_out(url, mail)]
    if any(_REDIRECTOR.search(host_of(url)) for url in links):
        yield fault("redirector", "text")
    if any(is_personal(url, mail, expected) for url in links):
        yield fault("decorated_link", "text")
    elif any(map(may_be_id, links)):
        # The same id for everybody, as that of a document, is harmless: only two people's messages show that.
        yield replace(fault("decorated_link", "text"), blocks=False)


def is_opt_out(url: str, mail: MailParts) -> bool:
    """Whether a link is the opt-out: it is this person's, and counts nothing."""
    return url in opt_outs(mail) or is_stop(url) or any(link.url == url and is_stop(link.words) for link in mail.links)


def host_of(url: str) -> str:
    """The host of a link; empty if it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def may_be_id(url: str) -> bool:
    """Whether a link has something like an id."""
    return bool(_ID.search(url[:_URL_MAX].partition("://")[2].partition("/")[2]))


def is_personal(url: str, mail: MailParts, expected: Expected) -> bool:
    """Whether a link tells who follows it: by the recipient's address in it, as text or hash, or by a parameter that is
    known for it."""
    plain = unquote(url).casefold()
    addresses = [address.casefold() for address in (expected.to, *mail.addresses("To")) if address]
    hashes = [hash_(address.encode()).hexdigest() for address in addresses for hash_ in (hashlib.md5, hashlib.sha256)]
    return bool(_PERSONAL.search(url)) or any(it in plain for it in (*addresses, *hashes))


def _is_unseen(image: Mapping[str, str | None]) -> bool:
    sizes = {(image.get(side) or "").strip().removesuffix("px") for side in ("width", "height")}
    return bool(sizes & {"0", "1"}) or is_hidden(image) or bool(_TINY.search(image.get("style") or ""))


def _is_safe(url: str) -> bool:
    scheme = url.partition(":")[0].lower() if re.match(r"[a-z][a-z0-9+.-]*:", url, re.I) else ""
    return scheme in ("https", "mailto", "tel", "cid", "") or url.lower().startswith("data:image/")

"""Finds the contact details in a policy."""

from __future__ import annotations

import bisect
import enum
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from troth.policy.text import PolicyText, Sentence, Span

_CHARACTERS_MAX = 4_000
_ADDRESS_WORDS_MAX = 25
_DIGITS = range(7, 16)


class ContactKind(enum.StrEnum):
    """The kind of a contact."""

    EMAIL = "email"
    TELEPHONE = "telephone"
    POST = "post"
    LINK = "link"


class Reached(enum.StrEnum):
    """Whose contact it is: the party named last before it in the sentence, else the one that the sentence or its
    heading names; else the company."""

    COMPANY = "company"
    OFFICER = "data protection officer"
    AUTHORITY = "authority"
    REPRESENTATIVE = "representative"
    RECIPIENT = "recipient"
    """Somebody to whom the company gives data."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the policy prints it. Whether it works is not checked here."""

    kind: ContactKind
    value: str = field(repr=False)
    reached: Reached
    sentence: Sentence = field(repr=False)
    span: Span


_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?:@| ?[\[(] ?at ?[\])] ?)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}", re.I
)
_URL = re.compile(r"(?:https?://|(?<![\w.@/-])www\.)[^\s<>\"“”]{3,300}", re.I)
_TELEPHONE = re.compile(r"(?<![\w.+-])\+?\(?\d[\d ().\u00a0/-]{5,22}\d(?![\w-])")
_CALLING = re.compile(
    r"\b(?:tel|telephones?|phones?|call|ring|fax|freephone|hotline|mobile|dial)\b|toll[- ]free|[📞☎📱✆]", re.I
)
_NATIONAL = re.compile(r"\(?0\d{2,4}\)? ")
"""Start of a number that counts as a telephone number next to an address."""
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")

_POSTCODE = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]\d[\dW] [A-Z\d]{4}|"
    r"(?:[A-Z]{1,2}-)?(?:\d{5}|(?!19|20)\d{4}(?: [A-Z]{2})?) [A-Z]\w{2,30})\b"
)
_WITHIN_ADDRESS = frozenset({"of", "for", "and", "the", "&", "de", "la", "der", "du", "c/o", "no.", "-", "–"})
_BEGINS_ADDRESS = frozenset({"the", "c/o", "de", "la"})
_COUNTRY = re.compile(r"(?:, [A-Z][\w-]{1,30}(?: (?:of|and|the|[A-Z][\w-]{1,30})){0,4}){1,2}")

_WHO = {
    Reached.OFFICER: re.compile(r"\bdata[- ]protection[- ]officer|\bDPO\b|\bprivacy officer", re.I),
    Reached.AUTHORITY: re.compile(
        r"\bsupervisory authorit|\bregulator\b|\b[Cc]ommissioner\b|\b[Oo]mbudsman\b|"
        r"\b[Dd]ata[- ][Pp]rotection (?:[Aa]uthorit|[Cc]ommission)|\b(?:Landes|Bundes)beauftragte|"
        r"\b(?:ICO|CNIL|AEPD|BfDI|DPC|OAIC)\b"
    ),
    Reached.REPRESENTATIVE: re.compile(r"\b(?:EU|UK|European|our) representative\b|\bArticle 27\b"),
}
_RECIPIENT = re.compile(
    r"\b(?:(?:sub-?)?processors?|providers?|partners?|suppliers?|vendors?|recipients?|third part(?:y|ies))\b", re.I
)
_RECIPIENTS = re.compile(rf"{_RECIPIENT.pattern}|\bwho else\b|\bwhom\b", re.I)
"""How headings refer to recipients."""
_US = re.compile(r"\b(?:us|me)\b")
_BEFORE = {**_WHO, Reached.RECIPIENT: _RECIPIENT, Reached.COMPANY: _US}
_OURS = frozenset({Reached.COMPANY, Reached.OFFICER})


def contacts(policy: PolicyText) -> list[Contact]:
    """E-mail and postal addresses, telephone numbers and links, in order."""
    found: list[Contact] = []
    heading = ""
    for block in policy.blocks:
        heading = block.text if block.kind == "heading" else heading
        for sentence in block.sentences:
            ways = sorted(_ways(sentence).items())
            named = _named(sentence.text[:_CHARACTERS_MAX]) if ways else []
            otherwise = _reached(sentence.text) or _headed(heading) or Reached.COMPANY
            for (start, end), (kind, value) in ways:
                before = bisect.bisect_left(named, (end,))
                reached = named[before - 1][1] if before else otherwise
                found.append(Contact(kind, value, reached, sentence, policy.place(sentence, start, end)))
    own = _own_host(found)
    return [replace(one, reached=Reached.COMPANY) if _is_own(one, own) else one for one in found]


def _named(text: str) -> list[tuple[int, Reached]]:
    """The parties that a sentence names, in order, each with its offset."""
    return sorted((match.start(), who) for who, pattern in _BEFORE.items() for match in pattern.finditer(text))


def _reached(text: str) -> Reached | None:
    return next((who for who, pattern in _WHO.items() if pattern.search(text[:_CHARACTERS_MAX])), None)


def _headed(heading: str) -> Reached | None:
    return _reached(heading) or (Reached.RECIPIENT if _RECIPIENTS.search(heading[:_CHARACTERS_MAX]) else None)


def _own_host(contacts: list[Contact]) -> str:
    """The host of the company's mailboxes: the most frequent one, or the first of several."""
    mailboxes = [one for one in contacts if one.kind is ContactKind.EMAIL]
    ours = [one for one in mailboxes if one.reached in _OURS]
    hosts = Counter(map(_host, ours or mailboxes))
    return max(hosts, key=hosts.__getitem__, default="")


def _is_own(contact: Contact, own: str) -> bool:
    """True if it is one of the company's own mailboxes, although the words before it name a recipient."""
    return contact.reached is Reached.RECIPIENT and contact.kind is ContactKind.EMAIL and _host(contact) == own


def _host(mailbox: Contact) -> str:
    return re.split(r"@|at ?[\])]", mailbox.value.casefold())[-1].strip()


def _ways(sentence: Sentence) -> dict[tuple[int, int], tuple[ContactKind, str]]:
    """The contacts by position. A link counts as its target, unless its text is a contact already."""
    text = sentence.text[:_CHARACTERS_MAX]
    found: dict[tuple[int, int], tuple[ContactKind, str]] = {}
    for match in _EMAIL.finditer(text):
        found[match.span()] = ContactKind.EMAIL, match[0]
    for match in _URL.finditer(text):
        value = match[0].rstrip(".,;:!?)]'’")
        found[match.start(), match.start() + len(value)] = ContactKind.LINK, value
    for start, end in _addresses(text):
        found[start, end] = ContactKind.POST, text[start:end]
    for start, end in _numbers(text, is_beside=bool(found)):
        found[start, end] = ContactKind.TELEPHONE, text[start:end]
    for link in sentence.links:
        led_to = _led_to(link.href)
        if led_to and link.end <= len(text) and not any(start < link.end and link.start < end for start, end in found):
            found[link.start, link.end] = led_to
    return found


_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.I)


def _led_to(href: str) -> tuple[ContactKind, str] | None:
    """What a link leads to: a web page, a mailbox or a telephone number. None for anything else, such as an anchor on
    the same page."""
    if href.startswith("#"):
        return None
    found = _SCHEME.match(href)
    if found is None or found[1].casefold() in {"http", "https"}:
        return ContactKind.LINK, href
    kind = {"mailto": ContactKind.EMAIL, "tel": ContactKind.TELEPHONE}.get(found[1].casefold())
    return (kind, href[found.end() :].partition("?")[0]) if kind else None


def _numbers(text: str, *, is_beside: bool) -> Iterator[tuple[int, int]]:
    """Telephone numbers: in international form, in any form if the sentence mentions calling, or in national form next
    to an address (*is_beside*)."""
    is_calling = _CALLING.search(text) is not None
    for match in _TELEPHONE.finditer(text):
        digits = sum(each.isdigit() for each in match[0])
        is_one = match[0].startswith("+") or is_calling or (is_beside and _NATIONAL.match(match[0]))
        if digits in _DIGITS and is_one and not _ISO_DATE.match(match[0]):
            yield match.span()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """Postal addresses: a postcode with the names and numbers before it, and the country after it."""
    reached = 0
    for code in _POSTCODE.finditer(text):
        start = code.start()
        words = list(re.finditer(r"\S+", text[reached : code.start()]))[-_ADDRESS_WORDS_MAX:]
        for word in reversed(words):
            is_name = word[0][0].isupper() or word[0][0].isdigit() or word[0][0] in "(#"
            if word[0].endswith((":", ";", "?")) or not (is_name or word[0].casefold() in _WITHIN_ADDRESS):
                break
            start = reached + word.start() if is_name or word[0].casefold() in _BEGINS_ADDRESS else start
        before = text[start : code.start()]
        if len(before.split()) < 2 or not ("," in before or re.search(r"\d", before)):
            continue
        country = _COUNTRY.match(text, code.end())
        reached = country.end() if country else code.end()
        yield start, reached

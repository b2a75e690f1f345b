"""An incoming e-mail, as seen by those who look for a report in it: what its sender says, which message it returns, and
which addresses it is about."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from troth.data_files import read_toml
from troth.service.mail.bounces.mime import RETURNED, RETURNED_HEADERS, Part, fields_in
from troth.text import without_accents

MENTIONS_MAX = 200
_TEXT_MAX, _MENTION_MAX, _LINE_MAX, _PROSE = 20_000, 4_000, 1_000, 50
_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\\r\n]|\\.){1,64}"|"""
    r"""[^\s@<>()\[\]\\,;:"'`=*|\x00-\x20\x7f-\x9f\u3000-\u303f\uff00-\uff20]"""
    r"""[^\s@<>()\[\]\\,;:"*|\x00-\x20\x7f-\x9f\u3000-\u303f\uff00-\uff20]{0,127})"""
    r"""@(?:[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62}){1,10})"""
)
_ANSWERED = re.compile(r"\s{0,20}[45]\d\d (?:[45]\.\d{1,3}\.\d{1,3} )?<([^<>]{3,200})>\.\.\. ")
"""A line of Sendmail that says what became of one recipient; what follows is about others."""
_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_SENT_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "apparently-to", "to")


@dataclass(slots=True, repr=False)
class Mention:
    """What a report in words says about an address, the *original* address if it was passed on, and what the report
    says *before* the first address."""

    address: str
    text: str
    original: str = ""
    before: str = ""

    def is_about(self, address: str) -> bool:
        return address.casefold() in (self.address.casefold(), self.original.casefold())


class IncomingMail:
    """The parts of an e-mail: its *own*, and those of the message that it returns."""

    def __init__(self, parts: list[Part]) -> None:
        self.top = parts[0]
        self.parts = parts
        self.own = [part for part in parts if part.inside == 0]
        self.sent_to = tuple(
            unique(a for name in _SENT_TO for value in self.top.all(name) for a in addresses_in(value))
        )
        self.subject = folded(self.top.first("subject"))[:300].strip()
        self.author = folded(self.top.first("from"))[:300]
        self.sender = next(iter(addresses_in(self.top.first("from"))), "")

    @property
    def is_from_daemon(self) -> bool:
        """Whether its author is a mail server, or nobody."""
        return (not self.sender and "@" not in self.author) or matches("daemon", self.author)

    @property
    def is_automatic(self) -> bool:
        """Whether a program says that it wrote it: none of these headers is in what a person writes."""
        submitted = self.top.first("auto-submitted").partition(";")[0].strip().lower()
        return submitted not in ("", "no") or self.top.first("return-path").strip() == "<>"

    @property
    def text(self) -> str:
        """What its sender says, without the message that is returned."""
        return self._said_and_returned[0]

    @functools.cached_property
    def _said_and_returned(self) -> tuple[str, str]:
        texts = [part for part in self.own if part.type == "text/plain"]
        texts = texts or [p for p in self.own if p.type.startswith("text/") and p.type not in RETURNED_HEADERS]
        lines = "\n".join(part.text[:_TEXT_MAX] for part in texts[:5])[:_TEXT_MAX].split("\n")
        lines = [line for line in lines if not matches("echoed", folded(line[:40]))]
        for number, line in enumerate(lines):
            if number and matches("returned", folded(line[:300])):
                return "\n".join(lines[:number]), "\n".join(lines[number:])
        return "\n".join(lines), ""

    @functools.cached_property
    def returned(self) -> tuple[tuple[str, str], ...]:
        """The header of the message that is returned."""
        for before, part in zip([self.top, *self.parts], self.parts, strict=False):
            if part.inside == 1 and part.fields and before.type in RETURNED:
                return part.fields
            if part.inside == 0 and part.type in RETURNED_HEADERS:
                return fields_in(part.text.lstrip())
        return fields_in(re.sub(r"(?m)^[> ]+(?=[A-Za-z-]+:)", "", self._said_and_returned[1]))

    def returned_to(self, *names: str) -> list[str]:
        """Addresses in these fields of the returned message."""
        values = [value for name in names for known, value in self.returned if known == name]
        return unique(address for value in values for address in addresses_in(value))

    @property
    def message_id(self) -> str:
        """The Message-ID of the message that is returned, or that this one answers; empty if it has none."""
        sources = [value for name, value in self.returned if name in ("message-id", "original-message-id")]
        fields = [field for part in self.own[1:] for field in fields_in(part.text[:_MENTION_MAX])]
        sources += [value for name, value in fields if name.endswith("message-id")]
        sources += re.findall(r"(?im)^\s{0,20}message-id:(.{3,300})", self.text)
        sources += self.top.all("in-reply-to") + self.top.all("references")[-1:]
        return next((found[-1] for source in sources if (found := _MESSAGE_ID.findall(source))), "")

    def wrapped_report(self) -> list[Part] | None:
        """The parts of a report that this e-mail, itself of a mail server, does nothing but carry."""
        for number, part in enumerate(self.parts):
            if part.inside == 1 and part.type == "multipart/report" and self.is_from_daemon:
                return [replace(inner, inside=inner.inside - 1) for inner in self.parts[number:] if inner.inside]
        return None

    def written_to(self, final: str = "") -> str:
        """The address that the returned message was sent to, if it can be seen; else *final*. A message to a list is to
        the address of the list, which is not the one that reports are about."""
        recipients = self.returned_to("x-original-to", "x-failed-recipients", "to", "cc")
        if same := [address for address in recipients if address.casefold() == final.casefold()]:
            return same[0]
        senders = self.returned_to("from", "sender", "return-path", "list-post", "reply-to")
        ours = {address.casefold() for address in (*self.sent_to, *senders)}
        domains = {address.rpartition("@")[2] for address in ours} if final else set()
        others = [a for a in recipients if a.casefold() not in ours and a.rpartition("@")[2] not in domains]
        return others[0] if len(others) == 1 else final

    @functools.cached_property
    def mentions(self) -> list[Mention]:
        """The addresses that the text is about, and what it says about each. Those that begin a line count before those
        within sentences."""
        ours = {address.casefold() for address in (*self.sent_to, self.sender)}
        senders = {address.casefold() for address in self.returned_to("from", "sender", "return-path")}
        known: list[Mention] = []
        within: dict[str, Mention] = {}
        preamble: list[str] = []
        line = ""
        for next_line in self.text.split("\n"):
            # A long line that ends within a sentence goes on in the next one, which so begins with no recipient; it is
            # indented alike.
            is_open = len(line) > _PROSE and line.rstrip()[-1:].isalnum()
            is_sentence, line = is_open and _indent(line) == _indent(next_line), next_line
            answered = _ANSWERED.match(line)
            named = next(iter(addresses_in(answered[1])), "") if answered and len(known) < MENTIONS_MAX else ""
            if named and named.casefold() not in ours and not (known and known[-1].is_about(named)):
                known += [Mention(named, line[:_LINE_MAX]), Mention("", "")]
                continue
            for found in _ADDRESS.finditer(line[:_LINE_MAX]):
                address, before = _normal(found[0]), folded(line[: found.start()])[-60:]
                key = address.casefold()
                if matches("original", before):
                    known = known or [Mention("", "", before="\n".join(preamble))]
                    known[-1].original = address
                elif key in ours or matches("nobody", key) or (known and known[-1].is_about(address)):
                    continue
                elif matches("leading", before) and not (
                    is_sentence and not before.strip() and line[found.end() : found.end() + 1] != ":"
                ):
                    if len(known) < MENTIONS_MAX:
                        known.append(Mention(address, "", before="\n".join(preamble)))
                elif not known and key not in senders and not matches("aside", before):
                    within[key] = Mention(address, self.text)
            if known:
                known[-1].text = f"{known[-1].text}\n{line}"[:_MENTION_MAX]
            else:
                preamble.append(line)
        # Within sentences, one address is the recipient; several may be examples.
        return _merged(known) or (list(within.values()) if len(within) == 1 else [])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _merged(mentions: list[Mention]) -> list[Mention]:
    """One mention an address. Where several addresses stand one below the other, the text that follows is about all."""
    for mention, following in zip(reversed(mentions[:-1]), reversed(mentions[1:]), strict=True):
        if not re.search(r"\w{3}", _ADDRESS.sub("", mention.text)):
            mention.text = following.text
    merged: dict[str, Mention] = {}
    for mention in filter(lambda mention: mention.address or mention.original, mentions):
        first = merged.setdefault(mention.address.casefold(), mention)
        if first is not mention:
            first.text = f"{first.text}\n{mention.text}"[:_MENTION_MAX]
            first.original = first.original or mention.original
    return list(merged.values())


# --- addresses, and the patterns of shapes.toml ----------------------------------------------------------------------


def addresses_in(text: str) -> list[str]:
    """E-mail addresses in *text*, their domains in lower case and in the form of DNS."""
    return [_normal(found[0]) for found in _ADDRESS.finditer(_XTEXT.sub(_character, text[:_TEXT_MAX]))]


def unique(addresses: Iterable[str]) -> list[str]:
    known: dict[str, str] = {}
    for address in addresses:
        known.setdefault(address.casefold(), address)
    return list(known.values())


def _character(code: re.Match[str]) -> str:
    """That of ``\\x{E9}`` (RFC 6533, section 3); none if there is no such letter."""
    number = int(code[1], 16)
    return chr(number) if 0xA0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


def _normal(address: str) -> str:
    local, _, domain = re.sub(r"^smtp=", "", address, flags=re.IGNORECASE).rpartition("@")  # of X.400
    with contextlib.suppress(UnicodeError):
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    return f"{local.strip(chr(39))}@{domain.lower().rstrip('.')}"


def shapes() -> Mapping[str, Mapping[str, str]]:
    return read_toml(__package__, "shapes.toml")


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(without_accents(shapes()["patterns"][name]))


def matches(name: str, text: str) -> bool:
    """Whether the pattern *name* is anywhere in *text*, which is `folded`."""
    return _pattern(name).search(text) is not None


def starts(name: str, text: str) -> bool:
    return _pattern(name).match(text) is not None


def folded(text: str) -> str:
    """*text* in lower case, without accents."""
    return without_accents(text.lower()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

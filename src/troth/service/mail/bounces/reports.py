"""Reads what comes back to e-mails that were sent: delivery reports, complaints and automatic replies."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from troth.data_files import read_toml
from troth.service.mail.bounces.mime import RETURNED, RETURNED_HEADERS, Part, fields_in, take_apart
from troth.service.mail.bounces.replies import Judgement, ReportKind, judge
from troth.text import without_accents

_OUTCOMES_MAX, _TEXT_MAX, _NESTED_MAX = 200, 20_000, 3
_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\\r\n]|\\.){1,64}"|[^\s@<>()\[\]\\,;:"'`=*|\x00-\x20\x7f-\x9f][^\s@<>()\[\]\\,;:"*|\x00-\x20\x7f-\x9f]{0,127})"""
    r"""@(?:[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62}){1,10})"""
)
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_SENT_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "apparently-to", "to")
_AUTO_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply", "x-vacation")
_MOST_FIRST = (
    ReportKind.COMPLAINT,
    ReportKind.GONE,
    ReportKind.OURS,
    ReportKind.LATER,
    ReportKind.AUTO_REPLY,
    ReportKind.NONE,
)


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What a report says about one recipient. *address* is the one that was written to, as far as the report says;
    *final_address* the one that it was passed on to. Either is empty if unknown."""

    kind: ReportKind
    address: str = ""
    final_address: str = ""
    is_unsure: bool = False
    status: str = ""
    smtp_code: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What an incoming e-mail reports. *message_id* is that of the message that it is about; *sent_to* are the
    addresses that received the report, among them the one of `verp`. No part of it is shown by its `repr`."""

    outcomes: tuple[Outcome, ...] = ()
    message_id: str = ""
    sent_to: tuple[str, ...] = field(default=())
    feedback_type: str = ""

    @property
    def kind(self) -> ReportKind:
        """That of its outcome with the most consequences."""
        kinds = {outcome.kind for outcome in self.outcomes}
        return next((kind for kind in _MOST_FIRST if kind in kinds), ReportKind.NONE)

    @property
    def is_unsure(self) -> bool:
        """True if a person should look at it."""
        return any(outcome.is_unsure for outcome in self.outcomes)


def read_report(raw: bytes) -> Report:
    """What the e-mail *raw* reports; it may be any e-mail, and malformed. Raises nothing."""
    return _read(take_apart(raw), nested=0)


def _read(parts: list[Part], nested: int) -> Report:
    mail = _Mail(parts)
    report = _feedback(mail) or _challenge(mail) or _delivery_status(mail)
    if report is None and nested < _NESTED_MAX and (wrapped := mail.wrapped_report()):
        inner = _read(wrapped, nested + 1)
        report = inner if inner.outcomes else None
    report = report or _free_form(mail) or _auto_reply(mail) or Report()
    return replace(report, message_id=report.message_id or mail.message_id(report), sent_to=mail.sent_to)


class _Mail:
    """An e-mail, as seen by those who look for a report in it."""

    def __init__(self, parts: list[Part]) -> None:
        self.top = parts[0]
        self.parts = parts
        self.own = [part for part in parts if part.inside == 0]
        self.sent_to = tuple(_unique(a for name in _SENT_TO for value in self.top.all(name) for a in addresses_in(value)))
        self.subject = _folded(self.top.first("subject"))[:300].strip()
        self.sender = next(iter(addresses_in(self.top.first("from"))), "")

    @functools.cached_property
    def text(self) -> str:
        """What its sender says, without the message that is returned."""
        return self._split[0]

    @functools.cached_property
    def _split(self) -> tuple[str, str]:
        texts = [part for part in self.own if part.type == "text/plain" or "/" not in part.type]
        texts = texts or [part for part in self.own if part.type.startswith("text/") and part.type not in RETURNED_HEADERS]
        text = "\n".join(part.text[:_TEXT_MAX] for part in texts[:5])[:_TEXT_MAX]
        # An accent may be a character of its own that goes, so that places are only the same line by line.
        lines = [line for line in text.split("\n") if not _matches("echoed", _folded(line[:40]))]
        for number, line in enumerate(lines):
            if _matches("returned", _folded(line[:300])) and number:
                return "\n".join(lines[:number]), "\n".join(lines[number:])
        return "\n".join(lines), ""

    @functools.cached_property
    def returned(self) -> tuple[tuple[str, str], ...]:
        """The header of the message that is returned."""
        for part in self.parts:
            if part.inside == 1 and part.type and part.fields and self._is_message(part):
                return tuple((name, value) for name, value in part.fields)
            if part.inside == 0 and part.type in RETURNED_HEADERS:
                return fields_in(part.text.lstrip())
        return fields_in(re.sub(r"(?m)^[> ]+(?=[A-Za-z-]+:)", "", self._split[1]))

    def _is_message(self, part: Part) -> bool:
        before = self.parts[self.parts.index(part) - 1]
        return before.type in RETURNED

    def returned_to(self, *names: str) -> list[str]:
        """Addresses in these fields of the returned message."""
        values = [value for name in names for known, value in self.returned if known == name]
        return _unique(address for value in values for address in addresses_in(value))

    def message_id(self, report: Report) -> str:
        """The Message-ID of the message that the report is about."""
        if not report.outcomes:
            return ""
        sources = [value for name, value in self.returned if name in ("message-id", "original-message-id")]
        sources += [value for part in self.own for name, value in fields_in(part.text[:4_000]) if name.endswith("message-id") and part is not self.top]
        sources += re.findall(r"(?im)^\s*message-id:(.{3,300})", self.text)
        sources += self.top.all("in-reply-to") + self.top.all("references")[-1:]
        return next((found[-1] for source in sources if (found := _MESSAGE_ID.findall(source))), "")

    def wrapped_report(self) -> list[Part] | None:
        """The parts of a report that this e-mail, itself of a mail server, does nothing but carry."""
        if not self.is_from_daemon:
            return None
        for number, part in enumerate(self.parts):
            if part.inside == 1 and part.type == "multipart/report":
                return [replace(each, inside=each.inside - 1) for each in self.parts[number:] if each.inside]
        return None

    @functools.cached_property
    def is_from_daemon(self) -> bool:
        sender = _folded(self.top.first("from"))[:300]
        return not self.sender and "@" not in sender or _matches("daemon", sender)

    @functools.cached_property
    def is_automatic(self) -> bool:
        """Whether a program says that it wrote it: none of these headers is in what a person writes."""
        submitted = self.top.first("auto-submitted").partition(";")[0].strip().lower()
        return submitted not in ("", "no") or self.top.first("return-path").strip() == "<>"


def _feedback(mail: _Mail) -> Report | None:
    """RFC 5965, and the form of Outlook.com: a complaint."""
    part = next((part for part in mail.own if part.type in ("message/feedback-report", "message/x-feedback-report")), None)
    about = mail.returned_to("x-hmxmroriginalrecipient")
    if part is None:
        return Report(tuple(Outcome(ReportKind.COMPLAINT, address) for address in about), feedback_type="abuse") if about else None
    fields = fields_in(part.text.lstrip())
    type_ = next((value.strip().lower() for name, value in fields if name == "feedback-type"), "")
    kind = ReportKind(_data()["feedback"].get(type_, ReportKind.NONE))
    about = [a for name, value in fields if name in ("original-rcpt-to", "removal-recipient") for a in addresses_in(value)] or about
    about = _unique(about) or [_written_to(mail, "")]
    is_unsure = type_ not in _data()["feedback"] or type_ in ("fraud", "virus")
    return Report(tuple(Outcome(kind, a, is_unsure=is_unsure) for a in about), feedback_type=type_)


def _challenge(mail: _Mail) -> Report | None:
    says = _matches("challenge", _folded(mail.text[:4_000])) and not _matches("daemon", _folded(mail.top.first("from")))
    if says and (mail.is_automatic or mail.top.type == "multipart/report" or mail.top.first("in-reply-to")):
        return Report((Outcome(ReportKind.AUTO_REPLY, _written_to(mail, "") or mail.sender),))
    return None


def _delivery_status(mail: _Mail) -> Report | None:
    """RFC 3464 and 6533."""
    types = ("message/delivery-status", "message/global-delivery-status")
    blocks = [block for part in mail.own if part.type in types for block in _blocks(part.text)]
    blocks = blocks or [block for part in mail.own if part.type == "multipart/report" for block in _blocks(part.text) if not part.parameters.get("boundary")]
    recipients = [block for block in blocks if "final-recipient" in block or "original-recipient" in block]
    if not recipients:
        return None
    sections = _sections(mail)
    outcomes = []
    for block in recipients[:_OUTCOMES_MAX]:
        final = _recipient(block.get("final-recipient", ""))
        original = _recipient(block.get("original-recipient", "") or block.get("x-original-recipient", ""))
        section = next((s for s in sections if s.address.casefold() in (final.casefold(), original.casefold())), None)
        address = original or (section.original if section else "") or (_written_to(mail, final) if len(recipients) == 1 else final)
        judgement = _judged_block(block, section.text if section else mail.text if len(recipients) == 1 else "")
        outcomes.append(_outcome(judgement, address, final))
    return Report(tuple(dict.fromkeys(outcomes)))


def _judged_block(block: Mapping[str, str], text: str) -> Judgement:
    action = block.get("action", "").strip().lower()
    diagnostic = re.sub(r"^\s*[\w-]+\s*;", "", block.get("diagnostic-code", ""))
    status = block.get("status", "")
    said = f"{status.partition('(')[2]} {diagnostic}"
    judgement = judge(said, status)
    if judgement.is_unsure and not judge(f"{said} . {text}", status).is_unsure:
        judgement = judge(f"{said} . {text}", status)
    if action.startswith(("delivered", "relayed", "expanded")):
        return replace(judgement, kind=ReportKind.NONE, is_unsure=False)
    if action.startswith("delayed"):
        return replace(judgement, kind=ReportKind.LATER, is_unsure=False)
    return judgement


def _free_form(mail: _Mail) -> Report | None:
    """Reports in words."""
    failed = _unique(a for value in mail.top.all("x-failed-recipients") for a in addresses_in(value))
    text = _folded(mail.text[:6_000])
    is_titled = _starts("subject", mail.subject)
    says = _matches("failure", " ".join(text.split())) or judge(mail.text).kind is ReportKind.GONE
    is_read = any(part.type == "message/disposition-notification" for part in mail.own)
    if is_read and not (is_titled and says):
        return Report()
    comes_from_program = bool(failed) or _matches("program", _folded(mail.top.first("from"))[:300])
    if not (
        comes_from_program
        and (is_titled or says)
        or mail.is_from_daemon
        and (is_titled or says and mail.is_automatic)
        or is_titled
        and says
        and mail.is_automatic
    ):
        return None
    sections = [s for s in _sections(mail) if not failed or s.address.casefold() in {a.casefold() for a in failed}]
    sections = sections or [_Section(a, mail.text) for a in failed] or [_Section(_written_to(mail, ""), mail.text)]
    outcomes = []
    for section in sections[:_OUTCOMES_MAX]:
        judgement = judge(section.text)
        if judgement.is_unsure:
            judgement = judge(mail.text if len(sections) == 1 else f"{section.text}\n.\n{section.before}")
        if judgement.is_unsure and judgement.kind is ReportKind.LATER and _matches("delayed", f"{mail.subject} {text}"):
            judgement = replace(judgement, kind=ReportKind.LATER, is_unsure=False)
        address = section.original or (_written_to(mail, section.address) if len(sections) == 1 else section.address)
        outcomes.append(_outcome(judgement, address, section.address))
    return Report(tuple(dict.fromkeys(outcomes)))


def _auto_reply(mail: _Mail) -> Report | None:
    """RFC 3834, and the headers and subjects that are older than it."""
    submitted = mail.top.first("auto-submitted").strip().lower()
    precedence = mail.top.first("precedence").strip().lower()
    is_marked = submitted.startswith("auto-replied") or precedence in ("auto_reply", "auto-reply")
    is_marked = is_marked or any(mail.top.first(name).lower() not in ("", "no") for name in _AUTO_HEADERS)
    is_bulk = precedence in ("bulk", "junk") and not mail.top.first("list-id") and not mail.top.first("list-unsubscribe")
    is_quiet = mail.top.first("return-path").strip() == "<>" and not mail.is_from_daemon
    is_titled = _starts("auto_title", mail.subject)
    if is_marked or is_quiet or is_titled or _starts("auto_subject", mail.subject) and (mail.is_automatic or is_bulk):
        return Report((Outcome(ReportKind.AUTO_REPLY, mail.sender),))
    return None


# --- addresses -------------------------------------------------------------------------------------------------------


def addresses_in(text: str) -> list[str]:
    """E-mail addresses in *text*, their domains in lower case and in the form of DNS."""
    text = re.sub(r"\\x\{([0-9A-Fa-f]{1,6})\}", _character, text[:_TEXT_MAX])  # RFC 6533, section 3
    return [_normal(found[0]) for found in _ADDRESS.finditer(text)]


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return chr(number) if 0xA0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


def _normal(address: str) -> str:
    local, _, domain = re.sub(r"^smtp=", "", address, flags=re.IGNORECASE).rpartition("@")  # of X.400
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            pass
    return f"{local.strip(chr(39))}@{domain.lower().rstrip('.')}"


def _recipient(value: str) -> str:
    """The address in a field of RFC 3464: ``rfc822; ann@example.org``."""
    found = addresses_in(value)
    plain = value.rpartition(";")[2].strip(" <>")  # such as ann@mailhost, which no other server knows
    return found[0] if found else plain if re.fullmatch(r"[^\s@]{1,64}@[\w.-]{1,255}", plain) else ""


def _written_to(mail: _Mail, final: str) -> str:
    """The address that the returned message was sent to, if it can be seen; else *final*. A message to a list is to its
    address, which is not the one that reports are about."""
    recipients = mail.returned_to("x-original-to", "x-failed-recipients", "to", "cc")
    ours = {a.casefold() for a in (*mail.sent_to, *mail.returned_to("from", "sender", "return-path", "list-post", "reply-to"))}
    ours_at = {a.rpartition("@")[2] for a in ours}
    if final.casefold() in {a.casefold() for a in recipients}:
        return next(a for a in recipients if a.casefold() == final.casefold())
    others = [a for a in recipients if a.casefold() not in ours]
    if final:
        others = [a for a in others if a.rpartition("@")[2] not in ours_at]
    return others[0] if len(others) == 1 else final


# --- text ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True, repr=False)
class _Section:
    """What a report in words says about an address, the *original* address if it was passed on, and what the report
    says *before* the first address."""

    address: str
    text: str
    original: str = ""
    before: str = ""


def _sections(mail: _Mail) -> list[_Section]:
    """The addresses that the text is about, each with what it says about it. Addresses that begin a line count before
    those within sentences."""
    ours = {a.casefold() for a in (*mail.sent_to, mail.sender, *mail.returned_to("from", "sender", "return-path"))}
    sections: list[_Section] = []
    asides: dict[str, _Section] = {}
    preamble: list[str] = []
    for line in mail.text.split("\n"):
        for found in _ADDRESS.finditer(line[:1_000]):
            address, before = _normal(found[0]), _folded(line[: found.start()])[-60:]
            if _matches("original", before):
                sections = sections or [_Section("", "", before="\n".join(preamble))]
                sections[-1].original = address
            elif address.casefold() in ours or _matches("nobody", address.casefold()):
                continue
            elif any(address.casefold() in (s.address.casefold(), s.original.casefold()) for s in sections[-1:]):
                continue
            elif _matches("leading", before):
                if len(sections) < _OUTCOMES_MAX:
                    sections.append(_Section(address, "", before="\n".join(preamble)))
            elif not _matches("aside", before) and not sections:
                asides[address.casefold()] = _Section(address, mail.text)
        if sections:
            sections[-1].text = f"{sections[-1].text}\n{line}"[:4_000]
        else:
            preamble.append(line)
    for section, following in zip(reversed(sections[:-1]), reversed(sections[1:]), strict=True):
        if not re.search(r"\w{3}", _ADDRESS.sub("", section.text)):  # several addresses, then what is true of all
            section.text = following.text
    merged: dict[str, _Section] = {}
    for section in sections:
        known = merged.setdefault(section.address.casefold(), section)
        if known is not section:
            known.text, known.original = f"{known.text}\n{section.text}"[:4_000], known.original or section.original
    # Within sentences, one address is the recipient; several may be examples.
    return list(merged.values()) or (list(asides.values()) if len(asides) == 1 else [])


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The groups of fields of a delivery report; a field that comes twice begins another group."""
    block: dict[str, str] = {}
    for group in re.split(r"\n[ \t]*\n", text):
        for name, value in fields_in(group):
            if name in block and name in ("final-recipient", "original-recipient", "action", "status"):
                yield block
                block = {}
            block.setdefault(name, value)
        yield block
        block = {}


def _outcome(judgement: Judgement, address: str, final: str) -> Outcome:
    return Outcome(judgement.kind, address, final, judgement.is_unsure, judgement.status, judgement.smtp_code)


def _unique(addresses: Iterable[str]) -> list[str]:
    return list({address.casefold(): address for address in reversed(list(addresses))}.values())[::-1]


def _data() -> Mapping[str, Mapping[str, str]]:
    return read_toml(__package__, "shapes.toml")


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(without_accents(_data()["patterns"][name]))


def _matches(name: str, text: str) -> bool:
    return _pattern(name).search(text) is not None


def _starts(name: str, text: str) -> bool:
    return _pattern(name).match(text) is not None


def _folded(text: str) -> str:
    return without_accents(text.lower()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

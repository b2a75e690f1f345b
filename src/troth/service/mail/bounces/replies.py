"""Judges the answer of a mail server that refused a message: is the address gone, does it take mail later, or is the
fault ours? Nobody is taken for gone by 5.7.x; what contradicts itself or says nothing is the less harmful class, and
unsure."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum

from troth.data_files import read_toml
from troth.text import without_accents

_TEXT_MAX = 4_000


class ReportKind(StrEnum):
    """What a report says about a recipient."""

    GONE = "gone"
    LATER = "later"
    OURS = "ours"
    AUTO_REPLY = "auto_reply"
    COMPLAINT = "complaint"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The class of an answer, and its codes: the enhanced status (RFC 3463), such as 5.1.1, and that of SMTP."""

    kind: ReportKind
    is_unsure: bool = False
    status: str = ""
    smtp_code: str = ""
    is_delay: bool = False
    """The message may still arrive."""


_ENHANCED = re.compile(r"(?:(?<![\w.-])|(?<=\b[45]\d\d-))([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")
POLICY_STATUS = re.compile(r"(?:(?<![\w.-])|(?<=\b[45]\d\d-))5\.7\.\d{1,3}(?!\d|\.\d)")
"""5.7.x: a refusal for the policy of the server, by which nobody is stopped."""
_SMTP = re.compile(r"(?<![\d.:-])(4[2-7]\d|5[0-7]\d)(?=[\s#-])(?! \d+ )")
_LINKS = re.compile(r"\b(?:https?|mailto|ftp):[^\s<>]{0,1000}", re.IGNORECASE)
_BLOCK_LISTS = re.compile(
    r"spamhaus|spamcop|sorbs|dnsbl|rbl|barracuda|senderbase|abuseat|uceprotect|ipremoval|blacklist"
)
_BEFORE_RECIPIENT = re.compile(r">>> ?(?:MAIL FROM|[EH][EH]LO)\b[^\n]*(?=\n\s*(?:<<<)?\s*5\d\d)", re.IGNORECASE)
_AFTER_DATA = re.compile(
    r"(?:>>> ?DATA[ \t]*\n(?:[ \t]*<<< ?5\d\d[^\n]*\n?){1,9}+(?![ \t]*5\d\d 5\.1\.)|^[ \t-]*SMTP command\s+DATA\b)",
    re.IGNORECASE | re.MULTILINE,
)
"""A refusal of the message, in a transcript. Sendmail adds 5.1.x where the answer is about a recipient all the same."""
_ADDRESSES = re.compile(r"[^\s<>()\[\]:;,\"@]{1,128}@[^\s<>()\[\]:;,\"@]{1,255}")
_EXCHANGE = re.compile(r"\b(?:RESOLVER|STOREDRV|SMTPSEND|TRANSPORT|ROUTING|QUEUE|SMTP|TEXCH)(?:\.\w{1,40}){1,4}")
_HOSTS = re.compile(
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){2,10}\b|\b[\w-]{1,63}\.(?:com|net|org|edu|gov|info|biz|[a-z]{2})\b|\[[\d.:a-f]+\]"
)
_CODES = re.compile(r"(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w.]\w)|(?<![\w.])[45]\d\d(?=[\s-]|$)")
_STOPS = re.compile(r"[.!?;]+(?=[\s\"')<]|$)")
_OTHER_SIGNS = re.compile(r"[^\w@\x01]+|_+")


def judge(text: str, status: str = "") -> Judgement:
    """The class of what a server answered, in its own words, and the *status* that a report or connection gives."""
    text = text[:_TEXT_MAX]
    codes = _ENHANCED.findall(text)
    given = next(iter(_ENHANCED.findall(status)), "")
    specific = [code for code in (*codes, given) if not code.endswith(".0.0") and code != "5.5.0"]
    code = next(iter(specific), given)
    smtp_code = next(iter(_SMTP.findall(_LINKS.sub(" ", text + " "))), "")
    kind, is_unsure = _judged(_words(text), specific, code, smtp_code)
    return Judgement(kind, is_unsure, code or next(iter(codes), ""), smtp_code)


def is_doubtful(answer: str, text: str) -> bool:
    """Whether *answer* calls a user unknown, and nothing else, after the server had accepted the address, which only
    the *text* of the report may show."""
    is_coded = _is_listed(ReportKind.GONE, _ENHANCED.findall(answer))
    return not is_coded and _is_bare(f"{_words(answer)} . {_words(text[:_TEXT_MAX])}")


def _is_bare(words: str) -> bool:
    return _says("after_data", words) and not _says("gone", _pattern("bare").sub(" ", words))


def _judged(words: str, codes: list[str], code: str, smtp_code: str) -> tuple[ReportKind, bool]:
    """The class, and whether it is unsure. The order matters: the words that decide come before the words that they
    are mistaken for."""
    by_code = {kind for kind in (ReportKind.GONE, ReportKind.LATER, ReportKind.OURS) if _is_listed(kind, codes)}
    is_temporary = (code or smtp_code).startswith("4")
    if any(known.startswith("5.7.") for known in codes):
        return ReportKind.OURS, ReportKind.GONE in by_code or _says("gone", words) or _says("full", words)
    if _says("full", words) or ReportKind.LATER in by_code:
        return ReportKind.LATER, False
    if _says("sender", words) and (code or smtp_code).startswith("5"):
        return ReportKind.OURS, False
    if _says("closed", words):
        return (ReportKind.LATER, False) if is_temporary else (ReportKind.GONE, False)
    if _says("ours", words) or ReportKind.OURS in by_code:
        other_words = _pattern("ours").sub(" ", words)  # without "sender rejected: domain not found"
        is_also_gone = ReportKind.GONE in by_code or _says("gone", other_words)
        return ReportKind.OURS, is_also_gone and not is_temporary
    if is_temporary:
        return (ReportKind.OURS if _says("hints", words) else ReportKind.LATER), False
    if _says("gone", words):
        is_doubtful = _is_bare(words) and ReportKind.GONE not in by_code
        return (ReportKind.LATER, True) if is_doubtful else (ReportKind.GONE, False)
    if _says("hints", words):
        return ReportKind.OURS, ReportKind.GONE in by_code
    if ReportKind.GONE in by_code or _says("refused", words):  # alone, which other words may contradict
        is_doubtful = _says("later", words) or _says("after_data", words)
        return (ReportKind.LATER, True) if is_doubtful else (ReportKind.GONE, False)
    if _says("later", words):
        return ReportKind.LATER, False
    return (ReportKind.OURS if _says("after_data", words) else ReportKind.LATER), True


def _is_listed(kind: ReportKind, codes: list[str]) -> bool:
    listed = read_toml(__package__, "replies.toml")["status"][kind]
    return any(code == entry or (entry.endswith(".") and code.startswith(entry)) for code in codes for entry in listed)


@functools.cache
def _pattern(group: str) -> re.Pattern[str]:
    data = read_toml(__package__, "replies.toml")
    pattern = without_accents("|".join(data["texts"][group]))
    for _ in range(2):  # words may be made of words
        pattern = re.sub(r"<([a-z]+)>", lambda name: str(data["words"][name[1]]), pattern)
    pattern = re.sub(r"<([0-9])>", r"(?:[^ .]+ ){0,\1}", pattern)
    return re.compile(rf"(?:^|(?<= ))(?:{pattern})")


def _says(group: str, words: str) -> bool:
    return _pattern(group).search(words) is not None


def _words(text: str) -> str:
    """*text* in the form that the patterns are written for."""
    text = _BEFORE_RECIPIENT.sub(" in reply to mail from ", text)
    text = _AFTER_DATA.sub(lambda lines: f" end of data . {lines[0]}", text)
    text = _LINKS.sub(lambda link: " dnsbl " if _BLOCK_LISTS.search(link[0].lower()) else " ", text)
    text = _EXCHANGE.sub(lambda name: name[0].replace(".", " "), text)
    text = _CODES.sub(" ", _HOSTS.sub(" ", _ADDRESSES.sub(" \x01 ", text)))
    text = without_accents(text.lower()).replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    text = _OTHER_SIGNS.sub(" ", _STOPS.sub(" \x01\x01 ", text)).replace("\x01\x01", ".").replace("\x01", "@")
    return " ".join(word for word in text.split() if len(word) <= 60)

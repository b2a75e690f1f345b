"""What an e-mail may state: shapes of facts.

A shape returns a fact as the template gets it, or raises `ValueError` with what is expected and without the value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from troth.service.configuration import is_local

Shape = Callable[[object], object]

_LINE_MAX = 300
_PROSE_MAX = 10_000
_LINES_MAX = 200
_LINK_MAX = 2_000
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Forbidden characters: control characters and invisible changes of writing direction."""

RIGHTS = ("view", "amend", "erase", "restrict", "port", "object", "withdraw")


@dataclass(frozen=True, slots=True, repr=False)
class RetainedItem:
    """Retained data: what, why, by which law, and until when (None: while the reason lasts)."""

    what: str
    because: str
    cite: str
    until: dt.date | None = None

    def __repr__(self) -> str:
        return "RetainedItem()"


def prose(value: object) -> str:
    """A text of some paragraphs."""
    if not isinstance(value, str) or not value.strip() or len(value) > _PROSE_MAX:
        raise ValueError(f"a text of at most {_PROSE_MAX:,} characters is expected")
    text = value.replace("\r\n", "\n").strip()
    if _BAD.search(text):
        raise ValueError("it holds a control character")
    return text


def line(value: object) -> str:
    """One short line."""
    text = prose(value)
    if "\n" in text or len(text) > _LINE_MAX:
        raise ValueError(f"one line of at most {_LINE_MAX} characters is expected")
    return text


def lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not 0 < len(value) <= _LINES_MAX:
        raise ValueError(f"a sequence of 1 to {_LINES_MAX} lines is expected")
    return tuple(line(item) for item in value)


def values(value: object) -> tuple[str, ...]:
    """Lines of any length, unshortened: a partial value would be wrong."""
    texts = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if not 0 < len(texts) <= _LINES_MAX or any("\n" in prose(text) for text in texts):
        raise ValueError(f"a sequence of 1 to {_LINES_MAX} lines is expected")
    return tuple(map(prose, texts))


def shortened(text: str) -> str:
    """*text* as one line of an e-mail."""
    line = _BAD.sub("", " ".join(text.split())) or "–"
    return line if len(line) <= _LINE_MAX else f"{line[: _LINE_MAX - 1]}…"


def link(value: object) -> str:
    """URL of a page: https, or http on this machine."""
    text = line(value) if isinstance(value, str) and len(value) <= _LINE_MAX else value
    if not isinstance(text, str) or len(text) > _LINK_MAX or re.search(r"[\s<>\"\\]|[^\x21-\x7e]", text):
        raise ValueError("an absolute address is expected")
    parts = urlsplit(text)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname))):
        raise ValueError("an address that begins with https:// is expected")
    return text


def date(value: object) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("a date is expected")
    return value


def moment(value: object) -> dt.datetime:
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        raise ValueError("a moment with its time zone is expected")
    return value.astimezone(dt.UTC)


def whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a whole number is expected")
    return value


def kept(value: object) -> tuple[RetainedItem, ...]:
    if not isinstance(value, Sequence) or not value or not all(isinstance(item, RetainedItem) for item in value):
        raise ValueError("a sequence of RetainedItem is expected")
    return tuple(
        RetainedItem(
            line(item.what), line(item.because), line(item.cite), None if item.until is None else date(item.until)
        )
        for item in value
    )


def one_of(*words: str) -> Shape:
    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)} is expected")
        return str(value)

    return check


right = one_of(*RIGHTS, "appeal", "complaint", "question")
DAY = dt.timedelta(days=1)
REDRESS: Mapping[str, Shape] = {
    "under": one_of("gdpr", "ccpa"),
    "authority": line,
    "authority_link": link,
    "complaint_link": link,
    "appeal": prose,
}
"""Remedies for a person who disagrees, *under* a law: the declared regulator if *authority* is omitted; *appeal* if the
law provides one against the company's own decision."""

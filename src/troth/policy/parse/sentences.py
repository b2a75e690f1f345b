"""Splits text into sentences, in one pass."""

from __future__ import annotations

import re

# The look-behind prevents retrying at every full stop of a run.
_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+ ")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words(
    "e.g. i.e. eg. ie. cf. vs. viz. art. arts. no. nos. mr. mrs. ms. dr. prof. st. sec. secs. sect. para. paras. reg. "
    "regs. sch. cl. ch. p. pp. vol. approx. ca. tel. ext. fig. s. ss. bus. civ. cal. rec. dept. est. incl. jan. feb. "
    "mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. rev. ver. eff. lit. abs. nr."
)
_PERHAPS = _words("ltd. inc. co. corp. plc. llc. gmbh. etc. a.m. p.m. al.")
_BEGINS = _words(
    "a all an and any anyone as at before both but by each every everyone for from how however if in it its no nobody "
    "none on once only our please see some such that the their there these they this those to under unless until we "
    "what when where which while who why with you your"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_MONTH = re.compile(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)\b", re.I
)
_NUMBERING = re.compile(r"\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]{1,2}")


def split(text: str) -> list[tuple[int, int]]:
    """The sentences of *text* (single spaces only) as ranges of characters, in order; only the space between is
    skipped."""
    found, start = [], 0
    for stop in _STOP.finditer(text):
        if _is_end(text, start, stop):
            found.append((start, stop.end() - 1))
            start = stop.end()
    if start < len(text):
        found.append((start, len(text)))
    return found


def _is_end(text: str, start: int, stop: re.Match[str]) -> bool:
    following = text[stop.end() : stop.end() + 40].lstrip("\"'“‘«([*_")
    if not following or following[0].islower():
        return False
    if not stop.group().startswith("."):
        return True
    word = text[text.rfind(" ", start, stop.start()) + 1 or start : stop.start() + 1].lstrip("\"'“‘«([").casefold()
    begins = re.split(r"\W", following, maxsplit=1)[0].casefold() in _BEGINS
    if word in _NEVER or (len(word) == stop.start() + 1 - start and _NUMBERING.fullmatch(word)):
        return False
    if word[:-1].isdigit() and len(word) <= len("31.") and _MONTH.match(following):
        return False  # a German date: 9. April
    if word.endswith("str.") and following[0].isdigit():
        return False  # a German street with a house number
    if word in _PERHAPS or _INITIALS.fullmatch(re.split(r"[-–—/]", word)[-1]):
        return begins
    return True

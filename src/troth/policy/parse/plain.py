"""Policies in plain text: paragraphs, wrapped or not, lists by their markers, headings by their appearance."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from troth.policy.parse.tracing import Draft
from troth.policy.text import PolicyError

_LINES_MAX = 100_000
_WIDTH_MAX = 120
"""Longer lines were not wrapped by an editor."""

_FULL = 0.8
"""A line at least this close to the full width was wrapped by an editor."""

_HEADING_CHARACTERS_MAX, _HEADING_WORDS_MAX = 80, 12
_HEADINGS_RUNNING_MAX = 2
"""More short lines in a row are an address or a list."""

_MARKERS = {
    "bullet": re.compile(r"[-*+•·‣◦▪●][ \t]+(?=\S)"),
    "number": re.compile(r"\d{1,3}[.)][ \t]+(?=\S)"),
    "(number)": re.compile(r"\(\d{1,3}\)[ \t]+(?=\S)"),
    "letter": re.compile(r"[a-z][.)][ \t]+(?=\S)"),
    "LETTER": re.compile(r"[A-Z][.)][ \t]+(?=\S)"),
    "(letter)": re.compile(r"\([a-zA-Z]\)[ \t]+(?=\S)"),
    "(roman)": re.compile(r"\(?[ivx]{2,5}[.)][ \t]+(?=\S)"),
}
_NUMBERED = re.compile(
    r"(?:(?:section|article|part)\s+)?(\d{1,2}(?:\.\d{1,2}){0,3}|(?-i:[IVX]{1,5}(?=\.)))[.):]?\s+[^\W\d_]", re.I
)
_ENDS = re.compile(r"[.!?:;…][\"'”’)]?\s*\Z")
_NO_HEADING = re.compile(
    r"[.!;,…]\Z|@|://|\bwww\.|^(?:last|effective|updated|version|status|date|reviewed|tel|telephone|fax)\b|"
    r"\b(?:a|an|and|at|or|our|the|your)\Z",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str

    @property
    def indent(self) -> int:
        wide = self.text.expandtabs(4)
        return len(wide) - len(wide.lstrip())

    @property
    def marker(self) -> tuple[str, int]:
        """The kind of list marker at its start, and where its words start; ``""`` and 0 without a marker."""
        bare = self.text.lstrip()
        for kind, pattern in _MARKERS.items():
            if (found := pattern.match(bare)) and not _is_rule(bare):
                return kind, len(self.text) - len(bare) + found.end()
        return "", 0


@dataclass(slots=True)
class _Group:
    """Lines that belong together. *apart*: there is an empty line above."""

    apart: bool
    lines: list[_Line] = field(default_factory=list)
    level: int = 0

    @property
    def bare(self) -> str:
        return self.lines[0].text.strip()

    @property
    def marker(self) -> str:
        return self.lines[0].marker[0]

    @property
    def words(self) -> str:
        """The first line without its marker."""
        return self.lines[0].text[self.lines[0].marker[1] :].strip()

    @property
    def is_underlined(self) -> bool:
        return len(self.lines) == 2 and _is_rule(self.lines[1].text)

    @property
    def is_short(self) -> bool:
        """True if it could be a heading by appearance alone."""
        return (
            len(self.lines) == 1
            and len(self.bare) <= _HEADING_CHARACTERS_MAX
            and len(self.bare.split()) <= _HEADING_WORDS_MAX
            and not _NO_HEADING.search(self.bare)
            and any(each.isalpha() for each in self.bare)
            and not self.bare[0].islower()
        )

    @property
    def number(self) -> int:
        """Its list number, or -1."""
        return int(self.bare.split(maxsplit=1)[0].strip("().")) if self.marker in {"number", "(number)"} else -1

    def is_item_beside(self, before: _Group | None, after: _Group) -> bool:
        """True if its neighbours' numbers make it a list item rather than a numbered heading."""
        if self.number < 0 or self.bare.isupper():
            return False
        follows = before is not None and before.is_short and before.number == self.number - 1 >= 0
        return follows or (after.is_short and after.number == self.number + 1)


def drafts(source: str) -> Iterator[Draft]:
    """The blocks of a text. A heading is a line that can hardly be anything else: underlined, in capitals, numbered
    without a full stop, or short and separate, with something below.

    Raises `PolicyError` if there are too many lines.
    """
    groups = list(_groups(source))
    _find_headings(groups)
    items: list[tuple[int, str]] = []  # the open lists: indentation and marker
    for group in groups:
        first = group.lines[0]
        if group.level:
            items = []
            yield _traced(Draft("heading", group.level), group.lines[:1], 0)
        elif group.marker:
            _nest(items, first.indent, group.marker)
            yield _traced(Draft("list_item", len(items), group.marker != "bullet"), group.lines, first.marker[1])
        elif items and group.apart and first.indent > items[-1][0]:
            yield _traced(Draft("list_item", len(items), items[-1][1] != "bullet"), group.lines, 0)
        elif not _is_rule(first.text):
            items = []
            yield _traced(Draft("paragraph"), group.lines, 0)


def _traced(draft: Draft, lines: Sequence[_Line], skipped: int) -> Draft:
    for line in lines:
        draft.traced.add(line.text[skipped:] + "\n", line.start + skipped, line.start + len(line.text) + 1)
        skipped = 0
    return draft


def _nest(items: list[tuple[int, str]], indent: int, marker: str) -> None:
    """Open and close lists so that the last of *items* is the list that this marker continues."""
    while items and (items[-1][0] > indent or (items[-1] != (indent, marker) and (indent, marker) in items)):
        items.pop()
    if not items or items[-1] != (indent, marker):
        items.append((indent, marker))


def _groups(source: str) -> Iterator[_Group]:
    """Lines between empty lines, and between line breaks that are not due to wrapping."""
    lines = [
        _Line(found.start(), found[0]) for found in re.finditer(r"[^\r\n]+|(?<=\n)(?=\r?\n)|(?<=\r)(?=\r)", source)
    ]
    if len(lines) > _LINES_MAX:
        raise PolicyError(f"the policy has {len(lines)} lines, {_LINES_MAX} are allowed; is it the right file?")
    width = _width([len(line.text.rstrip()) for line in lines if line.text.strip()])
    group = _Group(apart=True)
    for line in lines:
        is_empty = not line.text.strip()
        if group.lines and (is_empty or _parts(group, line, width)):
            yield group
            group = _Group(apart=is_empty)
        if not is_empty:
            group.lines.append(line)
        elif not group.lines:
            group.apart = True
    if group.lines:
        yield group


def _width(lengths: list[int]) -> int:
    """The width at which an editor wrapped the text, judged by the line lengths; 0 if it is not wrapped."""
    width = sorted(lengths)[len(lengths) * 95 // 100] if lengths else 0
    full = sum(length >= _FULL * width for length in lengths)
    return width if width <= _WIDTH_MAX and full >= max(3, len(lengths) / 4) else 0


def _parts(group: _Group, line: _Line, width: int) -> bool:
    """True if *line* starts a new group although there is no empty line above it."""
    before = group.lines[-1].text.rstrip()
    if _is_rule(line.text):
        return len(group.lines) > 1
    if group.is_underlined or _is_rule(before):
        return True
    if group.marker and line.indent < group.lines[0].indent and not line.marker[0]:
        return True  # continuation lines of an item are not further left than its marker
    word = line.text.split(maxsplit=1)[0]
    has_room = not width or len(before) > _WIDTH_MAX or len(before) + 1 + len(word) <= width
    is_over = _ENDS.search(before) is not None
    if line.marker[0]:
        is_prose = len(group.lines) > 1 and line.marker[0] != "bullet"  # "since\n1. May" is not a list
        return is_over or bool(group.marker) or (has_room and not is_prose)
    return has_room and (is_over or (group.is_short and (_is_strong(group) or _is_prose(line.text, width))))


def _is_rule(text: str) -> bool:
    """True for a drawn line: three or more of the same character, with or without spaces in between."""
    signs = "".join(text.split())
    return len(signs) >= 3 and signs[0] in "=-_*" and signs == signs[0] * len(signs)


def _is_prose(text: str, width: int = 0) -> bool:
    """True if a line can only be text: long, such as one wrapped at *width*, or a sentence."""
    bare = text.strip()
    long = min(_HEADING_CHARACTERS_MAX, _FULL * width if width else _HEADING_CHARACTERS_MAX)
    return not bare[0].islower() and (len(bare) > long or _ENDS.search(bare) is not None)


def _is_strong(group: _Group) -> bool:
    return group.is_underlined or group.bare.isupper() or _NUMBERED.match(group.bare) is not None


def _find_headings(groups: list[_Group]) -> None:
    """Sets the level of each group that is a heading; nothing is a heading without something below it."""
    for before, group, after in zip([None, *groups], groups, groups[1:], strict=False):
        group.level = 0 if group.is_item_beside(before, after) else _strong_level(group)
    below = 3 if any(group.level for group in groups) else 2
    weak = [_is_weak(*three) for three in zip([None, *groups], groups, groups[1:], strict=False)]
    for is_weak, run in itertools.groupby(range(len(weak)), key=weak.__getitem__):
        places = list(run)
        if is_weak and len(places) <= _HEADINGS_RUNNING_MAX:
            for place in places:
                groups[place].level = below
    if groups and groups[0].level:
        groups[0].level = 1


def _is_weak(before: _Group | None, group: _Group, after: _Group) -> bool:
    """True if it could be a heading only because it is short and separate. Text announced by a colon is not a heading,
    and neither is text that the items below continue."""
    looks_so = not group.level and group.is_short and not group.marker and group.bare[-1] != ":"
    is_announced = before is not None and not before.level and before.lines[-1].text.rstrip().endswith(":")
    leads_on = bool(after.marker) and after.words[0].islower()
    stands_so = (group.apart and after.apart) or (
        not after.apart and (_is_prose(after.lines[0].text) or len(after.lines) > 1)
    )
    return looks_so and stands_so and not is_announced and not leads_on


def _strong_level(group: _Group) -> int:
    """The level of a heading recognised by more than being short, else 0."""
    if group.is_underlined:
        return 1 if group.lines[1].text.strip()[0] == "=" else 2
    if not group.is_short:
        return 0
    if numbered := _NUMBERED.match(group.bare):
        return min(2 + numbered[1].count("."), 6)
    return 2 if group.bare.isupper() and group.marker != "bullet" else 0

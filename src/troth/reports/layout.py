"""Layout of the data map: columns from left to right, ordered to reduce crossings. Deterministic."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from troth.reports.flow_diagram import COLUMNS, Arrow, Box, Picture
from troth.reports.labels import in_words

WIDTH = 1200
_COLUMNS = ((16, 178), (248, 232), (548, 316), (942, 242))
"""Left edge and width of each column."""
_TOP, _GAP, _GROUP = 64, 14, 30
_TITLE, _TEXT, _PAD = 18, 15, 9
_LETTER = 6.8
"""Average character width of the small text in a wide font."""
_LETTER_OF_TITLE = 8.6
_LINES_MAX = 3
_SWEEPS = 6


@dataclass(frozen=True, slots=True)
class BoxLine:
    """A line of text in a box: *kind* is ``title``, ``about``, ``data`` or ``purposes``."""

    kind: str
    text: str
    y: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A positioned box. *leaving* and *arriving* are the heights of arrow ends, by the id of the box at the other
    end."""

    box: Box
    x: int
    y: int
    width: int
    height: int
    lines: tuple[BoxLine, ...]
    leaving: Mapping[str, float]
    arriving: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """The positioned map: boxes by id, group headings (text, x, y) and total height. *ways* are the arrows that span
    several columns, each with the empty slots that it passes through."""

    boxes: Mapping[str, Placed]
    ways: Mapping[Arrow, tuple[Placed, ...]]
    groups: tuple[tuple[str, int, int], ...]
    height: int


def lay_out(picture: Picture) -> Layout:
    """Positions every box. The result is the same on every machine, because no font is measured."""
    ways = _ways(picture)
    picture = _with_ways(picture, ways)
    order = _ordered(picture)
    lines = {box.id: _lines(box) for column in order for box in column}
    heights = {id_: _height(text) for id_, text in lines.items()}
    total = max((_column_height(column, heights) for column in order), default=0)
    placed, groups = dict[str, tuple[Box, int]](), list[tuple[str, int, int]]()
    for number, column in enumerate(order):
        y = _TOP + (total - _column_height(column, heights)) // 2
        for group, boxes in groupby(column, key=lambda box: box.group):
            if group:
                groups.append((group, _COLUMNS[number][0], y + _GROUP - 12))
                y += _GROUP
            for box in boxes:
                placed[box.id] = box, y
                y += heights[box.id] + _GAP
    middles = {id_: y + heights[id_] / 2 for id_, (_, y) in placed.items()}
    whole = {
        id_: Placed(box, *_edges(box, y, heights), _at(lines[id_], y), *_ports(picture, id_, y, heights[id_], middles))
        for id_, (box, y) in placed.items()
    }
    through = {arrow: tuple(whole[box.id] for box in boxes) for arrow, boxes in ways.items()}
    seen = {id_: it for id_, it in whole.items() if not id_.startswith(_WAY)}
    return Layout(seen, through, tuple(groups), _TOP + total + 12)


_WAY = "way."


def _ways(picture: Picture) -> dict[Arrow, list[Box]]:
    """For each arrow that spans several columns, an empty slot in each column between (Sugiyama's dummy nodes)."""
    column = {box.id: box.column for box in picture.boxes}
    return {
        arrow: [
            Box(f"{_WAY}{at}.{number}", number, "") for number in range(column[arrow.source] + 1, column[arrow.target])
        ]
        for at, arrow in enumerate(picture.arrows)
        if column[arrow.target] - column[arrow.source] > 1
    }


def _with_ways(picture: Picture, ways: Mapping[Arrow, Sequence[Box]]) -> Picture:
    """*picture* with the dummy nodes as boxes, and the long arrows split at them."""
    short = [arrow for arrow in picture.arrows if arrow not in ways]
    for arrow, boxes in ways.items():
        stops = [arrow.source, *(box.id for box in boxes), arrow.target]
        short += [Arrow(one, other) for one, other in pairwise(stops)]
    empty = [box for boxes in ways.values() for box in boxes]
    return replace(picture, boxes=(*picture.boxes, *empty), arrows=tuple(short))


def _edges(box: Box, y: int, heights: Mapping[str, int]) -> tuple[int, int, int, int]:
    left, width = _COLUMNS[box.column]
    return left, y, width, heights[box.id]


def _column_height(column: Sequence[Box], heights: Mapping[str, int]) -> int:
    groups = sum(1 for group, _ in groupby(column, key=lambda box: box.group) if group)
    return sum(heights[box.id] + _GAP for box in column) + groups * _GROUP - (_GAP if column else 0)


# --- text in a box --------------------------------------------------------------------------------------------------


def _lines(box: Box) -> list[tuple[str, str]]:
    width = _COLUMNS[box.column][1] - 2 * _PAD
    found = [("title", text) for text in _wrapped(box.title, width / _LETTER_OF_TITLE, 2)]
    if box.about:
        found.append(("about", box.about))
    found += [("data", text) for text in _wrapped(_listed(box.data), width / _LETTER, _LINES_MAX)]
    found += [("purposes", text) for text in _wrapped("; ".join(box.purposes), width / _LETTER, _LINES_MAX - 1)]
    return found


def _listed(words: Sequence[str]) -> str:
    text = in_words(words)
    return text[:1].upper() + text[1:]


def _wrapped(text: str, letters: float, most: int) -> list[str]:
    lines = textwrap.wrap(text, max(8, int(letters)), max_lines=most, placeholder=" …")
    return lines if text.strip() else []


def _height(lines: Sequence[tuple[str, str]]) -> int:
    if not lines:
        return _PAD
    return 2 * _PAD + sum(_TITLE if kind == "title" else _TEXT for kind, _ in lines)


def _at(lines: Iterable[tuple[str, str]], y: int) -> tuple[BoxLine, ...]:
    found, y = list[BoxLine](), y + _PAD
    for kind, text in lines:
        y += _TITLE if kind == "title" else _TEXT
        found.append(BoxLine(kind, text, y - 4))
    return tuple(found)


# --- order of the boxes ---------------------------------------------------------------------------------------------


def _ordered(picture: Picture) -> list[list[Box]]:
    """Orders each column by the mean position of connected boxes, in repeated sweeps in both directions (Sugiyama's
    barycentre heuristic). Ties keep the order of the declaration."""
    order = [_grouped(picture.column(number), {}) for number in range(len(COLUMNS))]
    neighbours: dict[str, list[str]] = {box.id: [] for box in picture.boxes}
    for arrow in picture.arrows:
        neighbours[arrow.source].append(arrow.target)
        neighbours[arrow.target].append(arrow.source)
    for sweep in range(_SWEEPS):
        numbers = range(len(order)) if sweep % 2 else reversed(range(len(order)))
        for number in numbers:
            where = {box.id: at / max(1, len(column)) for column in order for at, box in enumerate(column)}
            centre = {
                box.id: _mean([where[other] for other in neighbours[box.id]], where[box.id]) for box in picture.boxes
            }
            order[number] = _grouped(order[number], centre)
    return order


def _grouped(column: Iterable[Box], centre: Mapping[str, float]) -> list[Box]:
    """*column* sorted by *centre*, with boxes of a group side by side."""
    boxes = list(column)
    groups: dict[str, list[Box]] = {}
    for box in boxes:
        groups.setdefault(box.group, []).append(box)
    sizes = {group: _mean([centre.get(box.id, 0) for box in some], 0) for group, some in groups.items()}
    ordered = sorted(groups, key=lambda group: sizes[group])
    return [box for group in ordered for box in sorted(groups[group], key=lambda box: centre.get(box.id, 0))]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return round(sum(values) / len(values), 6) if values else otherwise


# --- arrow ends -----------------------------------------------------------------------------------------------------


def _ports(
    picture: Picture, id_: str, y: int, height: int, middles: Mapping[str, float]
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Heights of the arrow ends, sorted by the position of the other end so that arrows do not cross at the box."""
    leaving = [arrow.target for arrow in picture.arrows if arrow.source == id_]
    arriving = [arrow.source for arrow in picture.arrows if arrow.target == id_]
    return _spread(leaving, y, height, middles), _spread(arriving, y, height, middles)


def _spread(ends: Sequence[str], y: int, height: int, middles: Mapping[str, float]) -> dict[str, float]:
    ordered = sorted(ends, key=lambda end: middles[end])
    step = height / (len(ordered) + 1)
    return {end: round(y + step * (at + 1), 1) for at, end in enumerate(ordered)}

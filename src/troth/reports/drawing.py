"""Renders the data map as one SVG: no scripts, fonts or external links; light and dark; with a text description."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from troth.reports.base import safe as _of
from troth.reports.flow_diagram import COLUMNS, Arrow, Picture, picture_words
from troth.reports.layout import WIDTH, Layout, Placed, lay_out

_HEADS = (105, 364, 706, 1063)
"""The horizontal centre of each column."""


def as_svg(picture: Picture, *, styled: bool = True) -> str:
    """The map, 1,200 units wide. Without *styled* it has no style of its own, for pages that include `map_style`."""
    laid = lay_out(picture)
    return "\n".join(_svg(picture, laid, styled)) + "\n"


def map_style() -> str:
    """The style sheet of the map for light, dark and print."""
    return resources.files(__package__).joinpath("map.css").read_text("utf-8")


def _svg(picture: Picture, laid: Layout, styled: bool) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {WIDTH} {laid.height}" '
        f'role="img" aria-labelledby="map-title map-desc">'
    )
    yield f'<title id="map-title">{_of(f"Where the data of {picture.organisation} goes")}</title>'
    yield f'<desc id="map-desc">{_of(" ".join(picture_words(picture)))}</desc>'
    if styled:
        yield f"<style>\n{map_style()}</style>"
        yield f'<rect class="paper" width="{WIDTH}" height="{laid.height}"/>'
    for name, x in zip(COLUMNS, _HEADS, strict=True):
        yield f'<text class="head" x="{x}" y="30">{name}</text>'
    for arrow in picture.arrows:
        yield _arrow(arrow, laid)
    for text, x, y in laid.groups:
        yield f'<text class="group" x="{x}" y="{y}">{_of(_capital(text))}</text>'
    for placed in laid.boxes.values():
        yield from _box(placed)
    yield "</svg>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _box(placed: Placed) -> Iterator[str]:
    kind = ("people", "point", "system", "recipient")[placed.box.column]
    yield f'<g class="{kind}">'
    yield f'<rect x="{placed.x}" y="{placed.y}" width="{placed.width}" height="{placed.height}" rx="7"/>'
    for line in placed.lines:
        yield f'<text class="{line.kind}" x="{placed.x + 9}" y="{line.y}">{_of(line.text)}</text>'
    yield "</g>"


def _arrow(arrow: Arrow, laid: Layout) -> str:
    """A curve through all stops of the arrow, and its tip."""
    source, target = laid.boxes[arrow.source], laid.boxes[arrow.target]
    stops = laid.ways.get(arrow, ())
    first, last = (stops[0].box.id, stops[-1].box.id) if stops else (arrow.target, arrow.source)
    x, y = source.x + source.width, source.leaving[first]
    curve = f"M{x} {y:g}"
    for stop in stops:
        middle = stop.y + stop.height / 2
        curve += f"{_bend(x, y, stop.x, middle)}H{stop.x + stop.width}"
        x, y = stop.x + stop.width, middle
    end = target.arriving[last]
    curve += _bend(x, y, target.x - 6, end)
    tip = f"M{target.x - 6} {end - 3:g}L{target.x} {end:g}L{target.x - 6} {end + 3:g}Z"
    return f'<path class="arrow{" long" if stops else ""}" d="{curve}"/><path class="tip" d="{tip}"/>'


def _bend(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f"C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"

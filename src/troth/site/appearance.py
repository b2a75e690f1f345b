"""How a link looks according to inline styles and the site's own style sheets (Cal. Bus. & Prof. Code 22577(b)).

Only simple selectors (``a``, ``.small``, ``#foot``, ``a.small``) are applied, in source order and with the usual
precedence of id, class and tag; everything else, including media queries, is ignored. Colours and sizes in other
notations count as unknown, and unknown values are never reported as faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.site.page import words_of

ROOT_PX = 16.0
_DEPTH_MAX = 64
_RULES_MAX = 5_000
_CHARACTERS_MAX = 200_000
_RULE = re.compile(r"([^{}@;]{1,500})\{([^{}]{0,5000})\}")
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?((?:[.#][\w-]+)*)", re.I)
_SIZES = {"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24, "xx-large": 32}
_COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "grey": (128, 128, 128),
    "silver": (192, 192, 192), "lightgray": (211, 211, 211), "lightgrey": (211, 211, 211),
    "red": (255, 0, 0), "blue": (0, 0, 255), "navy": (0, 0, 128), "green": (0, 128, 0), "yellow": (255, 255, 0),
}  # fmt: skip
_LINK_COLOUR = (0, 0, 238)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Appearance:
    """A link's text, its font size and that of the surrounding text in CSS pixels, its contrast with the background
    (WCAG 2, 1 to 21; None if unknown), and whether it is visible at all."""

    text: str
    size_px: float
    around_px: float
    contrast: float | None
    is_shown: bool


def appearances(html: str, css: str, hrefs: frozenset[str]) -> list[Appearance]:
    """The appearance of each link with one of *hrefs* (as the HTML writes them), under the page's own styles and then
    *css*."""
    tree = LexborHTMLParser(html)
    rules = list(_rules("\n".join([*(node.text(deep=True) for node in tree.css("style")), css])))
    links = [node for node in tree.css("a[href]") if (node.attributes.get("href") or "").strip() in hrefs]
    return [_appearance(node, rules) for node in links]


Rule = tuple[str, frozenset[str], frozenset[str], dict[str, str]]


def _rules(css: str) -> Iterator[Rule]:
    css = re.sub(r"/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/", "", css[:_CHARACTERS_MAX])
    css = re.sub(r"@[^{};]*+\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\}", "", css)  # conditional rules are ignored
    for count, found in enumerate(_RULE.finditer(css)):
        if count >= _RULES_MAX:
            return
        for selector in found[1].split(","):
            simple = _SELECTOR.fullmatch(selector.strip())
            if simple and simple[0]:
                marks = re.findall(r"[.#][\w-]+", simple[2])
                classes = frozenset(mark[1:] for mark in marks if mark[0] == ".")
                ids = frozenset(mark[1:] for mark in marks if mark[0] == "#")
                yield (simple[1] or "").lower(), classes, ids, _declarations(found[2])


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {name.strip().lower(): value.replace("!important", "").strip().lower() for name, _, value in pairs if value}


def _style(node: LexborNode, rules: list[Rule]) -> dict[str, str]:
    classes = frozenset((node.attributes.get("class") or "").split())
    found = [
        (len(ids), len(of), bool(tag), place, declarations)
        for place, (tag, of, ids, declarations) in enumerate(rules)
        if tag in {"", node.tag} and of <= classes and ids <= {node.attributes.get("id") or ""}
    ]
    style: dict[str, str] = {}
    for *_, declarations in sorted(found, key=lambda each: each[:4]):
        style |= declarations
    return style | _declarations(node.attributes.get("style") or "")


def _appearance(link: LexborNode, rules: list[Rule]) -> Appearance:
    chain: list[LexborNode] = []
    node: LexborNode | None = link
    while node is not None and node.is_element_node and len(chain) < _DEPTH_MAX:
        chain.insert(0, node)
        node = node.parent
    size = around = ROOT_PX
    colour: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)
    shown = True
    for place, element in enumerate(chain):
        style = _style(element, rules)
        around = size
        size = _size(style.get("font-size", ""), size)
        default = _LINK_COLOUR if place == len(chain) - 1 else colour
        colour = _colour(style["color"], colour) if "color" in style else default
        background = style.get("background-color", style.get("background", ""))
        ground = _colour(background.split(" ")[0], ground) if background else ground
        shown = shown and not _is_hidden(style, element)
    contrast = _contrast(colour, ground) if colour and ground else None
    return Appearance(words_of(link), size, around, contrast, shown and size > 0)


def _is_hidden(style: dict[str, str], element: LexborNode) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or re.fullmatch(r"(?:0*\.[01]\d*|0+)%?", style.get("opacity", "1")) is not None
        or "hidden" in element.attributes
    )


def _size(text: str, around: float) -> float:
    if text in _SIZES:
        return float(_SIZES[text])
    if text in {"smaller", "larger"}:
        return around * (0.83 if text == "smaller" else 1.2)
    found = re.fullmatch(r"(\d{0,5}(?:\.\d{1,5})?)(px|pt|rem|em|%)", text)
    if not found or not found[1]:
        return 0.0 if text == "0" else around
    scale = {"px": 1.0, "pt": 4 / 3, "rem": ROOT_PX, "em": around, "%": around / 100}[found[2]]
    return float(found[1]) * scale


def _colour(text: str, inherited: Colour | None) -> Colour | None:
    if text in {"inherit", "currentcolor", "transparent", "none"}:
        return inherited
    if text in _COLOURS:
        return _COLOURS[text]
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        return (int(text[1] * 2, 16), int(text[2] * 2, 16), int(text[3] * 2, 16))
    if re.fullmatch(r"#[0-9a-f]{6}", text):
        return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
    found = re.fullmatch(r"rgb\((\d{1,3})[, ]+(\d{1,3})[, ]+(\d{1,3})\)", text)
    return (min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)) if found else None


def _contrast(colour: Colour, other: Colour) -> float:
    light, dark = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [channel / 255 for channel in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

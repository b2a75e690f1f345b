"""How a link looks according to inline styles and the site's own style sheets (Cal. Bus. & Prof. Code 22577(b)).

Selectors of tags, classes and ids (``a``, ``.small``, ``footer .links a``, ``ul > li > a``) are applied, in source
order and with the usual precedence. What another rule (an attribute, ``:not``, a media query) sets for an element that
it may be about is unknown, as are colours and sizes in other notations; unknown values are never reported as faults.
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
_AT_RULE = re.compile(r"@([\w-]+)[^{};]*+\{((?:[^{}]*+\{[^{}]*+\})*+[^{}]*+)\}")
_COMPOUND = re.compile(r"(\*|[a-z][a-z0-9]*)?((?:[.#][\w-]+)*)(?::link)?", re.I)
_PART = re.compile(r"\s*([>+~\s])\s*")
_STATES = re.compile(r":(?:hover|focus|focus-within|focus-visible|active|visited|target)\b|::", re.I)
_UNKNOWN = "?"
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


@dataclass(frozen=True, slots=True)
class _Compound:
    """One part of a selector: it fits an element with this tag and with all of these classes, ids and attributes."""

    tag: str
    classes: frozenset[str]
    ids: frozenset[str]
    attributes: frozenset[str]

    def fits(self, node: LexborNode) -> bool:
        classes = (node.attributes.get("class") or "").split()
        return (
            self.tag in {"", node.tag}
            and self.classes.issubset(classes)
            and self.ids <= {node.attributes.get("id") or ""}
            and self.attributes <= node.attributes.keys()
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """*parts* of a selector from left to right, each with whether it has to be the parent of the next. If the rule
    *may* apply, under conditions that are not evaluated, what it declares is unknown."""

    parts: tuple[tuple[_Compound, bool], ...]
    declarations: dict[str, str]
    may: bool

    @property
    def weight(self) -> tuple[int, int, int]:
        compounds = [part for part, _ in self.parts]
        ids, classes = sum(len(it.ids) for it in compounds), sum(len(it.classes) for it in compounds)
        return ids, classes, sum(bool(it.tag) for it in compounds)


def _rules(css: str) -> Iterator[_Rule]:
    css = re.sub(r"/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/", "", css[:_CHARACTERS_MAX])
    may = [
        found[2] for found in _AT_RULE.finditer(css) if found[1].lower() in {"media", "supports", "layer", "container"}
    ]
    always = _AT_RULE.sub("", css)
    rules = [*_RULE.finditer(always)][:_RULES_MAX]
    for number, found in enumerate([*rules, *(it for block in may for it in _RULE.finditer(block))][:_RULES_MAX]):
        declarations = _declarations(found[2])
        for selector in found[1].split(","):
            if not _STATES.search(selector):  # how a link looks before anybody does anything
                yield from _rule(selector.strip(), declarations, may=number >= len(rules))


def _rule(selector: str, declarations: dict[str, str], *, may: bool) -> Iterator[_Rule]:
    parts, compounds = _PART.split(selector.replace(":root", "html")), list[tuple[_Compound, bool]]()
    for text, combinator in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if not _COMPOUND.fullmatch(text) or combinator in {"+", "~"}:
            # Of what is not understood the last part decides for which elements it may count.
            yield _Rule(((_compound(parts[-1]), False),), declarations, may=True)
            return
        compounds.append((_compound(text), combinator == ">"))
    if selector:
        yield _Rule(tuple(compounds), declarations, may)


def _compound(text: str) -> _Compound:
    text = re.sub(r"\([^)]*\)", "", text)
    names, text = re.findall(r"\[\s*([\w-]+)", text), re.sub(r"\[[^]]*\]?", "", text)
    tag = re.match(r"[a-z][a-z0-9]*", text, re.I)
    classes, ids = (frozenset(re.findall(rf"{re.escape(sign)}([\w-]+)", text)) for sign in ".#")
    return _Compound(tag[0].lower() if tag else "", classes, ids, frozenset(name.lower() for name in names))


def _applies(rule: _Rule, chain: list[LexborNode]) -> bool:
    """True if the rule's selector fits the last element of *chain*, which begins at the root."""

    def fits(parts: int, depth: int) -> bool:
        compound, _ = rule.parts[parts - 1]
        if not compound.fits(chain[depth]):
            return False
        if parts == 1:
            return True
        is_parent = rule.parts[parts - 2][1]
        return any(fits(parts - 1, above) for above in ([depth - 1] if is_parent else range(depth)) if above >= 0)

    return len(rule.parts) <= len(chain) and fits(len(rule.parts), len(chain) - 1)


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs if value}


def _style(chain: list[LexborNode], rules: list[_Rule]) -> dict[str, str]:
    """What the last element of *chain* declares. `_UNKNOWN` stands for a value that a rule may change."""
    matching = [(rule.weight, place, rule) for place, rule in enumerate(rules) if _applies(rule, chain)]
    ordered = [(rule.declarations, rule.may) for *_, rule in sorted(matching, key=lambda it: it[:2])]
    ordered.append((_declarations(chain[-1].attributes.get("style") or ""), False))
    style, important = dict[str, str](), dict[str, str]()
    for declarations, may in ordered:
        for name, value in declarations.items():
            plain = value.replace("!important", "").strip()
            (important if plain != value else style)[name] = _UNKNOWN if may else plain
    return style | important


def _appearance(link: LexborNode, rules: list[_Rule]) -> Appearance:
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
        style = _style(chain[: place + 1], rules)
        around = size
        size = _size(style.get("font-size", ""), size)
        default = _LINK_COLOUR if place == len(chain) - 1 else colour
        colour = _colour(style["color"], colour) if "color" in style else default
        ground = _ground(style, ground)
        shown = shown and not _is_hidden(style, element)
    style = _style(chain, rules)
    shown = shown and style.get("color") != "transparent" and not _is_clear(style.get("color", ""))
    contrast = _contrast(colour, ground) if colour and ground else None
    return Appearance(words_of(link), size, around, contrast, shown and size > 0)


def _ground(style: dict[str, str], ground: Colour | None) -> Colour | None:
    if style.get("background-image", "none") != "none":
        return None
    background = style.get("background-color", style.get("background", ""))
    return _colour(background.split(" ")[0], ground) if background else ground


def _is_clear(colour: str) -> bool:
    return re.fullmatch(r"rgba\([^)]*[,/]\s*0*\.?0*%?\s*\)|#[0-9a-f]{6}00|#[0-9a-f]{3}0", colour) is not None


def _is_hidden(style: dict[str, str], element: LexborNode) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or re.fullmatch(r"(?:0*\.[01]\d*|0+)%?", style.get("opacity", "1")) is not None
        or ("hidden" in element.attributes and style.get("display", "none") == "none")
        or _is_moved_away(style)
        or _is_clipped(style)
    )


def _is_moved_away(style: dict[str, str]) -> bool:
    """Placed so far outside that no screen shows it, as links for screen readers are."""
    if style.get("position") in {"absolute", "fixed", "relative"}:
        places = (style.get(side, "") for side in ("left", "right", "top", "bottom"))
        if any(_is_far(place) for place in places):
            return True
    moved = re.search(r"(?:translate[xy]?|translate3d)\(([^)]*)", style.get("transform", ""))
    is_moved = moved is not None and any(_is_far(part.strip()) for part in moved[1].split(","))
    is_indented = _is_far(style.get("text-indent", "")) and not style.keys() & {"background", "background-image"}
    return is_moved or is_indented or "scale(0)" in style.get("transform", "")


def _is_far(length: str) -> bool:
    found = re.fullmatch(r"-(\d{1,7})(?:\.\d+)?(px|em|rem|vw|vh|%)", length)
    least = {"px": 2_000, "em": 100, "rem": 100, "vw": 200, "vh": 500, "%": 1_000}
    return found is not None and int(found[1]) >= least[found[2]]


def _is_clipped(style: dict[str, str]) -> bool:
    """Cut down to nothing: by a clip, or in a box without a height or width that hides what is beyond."""
    if style.get("position") in {"absolute", "fixed"}:
        sides = re.fullmatch(r"rect\(\s*([^)]*)\)", style.get("clip", ""))
        if sides and all(re.fullmatch(r"[01]?(?:px)?", part) for part in re.split(r"[,\s]+", sides[1].strip())):
            return True
    if re.fullmatch(r"inset\((?:50|100)%\)|circle\(0[^)]*\)", style.get("clip-path", "")):
        return True
    is_cut = style.get("overflow", style.get("overflow-x", "")) in {"hidden", "clip"}
    boxes = (style.get(side, "") for side in ("width", "height", "max-width", "max-height"))
    return is_cut and any(re.fullmatch(r"[01](?:px)?", box) for box in boxes)


def _size(text: str, around: float) -> float:
    if text == _UNKNOWN:
        return max(around, ROOT_PX)
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
    if text in {"inherit", "currentcolor", "transparent", "none", "unset", "initial"}:
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

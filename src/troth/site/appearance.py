"""How a link looks according to inline styles and the site's own style sheets (Cal. Bus. & Prof. Code 22577(b)).

Selectors of tags, classes and ids (``a``, ``.small``, ``footer .links a``, ``ul > li > a``) are applied, in source
order and with the usual precedence. What another rule (an attribute, ``:not``, a media query) sets for an element that
it may be about is unknown, as are colours and sizes in other notations: unknown values are never reported as faults,
and they are named. Rules under a condition (a media query) are evaluated with each condition alone, with none and with
all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from colorsys import hls_to_rgb
from dataclasses import dataclass, replace
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from troth.site.page import words_of

ROOT_PX = 16.0
_DEPTH_MAX = 64
_RULES_MAX = 10_000
_CHARACTERS_MAX = 500_000
_CONDITIONS_MAX = 40
_VARIABLES_MAX = 20
_VALUE_MAX = 2_000
_RULE = re.compile(r"([^{}@;]{1,500})\{([^{}]{0,5000})\}")
_AT_RULE = re.compile(r"@([\w-]+)([^{};]*+)\{((?:[^{}]*+\{[^{}]*+\})*+[^{}]*+)\}")
_COMPOUND = re.compile(r"(\*|[a-z][a-z0-9]*)?((?:[.#][\w-]+)*)(?::link)?", re.I)
_PART = re.compile(r"\s*([>+~\s])\s*")
_STATES = re.compile(r":(?:hover|focus|focus-within|focus-visible|active|visited|target)\b|::", re.I)
_PRINT = re.compile(r"\s*(?:only\s+)?print\b[^,]*", re.I)
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*((?:[^()]|\([^()]*\))*))?\)")
_FONT_SIZE = re.compile(
    r"(?:^|\s)(\d{0,5}\.?\d{1,5}(?:px|pt|rem|em|%)|xx-small|x-small|small|medium|x-large|xx-large|large|smaller|larger)"
    r"\s*(?:/\s*[^\s]+)?\s+\S"
)
_UNKNOWN = "?"
_PLAIN = frozenset({"none", "normal", "inherit", "initial", "unset", "revert", "auto", "visible"})
_NOT_COMPUTED = frozenset(
    "filter backdrop-filter mix-blend-mode mask mask-image -webkit-mask -webkit-mask-image clip-path zoom scale "  # noqa: SIM905
    "translate rotate transform offset-path animation animation-name content-visibility -webkit-text-fill-color "
    "all".split()
)
_SIDES = ("left", "right", "top", "bottom")
_MARGINS = ("margin", "margin-left", "margin-right", "margin-top", "margin-inline", "text-indent")
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
    (WCAG 2, 1 to 21; None if unknown), and whether it is visible at all. *unknown* names the properties that decide
    how it looks and that are not computed."""

    text: str
    size_px: float
    around_px: float
    contrast: float | None
    is_shown: bool
    unknown: tuple[str, ...] = ()


def appearances(html: str, css: str, hrefs: frozenset[str]) -> list[tuple[Appearance, ...]]:
    """The appearances of each link with one of *hrefs* (as the HTML writes them), under the page's own styles and then
    *css*: first without the rules that depend on a condition, such as the width of the screen, and then with those of
    each condition alone, and last with all, which may exclude one another."""
    tree = LexborHTMLParser(html)
    written = "\n".join([*(node.text(deep=True) for node in tree.css("style")), css])
    rules = list(_rules(written))
    is_cut = len(written) > _CHARACTERS_MAX or len(rules) >= _RULES_MAX
    links = [node for node in tree.css("a[href]") if (node.attributes.get("href") or "").strip() in hrefs]
    return [_under_conditions(node, rules, is_cut=is_cut) for node in links]


def _under_conditions(link: LexborNode, rules: list[_Rule], *, is_cut: bool) -> tuple[Appearance, ...]:
    chain: list[LexborNode] = []
    node: LexborNode | None = link
    while node is not None and node.is_element_node and len(chain) < _DEPTH_MAX:
        chain.insert(0, node)
        node = node.parent
    matching = [
        [(rule.weight, number, rule) for number, rule in enumerate(rules) if _applies(rule, chain[: place + 1])]
        for place in range(len(chain))
    ]
    conditions = dict.fromkeys(rule.condition for matches in matching for *_, rule in matches if rule.condition)
    tried = [*conditions][:_CONDITIONS_MAX]
    looks = [_appearance(chain, matching, condition) for condition in ("", *tried, None)]
    if is_cut or len(conditions) > len(tried):
        looks = [replace(look, unknown=(*look.unknown, "style sheets that are too long")) for look in looks]
    return tuple(looks)


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
    *may* apply, because the selector is not understood, what it declares is unknown. *condition* is that of the block
    around it, or empty."""

    parts: tuple[tuple[_Compound, bool], ...]
    declarations: dict[str, str]
    may: bool
    condition: str = ""

    @property
    def weight(self) -> tuple[int, int, int]:
        compounds = [part for part, _ in self.parts]
        ids, classes = sum(len(it.ids) for it in compounds), sum(len(it.classes) for it in compounds)
        return ids, classes, sum(bool(it.tag) for it in compounds)


_Match = tuple[tuple[int, int, int], int, _Rule]


def _rules(css: str) -> Iterator[_Rule]:
    css = re.sub(r"/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/", "", css[:_CHARACTERS_MAX])
    blocks = [("", _AT_RULE.sub("", css))]
    for name, text, block in _AT_RULE.findall(css):
        if name.lower() in {"media", "supports", "layer", "container"} and not _PRINT.fullmatch(text):
            blocks.append((f"{name} {' '.join(text.split())}".lower(), block))
    written = ((condition, found) for condition, block in blocks for found in _RULE.finditer(block))
    for condition, found in islice(written, _RULES_MAX):
        declarations = _declarations(found[2])
        for selector in found[1].split(","):
            if not _STATES.search(selector):  # how a link looks before anybody does anything
                yield from _rule(selector.strip(), declarations, condition)


def _rule(selector: str, declarations: dict[str, str], condition: str) -> Iterator[_Rule]:
    parts, compounds = _PART.split(selector.replace(":root", "html")), list[tuple[_Compound, bool]]()
    for text, combinator in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if not _COMPOUND.fullmatch(text) or combinator in {"+", "~"}:
            # Of what is not understood the last part decides for which elements it may count.
            yield _Rule(((_compound(parts[-1]), False),), declarations, True, condition)
            return
        compounds.append((_compound(text), combinator == ">"))
    if selector:
        yield _Rule(tuple(compounds), declarations, False, condition)


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
    declarations = dict[str, str]()
    for name, value in ((name.strip().lower(), value.strip().lower()) for name, _, value in pairs if value):
        declarations.pop(name, None)
        declarations[name] = value
        if name == "font":
            size, important = _FONT_SIZE.search(value), " !important" if "!important" in value else ""
            plain = value.replace("!important", "").strip()
            declarations["font-size"] = (plain if plain in _PLAIN else size[1] if size else _UNKNOWN) + important
        elif name == "background":
            declarations.pop("background-color", None)
            declarations.pop("background-image", None)
    return declarations


def _style(element: LexborNode, matches: list[_Match]) -> dict[str, str]:
    """What *element* declares. `_UNKNOWN` stands for a value that a rule may change."""
    ordered = [(rule.declarations, rule.may) for *_, rule in sorted(matches, key=lambda it: it[:2])]
    ordered.append((_declarations(element.attributes.get("style") or ""), False))
    style, important = dict[str, str](), dict[str, str]()
    for declarations, may in ordered:
        for name, value in declarations.items():
            plain = value.replace("!important", "").strip()
            (important if plain != value else style)[name] = _UNKNOWN if may else plain
    return style | important


def _appearance(chain: list[LexborNode], matching: list[list[_Match]], condition: str | None) -> Appearance:
    """The look of the last element of *chain* where *condition* holds, or every one (None)."""
    size, is_known, opacity = ROOT_PX, True, 1.0
    colour: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)
    shown, variables, unknown = True, dict[str, str](), dict[str, None]()
    around, style = size, dict[str, str]()
    for place, element in enumerate(chain):
        rules = [match for match in matching[place] if condition is None or match[2].condition in {"", condition}]
        style = _style(element, rules)
        variables |= {name: value for name, value in style.items() if name.startswith("--")}
        style = {name: _resolved(value, variables) for name, value in style.items() if not name.startswith("--")}
        around, was_known = size, is_known
        size, is_known = _size(style.get("font-size", ""), size, is_known)
        default = _LINK_COLOUR if place == len(chain) - 1 else colour
        colour = _colour(style["color"], colour) if "color" in style else default
        ground = _ground(style, ground)
        opacity *= _opacity(style, unknown)
        shown = shown and not _is_hidden(style, element)
        unknown |= dict.fromkeys(_unknown(style, element))
        if place == len(chain) - 1 and not (is_known and was_known):
            unknown["size"] = None
    shown = shown and style.get("color") != "transparent" and not _is_clear(style.get("color", "")) and opacity > 0.2
    if colour is None or ground is None:
        unknown["colour or background"] = None
    contrast = _contrast(_blended(colour, ground, opacity), ground) if colour and ground else None
    return Appearance(words_of(chain[-1]), size, around, contrast, shown and size > 0, tuple(unknown))


def _resolved(value: str, variables: dict[str, str]) -> str:
    """*value* with its variables; `_UNKNOWN` if one is not known."""
    for _ in range(_VARIABLES_MAX):
        if not (found := _VARIABLE.search(value)):
            return value
        if (known := variables.get(found[1], (found[2] or _UNKNOWN).strip())) == _UNKNOWN:
            return _UNKNOWN
        value = value[: found.start()] + known + value[found.end() :]
        if len(value) > _VALUE_MAX:
            break
    return _UNKNOWN


def _blended(colour: Colour, ground: Colour, opacity: float) -> Colour:
    red, green, blue = (round(under + (over - under) * opacity) for over, under in zip(colour, ground, strict=True))
    return red, green, blue


def _opacity(style: dict[str, str], unknown: dict[str, None]) -> float:
    found = re.fullmatch(r"(\d{0,3}\.?\d{1,9})(%?)", style.get("opacity", "1"))
    if found is None:
        unknown["opacity"] = None
        return 1.0
    return min(float(found[1]) / (100 if found[2] else 1), 1.0)


def _ground(style: dict[str, str], ground: Colour | None) -> Colour | None:
    if style.get("background-image", "none") != "none":
        return None
    background = style.get("background-color", style.get("background", ""))
    if re.search(r"url\(|gradient\(|image", background):
        return None
    return _colour(background if "(" in background else background.split(" ")[0], ground) if background else ground


def _is_clear(colour: str) -> bool:
    return re.fullmatch(r"rgba\([^)]*[,/]\s*0*\.?0*%?\s*\)|#[0-9a-f]{6}00|#[0-9a-f]{3}0", colour) is not None


def _is_hidden(style: dict[str, str], element: LexborNode) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or ("hidden" in element.attributes and style.get("display", "none") == "none")
        or (element.tag == "dialog" and "open" not in element.attributes and style.get("display", "none") == "none")
        or _is_moved_away(style)
        or _is_clipped(style)
    )


def _unknown(style: dict[str, str], element: LexborNode) -> Iterator[str]:
    """What decides how *element* looks in a way that is not computed."""
    if element.tag == "details" and "open" not in element.attributes:
        yield "details that are closed"
    yield from (name for name in ("display", "visibility", "position") if style.get(name) == _UNKNOWN)
    for name, value in style.items():
        if name in _NOT_COMPUTED and value not in _PLAIN and not (name == "zoom" and value in {"1", "100%"}):
            yield name
    if style.get("position") in {"absolute", "fixed", "relative", "sticky"}:
        yield from (name for name in (*_SIDES, "inset") if _may_be_away(style.get(name, "")))
    yield from (name for name in _MARGINS if _may_be_away(style.get(name, "")))


def _may_be_away(lengths: str) -> bool:
    """True if one of *lengths* may put something off the screen: a long one, or one in a notation that is not known."""
    for length in lengths.split():
        found = re.fullmatch(r"[+-]?(\d{0,7}\.?\d{1,7})(px|em|rem|vw|vh|%)?", length)
        if found is None:
            if length not in {"auto", "inherit", "initial", "unset"}:
                return True
        elif float(found[1]) >= {"px": 500, "em": 30, "rem": 30}.get(found[2] or "px", 80):
            return True
    return False


def _is_moved_away(style: dict[str, str]) -> bool:
    """Placed so far outside that no screen shows it, as links for screen readers are."""
    if style.get("position") in {"absolute", "fixed", "relative"}:
        places = (style.get(side, "") for side in _SIDES)
        if any(_is_far(place) for place in places):
            return True
    moved = re.search(r"(?:translate[xy]?|translate3d)\(([^)]*)", style.get("transform", ""))
    is_moved = moved is not None and any(_is_far(part.strip()) for part in moved[1].split(","))
    is_indented = _is_far(style.get("text-indent", "")) and not style.keys() & {"background", "background-image"}
    return is_moved or is_indented or "scale(0)" in style.get("transform", "") or style.get("scale") == "0"


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
    return is_cut and any(re.fullmatch(r"\d(?:\.\d+)?(?:px)?", box) for box in boxes)


def _size(text: str, around: float, is_known: bool) -> tuple[float, bool]:
    """The size in pixels, and whether it is known; *around* is that of the surrounding text."""
    if text in {"", "inherit", "unset"}:
        return around, is_known
    if text in _SIZES:
        return float(_SIZES[text]), True
    if text in {"smaller", "larger"}:
        return around * (0.83 if text == "smaller" else 1.2), is_known
    found = re.fullmatch(r"(\d{0,5}(?:\.\d{1,5})?)(px|pt|rem|em|%)", text)
    if not found or not found[1]:
        return (0.0, True) if text == "0" else (max(around, ROOT_PX), False)
    scale = {"px": 1.0, "pt": 4 / 3, "rem": ROOT_PX, "em": around, "%": around / 100}[found[2]]
    return float(found[1]) * scale, is_known or found[2] in {"px", "pt", "rem"}


def _colour(text: str, inherited: Colour | None) -> Colour | None:
    if text in {"inherit", "currentcolor", "transparent", "none", "unset", "initial"}:
        return inherited
    if text in _COLOURS:
        return _COLOURS[text]
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        return (int(text[1] * 2, 16), int(text[2] * 2, 16), int(text[3] * 2, 16))
    if re.fullmatch(r"#[0-9a-f]{6}", text):
        return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
    if hue := re.fullmatch(r"hsl\((\d{1,3})(?:deg)?[, ]+(\d{1,3})%[, ]+(\d{1,3})%\)", text):
        channels = hls_to_rgb(int(hue[1]) % 360 / 360, min(int(hue[3]), 100) / 100, min(int(hue[2]), 100) / 100)
        red, green, blue = (round(channel * 255) for channel in channels)
        return red, green, blue
    found = re.fullmatch(r"rgb\((\d{1,3})[, ]+(\d{1,3})[, ]+(\d{1,3})\)", text)
    return (min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)) if found else None


def _contrast(colour: Colour, other: Colour) -> float:
    light, dark = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [channel / 255 for channel in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""From the core of an address to its ends: towns, states and codes to the right, flats and houses to the left."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from troth.detect.places.words import Words

__all__ = ["Walk", "Walker"]

_TOKEN: Final = re.compile(r"([\s,;|>/*?·•–-]{0,12})([^\s,;|>/*?·•–()\[\]{}<=:!\"“”-][^\s,;|>/*?·•()\[\]{}<=:!\"“”]*)")
"""What may divide two parts of an address, and a word or number of one."""
_TO_THE_LEFT: Final = re.compile(r"[\s,;|>/*?·-]*$")
_STARTS: Final = re.compile(r"[,\n;:(|•\"“>\t]|\s-\s|\?\?\?")
_PROVINCE: Final = re.compile(r"[ ]\([^\W\d_][^()\n\d]{1,24}\)")
_CODE: Final = re.compile(
    r"(?i:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]\d[\dW] ?[A-Z\d]{4}|[A-Z]{1,2}\d{1,2}[A-Z]?"
    r"|\d{5}-\d{3,4}|\d{3}-\d{4}|\d{2}-\d{3}|\d{3} \d{2}|\d{4} [A-Z]{2}|(?:[A-Z]{1,2}-)?\d{4,6}"
)
_NUMERIC: Final = re.compile(r"(?:[A-Z]{1,2}-)?\d{4,6}|\d{2}-\d{3}|\d{3} \d{2}|\d{4} [A-Z]{2}")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_UNIT_NUMBER: Final = re.compile(r"#?\d{1,5}[a-zA-Z]?(?:[/-]\d{1,4})?|[A-Z](?:-?\d{1,4})?|\d{1,2}\.?[ºª°]?")
_FLOOR: Final = re.compile(r"(?i:ground|first|second|third|fourth|fifth|top|\d{1,2}(?:st|nd|rd|th))")
_DOOR: Final = re.compile(r"\d{1,2}\.?[ºª°]\.?[A-Za-z]?|#\d{1,5}[a-zA-Z]?|\d{1,2}\.?(?:tv|th|mf|sal|OG)")
_PHRASE: Final = 5
"""How many words the longest name of a state or country has."""
_WORDS_MAX: Final = 8
_LOWER_MAX: Final = 3
"""How many words may stand before what shows that they are places; of those without capitals."""
_PARTS_MAX: Final = 5
_TOKENS_MAX: Final = 20
_LINES_MAX: Final = 2


class Walk(NamedTuple):
    """How many characters further an address goes, and how sure that makes it: 0 not at all, 1 a town, 2 a code."""

    length: int
    proof: int


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    gap: str
    """What stands before it."""

    @property
    def word(self) -> str:
        return self.text.casefold().strip(".'-")

    @property
    def is_name(self) -> bool:
        return self.text[0].isupper()


@dataclass(frozen=True, slots=True)
class Walker:
    """Walks by the words of one `Words`."""

    of: Words
    regions: frozenset[str]

    # --- to the right -------------------------------------------------------------------------------------------------

    def right(self, text: str, *, capitals: bool) -> Walk:
        """What of *text*, which begins where the core ends, belongs to it. *capitals*: whether names have any."""
        tokens = list(itertools.islice(_tokens(text), _TOKENS_MAX))
        end = proof = at = waiting = 0
        while at < len(tokens):
            if size := self._unit(tokens, at):
                end = end if waiting else tokens[at + size - 1].end
            elif size := self._code(tokens, at) or self._region(tokens, at, capitals=capitals):
                end, proof, waiting = tokens[at + size - 1].end, 2, 0
                if _NUMERIC.fullmatch(tokens[at].text) or (size == 2 and tokens[at].text.isdecimal()):
                    more = self._town_of_code(tokens, at + size)
                    end, size = (tokens[at + size + more - 1].end if more else end), size + more
            elif size := self._town(tokens, at, capitals=capitals):
                end, proof, waiting = tokens[at + size - 1].end, max(proof, 1), 0
            elif self._may_be_place(tokens[at], capitals=capitals) and waiting < (
                _WORDS_MAX if capitals else _LOWER_MAX
            ):
                size, waiting = 1, waiting + 1
            else:
                break
            at += size
            if tokens[at - 1].text.endswith(".") and len(tokens[at - 1].text) > 4:
                break
        if not end and capitals:
            end = self._after_comma(tokens)
        if proof == 2 and (province := _PROVINCE.match(text, end)):
            end = province.end()
        return Walk(end, proof)

    def _unit(self, tokens: list[_Token], at: int) -> int:
        """How many tokens from *at* on are a flat, a floor or a door."""
        token = tokens[at]
        following = tokens[at + 1].text if at + 1 < len(tokens) and "\n" not in tokens[at + 1].gap else ""
        if token.word in self.of.units or token.word + "." in self.of.units:
            return 2 * bool(_UNIT_NUMBER.fullmatch(following.rstrip(".")))
        if following.casefold() in {"floor", "flat"} and _FLOOR.fullmatch(token.text):
            return 2
        return int(bool(_DOOR.fullmatch(token.text)))

    def _code(self, tokens: list[_Token], at: int) -> int:
        """How many tokens from *at* on are a postal code."""
        text = tokens[at].text
        if at + 1 < len(tokens) and tokens[at + 1].gap == " ":
            both = f"{text} {tokens[at + 1].text.rstrip('.')}"
            if _CODE.fullmatch(both) and (len(text) > 2 or not text.isdecimal()):
                return 2
        text = text.rstrip(".")
        if not _CODE.fullmatch(text) or not any(map(str.isdecimal, text)):
            return 0
        follows = tokens[at + 1] if at + 1 < len(tokens) else None
        if text.isdecimal() and follows and follows.gap in {" ", "-", ""} and follows.text[0].isdecimal():
            return 0  # a telephone number goes on
        is_year = _YEAR.fullmatch(text) and not (follows and follows.gap == " " and follows.is_name)
        return int(not is_year)

    def _region(self, tokens: list[_Token], at: int, *, capitals: bool) -> int:
        """How many tokens from *at* on are a state, a county or a country."""
        token = tokens[at]
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.text.rstrip(".,") in self.of.codes and not (token.word in self.of.no_names and not capitals):
            coded = following is not None and following.text[0].isdecimal()
            return int(coded or capitals)
        if token.word in {"co", "county"} and following and (following.is_name or not capitals):
            return 2
        if token.word == "dublin" and following and following.text.rstrip(".").isdecimal():
            return 2
        if token.word == "nan":
            return int(following is not None and following.text[0].isdecimal())
        return _longest(tokens, at, self.regions, capitals=capitals)

    def _town(self, tokens: list[_Token], at: int, *, capitals: bool) -> int:
        return _longest(tokens, at, self.of.towns, capitals=capitals)

    def _town_of_code(self, tokens: list[_Token], at: int) -> int:
        """How many tokens after a code are the town that it belongs to: they stand on its line, without a comma."""
        size = 0
        for token in tokens[at : at + 4]:
            if set(token.gap) - {" ", "-", "/"} or not (token.is_name or token.word in self.of.links):
                break
            if token.word in self.of.no_places:
                break
            size += 1
        while size and tokens[at + size - 1].word in self.of.links:
            size -= 1
        return size

    def _may_be_place(self, token: _Token, *, capitals: bool) -> bool:
        if not token.text[0].isalpha() or token.word in self.of.no_places:
            return False
        return not capitals or token.is_name or token.word in self.of.links

    def _after_comma(self, tokens: list[_Token]) -> int:
        """The end of up to three capitalised words between a comma and another mark: most likely the town."""
        if not tokens or tokens[0].gap.strip(" \t") != ",":
            return 0
        for at, token in enumerate(tokens[:4]):
            if at and token.gap != " ":
                return tokens[at - 1].end
            if not token.is_name or token.word in self.of.no_places:
                return 0
        return tokens[-1].end if len(tokens) < 4 else 0

    # --- to the left --------------------------------------------------------------------------------------------------

    def left(self, text: str) -> Walk:
        """What of *text*, which ends where the core begins, are flats, floors, houses and further numbers of it."""
        length = 0
        for _ in range(_PARTS_MAX):
            rest = text[: len(text) - length]
            gap = _TO_THE_LEFT.search(rest)
            body = rest[: gap.start()] if gap else rest
            if rest[len(body) :].count("\n") > 1 or not body or body == rest:
                break
            taken = self._house(body)
            if not taken:
                break
            length += len(rest) - len(body) + taken
        return Walk(length, int(length > 0))

    def _house(self, body: str) -> int:
        """How many of the last characters of *body* are a flat, a floor or a house."""
        part = body[_start_of_part(body) :]
        tokens = list(_tokens(part))
        if not tokens:
            return 0
        for size in (2, 1):
            if len(tokens) >= size and self._unit(tokens, len(tokens) - size) == size:
                return len(part) - tokens[-size].start
        if tokens[-1].word in self.of.buildings and tokens[-1].is_name:
            run = self._run_of_names(tokens)
            return len(part) - tokens[-run].start if run > 1 else 0
        return len(tokens[-1].text) if re.fullmatch(r"\d{1,3}", tokens[-1].text) and len(tokens) == 1 else 0

    def places(self, text: str) -> Walk:
        """What of *text*, which ends where a postal code or a country begins, are the places that it belongs to."""
        length = 0
        for count in range(_PARTS_MAX):
            rest = text[: len(text) - length]
            gap = _TO_THE_LEFT.search(rest)
            body = rest[: gap.start()] if gap else rest
            if rest[len(body) :].count("\n") > 1 or not body or body == rest:
                break
            part = body[_start_of_part(body) :]
            tokens = list(_tokens(part))
            run = self._run_of_names(tokens)
            if not run or (count and "\n" in rest[len(body) :] and not self._is_of_address(tokens[-run:])):
                break
            first = len(tokens) - run
            if first and re.fullmatch(r"\d{1,5}[a-zA-Z]?", tokens[first - 1].text) and tokens[first].gap == " ":
                first -= 1
            length += len(rest) - len(body) + len(part) - tokens[first].start
            if first or tokens[first].text[0].isdecimal():
                break
        return Walk(length, int(length > 0))

    def _run_of_names(self, tokens: list[_Token]) -> int:
        """How many of the last tokens are capitalised words, with small ones between them."""
        size = count = 0
        for count, token in enumerate(reversed(tokens[-5:]), 1):
            if token.word in self.of.no_places or not (token.is_name or token.word in self.of.links):
                break
            size = count if token.is_name else size
        return size

    def _is_of_address(self, tokens: list[_Token]) -> bool:
        """Whether a line of its own shows that it is no person's name."""
        last = tokens[-1].word
        known = {*self.of.streets, *self.of.others, *self.of.buildings}
        return last in known or " ".join(it.word for it in tokens) in self.of.towns or len(tokens) == 1


def _tokens(text: str) -> Iterator[_Token]:
    """The words and numbers of *text*, as long as only what may divide an address stands between them."""
    match = _TOKEN.match(text)
    while match and match[1].count("\n") <= _LINES_MAX:
        gap, written = match.groups()
        yield _Token(match.start(2), match.start(2) + len(written.rstrip(".-'’")), written, gap)
        match = _TOKEN.match(text, match.end())


def _longest(tokens: list[_Token], at: int, names: frozenset[str], *, capitals: bool) -> int:
    """How many tokens from *at* on are one of *names*, at the most."""
    if capitals and not tokens[at].is_name:
        return 0
    found, phrase = 0, ""
    for size, token in enumerate(tokens[at : at + _PHRASE], 1):
        if size > 1 and token.gap != " ":
            break
        phrase = f"{phrase} {token.word}".strip()
        if phrase in names:
            found = size
    return found


def _start_of_part(body: str) -> int:
    """Where the last part of *body* begins, behind a comma, a line's end or another mark."""
    start = 0
    for match in _STARTS.finditer(body):
        start = match.end()
    return start

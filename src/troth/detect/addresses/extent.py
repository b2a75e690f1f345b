"""Extends the core of an address: towns, states and codes to the right, flats and houses to the left."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from troth.detect.addresses.tokens import BREAK, AddressToken, last_part, tokens
from troth.detect.addresses.words import AddressWords

_BETWEEN: Final = re.compile(rf"(?:[\s,;|>/*?·–-]|{BREAK})*$")
_PROVINCE: Final = re.compile(r" \([^\W\d_][^()\n\d]{1,24}\)")
_CORNER: Final = re.compile(r"(?i:(?:the )?corner of )$")
_CROSSING: Final = re.compile(
    r" (?:and|&|at) (?:[^\W\d_a-z][\w'’-]* ){1,2}(?:Street|Avenue|Road|St|Ave|Rd|Blvd|Lane)\b\.?"
)
_CODE: Final = re.compile(
    r"(?i:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d)|[A-Z]\d[\dW] ?[A-Z\d]{4}|[A-Z]{1,2}\d{1,2}[A-Z]?"
    r"|\d{5}-\d{3,4}|\d{3}-\d{4}|\d{2}-\d{3}|\d{4}-\d{3}|\d{3} \d{2}|\d{4} ?[A-Z]{2}|(?:[A-Z]{1,2}-)?\d{4,6}"
)
_DUTCH: Final = re.compile(r"\d{4} ?[A-Z]{2}")
_DISTRICT: Final = re.compile(r"[a-z]{1,2}\d{1,2}[a-z]?")
"""The first half of a British postcode in lower case, which is hard to tell from other words."""
_NUMERIC: Final = re.compile(r"(?:[A-Z]{1,2}-)?\d{4,6}|\d{2}-\d{3}|\d{4,5}-\d{3}|\d{3} \d{2}|\d{4} ?[A-Z]{2}")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_UNIT_NUMBER: Final = re.compile(r"#?\d{1,5}[a-zA-Z]?(?:[/-]\w{1,4})?|[a-zA-Z](?:-?\d{1,4})?|\d{1,2}\.[oa]")
_DOOR: Final = re.compile(r"\d{1,2}(?:\.[oa]|[oa°])\.?[A-Za-z]?|#\d{1,5}(?:-\d{1,5})?[a-zA-Z]?|\d[nrt]")
_SIDES: Final = frozenset({"izq", "izda", "dcha"})
_FLOORS: Final = frozenset(
    {"ground", "first", "second", "third", "fourth", "fifth", "sixth", "top", "upper", "lower", "garden", "basement"}
    | {"attic", "rear", "front"}
)
"""Words that `_FLOOR` may start with."""
_FLOOR: Final = re.compile(
    r"(?i:(?:ground|first|second|third|fourth|fifth|sixth|top|upper|lower|\d{1,2}(?:st|nd|rd|th)) (?:floor|fl\b\.?)"
    r"|\d{1,2}(?:e|er|ème|o|a)? (?:étage|piano|planta|piso)"
    r"|(?:garden|basement|attic|top|upper|lower|rear|front) flat|\d{1,2}\. ?(?:tv|th|mf|sal|og|stock|etage)\b\.?)"
    r"(?i: (?:flat|left|right|links|rechts))?"
)
_HOUSE_NUMBER: Final = re.compile(r"\d{1,4}[a-zA-Z]?(?:[/-]\d{1,4})?")
_THE: Final = frozenset({"The", "THE"})
_FLAT_NUMBER: Final = re.compile(r"\d{1,3}")
_WORDS_MAX: Final = 8
_LOWER_MAX: Final = 3
"""How many words may precede the evidence that they are places; the latter limit is for words in lower case."""
_PARTS_MAX: Final = 5
_PHRASE_MAX: Final = 5


class Walk(NamedTuple):
    """How many characters further an address extends, and the evidence for it: 0 none, 1 a town, 2 a code."""

    length: int
    proof: int


NOWHERE: Final = Walk(0, 0)


@dataclass(frozen=True, slots=True)
class Walker:
    """Determines the extent of addresses with the words of `AddressWords`."""

    of: AddressWords
    regions: frozenset[str]
    """States, counties and countries."""
    begins: frozenset[str]
    """The first words of all of them and of towns, for a quick check: most words start none."""

    @classmethod
    def of_words(cls, of: AddressWords) -> Walker:
        regions = frozenset(it.lower() for it in (*of.states, *of.counties, *of.countries, *of.country_codes))
        plain = frozenset(" ".join(word.strip(".'-") for word in it.split()) for it in regions)
        return cls(of, plain, frozenset(it.split()[0] for it in plain | of.towns))

    # --- to the right -------------------------------------------------------------------------------------------------

    def right(self, text: str, *, capitals: bool) -> Walk:
        """How much of *text*, which starts after the core, belongs to it. *capitals*: whether names are capitalised."""
        if crossing := _CROSSING.match(text):
            return Walk(crossing.end(), 1)
        row = list(itertools.takewhile(self._may_belong, tokens(text)))
        end = proof = at = waiting = 0
        while at < len(row):
            if size := self._unit(text, row, at):
                size += _is_letter(row, at + size)
                end, proof = (end, proof) if waiting else (row[at + size - 1].end, max(proof, 1))
            elif size := self._code(row, at, placed=bool(proof) and not waiting, capitals=capitals):
                proof, waiting = 2, 0
                size += self._town_of_code(text, row, at, at + size, capitals=capitals)
                end = row[at + size - 1].end
                if self._ends_sentence(row[at + size - 1]):
                    break
            elif size := self._region(row, at, capitals=capitals):
                end, proof, waiting = row[at + size - 1].end, 2, 0
            elif size := self._longest(row, at, self.of.towns, capitals=capitals):
                end, proof, waiting = row[at + size - 1].end, max(proof, 1), 0
            elif waiting < (_WORDS_MAX if capitals else _LOWER_MAX) and (
                self._may_be_place(row[at], capitals=capitals) or (waiting and _is_district(row[at]))
            ):
                size, waiting = 1, waiting + 1
            else:
                break
            at += size
            if waiting and row[at - 1].is_last:
                break
        if not proof and capitals:
            end = max(end, self._town_at_end(row, end))
        province = _PROVINCE.match(text, end)
        return Walk(province.end() if province and (proof == 2 or province[0].isupper()) else end, proof)

    def _may_belong(self, token: AddressToken) -> bool:
        return token.word not in self.of.no_places or token.word in self.begins or token.written in self.of.codes

    def _unit(self, text: str, row: Sequence[AddressToken], at: int) -> int:
        """How many tokens from *at* on are a flat, a floor or a door."""
        token = row[at]
        following = row[at + 1] if at + 1 < len(row) else None
        beside = following.written.rstrip(".") if following and "\n" not in following.gap else ""
        if token.word in self.of.units and _UNIT_NUMBER.fullmatch(beside):
            return 2
        if (token.has_digits or token.word in _FLOORS) and (floor := _FLOOR.match(text, token.start)):
            return sum(it.start < floor.end() for it in row[at:])
        return int((token.has_digits and bool(_DOOR.fullmatch(token.written))) or token.word in _SIDES)

    def _code(self, row: Sequence[AddressToken], at: int, *, placed: bool, capitals: bool) -> int:
        """How many tokens from *at* on are a postal code; *placed*: whether a town or state directly precedes."""
        if not row[at].has_digits:
            return 0
        written = row[at].written
        following = row[at + 1] if at + 1 < len(row) else None
        if following and following.gap == " " and (len(written) > 2 or not written.isdecimal()):
            both = f"{written} {following.written.rstrip('.')}"
            if _CODE.fullmatch(both):
                return 2
        written = written.rstrip(".")
        if not (_CODE.fullmatch(written) or (not capitals and _DISTRICT.fullmatch(written))):
            return 0
        if not written.isdecimal():
            return 1
        if following and following.is_number and following.gap in {" ", "-"}:
            return 0  # a telephone number continues
        named = following is not None and following.gap == " " and following.is_name
        return int(placed or named or not _YEAR.fullmatch(written))

    def _region(self, row: Sequence[AddressToken], at: int, *, capitals: bool) -> int:
        """How many tokens from *at* on are a state, a county or a country."""
        token, following = row[at], row[at + 1] if at + 1 < len(row) else None
        numbered = following is not None and following.is_number
        if token.written.rstrip(".") in self.of.codes:
            return int(numbered or capitals)
        if token.word in {"co", "county"} and following and (following.is_name or not capitals):
            return 2
        if token.word == "dublin":
            return 2 * numbered
        return int(numbered) if token.word == "nan" else self._longest(row, at, self.regions, capitals=capitals)

    def _longest(self, row: Sequence[AddressToken], at: int, names: frozenset[str], *, capitals: bool) -> int:
        """How many tokens from *at* on are one of *names*; the longest match."""
        if at >= len(row) or row[at].word not in self.begins or (capitals and not row[at].is_name):
            return 0
        found, phrase = 0, ""
        for size, token in enumerate(row[at : at + _PHRASE_MAX], 1):
            if size > 1 and token.gap != " ":
                break
            phrase = f"{phrase} {token.word}".strip()
            if phrase in names:
                found = size
        return found

    def _town_of_code(self, text: str, row: Sequence[AddressToken], at: int, after: int, *, capitals: bool) -> int:
        """How many tokens after a numeric code are its town, which is on the same line."""
        code = " ".join(it.written for it in row[at:after])
        if not _NUMERIC.fullmatch(code):
            return 0
        apart = row[after].gap if after < len(row) else ""
        size = 0
        for count, token in enumerate(row[after : after + 4], 1):
            if (count > 1 and set(token.gap) - {" ", "-", "/"}) or token.word in self.of.no_places:
                break
            if not (token.is_name or token.word in self.of.links):
                break
            size = count if token.is_name else size
            if self._ends_sentence(token):
                break
        if set(apart) - {" ", ";", "-"} and not _DUTCH.fullmatch(code):
            # A comma before the town is Italian style, with the province after it.
            size = size if apart == ", " and size and _PROVINCE.match(text, row[after + size - 1].end) else 0
        if size and row[after + size - 1].written[-1] != "." and after + size < len(row):
            return size + _is_district(row[after + size])
        return size or (0 if apart.strip() else self._longest(row, after, self.of.towns, capitals=capitals))

    def _ends_sentence(self, token: AddressToken) -> bool:
        """True if a full stop after a code or its town ends a sentence."""
        return token.written[-1] == "." and (token.is_last or token.has_digits or token.word in self.of.towns)

    def _may_be_place(self, token: AddressToken, *, capitals: bool) -> bool:
        if not token.written[0].isalpha() or token.word in self.of.no_places:
            return False
        return not capitals or token.is_name or token.word in self.of.links

    def _town_at_end(self, row: Sequence[AddressToken], end: int) -> int:
        """The end of up to three capitalised words between a comma or a flat and another mark: probably the town."""
        row = [it for it in row if it.start >= end]
        if not row or row[0].gap.strip(" \t") not in ({",", ""} if end else {","}):
            return 0
        for at, token in enumerate(row[:4]):
            if at and token.gap != " ":
                return row[at - 1].end
            if not token.is_name or token.word in self.of.no_places:
                return 0
            if token.is_last:
                return token.end
        return row[-1].end if len(row) < 4 else 0

    # --- to the left --------------------------------------------------------------------------------------------------

    def left(self, text: str) -> Walk:
        """How much of *text*, which ends before the core, are flats, floors, houses and further numbers."""
        length = _steps(text, self._house)
        if corner := _CORNER.search(text[: len(text) - length]):
            length += len(corner[0])
        return Walk(length, int(length > 0))

    def places(self, text: str, *, capitals: bool) -> Walk:
        """How much of *text*, which ends before a postal code or a country, are places that it belongs to."""
        length = _steps(text, self._place if capitals else self._line)
        return Walk(length + self.left(text[: len(text) - length]).length if length else 0, int(length > 0))

    def _house(self, part: str, lines: int, count: int) -> tuple[int, bool]:
        """How many of the last characters of *part* are a flat, a floor or a house; and whether there may be more."""
        row = list(tokens(part))
        if not row:
            return 0, False
        for size in (3, 2, 1):
            if len(row) >= size and self._unit(part, row, len(row) - size) == size:
                return len(part) - row[-size].start, True
        run = self._run_of_names(row)
        first = row[-run] if run else row[-1]
        if run > 1 and (row[-1].word in self.of.buildings or (first.written in _THE and run == len(row) and not lines)):
            return len(part) - first.start, True
        if row[-1].word in self.of.units and not count and part.endswith(row[-1].written):
            return len(part) - row[-1].start, True  # "flat 22 elm road": the core has the number
        alone = len(row) == 1 and _HOUSE_NUMBER.fullmatch(row[-1].written)
        beside = not count and not lines and part.endswith(row[-1].written) and _FLAT_NUMBER.fullmatch(row[-1].written)
        return len(row[-1].written) if alone or beside else 0, True

    def _place(self, part: str, lines: int, count: int) -> tuple[int, bool]:
        """How many of the last characters of *part* are places; and whether there may be more before them."""
        row = list(tokens(part))
        run = self._run_of_names(row)
        if not run or (count and lines and not self._is_of_address(row[-run:])):
            return 0, False
        first = len(row) - run
        numbered = first > 0 and row[first].gap == " " and bool(_HOUSE_NUMBER.fullmatch(row[first - 1].written))
        return len(part) - row[first - numbered].start, first == 0

    def _line(self, part: str, lines: int, count: int) -> tuple[int, bool]:
        """The length of *part* if it is up to three words in lower case alone on their line."""
        row = list(tokens(part))
        alone = 0 < len(row) < 4 and lines == 1 and row[-1].end == len(part.rstrip())
        known = all(it.written.isalpha() and it.word not in self.of.no_places for it in row)
        return (len(part) - row[0].start if alone and known else 0), False

    def _run_of_names(self, row: Sequence[AddressToken]) -> int:
        """How many of the last tokens are capitalised words, possibly linked by lower-case ones."""
        size = 0
        for count, token in enumerate(reversed(row[-5:]), 1):
            if token.word in self.of.no_places and token.written not in _THE:
                break
            if not (
                token.is_name or token.word in self.of.links or (count == 1 and token.word in self.of.plain_streets)
            ):
                break
            size = count if token.is_name else size
        return size

    def _is_of_address(self, row: Sequence[AddressToken]) -> bool:
        """True if a line of its own cannot be a person's name."""
        last = row[-1].word
        known = last in self.of.plain_streets or last in self.of.buildings
        return known or len(row) == 1 or " ".join(it.word for it in row) in self.of.towns


def _is_letter(row: Sequence[AddressToken], at: int) -> bool:
    """True if there is a single letter, which distinguishes doors on the same floor: ``2.º C``."""
    return at < len(row) and row[at].gap == " " and len(row[at].word) == 1 and row[at].is_name


def _is_district(token: AddressToken) -> bool:
    """True if it is a small number directly after a name: ``Karlovy Vary 17``."""
    return token.gap == " " and len(token.written) < 3 and token.is_number


def _steps(text: str, take: Callable[[str, int, int], tuple[int, bool]]) -> int:
    """How many characters at the end of *text* are parts accepted by *take*, with the separators between them."""
    length = 0
    for count in range(_PARTS_MAX):
        rest = text[: len(text) - length]
        gap = _BETWEEN.search(rest)
        body = rest[: gap.start()] if gap else rest
        lines = rest.count("\n", len(body))
        if not body or body == rest or lines > 1:
            break
        taken, more = take(last_part(body), lines, count)
        length += len(rest) - len(body) + taken if taken else 0
        if not taken or not more:
            break
    return length

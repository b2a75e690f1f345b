"""Phrases over classes of words, which recognise what sentences in several languages ask for. Pure.

The data are tables, one a language, with ``words`` (classes, named in capitals, and their words) and groups of phrases.
Words are compared without case, accents and umlauts (in either spelling); ``*`` at an end of a word stands for any
letters. A phrase names classes and words in their order: up to two other words may stand between two of them, up to six
at ``..`` (both without a comma), forty at ``...`` and none at ``+``. ``A|B`` is either, ``A?`` may be absent, ``A*`` is
any number of them and of commas, ``!A B`` is a B with no A shortly before it, and ``^`` and ``$`` are the ends of a
line or sentence.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.text import without_accents

_TOKEN = re.compile(
    r"(?P<ADDRESS>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)|(?P<LINK>https?://\S+|www\.\S+)|(?P<BREAK>\n)|(?P<COMMA>,)"
    r"|(?P<ASKS>\?)|(?P<WORD>[^\W_]+)"
)
_SPELLINGS = (
    (re.compile(r"n['\u2019\u00b4`]t\b", re.IGNORECASE), " not"),
    (re.compile(r"\b(can|wo|do|does|did|would|have|is|are)nt\b", re.IGNORECASE), r"\1 not"),
    (re.compile(r"\bcannot\b", re.IGNORECASE), "can not"),
    (re.compile(r"\be(?:[-\u2010-\u2015](?=[^\W\d])| (?=mails?\b))", re.IGNORECASE), "e"),
    (re.compile(r"\b(news|d[ée]s?|mass|info)-(?=letter|mail|s?abonn|s?inscri)", re.IGNORECASE), r"\1"),
)
_SENTENCE_END = re.compile(r"(?<=[.!?;:…])(?<!\d\.)[\"'»)*]*\s+|(?<=[!?])(?=[^\W\d])|\s*\n\s*\n\s*|[\u2022|]|\s[-–—]\s")
_BREAK = re.compile(r"\n(?![^\S\n]*[\"'»*(]*[^\W\d_]*[A-ZÄÖÜÉÀ¡¿])")
"""The end of a line within a sentence: the next line does not begin with a capital letter."""
_WORDS_MAX, _WORD_LENGTH_MAX = 200, 40
"""Maximum number of words of a sentence that are compared, and the compared length of a word."""
_ONE_ERROR_FROM, _TWO_ERRORS_FROM = 6, 11
"""Length from which words are recognised with one typing error, and with two."""
_PREFIX_MIN, _COMMON = 4, 50
"""The shortest beginning of words, and how much more often shorter words occur than others."""
_SHARE_MIN = 0.5
"""Words of a language that a text is in, as a share of those of the language of most of its words."""
_OTHER, _FIRST = "\ue000", 0xE001
_MARKS = ("ADDRESS", "LINK", "BREAK", "COMMA", "ASKS")
"""Classes that tokens have by their form, in any language."""


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence: its words, and for each of them a sign for the classes that it is in."""

    words: tuple[str, ...] = field(repr=False)
    signs: str = field(repr=False)

    def part(self, start: int, end: int) -> TaggedSentence:
        """The words from *start* to before *end*."""
        start = max(start, 0)
        return TaggedSentence(self.words[start:end], self.signs[start:end])


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """A phrase of the data, its language, and between which words of a sentence it stands."""

    phrase: str
    language: str
    start: int
    end: int

    def overlaps(self, other: PhraseMatch) -> bool:
        """Whether the two have a word in common."""
        return self.start < other.end and other.start < self.end


class Phrasebook:
    """The words and phrases of *tables*; the table ``all`` adds words to each language. Of *mistyped*,
    the ``words`` are recognised with typing errors, but ``not`` in those words. *joined* expressions are read as a
    word."""

    def __init__(
        self, tables: Mapping[str, Any], *, mistyped: Mapping[str, Sequence[str]], joined: Mapping[str, Sequence[str]]
    ) -> None:
        self._joined = {expression: word for word, expressions in joined.items() for expression in expressions}
        alternatives = "|".join(re.escape(it) for it in sorted(self._joined, key=len, reverse=True))
        self._join = re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE)
        shared: Mapping[str, Sequence[str]] = tables["all"]["words"]
        classes: dict[str, set[str]] = defaultdict(set)
        for mark in _MARKS:
            classes[mark].add(mark)
        phrases: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for language, table in tables.items():
            for name, words in (*table["words"].items(), *(() if language == "all" else shared.items())):
                for word in words:
                    classes[_plain(word)] |= {f"{language} {name}", name}
            for group in table.keys() - {"words"}:
                phrases[group] += [(language, phrase) for phrase in table[group]]
                for word in re.findall(r"[a-z0-9]+\*?", " ".join(table[group])):
                    classes[_plain(word)].add(f"{language} {word}")
        for word in classes:
            classes[word].update(*(classes.get(part, ()) for part in _parts(word.strip("*"))))
        combinations = sorted({tuple(sorted(names)) for names in classes.values()})
        signs = {names: chr(_FIRST + at) for at, names in enumerate(combinations)}
        self._words = {word: signs[tuple(sorted(names))] for word, names in classes.items()}
        self._languages = {sign: {name.split()[0] for name in names if " " in name} for names, sign in signs.items()}
        self._members: dict[str, str] = defaultdict(str)
        for combination, sign in signs.items():
            for name in combination:
                self._members[name] += sign
        self._common = Counter[str]()
        for word, sign in self._words.items():
            self._common[sign] += _COMMON if len(word) < _PREFIX_MIN else 1
        self._ordinary = frozenset(map(_plain, mistyped["not"]))
        self._variants: dict[str, set[str]] = defaultdict(set)
        for word in map(_plain, mistyped["words"]):
            for variant in _shortened(word):
                self._variants[variant].add(word)
        self._groups: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
        for group, listed in phrases.items():
            by_sign = self._groups[group] = defaultdict(list)
            for language, phrase in listed:
                pattern, rarest = self._compiled(phrase, language)
                for sign in rarest:
                    by_sign[sign].append((language, phrase, pattern))
        self._sign = functools.lru_cache(maxsize=20_000)(self._look_up)

    def sentences(self, text: str) -> Iterator[TaggedSentence]:
        """The sentences of *text* that have words."""
        for old, new in _SPELLINGS:
            text = old.sub(new, text)
        text = self._join.sub(lambda match: self._joined[match[0].casefold()], text)
        for part in _SENTENCE_END.split(_BREAK.sub(" ", text)):
            tokens = [(str(it.lastgroup), it[0]) for it in _TOKEN.finditer(part)][:_WORDS_MAX]
            if any(kind == "WORD" for kind, _ in tokens):
                signs = (self._sign(word) if kind == "WORD" else self._words[kind] for kind, word in tokens)
                yield TaggedSentence(tuple(word for _, word in tokens), "".join(signs))

    def languages(self, sentences: Iterable[TaggedSentence]) -> frozenset[str]:
        """The languages of *sentences*: those of most of their words."""
        counts = Counter(
            language for it in sentences for sign in it.signs for language in self._languages.get(sign, ())
        )
        most = max(counts.values(), default=0)
        return frozenset(language for language, count in counts.items() if count >= most * _SHARE_MIN)

    def matches(self, group: str, sentence: TaggedSentence, languages: Container[str]) -> Iterator[PhraseMatch]:
        """The phrases of *group* in *sentence* that are in one of *languages*."""
        by_sign = self._groups[group]
        tried = set[str]()
        for sign in sentence.signs:
            for language, phrase, pattern in by_sign.get(sign, ()):
                if language in languages and pattern not in tried:
                    tried.add(pattern)
                    for match in _expression(pattern).finditer(sentence.signs):
                        yield PhraseMatch(phrase, language, *match.span())

    def has(self, sentence: TaggedSentence, name: str) -> bool:
        """Whether a word of *sentence* is in the class *name*, in any language."""
        return any(sign in self._members[name] for sign in sentence.signs)

    def clause(self, sentence: TaggedSentence, match: PhraseMatch) -> TaggedSentence:
        """The part of *sentence* between commas and line breaks in which *match* stands."""
        ends = self._members["COMMA"] + self._members["BREAK"]
        before, after = sentence.signs[: match.start], sentence.signs[match.end :]
        start = max(before.rfind(sign) for sign in ends) + 1
        return sentence.part(start, match.end + len(re.split(f"[{ends}]", after)[0]))

    def is_unknown(self, sentence: TaggedSentence) -> bool:
        """Whether *sentence* consists of words in no class."""
        return sentence.signs == _OTHER * len(sentence.signs)

    def _look_up(self, word: str) -> str:
        """The sign of *word*, in its own spelling, as the beginning of a longer word, or with a typing error."""
        spelt = _plain(word)[:_WORD_LENGTH_MAX]
        if spelt in self._words:
            return self._words[spelt]
        if known := next((part for part in _parts(spelt) if part in self._words), ""):
            return self._words[known]
        if spelt in self._ordinary:
            return _OTHER
        if (once := re.sub(r"(.)\1{2,}", r"\1", spelt)) in self._words:  # STOOOOP
            return self._words[once]
        near = {known for variant in _shortened(spelt) for known in self._variants.get(variant, ())}
        ranked = sorted((errors, known) for known in near if (errors := _errors(spelt, known)) <= _errors_max(known))
        return self._words[ranked[0][1]] if ranked else _OTHER

    def _compiled(self, phrase: str, language: str) -> tuple[str, str]:
        """The expression for *phrase*, and the signs of which a sentence has one if it can match: those of its rarest
        words."""
        pattern, gap, needed = "", "", list[str]()
        within = f"[^{self._members['COMMA']}]"
        near, rest = f"{within}{{0,2}}?", ".{0,40}?"
        gaps = {"+": "", "..": f"{within}{{0,6}}?", "...": rest}
        for item in phrase.replace("+", " + ").split():
            if item in gaps:
                gap = gaps[item]
            elif item == "^":
                pattern += f"(?:^|(?<={self._members['BREAK']}))"
            elif item == "$":
                pattern += f"(?={self._members['ASKS']}?(?:$|{self._members['BREAK']}))"
            elif item.startswith("!"):
                signs = self._signs_of(item[1:], language)
                pattern += gap + "".join(f"(?<![{signs}]{'.' * between})" for between in range(3))
                gap = ""
            elif item.endswith("*") and item.isupper():
                pattern, gap = f"{pattern}[{self._members['COMMA']}{self._signs_of(item[:-1], language)}]*", ""
            elif item.endswith("?"):
                pattern += f"(?:{gap}[{self._signs_of(item[:-1], language)}])?"
            else:
                needed.append(self._signs_of(item, language))
                pattern, gap = f"{pattern}{gap}[{needed[-1]}]", near
        pattern += ".*" if gap == rest else ""
        return pattern, min(needed, key=self._commonness)

    def _commonness(self, signs: str) -> int:
        """A measure of how often words with one of *signs* occur: short ones often."""
        return sum(self._common[sign] for sign in signs)

    def _signs_of(self, alternatives: str, language: str) -> str:
        signs = "".join(
            self._members.get(f"{language} {name}", "") or self._members[name] for name in alternatives.split("|")
        )
        if not signs:
            raise ValueError(f"the phrases name an unknown class: {alternatives}")
        return signs


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


@functools.lru_cache(maxsize=20_000)
def _plain(word: str) -> str:
    """*word* in the spelling in which words are compared: ``loschen`` for ``löschen`` and ``loeschen``."""
    return re.sub("([aou])e", r"\1", without_accents(word.casefold()))


def _parts(word: str) -> Iterator[str]:
    """Beginnings and ends of *word*, the long ones first, as they are written in classes of words."""
    for length in range(len(word), _PREFIX_MIN - 1, -1):
        yield f"{word[:length]}*"
        yield f"*{word[-length:]}"


def _errors_max(word: str) -> int:
    return 2 if len(word) >= _TWO_ERRORS_FROM else 1 if len(word) >= _ONE_ERROR_FROM else 0


def _shortened(word: str) -> set[str]:
    """*word*, and what remains of it without one or, if it is long, two of its letters."""
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    if len(word) < _TWO_ERRORS_FROM - 2:
        return {word} | once
    return {word} | once | {it[:at] + it[at + 1 :] for it in once for at in range(len(it))}


def _errors(first: str, other: str) -> int:
    """The number of letters that are missing, added, wrong or swapped between two words; the first letter counts
    twice."""
    rows = [list(range(len(other) + 1))]
    for at, letter in enumerate(first, 1):
        row = [at]
        for to, wanted in enumerate(other, 1):
            cost = min(rows[-1][to] + 1, row[-1] + 1, rows[-1][to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and first[at - 2] == wanted:
                cost = min(cost, rows[-2][to - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1] + (first[:1] != other[:1])

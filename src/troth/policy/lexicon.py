"""Finds what a policy mentions: *concepts*, each with a name and the phrases that express it (``lexicon/*.toml``).

Each table of such a file is a concept:

    [right.access]
    any = ["right to access", "(ask|request) .. copy of (your|the) .. data"]
    weak = ["access"]                 # enough under a heading or a lead-in ...
    under = ["your rights"]           # ... with one of these phrases
    but = ["access to (our|the) (site|service)"]   # and never in a sentence with one of these

A file may begin with ``[words]``: abbreviations for its phrases. After ``not = "(do not|never)"``, ``<not>`` in a
phrase of that file is expanded to it.

Every sentence is matched together with its lead-in: for a list item the sentence before the list, for a table cell the
head of its column. A match counts for the item only if it reaches into the item's own words.

A sentence that matches ``denied.right`` matches no concept ``right.*``, and likewise for other prefixes. Concepts that
are deeds do not match what a sentence denies (see `troth.policy.negation`).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any

from troth.errors import TrothError
from troth.policy.company_names import Us
from troth.policy.negation import done, is_deed, says_not
from troth.policy.phrase_index import Concordance
from troth.policy.phrases import BadPhrase, Phrase, plain
from troth.policy.text import Block, PolicyText, Sentence

_CHARACTERS_MAX = 2_000
"""How much of a sentence is read; real sentences are shorter."""
_TITLE_MAX = 45
_TITLE_WORDS_MAX = 4
"""A title without a question mark has few words; a short sentence almost always contains a word of `_SENTENCE`."""
_SENTENCE = re.compile(
    r"\b(?:we|us|i|it|this|that|these|they|is|are|was|were|will|may|can|do|does|has|have|see|please|not|never|"
    r"keeps|uses|collects|shares|stores|sends|makes|takes|sells|needs|gets|contains|processes|says)\b"
)
_KEYS = ("any", "weak", "under", "but")


class BadLexicon(TrothError):
    """A lexicon file is malformed; the message names the concept."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A topic that a sentence may mention."""

    name: str
    any: tuple[Phrase, ...]
    weak: tuple[Phrase, ...] = ()
    under: tuple[Phrase, ...] = ()
    but: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence with its lead-in, in `plain` form. *words* starts with the lead-in and its own words start at offset
    *own*; *under* are the headings above. If *is_title*, it is the title of its paragraph: “Service providers.”"""

    sentence: Sentence
    block: Block
    words: str = field(repr=False)
    own: int
    under: str = field(repr=False)
    is_title: bool = False


class Mentions:
    """Which sentences of a policy mention which concepts. Concepts are matched lazily."""

    def __init__(self, policy: PolicyText, known: Mapping[str, Concept]) -> None:
        self.policy = policy
        self.passages = tuple(passages(policy))
        self._known = known
        self._found: dict[str, tuple[Passage, ...]] = {}
        self._phrases: dict[tuple[str, str], Phrase] = {}
        self._passage_of = {one.sentence.id: one for one in self.passages}
        self._concordance = Concordance([(one.words, one.words[: one.own].count(" ")) for one in self.passages])
        self._headings = list(dict.fromkeys(one.under for one in self.passages))
        self._under = Concordance([(words, 0) for words in self._headings])

    def of(self, *names: str) -> tuple[Passage, ...]:
        """Passages that mention any of these concepts, in the policy's order; ``right.*`` stands for all concepts with
        that prefix. Raises `KeyError` for an unknown name."""
        wanted = [name for asked in names for name in self._spelled(asked)]
        if len(wanted) == 1:
            return self._one(wanted[0])
        found = {id(passage) for name in wanted for passage in self._one(name)}
        return tuple(passage for passage in self.passages if id(passage) in found)

    def has(self, *names: str) -> bool:
        """True if the policy mentions any of these concepts."""
        return any(self._one(name) for asked in names for name in self._spelled(asked))

    def holding(self, phrase: Phrase, *, is_done: bool = False) -> tuple[Passage, ...]:
        """Passages that contain *phrase* in their own words, in the policy's order; with *is_done*, negated ones are
        excluded."""
        places = set(self._concordance.holding(phrase))
        return tuple(self.passages[place] for place in sorted(self._done(places, (phrase,)) if is_done else places))

    def why(self, name: str, sentence: Sentence) -> str:
        """The words of the sentence that match the concept; empty if it does not match."""
        self._one(name)
        phrase = self._phrases.get((name, sentence.id))
        if phrase is None:
            return ""
        passage = self._passage_of[sentence.id]
        return phrase.words_in(passage.words, after=passage.own) or phrase.text

    def knows(self, name: str) -> bool:
        """True if a lexicon defines that concept."""
        return name in self._known

    def names(self, beginning: str) -> tuple[str, ...]:
        """Names of the concepts that start with *beginning*."""
        return tuple(name for name in self._known if name.startswith(beginning))

    def _spelled(self, asked: str) -> list[str]:
        if not asked.endswith(".*"):
            return [asked]
        return [name for name in self._known if name.startswith(asked[:-1])]

    def _one(self, name: str) -> tuple[Passage, ...]:
        if name not in self._found:
            concept = self._known[name]
            found = tuple(self.passages[place] for place in self._speaking(concept))
            self._found[name] = self._undenied(name, found)
        return self._found[name]

    def _undenied(self, name: str, passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
        """*passages* of a concept ``right.*`` without those that match ``denied.right``, and likewise for other
        prefixes: saying that nobody may complain does not tell people that they may."""
        denial = f"denied.{name.partition('.')[0]}"
        denied = {id(passage) for passage in self._one(denial)} if passages and self.knows(denial) else set[int]()
        return tuple(passage for passage in passages if id(passage) not in denied)

    def _speaking(self, concept: Concept) -> Iterator[int]:
        places = {place: phrase for phrase in reversed(concept.any) for place in self._concordance.holding(phrase)}
        if concept.weak:
            under = {self._headings[number] for phrase in concept.under for number in self._under.holding(phrase)}
            for phrase in concept.weak if under else ():
                for place in self._concordance.holding(phrase):
                    if self.passages[place].under in under:
                        places.setdefault(place, phrase)
        vetoed = {place for phrase in concept.but for place in self._concordance.holding(phrase)} if places else set()
        said = places.keys() - vetoed
        if is_deed(concept.name):
            # A phrase that is itself negative states a deed where it matches.
            plainly = {place for place in said if not says_not(places[place])}
            said -= plainly - self._done(plainly, (*concept.any, *concept.weak))
        for place in sorted(said):
            self._phrases[concept.name, self.passages[place].sentence.id] = places[place]
            yield place

    def _done(self, places: Set[int], phrases: Iterable[Phrase]) -> Set[int]:
        """*places* without those where the phrases occur only in negated text."""
        doubtful = places & self._denying.places
        return places - (doubtful - self._denying.still_holding(phrases)) if doubtful else places

    @cached_property
    def _denying(self) -> _Denying:
        return _Denying(self.passages)


class _Denying:
    """Indexes (*places*) of the passages that deny something, and their text without the denied parts."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        left = {place: pieces for place, one in enumerate(passages) if (pieces := done(one.words)) is not None}
        self.places = left.keys()
        self._place_of = [place for place, pieces in left.items() for _ in pieces]
        self._concordance = Concordance(
            [
                (words, words[: max(passages[place].own - start, 0)].count(" "))
                for place, pieces in left.items()
                for start, words in pieces
            ]
        )

    def still_holding(self, phrases: Iterable[Phrase]) -> set[int]:
        """Indexes of the passages where one of the phrases occurs in the remaining text."""
        return {self._place_of[number] for phrase in phrases for number in self._concordance.holding(phrase)}


def mentions(policy: PolicyText) -> Mentions:
    """What the policy mentions, by the concepts of this release."""
    return Mentions(policy, concepts())


@functools.cache
def concepts() -> Mapping[str, Concept]:
    """All concepts of this release by name. Each is parsed on first access, because most callers need only a few.

    Access may raise `BadLexicon`.
    """
    rows: dict[str, _Row] = {}
    folder = resources.files(__package__).joinpath("lexicon")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        found = _rows(file.read_text(encoding="utf-8"))
        if twice := found.keys() & rows.keys():
            raise BadLexicon(f"{file.name}: {', '.join(sorted(twice))} stands in another file too")
        rows |= found
    return _Lexicon(rows)


def parse_concepts(text: str) -> Mapping[str, Concept]:
    """Parses a lexicon strictly. Raises `BadLexicon`."""
    return dict(_Lexicon(_rows(text)))


_Row = tuple[Any, Mapping[str, str]]
"""The raw row of a concept, and the ``[words]`` of its file."""


class _Lexicon(Mapping[str, Concept]):
    def __init__(self, rows: Mapping[str, _Row]) -> None:
        self._rows = rows
        self._read: dict[str, Concept] = {}

    def __getitem__(self, name: str) -> Concept:
        if name not in self._read:
            self._read[name] = _concept(name, *self._rows[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _rows(text: str) -> dict[str, _Row]:
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadLexicon(f"the lexicon is not TOML: {error}") from error
    words = _in_full(rows.pop("words", {}))
    return {name: (row, words) for name, row in rows.items()}


def _concept(name: str, row: Any, words: Mapping[str, str]) -> Concept:
    if not isinstance(row, dict) or not row.get("any", row.get("weak")) or row.keys() - set(_KEYS):
        raise BadLexicon(f"{name}: a concept has `any`, and may have {', '.join(_KEYS[1:])}")
    if bool(row.get("weak")) != bool(row.get("under")):
        raise BadLexicon(f"{name}: `weak` and `under` go together")
    try:
        return Concept(name, **{key: tuple(Phrase(_said(text, words)) for text in row.get(key, ())) for key in _KEYS})
    except KeyError as unknown:
        raise BadLexicon(f"{name}: {unknown} does not stand under [words]") from None
    except BadPhrase as error:
        raise BadLexicon(f"{name}: {error}") from None


def _in_full(words: Mapping[str, str]) -> Mapping[str, str]:
    """The ``[words]`` table; each entry is expanded with the entries before it."""
    told: dict[str, str] = {}
    for name, text in words.items():
        told[name] = _said(text, told)
    return told


def _said(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"<(\w*)>?", lambda found: words[found[1]], text)


# --- sentences with their lead-in -----------------------------------------------------------------------------------


def passages(policy: PolicyText) -> Iterator[Passage]:
    """Every sentence with its lead-in and the headings above it, in order. The company's own name is read as *we*.
    Cells of a row that answers “Collected?” with no get no words, and neither do headings that announce content but
    have none."""
    us = Us(policy)
    denied = _denied_rows(policy)
    silent = {id(block) for block in _bare_headings(policy)}
    above: list[tuple[int, str]] = []
    heads: dict[tuple[int, int], str] = {}
    lead = ""
    for block in policy.blocks:
        if block.kind == "heading":
            above = [(depth, title) for depth, title in above if depth < block.depth]
        under = " ".join(title for _, title in above)
        leading = _leading(block, lead, heads)
        for number, sentence in enumerate(block.sentences):
            own = plain(us.read(sentence.text[:_CHARACTERS_MAX]))
            words = f"{leading} {own}" if leading else own
            if id(block) in silent or (block.cell is not None and (block.cell.table, block.cell.row) in denied):
                words = own = leading = ""
            title = _title(us.title(sentence.text)) if number == 0 else ""
            is_title = title == own and len(block.sentences) > 1
            yield Passage(sentence, block, words, len(leading) + bool(leading), under, is_title)
            under = f"{under} {title}".strip()
        if block.kind == "heading":
            above.append((block.depth, plain(us.title(block.text))))
            lead = ""
        elif block.cell is not None and block.cell.is_head:
            heads[block.cell.table, block.cell.column] = plain(us.title(block.text))
        elif block.kind == "paragraph" and block.cell is None:
            lead = (
                plain(us.read(block.sentences[-1].text[-_CHARACTERS_MAX:]))
                if block.text.rstrip().endswith((":", "-", "–", "—", ","))
                else ""
            )


def _bare_headings(policy: PolicyText) -> Iterator[Block]:
    """Headings that announce content but have none, as templates leave them: “What we do after a breach”."""
    for block, after in zip(policy.blocks, [*policy.blocks[1:], None], strict=False):
        is_bare = after is None or (after.kind == "heading" and after.depth <= block.depth)
        if block.kind == "heading" and is_bare and _ANNOUNCES.match(plain(block.text[:_TITLE_MAX])):
            yield block


_ANNOUNCES = re.compile(r"(?:(?:section )?\d+ |[a-z] )?(?:what|how|who|whom|whose|where|which|why|when)\b")


def _denied_rows(policy: PolicyText) -> frozenset[tuple[int, int]]:
    """Rows (table, row) whose cell under “Collected” says no, as in California's tables of categories."""
    asked: set[tuple[int, int]] = set()
    denied: set[tuple[int, int]] = set()
    for block in policy.blocks:
        if (cell := block.cell) is None:
            continue
        if cell.is_head and _COLLECTED.search(block.text[:_TITLE_MAX]):
            asked.add((cell.table, cell.column))
        elif (cell.table, cell.column) in asked and _NO.fullmatch(block.text[:_TITLE_MAX].strip()):
            denied.add((cell.table, cell.row))
    return frozenset(denied)


_COLLECTED = re.compile(r"\b(?:collect(?:ed|s)?|gather(?:ed)?)\b", re.I)
_NO = re.compile(r"(?:no|not collected|none|[✗✘❌☒✕])[.!]?", re.I)


def _title(text: str) -> str:
    """The title that a paragraph's first sentence is, or starts with: “Retention. Invoices: seven years.”"""
    head = text.partition(":")[0]
    words = plain(head[:_TITLE_MAX])
    if len(head) > _TITLE_MAX or not (head.endswith("?") or len(words.split()) <= _TITLE_WORDS_MAX):
        return ""
    return words if head.endswith("?") or not _SENTENCE.search(words) else ""


def _leading(block: Block, lead: str, heads: Mapping[tuple[int, int], str]) -> str:
    if block.cell is not None:
        return "" if block.cell.is_head else heads.get((block.cell.table, block.cell.column), "")
    return lead if block.kind == "list_item" else ""

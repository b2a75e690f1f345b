"""Clauses and paragraphs as values."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from troth.policy.text import Block, PolicyText, Sentence


class ClauseKind(enum.StrEnum):
    """What a sentence does. Most have one kind, some several, and a sentence that does none of these has none."""

    PROMISE = "promise"
    RIGHT = "right"
    COLLECTION = "collection"
    PURPOSE = "purpose"
    RECIPIENT = "recipient"
    RETENTION = "retention"
    SECURITY = "security"
    LAW = "law"
    CONTACT = "contact"
    DEFINITION = "definition"
    BOILERPLATE = "boilerplate"
    HEADING = "heading"


_TOPICS = (
    ClauseKind.RETENTION,
    ClauseKind.SECURITY,
    ClauseKind.RIGHT,
    ClauseKind.RECIPIENT,
    ClauseKind.CONTACT,
    ClauseKind.COLLECTION,
    ClauseKind.PURPOSE,
)
_TOPIC_OF = {
    "sell": ClauseKind.RECIPIENT,
    "share": ClauseKind.RECIPIENT,
    "collect": ClauseKind.COLLECTION,
    "use": ClauseKind.PURPOSE,
}
"""The topic of a promise by its action."""


class Practice(enum.StrEnum):
    """The ten standard categories of privacy practice, for paragraphs."""

    FIRST_PARTY = "first_party"
    THIRD_PARTY = "third_party"
    CHOICE = "choice"
    ACCESS = "access"
    RETENTION = "retention"
    SECURITY = "security"
    POLICY_CHANGE = "policy_change"
    DO_NOT_TRACK = "do_not_track"
    AUDIENCES = "audiences"
    OTHER = "other"


class Party(enum.StrEnum):
    """Who does, or does not do, what is promised."""

    WE = "we"
    STAFF = "staff"
    PROCESSOR = "processor"
    YOU = "you"


class Modality(enum.StrEnum):
    """How a promise is stated: it will be done, it is done, it is never done, or the reader may do it."""

    WILL = "will"
    DOES = "does"
    NEVER = "never"
    MAY = "may"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, both normalised: ``thirty days`` is 30 and ``day``."""

    number: float
    unit: str

    def __str__(self) -> str:
        return f"{self.number:g} {self.unit}{'' if self.number == 1 or self.unit == 'percent' else 's'}"


@dataclass(frozen=True, slots=True)
class PromiseParts:
    """The parts of a promise. *negative*: something is promised not to be done. *action* is a key of ``parts.toml`` or
    empty, *when* the words for a time (``within thirty days``), *condition* those from ``if`` or ``unless`` on,
    *hedges* the words that weaken it."""

    who: Party
    modality: Modality
    negative: bool
    action: str
    when: str = ""
    condition: str = ""
    hedges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence or list item and what it does. *lead* is its lead-in, *categories* are the data categories and
    *quantities* the numbers with units that it names, *because* the matching concepts of the lexicon, each with the
    words that match."""

    sentence: Sentence
    kinds: tuple[ClauseKind, ...]
    promise: PromiseParts | None = None
    lead: str = field(default="", repr=False)
    categories: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def negative(self) -> bool:
        """True if it promises that something is not done."""
        return self.promise is not None and self.promise.negative

    @property
    def topic(self) -> ClauseKind:
        """The heading for a list of promises: one of its other kinds, or `ClauseKind.PROMISE`."""
        by_action = _TOPIC_OF.get(self.promise.action) if self.promise is not None else None
        if by_action is ClauseKind.RECIPIENT:
            return by_action
        return next((kind for kind in _TOPICS if kind in self.kinds), by_action or ClauseKind.PROMISE)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, a list with its lead-in, or a table, with the practices that it is about."""

    blocks: tuple[Block, ...] = field(repr=False)
    practices: tuple[Practice, ...]
    because: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All its sentences in order."""
        return tuple(sentence for block in self.blocks for sentence in block.sentences)


@dataclass(frozen=True, slots=True)
class Understood:
    """A policy with the clauses of its sentences, in order and including headings, and the practices of its
    paragraphs."""

    policy: PolicyText = field(repr=False)
    clauses: tuple[Clause, ...]
    paragraphs: tuple[Paragraph, ...]

    @property
    def promises(self) -> tuple[Clause, ...]:
        """The clauses that commit the company."""
        return tuple(clause for clause in self.clauses if clause.promise is not None)

    def clause(self, sentence: str) -> Clause | None:
        """The clause with that sentence's id."""
        return next((clause for clause in self.clauses if clause.sentence.id == sentence), None)

"""The context of a table that the names of its columns need for their meaning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from troth.detect.schema.rules import ColumnRule, Rules, singular
from troth.detect.schema.words import Words, pieces
from troth.stores import Column, TableSchema

_ADDRESS: Final = "user.contact.address"
_NAMING: Final = frozenset({"user.name.first", "user.name.last", "user.demographic.date_of_birth"})
_BOTH_NAMES: Final = frozenset({("first", "name"), ("last", "name")})
_SIGNING: Final = frozenset({"user.account.username", "user.authorization.password"})
_WORK: Final = "user.workplace"
_BODILY: Final = frozenset({"user.demographic.date_of_birth", "user.demographic.gender"})
_BANK: Final = "user.financial.bank_account"
_LATER: Final = frozenset({"authored", "written", "postal", "bodied", "bank", "health", "titled", "addressed", "own"})
"""Requirements of rules that say nothing about a table, because other rules decide them."""
_SHARED: Final = 4
"""How many columns must share a prefix for it to be ignored."""


@dataclass(frozen=True, slots=True)
class TableContext:
    """A table, analysed once for all of its columns."""

    words: Words
    is_person: bool
    is_called_person: bool
    is_thing: bool
    is_staff: bool
    is_message: bool
    is_visit: bool
    address_parts: int
    is_network: bool
    first_name: bool
    last_name: bool
    is_authored: bool
    is_published: bool
    is_at_work: bool
    is_of_bodies: bool
    is_bank: bool
    front: str

    @classmethod
    def of(cls, table: TableSchema, known: Rules) -> TableContext:
        words = _core(known.words(table.name), known)
        front = _front(table, known)
        heads = [(column, _head(column.name, words, front, known)) for column in table.columns]
        said = {rule.category for column, head in heads for rule in _said(column, head, known)}
        called = known.is_in(words, "person") and not _is_of_things(words, known) and not _is_program(table)
        called |= known.is_in(words, "account") and bool(said & (_SIGNING | _NAMING))
        plainly = {head for _, head in heads} >= _BOTH_NAMES or said >= _SIGNING
        thing = known.is_in(words, "thing") and not called and not plainly
        naming = bool(said & _NAMING)
        mailed = any(_is_whose(head, known) for _, head in heads)
        return cls(
            words=words,
            is_person=called or ((naming or mailed) and not thing),
            is_called_person=called or (naming and not thing),
            is_thing=thing,
            is_staff=known.is_in(words, "staff"),
            is_message=_is_message(words, known),
            is_visit=any(known.is_in((word,), "visit") for word in words[-2:]),
            address_parts=sum(category.startswith(_ADDRESS) for category in said) if not thing else 0,
            is_network=any(known.is_in(head, "network") for _, head in heads),
            first_name="user.name.first" in said,
            last_name="user.name.last" in said,
            is_authored=any(_is_author(column.name, known) for column in table.columns),
            is_published=any(known.is_in((word,), "published") for word in words),
            is_at_work=_WORK in said or known.is_in(words, "office"),
            is_of_bodies=bool(said & _BODILY),
            is_bank=_BANK in said and not known.is_in(words, "bank"),
            front=front,
        )

    def head(self, column: str, known: Rules) -> Words:
        """A column's words without insignificant suffixes, including the name of its own table."""
        return _head(column, self.words, self.front, known)

    def allows(self, rule: ColumnRule, words: Words, known: Rules) -> bool:
        """True if the table meets the rule's requirement for a name with these words."""
        match rule.needs:
            case None:
                return True
            case "person":
                return self.is_person
            case "personstrict":
                return self.is_called_person
            case "speaker":
                return self.is_person or self._has("speaking", known)
            case "settings":
                return self.is_called_person or (self._ends_in("own", known) and self._has("person", known))
            case "own":
                return self.is_authored and self._ends_in("own", known)
            case "staff":
                return self.is_staff
            case "address":
                return self._has_address(words, known)
            case "postal":
                return self.address_parts >= 2 and not self.is_network
            case "message":
                return self.is_message and not self.is_thing
            case "authored":
                return self.is_authored and not self.is_published
            case "written":
                return self.is_authored and not self.is_published and not self.is_thing
            case "visit":
                return self.is_visit
            case "credential":
                return self.is_called_person or self._ends_in("entry", known)
            case "entry":
                return known.is_in(self.words, "entry")
            case "bank":
                return self.is_bank
            case "health":
                return self._has("health", known)
            case "bodied":
                return self.is_called_person and self.is_of_bodies
            case "titled":
                return self.is_called_person and self.is_at_work
            case "addressed":
                return self.is_called_person and self.first_name and not self.is_at_work
            case "phonebook":
                return self._ends_in("reaching", known)
            case "notthing":
                return not self.is_thing
            case "notnetwork":
                return not self.is_network and not self.is_thing
            case "theirs":
                return not self.is_thing or self._has("person", known)
        raise ValueError(f"columns.toml: no table is {rule.needs!r}")

    def _ends_in(self, kind: str, known: Rules) -> bool:
        return any(known.is_in((word,), kind) for word in self.words[-2:])

    def _has(self, kind: str, known: Rules) -> bool:
        return any(known.is_in((word,), kind) for word in self.words)

    def _has_address(self, words: Words, known: Rules) -> bool:
        if self.is_network and self.address_parts <= 2:
            return False
        about_someone = bool(set(words[:-1]) & known.nouns["about"])
        return self.address_parts >= 2 or about_someone or self.is_person


def _core(words: Words, known: Rules) -> Words:
    """A table's words without suffixes that may follow a person: ``user_profile`` is about users."""
    core = words
    while len(core) > 1 and (core[-1].isdigit() or known.is_in(core, "around")):
        core = core[:-1]
    return core if known.is_in(core, "person") else words


def _front(table: TableSchema, known: Rules) -> str:
    """The prefix of most columns, which carries no meaning: ``per`` in ``per_name``; empty if there is none."""
    counts = Counter(words[0] for words in (known.words(it.name) for it in table.columns) if len(words) > 1)
    word, count = max(counts.items(), key=lambda it: it[1], default=("", 0))
    return word if count >= _SHARED and count > len(table.columns) / 2 else ""


def _head(column: str, table: Words, front: str, known: Rules) -> Words:
    """``nom_client`` of clients is a name; a ``mail_domain`` of mail domains is the row itself."""
    words = known.head(column)
    if len(words) > 1 and words[0] == front and not known.phrase(words):
        words = words[1:]
    is_last = len(words) > 1 and table and singular(words[-1]) == singular(table[-1])
    whole, rest = known.phrase(words), known.phrase(words[:-1])
    if not is_last or words[-2:-1] == table[-2:-1] or any(length > 1 or not rest for length, _ in whole):
        return words
    return words[:-1]


def _said(column: Column, head: Words, known: Rules) -> list[ColumnRule]:
    return [rule for _, rule in known.phrase(head) if column.kind in rule.kinds and rule.needs not in _LATER]


def _is_of_things(table: Words, known: Rules) -> bool:
    """True for a profile of a thing: ``zone_profile``."""
    return table[-1:] == ("profile",) and known.is_in(table[:-1], "thing")


def _is_program(table: TableSchema) -> bool:
    """True if its clients are programs, which have a redirect address."""
    return any(pieces(column.name)[:1] == ("redirect",) for column in table.columns)


def _is_message(table: Words, known: Rules) -> bool:
    """True if people write its rows: comments, diary entries; not for message gateways."""
    if known.is_in(table, "message"):
        return True
    return known.is_in(table, "part") and known.is_in(table[:-1], "message")


def _is_author(column: str, known: Rules) -> bool:
    """True if it references the creator of the row: ``author_id``, ``user``, ``posted_by``."""
    words = known.words(column)
    if words[-1:] == ("id",):
        words = words[:-1]
    return known.is_in(words, "author") or (words[-1:] == ("by",) and known.is_in(words[:-1], "deed"))


def _is_whose(head: Words, known: Rules) -> bool:
    """True for a plain e-mail address or a person's; a sender's says nothing about the row."""
    if head[-1:] != ("email",) and head[-2:] != ("email", "address"):
        return False
    front = head[: head.index("email")]
    return not front or known.is_in(front, "person")

"""What a table is about, as far as the names of its columns need it to mean something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from troth.detect.schema.rules import Rule, Rules, singular
from troth.detect.schema.words import Words
from troth.stores import Column, TableSchema

__all__ = ["Place"]

_ADDRESS: Final = "user.contact.address"
_NAMING: Final = frozenset({"user.name.first", "user.name.last", "user.demographic.date_of_birth"})
_ENTRY: Final = frozenset({"token", "key", "credential", "verification", "session", "activation", "invitation", "otp"})
_SPEAKING: Final = frozenset({"order", "session", "visitor", "view", "visit", "subscription", "ticket", "lead"})
_REACHING: Final = frozenset({"contact", "phone", "telephone", "number", "mobile", "tel"})
_OWN: Final = frozenset({"setting", "preference", "profile", "option"})


@dataclass(frozen=True, slots=True)
class Place:
    """A table, read once for all of its columns."""

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

    @classmethod
    def of(cls, table: TableSchema, known: Rules) -> Place:
        words = _core(known.words(table.name), known)
        heads = [(column, _head(column.name, words, known)) for column in table.columns]
        said = {rule.category for column, head in heads for rule in _said(column, head, known)}
        called = known.is_in(words, "person")
        thing = known.is_in(words, "thing") and not called
        naming = bool(said & _NAMING)
        mailed = any(_is_whose(head, known) for _, head in heads)
        return cls(
            words=words,
            is_person=called or ((naming or mailed) and not thing),
            is_called_person=called or (naming and not thing),
            is_thing=thing,
            is_staff=known.is_in(words, "staff"),
            is_message=any(known.is_in((word,), "message") for word in words[-2:]),
            is_visit=any(known.is_in((word,), "visit") for word in words[-2:]),
            address_parts=sum(category.startswith(_ADDRESS) for category in said) if not thing else 0,
            is_network=any(known.is_in(head, "network") for _, head in heads),
            first_name="user.name.first" in said,
            last_name="user.name.last" in said,
        )

    def head(self, column: str, known: Rules) -> Words:
        """A column's words without endings that change nothing, and the name of its own table is one."""
        return _head(column, self.words, known)

    def allows(self, rule: Rule, words: Words, known: Rules) -> bool:
        """Whether the table is what the rule needs it to be for a name of these words."""
        match rule.needs:
            case None:
                return True
            case "person":
                return self.is_person
            case "personstrict":
                return self.is_called_person
            case "speaker":
                return self.is_person or bool(set(self.words) & _SPEAKING)
            case "settings":
                return self.is_called_person or (self._ends_in(_OWN) and self._of_people(known))
            case "staff":
                return self.is_staff
            case "address":
                return self._has_address(words, known)
            case "postal":
                return self.address_parts >= 2 and not self.is_network
            case "message":
                return self.is_message and not self.is_thing
            case "visit":
                return self.is_visit
            case "credential":
                return self.is_called_person or self._ends_in(_ENTRY)
            case "phonebook":
                return self._ends_in(_REACHING)
            case "notthing":
                return not self.is_thing
            case "theirs":
                return not self.is_thing or self._of_people(known)
        raise ValueError(f"columns.toml: no table is {rule.needs!r}")

    def _ends_in(self, nouns: frozenset[str]) -> bool:
        return bool(set(self.words[-2:]) & nouns)

    def _of_people(self, known: Rules) -> bool:
        return any(known.is_in((word,), "person") for word in self.words)

    def _has_address(self, words: Words, known: Rules) -> bool:
        if self.is_network and self.address_parts <= 2:
            return False
        about_someone = bool(set(words[:-1]) & known.nouns["about"])
        return self.address_parts >= 2 or about_someone or self.is_person


def _core(words: Words, known: Rules) -> Words:
    """A table's words without endings behind which a person may stand: ``user_profile`` is about users."""
    core = words
    while len(core) > 1 and (core[-1].isdigit() or known.is_in(core, "around")):
        core = core[:-1]
    return core if known.is_in(core, "person") else words


def _head(column: str, table: Words, known: Rules) -> Words:
    """``nom_client`` of clients is a name; a ``mail_domain`` of mail domains is the row itself."""
    words = known.head(column)
    is_last = len(words) > 1 and table and singular(words[-1]) == singular(table[-1])
    if not is_last or words[-2:-1] == table[-2:-1] or known.phrase(words):
        return words
    return words[:-1]


def _said(column: Column, head: Words, known: Rules) -> list[Rule]:
    return [rule for _, rule in known.phrase(head) if column.kind in rule.kinds]


def _is_whose(head: Words, known: Rules) -> bool:
    """Whether it is an e-mail address, and no one's in particular: a sender's says nothing of the row."""
    if head[-1:] != ("email",) and head[-2:] != ("email", "address"):
        return False
    front = head[: head.index("email")]
    return not front or known.is_in(front, "person")

"""Columns named for the role of the referenced row: parent, creator, owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troth.detect.schema.key_columns import Judged, KeyColumn
from troth.detect.schema.targets import CONTENT_TYPE, Target, Targets
from troth.detect.schema.words import Words, root

_LEADS: Final = 0.64, "it names who leads or serves, and that table holds the staff"
_WHOLE: Final = 0.64, "its table is called after that one"
_OWN: Final = 0.62, "it may point to another row of the same table"
_DID: Final = 0.6, "it names who did something, and that table holds who signs in"
_SOMEBODY: Final = 0.58, "it names somebody, and that table holds who signs in"
_KIND: Final = 0.74, "it says of which kind the neighbouring column is"
_REPORTS_TO: Final = (root("reports"), root("to"))
_BETWEEN: Final = frozenset(root(word) for word in ("to", "of", "in", "for"))
_WHO: Final = frozenset(root(word) for word in ("uid", "by", "user"))


class Roles:
    """The roles that rows of a schema have for each other."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._lists = targets.lists

    def are_said(self, it: KeyColumn) -> bool:
        """True if words that occur only in references make a key suffix unnecessary: ``created_by``, ``ReportsTo``."""
        if it.stem[-1] in self._lists.by:
            return True
        people, several = self._targets.people, it.column.name[-1] in "sS"
        is_somebody = people is not None and it.stem[-1:] == people.noun[-1:] and not several
        return not it.is_text and (it.stem == _REPORTS_TO or is_somebody)

    def of(self, it: KeyColumn) -> Iterator[Judged]:
        """The tables that a name references by role, whatever their names."""
        if set(it.stem) & self._lists.elsewhere:
            return
        yield from self._of_own(it)
        yield from self._of_kind(it)
        yield from self._of_people(it)

    def _of_kind(self, it: KeyColumn) -> Iterator[Judged]:
        """The type of a neighbouring reference, if a table lists the types: ``owner_type_id`` next to ``owner_id``,
        without a table of owners."""
        front, kinds = it.stem[:-1], self._targets.kinds
        if kinds is None or not front or it.stem[-1] != CONTENT_TYPE[1] or not kinds.fits(it.column):
            return
        beside = any(self._targets.stem(self._targets.words(other.name)) == (front, True) for other in it.table.columns)
        if beside and not any(target.noun == front for target in self._targets.by_end.get(front[-1], ())):
            yield kinds, *_KIND

    def _of_people(self, it: KeyColumn) -> Iterator[Judged]:
        """People: those who lead or serve others are in the staff table, if there is one."""
        people, staff = self._targets.people, self._targets.staff
        works = {it.stem[0], it.stem[-1]} & self._lists.staff or it.stem[:2] == _REPORTS_TO
        if works and staff is not None and staff.fits(it.column):
            yield staff, *_LEADS
        if people is None or not people.fits(it.column):
            return
        if it.stem[:2] == _REPORTS_TO and people.table is it.table:
            yield people, *_LEADS
        said = it.stem[0] if self._is_said_first(it) else it.stem[-1]
        if {it.stem[0], said} & self._lists.by:
            yield people, *_DID
        elif said in self._lists.deeds:
            if it.words[-1] in _WHO:
                yield people, *_SOMEBODY
        elif said in self._lists.actors and not (said in self._lists.people and self._is_own(said, it)):
            yield people, *_SOMEBODY

    def _is_said_first(self, it: KeyColumn) -> bool:
        """True if the rest says what happened to a person: ``user_notified``."""
        return len(it.stem) == 2 and it.stem[0] in self._lists.people and it.stem[1].endswith("ed")

    def _is_own(self, word: str, it: KeyColumn) -> bool:
        people = self._targets.people
        return it.context[-1:] == (word,) or (people is not None and people.table is it.table)

    def _of_own(self, it: KeyColumn) -> Iterator[Judged]:
        """Another row of the same table, or the row that this one is a part of."""
        itself, whole = self._targets.by_table.get(it.table.name), self._targets.whole_of(it.table)
        if it.column.name in it.table.key:
            itself = None  # a row is not identified by another row's key
        if it.stem[-1] in self._lists.whole and whole is not None and whole.fits(it.column):
            yield whole, *_WHOLE
        elif itself is not None and self._is_beside(it.stem, itself) and itself.fits(it.column):
            yield itself, *_OWN

    def _is_beside(self, stem: Words, itself: Target) -> bool:
        """True if the words only describe a relation to another row of its own table: `parent_order` of orders,
        `in_reply_to`, `copy_of`."""
        own = self._lists.own
        said = tuple(word for word in stem if word not in _BETWEEN)
        if not said:
            return False
        rest = tuple(word for word in said if word not in own)
        is_copy = stem[-1] == "of" and len(said) == 1
        return is_copy or (bool({said[0], said[-1]} & own) and "".join(itself.noun).endswith("".join(rest)))

"""The name of a column that may be a key, read once for all the ways in which it can mean a table."""

from __future__ import annotations

from dataclasses import dataclass

from troth.detect.schema.targets import KEYS, NUMBERS, Target, Targets, letters
from troth.detect.schema.words import Words
from troth.stores import Column, ColumnKind, TableSchema

Judged = tuple[Target, float, str]
"""A table that may be meant, how plainly, and why."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column, and what its name says, in roots: *bare* without a mark of its kind, *stem* without those of a key."""

    table: TableSchema
    column: Column
    words: Words
    bare: Words
    stem: Words
    marked: bool
    front: Words
    context: Words

    @property
    def is_text(self) -> bool:
        return self.column.kind is ColumnKind.TEXT

    @property
    def around(self) -> Words:
        """The whole name of its table."""
        return (*self.front, *self.context)


def named(table: TableSchema, column: Column, targets: Targets) -> KeyColumn | None:
    """The column, read; None where it does not look like a key of another row."""
    if column.kind not in KEYS:
        return None
    words = _without_number(targets.words(column.name), targets)
    stem, marked = targets.stem(words)
    marked |= column.kind is ColumnKind.UUID  # nothing else is kept as one
    bare = targets.unfronted(words)
    front, context = targets.split(table.name)
    if not stem or (not marked and stem == bare and _is_amount((*front, *context), stem, column, targets)):
        return None
    it = KeyColumn(table, column, words, bare, stem, marked, front, context)
    return None if column.name in table.key and _is_own_key(it, targets) else it


def _is_own_key(it: KeyColumn, targets: Targets) -> bool:
    """Whether it is what its own rows are found by, and no other's."""
    alone = it.table.key == (it.column.name,)
    if it.stem in (it.context, it.around) or (it.bare in targets.lists.plain and alone):
        return True
    if letters(it.column.name) == letters(it.table.name) + "id":
        return True
    if not alone or it.column.name not in targets.common_keys or "ptr" in it.words:
        return False
    whole = targets.whole_of(it.table)  # of that name, a part has the same key
    return not (whole and whole.key.name == it.column.name) and not _is_called_after(it.column.name, targets)


def _without_number(words: Words, targets: Targets) -> Words:
    """The words of ``concept_id_1`` without its number: the first of two."""
    is_numbered = len(words) > 2 and words[-1].isdigit() and words[-2] in targets.lists.keys
    return words[:-1] if is_numbered else words


def _is_called_after(key: str, targets: Targets) -> bool:
    """Whether a table is called as the key says: those that have its key are parts of its rows."""
    return any(set(owner.key_words) & set(owner.noun) for owner in targets.by_letters.get(letters(key), ()))


def _is_amount(around: Words, stem: Words, column: Column, targets: Targets) -> bool:
    """Whether it counts or ranks something. The type of an account does not where there is a table of account types."""
    if column.kind is ColumnKind.NUMBER:
        return True
    return (
        stem[-1] in targets.lists.amounts
        and column.kind in NUMBERS
        and "".join((*around, *stem)) not in targets.by_joined
    )

"""The name of a possible key column, parsed once for all ways of matching it to a table."""

from __future__ import annotations

from dataclasses import dataclass

from troth.detect.schema.targets import KEYS, NUMBERS, Target, Targets, letters
from troth.detect.schema.words import Words
from troth.stores import Column, ColumnKind, TableSchema

Judged = tuple[Target, float, str]
"""A candidate table, its plainness, and the reason."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column and the roots of the words in its name: *bare* without a type prefix, *stem* also without key words."""

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
        """The complete name of its table."""
        return (*self.front, *self.context)


def named(table: TableSchema, column: Column, targets: Targets) -> KeyColumn | None:
    """The parsed column; None if it does not look like a foreign key."""
    if column.kind not in KEYS:
        return None
    words = _without_number(targets.words(column.name), targets)
    stem, marked = targets.stem(words)
    marked |= column.kind is ColumnKind.UUID  # UUIDs are used only for keys
    bare = targets.unfronted(words)
    front, context = targets.split(table.name)
    if not stem or (not marked and stem == bare and _is_amount((*front, *context), stem, column, targets)):
        return None
    it = KeyColumn(table, column, words, bare, stem, marked, front, context)
    return None if column.name in table.key and _is_own_key(it, targets) else it


def _is_own_key(it: KeyColumn, targets: Targets) -> bool:
    """True if it is the key of its own rows only."""
    alone = it.table.key == (it.column.name,)
    if it.stem in (it.context, it.around) or (it.bare in targets.lists.plain and alone):
        return True
    if letters(it.column.name) == letters(it.table.name) + "id":
        return True
    if not alone or it.column.name not in targets.common_keys or "ptr" in it.words:
        return False
    whole = targets.whole_of(it.table)  # a part has the same key as the whole that it is named after
    return not (whole and whole.key.name == it.column.name) and not _is_called_after(it.column.name, targets)


def _without_number(words: Words, targets: Targets) -> Words:
    """The words of ``concept_id_1`` without the number, which distinguishes two references."""
    is_numbered = len(words) > 2 and words[-1].isdigit() and words[-2] in targets.lists.keys
    return words[:-1] if is_numbered else words


def _is_called_after(key: str, targets: Targets) -> bool:
    """True if a table is named after the key: tables with that key are parts of its rows."""
    return any(set(owner.key_words) & set(owner.noun) for owner in targets.by_letters.get(letters(key), ()))


def _is_amount(around: Words, stem: Words, column: Column, targets: Targets) -> bool:
    """True if it is a count or rank. An account's type is neither if there is a table of account types."""
    if column.kind is ColumnKind.NUMBER:
        return True
    return (
        stem[-1] in targets.lists.amounts
        and column.kind in NUMBERS
        and "".join((*around, *stem)) not in targets.by_joined
    )

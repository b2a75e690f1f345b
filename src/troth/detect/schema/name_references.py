"""Which tables the name of a column may reference, and how plainly."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Final

from troth.detect.schema.key_columns import Judged, KeyColumn, named
from troth.detect.schema.roles import Roles
from troth.detect.schema.targets import CONTENT_TYPE, TAIL, Target, Targets, ends, letters
from troth.detect.schema.words import Words, root
from troth.stores import Column, ColumnKind, TableSchema

# How plainly a name references a table, for each way of matching; measured on schemas with declared keys. Of the
# matches at 0.9 about nine in ten are right, at 0.6 about eight.
_KEY: Final = 0.95, "its name is that of that table's key"
_KEY_IN_WORDS: Final = 0.89, _KEY[1]
_KEY_OF_WORDS: Final = 0.56, _KEY[1]
_KEY_AT_END: Final = 0.6, "its name ends in that of that table's key"
_KEY_AT_START: Final = 0.7, "its name begins with that of that table's key"
_CALLED: Final = 0.9, "it is called after that table"
_CALLED_RUN_TOGETHER: Final = 0.88, _CALLED[1]
_CALLED_BUT_FOR_END: Final = 0.86, _CALLED[1]
_CALLED_BY_VALUE: Final = 0.56, "it has the name of that table"
_CALLED_AS_TEXT: Final = 0.45, _CALLED_BY_VALUE[1]
_CALLED_BARE: Final = 0.66, _CALLED[1]
_ENDS: Final = 0.76, "its name ends in that of that table"
_BEGINS: Final = 0.6, "its name begins with that of that table"
_BEGINS_BEHIND_MARK: Final = 0.7, _BEGINS[1]
_BESIDE: Final = 0.92, "with the beginning of its own table's name it is the name of that table"
_COMPLETED: Final = 0.85, "with the name of its own table it is the name of that table"
_COMPLETED_BEHIND: Final = 0.8, "with the name of its own table behind it, it is the name of that table"
_PARTLY_COMPLETED: Final = 0.7, "with a part of the name of its own table it is the name of that table"
_COMPLETED_IN_ROLE: Final = 0.72, "with a part of its name, and of that of its own table, it is the name of that table"
_BESIDE_IN_ROLE: Final = 0.68, _COMPLETED_IN_ROLE[1]
_PART_OF: Final = 0.93, "its own table is called after that table"
_AROUND: Final = 0.62, _PART_OF[1]
_END_OF: Final = 0.6, "it is the end of that table's name"
_END_OF_RUN_TOGETHER: Final = 0.55, _END_OF[1]
_SHORTENED: Final = 0.7, "it is that table's name with words cut short"
_WITHIN: Final = 0.5, "it is that table's name with words left out"
_START_OF: Final = 0.52, "it is the beginning of that table's name"
_INITIALS: Final = 0.56, "its name is the initials of that table's"
_NOTHING: Final = 0.0, ""

_ELSEWHERE: Final = 0.35
"""Deduction for a table of another application."""
_JOINS: Final = 0.25
"""Deduction for a join table that is matched by part of its name."""
_LONGER: Final = 0.03
"""Bonus for each word that two names share."""
_ALIKE_MIN: Final = 5
_SHORT_MIN: Final = 3
"""Minimum letters of an abbreviated word for it to be recognised."""
_SETTLED_MIN: Final = 0.5
_COMPARED: Final = 80
"""Maximum letters of two names that are compared."""
_NEARER: Final = 0.006
"""Bonus for each common word at the start of both tables' names, which breaks ties."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A column's name seems to reference *table* with key *key*; *plainness* is 0 to 1."""

    table: TableSchema
    key: str
    plainness: float
    why: str


class Pointers:
    """Matches the column names of a schema to tables."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._lists = targets.lists
        self._roles = Roles(targets)

    def of(self, table: TableSchema, column: Column) -> list[Pointer]:
        """All tables that the column's name may reference, likeliest first; none if it does not look like a key."""
        it = named(table, column, self._targets)
        if it is None:
            return []
        found: dict[str, Pointer] = {}
        for target, plainness, why in self._judged(it):
            known = found.get(target.table.name)
            if known is None or known.plainness < plainness:
                found[target.table.name] = Pointer(target.table, target.key.name, round(plainness, 3), why)
        return _settled(table.name, sorted(found.values(), key=_rank))

    def _judged(self, it: KeyColumn) -> Iterator[Judged]:
        depends = self._depends(it)
        for target, plainness, why in (*self._by_key(it), *self._by_noun(it), *self._by_letters(it)):
            is_key = target.table.name == it.table.name and it.column.name in {*it.table.key, target.key.name}
            if target.fits(it.column) and not is_key and not (depends and plainness < 0.9):
                yield target, plainness + 0.02 * (target is self._targets.people) + _near(it, target), why
        looks_like_a_key = it.marked or (self._targets.writes_bare_keys and not it.is_text)
        if not depends and (looks_like_a_key or self._roles.are_said(it)):
            yield from self._roles.of(it)

    def _depends(self, it: KeyColumn) -> bool:
        """True if another column gives the key's table: ``owner_type`` next to ``owner_id``."""
        words, others = it.words, it.table.columns
        if len(words) < 2 or words[-1] not in self._lists.keys:
            return False
        if "object" in words and any(self._targets.words(other.name)[-3:-1] == CONTENT_TYPE for other in others):
            return True
        kinds = {(*words[:-1], root(word)) for word in ("type", "class", "model")}
        return any(self._tells_kind(other, kinds) for other in others)

    def _tells_kind(self, other: Column, kinds: Set[Words]) -> bool:
        """True if it holds one of several kinds, as text or as a key of the table that lists them."""
        words = self._targets.words(other.name)
        if other.kind is ColumnKind.TEXT:
            return words in kinds
        stem, marked = self._targets.stem(words)
        return marked and stem in kinds and self._targets.kinds is not None

    # --- by key name ------------------------------------------------------------------------------------------------

    def _by_key(self, it: KeyColumn) -> Iterator[Judged]:
        bare, by_key = it.bare, self._targets.by_key
        if it.is_text and not it.marked and bare[-1] not in self._lists.marks:
            for owner in self._targets.by_letters.get(letters(it.column.name), ()):
                if set(owner.noun) <= set(owner.key_words) or _begin_alike(owner):
                    yield _less(owner, _KEY_OF_WORDS, 0.0)
            return
        if len(it.column.name) == 1:
            return
        for owner in self._targets.by_letters.get(letters(it.column.name), ()):
            yield _less(owner, _KEY, _far(owner, it) + 0.01 * (owner.key.name != it.column.name))
        for start in range(len(bare)):
            if not set(bare[:start]) & self._lists.elsewhere:
                for owner in by_key.get(bare[start:], ()):
                    if owner.table.key == (owner.key.name,) or not start:
                        yield _less(owner, _KEY_AT_END if start else _KEY_IN_WORDS, _far(owner, it))
        for end in range(2, len(bare)):
            for owner in by_key.get(bare[:end], ()):
                yield _less(owner, _KEY_AT_START, _far(owner, it))

    # --- by table name ----------------------------------------------------------------------------------------------

    def _by_noun(self, it: KeyColumn) -> Iterator[Judged]:
        by_end = self._targets.by_end
        found = {other.table.name: other for word in (it.stem[-1], it.stem[0]) for other in by_end.get(word, ())}
        for target in found.values():
            plainness, why = self._alike(it, target)
            itself = target.table.name == it.table.name
            if it.stem[-1] in self._lists.actors and self._is_elsewhere(it, target):
                plainness -= _ELSEWHERE  # creators in another application rather than the login users
            if plainness > 0 and not (itself and (plainness < 0.7 or it.stem in (target.noun, target.full))):
                yield target, plainness, why

    def _is_elsewhere(self, it: KeyColumn, target: Target) -> bool:
        """True if it seems to be a table of another application, and not that of the login users."""
        plainly = not target.front and target.noun == it.stem[-1:]
        return target.front != it.front and not plainly and target is not self._targets.people

    def _alike(self, it: KeyColumn, target: Target) -> tuple[float, str]:
        stem, noun, full = it.stem, target.noun, target.full
        if not it.marked and it.is_text:
            called = stem in (noun, full) or ends(stem, noun)
            by_value = target.key_words[-1:] and target.key_words[-1] not in self._lists.keys
            return (_CALLED_BY_VALUE if by_value else _CALLED_AS_TEXT) if called else _NOTHING
        if not it.marked and not self._targets.writes_bare_keys:
            is_called = (len(stem) > 1 and stem in (noun, full)) or full == (*it.around, *stem)
            return _CALLED_BARE if is_called else _NOTHING
        around = it.around if target.table.name != it.table.name else it.front
        alike = len(full) - len(stem)
        if 0 < alike <= len(around) and full == (*around[:alike], *stem):
            is_part = alike == len(around) and self._targets.leads(target) < 2  # and is not a join table
            inside = full == around[: len(full)] and stem != noun
            less = 0.0 if is_part else _JOINS * self._targets.joins(target)
            return _BESIDE[0] + 0.01 * alike - less - 0.08 * inside, _BESIDE[1]
        if stem in (noun, full) or (len(stem) > len(noun) and ends(full, stem)):
            return _CALLED[0] + 0.01 * (stem == full), _CALLED[1]
        is_called = target.core in (stem, self._targets.trimmed(stem)) or (
            len(noun) == 1 and stem == self._targets.trimmed(full)
        )
        plainness, why = _CALLED_BUT_FOR_END if is_called else self._partly(it, target, around)
        less = _JOINS * self._targets.joins(target) if plainness else 0.0
        return max(0.0, plainness - less), why

    def _partly(self, it: KeyColumn, target: Target, around: Words) -> tuple[float, str]:
        stem, core = it.stem, target.core
        if stem[-1:] not in (core[-1:], target.full[-1:]) and stem[:1] != core[:1]:
            return _NOTHING
        name = target.full if ends(stem, target.full) else core
        if ends(stem, name):
            if set(stem[: -len(name)]) & self._lists.elsewhere:
                return _NOTHING
            return _ENDS[0] + _LONGER * (len(name) + 0.5 * (name == target.full)), _ENDS[1]
        if ends(core, stem):
            rest = core[: -len(stem)]
            if _holds(around, target.noun):
                return _AROUND
            if ends(("", *around), rest):
                return _COMPLETED
            if _holds(around, rest):
                return _PARTLY_COMPLETED
        if core == (*stem, *it.context):
            return _COMPLETED_BEHIND
        if it.marked and core[-1:] == stem[-1:] and self._is_completed_in_role(stem, core, around):
            return _COMPLETED_IN_ROLE
        if it.is_text and not it.marked:
            return _NOTHING
        if ends(target.full, stem) or ends(core, stem):
            return _END_OF
        if len(core) < len(stem) and stem[: len(core)] == core:
            if all(self._comes_after(word) for word in stem[len(core) :]):
                return _BEGINS[0] + 0.02 * len(core), _BEGINS[1]
            is_near = target.front in ((), it.front) and stem[-1] not in self._targets.by_end
            if it.words[0] == "fk" and len(stem) == len(core) + 1 and is_near:
                return _BEGINS_BEHIND_MARK
        if it.marked and len(core) == len(stem) > 1 and all(map(_shortens, stem, core)):
            return _SHORTENED
        if it.marked and _is_within(stem, core):
            return _WITHIN[0] + 0.1 * (len(stem) - 1), _WITHIN[1]
        if it.marked and core[:-1] == stem:
            return _START_OF
        return _NOTHING

    def _comes_after(self, word: str) -> bool:
        """True if it specifies which of several is meant: ``user_from``, ``user_invited``."""
        return word in self._lists.after or word.endswith("ed")

    def _own(self, it: KeyColumn) -> str:
        """The name of its own table as one word, without the common prefix."""
        return self._targets.together(it.table.name.rpartition(".")[2], it.context)

    def _is_beside(self, target: Target, it: KeyColumn) -> bool:
        """True if the target's name is the start of the own table plus the end of the column: ``first_state`` of
        workflowtransition."""
        name, own = self._targets.joined(target), self._own(it)
        begins = name.removesuffix(it.stem[-1])
        is_other = target.front == it.front and target.table.name != it.table.name
        return is_other and begins != name and len(begins) >= TAIL and own.startswith(begins)

    def _is_completed_in_role(self, stem: Words, core: Words, around: Words) -> bool:
        """True if the own table completes the name without its first words: ``latest_revision_id`` of pages is a page
        revision."""
        for cut in range(1, len(stem)):
            if ends(core, stem[cut:]) and not set(stem[:cut]) & self._lists.elsewhere:
                return ends(("", *around), core[: cut - len(stem)]) or _holds(around, core)
        return False

    def _by_letters(self, it: KeyColumn) -> Iterator[Judged]:
        """Joined words that nothing in the schema shows how to split, and initials."""
        if not it.marked:
            return
        together = self._targets.together(it.column.name, it.stem)
        joined, completed = root(together), root(self._own(it) + together)
        whole_of = self._targets.whole_of(it.table)
        is_short = len(joined) <= TAIL and joined in self._lists.amounts  # like the type in a genotype
        if whole_of is not None and not is_short and self._targets.joined(whole_of).endswith(joined):
            yield whole_of, *_PART_OF
        for target in self._targets.by_tail.get(joined[-TAIL:], ()):
            name = self._targets.joined(target)
            if target.table.name == it.table.name:
                continue
            if name == joined:
                yield target, *_CALLED_RUN_TOGETHER
            elif name == completed:
                yield target, *_COMPLETED
            elif name.endswith(joined) and target.front == it.front:
                yield target, _END_OF_RUN_TOGETHER[0] + 0.15 * (len(it.stem) > 1), _END_OF_RUN_TOGETHER[1]
        if len(it.stem) > 1 and not ends(("", *it.context), it.stem):
            for target in self._targets.by_tail.get(it.stem[-1][-TAIL:], ()):
                if self._is_beside(target, it):
                    yield target, *_BESIDE_IN_ROLE
        for target in self._targets.by_initials.get(it.stem[-1], ()):
            yield target, _INITIALS[0] + 0.04 * (target.front == it.front), _INITIALS[1]


def _rank(it: Pointer) -> tuple[float, int, str]:
    return -it.plainness, -len(it.table.columns), it.table.name


def _settled(own: str, ranked: list[Pointer]) -> list[Pointer]:
    """Among equally plain tables, puts that with the longest common substring with the own table's name first."""
    equal = [it for it in ranked if it.plainness > ranked[0].plainness - _NEARER / 2]
    if len(equal) < 2 or ranked[0].plainness < _SETTLED_MIN:
        return ranked
    alike = {it.table.name: _alike_letters(own.lower(), it.table.name.lower()) for it in equal}
    first, second = sorted(equal, key=lambda it: -alike[it.table.name])[:2]
    if alike[first.table.name] < alike[second.table.name] + _SHORT_MIN:
        return ranked
    plainer = replace(first, plainness=round(ranked[0].plainness + _NEARER / 2, 3))
    return [plainer, *(it for it in ranked if it is not first)]


def _alike_letters(first: str, other: str) -> int:
    """Length of the longest common substring."""
    return SequenceMatcher(None, first[:_COMPARED], other[:_COMPARED], autojunk=False).find_longest_match().size


def _near(it: KeyColumn, target: Target) -> float:
    """A small bonus for a common start of the tables' names, and for a table that gives the prefix its name."""
    alike = 0
    for one, other in zip(it.around, target.full, strict=False):
        if one != other:
            break
        alike += 1
    return _NEARER * (alike + (target.front == target.noun))


def _less(target: Target, way: tuple[float, str], less: float) -> Judged:
    return target, way[0] - less, way[1]


def _far(owner: Target, it: KeyColumn) -> float:
    """Deduction for a key whose name is not explained by its table's name."""
    if (
        set(owner.key_words) & set(owner.noun)
        or _begin_alike(owner)
        or any(map(_shortens, owner.key_words[:1], owner.noun[:1]))
    ):
        return 0.0
    return 0.5 if it.is_text else 0.3


def _begin_alike(owner: Target) -> bool:
    """True if a key starts like its table's name, which cannot be split: ``branchcode`` of branches."""
    key = letters(owner.key.name[:_COMPARED])
    table = letters(owner.table.name.rpartition(".")[2][:_COMPARED])
    alike = sum(1 for _ in takewhile(lambda it: it[0] == it[1], zip(key, table, strict=False)))
    return alike >= _ALIKE_MIN and alike >= len(table) - _SHORT_MIN


def _shortens(short: str, word: str) -> bool:
    return short == word or (len(short) >= _SHORT_MIN and word.startswith(short))


def _is_within(part: Words, words: Words) -> bool:
    """True if *part* is *words* with some inner words left out."""
    if not 1 < len(part) < len(words) or (part[0], part[-1]) != (words[0], words[-1]):
        return False
    left = iter(words)
    return all(word in left for word in part)


def _holds(words: Words, part: Words) -> bool:
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))

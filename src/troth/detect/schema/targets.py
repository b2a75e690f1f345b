"""Indexes the tables of a schema that a column may reference, by the words of their names."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.data_files import read_toml
from troth.detect.schema.words import SchemaVocabulary, Words, pieces, root
from troth.stores import Column, ColumnKind, Schema, TableKind, TableSchema

NUMBERS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
KEYS: Final = frozenset({*NUMBERS, ColumnKind.TEXT, ColumnKind.UUID, ColumnKind.OTHER})
TAIL: Final = 4
"""How many final letters of two joined names must agree before they are compared."""
_SHARED: Final = 3
"""How many tables must share a prefix for it to be ignored."""
_JOIN_COLUMNS_MAX: Final = 5
_INITIALS_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of ``pointing.toml``, as roots."""

    marks: frozenset[str]
    keys: frozenset[str]
    plain: frozenset[Words]
    fronts: frozenset[str]
    actors: frozenset[str]
    deeds: frozenset[str]
    by: frozenset[str]
    people: Sequence[str]
    own: frozenset[str]
    staff: frozenset[str]
    tails: frozenset[str]
    whole: frozenset[str]
    links: frozenset[str]
    after: frozenset[str]
    elsewhere: frozenset[str]
    amounts: frozenset[str]

    @classmethod
    @functools.cache
    def read(cls) -> Lists:
        data = read_toml(__package__, "pointing.toml")
        roots = {name: frozenset(root(word) for word in words) for name, words in data.items()}
        plain = frozenset(tuple(root(word) for word in phrase.split()) for phrase in data["plain"])
        people = tuple(dict.fromkeys(root(word) for word in data["people"]))
        return cls(plain=plain, people=people, **{k: v for k, v in roots.items() if k not in {"plain", "people"}})


@dataclass(frozen=True, slots=True)
class Target:
    """A possible target table with its *key*, and the roots of its names.

    *noun* is its name without the shared prefix *front*; *core* is *noun* without an insignificant suffix.
    """

    table: TableSchema
    key: Column
    full: Words
    front: Words
    noun: Words
    core: Words
    key_words: Words

    def fits(self, column: Column) -> bool:
        """True if a column of that kind can hold this key."""
        return column.kind is self.key.kind or {column.kind, self.key.kind} <= NUMBERS


class Targets:
    """Indexes over the tables of a schema, so that columns need not be compared with every table."""

    def __init__(self, schema: Schema) -> None:
        self.lists = Lists.read()
        self._vocabulary = SchemaVocabulary(_names(schema))
        self._roots: dict[str, Words] = {}
        self._whole_words: dict[str, Words] = {}
        self._joined: dict[str, str] = {}
        self._whole = {self.words(_bare(name)) for name in schema.tables}
        self._endings = Counter(name[cut:] for name in self._whole for cut in range(len(name)))
        self._fronts = self._shared_fronts(schema)
        self.by_table: dict[str, Target] = {}
        self.by_end: dict[str, list[Target]] = {}
        self.by_tail: dict[str, list[Target]] = {}
        self.by_initials: dict[str, list[Target]] = {}
        self.by_joined: dict[str, Target] = {}
        tables = [it for it in schema.tables.values() if it.kind is TableKind.TABLE and it.key != _OF_HISTORY]
        for table in tables:
            if len(table.key) == 1:
                self._add(table)
        self.by_key: dict[Words, list[Target]] = {}
        self.by_letters: dict[str, list[Target]] = {}
        for table, name in self._own_keys(tables, schema):
            target = self._target(table, name)
            if target is not None:
                self.by_key.setdefault(target.key_words, []).append(target)
                self.by_letters.setdefault(letters(name), []).append(target)
        keys = Counter(table.key[0] for table in schema.tables.values() if len(table.key) == 1)
        self.common_keys = frozenset(name for name, count in keys.items() if count > _SHARED)
        self.writes_bare_keys = self._writes_bare_keys(schema)
        self.people = self._signing_in()
        self.kinds = next((it for it in self.by_table.values() if it.noun[-2:] == CONTENT_TYPE), None)
        self.staff = next((it for it in self.by_table.values() if it.noun[-1:] in _STAFF), None)

    # --- reading names ----------------------------------------------------------------------------------------------

    def words(self, name: str) -> Words:
        """The roots of a name's words."""
        known = self._roots.get(name)
        if known is None:
            whole = self._whole_words[name] = self._vocabulary.words(name.replace("ctype", "content_type"))
            known = self._roots[name] = tuple(root(word) for word in whole)
        return known

    def together(self, name: str, part: Words) -> str:
        """Part of a name's words joined, as in names that nothing shows how to split."""
        words = self.words(name)
        cut = next((it for it in range(len(words) - len(part) + 1) if words[it : it + len(part)] == part), None)
        return "".join(part if cut is None else self._whole_words[name][cut : cut + len(part)])

    def split(self, table: str) -> tuple[Words, Words]:
        """The shared prefix of a table's name, which carries no meaning, and the rest."""
        words = self.words(_bare(table))
        cut = next((it for it in (2, 1) if len(words) > it and words[:it] in self._fronts), 0)
        if len(words) > cut + 1 and words[cut] == words[cut + 1]:
            cut += 1  # `events_event` of an application that is named after its first table
        return words[:cut], words[cut:]

    def unfronted(self, words: Words) -> Words:
        """A column's words without a type prefix: ``intCustomerID`` is a customer id."""
        return words[1:] if len(words) > 1 and words[0] in self.lists.fronts else words

    def stem(self, words: Words) -> tuple[Words, bool]:
        """A column's words without key affixes, and whether one of them is used only for keys."""
        stem = list(self.unfronted(words))
        marked = len(stem) < len(words) and words[0] in self.lists.keys
        while len(stem) > 1 and stem[-1] in self.lists.marks and not (marked and tuple(stem) in self._whole):
            marked |= stem.pop() in self.lists.keys
        while len(stem) > 1 and stem[0] in self.lists.keys:
            marked |= bool(stem.pop(0))
        return tuple(stem), marked

    def trimmed(self, noun: Words) -> Words:
        """A noun without an insignificant suffix: ``InvoiceModel`` is about invoices."""
        return noun[:-1] if len(noun) > 1 and noun[-1] in self.lists.tails else noun

    def joined(self, target: Target) -> str:
        """The table's core joined, for comparison with names that nothing shows how to split."""
        table = target.table.name
        known = self._joined.get(table)
        if known is None:
            known = self._joined[table] = self._without_tail(root(self.together(_bare(table), target.core)))
        return known

    def _without_tail(self, joined: str) -> str:
        tail = next((it for it in self.lists.tails if joined.endswith(it) and len(joined) > len(it) + TAIL), "")
        return root(joined.removesuffix(tail)) if tail else joined

    def leads(self, target: Target) -> int:
        """How many of its columns look like keys, apart from its own."""
        return sum(self.stem(self.words(it.name))[1] for it in target.table.columns if it is not target.key)

    def joins(self, target: Target) -> bool:
        """True if it seems to be a join table: its name starts with that of one table and ends with that of another."""
        if len(target.table.columns) > _JOIN_COLUMNS_MAX:
            return False
        full = target.full
        others = [it for it in target.table.columns if it.name != target.key.name]
        if len(others) == self.leads(target) == 2:
            return True
        if set(full[1:-1]) & self.lists.links or (len(full) > 2 and full[0] in self.lists.links):
            return True
        last = len(full) - (full[-1] in _KINDS)  # the type of an article is not a join
        return any(full[:cut] in self._whole and self._endings[full[cut:]] > 1 for cut in range(1, last))

    def whole_of(self, table: TableSchema) -> Target | None:
        """The table whose name is a prefix of this one's: the subject of a translation or log table."""
        joined = "".join(self.words(_bare(table.name)))
        found = (self.by_joined.get(joined[:length]) for length in range(len(joined) - 1, 2, -1))
        return next((it for it in found if it is not None), None)

    # --- building ---------------------------------------------------------------------------------------------------

    def _shared_fronts(self, schema: Schema) -> frozenset[Words]:
        """Prefixes of several tables' names that carry no meaning: an application, `tbl`, `t`."""
        counts: Counter[Words] = Counter()
        for name in schema.tables:
            words = self.words(_bare(name))
            counts.update({words[:length] for length in (1, 2) if len(words) > length})
        return frozenset(front for front in counts if self._is_front(front, counts))

    def _is_front(self, front: Words, counts: Counter[Words]) -> bool:
        if len(front) == 1 and front[0] in self.lists.fronts:
            return True
        nearly_all = len(front) == 1 or counts[front] > 0.6 * counts[front[:1]]
        return counts[front] >= _SHARED and nearly_all and front not in self._whole

    def _target(self, table: TableSchema, name: str) -> Target | None:
        key = table.column(name)
        if key is None or key.kind not in KEYS:
            return None
        front, noun = self.split(table.name)
        key_words = self.unfronted(self.words(key.name))
        return Target(table, key, (*front, *noun), front, noun, self.trimmed(noun), key_words)

    def _add(self, table: TableSchema) -> None:
        target = self._target(table, table.key[0])
        if target is None:
            return
        self.by_table[table.name] = target
        for word in {*target.full[:1], *target.full[-1:], *target.noun[:1], *target.core[-1:]}:
            self.by_end.setdefault(word, []).append(target)
        self.by_joined["".join(target.full)] = target
        self.by_tail.setdefault(self.joined(target)[-TAIL:], []).append(target)
        for words in {target.noun, target.full, pieces(_bare(table.name))[len(target.front) :]}:
            if len(words) > (_INITIALS_MIN - 1 if words == target.full else 1):
                self.by_initials.setdefault("".join(word[0] for word in words), []).append(target)

    def _own_keys(self, tables: Sequence[TableSchema], schema: Schema) -> Iterator[tuple[TableSchema, str]]:
        """Keys with names more specific than "id", and their owner if several tables have them: tables named after the
        key, else the one with it as primary key and the most columns."""
        rows: dict[Words, list[tuple[int, bool, int, str]]] = {}
        by_name = {table.name: table for table in tables}
        every = schema.tables.values()
        shared = Counter(key[0] for table in every for key in {table.key, *table.unique} if len(key) == 1)
        for table in tables:
            for name in dict.fromkeys(_single_keys(table)):
                called = self._called(table, name)
                words = self.unfronted(self.words(name))
                owns = table.key == (name,) or (called > 1 and words[-1] in self.lists.marks)
                if called >= 0 and owns and (called > 1 or shared[name] <= _SHARED):
                    rows.setdefault(words, []).append((called, table.key == (name,), len(table.columns), table.name))
        for words, ranked in rows.items():
            most = max(ranked)
            for rank in ranked if most[0] else [most]:
                if rank[0] == most[0]:
                    table = by_name[rank[3]]
                    yield table, next(it for it in _single_keys(table) if self.unfronted(self.words(it)) == words)

    def _called(self, table: TableSchema, key: str) -> int:
        """To what extent a table is named after its key: 2 completely, 1 partly, 0 not at all; -1 if the key's name is
        generic or the key is itself a reference."""
        words = self.unfronted(self.words(key))
        stem = tuple(word for word in words if word not in self.lists.marks)
        front, noun = self.split(table.name)
        if words in self.lists.plain or not stem or root("ptr") in words:
            return -1
        others = self._endings[stem] - ends(("", *front, *noun), stem)
        if stem in (noun, (*front, *noun)) and (table.key == (key,) or not others):
            return 2
        return -1 if others else int(bool(set(stem) & set(noun)))

    def _signing_in(self) -> Target | None:
        """The table of login users, if one stands out."""
        best: tuple[float, Target] | None = None
        for target in self.by_table.values():
            noun = target.noun
            if not noun or noun[-1] not in self.lists.people or self.joins(target):
                continue
            rank = self.lists.people.index(noun[-1]) + 2 * (len(noun) - 1)
            columns = {word for column in target.table.columns for word in self.words(column.name)}
            if noun[0] in _SERVED and not columns & _HANDLES:
                continue
            if len(noun) > 1 and not columns & (_SECRETS | _HANDLES):
                continue
            rank -= 4 * bool(columns & _SECRETS) + 2 * bool(columns & _HANDLES)
            if best is None or rank < best[0]:
                best = rank, target
        return best[1] if best else None

    def _writes_bare_keys(self, schema: Schema) -> bool:
        """True if this schema names references like the table (`party`) more often than with a suffix (`party_id`)."""
        nouns = {target.noun for target in self.by_table.values()}
        bare = marked = 0
        for table in schema.tables.values():
            for column in table.columns:
                stem, is_marked = self.stem(self.words(column.name))
                if column.kind in KEYS and column.kind is not ColumnKind.TEXT and stem in nouns:
                    bare += not is_marked
                    marked += is_marked
        return bare > marked


_OF_HISTORY: Final = ("history_id",)
"""The key of history tables, which are not referenced."""
CONTENT_TYPE: Final = (root("content"), root("type"))
_KINDS: Final = frozenset(root(word) for word in ("type", "kind", "status", "state", "category"))
_STAFF: Final = frozenset((root(word),) for word in ("employee", "staff", "mitarbeiter", "empleado", "worker"))
_SERVED: Final = frozenset(root(word) for word in ("customer", "kunde", "cliente", "client", "login", "profile"))
"""People who may never log in."""
_SECRETS: Final = frozenset(root(word) for word in ("password", "passwd", "senha", "hash"))
_HANDLES: Final = frozenset(root(word) for word in ("email", "mail", "login", "username"))


def _single_keys(table: TableSchema) -> Iterator[str]:
    return (key[0] for key in (table.key, *table.unique) if len(key) == 1)


def letters(name: str) -> str:
    """A name without separators and case: ``HfID`` and ``HFID`` are equal."""
    return name.replace("_", "").lower()


def ends(words: Words, end: Words) -> bool:
    """True if *words* end in *end* and have more words before."""
    return 0 < len(end) < len(words) and words[-len(end) :] == end


def _bare(table: str) -> str:
    return table.rpartition(".")[2]


def _names(schema: Schema) -> Iterable[str]:
    for table in schema.tables.values():
        yield from (_bare(table.name),) * 2  # the words of a table's name count as vocabulary
        yield from (column.name for column in table.columns)

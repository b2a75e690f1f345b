"""Keys that the database does not declare: guessed from names and kinds, confirmed by values that are really there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from troth.detect._rules import Rules, Words, rules, singular
from troth.stores import AnyOf, Column, ColumnKind, Match, Scalar, Schema, Store, StoreError, TableKind, TableSchema

__all__ = ["InferredReference", "infer_references"]

_ROWS: Final = 200
_ENOUGH: Final = 3
_KEY_WORDS: Final = frozenset(
    {"id", "key", "number", "ref", "reference", "code", "uuid", "fk", "guid", "pk", "by", "to"}
)
_KEY_KINDS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.TEXT, ColumnKind.UUID, ColumnKind.NUMBER})
_SELF: Final = frozenset({"parent", "manager", "supervisor", "reports", "referrer", "referred", "boss", "mentor"})


@dataclass(frozen=True, slots=True)
class InferredReference:
    """*column* of *table* seems to name the row of *to_table* whose *to_column* has the same value."""

    table: str
    column: str
    to_table: str
    to_column: str
    score: float
    why: tuple[str, ...]


def infer_references(schema: Schema, store: Store) -> list[InferredReference]:
    """References that *schema* does not declare, the best for each column.

    Reads a sample of each table that has a candidate, and asks each target once whether the sampled values are there:
    at most two statements a table. A table that cannot be read is judged by names alone. Raises nothing for that.
    """
    candidates = list(_candidates(schema))
    sampled = _sampled(candidates, store)
    present = _present(candidates, sampled, schema, store)
    best: dict[tuple[str, str], InferredReference] = {}
    for it in candidates:
        judged = _judged(it, sampled.get((it.table, it.column)), present.get((it.to_table, it.to_column)))
        known = best.get((it.table, it.column))
        if judged is not None and (known is None or judged.score > known.score):
            best[it.table, it.column] = judged
    return sorted(best.values(), key=lambda it: (it.table, it.column))


@dataclass(frozen=True, slots=True)
class _Target:
    """A table that could be meant, with what its names say."""

    table: TableSchema
    key: Column
    key_words: Words
    noun: Words


class _Targets:
    """The tables that could be meant, found by the words that point to them: nothing is compared with every table."""

    def __init__(self, schema: Schema, known: Rules) -> None:
        self._targets: list[_Target] = []
        self._by_key: dict[Words, list[int]] = {}
        self._by_noun: dict[Words, list[int]] = {}
        self._by_name: dict[str, int] = {}
        for table in schema.tables.values():
            key = table.column(table.key[0]) if len(table.key) == 1 and table.kind is TableKind.TABLE else None
            if key is not None:
                noun = _noun(known.words(table.name.rpartition(".")[2]))
                target = _Target(table, key, known.words(key.name), noun)
                at = len(self._targets)
                self._targets.append(target)
                self._by_key.setdefault(target.key_words, []).append(at)
                self._by_noun.setdefault(noun, []).append(at)
                self._by_name[table.name] = at

    def meant(self, table: TableSchema, words: Words) -> Iterator[_Target]:
        """Every table that `_named` could say yes to, in the order of the schema."""
        stem = _stem(words)
        nouns = {_noun(words), *(_noun(stem[start:]) for start in range(len(stem)))}
        found = {at for noun in nouns for at in self._by_noun.get(noun, ())}
        found.update(self._by_key.get(words, ()))
        if table.name in self._by_name:
            found.add(self._by_name[table.name])
        return (self._targets[at] for at in sorted(found))


def _candidates(schema: Schema) -> Iterator[InferredReference]:
    known = rules()
    targets = _Targets(schema, known)
    for table in schema.tables.values():
        declared = {column for key in table.foreign_keys for column in key.columns}
        for column in table.columns:
            if column.name in declared or column.kind not in _KEY_KINDS or (column.name,) == table.key:
                continue
            words = known.words(column.name)
            for target in targets.meant(table, words):
                if _same_kind(column.kind, target.key.kind):
                    score, why = _named(table, words, target)
                    if score:
                        key = target.key.name
                        yield InferredReference(table.name, column.name, target.table.name, key, score, (why,))


def _same_kind(one: ColumnKind, other: ColumnKind) -> bool:
    numbers = {ColumnKind.INTEGER, ColumnKind.NUMBER}
    return one is other or {one, other} <= numbers


def _named(table: TableSchema, words: Words, target: _Target) -> tuple[float, str]:
    """How much a column's name, in *words*, points to the target, and why."""
    stem, noun = _stem(words), target.noun
    if target.table is table:
        return (0.35, "it may point to another row of the same table") if set(words) & _SELF and stem else (0.0, "")
    if words == target.key_words and len(words) > 1:
        return 0.6, "it has the name of the other table's key"
    if stem and _noun(stem) == noun:
        return 0.6, "its name is the other table's name and a key word"
    if stem and len(stem) > len(noun) and _noun(stem[-len(noun) :]) == noun:
        return 0.5, "its name ends in the other table's name and a key word"
    if _noun(words) == noun:
        return 0.4, "it has the other table's name"
    return 0.0, ""


def _noun(words: Words) -> Words:
    return (*words[:-1], singular(words[-1])) if words else ()


def _stem(words: Words) -> Words:
    """The name without its key words: (customer, id) is about a customer."""
    stem = words
    while stem and stem[-1] in _KEY_WORDS:
        stem = stem[:-1]
    return stem if stem != words else ()


def _sampled(candidates: Sequence[InferredReference], store: Store) -> dict[tuple[str, str], set[Scalar]]:
    """Some distinct values of each candidate column."""
    columns: dict[str, list[str]] = {}
    for it in candidates:
        if it.column not in columns.setdefault(it.table, []):
            columns[it.table].append(it.column)
    found: dict[tuple[str, str], set[Scalar]] = {}
    for table, names in columns.items():
        try:
            rows = store.sample(table, names, rows=_ROWS)
        except StoreError:
            continue
        for at, name in enumerate(names):
            found[table, name] = {row[at] for row in rows if row[at] is not None}
    return found


def _present(
    candidates: Sequence[InferredReference],
    sampled: Mapping[tuple[str, str], set[Scalar]],
    schema: Schema,
    store: Store,
) -> dict[tuple[str, str], set[Scalar]]:
    """Which of the sampled values each target really has."""
    wanted: dict[tuple[str, str], set[Scalar]] = {}
    for it in candidates:
        wanted.setdefault((it.to_table, it.to_column), set()).update(sampled.get((it.table, it.column), set()))
    found: dict[tuple[str, str], set[Scalar]] = {}
    for (table, column), values in wanted.items():
        if values:
            where = AnyOf((Match((column,), tuple((value,) for value in sorted(values, key=str))),))
            try:
                found[table, column] = {row[0] for row in store.read(table, [column], where)}
            except StoreError:
                continue
    return found


def _judged(it: InferredReference, values: set[Scalar] | None, present: set[Scalar] | None) -> InferredReference | None:
    """The candidate with its final score; None where the values speak against it."""
    if not values or present is None:
        return None if it.score < 0.5 else _scored(it, it.score - 0.1, "there are no values to compare")
    part = len(values & present) / len(values)
    if part < 0.8:
        return None
    if len(values) < _ENOUGH:
        return _scored(it, it.score + 0.1, "its few values are there")
    return _scored(it, it.score + 0.4 * part, f"{part:.0%} of {len(values)} sampled values are there")


def _scored(it: InferredReference, score: float, why: str) -> InferredReference:
    return InferredReference(it.table, it.column, it.to_table, it.to_column, round(min(1.0, score), 2), (*it.why, why))

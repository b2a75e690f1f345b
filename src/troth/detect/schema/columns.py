"""Classifies the columns of a table as personal data, by name, kind, comment, table and sample values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from troth.detect.entities import entities
from troth.detect.schema import values as _values
from troth.detect.schema.rules import ColumnRule, Rules, rules
from troth.detect.schema.table_context import TableContext
from troth.detect.schema.values import ValueShare
from troth.detect.schema.words import Words
from troth.stores import Column, ColumnKind, Scalar, TableSchema

_SCORE_MIN: Final = 0.5
_MOST: Final = 0.6
_EASILY_SEEN: Final = frozenset({"IP_ADDRESS", "MAC_ADDRESS", "SECRET", "CRYPTO", "IMEI"})
"""Types that machines produce too: a few of them in a text do not indicate a person."""
_ENOUGH: Final = 5
"""Minimum number of values to overrule a name, or to decide without one."""
_WRITTEN: Final = frozenset({ColumnKind.TEXT, ColumnKind.JSON, ColumnKind.ARRAY, ColumnKind.OTHER, ColumnKind.BYTES})
_NUMBERED: Final = frozenset({ColumnKind.INTEGER, ColumnKind.UUID})
_COMMENT_MAX: Final = 60
_LENGTH_MIN: Final = 4
"""Contact details are not shorter than this."""


@dataclass(frozen=True, slots=True)
class ColumnFinding:
    """A category of personal data in a column. *score* is 0 to 1; *reasons* are words without values."""

    column: str
    category: str
    entity: str
    score: float
    reasons: tuple[str, ...]
    inside: bool = False
    """True if the values contain such data among other text, rather than consisting of it."""


def classify(table: TableSchema, samples: Mapping[str, Sequence[Scalar]]) -> list[ColumnFinding]:
    """The personal data of a table, in the order of its columns and best first; only scores of at least 0.5.

    *samples* has some values of each column by name; a column without samples is judged by its name alone. Names of
    things are left out if nothing indicates people: an album's title, a genre's name. The name of an artist or author
    alone is left out too, although it may be a person's: a human has to decide that.
    """
    known = rules()
    place = TableContext.of(table, known)
    found: list[ColumnFinding] = []
    for column in table.columns:
        if column.kind in _NUMBERED and (column.name in table.key or _refers(table, column.name)):
            continue  # a surrogate or foreign key
        values = _values.texts(samples.get(column.name, ()))
        seen = _seen(column, values)
        named = _by_name(column, values, seen, place, known)
        found += _merged(named, _by_value(column, values, seen))
    return found


def seen_in_values(column: Column, values: Sequence[Scalar]) -> list[ColumnFinding]:
    """What the sample values alone indicate, whatever the column's name."""
    said = _values.texts(values)
    return [it for it in _by_value(column, said, _seen(column, said)) if it.score >= _SCORE_MIN]


def _refers(table: TableSchema, column: str) -> bool:
    return any(column in key.columns for key in table.foreign_keys)


# --- names ----------------------------------------------------------------------------------------------------------


def _by_name(
    column: Column, values: Sequence[str], seen: ValueShare, place: TableContext, known: Rules
) -> ColumnFinding | None:
    """What the name indicates, adjusted by what the values show."""
    words = place.head(column.name, known)
    if len(words) > 1 and words[0] in known.flags and column.kind is not ColumnKind.TEXT:
        return None
    fitting = [
        (length, rule)
        for length, rule in known.phrase(words)
        if column.kind in rule.kinds and place.allows(rule, words, known)
    ]
    if not fitting:
        return _by_type(column, place) or _by_comment(column, place, known)
    length, rule = max(fitting, key=lambda it: (it[0], it[1].score))
    reasons = [f"its name says {' '.join(words[-length:])!r}"]
    score = rule.score
    if rule.value in _AS_SEEN and column.length is not None and column.length < _LENGTH_MIN:
        return None  # a flag, whatever it is about
    if rule.value is not None and values:
        passing = seen.part(_AS_SEEN[rule.value]) if rule.value in _AS_SEEN else 0.0
        if rule.value in _values.SHAPES:
            passing = max(passing, _values.share(values, _values.SHAPES[rule.value]))
        if passing >= 0.5:
            score = min(1.0, score + 0.1 * passing)
            reasons.append(f"{passing:.0%} of {len(values)} values have that form")
        elif rule.must and len(values) >= _ENOUGH and passing < 0.1:
            return None
    category = _of_the_rest(words, rule, place)
    return ColumnFinding(column.name, category, rule.entity, round(score, 2), tuple(reasons))


def _of_the_rest(words: Words, rule: ColumnRule, place: TableContext) -> str:
    """A plain name next to a family name is the first name, and vice versa."""
    if rule.category == "user.name" and words == ("name",) and place.first_name != place.last_name:
        return "user.name.first" if place.last_name else "user.name.last"
    return rule.category


def _by_type(column: Column, place: TableContext) -> ColumnFinding | None:
    """A network address, according to the column's native type."""
    if column.native.lower() != "inet" or place.is_network or place.is_thing:
        return None
    return ColumnFinding(column.name, "user.device.ip_address", "IP_ADDRESS", 0.75, ("its type says so",))


def _by_comment(column: Column, place: TableContext, known: Rules) -> ColumnFinding | None:
    """A short comment may explain a terse name."""
    if not column.comment or len(column.comment) > _COMMENT_MAX:
        return None
    words = known.head(column.comment)
    for _, rule in sorted(known.phrase(words), key=lambda it: -it[0]):
        if column.kind in rule.kinds and not rule.alone and place.allows(rule, words, known):
            score = round(rule.score - 0.2, 2)
            return ColumnFinding(column.name, rule.category, rule.entity, score, ("its comment says so",))
    return None


# --- values ---------------------------------------------------------------------------------------------------------

_AS_SEEN: Final = {"email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "ip": "IP_ADDRESS"}
"""The entity type that the values of such a column should have."""
_IN_NUMBERS: Final = frozenset({"CREDIT_CARD"})
"""Types that whole numbers alone can show; others match too often by chance."""


def _seen(column: Column, values: Sequence[str]) -> ValueShare:
    if column.kind is not ColumnKind.INTEGER and column.kind not in _WRITTEN:
        return ValueShare(len(values))
    return _values.seen(values)


def _by_value(column: Column, values: Sequence[str], seen: ValueShare) -> list[ColumnFinding]:
    """What the values are, whatever the column's name."""
    if column.kind is ColumnKind.INTEGER:
        seen = ValueShare(seen.of, {kind: count for kind, count in seen.whole.items() if kind in _IN_NUMBERS})
    elif column.kind not in _WRITTEN:
        return []
    if (whole := _whole(column, seen)) is not None:
        return [whole]
    found = []
    for kind in sorted({*seen.inside, *seen.whole}):
        hits = seen.inside.get(kind, 0) + seen.whole.get(kind, 0)
        if kind in _EASILY_SEEN and not hits > seen.of / 2:
            continue
        score = round(min(0.95, 0.6 + hits / seen.of), 2)
        reason = f"{hits} of {seen.of} values hold one"
        found.append(ColumnFinding(column.name, _category(kind), kind, score, (reason,), inside=True))
    if not found and len(values) >= _ENOUGH and (part := _values.persons(values)) >= _MOST:
        reason = f"{part:.0%} of the values are a person's name"
        found.append(ColumnFinding(column.name, "user.name", "PERSON", round(0.45 + part / 2, 2), (reason,)))
    return found


def _whole(column: Column, seen: ValueShare) -> ColumnFinding | None:
    """The type of most values, if there are enough of them."""
    if seen.of < _ENOUGH or not seen.whole:
        return None
    kind = max(seen.whole, key=lambda it: (seen.whole[it], it))
    part = seen.part(kind)
    if part < _MOST:
        return None
    reason = f"{part:.0%} of {seen.of} values have that form"
    return ColumnFinding(column.name, _category(kind), kind, round(0.6 + 0.35 * part, 2), (reason,))


def _category(kind: str) -> str:
    return entities()[kind].category


def _is_easily_taken_for(entity: str) -> bool:
    """Types that postcodes, streets and customer numbers may resemble; a name that says what they are takes
    precedence."""
    return entity in {"PHONE_NUMBER", "PERSON"} or entities()[entity].group in {"gov_id", "health", "network"}


def _merged(named: ColumnFinding | None, seen: Sequence[ColumnFinding]) -> list[ColumnFinding]:
    """Both, best first; values that only confirm the name's category, or are part of it, do not count again."""
    found = [named] if named is not None else []
    phones = {"user.contact.phone_number", "user.contact.fax_number"}
    for other in seen:
        told = named is not None and named.entity != "FREE_TEXT"
        same = named is not None and (other.entity == named.entity or {named.category, other.category} <= phones)
        if not told or not (same or _is_easily_taken_for(other.entity)):
            found.append(other)
    return sorted((it for it in found if it.score >= _SCORE_MIN), key=lambda it: -it.score)

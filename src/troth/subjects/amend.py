"""Amendments: corrects a person's data wherever it is stored (GDPR Art. 16, clause C49). Pure.

A correction names a data category (``user.contact.email``) or one column (``shop.customer.phone``). By category it
covers every field of that category; if a person's fields differ, for example home and work address, a review asks
which one is meant. Rows that the law keeps unchanged, fields declared as fixed, and data about other people are not
changed, but listed as kept.
"""

from __future__ import annotations

import datetime as dt
import decimal
import difflib
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Declaration, Keep
from troth.rows.datamap import DataMap, MapProblem, Node, PlanRefused
from troth.stores import Column, ColumnKind, Row, Scalar
from troth.subjects.identity import Identity, IdentityRefused
from troth.subjects.locate import FoundRow, Located
from troth.subjects.plan import ABOUT_OTHERS, KeptRows, Review, Target, named, period_of, refuse_untrue, reviews
from troth.text import counted

_ABOUT_OTHERS = (ABOUT_OTHERS[0], "GDPR Art. 16")
"""Reason to leave a value: only the person whom it is about has the right to correct it."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """New values for *columns* in rows of one table: for each row its target, the old values and the new values."""

    place: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Target, Row, Row], ...]

    def __repr__(self) -> str:
        return f"Rewrite({self.place}: {', '.join(self.columns)}, {len(self.rows)} rows)"


@dataclass(frozen=True, slots=True)
class AmendmentPlan:
    """Effects of correcting the *located* subjects' data. Contains old and new values: show it, never log it."""

    declaration_hash: str
    located: Located
    rewrites: tuple[Rewrite, ...]
    kept: tuple[KeptRows, ...]
    reviews: tuple[Review, ...]

    def __repr__(self) -> str:
        return f"AmendmentPlan({len(self.located.identities)} subjects, {len(self.rewrites)} rewrites)"


def becoming(map_: DataMap, changes: Mapping[str, str | None]) -> tuple[Identity, ...]:
    """Identities that a person would have after *changes*: one per new value of an identity column that leads to
    further rows. Locate them before `plan_amendment`, because other people may already have these values."""
    found: dict[Identity, None] = {}
    for target, text in changes.items():
        for node, column in _fields(map_, target):
            link = next((link for link in node.links if link.columns == (column.name,) and link.teaches), None)
            if text and link is not None and link.kind is not None and _nonsense(node, column, text) is None:
                found[Identity(((link.kind, text),))] = None
    return tuple(found)


def plan_amendment(
    declaration: Declaration,
    located: Located,
    changes: Mapping[str, str | None],
    *,
    holders: Located | None = None,
    now: dt.datetime | None = None,
) -> AmendmentPlan:
    """Plan to set *changes* (category or ``system.table.column`` → new value, None for empty).

    *located* must come from `locate` with purpose ``amend``, and so must *holders*, the located identities that the
    changes are `becoming`, if any: their rows that do not belong to the located subjects cause a review. With *now*,
    rows that the law keeps unchanged are listed with the end of their period. Raises `PlanRefused` like
    `refuse_untrue`, for an undeclared target, and for a value that the column of a located row cannot hold; the message
    names the column, never the value.
    """
    refuse_untrue(declaration)
    assert holders is not None or not becoming(located.map, changes), "locate those whom the changes lead to"
    return _Amending(located, changes, holders, now).plan(declaration)


@dataclass(slots=True)
class _Amending:
    located: Located
    changes: Mapping[str, str | None]
    holders: Located | None
    now: dt.datetime | None
    new: dict[str, dict[Target, dict[str, tuple[Scalar, Scalar]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    """place → row → column → old and new value."""
    kept: dict[tuple[str, str, str, str, dt.date | None], list[Target]] = field(
        default_factory=lambda: defaultdict(list)
    )
    reviews: list[Review] = field(default_factory=list)
    problems: list[MapProblem] = field(default_factory=list)

    def plan(self, declaration: Declaration) -> AmendmentPlan:
        for target, text in self.changes.items():
            fields = list(_fields(self.located.map, target))
            is_elsewhere = _may_lie_unseen(self.located.map, target) or _is_asked_for(declaration, target)
            if not fields and not is_elsewhere:
                self.problems.append(_unknown(self.located.map, target))
            self._ask_where_values_differ(target, fields)
            for node, column in fields:
                self._set(node, column, text, alone=len(fields) == 1, named=target == f"{node.place}.{column.name}")
        if self.problems:
            raise PlanRefused(self.problems)
        if self.holders is not None and self.holders.identities:
            self._ask_where_taken(self.holders)
        return AmendmentPlan(
            declaration_hash=declaration.hash,
            located=self.located,
            rewrites=tuple(self._rewrites()),
            kept=tuple(
                KeptRows(place, (name,), why, cite, until, tuple(targets))
                for (place, name, why, cite, until), targets in self.kept.items()
            ),
            reviews=(*reviews(declaration, self.located), *self.reviews),
        )

    def _set(self, node: Node, column: Column, text: str | None, *, alone: bool, named: bool) -> None:
        """Decide for every row of one column. Rows that the law keeps unchanged are amended only if the column itself
        is *named*; empty values are filled only if it is the only column affected (*alone*). A value that does not fit
        is a problem only if a row would receive it."""
        fault: ValueError | None = None
        after: Scalar = None
        try:
            after = parsed(column, text)
            fault = _nonsense(node, column, text)
        except ValueError as error:
            fault = error
        use = node.declared.fields[column.name]
        for row in self.located.rows.get(node.place, ()):
            target = (row.key, row.subjects)
            before = self.located.value(node.place, row, column.name)
            keep = node.declared.keep
            if keep is not None and not named:
                # Values that are correct already, or empty, are not reported as kept.
                if (fault is not None or before != after) and (alone or before is not None):
                    why = (keep.because, keep.cite, self._until(node, row, keep))
                    self.kept[node.place, column.name, *why].append(target)
            elif row.others and use.of not in row.mine and "key" not in row.mine:
                # Another person's name or address in the row is not reported as kept data of this person.
                if named or use.free_text or use.of is None:
                    self.kept[node.place, column.name, *_ABOUT_OTHERS, None].append(target)
            elif use.fixed is not None:
                if before is not None and before != after:
                    self.kept[node.place, column.name, use.fixed, "GDPR Art. 16", None].append(target)
            elif fault is not None and (alone or before is not None):
                path = f"systems.{node.system}.tables.{node.table}.fields.{column.name}"
                said = f"the column cannot hold the new value: {fault}"
                self.problems.append(MapProblem(path, said, "give a value that fits"))
                return
            elif fault is None and before != after and (alone or before is not None):
                self.new[node.place][target][column.name] = (before, after)

    def _until(self, node: Node, row: FoundRow, keep: Keep) -> dt.date | None:
        """End of the period for which the law keeps a row; None if unknown or over."""
        if self.now is None:
            return None
        until = period_of(self.located, node, row, keep, self.now)
        return None if until.is_over else until.day

    def _ask_where_values_differ(self, target: str, fields: Sequence[tuple[Node, Column]]) -> None:
        """Add a review if one person has several values of one category or column: it is unclear which one is wrong."""
        values: dict[int, set[str]] = defaultdict(set)
        found: dict[int, list[FoundRow]] = defaultdict(list)
        for node, column in fields:
            if node.declared.fields[column.name].fixed is not None:
                continue
            for row in self.located.rows.get(node.place, ()):
                value = self.located.value(node.place, row, column.name)
                if value is not None and not row.others and (node.declared.keep is None or len(fields) == 1):
                    for subject in row.subjects:
                        values[subject].add(str(value).strip().casefold())
                        found[subject].append(row)
        for subject, different in values.items():
            if len(different) > 1:
                message = f"{len(different)} different values of {target} are stored"
                is_one = len(fields) == 1
                one = "give the row: --id SYSTEM.TABLE=KEY" if is_one else "--set SYSTEM.TABLE.COLUMN=…"
                rows = named(fields[0][0], found[subject]) if is_one else ()
                self.reviews.append(Review("", subject, message, f"give the one that is wrong: {one}", rows))

    def _ask_where_taken(self, holders: Located) -> None:
        """Add a review if rows of others already have the new identity: requests by it would return data of both."""
        if len(self.located.identities) > 1:
            count = len(self.located.identities)
            self.reviews.append(Review("", 0, f"{count} people would get the same identity", "amend them one by one"))
        for place, rows in holders.rows.items():
            node = holders.map[place]
            own = {row.key for row in self.located.rows.get(place, ())}
            named_by = {link.name for link in node.links if link.kind is not None}
            taken = [row for row in rows if row.key not in own and named_by.intersection(row.mine)]
            if taken:
                message = f"the new value is already in {counted(len(taken), 'row')} of somebody else"
                fix = "if they belong to the same person, add them: --id SYSTEM.TABLE=KEY; else check whose value it is"
                self.reviews.append(Review(place, 0, message, fix, named(node, taken)))

    def _rewrites(self) -> Iterator[Rewrite]:
        for place, rows in self.new.items():
            by_columns: dict[tuple[str, ...], list[tuple[Target, Row, Row]]] = defaultdict(list)
            for target, values in rows.items():
                before, after = zip(*values.values(), strict=True)
                by_columns[tuple(values)].append((target, before, after))
            for columns, grouped in by_columns.items():
                yield Rewrite(place, columns, tuple(grouped))


def _fields(map_: DataMap, target: str) -> Iterator[tuple[Node, Column]]:
    """Columns that a correction affects: the one it names, or all of a category."""
    for node in map_:
        for name, use in node.declared.fields.items():
            column = node.schema.column(name)
            if column is not None and target in (use.category, f"{node.place}.{name}"):
                yield node, column


def _may_lie_unseen(map_: DataMap, target: str) -> bool:
    """True if *target* is declared in a table without columns so far, such as files that do not exist yet."""
    unseen = (node for node in map_ if not node.schema.columns)
    return any(
        target in (use.category, f"{it.place}.{name}") for it in unseen for name, use in it.declared.fields.items()
    )


def _is_asked_for(declaration: Declaration, target: str) -> bool:
    """True if an external system holds *target*; the code that queries that system passes the change on."""
    return any(
        target in (category, f"{name}.{held}")
        for name, system in declaration.systems.items()
        for held, category in (system.asked.holds.items() if system.asked else ())
    )


def _unknown(map_: DataMap, target: str) -> MapProblem:
    known = {use.category for node in map_ for use in node.declared.fields.values()}
    known |= {f"{node.place}.{name}" for node in map_ for name in node.declared.fields}
    near = difflib.get_close_matches(target[:200], known, n=1)
    fix = f"did you mean {near[0]}?" if near else "give a declared category, or one column as SYSTEM.TABLE.COLUMN"
    return MapProblem(f"--set {target[:80]!r}", "there is no such declared field", fix)


def parsed(column: Column, text: str | None) -> Scalar:
    """Parse *text* for the column. Raises ValueError with a readable message that does not contain the value."""
    if column.generated:
        raise ValueError("the store computes this column itself")
    if text is None or text == "":
        if not column.nullable:
            raise ValueError("it must not be empty")
        return None
    if column.kind is ColumnKind.TEXT and column.length is not None and len(text) > column.length:
        raise ValueError(f"it is longer than {column.length} characters")
    parse = _PARSERS.get(column.kind)
    try:
        return text if parse is None else parse(text)
    except (ValueError, ArithmeticError):
        raise ValueError(f"it is not a {column.kind}") from None


def _nonsense(node: Node, column: Column, text: str | None) -> ValueError | None:
    """The error if *text* is not a valid identifier of the kind in this column, else None."""
    kinds = {link.kind for link in node.links if link.kind is not None and link.columns == (column.name,)}
    try:
        for kind in kinds:
            if text:
                Identity(((kind, text),))
    except IdentityRefused as refused:
        return ValueError(str(refused))
    return None


def _boolean(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]


_PARSERS: Mapping[ColumnKind, Callable[[str], Scalar]] = {
    ColumnKind.INTEGER: int,
    ColumnKind.NUMBER: decimal.Decimal,
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.DATE: dt.date.fromisoformat,
    ColumnKind.DATETIME: dt.datetime.fromisoformat,
    ColumnKind.TIME: dt.time.fromisoformat,
    ColumnKind.UUID: uuid.UUID,
}

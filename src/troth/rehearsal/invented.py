"""Invented people and their rows: every declared table filled as its declaration says, parents before children.

A row leads to its person by the declared links, holds values of the declared categories, and is well within its
retention period, so that a system filled like this keeps what its declaration promises. The same rows serve a rehearsal
and canaries.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from troth.declaration import Declaration, FieldUse, Period, Table
from troth.stores import ColumnKind, Scalar, Schema, TableKind, TableSchema
from troth.subjects import CANARY_HOST

RowValues = dict[str, Scalar]
_GIVEN: Final = ("Ann", "Ben", "Chloe")
_FAMILY: Final = ("Archer", "Baker", "Carter")
_DAYS: Final = 30
"""Age of rows without a retention period."""


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """A person who does not exist, with an identifier of each kind. Two with the same *number* are the same."""

    number: int
    host: str = "example.org"

    @property
    def given(self) -> str:
        return _GIVEN[self.number % 3]

    @property
    def family(self) -> str:
        return _FAMILY[self.number // 3 % 3]

    def identifier(self, kind: str) -> str:
        """The person's identifier of that kind (`IdentityKind`)."""
        return {
            "email": f"{self.given}.{self.number}@{self.host}".lower(),
            "phone": f"+44 1632 96{self.number % 10_000:04}",
            "account": f"A-{100_000 + self.number}",
            "name": f"{self.given} {self.family}",
            "postal": f"{self.number} Example Street, Exampleton",
        }[kind]


@dataclass(frozen=True)
class CanaryPerson(InventedPerson):
    """An invented person for real systems: recognisable by each of its details, and no mail can reach it."""

    host: str = CANARY_HOST

    @property
    def given(self) -> str:
        return "Canary"

    @property
    def family(self) -> str:
        return str(self.number)

    def identifier(self, kind: str) -> str:
        own = {"email": f"canary-{self.number}@{self.host}", "account": f"CANARY-{self.number}"}
        return own.get(kind) or super().identifier(kind)


@dataclass(frozen=True, slots=True)
class InventedRow:
    """A row of *place*, and the person whom it is about, if any."""

    place: str
    values: RowValues
    person: InventedPerson | None


@dataclass(slots=True)
class Inventor:
    """Fills the tables of *declaration*, whose *schemas* say which columns there are, at *now*. *seal* makes the stored
    form of a text in a sealed or tokenised column, given its table's place, the column and its use."""

    declaration: Declaration
    schemas: Mapping[str, Schema]
    now: dt.datetime
    seal: Callable[[str, str, FieldUse, str], bytes | str] | None = None
    first: int = 0
    """Number of the first row: keys begin after it."""
    rows: dict[str, list[InventedRow]] = field(default_factory=dict)

    def fill(self, people: Sequence[InventedPerson], places: Collection[str] | None = None) -> Iterator[InventedRow]:
        """Rows for *people* in every table, or in *places*, a row before those that refer to it. The
        values of a row may be changed, such as to the key that a store gave it; later rows refer to these."""
        for place in self.order() if places is None else [it for it in self.order() if it in places]:
            made = self.rows[place] = [
                self._row(place, person, at) for at, person in enumerate(self._who(place, people))
            ]
            yield from made

    def order(self) -> list[str]:
        """Every table, a table before those that refer to it; what refers to each other is in the order of the file."""
        waiting = {f"{system}.{table}": None for system, it in self.schemas.items() for table in _filled(it)}
        ordered: list[str] = []
        while waiting:
            ready = [place for place in waiting if not (self._parents(place) - {place}) & waiting.keys()]
            for place in ready or [next(iter(waiting))]:
                ordered.append(place)
                del waiting[place]
        return ordered

    def _who(self, place: str, people: Sequence[InventedPerson]) -> Sequence[InventedPerson | None]:
        table = self._table(place)
        if table.identity or table.mentions or table.belongs_to:
            return people
        return [None] * min(len(people), 3)

    def _parents(self, place: str) -> set[str]:
        return {parent for _, parent, _ in self._links(place)}

    def _table(self, place: str) -> Table:
        return self.declaration.table_at(place) or Table()

    def _schema(self, place: str) -> TableSchema:
        system, _, table = place.partition(".")
        return self.schemas[system].tables[table]

    # --- one row --------------------------------------------------------------------------------------------------

    def _row(self, place: str, person: InventedPerson | None, at: int) -> InventedRow:
        table, schema, number = self._table(place), self._schema(place), self.first + at + 1
        given: RowValues = {}
        for columns, parent, to in self._links(place):
            values = self._parent(parent, person) or {}
            given |= {name: values.get(there) for name, there in zip(columns, to, strict=True)}
        given |= dict.fromkeys(flag.column for flag in table.marks.values())
        if person is not None:
            naming = (*table.identity.items(), *table.mentions.items())
            given |= {it.column: person.identifier(kind) for kind, it in naming if not _is_protected(table, it.column)}
        values = {}
        for column in schema.columns:
            if not column.generated and column.native != "locator":
                is_given = column.name in given and (given[column.name] is not None or column.nullable)
                values[column.name] = (
                    given[column.name] if is_given else self._value(place, column.name, person, number)
                )
        return InventedRow(place, values, person)

    def _links(self, place: str) -> Iterator[tuple[Sequence[str], str, Sequence[str]]]:
        """The columns of a table that refer to rows of others, the weakest first: foreign keys, references, owners."""
        system, table = place.partition(".")[0], self._table(place)
        for key in self._schema(place).foreign_keys:
            yield key.columns, f"{system}.{key.table}", key.to_columns
        for link in (*table.refers_to.values(), *table.belongs_to.values()):
            yield link.columns, f"{link.system or system}.{link.table}", link.to

    def _parent(self, place: str, person: InventedPerson | None) -> RowValues | None:
        rows = self.rows.get(place, ())
        own = [row for row in rows if row.person == person]
        return next((row.values for row in (*own, *rows)), None)

    def _value(self, place: str, name: str, person: InventedPerson | None, number: int) -> Scalar:
        table, schema = self._table(place), self._schema(place)
        column = schema.column(name)
        assert column is not None, "the schema has it"
        use = table.fields.get(name)
        if name == table.notice:
            return dated(column.kind, dt.datetime.combine(self._version(place, number), dt.time(), tzinfo=dt.UTC))
        if use is not None and _is_protected(table, name) and self.seal is not None:
            stored = self.seal(place, name, use, _text(use.category, person or InventedPerson(number)))
            return stored if column.kind is ColumnKind.BYTES else str(encoded(stored))
        if name in self._starts(place) or column.kind in {ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.TIME}:
            birth = use is not None and use.category.endswith("date_of_birth")
            moment = dt.datetime(1980, 5, 17, tzinfo=dt.UTC) if birth else self._moment(place, number)
            return dated(column.kind, moment)
        is_unique = name in schema.key or any(name in unique for unique in schema.unique)
        if column.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER}:
            return number if is_unique else 1
        if column.kind in {ColumnKind.BOOLEAN, ColumnKind.BYTES, ColumnKind.UUID, ColumnKind.JSON, ColumnKind.ARRAY}:
            return _PLAIN[column.kind](number)
        text = _text(use.category, person or InventedPerson(number)) if use is not None else "ok"
        text = f"{text}-{number}" if is_unique and (use is None or "contact" not in use.category) else text
        return text[: column.length] if column.length else text

    def _version(self, place: str, number: int) -> dt.date:
        """The policy version under which a row came: one in force on its day; for every second row, the earliest."""
        policy, day = self.declaration.policy, self._moment(place, number).date()
        every = sorted([policy.effective, *(version.effective for version in policy.versions)])
        return every[0] if number % 2 else max([every[0], *(it for it in every if it <= day)])

    def _starts(self, place: str) -> set[str]:
        """The columns from which the periods of a table's rows are counted."""
        keep = self._table(place).keep
        rules = {rule.from_ for rule in self.declaration.retention.values() if rule.table == place}
        return rules | ({keep.from_} if keep is not None and keep.from_ else set())

    def _moment(self, place: str, number: int) -> dt.datetime:
        """When a row was made: within its period, and after the rows that it refers to."""
        return self.now - dt.timedelta(days=self._age_days(place, frozenset()), minutes=number - self.first)

    def _age_days(self, place: str, seen: frozenset[str]) -> float:
        today = self.now.date()
        periods = [_days(rule.for_, today) for rule in self.declaration.retention.values() if rule.table == place]
        own = min(periods) / 4 if periods else _DAYS
        parents = self._parents(place) - seen - {place}
        known = [parent for parent in parents if parent in self.rows]
        return min([own, *(0.9 * self._age_days(parent, seen | {place}) for parent in known)])


def _is_protected(table: Table, column: str) -> bool:
    """Whether the column holds sealed values or tokens."""
    use = table.fields.get(column)
    return use is not None and bool(use.sealed or use.token)


def _filled(schema: Schema) -> Iterator[str]:
    return (name for name, table in schema.tables.items() if table.kind is TableKind.TABLE and table.columns)


def _days(period: Period, today: dt.date) -> int:
    return (period.after(today) - today).days


_PLAIN: Final[Mapping[ColumnKind, Callable[[int], Scalar]]] = {
    ColumnKind.BOOLEAN: lambda number: False,
    ColumnKind.BYTES: lambda number: b"example",
    ColumnKind.UUID: lambda number: uuid.UUID(int=number),
    ColumnKind.JSON: lambda number: "{}",
    ColumnKind.ARRAY: lambda number: "[]",
}


def dated(kind: ColumnKind, moment: dt.datetime) -> Scalar:
    """*moment* as a column of that kind holds it."""
    match kind:
        case ColumnKind.DATE:
            return moment.date()
        case ColumnKind.TIME:
            return moment.time()
        case ColumnKind.INTEGER | ColumnKind.NUMBER:
            return int(moment.timestamp())
        case ColumnKind.DATETIME:
            return moment
    is_day = moment.time() == dt.time()
    return moment.date().isoformat() if is_day else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_TEXTS: Final[Sequence[tuple[str, Callable[[InventedPerson], str]]]] = (
    ("user.contact.email", lambda person: person.identifier("email")),
    ("user.contact.phone_number", lambda person: person.identifier("phone")),
    ("user.contact.fax_number", lambda person: person.identifier("phone")),
    ("user.contact.address.street", lambda person: f"{person.number} Example Street"),
    ("user.contact.address.city", lambda person: "Exampleton"),
    ("user.contact.address.postal_code", lambda person: "FB4 7QD"),
    ("user.contact.address.country", lambda person: "GB"),
    ("user.contact.address", lambda person: f"{person.number} Example Street, Exampleton"),
    ("user.contact", lambda person: person.identifier("email")),
    ("user.name.first", lambda person: person.given),
    ("user.name.last", lambda person: person.family),
    ("user.name", lambda person: f"{person.given} {person.family}"),
    ("user.device.ip_address", lambda person: f"192.0.2.{person.number % 250 + 1}"),
    ("user.device", lambda person: "Firefox"),
    ("user.workplace", lambda person: f"{person.family} and Sons Ltd"),
    ("user.job_title", lambda person: "Engineer"),
    ("user.demographic.date_of_birth", lambda person: "1980-05-17"),
    ("user.financial", lambda person: "GB33BUKB20201555555555"),
    ("user.content", lambda person: f"Please call me back about the order. {person.given} {person.family}"),
    ("user.behavior", lambda person: "seen"),
)


def _text(category: str, person: InventedPerson) -> str:
    """An invented value of that category; a plain word for those that have no form of their own."""
    return next((make(person) for known, make in _TEXTS if category == known or category.startswith(f"{known}.")), "ok")


def encoded(value: Scalar) -> object:
    """*value* as JSON and CSV hold it."""
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, uuid.UUID) else value

"""Sealed columns for Django: the application writes and reads plain values, the database holds sealed ones.

    class Customer(models.Model):
        email = SealedTextField(null=True)
        email_bucket = BucketField({"email": "email"}, population=200_000)

A *bucket* field is filled automatically when an object is saved or bulk-created; `sealed_lookup` searches by it, and
`sealed_update` changes many rows at once. Writes that would separate a value from its bucket are refused: ``update()``,
``bulk_update()``, and ``save(update_fields=…)`` that names one without the other. A sealed field can only be compared
with None: ``filter(email=…)`` would have to return every row of the bucket.

It needs only Django, neither Troth's service nor its settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import DatabaseError, OperationalError, connections, models, transaction
from django.db.models import signals
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.db.models.sql import InsertQuery, UpdateQuery

from troth.protect.fields.blind import BlindIndex, NormalForm, plan_index
from troth.protect.fields.column import KeyringSource, SealedColumn, home_keyring
from troth.protect.fields.errors import FieldRefused, RowsBusy, RowsRefused, SearchRefused
from troth.protect.fields.kinds import BYTES, DATE, JSON, NUMBER, TEXT, ColumnKind
from troth.protect.fields.rotate import Progress, rotate
from troth.protect.fields.sql import Flavour, SqlRows
from troth.protect.fields.table import Index, RotationCount, SealedTable, Values

_TOGETHER = "its bucket is not computed there: save the object, or use sealed_update()"


@dataclass(frozen=True, slots=True)
class _Written:
    """A value that is being written together with its bucket."""

    value: Any = field(repr=False)


class _OnlyNull(Exact):
    def get_prep_lookup(self) -> None:
        if self.rhs is not None:
            raise SearchRefused(
                "a sealed field is not compared in SQL, where equal values look different: find by its bucket field "
                "with sealed_lookup(), or read the objects and compare them"
            )


_ITSELF = "give the value itself, not an expression or another field"
_IMPOSSIBLE = "unique", "primary_key", "db_index"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _sorting(model: type[models.Model]) -> Iterator[tuple[str, Any]]:
    """The names and expressions by which a model's Meta sorts, compares or indexes."""
    meta = model._meta
    yield from (("unique_together", name) for names in meta.unique_together for name in names)
    yield from (("ordering", each) for each in meta.ordering or ())
    latest = meta.get_latest_by or ()
    yield from (("get_latest_by", each) for each in ([latest] if isinstance(latest, str) else latest))
    for each in (*meta.constraints, *meta.indexes):
        name = f"the {'index' if isinstance(each, models.Index) else 'constraint'} {each.name}"
        yield from ((name, part) for part in (*getattr(each, "fields", ()), *getattr(each, "expressions", ())))


_DEFAULTS: Mapping[str, object] = {
    "table": "",
    "field": "",
    "domain": "fields",
    "keyring": home_keyring,
    "accept_plain": False,
}


class _Sealed(models.Field):  # type: ignore[type-arg]
    """Base of the sealed fields. *table* and *field* name the place that values are sealed for, by default the names in
    the database. Give the old names when those change. The other options are those of `SealedColumn`."""

    kind: ClassVar[ColumnKind[Any]]
    sealed: SealedColumn[Any]

    def __init__(
        self,
        *args: Any,
        table: str = "",
        field: str = "",
        domain: str = "fields",
        keyring: KeyringSource = home_keyring,
        accept_plain: bool = False,
        **options: Any,
    ) -> None:
        self.sealed = SealedColumn(self.kind, table, field, domain, keyring, accept_plain)
        self._as_given = self.sealed
        super().__init__(*args, **options)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        for option, default in _DEFAULTS.items():
            if (given := getattr(self._as_given, option)) != default:
                options[option] = given
        return name, path, args, options

    def contribute_to_class(self, cls: type[models.Model], name: str, **options: Any) -> None:  # type: ignore[override]
        super().contribute_to_class(cls, name, **options)
        given = self._as_given
        self.sealed = replace(given, table=given.table or cls._meta.db_table, field=given.field or str(self.column))

    def check(self, **options: Any) -> list[checks.CheckMessage]:
        wrong = [f"a sealed field cannot be {name}" for name in _IMPOSSIBLE if getattr(self, name)]
        if self.has_db_default():
            wrong.append("a sealed field cannot have a db_default, which the database would write unsealed")
        wrong += [f"a sealed field cannot be in {name}" for name, given in _sorting(self.model) if self._is_in(given)]
        hint = "equal values look different once they are sealed; put a BucketField beside it to find by"
        said = [checks.Error(message, hint=hint, obj=self, id="troth.E001") for message in wrong]
        return [*super().check(**options), *said]

    def _is_in(self, given: Any) -> bool:
        """Whether *given*, a name or an expression in the model's Meta, refers to this field."""
        if isinstance(given, str):
            return given.removeprefix("-") in (self.name, self.attname)
        parts = given.flatten() if hasattr(given, "flatten") else [given]
        return any(isinstance(part, models.F) and getattr(part, "name", "") == self.name for part in parts)

    def get_internal_type(self) -> str:
        return "BinaryField"

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else _OnlyNull

    def get_transform(self, lookup_name: str) -> None:
        return None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        return _Written(value) if self._is_indexed() and not isinstance(value, _Written) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql"):
            if self._is_indexed():
                raise SearchRefused(f"{self.sealed.place}: {_TOGETHER}")
            if not self._is_own(value):
                raise SearchRefused(f"{self.sealed.place} is sealed here, not by the database: {_ITSELF}")
            return value
        return self.get_db_prep_value(value.value if isinstance(value, _Written) else value, connection)

    def _is_own(self, expression: Any) -> bool:
        """Whether the expression can only give NULL or a value that this field seals, as in `bulk_update`."""
        if isinstance(expression, models.Value):
            return expression.value is None or self._is_output_of(expression)
        if isinstance(expression, models.Case):
            results = [*(when.result for when in expression.cases), expression.default]
            return all(self._is_own(result) for result in results)
        if isinstance(expression, Cast) and self._is_output_of(expression):
            return all(self._is_own(source) for source in expression.get_source_expressions())
        return False

    def _is_output_of(self, expression: Any) -> bool:
        return getattr(expression, "_output_field_or_none", None) == self

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """Called by Django in every statement that writes the field: checks which other fields the statement sets."""
        for bucket in _buckets(self.model):
            names = {name for name, _ in bucket.of}
            if self.name in names:
                self._require_together(compiler.query, {*names, bucket.name})
        return str(connection.ops.binary_placeholder_sql(value))

    def _require_together(self, query: Any, names: set[str]) -> None:
        if isinstance(query, UpdateQuery):
            values: Any = query.values  # type: ignore[attr-defined]
            given = [value for field, _, value in values if field == self]
            if not all(isinstance(value, _Written) for value in given):
                raise SearchRefused(f"{self.sealed.place}: {_TOGETHER}")
        if isinstance(query, InsertQuery):
            fields: Any = query.update_fields  # type: ignore[attr-defined]
            updated = {field.name for field in fields or ()} & names
            if updated and updated != names:
                raise SearchRefused(f"{self.sealed.place}: update these together or not at all: {_listed(names)}")

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        sealed = self.sealed.seal(self.plain(value))
        return None if sealed is None else connection.Database.Binary(sealed)

    def plain(self, value: Any) -> Any:
        """The value as Django converts it: a date may be given as text. Raises `FieldRefused`."""
        try:
            return self.get_prep_value(value)
        except (ValidationError, TypeError, ValueError):
            pass  # the text of these errors quotes the value
        raise FieldRefused(f"{self.sealed.place} takes {self.kind.name}, not a value of type {type(value).__name__}")

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return self.sealed.open(value)

    def _is_indexed(self) -> bool:
        return any(self.name in dict(bucket.of) for bucket in _buckets(self.model))


class SealedTextField(_Sealed, models.TextField):  # type: ignore[type-arg]
    """Text of any length."""

    kind = TEXT

    def plain(self, value: Any) -> Any:
        # a migration fills a new column with the empty value of its database type
        return super().plain("" if value == b"" else value)


class SealedBinaryField(_Sealed, models.BinaryField):  # type: ignore[type-arg]
    """Bytes."""

    kind = BYTES


class SealedJSONField(_Sealed, models.JSONField):  # type: ignore[misc]
    """Any JSON value except ``null``, which is stored as NULL."""

    kind = JSON


class SealedNumberField(_Sealed, models.DecimalField):  # type: ignore[type-arg]
    """A ``Decimal``, exactly as it was given."""

    kind = NUMBER


class SealedDateField(_Sealed, models.DateField):  # type: ignore[type-arg]
    """A date."""

    kind = DATE


_BUCKET_DEFAULTS: Mapping[str, Any] = {"null": True, "blank": True, "editable": False, "db_index": True}


class BucketField(models.BigIntegerField):  # type: ignore[type-arg]
    """The blind index over the sealed fields *of* the same model, by name, each with its normal form: ``email``,
    ``phone``, ``text`` or ``exact``; with several, over all of them together.

    *population* is the real number of distinct values (or combinations) in the table; see `plan_index`, which chooses
    the bits and refuses fewer than 1,000. A changed definition makes other buckets: pass the previous one as *was*
    until `rotate_fields` has finished, and values are found by either. Another *version* changes the key.
    """

    def __init__(
        self,
        of: Mapping[str, NormalForm] | Sequence[tuple[str, NormalForm]],
        *,
        population: int,
        values_per_bucket: int = 2,
        version: int = 1,
        was: BucketField | None = None,
        **options: Any,
    ) -> None:
        self.of = tuple(dict(of).items())
        self.plan = plan_index(population, columns=len(self.of), values_per_bucket=values_per_bucket)
        self.values_per_bucket, self.version, self.was = values_per_bucket, version, was
        super().__init__(**{**_BUCKET_DEFAULTS, **options})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, options = super().deconstruct()
        options |= {"of": self.of, "population": self.plan.population, "values_per_bucket": self.values_per_bucket}
        options |= {"version": self.version, "was": self.was} if self.was else {"version": self.version}
        return name, path, args, {**options, **{option: getattr(self, option) for option in _BUCKET_DEFAULTS}}

    def check(self, **options: Any) -> list[checks.CheckMessage]:
        found = super().check(**options)
        try:
            self.definition()
        except SearchRefused as refused:
            found.append(checks.Error(str(refused), obj=self, id="troth.E002"))
        return found

    def pre_save(self, model_instance: models.Model, add: bool) -> int | None:
        bucket = self.bucket([getattr(model_instance, name) for name, _ in self.of])
        setattr(model_instance, self.attname, bucket)
        return bucket

    def sources(self, model: type[models.Model] | None = None) -> list[_Sealed]:
        """The sealed fields that it indexes. Raises `SearchRefused` if the model has no such field."""
        own = {field.name: field for field in (model or self.model)._meta.local_concrete_fields}
        for name, _ in self.of:
            if not isinstance(own.get(name), _Sealed):
                raise SearchRefused(f"the model has no sealed field {name!r} of its own to compute buckets from")
        return [own[name] for name, _ in self.of]  # type: ignore[misc]

    def definition(self, model: type[models.Model] | None = None) -> BlindIndex:
        """The index definition, with the names that the values are sealed for."""
        sources = [source.sealed for source in self.sources(model)]
        columns = tuple((source.field, form) for source, (_, form) in zip(sources, self.of, strict=True))
        return BlindIndex(sources[0].table, columns, self.plan.bits, self.version, sources[0].domain)

    def bucket(self, values: Sequence[Any], model: type[models.Model] | None = None) -> int | None:
        """The bucket of these values of its fields. Raises `FieldRefused` and `SearchRefused`."""
        sources = self.sources(model)
        bare = [value.value if isinstance(value, _Written) else value for value in values]
        if any(hasattr(value, "resolve_expression") for value in bare):
            raise SearchRefused(f"{self.name}: give the values themselves; no bucket can be computed for an expression")
        plain = [source.plain(value) for source, value in zip(sources, bare, strict=True)]
        return self.definition(model).bucket(sources[0].sealed.keyring(), *plain)


def _buckets(model: type[models.Model]) -> Iterator[BucketField]:
    return (field for field in model._meta.concrete_fields if isinstance(field, BucketField))


def _before_save(
    sender: type[models.Model], instance: models.Model, raw: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """Keep values and buckets together when only some fields are saved, and when a fixture is loaded raw."""
    for bucket in _buckets(sender):
        sources = {name for name, _ in bucket.of}
        if update_fields is not None and update_fields & sources and not {*sources, bucket.name} <= update_fields:
            names = _listed({*sources, bucket.name})
            raise SearchRefused(f"{sender.__name__}: these are saved together or not at all: {names}")
        if raw:
            bucket.pre_save(instance, add=False)
            for name in sources:
                value = getattr(instance, name)
                setattr(instance, name, value if isinstance(value, _Written) else _Written(value))


signals.pre_save.connect(_before_save)


# --- searching and changing -------------------------------------------------------------------------------------------


def may_be(model: type[models.Model], bucket: str, *values: Any) -> models.Q:
    """A condition for the rows of *model* in the bucket of *values*: all rows with these values, and some others.
    *bucket* is the name of a bucket field with one indexed field per value. Raises `SearchRefused`."""
    first = _bucket(model, bucket, values)
    field: BucketField | None = first
    buckets = []
    while field is not None:
        buckets.append(field.bucket(values, first.model))
        field = field.was
    return models.Q(**{f"{bucket}__in": [found for found in buckets if found is not None]})


def sealed_lookup(rows: models.QuerySet[Any], bucket: str, *values: Any) -> list[Any]:
    """The objects among *rows* whose sealed fields have these *values*, in normal form.

        sealed_lookup(Customer.objects.filter(active=True), "email_bucket", "ann@example.org")

    It also reads the other objects of the bucket. Raises as `may_be` does, and as opening does.
    """
    field = _bucket(rows.model, bucket, values)
    index, sources = field.definition(), field.sources()
    sought = index.normal(*(source.plain(value) for source, value in zip(sources, values, strict=True)))
    candidates = rows.filter(may_be(rows.model, bucket, *values))
    return [row for row in candidates if index.normal(*(getattr(row, name) for name, _ in field.of)) == sought]


def _bucket(model: type[models.Model], name: str, values: Sequence[Any]) -> BucketField:
    field = {bucket.name: bucket for bucket in _buckets(model)}.get(name)
    if field is None:
        raise SearchRefused(f"{model.__name__} has no bucket field {name!r}")
    if len(values) != len(field.of):
        raise SearchRefused(f"the index is over {len(field.of)} fields, and {len(values)} values were given")
    return field


def sealed_update(rows: models.QuerySet[Any], **values: Any) -> int:
    """``rows.update(…)`` that also sets the buckets. Raises `SearchRefused` if an index covers more fields than are
    given."""
    given = dict(values)
    for bucket in _buckets(rows.model):
        names = [name for name, _ in bucket.of]
        if not values.keys() & set(names):
            continue
        if not set(names) <= values.keys():
            raise SearchRefused(f"one index is over {', '.join(names)}: give all of them, or none")
        given[bucket.name] = bucket.bucket([values[name] for name in names])
        given |= {name: _Written(values[name]) for name in names}
    return rows.update(**given)


# --- rotation ---------------------------------------------------------------------------------------------------------


def rotate_fields(
    model: type[models.Model], *, using: str = "default", progress: Progress | None = None
) -> RotationCount:
    """Bring the sealed fields and buckets of *model* up to date in place: reseal values under an older key, seal plain
    ones (if their field has ``accept_plain``), and fill missing or wrong buckets. The application may keep running; a
    killed run can be repeated.

    It works on SQLite, PostgreSQL and MariaDB, outside of any transaction. Raises `RowsLeft` for values that could not
    be processed, after everything else is done, and `RowsRefused` if the database refuses.
    """
    own = model._meta.local_concrete_fields
    sealed = [field for field in own if isinstance(field, _Sealed)]
    buckets = [field for field in own if isinstance(field, BucketField)]
    if not sealed:
        raise RowsRefused(f"{model.__name__} has no sealed field of its own")
    at = {field.name: place for place, field in enumerate(sealed)}
    indexes = (Index(bucket.definition(), tuple(at[name] for name, _ in bucket.of)) for bucket in buckets)
    table = SealedTable(model._meta.db_table, tuple(field.sealed for field in sealed), tuple(indexes))
    return rotate(_rows(model, using, [*sealed, *buckets]), table, progress)


def _rows(model: type[models.Model], using: str, fields: Sequence[Any]) -> SqlRows:
    connection, name = connections[using], model._meta.db_table

    def read(sql: str, values: Values) -> list[Any]:
        with _spoken(name), connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def write(sql: str, values: Values | list[Values]) -> int:
        with _spoken(name), transaction.atomic(using), connection.cursor() as cursor:
            run = cursor.executemany if isinstance(values, list) else cursor.execute
            run(sql, values)
            return int(cursor.rowcount)

    if connection.in_atomic_block:
        raise RowsRefused(f"{name}: rotate outside a transaction; inside one, nothing takes effect until it ends")
    known: Mapping[str, Flavour] = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb"}
    if connection.vendor not in known or (
        connection.vendor == "mysql" and not getattr(connection, "mysql_is_mariadb", False)
    ):
        raise RowsRefused(f"rotation supports SQLite, PostgreSQL and MariaDB, but not {connection.vendor}")
    key: list[Any] = list(model._meta.pk_fields)
    quote = connection.ops.quote_name
    return SqlRows(
        flavour=known[connection.vendor],
        table=quote(name),
        key=tuple(quote(field.column) for field in key),
        columns=tuple(quote(field.column) for field in fields),
        types=tuple(str(field.db_type(connection)) for field in (*key, *fields)),
        mark="%s",
        read=read,
        write=write,
    )


@contextmanager
def _spoken(table: str) -> Iterator[None]:
    """Translate a driver's errors into ours, without their text: it can quote a row."""
    try:
        yield
        return
    except DatabaseError as error:
        said = f"{table}: the database refused with {type(error).__name__}"
        kind = RowsBusy if isinstance(error, OperationalError) else RowsRefused
    raise kind(said)

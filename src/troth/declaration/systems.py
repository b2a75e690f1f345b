"""Places of personal data: systems, their tables, and how the rows of a person are linked.

Short forms (``email: email`` for ``email: {column: email}``) are expanded here, so that readers see one form only.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, StrictBool, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from troth.declaration.base import Country, Period, StrictModel, Title, Words, bare, whole
from troth.declaration.external_systems import ASKED_SCHEMES, ExternalAccess
from troth.declaration.requests import FlagColumn
from troth.declaration.secret import has_broken_reference, holds_secret


class IdentityKind(enum.StrEnum):
    """The kinds of identifier by which a subject can be found, besides the keys of rows."""

    EMAIL = "email"
    PHONE = "phone"
    ACCOUNT = "account"
    NAME = "name"
    POSTAL = "postal"


class Strategy(enum.StrEnum):
    """What erasure does to a value. ``delete`` is for whole rows; the others are for single fields.

    ``mask`` writes a meaningless value that fits the column, derived from the row's key; ``pseudonymise`` writes the
    same keyed pseudonym for the same subject everywhere, so that statistics survive; ``null`` empties the field;
    ``keep`` leaves it, for the reason that the table's ``keep`` gives.
    """

    DELETE = "delete"
    NULL = "null"
    MASK = "mask"
    PSEUDONYMISE = "pseudonymise"
    KEEP = "keep"


def _no_number(value: Any) -> Any:
    """Refuse 1 and 0, which pydantic would read as true and false."""
    if type(value) is int:
        raise ValueError("true, false or deterministic is expected, not a number")
    return value


class BlindSearch(StrictModel):
    """How the application searches a sealed field: by a blind index, a column of buckets beside it (see
    `troth.protect.fields`)."""

    column: str
    """The column of the buckets. It is also a field of the table, because it reveals something about the person."""
    population: int = Field(ge=1, strict=True)
    """The number of distinct values that the table really holds; of combinations, with several fields."""
    values_per_bucket: int = Field(default=2, ge=2, strict=True)
    """How many of them share a bucket, at least on average."""
    with_: tuple[str, ...] = Field(default=(), alias="with")
    """Other sealed fields that are searched together with this one, by one index over all of them."""


class TokenUse(StrictModel):
    """Tokens in a field that must not hold the value itself (PCI DSS 4.0.1, 3.5.1)."""

    format: str
    """The format of the tokens, such as ``pan.bin6.last4``; `troth.protect.tokens` lists them."""
    domain: str
    """The domain of the tokens: a key of ``token_domains``."""
    length: int | None = Field(default=None, ge=1, le=256, strict=True)
    """The minimum length of a value, for ``numeric`` and ``alphanumeric``: with few values all can be tried."""


class FieldUse(StrictModel):
    """One column that holds personal data."""

    category: str
    """The data category, a fideslang key such as ``user.contact.email``."""
    of: str | None = None
    """The link (a key of ``belongs_to`` or a column of ``mentions``) to the person this field is about, if a row is
    about several people."""
    sealed: Annotated[Literal[True, False, "deterministic"], BeforeValidator(_no_number)] = False
    """The application stores this field as ciphertext; a control verifies it. ``deterministic``: equal values may look
    equal, so that they can be looked up; otherwise they may not."""
    search: BlindSearch | None = None
    """A blind index by which the application searches this sealed field."""
    token: TokenUse | None = None
    """The field holds only tokens, never the values behind them; a control verifies it."""
    unit: Annotated[str, Field(pattern=r"^[A-Z]{3}(/100)?$")] | None = None
    """For an amount of money: its currency (ISO 4217), such as ``GBP``; ``GBP/100`` if it is counted in pence."""
    free_text: StrictBool = False
    """People may have written anything into it, also about others."""
    may_hold: tuple[str, ...] = ()
    """Categories that people are known to write into this free text, such as ``user.financial.credit_card``. Numbers of
    cards, accounts and identity documents, and keys, are a fault where they are found in it and not named here."""
    fixed: Title | None = None
    """Why a correction does not change this field, in the words shown to the person: it records an event, or a fact
    that its owner has confirmed."""

    @model_validator(mode="after")
    def _only_free_text_may_hold_more(self) -> Self:
        if self.may_hold and not self.free_text:
            raise ValueError("'may_hold' is for a field with 'free_text: true'")
        return self


class IdentityColumn(StrictModel):
    """A column that names the person."""

    column: str
    shared: Literal["no", "review"] = "no"
    """``review``: several people may share the value (a family's phone); a match of several people stops for review,
    and the value never links one person to another."""
    case: Literal["fold", "exact"] = "fold"
    """``exact`` if the application stores one letter case only, so that a plain index is enough."""


class Reference(StrictModel):
    """*columns* of this table identify the row of *table* whose *to* columns have the same values."""

    columns: tuple[str, ...]
    system: str | None = None
    """Another system of the declaration; by default this one."""
    table: str
    to: tuple[str, ...]

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("a reference is 'table.column', 'system.table.column' or 'table.(column, column)'")
        return value


def _strategy_word(value: Any) -> Any:
    return "null" if value is None else value  # a bare YAML null means the strategy of that name


FieldStrategy = Annotated[Strategy, BeforeValidator(_strategy_word, json_schema_input_type=Strategy | None)]


class Keep(StrictModel):
    """Rows that the law or a contract exempts from erasure, for how long, and the source (GDPR Art. 17(3))."""

    for_: Period | None = Field(default=None, alias="for")
    """How long; by default as long as the reason applies."""
    from_: str | None = Field(default=None, alias="from")
    """The column with the start of the period."""
    because: Title
    """The reason, in the words shown to the person."""
    cite: str
    """The law or contract that requires it."""
    meanwhile: dict[str, FieldStrategy] = {}
    """What is done at once to the fields that the reason does not need: field to ``null``, ``mask`` or
    ``pseudonymise``."""


class Erasure(StrictModel):
    """What erasure does to this table's rows: ``delete`` them, or treat them field by field and keep them. With both,
    they are deleted, except that a row to which a kept row must refer is treated field by field instead."""

    rows: Literal["delete", "keep"] = "keep"
    """What happens to the rows themselves; ``keep`` if only fields are named."""
    fields: dict[str, FieldStrategy] = {}
    """What is done to each field of a remaining row."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == "delete":
            return {"rows": "delete"}
        if isinstance(value, dict) and not is_long_erasure(value):
            return {"rows": "keep", "fields": value}  # erase: {name: mask, dob: null}
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        long = whole(core_schema, handler)
        short = {"type": "object", "additionalProperties": long["properties"]["fields"]["additionalProperties"]}
        return {"description": cls.__doc__, "anyOf": [{"const": "delete"}, long, short]}


def is_long_erasure(value: Mapping[Any, Any]) -> bool:
    """Whether *value* is the long form. A table may have columns called ``rows`` or ``fields``: a strategy under the
    key ``fields``, or any other key, shows that columns are meant."""
    return not value.keys() - {"rows", "fields"} and isinstance(value.get("fields", {}), Mapping)


class Table(StrictModel):
    """One table of a system, or one set of files of the same shape."""

    title: Title | None = None
    """The name of the rows in texts for readers."""
    titles: dict[str, Title] = {}
    """Column to its name in texts for readers; by default the title of its data category."""
    path: str | None = None
    """For a folder of files: which files, as a pattern such as ``calls/*.jsonl``."""
    key: tuple[str, ...] | None = None
    """The columns that identify a row; by default the store's own primary key."""
    identity: dict[IdentityKind, Annotated[IdentityColumn, bare("column", IdentityColumn)]] = {}
    """A row of this table *is* one person, identified by these columns: a match on one adds the others."""
    mentions: dict[IdentityKind, Annotated[IdentityColumn, bare("column", IdentityColumn)]] = {}
    """These columns identify the person a row is about; they find rows by value but add no further identifiers."""
    fields: dict[str, Annotated[FieldUse, bare("category", FieldUse)]] = {}
    """Column to data category, for every column with personal data."""
    belongs_to: dict[str, Reference] = {}
    """The owner of the rows: ``{customer_id: customer.id}``. Composite: ``{"a, b": "parent.(a, b)"}``. Another system:
    ``{customer_ref: shop.customer.id}``."""
    refers_to: dict[str, Reference] = {}
    """References that do not make the row that person's (an employee's manager); erasing the target empties them."""
    keep: Keep | None = None
    erase: Erasure | None = None
    shared: Literal["keep", "erase"] = "keep"
    """In a row about several people, what erasing one does to the fields that are about nobody in particular (no
    ``of``): they stay for the others, or are erased with the first who asks."""
    unlinked: str | None = None
    """Why nothing leads from a person to these rows, if so (marks that only a key can match, rows that end within a
    day). Tracing skips the table."""
    marks: dict[str, FlagColumn] = {}
    """Columns that tell the application not to use a person's rows: ``restricted`` for everything except storage (GDPR
    Art. 18), or a purpose, for an objection or a withdrawal (Art. 21, 7(3))."""
    notice: str | None = None
    """The column with the version of the policy under which a row was collected, as its effective date."""
    ignore: tuple[str, ...] = ()
    """Columns that were examined and hold no personal data."""
    published: tuple[str, ...] = ()
    """Of those, the public ones, such as the text of a page. An address in it is there on purpose, so it is not
    searched for personal data."""

    @field_validator("key", mode="before", json_schema_input_type=str | tuple[str, ...] | None)
    @classmethod
    def _one_column(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("belongs_to", "refers_to", mode="before", json_schema_input_type=dict[str, Reference | str])
    @classmethod
    def _references(cls, value: Any) -> Any:
        return {key: read_reference(key, to) for key, to in value.items()} if isinstance(value, dict) else value


_TARGET = re.compile(r"(?P<path>.+)\.(?:\((?P<many>[^()]+)\)|(?P<one>[^.()]+))")


def read_reference(key: Any, target: Any) -> Any:
    """Read ``{"a, b": "system.table.(x, y)"}``; `Reference` refuses a text of another form."""
    if isinstance(target, dict):
        return {"columns": _names(key), **target}
    found = _TARGET.fullmatch(target.strip()) if isinstance(target, str) else None
    if found is None:
        return target
    system, dot, table = found["path"].partition(".")
    return {
        "columns": _names(key),
        "system": system if dot else None,
        "table": table if dot else found["path"],
        "to": _names(found["many"] or found["one"]),
    }


def _names(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",")) if isinstance(text, str) else text


def _of_this_system(table: Any, names: set[Any]) -> Any:
    """*table* with its references to *names* expanded: in ``billing.invoice.id`` the dot may belong to the name of a
    table in the schema ``billing``, which only the system that declares it can tell."""
    if not isinstance(table, dict):
        return table
    spelled = dict(table)
    for link in ("belongs_to", "refers_to"):
        if isinstance(table.get(link), dict):
            spelled[link] = {key: _spelled(key, to, names) for key, to in table[link].items()}
    return spelled


def _spelled(key: Any, target: Any, names: set[Any]) -> Any:
    found = _TARGET.fullmatch(target.strip()) if isinstance(target, str) else None
    if found is None or found["path"] not in names:
        return target
    return {"columns": _names(key), "table": found["path"], "to": _names(found["many"] or found["one"])}


class System(StrictModel):
    """One system that holds personal data (an entry of the record of processing, GDPR Art. 30)."""

    store: str = Field(min_length=1, max_length=4096)
    """Where it is: a database URL, ``files:`` and a folder or bucket URL, a reference such as ``${SHOP_DATABASE_URL}``,
    or ``task`` if a person looks it up and answers. With ``asked``: the ``https://`` address of a service, ``hook:``
    and a Python module, or ``mailchimp:`` and the id of an audience. Secrets are never in the file."""
    title: Title | None = None
    owner: Words | None = None
    country: Country | None = None
    """Its country; by default the organisation's."""
    subjects: tuple[str, ...] = ()
    """The people concerned, in plain words: customers, employees, callers (GDPR Art. 30(1)(c))."""
    purposes: tuple[str, ...] = ()
    read_only: StrictBool = False
    canaries: Literal["allowed"] | None = None
    """``allowed``: once a week Troth plants an invented person here, finds it, erases it as for a request, and looks
    for what is left. Only for databases."""
    accounts: tuple[str, ...] = ()
    """The accounts of the store that are expected to read its personal data, by the store's own names; any other
    account that can is a fault."""
    tables: dict[str, Table] = {}
    asked: ExternalAccess | None = None
    """How it is asked, if it answers for itself; with ``store: task``, what a person answers for."""

    @property
    def is_looked_into(self) -> bool:
        """Whether we read and write its tables ourselves. Otherwise a person or the system itself is asked."""
        return self.store != "task" and self.asked is None and self.store.partition(":")[0] not in ASKED_SCHEMES

    @property
    def is_troths(self) -> bool:
        """Whether it is Troth's own database, recognised by the variable of its URL."""
        return self.store == "${TROTH_DATABASE_URL}"

    @field_validator("store")
    @classmethod
    def _without_secret(cls, value: str) -> str:
        if holds_secret(value):
            raise PydanticCustomError("secret-literal", "the file contains a password or key")
        if has_broken_reference(value):
            raise PydanticCustomError("secret-reference", "a reference is ${NAME}: letters, digits and '_'")
        return value

    @field_validator("tables", mode="before")
    @classmethod
    def _own_tables(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        dotted = {name for name in value if isinstance(name, str) and "." in name}
        return {name: _of_this_system(table, dotted) for name, table in value.items()} if dotted else value

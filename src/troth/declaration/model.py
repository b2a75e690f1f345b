"""The declaration's model: what may stand in ``troth.yaml`` and what it means.

Every class is one mapping of the file, frozen and complete once built; the docstrings and field descriptions are also
what editors show, through the JSON Schema. Names in keys (systems, tables, purposes) are kept as the keys of dicts.
Short forms (``email: email`` for ``email: {column: email}``) are widened here, so that readers of the model see one
form only. `load` builds it from text, with the place of every mistake.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import hashlib
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    StrictBool,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from troth.declaration.asking import ASKED_SCHEMES, Asking
from troth.declaration.own_controls import OwnControl, OwnControlId
from troth.declaration.part import Country, Date, Part, Period, Words, bare, whole
from troth.declaration.problems import Position
from troth.declaration.processing import ActedFor, Assessment, JointController, Proof, Representative, Risk, Role
from troth.declaration.promising import Attestation, Audience, Policy, Promise, Publish, Waiver
from troth.declaration.requests import Mark, Requests
from troth.declaration.secret import has_broken_reference, holds_secret
from troth.declaration.telling import Notice, SpecialCondition

__all__ = [
    "Access",
    "ActedFor",
    "Asking",
    "Assessment",
    "Attestation",
    "Audience",
    "Basis",
    "CollectedField",
    "CollectionPoint",
    "Contract",
    "Cookie",
    "Cryptoperiods",
    "Declaration",
    "Erasure",
    "FieldUse",
    "IdentityColumn",
    "IdentityKind",
    "JointController",
    "Keep",
    "Ledger",
    "LedgerWitness",
    "Limits",
    "Mark",
    "Officer",
    "Organisation",
    "Part",
    "Period",
    "Policy",
    "Promise",
    "Proof",
    "Publish",
    "Purpose",
    "Recipient",
    "Reference",
    "Representative",
    "Requests",
    "Retention",
    "Risk",
    "Search",
    "Sharing",
    "Strategy",
    "System",
    "Table",
    "TimestampAuthority",
    "TokenUse",
    "Waiver",
]


SystemName = Annotated[str, Field(pattern=r"^[^.\s]+$")]
"""A name without dots, so that ``system.table`` has one reading whatever the table is called."""


# --- words of the law and the glossary -----------------------------------------------------------------------------


class Basis(enum.StrEnum):
    """The legal bases of GDPR Art. 6(1)(a)-(f), and UK GDPR Art. 6(1)(ea) from 2026-02-05."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"
    RECOGNISED_LEGITIMATE_INTERESTS = "recognised_legitimate_interests"


class IdentityKind(enum.StrEnum):
    """The kinds of identifier by which a subject may be found beside the keys of rows."""

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


# --- who we are, what we publish -----------------------------------------------------------------------------------


class Officer(Part):
    """The data-protection officer (GDPR Art. 37): how a person reaches them."""

    email: str
    deputy: str | None = None


class Organisation(Part):
    """The controller, as GDPR Art. 13(1)(a)-(b) has it named in every notice (clause C54)."""

    name: str
    country: Country
    """Where it is established: ISO 3166-1 alpha-2, such as GB or DE."""
    address: str
    email: str
    phone: str | None = None
    number: str | None = None
    """The company's registration number."""
    regulator: str | None = None
    officer: Officer | None = None
    representative: Representative | None = None
    """Who stands for it where its people are, where it is established elsewhere (GDPR Art. 27)."""
    joint_controllers: dict[str, JointController] = {}
    """Who decides purposes together with it (GDPR Art. 26)."""
    site: str | None = None
    """The public home page, from which the probes start."""
    logo: str | None = Field(default=None, max_length=200)
    """A picture for the pages, from this file's folder: SVG, PNG, JPEG or WebP, of at most 100 kB."""
    timezone: str | None = None
    """Where a day begins and ends for deadlines, such as ``Europe/Berlin``; that of the country where it has one."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in zoneinfo.available_timezones():
            raise ValueError("a time zone is a name such as Europe/Berlin")
        return name


# --- where personal data is ----------------------------------------------------------------------------------------


def _no_number(value: Any) -> Any:
    """Refuse 1 and 0, which pydantic would read as true and false."""
    if type(value) is int:
        raise ValueError("true, false or deterministic is expected, not a number")
    return value


class Search(Part):
    """How the application finds a sealed field again: by a blind index, a column of buckets beside it (see
    `troth.protect.fields`)."""

    column: str
    """The column of the buckets. It is a field of the table, too: it says something about the person."""
    population: int = Field(ge=1, strict=True)
    """How many distinct values the table really holds; of combinations, with several fields."""
    values_per_bucket: int = Field(default=2, ge=2, strict=True)
    """How many of them share a bucket, at least and on average."""
    with_: tuple[str, ...] = Field(default=(), alias="with")
    """Other sealed fields that are looked for together with this one, by one index over all of them."""


class TokenUse(Part):
    """What stands in a field where the value itself must not stand (PCI DSS 4.0.1, 3.5.1)."""

    format: str
    """What the tokens look like, such as ``pan.bin6.last4``; `troth.protect.tokens` knows them all."""
    domain: str
    """Whose tokens they are: a key of ``token_domains``."""
    length: int | None = Field(default=None, ge=1, le=256, strict=True)
    """The fewest characters of a value, for ``numeric`` and ``alphanumeric``: among few values all can be tried."""


class FieldUse(Part):
    """One column that holds personal data."""

    category: str
    """The data category, a fideslang key such as ``user.contact.email``."""
    of: str | None = None
    """The link (a key of ``belongs_to`` or a column of ``mentions``) whose person this field is about, where a row
    is about several people."""
    sealed: Annotated[Literal[True, False, "deterministic"], BeforeValidator(_no_number)] = False
    """The application stores this field as ciphertext; a control checks that it really does. ``deterministic``: equal
    values may look equal, so that they can be looked up; without it they may not."""
    search: Search | None = None
    """A blind index by which the application finds this sealed field."""
    token: TokenUse | None = None
    """The field holds tokens, and never the values that they stand for; a control checks that it really does."""
    free_text: StrictBool = False
    """People may have written anything into it, also about others."""


class IdentityColumn(Part):
    """A column that names the person."""

    column: str
    shared: Literal["no", "review"] = "no"
    """``review``: several people may share the value (a family's phone); a match of several people stops for review,
    and the value never leads from one person to the next."""
    case: Literal["fold", "exact"] = "fold"
    """``exact`` when the application stores one letter case only, so that a plain index serves."""


class Reference(Part):
    """*columns* of this table name the row of *table* whose *to* columns have the same values."""

    columns: tuple[str, ...]
    system: str | None = None
    """Another system of the declaration; this one where left out."""
    table: str
    to: tuple[str, ...]

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("a reference is 'table.column', 'system.table.column' or 'table.(column, column)'")
        return value


def _strategy_word(value: Any) -> Any:
    return "null" if value is None else value  # a bare YAML null is the strategy of that name


FieldStrategy = Annotated[Strategy, BeforeValidator(_strategy_word, json_schema_input_type=Strategy | None)]


class Keep(Part):
    """Rows that the law or a contract keeps from erasure, for how long, and who says so (GDPR Art. 17(3))."""

    for_: Period | None = Field(default=None, alias="for")
    """How long; left out, the rows are kept as long as the reason stands."""
    from_: str | None = Field(default=None, alias="from")
    """The column that the period starts from."""
    because: str
    """The reason, as the person is told it."""
    cite: str
    """The law or contract that says so."""
    meanwhile: dict[str, FieldStrategy] = {}
    """What is done at once to the fields that the reason does not need: field to ``null``, ``mask`` or
    ``pseudonymise``."""


class Erasure(Part):
    """What erasure does to this table's rows: ``delete`` them, or treat them field by field and keep them. With both,
    they are deleted, and one that a kept row has to refer to is treated field by field instead."""

    rows: Literal["delete", "keep"] = "keep"
    """What happens to the rows themselves; ``keep`` where only fields are named."""
    fields: dict[str, FieldStrategy] = {}
    """What is done to each field of a row that stays."""

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
    """Whether the keys are ours. A table may well have columns called ``rows`` or ``fields``: a strategy beside the
    key ``fields``, or any other key, shows that they are meant."""
    return not value.keys() - {"rows", "fields"} and isinstance(value.get("fields", {}), Mapping)


class Table(Part):
    """One table of a system, or one set of files of the same shape."""

    path: str | None = None
    """For a folder of files: which files, as a pattern such as ``calls/*.jsonl``."""
    key: tuple[str, ...] | None = None
    """The columns that name a row; the store's own primary key where left out."""
    identity: dict[IdentityKind, Annotated[IdentityColumn, bare("column", IdentityColumn)]] = {}
    """A row of this table *is* one person, named by these columns: matching one teaches the others."""
    mentions: dict[IdentityKind, Annotated[IdentityColumn, bare("column", IdentityColumn)]] = {}
    """These columns name the person a row is about; they find rows by value but teach nothing further."""
    fields: dict[str, Annotated[FieldUse, bare("category", FieldUse)]] = {}
    """Column to data category, for every column with personal data."""
    belongs_to: dict[str, Reference] = {}
    """Whose rows these are: ``{customer_id: customer.id}``. Composite: ``{"a, b": "parent.(a, b)"}``. Another system:
    ``{customer_ref: shop.customer.id}``."""
    refers_to: dict[str, Reference] = {}
    """References that do not make the row that person's (an employee's manager); erasing the target empties them."""
    keep: Keep | None = None
    erase: Erasure | None = None
    shared: Literal["keep", "erase"] = "keep"
    """What erasing one person does, in a row that is about several, to the fields that are about nobody in particular
    (no ``of``): they stay for the others, or go with the first who asks."""
    unlinked: str | None = None
    """Why nothing leads from a person to these rows, where nothing does (marks that only a key can match, rows that end
    within a day). Tracing passes the table over."""
    marks: dict[str, Mark] = {}
    """Columns by which the application is told not to use a person's rows: ``restricted`` for everything but storing
    (GDPR Art. 18), or a purpose, for what an objection or a withdrawal stops (Art. 21, 7(3))."""
    notice: str | None = None
    """The column that names the version of the policy that a row was collected under, by its first day."""
    ignore: tuple[str, ...] = ()
    """Columns looked at and found to hold no personal data."""

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
    """Read ``{"a, b": "system.table.(x, y)"}``; a text of another form is left for `Reference` to refuse."""
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
    """*table* with its references to *names* spelled out: in ``billing.invoice.id`` the dot may belong to the name of
    a table in the schema ``billing``, and the system that declares such a table is the one that knows."""
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


class System(Part):
    """One system that holds personal data (an entry of the record of processing, GDPR Art. 30)."""

    store: str = Field(min_length=1, max_length=4096)
    """Where it is: a database URL, ``files:`` and a folder or bucket URL, a reference such as
    ``${SHOP_DATABASE_URL}``, or ``task`` where a person looks and answers. With ``asked``: the ``https://`` address of
    a service, or ``hook:`` and a module of Python. Secrets never stand in the file."""
    title: str | None = None
    owner: Words | None = None
    country: Country | None = None
    """Where it stands; where the organisation is, where left out."""
    subjects: tuple[str, ...] = ()
    """Whose data it is, in plain words: customers, employees, callers (GDPR Art. 30(1)(c))."""
    purposes: tuple[str, ...] = ()
    read_only: StrictBool = False
    accounts: tuple[str, ...] = ()
    """The accounts of the store that are expected to read its personal data, by the store's own names; any other that
    can is a fault."""
    tables: dict[str, Table] = {}
    asked: Asking | None = None
    """How it is asked, where it answers for itself; with ``store: task``, what a person answers for."""

    @property
    def is_looked_into(self) -> bool:
        """Whether we read and write its tables ourselves. Else a person or the system itself is asked."""
        return self.store != "task" and self.asked is None and self.store.partition(":")[0] not in ASKED_SCHEMES

    @field_validator("store")
    @classmethod
    def _without_secret(cls, value: str) -> str:
        if holds_secret(value):
            raise PydanticCustomError("secret-literal", "a password or key stands in the file")
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


class Access(Part):
    """Who may see personal data at all (GDPR Art. 25(2), clause C11)."""

    ceiling: int = Field(ge=1)
    """The most accounts and people, over all systems, that the policy lets see personal data."""


class Limits(Part):
    """What an erasure may touch before it stops for review."""

    rows: int = Field(default=10_000, ge=1, strict=True)
    """Rows of one subject, over all systems."""
    people: int = Field(default=1, ge=1, strict=True)
    """Rows of one identity table that one identity may match."""


class Cryptoperiods(Part):
    """How long keys are used before they are rotated (NIST SP 800-57 part 1, §5.3)."""

    field: Period = Period(count=1, unit="year")
    """A field key, which seals values."""

    @field_validator("field")
    @classmethod
    def _within_two_years(cls, period: Period) -> Period:
        if not 1 <= period.count <= {"day": 731, "week": 104, "month": 24, "year": 2}[period.unit]:
            raise ValueError("a key that seals data is in use for a day to two years")
        return period

    @property
    def field_lasts(self) -> dt.timedelta:
        """The originator-usage period of a field key."""
        start = dt.date(2001, 1, 1)
        return self.field.after(start) - start


def _one_digit_each(versions: tuple[int, ...]) -> tuple[int, ...]:
    if len({version % 9 for version in versions}) < len(versions):
        raise ValueError("two key versions that are nine apart, or the same: tokens could not tell them apart")
    return versions


TokenVersions = Annotated[tuple[Annotated[int, Field(ge=1, strict=True)], ...], AfterValidator(_one_digit_each)]


# --- why, who else, how long ----------------------------------------------------------------------------------------


class Purpose(Part):
    """Why data is used, on which basis (GDPR Art. 5(1)(b), 6, 13(1)(c))."""

    basis: Basis
    use: str
    """The data use, a fideslang key such as ``essential.service``."""
    data: tuple[str, ...]
    """Data categories; a key stands for all below it."""
    interests: str | None = None
    """The legitimate interests, named (GDPR Art. 13(1)(d))."""
    condition: SpecialCondition | None = None
    """What lets special categories be used for it (GDPR Art. 9(2))."""
    title: str | None = None
    role: Role = "controller"
    """``processor`` for what is done on behalf of others (GDPR Art. 28); see ``controllers``."""
    subjects: tuple[str, ...] = ()
    """Whose data it is; that of the systems that serve the purpose, where left out."""
    risk: Risk | None = None
    """What decides whether an impact assessment is due (GDPR Art. 35)."""


class Sharing(enum.StrEnum):
    """What we are to each other (GDPR Art. 4, CCPA)."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    JOINT = "joint"
    SALE = "sale"
    SHARE = "share"


class Recipient(Part):
    """Someone the data goes to (GDPR Art. 13(1)(e)-(f), 28, 44-49)."""

    role: Sharing
    country: Country
    receives: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    """What it receives them for; any purpose that has such data, where left out."""
    title: str | None = None
    safeguard: str | None = None
    """Where the country is outside the UK and the EU: ``adequacy``, ``scc``, ``idta``, ``dpf``, ``uk_bridge`` …"""
    contract: str | None = None
    """Where the processing contract is kept (GDPR Art. 28(3))."""
    contract_until: Date | None = None
    notice: str | None = None
    """The address of their own privacy notice."""
    assessed: str | None = None
    """Where the assessment of a transfer that rests on compelling interests alone is kept (GDPR Art. 49(1))."""
    contact: str | None = None
    """The address that is told of corrections, erasures and restrictions (GDPR Art. 19)."""
    hosts: tuple[str, ...] = ()
    """Hosts that the site may load from or send to on their behalf."""


class CollectedField(Part):
    """One field of a form."""

    need: Literal["required", "optional"]
    category: str | None = None


class CollectionPoint(Part):
    """Where data is asked for: exactly these fields, for these purposes (clauses C03, C05)."""

    title: str | None = None
    page: str | None = None
    """The page with the form, below the organisation's site."""
    without: str | None = None
    """What does not happen without the required fields, in words: ``we cannot open an account``
    (GDPR Art. 13(2)(e))."""
    fields: dict[str, Annotated[CollectedField, bare("need", CollectedField)]]
    purposes: tuple[str, ...]


class Cookie(Part):
    """A cookie, or anything else kept on a visitor's device (PECR 6, clause C32)."""

    host: str = "self"
    purpose: Literal["necessary", "preferences", "statistics", "marketing"]
    lifetime: str
    """``session`` or a period."""
    why: str | None = None

    @property
    def period(self) -> Period | None:
        """The lifetime as a period; None for ``session``. Raises `ValueError` for anything else."""
        return None if self.lifetime == "session" else Period.model_validate(self.lifetime)


class Retention(Part):
    """How long the rows of a table stay (GDPR Art. 5(1)(e), 13(2)(a))."""

    table: str
    """``system.table``."""
    for_: Period = Field(alias="for")
    from_: str = Field(alias="from")
    title: str | None = None
    """What the rows are, in words: ``Sign-in history``."""
    starts: str | None = None
    """What the period runs from, in words: ``you last signed in``."""
    because: str | None = None


class Contract(Part):
    """A processing contract under which customers transfer data (GDPR Art. 28)."""

    retain: Period
    at_end: Literal["delete", "return"]


# --- the ledger, and who outside sees it -----------------------------------------------------------------------------


WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
_WITNESS_KEY = re.compile(r"(?P<name>[^+\s]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]{44})")


class LedgerWitness(Part):
    """An outsider who cosigns the ledger's checkpoints, and refuses one that does not continue what it signed before
    (C2SP tlog-witness)."""

    key: str
    """Its public key, as its operator publishes it: ``name+id+base64``."""
    url: WebAddress
    """Its submission prefix: checkpoints are sent to ``add-checkpoint`` below it."""

    @field_validator("key")
    @classmethod
    def _whole_key(cls, value: str) -> str:
        found = _WITNESS_KEY.fullmatch(value.strip())
        key = base64.b64decode(found["key"]) if found else b""
        if found is None or key[:1] != b"\x04":
            raise ValueError("a witness's key is name+id+base64 of type 4, as its operator publishes it")
        if hashlib.sha256(found["name"].encode() + b"\n" + key).hexdigest()[:8] != found["id"]:
            raise ValueError("the witness's key is damaged: its id does not fit its name and key")
        return value.strip()


class TimestampAuthority(Part):
    """A timestamp authority (RFC 3161), which says once a day when it saw the ledger's checkpoint."""

    url: WebAddress
    certificate: Path
    """Its root certificate in PEM, below the folder of the declaration."""


class Ledger(Part):
    """Who outside the company sees that its ledger only grows. Only hashes leave, never an entry."""

    witnesses: tuple[LedgerWitness, ...] = ()
    quorum: int | None = Field(default=None, ge=1)
    """How many of the witnesses have to have cosigned; all of them where left out."""
    timestamp: TimestampAuthority | None = None

    @model_validator(mode="after")
    def _quorum_can_be_met(self) -> Self:
        keys = {witness.key.rpartition("+")[2] for witness in self.witnesses}
        if len(keys) < len(self.witnesses):
            raise ValueError("one witness is named twice; every cosignature has to come from somebody else")
        if self.quorum is not None and self.quorum > len(self.witnesses):
            raise ValueError("the quorum is larger than the number of witnesses")
        return self


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a declaration was read. It is no part of what the declaration means, so every two are equal."""

    folder: Path = field(default=Path(), compare=False)
    where: Callable[[str], Position | None] = field(default=lambda _: None, compare=False)
    marks: Mapping[str, tuple[int, Position]] = field(default_factory=dict, compare=False)


class Declaration(Part):
    """The whole of ``troth.yaml``, its includes merged in."""

    troth: Literal[1]
    """The version of this format."""
    organisation: Organisation
    policy: Policy
    systems: dict[SystemName, System] = {}
    purposes: dict[str, Purpose] = {}
    recipients: dict[str, Recipient] = {}
    collection_points: dict[str, CollectionPoint] = {}
    cookies: dict[str, Cookie] = {}
    retention: dict[str, Retention] = {}
    contracts: dict[str, Contract] = {}
    notice: Notice = Notice()
    """What the rendered notice says beside what the rest of the declaration holds."""
    controllers: dict[str, ActedFor] = {}
    """On whose behalf we act as a processor (GDPR Art. 30(2)(a))."""
    security: tuple[str, ...] = ()
    """The technical and organisational measures, a sentence each (GDPR Art. 30(1)(g), 32(1))."""
    evidence: Proof = Proof()
    controls: dict[OwnControlId, OwnControl] = {}
    """Controls of the company's own, by their id: ``ours.`` and what must be true."""
    promises: tuple[Promise, ...] = ()
    limits: Limits = Limits()
    requests: Requests = Requests()
    cryptoperiods: Cryptoperiods = Cryptoperiods()
    token_domains: dict[str, TokenVersions] = {}
    """Merchants, or parts of the company, that no token may leave, each with its live key versions, which are numbers
    of token keys: the first makes new tokens, the others are still read. None where all tokens are drawn at random."""
    access: Access | None = None
    ledger: Ledger | None = None

    _source: _Source = PrivateAttr(default=_Source())

    @property
    def folder(self) -> Path:
        """Where relative paths start: the folder of the file; the working directory where there was no file."""
        return self._source.folder

    def where(self, path: str) -> Position | None:
        """Where the key *path* (``systems.shop.tables.customer``) stands, or the nearest mapping around it that
        stands somewhere. None where the declaration came from no file."""
        return self._source.where(path)

    @property
    def marks(self) -> Mapping[str, tuple[int, Position]]:
        """The marks of a draft that comments still bear, ``TODO`` and ``REVIEW``: how many, and where the first is."""
        return self._source.marks

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Pydantic's, without what was worked out from the old values."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("hash", None)
        return copy

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and 64 hexadecimal digits over the meaning: the same for every layout, order of keys, comment,
        short or long form and cut into files, and another one for any other meaning."""
        meaning = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        meaning["promises"] = sorted(map(_canonical, meaning.get("promises", ())))
        return "sha256:" + hashlib.sha256(_canonical(meaning).encode("ascii")).hexdigest()

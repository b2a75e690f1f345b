"""The declaration's model: what may stand in ``troth.yaml`` and what it means.

Every class is one mapping of the file, frozen and complete once built; the docstrings and field descriptions are also
what editors show, through the JSON Schema. Names in keys (systems, tables, purposes) are kept as the keys of dicts.
Short forms (``email: email`` for ``email: {column: email}``) are widened here, so that readers of the model see one
form only. `load` builds it from text, with the place of every mistake.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

__all__ = [
    "Attestation",
    "Audience",
    "Basis",
    "CollectedField",
    "CollectionPoint",
    "Contract",
    "Cookie",
    "Declaration",
    "Erasure",
    "FieldUse",
    "IdentityColumn",
    "IdentityKind",
    "Keep",
    "Limits",
    "Officer",
    "Organisation",
    "Part",
    "Period",
    "Policy",
    "Promise",
    "Publish",
    "Purpose",
    "Recipient",
    "Reference",
    "Retention",
    "Sharing",
    "Strategy",
    "System",
    "Table",
    "Waiver",
]


class Part(BaseModel):
    """One mapping of the declaration: unknown keys are errors, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _bare(key: str) -> BeforeValidator:
    """Read a bare scalar as the mapping ``{key: scalar}``."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


# --- words of the law and the glossary -----------------------------------------------------------------------------


class Audience(enum.StrEnum):
    """Who may see a status, from the narrowest to the widest."""

    STAFF = "staff"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    PUBLIC = "public"


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


_PERIOD = re.compile(r"(\d{1,4}) (day|week|month|year)s?")


class Period(Part):
    """A calendar period. Months and years are calendar months and years, never a number of days."""

    count: int = Field(ge=0)
    unit: Literal["day", "week", "month", "year"]

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _PERIOD.fullmatch(value.strip())
        if found is None:
            raise ValueError("a period is a number and day(s), week(s), month(s) or year(s), such as '90 days'")
        return {"count": int(found[1]), "unit": found[2]}

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


# --- who we are, what we publish -----------------------------------------------------------------------------------


class Officer(Part):
    """The data-protection officer (GDPR Art. 37): how a person reaches them."""

    email: str
    deputy: str | None = None


class Organisation(Part):
    """The controller, as GDPR Art. 13(1)(a)-(b) has it named in every notice (clause C54)."""

    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    """Where it is established: ISO 3166-1 alpha-2, such as GB or DE."""
    address: str
    email: str
    phone: str | None = None
    number: str | None = None
    """The company's registration number."""
    regulator: str | None = None
    officer: Officer | None = None
    site: str | None = None
    """The public home page, from which the probes start."""


class Publish(Part):
    """Who may see the status of the promises."""

    status: Audience = Audience.STAFF


class Policy(Part):
    """The published policy: the text that the promises are quoted from."""

    file: Path
    effective: dt.date
    url: str = "/policy/"
    """Where the public reads it: a path below the organisation's site, or a whole URL."""
    language: str = "en"
    publish: Publish = Publish()


# --- where personal data is ----------------------------------------------------------------------------------------


class FieldUse(Part):
    """One column that holds personal data."""

    category: str
    """The data category, a fideslang key such as ``user.contact.email``."""
    of: str | None = None
    """The link (a key of ``belongs_to`` or a column of ``mentions``) whose person this field is about, where a row
    is about several people."""
    sealed: StrictBool = False
    """The application stores this field as ciphertext; a control checks that it really does."""
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
    meanwhile: dict[str, Strategy] = {}
    """What is done at once to the fields that the reason does not need: field to ``null``, ``mask`` or
    ``pseudonymise``."""


def _strategy_word(value: Any) -> Any:
    return "null" if value is None else value  # a bare YAML null is the strategy of that name


FieldStrategy = Annotated[Strategy, BeforeValidator(_strategy_word)]


class Erasure(Part):
    """What erasure does to this table's rows: ``delete`` them, or treat field by field and keep the row."""

    rows: Literal["delete", "keep"] = "keep"
    fields: dict[str, FieldStrategy] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == "delete":
            return {"rows": "delete"}
        if isinstance(value, dict) and not value.keys() & {"rows", "fields"}:
            return {"rows": "keep", "fields": value}  # erase: {name: mask, dob: null}
        return value


class Table(Part):
    """One table of a system, or one set of files of the same shape."""

    path: str | None = None
    """For a folder of files: which files, as a pattern such as ``calls/*.jsonl``."""
    key: tuple[str, ...] | None = None
    """The columns that name a row; the store's own primary key where left out."""
    identity: dict[IdentityKind, Annotated[IdentityColumn, _bare("column")]] = {}
    """A row of this table *is* one person, named by these columns: matching one teaches the others."""
    mentions: dict[IdentityKind, Annotated[IdentityColumn, _bare("column")]] = {}
    """These columns name the person a row is about; they find rows by value but teach nothing further."""
    fields: dict[str, Annotated[FieldUse, _bare("category")]] = {}
    """Column to data category, for every column with personal data."""
    belongs_to: dict[str, Reference] = {}
    """Whose rows these are: ``{customer_id: customer.id}``. Composite: ``{"a, b": "parent.(a, b)"}``. Another system:
    ``{customer_ref: shop.customer.id}``."""
    refers_to: dict[str, Reference] = {}
    """References that do not make the row that person's (an employee's manager); erasing the target empties them."""
    keep: Keep | None = None
    erase: Erasure | None = None
    ignore: tuple[str, ...] = ()
    """Columns looked at and found to hold no personal data."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        value = dict(value)
        for name in ("belongs_to", "refers_to"):
            if isinstance(value.get(name), dict):
                value[name] = {key: _reference(key, target) for key, target in value[name].items()}
        if isinstance(value.get("key"), str):
            value["key"] = (value["key"],)
        return value


_TARGET = re.compile(r"(?P<path>.+)\.(?:\((?P<many>[^()]+)\)|(?P<one>[^.()]+))")


def _reference(key: Any, target: Any) -> Any:
    """Read ``{"a, b": "system.table.(x, y)"}``; the dictionary form passes through."""
    if not isinstance(target, str) or not isinstance(key, str):
        return {"columns": _names(key), **target} if isinstance(target, dict) and "columns" not in target else target
    found = _TARGET.fullmatch(target.strip())
    if found is None:
        raise ValueError("a reference is 'table.column', 'system.table.column' or 'table.(column, column)'")
    system, dot, table = found["path"].partition(".")
    return {
        "columns": _names(key),
        "system": system if dot else None,
        "table": table if dot else found["path"],
        "to": _names(found["many"] or found["one"]),
    }


def _names(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",")) if isinstance(text, str) else text


class System(Part):
    """One system that holds personal data (an entry of the record of processing, GDPR Art. 30)."""

    store: str
    """Where it is: a database URL, ``files:`` and a folder or bucket URL, or a reference such as
    ``${SHOP_DATABASE_URL}``. Secrets never stand in the file."""
    title: str | None = None
    owner: str | None = None
    purposes: tuple[str, ...] = ()
    read_only: StrictBool = False
    tables: dict[str, Table] = {}


class Limits(Part):
    """What an erasure may touch before it stops for review."""

    rows: int = Field(default=10_000, ge=1)
    """Rows of one subject, over all systems."""
    people: int = Field(default=1, ge=1)
    """Rows of one identity table that one identity may match."""


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
    title: str | None = None


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
    country: str = Field(pattern=r"^[A-Z]{2}$")
    receives: tuple[str, ...]
    title: str | None = None
    safeguard: str | None = None
    """Where the country is outside the UK and the EU: ``adequacy``, ``scc``, ``idta``, ``dpf``, ``uk_bridge`` …"""
    contract: str | None = None
    """Where the processing contract is kept (GDPR Art. 28(3))."""
    contract_until: dt.date | None = None
    notice: str | None = None
    """The address of their own privacy notice."""
    hosts: tuple[str, ...] = ()
    """Hosts that the site may load from or send to on their behalf."""


class CollectedField(Part):
    """One field of a form."""

    need: Literal["required", "optional"]
    category: str | None = None


class CollectionPoint(Part):
    """Where data is asked for: exactly these fields, for these purposes (clauses C03, C05)."""

    page: str | None = None
    """The page with the form, below the organisation's site."""
    fields: dict[str, Annotated[CollectedField, _bare("need")]]
    purposes: tuple[str, ...]


class Cookie(Part):
    """A cookie, or anything else kept on a visitor's device (PECR 6, clause C32)."""

    host: str = "self"
    purpose: Literal["necessary", "preferences", "statistics", "marketing"]
    lifetime: str
    """``session`` or a period."""
    why: str | None = None


class Retention(Part):
    """How long the rows of a table stay (GDPR Art. 5(1)(e), 13(2)(a))."""

    table: str
    """``system.table``."""
    for_: Period = Field(alias="for")
    from_: str = Field(alias="from")
    because: str | None = None


class Contract(Part):
    """A processing contract under which customers transfer data (GDPR Art. 28)."""

    retain: Period
    at_end: Literal["delete", "return"]


# --- promises -------------------------------------------------------------------------------------------------------


class Waiver(Part):
    """A known breach of a promise, accepted for a while. The approver is never the owner."""

    reason: str
    approver: str
    until: dt.date
    scope: tuple[str, ...] = ()
    """Controls that it covers; all of the promise's where left out."""


class Attestation(Part):
    """A named person's word for what nothing can measure. It is shown as ``stated``, never as ``kept``."""

    by: str
    says: str
    on: dt.date
    until: dt.date


class Promise(Part):
    """What the policy promises, in its own words, and what shows that it is kept."""

    quote: str
    """The sentence or a distinct part of it, exactly as published."""
    owner: str
    controls: tuple[str, ...] = ()
    severity: Literal["low", "medium", "high"] = "medium"
    audience: Audience = Audience.PUBLIC
    """The widest audience that may see this promise's status, within what the policy publishes."""
    attest: Attestation | None = None
    waive: Waiver | None = None

    @model_validator(mode="after")
    def _approver_is_someone_else(self) -> Promise:
        if self.waive is not None and self.waive.approver == self.owner:
            raise ValueError("a waiver is approved by someone who does not own the promise")
        return self


class Declaration(Part):
    """The whole of ``troth.yaml``, its includes merged in."""

    troth: Literal[1]
    """The version of this format."""
    organisation: Organisation
    policy: Policy
    systems: dict[str, System] = {}
    purposes: dict[str, Purpose] = {}
    recipients: dict[str, Recipient] = {}
    collection_points: dict[str, CollectionPoint] = {}
    cookies: dict[str, Cookie] = {}
    retention: dict[str, Retention] = {}
    contracts: dict[str, Contract] = {}
    promises: tuple[Promise, ...] = ()
    limits: Limits = Limits()

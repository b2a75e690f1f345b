"""The declaration's model: the structure of ``troth.yaml`` and its meaning.

Every class is one mapping of the file, frozen and complete once built; editors show the docstrings and field
descriptions, through the JSON Schema. Names in keys (systems, tables, purposes) are the keys of dicts. The parts are in
files of their own; the whole is here. `load` builds it from text, with the place of every mistake.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, field_validator
from pydantic.fields import FieldInfo

from troth.declaration.base import Period, StrictModel, canonical
from troth.declaration.custom_controls import OwnControl, OwnControlId
from troth.declaration.faults import OwnFault
from troth.declaration.newsletters import Newsletter, NewsletterName
from troth.declaration.notice import Notice
from troth.declaration.organisation import Organisation
from troth.declaration.problems import Position, Problem, Severity
from troth.declaration.processing import ActedFor, ProofSettings
from troth.declaration.promises import Policy, Promise
from troth.declaration.purposes import CollectionPoint, Contract, Cookie, Purpose, Recipient, Retention
from troth.declaration.requests import Requests
from troth.declaration.systems import System, Table
from troth.declaration.witnesses import Ledger

SystemName = Annotated[str, Field(pattern=r"^[^.\s]+$")]
"""A name without dots, so that ``system.table`` is unambiguous whatever the table is called."""


class StaffAccess(StrictModel):
    """Who may see personal data at all (GDPR Art. 25(2), clause C11)."""

    ceiling: int = Field(ge=1)
    """The maximum number of accounts and people, over all systems, that the policy allows to see personal data."""


class ErasureLimits(StrictModel):
    """Limits above which an erasure stops for review."""

    rows: int = Field(default=10_000, ge=1, strict=True)
    """Rows of one subject, over all systems."""
    people: int = Field(default=1, ge=1, strict=True)
    """Rows of one identity table that one identity may match."""


class Cryptoperiods(StrictModel):
    """How long keys are used before they are rotated (NIST SP 800-57 part 1, §5.3)."""

    field: Period = Period(count=1, unit="year")
    """A field key, which seals values."""

    @field_validator("field")
    @classmethod
    def _within_two_years(cls, period: Period) -> Period:
        if not 1 <= period.count <= {"day": 731, "week": 104, "month": 24, "year": 2}[period.unit]:
            raise ValueError("a key that seals data may be in use for one day to two years")
        return period

    @property
    def field_lasts(self) -> dt.timedelta:
        """The originator-usage period of a field key."""
        start = dt.date(2001, 1, 1)
        return self.field.after(start) - start


def _one_digit_each(versions: tuple[int, ...]) -> tuple[int, ...]:
    if len({version % 9 for version in versions}) < len(versions):
        raise ValueError("two key versions are the same or nine apart, so tokens cannot tell them apart")
    return versions


TokenVersions = Annotated[tuple[Annotated[int, Field(ge=1, strict=True)], ...], AfterValidator(_one_digit_each)]


@dataclass(frozen=True, slots=True)
class _Source:
    """The origin of a declaration. It is not part of its meaning, so all sources compare equal."""

    folder: Path = field(default=Path(), compare=False)
    where: Callable[[str], Position | None] = field(default=lambda _: None, compare=False)
    marks: Mapping[str, tuple[int, Position]] = field(default_factory=dict, compare=False)


class Declaration(StrictModel):
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
    newsletters: dict[NewsletterName, Newsletter] = {}
    notice: Notice = Notice()
    """Additional content of the rendered notice."""
    controllers: dict[str, ActedFor] = {}
    """The controllers for which we act as a processor (GDPR Art. 30(2)(a))."""
    security: tuple[str, ...] = ()
    """The technical and organisational measures, one sentence each (GDPR Art. 30(1)(g), 32(1))."""
    evidence: ProofSettings = ProofSettings()
    controls: dict[OwnControlId, OwnControl] = {}
    """Custom controls by id: ``ours.`` and what must be true."""
    faults: dict[str, OwnFault] = {}
    """Breaches that ``troth rehearse`` plants besides those of the catalogue."""
    promises: tuple[Promise, ...] = ()
    limits: ErasureLimits = ErasureLimits()
    requests: Requests = Requests()
    cryptoperiods: Cryptoperiods = Cryptoperiods()
    token_domains: dict[str, TokenVersions] = {}
    """Merchants, or parts of the company, that no token may leave, each with its live key versions, which are numbers
    of token keys: the first makes new tokens, the others can still be read. Without versions, all its tokens are drawn
    at random."""
    access: StaffAccess | None = None
    ledger: Ledger | None = None

    _source: _Source = PrivateAttr(default=_Source())

    @property
    def folder(self) -> Path:
        """The base of relative paths: the folder of the file, or the working directory without a file."""
        return self._source.folder

    def in_folder(self, folder: Path) -> Declaration:
        """The same declaration, with *folder* as the base of its relative paths."""
        moved = self.model_copy()
        moved._source = replace(self._source, folder=folder)
        return moved

    def section(self, name: str) -> Any:
        """The section *name* that a package above has registered; None if it is not declared."""
        return getattr(self, name)

    def table_at(self, place: str) -> Table | None:
        """The declared table of a place such as ``shop.customer``; None if there is none."""
        system, _, name = place.partition(".")
        known = self.systems.get(system)
        return known.tables.get(name) if known else None

    def where(self, path: str) -> Position | None:
        """The place of the key *path* (``systems.shop.tables.customer``), or of the nearest enclosing mapping that has
        one. None if the declaration came from no file."""
        return self._source.where(path)

    def problem(
        self, code: str, path: str, message: str, fix: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem of the key *path*, with its place (`where`)."""
        return Problem(code, self.where(path), path, message, fix, severity)

    @property
    def marks(self) -> Mapping[str, tuple[int, Position]]:
        """The draft marks remaining in comments, ``TODO`` and ``REVIEW``: their number, and the place of the first."""
        return self._source.marks

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Pydantic's method, without values cached from the old fields."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("hash", None)
        return copy

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and 64 hexadecimal digits over the meaning: equal for every layout, order of keys, comment, short
        or long form and split into files, and different for any other meaning."""
        meaning = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        meaning["promises"] = sorted(map(canonical, meaning.get("promises", ())))
        return "sha256:" + hashlib.sha256(canonical(meaning).encode("ascii")).hexdigest()


def add_section(name: str, section: type[StrictModel]) -> None:
    """Register the optional section *name* of ``troth.yaml``. Raises ``ValueError`` for a name that is taken."""
    if name in Declaration.model_fields:
        raise ValueError(f"the section {name} is registered already")
    Declaration.__annotations__[name] = section | None
    Declaration.__pydantic_fields__[name] = FieldInfo.from_annotated_attribute(section | None, None)  # type: ignore[arg-type]
    Declaration.model_rebuild(force=True)

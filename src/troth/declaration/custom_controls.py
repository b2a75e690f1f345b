"""Custom controls (``controls:``): a number from a database, an address or a program, and a condition on it.

A figure is a number and never text, so that no personal value can come with it. If a passing check needs more than a
number, the package that can observe it implements a control of the catalogue instead.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from troth.declaration.base import StrictModel, Words
from troth.declaration.promises import Audience
from troth.declaration.secret import has_broken_reference, holds_secret

_ID = re.compile(r"ours\.[a-z]{1,40}(_[a-z]{1,40}){0,12}")
_SPAN = re.compile(r"([1-9][0-9]{0,3}) +(minute|hour|day|week)s?")
_MUST = re.compile(r"(<=|>=|=|<|>) *(-?[0-9]{1,12}(?:\.[0-9]{1,3})?)")
_SELECT = re.compile(r"(?:select|with)\b", re.IGNORECASE)
_NAMED = re.compile(r"[a-z][a-z0-9 _]{0,39}")
_POINTER = re.compile(r"(?:/[^/\s]{1,80}){1,8}")


def _own_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("the id of a custom control must be 'ours.' and what must be true, such as ours.no_late_calls")
    return text


OwnControlId = Annotated[str, AfterValidator(_own_id)]
"""``ours.`` first, so that no control of a later release has the same name."""


# --- how often, and what a figure must be ---------------------------------------------------------------------------


def _span_text(value: Any) -> Any:
    if not isinstance(value, str) or _SPAN.fullmatch(value.strip()) is None:
        raise ValueError("a time must be a number and minute(s), hour(s), day(s) or week(s), such as '1 day'")
    return " ".join(value.split())


Span = Annotated[str, BeforeValidator(_span_text), Field(json_schema_extra={"examples": ["1 day"]})]


def _span(text: str) -> dt.timedelta:
    found = _SPAN.fullmatch(text)
    assert found is not None, "it was read"
    return dt.timedelta(**{f"{found[2]}s": int(found[1])})


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
_THOUSANDTH = Decimal("0.001")
_NO_LIMIT = 2 * 10**15


@dataclass(frozen=True, slots=True)
class Must:
    """The condition on a figure: ``= 0``, ``<= 5``. `str` returns it as written."""

    compared: str
    bound: Decimal

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`."""
        found = _MUST.fullmatch(text.strip())
        if found is None:
            raise ValueError("a condition must be =, <, <=, > or >= and a number, such as '<= 5'")
        return cls(found[1], Decimal(found[2]))

    def __str__(self) -> str:
        return f"{self.compared} {self.bound}"

    def holds(self, figure: float | Decimal) -> bool:
        """Whether *figure* meets the condition."""
        return _COMPARED[self.compared](Decimal(str(figure)), self.bound)

    @property
    def room(self) -> tuple[int, int]:
        """How far up and how far down a figure may go, in thousandths: more of either is a weaker condition."""
        step = {"<": -_THOUSANDTH, ">": _THOUSANDTH}.get(self.compared, Decimal(0))
        limit = int((self.bound + step) * 1_000)
        up = _NO_LIMIT if ">" in self.compared else _NO_LIMIT // 2 + limit
        down = _NO_LIMIT if "<" in self.compared else _NO_LIMIT // 2 - limit
        return up, down


def _must_text(value: Any) -> Any:
    return str(Must.parse(str(value)))


MustText = Annotated[str, BeforeValidator(_must_text), Field(json_schema_extra={"examples": ["= 0", "<= 5"]})]


# --- the three kinds ------------------------------------------------------------------------------------------------


_PASSED_OVER = re.compile(r"'[^']*'|--[^\n]*|\bselect\b", re.IGNORECASE)
_READS = re.compile(r"""\b(?:from|table)\b|[\w"`\]]\s*\(|/\*|\$""", re.IGNORECASE)
"""Matches SQL that may read a table. If that is unclear, as in a comment or a dollar-quoted string, it matches."""


def _one_select(text: str) -> str:
    statement = text.strip().removesuffix(";").rstrip()
    if not _SELECT.match(statement):
        raise ValueError("a figure must be one SELECT that returns one number")
    if ";" in statement:
        raise ValueError("a figure must be one statement: remove the semicolon")
    return statement


class SqlFigure(StrictModel):
    """One SELECT of one number. It runs on a read-only connection, and is cancelled after *timeout_s*."""

    system: str
    """The declared system to query."""
    figure: Annotated[str, Field(max_length=10_000), AfterValidator(_one_select)]
    must: MustText
    timeout_s: int = Field(default=10, ge=1, le=120)

    @property
    def reads_nothing(self) -> bool:
        """Whether it clearly reads no table: it names none, and calls nothing that could."""
        return not _READS.search(_PASSED_OVER.sub(" ", self.figure))


def _address(text: str) -> str:
    parts = urlsplit(text)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        raise ValueError("the address must begin with https://; http:// is allowed only for this machine")
    if parts.username or parts.password or holds_secret(text):
        raise ValueError("the address must not contain a password: put it into 'token', as ${NAME}")
    return text


def _reference(text: str) -> str:
    if not re.fullmatch(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", text) or has_broken_reference(text):
        raise ValueError("this file must not contain a secret: write ${NAME}, and set that variable")
    return text


class HttpFigure(StrictModel):
    """An address to request. Without *json* the figure is 1 if it answered as required, else 0; with *json*, the number
    there. Redirects are not followed, and at most a megabyte is read."""

    url: Annotated[str, Field(max_length=500), AfterValidator(_address)]
    status: int = Field(default=200, ge=100, le=599, strict=True)
    """The required status."""
    contains: str | None = Field(default=None, max_length=200)
    """Text that the answer must contain."""
    json_: Annotated[str, Field(pattern=f"^{_POINTER.pattern}$")] | None = Field(default=None, alias="json")
    """The place of the number, as a JSON pointer (RFC 6901): ``/queue/late``."""
    also: Annotated[
        tuple[Annotated[str, Field(pattern=r"^/([^/\s?#][^\s?#]{0,200})?$")], ...], Field(max_length=50)
    ] = ()
    """Further pages of the same site, as paths: each must answer in the same way."""
    must: MustText = "= 1"
    token: Annotated[str, AfterValidator(_reference)] | None = None
    """Sent as ``Authorization: Bearer``; a ``${NAME}``."""
    timeout_s: int = Field(default=10, ge=1, le=60)
    """Timeout of each page."""

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.json_ is not None and self.also:
            raise ValueError("a number can be read from one address only: remove 'also' or 'json'")
        return self


class PushedFigure(StrictModel):
    """Evidence that a program of the company sends to Troth's API, with a token of the scope ``evidence.write``."""

    figure: Annotated[str, Field(pattern=f"^{_NAMED.pattern}$")] | None = None
    """The figure that *must* refers to. If omitted, the program's own verdict counts."""
    must: MustText | None = None
    by: Words | None = None
    """The name of the token whose evidence counts; if omitted, any token with the scope."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.figure is None) != (self.must is None):
            raise ValueError("'figure' and 'must' need each other: give both or neither")
        return self


Private = Literal["network", "keys", "incidents", "legal_demands"]


class OwnControl(StrictModel):
    """A custom control. It is bound to promises as ``ours.…`` like any other."""

    question: str = Field(min_length=5, max_length=300)
    """A question that a customer understands, with a question mark at the end."""
    sql: SqlFigure | None = None
    http: HttpFigure | None = None
    pushed: PushedFigure | None = None
    every: Span = "1 day"
    """How often it runs."""
    fresh_for: Span | None = None
    """How long a pass may be shown, always longer than *every*; by default three times as long."""
    failures: int = Field(default=1, ge=1, le=10, strict=True)
    """Failures in a row before a promise is broken."""
    severity: Literal["low", "medium", "high"] = "medium"
    audience: Audience = Audience.STAFF
    """The widest audience that may ever see its results."""
    concerns: Private | None = None
    """A subject that must never be shown outside: a control about any of these is for staff."""
    principles: tuple[str, ...] = ()
    cannot_see: str = Field(min_length=5, max_length=300)
    """What a pass does not prove. There is always something."""
    looks_at: str = Field(default="", max_length=200)
    """What the figure is taken of, in words that complete “it looks at …”: every issue that was sent."""
    whole: StrictBool = False
    """Whether that is the whole of what the question asks about. Only then can it show a promise that says “all”,
    “never” or the like."""
    remedy: str = Field(default="Ask the owner of this control.", max_length=300)
    owner: Words | None = None
    """Who fixes it; by default the owners of its promises."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(kind is not None for kind in (self.sql, self.http, self.pushed)) != 1:
            raise ValueError("a control needs exactly one of 'sql', 'http' and 'pushed'")
        if not self.question.endswith("?"):
            raise ValueError("the question must end with a question mark")
        if self.fresh <= self.often:
            raise ValueError("'fresh_for' must be longer than 'every', or a pass expires before the next check")
        if self.concerns is not None and self.audience is not Audience.STAFF:
            raise ValueError("results about this subject are only for staff: remove 'audience'")
        return self

    @property
    def often(self) -> dt.timedelta:
        return _span(self.every)

    @property
    def fresh(self) -> dt.timedelta:
        return _span(self.fresh_for) if self.fresh_for else 3 * self.often

    @property
    def must(self) -> Must | None:
        """The condition on its figure; None if a program's own verdict counts."""
        asked = self.sql or self.http or self.pushed
        assert asked is not None, "one of them is there"
        return Must.parse(asked.must) if asked.must else None

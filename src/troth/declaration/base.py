"""Building blocks of the declaration: the base class, dates, places and periods."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from troth.declaration.problems import shown
from troth.law.months import month_end, months_after
from troth.text import says_something


class StrictModel(BaseModel):
    """One mapping of the declaration: unknown keys are errors, and it is immutable."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
    )


def canonical(value: Any) -> str:
    """*value* as JSON that is the same text wherever it has the same meaning, for hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def bare(key: str, part: type[StrictModel]) -> BeforeValidator:
    """Read a bare scalar as the mapping ``{key: scalar}``."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value, json_schema_input_type=part | str
    )


_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _date(value: Any) -> Any:
    """Refuse numbers, which pydantic would read as seconds since 1970."""
    if isinstance(value, dt.datetime) or not (isinstance(value, dt.date) or _ISO_DATE.fullmatch(str(value))):
        raise ValueError("a date must be year, month and day, such as 2026-11-01")
    return value


Date = Annotated[dt.date, BeforeValidator(_date)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


def _words(text: str) -> str:
    if not says_something(text):
        raise ValueError("the text is empty: write at least one word")
    return text


Words = Annotated[str, AfterValidator(_words)]
"""Text with content: a name, a reason. Spaces and full stops alone are refused."""


Language = Literal["en", "de", "fr", "es"]
_LANGUAGES: Final = get_args(Language)


class LocalText(str):
    """Text declared in several languages. As a plain ``str`` it is the first one written."""

    by_language: Mapping[str, str]

    def __new__(cls, by_language: Mapping[str, str]) -> Self:
        text = super().__new__(cls, next(iter(by_language.values())))
        text.by_language = dict(by_language)
        return text

    def __getnewargs__(self) -> tuple[Mapping[str, str]]:  # type: ignore[override]
        return (self.by_language,)


def in_language(text: str, language: str) -> str | None:
    """*text* in *language*, if it was declared by language; None if that language is not among them."""
    return text.by_language.get(language) if isinstance(text, LocalText) else None


def _title(value: Any, plain: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, dict):
        return plain(value)
    if not value or not all(isinstance(text, str) and says_something(text) for text in value.values()):
        raise ValueError("a text for each language is expected, such as {en: Your orders, de: Ihre Bestellungen}")
    if unknown := [str(key) for key in value if key not in _LANGUAGES]:
        raise ValueError(f"'{shown(unknown[0])}' is not a supported language: write {', '.join(_LANGUAGES)}")
    return LocalText(value)


Title = Annotated[
    str,
    WrapValidator(_title, json_schema_input_type=str | dict[Language, str]),
    PlainSerializer(
        lambda text: text.by_language if isinstance(text, LocalText) else text, return_type=str | dict[str, str]
    ),
]
"""Text for readers: one text, or one per language. The first is the fallback for other languages."""


def whole(core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """The JSON Schema of a part's long form, inlined."""
    return handler.resolve_ref_schema(handler(core_schema))


_PERIOD = re.compile(r"([0-9]{1,4}) +(day|week|month|year)s?")


class Period(StrictModel):
    """A calendar period. Months and years are calendar months and years, never a number of days."""

    count: int = Field(ge=0, le=9999, strict=True)
    unit: Literal["day", "week", "month", "year"]

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _PERIOD.fullmatch(value.strip())
        if found is None:
            raise ValueError("a period must be a number and day(s), week(s), month(s) or year(s), such as '90 days'")
        return {"count": int(found[1]), "unit": found[2]}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "pattern": f"^ *{_PERIOD.pattern} *$", "examples": ["90 days"]}
        return {"description": cls.__doc__, "anyOf": [text, whole(core_schema, handler)]}

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def after(self, start: dt.date) -> dt.date:
        """The last day of the period: the same day of a later month, or the month's last (Reg. 1182/71 Art. 3)."""
        if self.unit in ("day", "week"):
            return start + dt.timedelta(days=self.count * (7 if self.unit == "week" else 1))
        return months_after(start, self.count * (12 if self.unit == "year" else 1))

    def before(self, end: dt.date) -> dt.date:
        """The latest start day whose period is over by *end*."""
        if self.unit in ("day", "week"):
            return end - dt.timedelta(days=self.count * (7 if self.unit == "week" else 1))
        start = months_after(end, -self.count * (12 if self.unit == "year" else 1))
        return month_end(start) if end == month_end(end) else start

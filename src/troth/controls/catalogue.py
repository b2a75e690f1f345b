"""The catalogue of controls: those of the library, from ``catalogue.toml`` beside this file, and `add_controls` for
those of packages above. All are read strictly and only once."""

from __future__ import annotations

import datetime as dt
import functools
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from types import MappingProxyType
from typing import Any

from troth.controls.model import Control
from troth.controls.principles import principles
from troth.declaration import Audience
from troth.errors import TrothError
from troth.registration import complete
from troth.text import did_you_mean

_ID = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*")
_DURATION = re.compile(r"([1-9]\d{0,3}) (minute|hour|day|week)s?")


class PromisesError(TrothError):
    """Base of the errors about controls, checks and statuses."""


class UnknownControl(PromisesError):
    """No control has that id; the message names the nearest one."""


class CatalogueError(PromisesError):
    """A catalogue is invalid; the message names the control and the key."""


_added: dict[str, Control] = {}


def catalogue() -> Mapping[str, Control]:
    """Every control by its id: first those of the library, in the order of its file."""
    complete("controls")
    return MappingProxyType({**_of_the_library(), **_added})


@functools.cache
def _of_the_library() -> Mapping[str, Control]:
    return parse_catalogue(resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))


def add_controls(text: str) -> None:
    """Register the controls of a catalogue. Raises `CatalogueError`, also for an id that is registered already."""
    added = parse_catalogue(text)
    if twice := sorted(added.keys() & (_of_the_library().keys() | _added.keys())):
        raise CatalogueError(f"controls that are registered already: {', '.join(twice)}")
    _added.update(added)


def control(id_: str) -> Control:
    """The control of that id. Raises `UnknownControl` with the nearest known id."""
    try:
        return catalogue()[id_]
    except KeyError:
        raise UnknownControl(f"there is no control {id_!r}{did_you_mean(id_, catalogue())}") from None


def parse_catalogue(text: str) -> Mapping[str, Control]:
    """Read a catalogue. Every key is required, and no other allowed. Raises `CatalogueError`."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"the catalogue is not TOML: {error}") from error
    return MappingProxyType({id_: _control(id_, row) for id_, row in rows.items()})


def _control(id_: str, row: Any) -> Control:
    if not _ID.fullmatch(id_):
        raise CatalogueError(f"{id_!r} is not a control id; an id is package.what_must_be_true, in lower case")
    if not isinstance(row, dict) or row.keys() != _READ.keys():
        wrong = sorted(_READ.keys() ^ row.keys()) if isinstance(row, dict) else sorted(_READ)
        raise CatalogueError(f"{id_}: missing or unknown: {', '.join(wrong)}")
    try:
        made = Control(id=id_, **{key: read(row[key]) for key, read in _READ.items()})
    except ValueError as error:
        raise CatalogueError(f"{id_}: {error}") from None
    if made.fresh_for <= made.every:
        raise CatalogueError(f"{id_}: fresh_for must be longer than every, or a pass expires before the next check")
    return made


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{value!r} is not a whole number of at least 1")
    return value


def _extent(value: Any) -> bool | tuple[str, ...]:
    are_words = isinstance(value, list) and all(isinstance(it, str) and it.strip("- ") and it.islower() for it in value)
    if are_words and not all(word.startswith("-") for word in value):
        return tuple(value)
    if value is not False:
        raise ValueError(f"{value!r} is not false or a list of words in lower case")
    return False


def _sentence(value: Any, *, end: str = "") -> str:
    if not isinstance(value, str) or not value.strip() or not value.endswith(end):
        raise ValueError(f"{value!r} is not text" + (f" that ends with {end!r}" if end else ""))
    return value


def _clauses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(re.fullmatch(r"C\d\d", str(item)) for item in value):
        raise ValueError(f"{value!r} is not a list of clauses such as ['C01']")
    return tuple(value)


def _principles(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(item in principles() for item in value):
        raise ValueError(f"{value!r} is not a list of principles such as ['oecd.openness'] (principles.toml has them)")
    return tuple(value)


def _duration(value: Any) -> dt.timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is not a duration such as '1 hour' or '3 days'")
    return dt.timedelta(**{f"{found[2]}s": int(found[1])})


def _severity(value: Any) -> Any:
    if value not in {"low", "medium", "high"}:
        raise ValueError(f"{value!r} is not a severity; use low, medium or high")
    return value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "version": _whole,
    "question": partial(_sentence, end="?"),
    "citation": _sentence,
    "clauses": _clauses,
    "principles": _principles,
    "every": _duration,
    "fresh_for": _duration,
    "remedy": partial(_sentence, end="."),
    "cannot_see": partial(_sentence, end="."),
    "looks_at": _sentence,
    "whole": _extent,
    "audience": Audience,
    "severity": _severity,
    "failures_to_break": _whole,
}
"""How each key of a row is read."""

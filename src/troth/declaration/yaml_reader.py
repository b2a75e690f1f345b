"""The YAML subset of a declaration: text to plain values, with the place of each.

The scalars are those of YAML 1.2, without surprises: ``true``, ``false``, ``null`` (or nothing) and whole numbers have
their usual meaning, and everything else is text. So ``NO`` is Norway, ``0123`` keeps its zero, ``1:30`` is not a number
and a date is the text of a date. Tags and merge keys are refused, a key must be unique, aliases are followed but
counted, and depth and size are limited, so that no text however hostile takes more than a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.composer import ComposerError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from troth.data_files import read_toml
from troth.declaration.problems import PROBLEMS_MAX, DeclarationErrors, Position, Problem, shown

BYTES_MAX = 8 * 1024 * 1024
"""Maximum size of one file."""
DEPTH_MAX = 32
"""Maximum nesting of mappings and lists."""
VALUES_MAX = 500_000
"""Maximum number of values in one file, counting what an alias repeats."""

Trail = tuple[str, ...]
Places = dict[Trail, tuple[Position, Position]]
"""The path of a key or list element to the places of the key and of the value."""


@dataclass(frozen=True)
class YamlDocument:
    """One file after reading: its values as dicts, lists, text, whole numbers, bools and None.

    *problems* are mistakes of form that left the rest readable (a repeated key, a tag).
    """

    file: Path
    values: Any
    text: str
    problems: tuple[Problem, ...] = ()

    @cached_property
    def places(self) -> Places:
        """The places of all values. Computed on demand, by reading the text again if there is a mistake to report: the
        places take many times the memory of the text."""
        reader = _Reader(self.text, self.file, keeps_places=True)
        reader.document()
        return dict(reversed(reader.places))  # of a repeated key, the first


def read(text: str | bytes, *, file: Path) -> YamlDocument:
    """Read one YAML document. *file* only names it.

    Raises `DeclarationErrors` if the text cannot be read to its end: its size, its encoding, its syntax, its depth,
    what its aliases repeat, or more mistakes than are reported at once.
    """
    decoded = _decoded(text, file)
    problems: list[Problem] = []
    try:
        reader = _Reader(decoded, file, problems)
        values = reader.document()
    except yaml.YAMLError as error:
        raise DeclarationErrors([*problems, _syntax(error, decoded, file)]) from None
    return YamlDocument(file, values, decoded, tuple(problems))


def _decoded(text: str | bytes, file: Path) -> str:
    if len(text) > BYTES_MAX:
        fix = "split it into files and list them under 'include'"
        raise DeclarationErrors(
            [Problem("file-too-large", Position(file, 1, 1), "", f"more than {BYTES_MAX // 1024**2} MiB", fix)]
        )
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = len(text[text.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        problem = Problem("file-encoding", Position(file, line, column), "", "not UTF-8 text", "save the file as UTF-8")
        raise DeclarationErrors([problem]) from None


# --- values ---------------------------------------------------------------------------------------------------------

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's parser in C, or the Python one without libyaml."""


@dataclass(slots=True)
class _Anchor:
    """The value of an anchor (``&name``). Until its end has been read, *count* is zero."""

    value: Any = None
    count: int = 0
    height: int = 0
    places: tuple[tuple[Trail, tuple[Position, Position]], ...] = ()


class _Reader:
    """One pass over the parser's events, directly to values. No tree of nodes is built: keeping one would cost several
    times the reading, in work for the garbage collector. *problems* collects mistakes, so that all are reported at
    once."""

    def __init__(
        self, text: str, file: Path, problems: list[Problem] | None = None, *, keeps_places: bool = False
    ) -> None:
        self.places: list[tuple[Trail, tuple[Position, Position]]] = []
        self._problems = [] if problems is None else problems
        self._keeps_places = keeps_places
        self._file = file
        self._next: Callable[[], Any] = yaml.parse(text, Loader=_LOADER).__next__
        self._trail: list[str] = []
        self._left = VALUES_MAX
        self._deepest = 0
        self._anchors: dict[str, _Anchor] = {}

    def document(self) -> Any:
        """The value of the only document; None without one."""
        self._next()  # start of the stream
        if isinstance(self._next(), StreamEndEvent):
            return None
        value = self._value(self._next(), 0)
        self._next()  # end of the document
        if not isinstance(after := self._next(), StreamEndEvent):
            message = "expected a single document in the stream, but found another document"
            raise ComposerError(None, None, message, after.start_mark)
        return value

    def _value(self, event: Any, depth: int) -> Any:
        """The value that begins with *event*, inside *depth* mappings and lists."""
        if event.__class__ is AliasEvent:
            return self._repeated(event, depth)
        self._left -= 1
        if self._left < 0:
            self._run_away(event)
        if event.tag is not None and event.tag != "!":
            self._refuse("yaml-tag", event, "a tag ('!…')", "tags are not supported; write the value without one")
        if event.anchor is not None:
            return self._anchored(event, depth)
        return self._plain(event, depth)

    def _plain(self, event: Any, depth: int) -> Any:
        if event.__class__ is ScalarEvent:
            return _scalar(event.value) if event.implicit[0] else event.value
        if depth == DEPTH_MAX:
            self._stop(_too_deep(self._position(event)))
        self._deepest = max(self._deepest, depth + 1)
        return self._mapping(depth + 1) if event.__class__ is MappingStartEvent else self._sequence(depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        firsts: dict[str, Any] = {}
        while (key := self._next()).__class__ is not MappingEndEvent:
            is_new = self._is_new(key, firsts, depth)
            name = key.value if key.__class__ is ScalarEvent else "…"
            value = self._element(name, key, self._next(), depth)
            if is_new:
                values[name] = value
        return values

    def _sequence(self, depth: int) -> list[Any]:
        values: list[Any] = []
        while (event := self._next()).__class__ is not SequenceEndEvent:
            values.append(self._element(str(len(values)), event, event, depth))
        return values

    def _element(self, name: str, key: Any, event: Any, depth: int) -> Any:
        if self._keeps_places:
            self.places.append(((*self._trail, name), (self._position(key), self._position(event))))
        self._trail.append(name)
        value = self._value(event, depth)
        self._trail.pop()
        return value

    def _is_new(self, key: Any, firsts: dict[str, Any], depth: int) -> bool:
        """Whether *key* is text and not among *firsts*; any other key is reported."""
        if key.__class__ is not ScalarEvent or key.tag not in (None, "!"):
            self._refuse("yaml-key", key, "a key is not plain text", "write the key as text")
            if isinstance(key, AliasEvent | CollectionStartEvent):
                self._value(key, depth)
            return False
        if key.anchor is not None:
            self._anchored(key, depth)
        if key.value == "<<" and key.implicit[0]:
            self._refuse("yaml-merge", key, "a merge key ('<<')", "write the keys in full, or move them to an include")
            return False
        if key.value in firsts:
            first = firsts[key.value]
            said = f"'{shown(key.value)}' is given twice here"
            fix = f"the first is at {first.line + 1}:{first.column + 1}; keep one"
            self._refuse("yaml-duplicate-key", key, said, fix)
            return False
        firsts[key.value] = key.start_mark
        return True

    # --- aliases

    def _anchored(self, event: Any, depth: int) -> Any:
        """The value that begins with *event*, stored for its aliases."""
        if event.anchor in self._anchors:
            raise ComposerError(None, None, "found duplicate anchor", event.start_mark)
        anchor = self._anchors[event.anchor] = _Anchor()
        left, deepest, placed = self._left, self._deepest, len(self.places)
        self._deepest = depth
        anchor.value = self._plain(event, depth)
        anchor.count, anchor.height = left - self._left + 1, self._deepest - depth
        anchor.places = tuple((path[len(self._trail) :], place) for path, place in self.places[placed:])
        self._deepest = max(deepest, self._deepest)
        return anchor.value

    def _repeated(self, event: Any, depth: int) -> Any:
        """The value of an alias, counted again."""
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise ComposerError(None, None, "found undefined alias", event.start_mark)
        if not anchor.count or depth + anchor.height > DEPTH_MAX:
            self._stop(_too_deep(self._position(event)))  # an anchor without an end contains itself
        self._left -= anchor.count
        if self._left < 0:
            self._run_away(event)
        self._deepest = max(self._deepest, depth + anchor.height)
        self.places += [((*self._trail, *path), place) for path, place in anchor.places]
        return anchor.value

    # --- mistakes

    def _position(self, event: Any) -> Position:
        return Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, code: str, event: Any, message: str, fix: str) -> None:
        """Report a mistake and continue, up to the limit."""
        problem = Problem(code, self._position(event), ".".join(map(shown, self._trail)), message, fix)
        if len(self._problems) == PROBLEMS_MAX - 1:
            self._stop(problem)
        self._problems.append(problem)

    def _run_away(self, event: Any) -> NoReturn:
        path = ".".join(map(shown, self._trail))
        message = f"more than {VALUES_MAX:,} values, counting aliases"
        self._stop(Problem("yaml-alias", self._position(event), path, message, "write fewer aliases"))

    def _stop(self, problem: Problem) -> NoReturn:
        """Stop reading."""
        raise DeclarationErrors([*self._problems, problem])


def _too_deep(where: Position) -> Problem:
    return Problem("yaml-too-deep", where, "", f"nested more than {DEPTH_MAX} deep", "reduce the nesting")


_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


def _scalar(text: str) -> str | int | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _WHOLE.fullmatch(text) else text


# --- syntax ---------------------------------------------------------------------------------------------------------


def _syntax(error: yaml.YAMLError, text: str, file: Path) -> Problem:
    """PyYAML's message without its excerpt, which may hold a secret."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = [part for name in ("context", "problem", "reason") if (part := getattr(error, name, None))]
    said = ", ".join(map(str, parts)) or "not YAML"
    where = Position(file, mark.line + 1, mark.column + 1) if mark else _of_offset(error, text, file)
    if where.line <= text.count("\n") + 1 and "\t" in text.split("\n")[where.line - 1][: where.column]:
        said = f"{said} (a tab)"
    hints = read_toml(__package__, "data/messages.toml")["yaml"].items()
    fix = next((hint for pattern, hint in hints if re.search(pattern, said)), "")
    return Problem("yaml-syntax", where, "", said, fix)


def _of_offset(error: yaml.YAMLError, text: str, file: Path) -> Position:
    """The place of a reader error, for which PyYAML gives only an offset (in bytes of UTF-8, from libyaml)."""
    offset = getattr(error, "position", None) or 0
    before = text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")
    return Position(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)

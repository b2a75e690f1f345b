"""Loading ``troth.yaml`` into the model, reporting every mistake at once with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from troth.declaration.error_messages import translated
from troth.declaration.model import Declaration, _Source
from troth.declaration.problems import DeclarationErrors, Position, Problem, shown
from troth.declaration.secret import missing
from troth.declaration.yaml_reader import BYTES_MAX, YamlDocument, read
from troth.registration import complete

FILES_MAX = 1_000
"""Maximum number of included files."""


def load(path: str | Path, *, environ: Mapping[str, str] | None = None) -> Declaration:
    """Read the declaration at *path* and its includes.

    With *environ*, every ``${NAME}`` must be set there (or ``NAME_FILE``); without, references are not resolved, so
    that a declaration can be checked on a machine without its secrets.

    Raises `DeclarationErrors` with every mistake of every file; nothing else, whatever the files hold.
    """
    file = Path(path)
    files = _Files(file.parent)
    files.add(file, ())
    return _declaration(files, file, environ)


def parse(
    text: str | bytes, *, file: str | Path = "troth.yaml", environ: Mapping[str, str] | None = None
) -> Declaration:
    """Read a declaration from *text*, as if it were at *file* (which need not exist; includes are relative to it).

    Raises `DeclarationErrors`, as `load` does.
    """
    file = Path(file)
    files = _Files(file.parent)
    files.add(file, (), text)
    return _declaration(files, file, environ)


def _declaration(files: _Files, file: Path, environ: Mapping[str, str] | None) -> Declaration:
    merged = _Merged(files.documents)
    problems = [*files.problems, *merged.problems]
    if files.is_unreadable:
        raise DeclarationErrors(problems)
    if not isinstance(merged.values, dict) or not merged.values:
        problems.append(Problem("file-empty", Position(file, 1, 1), "", "there is no declaration", "see `troth init`"))
        raise DeclarationErrors(problems)
    complete("sections")
    try:
        declaration = Declaration.model_validate(merged.values)
    except ValidationError as error:
        raise DeclarationErrors([*problems, *translated(error, merged.place)]) from None
    if environ is not None:
        problems += _unset(declaration, environ, merged)
    if problems:
        raise DeclarationErrors(problems)
    declaration._source = _Source(file.parent, merged.where, merged.marks())
    return declaration


def _unset(declaration: Declaration, environ: Mapping[str, str], merged: _Merged) -> list[Problem]:
    return [
        Problem(
            "secret-unset",
            merged.place(("systems", name, *path))[1],
            ".".join(("systems", shown(name), *path)),
            f"{variable} is not set",
            f"set {variable}, or {variable}_FILE to the path of a file that holds it",
        )
        for name, system in declaration.systems.items()
        for path, text in ((("store",), system.store), (("asked", "secret"), system.asked and system.asked.secret))
        for variable in missing(text or "", environ)
    ]


# --- files ----------------------------------------------------------------------------------------------------------


@dataclass
class _Files:
    """The declaration's files, in the order in which they were named. Nothing outside *folder* is read."""

    folder: Path
    documents: list[YamlDocument] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_unreadable: bool = False
    _seen: set[Path] = field(default_factory=set)

    def add(self, file: Path, chain: tuple[Path, ...], text: str | bytes | None = None) -> None:
        """Read *file*, reached through the files of *chain*, and then its includes."""
        try:
            document = read(_bytes(file) if text is None else text, file=file)
        except DeclarationErrors as error:
            self.is_unreadable = True
            self.problems += error.problems
            return
        self.problems += document.problems
        if document.values is not None and not isinstance(document.values, dict):
            self.is_unreadable = True
            fix = "start with keys such as 'troth: 1'"
            self.problems.append(Problem("value-type", Position(file, 1, 1), "", "a mapping is expected", fix))
            return
        self.documents.append(document)
        self._seen.add(file.resolve())
        if document.values and "include" in document.values:
            self._include(document, (*chain, file.resolve()))

    def _include(self, document: YamlDocument, chain: tuple[Path, ...]) -> None:
        patterns = document.values["include"]
        patterns = [patterns] if isinstance(patterns, str) else patterns
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            self._refuse(document, "include-form", "a list of file patterns is expected", "such as [systems/*.yaml]")
            return
        for pattern in patterns:
            for found in self._matches(document, pattern):
                if found.resolve() in chain:
                    fix = "remove it from one of them"
                    self._refuse(document, "include-cycle", f"'{shown(pattern)}' includes this file again", fix)
                elif len(self._seen) >= FILES_MAX:
                    self._refuse(document, "include-many", f"more than {FILES_MAX} files", "name fewer files")
                    return
                elif found.resolve() not in self._seen:
                    self.add(found, chain)

    def _matches(self, document: YamlDocument, pattern: str) -> list[Path]:
        """The files that *pattern* matches, sorted; a pattern without a match is a mistake."""
        base = document.file.parent
        try:
            found = sorted(path for path in base.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, OSError, IndexError):
            fix = "name files below the declaration, such as systems/*.yaml"
            self._refuse(document, "include-form", f"'{shown(pattern)}' is not a valid file pattern", fix)
            return []
        root = self.folder.resolve()
        if any(not path.resolve().is_relative_to(root) for path in found):
            fix = "move the file below the declaration"
            self._refuse(
                document, "include-outside", f"'{shown(pattern)}' points outside the declaration's folder", fix
            )
            return []
        if not found:
            self._refuse(document, "include-nothing", f"'{shown(pattern)}' matches no file", "check the spelling")
        return found

    def _refuse(self, document: YamlDocument, code: str, message: str, fix: str) -> None:
        self.is_unreadable = True
        where = document.places.get(("include",), (None, None))[0]
        self.problems.append(Problem(code, where, "include", message, fix))


def _bytes(file: Path) -> bytes:
    """The contents of *file*, up to one byte more than the limit."""
    try:
        with file.open("rb") as opened:
            return opened.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror or "cannot be read").lower() if isinstance(error, OSError) else "no path"
        problem = Problem(
            "file-missing", Position(file, 1, 1), "", reason, "check the path, or start with `troth init`"
        )
        raise DeclarationErrors([problem]) from None


# --- merging --------------------------------------------------------------------------------------------------------

_MARK = re.compile(r"^(?P<before> *)# (?P<mark>TODO|REVIEW)\b", re.MULTILINE)
_NAMED = ("systems", "purposes", "recipients", "collection_points", "cookies", "retention", "contracts", "controls")


class _Merged:
    """The files merged into one mapping. The names of a section are combined, promises are concatenated, and duplicates
    are reported with both places."""

    def __init__(self, documents: list[YamlDocument]) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._parts: list[tuple[YamlDocument, int]] = []
        for document in documents:
            promises = self.values.get("promises")
            self._parts.append((document, len(promises) if isinstance(promises, list) else 0))
            for key, value in (document.values or {}).items():
                self._merge(document, key, value)

    def _merge(self, document: YamlDocument, key: str, value: Any) -> None:
        have = self.values.get(key)
        if key == "include":
            return
        if key not in self.values:
            self.values[key] = dict(value) if isinstance(value, dict) else value
        elif key in _NAMED and isinstance(have, dict) and isinstance(value, dict):
            for name, entry in value.items():
                if name in have:
                    self._twice(document, key, name)
                else:
                    have[name] = entry
        elif key == "promises" and isinstance(have, list) and isinstance(value, list):
            self.values[key] = [*have, *value]
        elif key != "troth" or have != value:
            self._twice(document, key)

    def _twice(self, document: YamlDocument, *path: str) -> None:
        first = next(part.places[path][0] for part, _ in self._parts if path in part.places)
        place = document.places.get(path, (None, None))[0]
        name = ".".join(map(shown, path))
        message, fix = f"'{shown(path[-1])}' is declared twice", f"the first is at {first}"
        self.problems.append(Problem("include-twice", place, name, message, fix))

    @cached_property
    def _places(self) -> dict[str, tuple[Position, Position]]:
        places: dict[str, tuple[Position, Position]] = {}
        for document, promises in self._parts:
            for path, place in document.places.items():
                moved = promises and path[0] == "promises" and len(path) > 1
                name = (path[0], str(int(path[1]) + promises), *path[2:]) if moved else path
                places.setdefault(".".join(name), place)
        return places

    def place(self, path: tuple[str, ...]) -> tuple[Position, Position]:
        """The places of the key and of the value at *path*, or of the nearest mapping around it."""
        for length in range(len(path), 0, -1):
            name = ".".join(path[:length])
            found = self._places.get(name) or self._places.get(name.replace(".erase.fields.", ".erase."))
            if found is not None:
                return found
        start = Position(self._parts[0][0].file, 1, 1)
        return start, start

    def marks(self) -> dict[str, tuple[int, Position]]:
        """The comments on lines of their own that begin with a draft mark: their number, and the place of the first."""
        marks: dict[str, tuple[int, Position]] = {}
        for document, _ in self._parts:
            for found in _MARK.finditer(document.text):
                if (mark := found["mark"]) not in marks:
                    line = document.text.count("\n", 0, found.start()) + 1
                    marks[mark] = (0, Position(document.file, line, len(found["before"]) + 1))
                marks[mark] = (marks[mark][0] + 1, marks[mark][1])
        return marks

    def where(self, path: str) -> Position | None:
        return self.place(tuple(path.split(".")))[0]

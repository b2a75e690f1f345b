"""Problems of a declaration, with what is needed to fix them: where, what, and what to write instead.

No message quotes the value of a ``store``, nor any text that could be a secret or about a person: `shown` decides.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from troth.errors import TrothError

PROBLEMS_MAX = 1_000
"""Maximum number reported at once; a text with more is no declaration."""


class Severity(enum.StrEnum):
    """An error makes the declaration untrue or unusable; a warning may be intended; a note is information."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file. *line* and *column* count characters from 1, as editors do."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. *path* names the key (``systems.shop.tables.customer.fields.email``), *code* is stable between
    releases, *fix* says how to fix it. *where* is None if the declaration came from no file."""

    code: str
    where: Position | None
    path: str
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        said = f"{self.message}; {self.fix}" if self.fix else self.message
        return ": ".join(part for part in (str(self.where or ""), self.path, said) if part)


class DeclarationErrors(TrothError):
    """The declaration cannot be read. *problems* holds every mistake found, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(map(str, self.problems)))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """*problems* by file, line and column; those without a place come first."""
    return tuple(sorted(problems, key=_place))


def _place(problem: Problem) -> tuple[str, int, int, str]:
    where = problem.where
    return (str(where.file), where.line, where.column, problem.path) if where else ("", 0, 0, problem.path)


_HARMLESS = re.compile(r"[0-9]{1,5}|(?=.*[^\W\d])\w[\w .,()$/-]{0,79}")


def shown(text: object) -> str:
    """*text* in a form that is safe in a message: a plain word in full, and ``…`` for anything that could be a secret,
    an address or a person's number."""
    word = str(text)
    return word if _HARMLESS.fullmatch(word) else "…"


def meant(near: str | None, otherwise: str) -> str:
    """The fix that suggests *near*, or *otherwise* if there is none."""
    return f"did you mean '{shown(near)}'?" if near else otherwise

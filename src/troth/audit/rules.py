"""The rules of an audit: each with an id that never changes, its severity, what it rests on, and what it cannot see."""

from __future__ import annotations

import enum
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType


class AuditSeverity(enum.StrEnum):
    """An error is untrue, unlawful or unworkable as it stands; a warning may be; a note is for knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One question that an audit asks. *cannot_see* says what a finding of it does not show."""

    id: str
    severity: AuditSeverity
    title: str
    cite: str
    cannot_see: str


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """Where a finding is: in a schema (*system*, *table*, *column*), in a file (*file*, *line*, *column_number* from 1)
    or on the site (*url*). No place at all is the whole company."""

    system: str = ""
    table: str = ""
    column: str = ""
    file: str = ""
    line: int = 0
    column_number: int = 0
    url: str = ""

    def __str__(self) -> str:
        if self.file:
            return f"{self.file}:{self.line}" if self.line else self.file
        return self.url or ".".join(filter(None, (self.system, self.table, self.column))) or "everywhere"


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that was found. It names systems, tables, columns, sentences and pages, and holds no personal value."""

    rule: AuditRule
    place: FindingPlace
    message: str
    mend: str
    about: str = ""
    """The data category that it is about, where it is about one."""

    @property
    def severity(self) -> AuditSeverity:
        return self.rule.severity


def found(rule: str, place: FindingPlace, message: str, mend: str, *, about: str = "") -> AuditFinding:
    """A finding of the rule with that id."""
    return AuditFinding(rules()[rule], place, message, mend, about)


@functools.cache
def rules() -> Mapping[str, AuditRule]:
    """Every rule by its id, in the order of ``rules.toml``."""
    data = tomllib.loads(resources.files(__package__).joinpath("rules.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            name: AuditRule(name, AuditSeverity(row["severity"]), row["title"], row.get("cite", ""), row["cannot_see"])
            for name, row in data.items()
        }
    )

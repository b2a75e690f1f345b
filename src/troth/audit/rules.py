"""Audit rules, each with a stable id, a severity, a citation and the limits of what it can see."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.data_files import read_toml


class AuditSeverity(enum.StrEnum):
    """An error is untrue, unlawful or unworkable as it stands; a warning may be; a note is informational."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule of the audit. *cannot_see* describes what its findings do not show; *fix* is what to do about them, if
    that is the same for all."""

    id: str
    severity: AuditSeverity
    title: str
    cite: str
    cannot_see: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """Location of a finding: in a schema (*system*, *table*, *column*), in a file (*file*, *line*, *column_number* from
    1) or on the site (*url*). An empty place means the whole company."""

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
    """One finding. It names systems, tables, columns, sentences and pages, but contains no personal data."""

    rule: AuditRule
    place: FindingPlace
    message: str
    fix: str
    about: str = ""
    """The data category concerned, if any."""

    @property
    def severity(self) -> AuditSeverity:
        return self.rule.severity


def found(rule: str, place: FindingPlace, message: str, fix: str = "", *, about: str = "") -> AuditFinding:
    """Create a finding of the rule with id *rule*. Its own *fix* takes precedence over that of the rule."""
    return AuditFinding(rules()[rule], place, message, fix or rules()[rule].fix, about)


@functools.cache
def rules() -> Mapping[str, AuditRule]:
    """All rules by id, in the order of ``rules.toml``."""
    data = read_toml(__package__, "rules.toml")
    return MappingProxyType(
        {
            name: AuditRule(**{"id": name, "cite": "", **row, "severity": AuditSeverity(row["severity"])})
            for name, row in data.items()
        }
    )

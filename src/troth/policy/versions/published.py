"""The versions that a declaration lists, in the order of their effective dates, and whether each may follow the one
before: a version that promises less requires that people are informed long enough before it takes effect (clause
C55)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from troth.declaration import Declaration, Period, Problem
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.promises import Policy
from troth.declaration.versions import Announcement, DeclaredVersion, Reviewed
from troth.policy.parse import Kind, kind_of
from troth.policy.parse.files import read_file
from troth.policy.text import PolicyError, PolicyText
from troth.policy.versions.comparing import Comparison, Verdict, compare
from troth.text import counted, nearest

WEAKER_DAYS_MIN = 14
"""Minimum notice in days before a version that promises less takes effect; more if more is promised."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A version of the policy. *name* is its effective date, which rows refer to; *path* is its key in the
    declaration."""

    name: str
    effective: dt.date
    text: PolicyText
    path: str
    announce: Announcement | None = None
    keeps: Mapping[str, Period] | None = None
    days_min: int = WEAKER_DAYS_MIN
    """Required notice in days if the version promises less."""
    kind: Kind = "markdown"

    reviewed: Reviewed | None = None

    @property
    def hash(self) -> str:
        """``sha256:`` and the hex digest of the text as given."""
        return self.text.hash


@dataclass(frozen=True, slots=True)
class VersionChange:
    """The change from one version to the next."""

    old: Issue
    new: Issue
    comparison: Comparison

    @property
    def refused(self) -> str:
        """Why the new version may not follow the old one, according to the declaration; empty if it may."""
        return self.refused_on(None)

    def refused_on(self, seen: dt.date | None) -> str:
        """The same for a text first *seen* on that day: nobody can have been informed earlier."""
        said = self._less()
        why = _untold(self.old, self.new, seen) if said else ""
        return f"{said}, and {why}" if why else ""

    def _less(self) -> str:
        """How the new version promises less, or may. A named reviewer can settle a doubt, but not a definite loss."""
        compared = self.comparison
        if compared.weaker:
            return f"{counted(len(compared.weaker), 'clause promises', 'clauses promise')} less than before"
        if self._is_vouched_for or compared.verdict is Verdict.SAME:
            return ""
        if not compared.is_read:
            return "it cannot be compared with the one before it, because only English is supported"
        doubts = counted(len(compared.doubtful), "clause")
        return f"{doubts} may promise less than before" if compared.doubtful else ""

    @property
    def _is_vouched_for(self) -> bool:
        """True if a named person has reviewed exactly these two texts and found that the new one promises no less."""
        word = self.new.reviewed
        return word is not None and (word.than, word.text) == (self.old.hash, self.new.hash)


def _untold(old: Issue, new: Issue, seen: dt.date | None) -> str:
    """Why people are not informed in time of a new version that takes something from them; empty if they are."""
    announce = new.announce
    if announce is None:
        return "how people are informed of it is not declared"
    if new.effective <= old.effective:
        return f"that needs a day of its own: set its effective day after {old.effective}"
    if announce.on is None or (seen is not None and announce.on > seen):
        return "people have not been informed yet"
    days = max(announce.days_before, new.days_min)
    told = max(announce.on, seen or announce.on)
    if (new.effective - told).days >= days:
        return ""
    earliest = dt.date.fromordinal(min(told.toordinal() + days, dt.date.max.toordinal()))
    return f"people were informed too late: it can take effect on {earliest} at the earliest"


def chain(declaration: Declaration) -> tuple[Issue, ...]:
    """Every version including the current one, earliest first. Raises `PolicyError` if one cannot be read."""
    issues = [todays(declaration, read_file(declaration.folder / declaration.policy.file))]
    for index, one in enumerate(declaration.policy.versions):
        text, path = read_file(declaration.folder / one.file), f"policy.versions.{index}"
        issues.append(_issue(declaration, one, text, path, one.keeps))
    return tuple(sorted(issues, key=lambda issue: issue.effective))


def todays(declaration: Declaration, text: PolicyText) -> Issue:
    """The current version, from the parsed text of the policy file."""
    return _issue(declaration, declaration.policy, text, "policy", None)


def steps(issues: tuple[Issue, ...]) -> Iterator[VersionChange]:
    """Each version with the one before it."""
    return (VersionChange(old, new, compare(old.text, new.text)) for old, new in pairwise(issues))


def check(declaration: Declaration) -> list[Problem]:
    """Problems with the versions: a file that cannot be read, a weaker version without an announcement."""
    problems = list(_named(declaration))
    try:
        issues = chain(declaration)
    except PolicyError as error:
        return [*problems, declaration.problem("version-unreadable", "policy.versions", str(error), "give its file")]
    known = tuple(steps(issues))
    return [*problems, *_refused(declaration, known), *_hasty(declaration, issues), *_forgotten(declaration, known)]


def _issue(
    declaration: Declaration,
    version: Policy | DeclaredVersion,
    text: PolicyText,
    path: str,
    keeps: Mapping[str, Period] | None,
) -> Issue:
    promised = declaration.notice.changes
    days_min = max(WEAKER_DAYS_MIN, promised.days_before if promised else 0)
    name, kind = version.effective.isoformat(), kind_of(version.file.name)
    return Issue(name, version.effective, text, path, version.announce, keeps, days_min, kind, version.reviewed)


def _named(declaration: Declaration) -> Iterator[Problem]:
    days = [declaration.policy.effective]
    for index, version in enumerate(declaration.policy.versions):
        path = f"policy.versions.{index}"
        if version.effective in days:
            message, fix = "two versions have the same effective day", "give each of them a different effective day"
            yield declaration.problem("version-same-day", f"{path}.effective", message, fix)
        days.append(version.effective)
        for rule in version.keeps:
            if rule not in declaration.retention:
                fix = meant(nearest(rule, declaration.retention), "give a key of 'retention'")
                message = f"no retention rule '{shown(rule)}'"
                yield declaration.problem("version-keeps", f"{path}.keeps.{rule}", message, fix)


def _refused(declaration: Declaration, known: Iterable[VersionChange]) -> Iterator[Problem]:
    for step in known:
        if why := step.refused:
            fix = (
                f"see `troth policy diff` ({_where(step)}); say 'announce: {{how: [email, site], days_before: 30, "
                "on: …}' once people are informed, or revert the change; if it only may promise less, declare under "
                "'reviewed' who has read it"
            )
            yield declaration.problem("version-weaker", step.new.path, why, fix)


def _where(step: VersionChange) -> str:
    """The lines of the clauses that promise less, or may."""
    changes = step.comparison.weaker or step.comparison.doubtful
    lost = [f"{change.old.line} before" for change in changes if change.old]
    added = [f"{change.new.line}" for change in changes if change.new and not change.old]
    return f"line {', '.join([*lost, *added][:5])}"


def _hasty(declaration: Declaration, issues: tuple[Issue, ...]) -> Iterator[Problem]:
    """Versions announced with less notice than the privacy notice promises for changes."""
    promised = declaration.notice.changes
    for issue in issues:
        if promised and issue.announce and issue.announce.days_before < promised.days_before:
            told = counted(issue.announce.days_before, "day")
            message = f"people are informed {told} before, but {promised.days_before} are promised"
            fix = "inform them earlier, or set a later effective day"
            yield declaration.problem("version-hasty", f"{issue.path}.announce", message, fix)


def _forgotten(declaration: Declaration, known: Iterable[VersionChange]) -> Iterator[Problem]:
    """Older versions with a shorter period but without `keeps` for their data."""
    for step in known:
        longer = [change for change in step.comparison.changes if change.is_longer]
        if longer and not step.old.keeps and step.old.path != "policy":
            message = f"{counted(len(longer), 'time')} became longer, but the periods of this version are not declared"
            fix = "if it is a retention period, add 'keeps: {RULE: period}'"
            yield declaration.problem("version-forgets", step.old.path, message, fix, Severity.WARNING)

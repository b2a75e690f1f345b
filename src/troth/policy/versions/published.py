"""The versions that a declaration names, in the order in which they came into force, and whether each might follow the
one before it: a version that promises less needs people to be told of it, long enough before it counts (clause C55)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from troth.counting import counted
from troth.declaration import Declaration, Period, Problem
from troth.declaration.problems import Severity, nearest_of, shown
from troth.declaration.versions import Announcement
from troth.policy.reading.files import read_file
from troth.policy.text import PolicyError, PolicyText
from troth.policy.versions.comparing import Comparison, compare

__all__ = ["Issue", "Step", "chain", "check", "steps", "why_not"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One version of the policy. Its *name* is its first day, by which rows name it; *path* is its key in the
    declaration."""

    name: str
    effective: dt.date
    text: PolicyText
    path: str
    announce: Announcement | None = None
    keeps: Mapping[str, Period] | None = None

    @property
    def hash(self) -> str:
        """``sha256:`` and the digits over the text as it was given."""
        return "sha256:" + hashlib.sha256(self.text.source.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next."""

    old: Issue
    new: Issue
    comparison: Comparison

    @property
    def refused(self) -> str:
        """Why the new version may not follow the old one; empty where it may."""
        return why_not(self.comparison, self.new.announce, self.new.effective)


def chain(declaration: Declaration) -> tuple[Issue, ...]:
    """Every version, the earliest first, today's among them. Raises `PolicyError` where one cannot be read."""
    policy = declaration.policy
    issues = [_issue(declaration, policy.file, policy.effective, "policy", policy.announce, None)]
    for index, one in enumerate(policy.versions):
        path = f"policy.versions.{index}"
        issues.append(_issue(declaration, one.file, one.effective, path, one.announce, one.keeps))
    return tuple(sorted(issues, key=lambda issue: issue.effective))


def steps(issues: tuple[Issue, ...]) -> Iterator[Step]:
    """Each version with the one before it."""
    return (Step(old, new, compare(old.text, new.text)) for old, new in pairwise(issues))


def why_not(comparison: Comparison, announce: Announcement | None, effective: dt.date) -> str:
    """Why a version with these changes may not count from that day; empty where it may."""
    if not comparison.weaker:
        return ""
    weaker = counted(len(comparison.weaker), "clause")
    if announce is None:
        return f"{weaker} promise less than before, and nothing says how people learn of it"
    if announce.on is None:
        return f"{weaker} promise less than before, and people have not been told yet"
    told = announce.on + dt.timedelta(days=announce.days_before)
    if told > effective:
        return f"{weaker} promise less than before, and people were told too late: it may count from {told} on"
    return ""


def check(declaration: Declaration) -> list[Problem]:
    """What is wrong with the versions: a file that cannot be read, a weaker version that nobody is told of."""
    problems = list(_named(declaration))
    try:
        issues = chain(declaration)
    except PolicyError as error:
        return [*problems, _problem(declaration, "version-unreadable", "policy.versions", str(error), "name its file")]
    known = tuple(steps(issues))
    return [*problems, *_refused(declaration, known), *_hasty(declaration, issues), *_forgotten(declaration, known)]


def _issue(
    declaration: Declaration,
    file: Path,
    effective: dt.date,
    path: str,
    announce: Announcement | None,
    keeps: Mapping[str, Period] | None,
) -> Issue:
    return Issue(effective.isoformat(), effective, read_file(declaration.folder / file), path, announce, keeps)


def _named(declaration: Declaration) -> Iterator[Problem]:
    days = [declaration.policy.effective]
    for index, version in enumerate(declaration.policy.versions):
        path = f"policy.versions.{index}"
        if version.effective in days:
            message, mend = "two versions count from the same day", "name the day since when each of them counts"
            yield _problem(declaration, "version-same-day", f"{path}.effective", message, mend)
        days.append(version.effective)
        for rule in version.keeps:
            if rule not in declaration.retention:
                near = nearest_of(rule, declaration.retention)
                mend = f"did you mean '{shown(near)}'?" if near else "name a key of 'retention'"
                message = f"no retention rule '{shown(rule)}'"
                yield _problem(declaration, "version-keeps", f"{path}.keeps.{rule}", message, mend)


def _refused(declaration: Declaration, known: Iterable[Step]) -> Iterator[Problem]:
    for step in known:
        if why := step.refused:
            mend = (
                f"see `troth policy diff` ({_where(step)}); say 'announce: {{how: [email, site], days_before: 30, "
                "on: …}' once people are told, or take the change back"
            )
            yield _problem(declaration, "version-weaker", step.new.path, why, mend)


def _where(step: Step) -> str:
    """The lines of the clauses that promise less."""
    lost = [f"{change.old.line} before" for change in step.comparison.weaker if change.old]
    added = [f"{change.new.line}" for change in step.comparison.weaker if change.new and not change.old]
    return f"line {', '.join([*lost, *added][:5])}"


def _hasty(declaration: Declaration, issues: tuple[Issue, ...]) -> Iterator[Problem]:
    """A version that is announced later than the notice says that changes are."""
    promised = declaration.notice.changes
    for issue in issues:
        if promised and issue.announce and issue.announce.days_before < promised.days_before:
            told = counted(issue.announce.days_before, "day")
            message = f"people are told {told} before, and {promised.days_before} are promised"
            mend = "tell them earlier, or let the version count later"
            yield _problem(declaration, "version-hasty", f"{issue.path}.announce", message, mend)


def _forgotten(declaration: Declaration, known: Iterable[Step]) -> Iterator[Problem]:
    """An older version that had a shorter time, and no period that its data keeps."""
    for step in known:
        longer = [change for change in step.comparison.changes if change.is_longer]
        if longer and not step.old.keeps and step.old.path != "policy":
            message = f"{counted(len(longer), 'time')} became longer, and nothing says what this version's data keeps"
            mend = "where it is a period of retention, add 'keeps: {RULE: period}'"
            yield _problem(declaration, "version-forgets", step.old.path, message, mend, Severity.WARNING)


def _problem(
    declaration: Declaration, code: str, path: str, message: str, mend: str, severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(code, declaration.where(path), path, message, mend, severity)

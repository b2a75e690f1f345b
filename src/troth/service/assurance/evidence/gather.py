"""Collects the content of an archive from the records, as of the time of the latest item in it."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, QuerySet

from troth.controls import Control, PromiseStatus
from troth.ledger import Checkpoint, DeclaredName, Entry, LedgerError, Progress, instant_text, signed_in, silently
from troth.reports import Screening, screen
from troth.service.assurance.evaluation import judge, meant
from troth.service.assurance.integrity import LedgerHistory, require_retracted
from troth.service.assurance.models import ChangeRow
from troth.service.core import checks
from troth.service.core.commitment import StoredCheck, kept
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import DatabaseLog, tree
from troth.service.core.models import CheckRow, EntryRow, Retraction
from troth.service.core.own_tables import without_own
from troth.service.duty import listed

_OF_CHECKS = ("check.changed", "check.made")


@dataclass(frozen=True, slots=True)
class ArchiveScope:
    """Scope of an archive: all promises, or some by id; from the start, or from a day on. *earlier* are checkpoints
    that somebody holds; the archive proves that the ledger continues them."""

    since: dt.date | None = None
    promises: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def begins(self) -> dt.datetime | None:
        return dt.datetime.combine(self.since, dt.time(), dt.UTC) if self.since else None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything for the files of an archive. Checks and entries are read while they are written."""

    deployment: Deployment
    wanted: ArchiveScope
    log: DatabaseLog
    note: str
    signed: Checkpoint
    as_of: dt.datetime
    """Time of the latest check, or of the checkpoint if later; statuses are as of then."""
    promises: tuple[PromiseStatus, ...]
    changes: Mapping[str, Sequence[ChangeRow]]
    """Changes of the promises in that period, by name, earliest first."""
    controls: Mapping[str, Control]
    retractions: tuple[Retraction, ...]
    last_check: int
    standing: frozenset[int]
    """Leaves of checks from before the requested day that a status depends on."""
    until: dt.datetime | None
    """Checks from this time on are omitted: some of their entries are not in the signed ledger yet."""
    told: LedgerHistory
    """Content of the entries read so far."""

    @property
    def screened(self) -> tuple[Screening, ...]:
        """Screening of the company's purposes for impact assessments, by the lists valid then."""
        return screen(without_own(self.deployment.declaration), on=self.as_of.date())

    def checks_of(self, control: str) -> Iterator[StoredCheck]:
        """Checks of *control* since the requested day, oldest first, and those that its status depends on. Read them
        after the entries: raises `RecordsDiffer` if entries contradict them."""
        rows = CheckRow.objects.filter(control=control, pk__lte=self.last_check)
        if (begins := self.wanted.begins) is not None:
            standing = [row.pk for row in checks.deciding([control])[control]]
            rows = rows.filter(Q(at__gte=begins) | Q(pk__in=standing))
        several = kept(_before(rows, self.until).order_by("at", "pk"))
        yield from self.told.required(control, several, since=instant_text(begins) if begins else "")

    def require_told(self) -> None:
        """Check that every change of the promises matches the entries read, and every retraction its own entry; raises
        `RecordsDiffer`."""
        for each in self.promises:
            changes = ((row.entry.leaf, row) for row in self.changes[each.name] if row.entry.leaf is not None)
            self.told.require_changes(each.name, changes)
        for retraction in self.retractions:
            require_retracted(retraction)
        leaves = {row.entry.leaf for row in self.retractions if row.entry.leaf is not None}
        for control in sorted(self.told.controls):
            self.told.require_retractions(control, leaves)

    def entries(self, progress: Progress = silently) -> Iterator[dict[str, Any]]:
        """Entries in scope, each with its proof under the archive's checkpoint."""
        proving = self.log.proving()
        evidenced = frozenset(DeclaredName.of(control).text for control in self.controls)
        names = evidenced | {each.name for each in self.promises} if self.wanted.promises else frozenset[str]()
        for leaf, stored in enumerate(self.log.stored(0, self.signed.size)):
            progress(leaf + 1)
            if not _could_be_wanted(stored):
                continue
            entry = json.loads(stored.partition(b" ")[2])
            is_wanted = self._is_wanted(leaf, entry, names, evidenced)
            self.told.note(leaf, entry, is_wanted=is_wanted)
            if is_wanted:
                proof = proving.inclusion(leaf, self.signed.size)
                yield {"leaf": leaf, "entry": _text(stored), "proof": list(map(_text, proof))}

    def earlier(self) -> Iterator[dict[str, Any]]:
        """Checkpoints held by outsiders or the requester, each with a proof that the ledger continues it."""
        proving, told = self.log.proving(), set[int]()
        for note in (self.log.cosigned(), *self.wanted.earlier):
            then = signed_in(note, self.log.verifier) if note else None
            if note is None or then is None or not then.size or then.size in told or then.size >= self.signed.size:
                continue
            told.add(then.size)
            proof = proving.consistency(then.size, self.signed.size)
            yield {"checkpoint": note, "proof": list(map(_text, proof))}

    def _is_wanted(self, leaf: int, entry: Mapping[str, Any], names: frozenset[str], evidenced: frozenset[str]) -> bool:
        if not str(entry["kind"]).startswith(tuple(listed("evidence"))):
            return False
        if entry["kind"] in _OF_CHECKS and self.until is not None and entry["at"] >= instant_text(self.until):
            return False
        if self.wanted.since is not None and entry["at"][:10] < self.wanted.since.isoformat():
            return leaf in self.standing
        if entry["kind"] == "check.made" and entry["control"] not in evidenced:
            return False  # checks of a control that no promise names any more are no evidence of one
        about = {entry.get("promise"), entry.get("control")} - {None}
        return not names or not about or bool(about & names)


def _could_be_wanted(stored: bytes) -> bool:
    """True if the entry may be in scope: most entries of a large ledger are about people."""
    return any(b'"kind":"%s' % kind.encode() in stored for kind in listed("evidence"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def gather(deployment: Deployment, log: DatabaseLog, wanted: ArchiveScope) -> Gathered:
    """Collect what *wanted* requests. Raises `NoSuchPromise`, and `LedgerError` if the ledger cannot be signed."""
    note = log.checkpoint()
    signed = signed_in(note, log.verifier)
    _require_held(wanted.earlier, signed, log)
    last_check = CheckRow.objects.aggregate(pk=Max("pk"))["pk"] or 0
    until = _first_waiting(signed)
    newest = _before(CheckRow.objects.filter(pk__lte=last_check), until).aggregate(at=Max("at"))
    signed_at = tree().checkpoint_at
    moments = [each for each in (newest["at"], signed_at) if each is not None]
    as_of = max(moments, default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    promises = _promises(deployment, wanted, as_of)
    bound = {id_ for each in promises for id_ in each.promise.controls}
    controls = {id_: deployment.controls[id_] for id_ in sorted(bound) if id_ in deployment.controls}
    retractions = Retraction.objects.filter(entry__leaf__lt=signed.size).select_related("entry").order_by("at", "pk")
    if wanted.promises:  # otherwise all entries are included, even of controls that no promise names any more
        retractions = retractions.filter(control__in=controls)
    return Gathered(
        deployment,
        wanted,
        log,
        note,
        signed,
        as_of,
        promises,
        _changes([each.name for each in promises], wanted, signed),
        controls,
        tuple(retractions),
        last_check,
        _standing(controls) if wanted.since else frozenset(),
        until,
        LedgerHistory(until, number=lambda row: row.leaf),
    )


def _standing(controls: Iterable[str]) -> frozenset[int]:
    rows = [row.pk for several in checks.deciding(controls).values() for row in several]
    leaves = CheckRow.objects.filter(pk__in=rows).values_list("entry__leaf", flat=True)
    return frozenset(leaf for leaf in leaves if leaf is not None)


def _first_waiting(signed: Checkpoint) -> dt.datetime | None:
    """Time of the first check whose entries are not all in the signed ledger yet."""
    waiting = EntryRow.objects.filter(Q(leaf__isnull=True) | Q(leaf__gte=signed.size))
    entries = (Entry.decode(bytes(content)) for content in waiting.values_list("content", flat=True))
    return min((entry.at for entry in entries if entry.kind in _OF_CHECKS), default=None)


def _before(rows: QuerySet[CheckRow], until: dt.datetime | None) -> QuerySet[CheckRow]:
    return rows if until is None else rows.filter(at__lt=until)


def _require_held(notes: Sequence[str], signed: Checkpoint, log: DatabaseLog) -> None:
    """Raise `LedgerError` unless each of *notes* is a checkpoint that the ledger continues."""
    for note in notes:
        then = signed_in(note, log.verifier)
        if then.size > signed.size or (then.size and log.root(then.size) != then.root):
            raise LedgerError(f"the ledger does not continue the checkpoint over {then.size} entries that you gave")


def _promises(deployment: Deployment, wanted: ArchiveScope, as_of: dt.datetime) -> tuple[PromiseStatus, ...]:
    known = {status.name: status for status in judge(deployment, now=as_of)}
    asked = {meant(id_, known) for id_ in wanted.promises} or known.keys()
    return tuple(status for name, status in known.items() if name in asked)


def _changes(names: Sequence[str], wanted: ArchiveScope, signed: Checkpoint) -> Mapping[str, Sequence[ChangeRow]]:
    rows = ChangeRow.objects.filter(promise__in=names, entry__leaf__lt=signed.size).select_related("entry")
    if (begins := wanted.begins) is not None:
        rows = rows.filter(at__gte=begins)
    changes: dict[str, list[ChangeRow]] = {name: [] for name in names}
    for row in rows.order_by("at", "pk"):
        changes[row.promise].append(row)
    return changes

"""Writes the archive: its files, their order and their content."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from troth.controls import Control, ControlStatus, PromiseStatus
from troth.declaration import write
from troth.law import regimes
from troth.ledger import Progress, Signer, silently, write_archive
from troth.policy import kind_of
from troth.reports import as_csv, as_data, as_html, as_svg, lists, picture_data, picture_of, record_of, screening_data
from troth.service.assurance.evidence.gather import ArchiveScope, Gathered, gather
from troth.service.assurance.evidence.page import index
from troth.service.assurance.models import ChangeRow
from troth.service.core.commitment import StoredCheck, seen
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import DatabaseLog
from troth.service.core.models import Retraction
from troth.service.core.witnessing import timestamp_files
from troth.service.duty import named

_FORMAT = 1
"""Version of the archive format: grows when a file is removed or changes its meaning."""
ENDINGS = {"markdown": "md", "html": "html", "text": "txt"}


@dataclass(frozen=True, slots=True)
class Exported:
    """Summary of a written archive: counts, ledger key, and the time that it covers."""

    path: Path
    files: int
    promises: int
    entries: int
    as_of: dt.datetime
    key: str


def export_evidence(
    deployment: Deployment, signer: Signer, path: Path, wanted: ArchiveScope, *, progress: Progress = silently
) -> Exported:
    """Write the archive to *path*, a new file that appears only once it is complete.

    *progress* gets the number of ledger entries read. Raises `NoSuchPromise`, and `LedgerError`, in particular
    `RecordsDiffer` if our rows disagree with the ledger.
    """
    log = DatabaseLog(signer)
    found = gather(deployment, log, wanted)
    files = write_archive(path, _members(found, progress), signer, about=_about(found))
    return Exported(path, len(files), len(found.promises), found.signed.size, found.as_of, str(log.verifier))


def _about(gathered: Gathered) -> dict[str, Any]:
    return {
        "troth_evidence": _FORMAT,
        "organisation": gathered.deployment.declaration.organisation.name,
        "ledger": gathered.signed.origin,
        "entries": gathered.signed.size,
        "as_of": moment(gathered.as_of),
        "since": gathered.wanted.since.isoformat() if gathered.wanted.since else None,
        "promises": [each.id for each in gathered.promises] if gathered.wanted.promises else None,
        "declaration": gathered.deployment.declaration.hash,
    }


Member = tuple[str, Iterable[bytes]]


def _members(gathered: Gathered, progress: Progress) -> Iterator[Member]:
    """Every file but the manifest. Long files come in pieces, and the ledger before the files that rely on it."""
    yield from _ledger(gathered, progress)
    gathered.require_told()
    yield "index.html", [index(gathered).encode()]
    yield from _policy(gathered)
    for files in named("evidence_files"):
        yield from files(gathered)
    yield "declaration/troth.yaml", [write(gathered.deployment.declaration).encode()]
    yield "promises.json", [pretty([_promise(each, gathered.changes[each.name]) for each in gathered.promises])]
    yield "controls.json", [pretty([_control(each) for each in gathered.controls.values()])]
    retractions = {each.pk: _retraction(each) for each in gathered.retractions}
    yield "retractions.json", [pretty([*retractions.values()])]
    for control in gathered.controls:
        yield f"checks/{control}.jsonl", (_line(_check(row, retractions)) for row in gathered.checks_of(control))
    yield from _record(gathered)
    yield "law.json", [pretty(_law())]


def _policy(gathered: Gathered) -> Iterator[Member]:
    """The policy's file."""
    kind = kind_of(gathered.deployment.declaration.policy.file.name)
    yield f"policy/policy.{ENDINGS[kind]}", [gathered.deployment.policy.source.encode()]


def _record(gathered: Gathered) -> Iterator[Member]:
    declaration = gathered.deployment.declaration
    controller, processor = record_of(declaration, "controller"), record_of(declaration, "processor")
    for record in (controller, processor):
        name = f"record/{record.role}"
        yield f"{name}.html", [as_html(record).encode()]
        yield f"{name}.json", [pretty(as_data(record))]
        yield f"{name}.csv", [as_csv(record).encode()]
    picture = picture_of(declaration)
    yield "record/map.svg", [as_svg(picture).encode()]
    yield "record/map.json", [pretty(picture_data(picture))]
    yield "record/assessments.json", [pretty(screening_data(gathered.screened))]


def _ledger(gathered: Gathered, progress: Progress) -> Iterator[Member]:
    yield "ledger/checkpoint", [gathered.note.encode()]
    yield "ledger/verifier-key.txt", [f"{gathered.log.verifier}\n".encode()]
    yield "ledger/earlier.jsonl", map(_line, gathered.earlier())
    yield "ledger/entries.jsonl", map(_line, gathered.entries(progress))
    for name, data in sorted(timestamp_files().items()):
        yield f"ledger/{name}", [data]
    program = resources.files("troth.ledger").joinpath("verify_troth_ledger.py").read_bytes()
    yield "verify_troth_ledger.py", [program]


# --- as data --------------------------------------------------------------------------------------------------------


def moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def pretty(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _promise(judged: PromiseStatus, changes: Iterable[ChangeRow]) -> dict[str, Any]:
    promise = judged.promise
    return {
        "id": judged.id,
        "quote": promise.quote,
        "owner": promise.owner,
        "severity": promise.severity,
        "audience": promise.audience.value,
        "about": list(promise.about),
        "controls": list(promise.controls),
        "attestation": promise.attest.model_dump(mode="json") if promise.attest else None,
        "waiver": promise.waive.model_dump(mode="json") if promise.waive else None,
        "status": judged.status.value,
        "because": [_standing(one) for one in judged.by_control],
        "history": [_change(row) for row in changes],
    }


def _standing(standing: ControlStatus) -> dict[str, Any]:
    return {
        "control": standing.control,
        "status": standing.status.value if standing.status else None,
        "reason": standing.reason,
        "check_at": moment(standing.check.at) if standing.check else None,
    }


def _change(row: ChangeRow) -> dict[str, Any]:
    return {
        "at": moment(row.at),
        "before": row.before or None,
        "status": row.status,
        "cause": row.cause or None,
        "control": row.control or None,
        "summary": row.summary,
        "figures": row.figures,
        "leaf": row.entry.leaf,
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "id": control.id,
        "version": control.version,
        "question": control.question,
        "citation": control.citation,
        "clauses": list(control.clauses),
        "every_seconds": int(control.every.total_seconds()),
        "fresh_for_seconds": int(control.fresh_for.total_seconds()),
        "failures_to_break": control.failures_to_break,
        "severity": control.severity,
        "audience": control.audience.value,
        "remedy": control.remedy,
        "cannot_see": control.cannot_see,
        "must": str(control.must) if control.must else None,
    }


def _check(row: StoredCheck, retractions: Mapping[int, Any]) -> dict[str, Any]:
    """Everything that the check saw, how to find it in the ledger, and its retraction."""
    recorded = {"leaf": row.leaf, "salt": bytes(row.salt).hex()} if row.salt is not None else None
    retracted = retractions.get(row.retraction_id or 0)  # a very recent one is for the next archive
    return {**seen(row), "recorded": recorded, "retracted": retracted}


def _retraction(row: Retraction) -> dict[str, Any]:
    return {
        "control": row.control,
        "since": moment(row.since),
        "until": moment(row.until),
        "because": row.reason,
        "opening": bytes(row.opening).decode("ascii"),
        "checks": row.checks,
        "at": moment(row.at),
        "leaf": row.entry.leaf,
    }


def _law() -> dict[str, Any]:
    return {
        "rule_sets": [
            {
                "id": each.id,
                "name": each.name,
                "applies_from": each.applies_from.isoformat() if each.applies_from else None,
                "applies_to": each.applies_to.isoformat() if each.applies_to else None,
                "reviewed": each.reviewed.isoformat(),
                "obligations": len(each.obligations),
            }
            for each in regimes().values()
        ],
        "criteria_for_assessments": [
            {
                "id": each.id,
                "name": each.name,
                "source": each.url,
                "applies_from": each.applies_from.isoformat(),
                "applies_to": each.applies_to.isoformat() if each.applies_to else None,
                "reviewed": each.reviewed.isoformat(),
            }
            for each in lists()
        ],
    }

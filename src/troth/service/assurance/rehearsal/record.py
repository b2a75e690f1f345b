"""The last rehearsal on record: an entry in the ledger, and a row for each promise."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping

from django.conf import settings
from django.db import transaction

from troth.controls import RehearsalRecord, promise_name
from troth.declaration import Promise, load
from troth.json_values import json_fields
from troth.ledger import Entry, Hash, Value
from troth.rehearsal import Rehearsal
from troth.service.assurance.evidence.export import moment, pretty
from troth.service.assurance.evidence.gather import Gathered
from troth.service.assurance.models import RehearsalRow
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record


class OtherDeclaration(ServiceError):
    """The rehearsed declaration is not that of this deployment."""


def keep(rehearsal: Rehearsal, deployment: Deployment, *, now: dt.datetime) -> None:
    """Record what a rehearsal showed, in place of the last one. Raises `OtherDeclaration`."""
    if rehearsal.declaration != load(settings.TROTH.declaration).hash:
        raise OtherDeclaration("another declaration was rehearsed than the one that is in force here; rehearse again")
    promises = {promise_name(it): it for it in deployment.declaration.promises}
    made = [
        {
            "promise": it.name,
            "planted": len(it.planted),
            "noticed": it.noticed,
            "controls": list(promises[it.name].controls),
            "definition": _definition(promises[it.name], deployment),
            "unseen": [planted.text for planted in it.unseen],
            "not_planted": [breach.text for breach in it.not_planted],
        }
        for it in rehearsal.promises
        if it.planted and it.name in promises
    ]
    fields: dict[str, Value] = {
        "promises": len(made),
        "planted": rehearsal.planted,
        "noticed": rehearsal.noticed,
        "declaration": Hash(rehearsal.declaration),
        "content": Hash.of(json.dumps(made, sort_keys=True).encode()),
    }
    with transaction.atomic():
        [entry] = record(Entry("rehearsal.made", now, fields))
        RehearsalRow.objects.all().delete()
        RehearsalRow.objects.bulk_create(
            RehearsalRow(at=now, entry=entry, declaration=deployment.looked_at_hash, **row) for row in made
        )


def last(deployment: Deployment) -> Mapping[str, RehearsalRecord]:
    """What the last rehearsal showed of each promise, by its name: of none whose definition is another since, and
    nothing if the declaration has changed."""
    defined = {promise_name(it): _definition(it, deployment) for it in deployment.declaration.promises}
    return {
        row.promise: RehearsalRecord(row.planted, row.noticed, row.at, len(row.not_planted))
        for row in RehearsalRow.objects.filter(declaration=deployment.looked_at_hash)
        if row.definition == defined.get(row.promise)
    }


def files(gathered: Gathered) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The last rehearsal, for an archive of evidence."""
    rows = RehearsalRow.objects.filter(entry__leaf__lt=gathered.signed.size).order_by("id")
    shown = ("promise", "planted", "noticed", "controls", "definition", "unseen", "not_planted")
    listed = [{**json_fields(row, *shown), "at": moment(row.at)} for row in rows]
    if listed:
        yield "rehearsal.json", [pretty(listed)]


def _definition(promise: Promise, deployment: Deployment) -> str:
    """A hash over what decides which breaches are planted against a promise and whether they are noticed, as far as
    `looked_at_hash` leaves it out."""
    own, faults = deployment.declaration.controls, deployment.declaration.faults.values()
    meaning = [
        [(id_, deployment.controls[id_].version) for id_ in promise.controls if id_ in deployment.controls],
        promise.model_dump(mode="json", include={"about", "failures"}),
        [own[id_].model_dump(mode="json") for id_ in promise.controls if id_ in own],
        [it.model_dump(mode="json") for it in faults if not set(promise.controls).isdisjoint(it.breaks)],
    ]
    return Hash.of(json.dumps(meaning, sort_keys=True).encode()).text

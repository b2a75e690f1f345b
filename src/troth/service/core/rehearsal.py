"""Ordinary business and breaches of Troth's own records: keys, ledger, runs, holds, backups."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.declaration import Ledger
from troth.ledger import cosigned_message
from troth.rehearsal import Inapplicable, World, breach
from troth.service.core.deployment import current
from troth.service.core.key_registry import note_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, keep_outside, sequence
from troth.service.core.models import EntryRow, LegalHold, OutsideSignature, RunRow, Tile, Tombstone
from troth.service.core.restore_drill import Drill, note_drill

_NAME = "example.org/witness"


def ordinary(world: World) -> None:
    """The keys are on record, and a backup has been tested."""
    deployment = current()
    note_keys(deployment.keyring, now=world.now, field=deployment.declaration.cryptoperiods.field_lasts)
    note_drill(Drill(4, 3, 0, 1, 0, 0, None, 0), now=world.now)


def conclude(world: World) -> None:
    """The ledger is sequenced, and cosigned by an invented witness where the company declares some."""
    signer = ledger_signer(world.keyring, world.declaration.organisation)
    sequence(signer, now=world.now)
    if world.declaration.ledger is not None and world.declaration.ledger.witnesses:
        witness = Ed25519PrivateKey.generate()
        public = b"\x04" + witness.public_key().public_bytes_raw()
        number = hashlib.sha256(_NAME.encode() + b"\n" + public).digest()[:4]
        note = DatabaseLog(signer).checkpoint()
        moment = int(world.now.timestamp())
        signature = witness.sign(cosigned_message(note.rpartition("\n\n")[0] + "\n", moment))
        line = base64.b64encode(number + moment.to_bytes(8) + signature).decode()
        keep_outside(world.now, cosigned=f"{note}— {_NAME} {line}\n".encode())
        key = f"{_NAME}+{number.hex()}+{base64.b64encode(public).decode()}"
        given = [{"key": key, "url": "https://witness.example.org"}]
        world.declare(ledger=Ledger.model_validate({"witnesses": given}))


@breach("ledger.intact", "Somebody rewrites an entry in the database.")
def rewritten_entry(world: World) -> None:
    row = EntryRow.objects.order_by("id").first()
    assert row is not None, "ordinary business leaves entries"
    EntryRow.objects.filter(pk=row.pk).update(content=bytes(row.content).replace(b'"', b"'", 1))


@breach("ledger.intact", "Somebody deletes entries that nobody is to see.")
def deleted_entries(world: World) -> None:
    EntryRow.objects.filter(pk__in=list(EntryRow.objects.values_list("pk", flat=True)[:2])).delete()


@breach("ledger.intact", "Somebody deletes the tree and has it built anew over changed entries.")
def rebuilt_tree(world: World) -> None:
    rewritten_entry(world)
    Tile.objects.all().delete()


@breach("ledger.witnessed", "The witnesses stop answering for two days.")
def silent_witness(world: World) -> None:
    world.now += dt.timedelta(days=2)


@breach("ledger.witnessed", "The cosigned checkpoint is deleted.")
def no_cosignature(world: World) -> None:
    OutsideSignature.objects.all().delete()


@breach("retention.erased_stays_erased", "An old backup is restored, and brings an erased person back.")
def restored_backup(world: World) -> None:
    if not Tombstone.objects.exists():
        raise Inapplicable("nobody was erased")
    world.put_back(world.people[-1])


@breach("core.runs_finished", "A process dies in the middle of a deletion, and nobody resumes it.")
def run_left(world: World) -> None:
    begun = world.now - dt.timedelta(hours=5)
    RunRow.objects.create(
        run_id="rehearsed", action="erase", plan_hash="-", declaration_hash="-", begun_at=begun, sealed_plan=b"-"
    )


@breach("core.restores", "No backup is tested for four months.")
def no_drill(world: World) -> None:
    world.now += dt.timedelta(days=120)


@breach("core.restores", "A tested backup still opens for somebody who was erased.")
def open_backup(world: World) -> None:
    note_drill(Drill(4, 4, 0, 1, 1, 0, None, 0), now=world.now)
    sequence(ledger_signer(world.keyring, world.declaration.organisation), now=world.now)


@breach("core.held_cases_freeze_deletion", "The hold on the data of somebody who waits to see it is removed.")
def removed_hold(world: World) -> None:
    if not LegalHold.objects.filter(released_at=None).exists():
        raise Inapplicable("no hold")
    LegalHold.objects.all().delete()

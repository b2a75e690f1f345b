"""Ordinary business and breaches of Troth's own records: keys, ledger, runs, holds, backups."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import shutil
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection

from troth.declaration import Ledger
from troth.ledger import cosigned_message
from troth.protect import Keychain, KeyState
from troth.rehearsal import Inapplicable, InventedRow, World, breach
from troth.service.core.key_registry import note_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, keep_outside, sequence
from troth.service.core.models import EntryRow, LegalHold, OutsideSignature, RunRow, Tile, Tombstone, Tree
from troth.service.core.restore_drill import Drill, note_drill

_NAME = "example.org/witness"
_DRILL = Drill(4, 3, 0, 1, 0, 0, None, 0)


def ordinary(world: World) -> None:
    """The keys are on record, and a backup has been tested."""
    _note_keys(world)
    note_drill(_DRILL, now=world.now)


def conclude(world: World) -> None:
    """The ledger is sequenced, and cosigned by an invented witness where the company declares some."""
    _sequence(world)
    if world.declaration.ledger is not None and world.declaration.ledger.witnesses:
        _cosign(world)


def _note_keys(world: World) -> None:
    note_keys(world.keyring, now=world.now, field=world.declaration.cryptoperiods.field_lasts)


def _sequence(world: World) -> None:
    sequence(ledger_signer(world.keyring, world.declaration.organisation), now=world.now)


def _cosign(world: World) -> None:
    """An invented witness cosigns the ledger as it is, and is the one that is declared."""
    witness = Ed25519PrivateKey.generate()
    public = b"\x04" + witness.public_key().public_bytes_raw()
    number = hashlib.sha256(_NAME.encode() + b"\n" + public).digest()[:4]
    note = DatabaseLog(ledger_signer(world.keyring, world.declaration.organisation)).checkpoint()
    moment = int(world.now.timestamp())
    signature = witness.sign(cosigned_message(note.rpartition("\n\n")[0] + "\n", moment))
    line = base64.b64encode(number + moment.to_bytes(8) + signature).decode()
    keep_outside(world.now, cosigned=f"{note}— {_NAME} {line}\n".encode())
    _declare_witness(world, f"{_NAME}+{number.hex()}+{base64.b64encode(public).decode()}")


def _declare_witness(world: World, key: str) -> None:
    given = [{"key": key, "url": "https://witness.example.org"}]
    world.declare(ledger=Ledger.model_validate({"witnesses": given}))


# --- the ledger -------------------------------------------------------------------------------------------------------


@breach("ledger.intact", "Somebody rewrites an entry in the database.")
def rewritten_entry(world: World) -> None:
    row = EntryRow.objects.get(leaf=0)
    EntryRow.objects.filter(pk=row.pk).update(content=bytes(row.content).replace(b'"', b"'", 1))


@breach("ledger.intact", "Somebody deletes entries that nobody is to see.")
def deleted_entries(world: World) -> None:
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_entry WHERE leaf < 2")


@breach("ledger.intact", "Somebody deletes the tree and has it built anew over changed entries.")
def rebuilt_tree(world: World) -> None:
    rewritten_entry(world)
    Tile.objects.all().delete()


@breach("ledger.intact", "An operator rewrites an entry and signs the whole ledger anew, with the company's own key.")
def signed_anew(world: World) -> None:
    rewritten_entry(world)
    Tile.objects.all().delete()
    Tree.objects.all().delete()
    EntryRow.objects.update(leaf=None)
    _sequence(world)


@breach("ledger.intact", "The clock of the machine is set back by two days.")
def clock_set_back(world: World) -> None:
    world.now -= dt.timedelta(days=2)


@breach(
    "ledger.intact",
    "Somebody deletes an entry in the minute before it gets its number.",
    unseen="an entry is protected from the moment on which it has a place in the tree",
)
def deleted_at_once(world: World) -> None:
    note_drill(_DRILL, now=world.now)
    EntryRow.objects.filter(leaf=None).latest("id").delete()


@breach("ledger.witnessed", "The witnesses stop answering for two days.")
def silent_witness(world: World) -> None:
    world.now += dt.timedelta(days=2)


@breach("ledger.witnessed", "The cosigned checkpoint is deleted.")
def no_cosignature(world: World) -> None:
    OutsideSignature.objects.all().delete()


@breach("ledger.witnessed", "A witness begins anew with another key, and nobody declares it.")
def other_witness(world: World) -> None:
    cosigned = OutsideSignature.objects.filter(name="cosigned").first()
    _cosign(world)
    if cosigned is None:
        raise Inapplicable("no witness has cosigned")
    keep_outside(world.now, cosigned=bytes(cosigned.data))


@breach("ledger.witnessed", "An operator signs a rewritten ledger, with which no witness would agree.")
def unwitnessed_history(world: World) -> None:
    signed_anew(world)


@breach(
    "ledger.witnessed",
    "The company runs the witness itself.",
    unseen="a cosignature does not show who holds the key",
)
def own_witness(world: World) -> None:
    _cosign(world)


# --- keys -------------------------------------------------------------------------------------------------------------


def _chain(world: World) -> Keychain:
    assert world.keyring.chain is not None, "a rehearsal has keys in a folder"
    return world.keyring.chain


@breach("protect.keys_current", "Nobody replaces a key at the end of its period.")
def old_key(world: World) -> None:
    world.now += world.declaration.cryptoperiods.field_lasts + dt.timedelta(days=1)


def _rotated(world: World, *, after: dt.timedelta) -> None:
    """The keys below the root key are replaced, and what the old ones sealed is left as it is."""
    _chain(world).rotate("field", now=world.now)
    world.now += after
    _chain(world).rotate("epoch", now=world.now)
    _note_keys(world)


@breach("protect.keys_current", "A key is replaced, and what it sealed stays under it.")
def never_resealed(world: World) -> None:
    _rotated(world, after=dt.timedelta(days=40))


@breach("protect.keys_current", "Only the keys below the root key are ever replaced.")
def old_root_key(world: World) -> None:
    world.now += world.declaration.cryptoperiods.field_lasts
    _rotated(world, after=dt.timedelta(hours=1))


@breach("protect.keys_current", "A key becomes known outside, and stays where it is.")
def compromised_key(world: World) -> None:
    _chain(world).move(_chain(world).rotate("field", now=world.now).name, KeyState.COMPROMISED, now=world.now)
    _note_keys(world)


@breach("protect.keys_current", "An old copy of the key file is put back.")
def older_key_file(world: World) -> None:
    file = settings.TROTH.home / "keys.toml"
    older = file.read_bytes()
    _chain(world).rotate("field", now=world.now)
    _note_keys(world)
    file.write_bytes(older)


@breach("protect.keys_current", "A key is replaced, and there is nobody who may destroy the old one.")
def nobody_destroys(world: World) -> None:
    for _ in range(2):
        _chain(world).rotate("field", now=world.now)
    _note_keys(world)


@breach("protect.keys_current", "A key is made on a machine whose clock is a month ahead.")
def key_of_next_month(world: World) -> None:
    _chain(world).rotate("field", now=world.now + dt.timedelta(days=30))
    _note_keys(world)


@breach(
    "protect.keys_current",
    "An administrator copies the keys to a stick.",
    unseen="a copy leaves no trace in the key store",
)
def copied_keys(world: World) -> None:
    shutil.copytree(settings.TROTH.home, world.folder / "stick", dirs_exist_ok=True)


# --- erased people ----------------------------------------------------------------------------------------------------


def _rows_of_erased(world: World) -> list[InventedRow]:
    """The rows of the erased person that name them by e-mail, in databases."""
    rows = [row for row in world.rows if row.person == world.people[-1]] if Tombstone.objects.exists() else []
    named = [
        row for row in rows if _address_column(world, row) and world.stores.is_database(row.place.partition(".")[0])
    ]
    if not named:
        raise Inapplicable("nobody was erased from a database")
    return named


def _address_column(world: World, row: InventedRow) -> str:
    table = world.declaration.table_at(row.place)
    naming = [*table.identity.items(), *table.mentions.items()] if table is not None else []
    return next((it.column for kind, it in naming if kind == "email"), "")


@breach("retention.erased_stays_erased", "An old backup is restored, and brings an erased person back.")
def restored_backup(world: World) -> None:
    if not Tombstone.objects.exists():
        raise Inapplicable("nobody was erased")
    world.put_back(world.people[-1])


@breach("retention.erased_stays_erased", "A list that was bought holds the address of somebody erased, in capitals.")
def bought_list(world: World) -> None:
    row = _rows_of_erased(world)[0]
    column = _address_column(world, row)
    values = {**row.values, column: str(row.values[column]).upper()}
    world.stores.insert(row.place, [replace(row, values=values)], world.declaration)


@breach("retention.erased_stays_erased", "An erased person is back, and the columns that name people are not declared.")
def undeclared_columns(world: World) -> None:
    restored_backup(world)
    for place, table in list(world.tables()):
        system, _, name = place.partition(".")
        declared = world.declaration.systems[system]
        tables = {**declared.tables, name: table.model_copy(update={"identity": {}, "mentions": {}})}
        changed = declared.model_copy(update={"tables": tables})
        world.declare(systems={**world.declaration.systems, system: changed})


@breach(
    "retention.erased_stays_erased",
    "Somebody erased is entered again under another address.",
    unseen="nothing shows that two addresses belong to one person",
)
def other_address(world: World) -> None:
    row = _rows_of_erased(world)[0]
    values = {**row.values, _address_column(world, row): "ann.again@example.org"}
    table = world.declaration.table_at(row.place)
    for kind, identity in table.identity.items() if table is not None else ():
        if kind != "email":
            values[identity.column] = None
    world.stores.insert(row.place, [replace(row, values=values)], world.declaration)


@breach(
    "retention.erased_stays_erased",
    "A colleague pastes the address of somebody erased into a note.",
    unseen="it compares columns that name people, not free text",
)
def pasted_address(world: World) -> None:
    _rows_of_erased(world)
    for place, table in world.tables():
        system, _, name = place.partition(".")
        notes = [column for column, use in table.fields.items() if use.free_text]
        if notes and world.stores.is_database(system):
            text = f"Please write to {world.people[-1].identifier('email')}."
            world.stores.run(system, f"UPDATE `{name}` SET `{notes[0]}` = ?", text)  # noqa: S608
            return
    raise Inapplicable("no free text in a database")


# --- runs, backups, holds ---------------------------------------------------------------------------------------------


def _begin(action: str, begun: dt.datetime) -> RunRow:
    run = {"run_id": "rehearsed", "action": action, "plan_hash": "-", "declaration_hash": "-"}
    return RunRow.objects.create(**run, begun_at=begun, sealed_plan=b"-")


@breach("core.runs_finished", "A process dies in the middle of a deletion, and nobody resumes it.")
def run_left(world: World) -> None:
    _begin("erase", world.now - dt.timedelta(hours=5))


@breach("core.runs_finished", "A correction of last year was never finished.")
def forgotten_run(world: World) -> None:
    _begin("amend", world.now - dt.timedelta(days=300))


@breach("core.runs_finished", "A deletion is begun on a machine whose clock is ahead, and left.")
def run_of_tomorrow(world: World) -> None:
    _begin("erase", world.now + dt.timedelta(days=1))


@breach(
    "core.runs_finished",
    "Somebody marks a deletion as finished in the database that was not.",
    unseen="what a run did is not looked at again",
)
def run_marked_finished(world: World) -> None:
    run = _begin("erase", world.now - dt.timedelta(hours=5))
    RunRow.objects.filter(pk=run.pk).update(finished_at=world.now, sealed_plan=None)


def _drilled(world: World, drill: Drill) -> None:
    note_drill(drill, now=world.now)
    _sequence(world)


@breach("core.restores", "No backup is tested for four months.")
def no_drill(world: World) -> None:
    world.now += dt.timedelta(days=120)


@breach("core.restores", "A tested backup still opens for somebody who was erased.")
def open_backup(world: World) -> None:
    _drilled(world, replace(_DRILL, opened=4, erased_opened=1))


@breach("core.restores", "A tested backup has lost the data of somebody who was not erased.")
def lossy_backup(world: World) -> None:
    _drilled(world, replace(_DRILL, opened=2, lost=1))


@breach("core.restores", "The backup that is tested is empty.")
def empty_backup(world: World) -> None:
    _drilled(world, replace(_DRILL, tried=0, opened=0, erased=0))


@breach(
    "core.restores",
    "An administrator keeps a copy of the keys from before an erasure.",
    unseen="a test uses the keys that there are, and knows no other copy",
)
def kept_keys(world: World) -> None:
    copied_keys(world)


@breach(
    "core.restores",
    "Somebody notes a test of a backup that was never made.",
    unseen="it believes the test that is on record",
)
def invented_drill(world: World) -> None:
    no_drill(world)
    _drilled(world, _DRILL)


@breach("core.held_cases_freeze_deletion", "The hold on the data of somebody who waits to see it is removed.")
def removed_hold(world: World) -> None:
    if not LegalHold.objects.filter(released_at=None).exists():
        raise Inapplicable("no hold")
    LegalHold.objects.all().delete()


@breach("core.held_cases_freeze_deletion", "A hold is released before the person has seen the data.")
def released_hold(world: World) -> None:
    if not LegalHold.objects.filter(released_at=None).update(released_at=world.now):
        raise Inapplicable("no hold")

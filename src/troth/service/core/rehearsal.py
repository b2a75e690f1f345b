"""Ordinary business and breaches of Troth's own records: keys, ledger, runs, holds, backups."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import shutil
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from troth.declaration import Ledger
from troth.ledger import cosigned_message
from troth.protect import Keychain, KeyState
from troth.rehearsal import Inapplicable, InventedRow, World, register
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
        cosign(world)


def _note_keys(world: World) -> None:
    note_keys(world.keyring, now=world.now, field=world.declaration.cryptoperiods.field_lasts)


def _sequence(world: World) -> None:
    sequence(ledger_signer(world.keyring, world.declaration.organisation), now=world.now)


def cosign(world: World) -> None:
    """An invented witness cosigns the ledger as it is, and is the one that is declared."""
    witness = Ed25519PrivateKey.generate()
    public = b"\x04" + witness.public_key().public_bytes_raw()
    number = hashlib.sha256(_NAME.encode() + b"\n" + public).digest()[:4]
    note = DatabaseLog(ledger_signer(world.keyring, world.declaration.organisation)).checkpoint()
    moment = int(world.now.timestamp())
    signature = witness.sign(cosigned_message(note.rpartition("\n\n")[0] + "\n", moment))
    line = base64.b64encode(number + moment.to_bytes(8) + signature).decode()
    keep_outside(world.now, cosigned=f"{note}— {_NAME} {line}\n".encode())
    given = {"key": f"{_NAME}+{number.hex()}+{base64.b64encode(public).decode()}", "url": "https://witness.example.org"}
    world.declare(ledger=Ledger.model_validate({"witnesses": [given]}))


# --- the ledger -------------------------------------------------------------------------------------------------------


def rewritten_entry(world: World) -> None:
    row = EntryRow.objects.get(leaf=0)
    EntryRow.objects.filter(pk=row.pk).update(content=bytes(row.content).replace(b'"', b"'", 1))


def deleted_entries(world: World) -> None:
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_entry WHERE leaf < 2")


def rebuilt_tree(world: World) -> None:
    rewritten_entry(world)
    Tile.objects.all().delete()


def signed_anew(world: World) -> None:
    rewritten_entry(world)
    Tile.objects.all().delete()
    Tree.objects.all().delete()
    EntryRow.objects.update(leaf=None)
    _sequence(world)


def deleted_at_once(world: World) -> None:
    note_drill(_DRILL, now=world.now)
    EntryRow.objects.filter(leaf=None).latest("id").delete()


def no_cosignature(world: World) -> None:
    OutsideSignature.objects.all().delete()


def other_witness(world: World) -> None:
    cosigned = OutsideSignature.objects.filter(name="cosigned").first()
    cosign(world)
    if cosigned is None:
        raise Inapplicable("no witness has cosigned")
    keep_outside(world.now, cosigned=bytes(cosigned.data))


# --- keys -------------------------------------------------------------------------------------------------------------


def _chain(world: World) -> Keychain:
    assert world.keyring.chain is not None, "a rehearsal has keys in a folder"
    return world.keyring.chain


def old_key(world: World) -> None:
    world.now += world.declaration.cryptoperiods.field_lasts + dt.timedelta(days=1)


def _rotated(world: World, *, after: dt.timedelta) -> None:
    """The keys below the root key are replaced, and what the old ones sealed is left as it is."""
    _chain(world).rotate("field", now=world.now)
    world.now += after
    _chain(world).rotate("epoch", now=world.now)
    _note_keys(world)


def never_resealed(world: World) -> None:
    _rotated(world, after=dt.timedelta(days=40))


def old_root_key(world: World) -> None:
    world.now += world.declaration.cryptoperiods.field_lasts
    _rotated(world, after=dt.timedelta(hours=1))


def compromised_key(world: World) -> None:
    _chain(world).move(_chain(world).rotate("field", now=world.now).name, KeyState.COMPROMISED, now=world.now)
    _note_keys(world)


def older_key_file(world: World) -> None:
    file = settings.TROTH.home / "keys.toml"
    older = file.read_bytes()
    _chain(world).rotate("field", now=world.now)
    _note_keys(world)
    file.write_bytes(older)


def replace_keys(world: World, times: int = 1, ahead_days: int = 0) -> None:
    """A key is replaced so many times, by a machine whose clock may be ahead."""
    for _ in range(times):
        _chain(world).rotate("field", now=world.now + dt.timedelta(days=ahead_days))
    _note_keys(world)


def copied_keys(world: World) -> None:
    shutil.copytree(settings.TROTH.home, world.folder / "stick", dirs_exist_ok=True)


# --- erased people ----------------------------------------------------------------------------------------------------


def _rows_of_erased(world: World) -> list[InventedRow]:
    """The rows of the erased person that name them by e-mail, in databases."""
    databases = {f"{system}.{name}" for system, name, _ in world.database_tables()}
    rows = [row for row in world.rows if row.person == world.people[-1]] if Tombstone.objects.exists() else []
    named = [row for row in rows if _address_column(world, row) and row.place in databases]
    if not named:
        raise Inapplicable("nobody was erased from a database")
    return named


def _address_column(world: World, row: InventedRow) -> str:
    table = world.declaration.table_at(row.place)
    naming = [*table.identity.items(), *table.mentions.items()] if table is not None else []
    return next((it.column for kind, it in naming if kind == "email"), "")


def restored_backup(world: World) -> None:
    if not Tombstone.objects.exists():
        raise Inapplicable("nobody was erased")
    world.put_back(world.people[-1])


def bought_list(world: World) -> None:
    row = _rows_of_erased(world)[0]
    column = _address_column(world, row)
    values = {**row.values, column: str(row.values[column]).upper()}
    world.stores.insert(row.place, [replace(row, values=values)], world.declaration)


def undeclared_columns(world: World) -> None:
    restored_backup(world)
    for place, table in list(world.tables()):
        world.declare_table(place, table.model_copy(update={"identity": {}, "mentions": {}}))


def other_address(world: World) -> None:
    row = _rows_of_erased(world)[0]
    values = {**row.values, _address_column(world, row): "ann.again@example.org"}
    table = world.declaration.table_at(row.place)
    for kind, identity in table.identity.items() if table is not None else ():
        if kind != "email":
            values[identity.column] = None
    world.stores.insert(row.place, [replace(row, values=values)], world.declaration)


def pasted_address(world: World) -> None:
    _rows_of_erased(world)
    for system, name, table in world.database_tables():
        notes = [column for column, use in table.fields.items() if use.free_text]
        if notes:
            text = f"Please write to {world.people[-1].identifier('email')}."
            world.stores.run(system, f"UPDATE `{name}` SET `{notes[0]}` = ?", text)  # noqa: S608
            return
    raise Inapplicable("no free text in a database")


# --- runs, backups, holds ---------------------------------------------------------------------------------------------


def begin(world: World, action: str, hours: float) -> RunRow:
    """A run that began so many hours ago, and has not ended."""
    begun = world.now - dt.timedelta(hours=hours)
    run = {"run_id": "rehearsed", "action": action, "plan_hash": "-", "declaration_hash": "-"}
    return RunRow.objects.create(**run, begun_at=begun, sealed_plan=b"-")


def run_marked_finished(world: World) -> None:
    run = begin(world, "erase", hours=5)
    RunRow.objects.filter(pk=run.pk).update(finished_at=world.now, sealed_plan=None)


def drilled(world: World, **changes: Any) -> None:
    """A backup has been tested, with another result than usual."""
    note_drill(replace(_DRILL, **changes), now=world.now)
    _sequence(world)


def invented_drill(world: World) -> None:
    world.wait(120)
    drilled(world)


def _holds() -> QuerySet[LegalHold]:
    holds = LegalHold.objects.filter(released_at=None)
    if not holds.exists():
        raise Inapplicable("no hold")
    return holds


def removed_hold(world: World) -> None:
    _holds().delete()


def released_hold(world: World) -> None:
    _holds().update(released_at=world.now)


register(__name__)

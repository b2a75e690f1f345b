"""Inventory of the keys of a TROTH_HOME: what depends on each key, what is due, and the approvers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.protect.approvers import read_approvers
from troth.protect.cryptoperiods import FIELD_LASTS, KeyCondition, field_zero, seals_until, standing
from troth.protect.home import read_key_file
from troth.protect.keychain import KeyInfo
from troth.protect.keyring import Keyring


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """One key: how many values or keys depend on it, until when it may seal, and what is due."""

    info: KeyInfo
    hanging: int
    seals_until: dt.datetime | None
    standing: KeyCondition


@dataclass(frozen=True, slots=True)
class Inventory:
    """The inventory at a time. *unsound* lists faults of the keys themselves, each with its fix."""

    keys: tuple[KeyStanding, ...]
    approvers: tuple[str, ...]
    unsound: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """True if nothing is overdue and there are no faults."""
        return not self.unsound and not any(one.standing.overdue for one in self.keys)


def take_inventory(
    home: Path,
    keyring: Keyring,
    *,
    now: dt.datetime,
    field: dt.timedelta = FIELD_LASTS,
    hanging: Mapping[str, int] | None = None,
    unsound: Sequence[str] = (),
) -> Inventory:
    """The condition of the keys in *home* at *now*. *field* is the declared cryptoperiod of field keys. *hanging* maps
    key names to the number of values or keys that depend on them; omitted, as before there is a database, it counts as
    0."""
    assert keyring.chain is not None, "the keyring of a home"
    infos, counts = keyring.chain.infos(), hanging or {}
    zero = field_zero(keyring.id, read_key_file(home).created, infos)
    shown = [zero, *infos] if zero.state.seals or counts.get(zero.name) else infos
    keys = [
        KeyStanding(info, held, seals_until(info, field=field), standing(info, held, now=now, field=field))
        for info in shown
        for held in [counts.get(info.name, 0)]
    ]
    found = [*unsound, *([fault] if (fault := keyring.chain.copy_fault()) else [])]
    return Inventory(tuple(keys), tuple(one.role for one in read_approvers(home, keyring)), tuple(found))

"""All keys of a TROTH_HOME at a time: what hangs on each, what is due, and who approves."""

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
    """One key: how many values or keys hang on it, until when it may seal, and what is due."""

    info: KeyInfo
    hanging: int
    seals_until: dt.datetime | None
    standing: KeyCondition


@dataclass(frozen=True, slots=True)
class Inventory:
    """*unsound* says what is wrong with the keys themselves, each with how to mend it."""

    keys: tuple[KeyStanding, ...]
    approvers: tuple[str, ...]
    unsound: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether nothing is overdue and everything is sound."""
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
    """How the keys in *home* stand at *now*. *field* is the declared cryptoperiod of field keys, *hanging* what was
    counted on each key by its name: nothing where it is left out, as before there is a database."""
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

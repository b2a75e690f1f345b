"""How long a key may be used (NIST SP 800-57 part 1 rev. 5, §5.3): what is due, and what is overdue. Pure functions.

The *originator-usage period* is how long a key may protect anything new, the *recipient-usage period* how long after it
the data may still be opened. The root key has neither: pseudonyms, masks and signatures must be recognised for as long
as the records that contain them. It is rewrapped instead. Values sealed before the first field key are under a key
derived from the root, ``field-0``, whose period begins when the root key is created.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from troth.ledger import KeyId
from troth.protect.keychain import KeyInfo
from troth.protect.states import KeyState

FIELD_LASTS = dt.timedelta(days=365)
"""The originator-usage period of a field key unless the declaration sets one. SP 800-57 table 1 allows two years."""

EPOCH_LASTS = dt.timedelta(hours=24)
"""The originator-usage period of an epoch key. The date on which a receipt calls an erasure final depends on it."""

EPOCH_GRACE = dt.timedelta(minutes=10)
"""The recipient-usage period of an epoch key: a process may still be storing a key that it wrapped earlier."""

MAIL_RECORD_KEPT = dt.timedelta(days=14)
"""How long the public record of a key stays in DNS after its last signature: servers try for days to deliver (RFC 5321
§4.5.4.1), and what they deliver is verified then."""

_FIELD_OPENS = dt.timedelta(days=3 * 365)  # SP 800-57 table 1: the originator's period, and three years more
_ALLOWANCE = dt.timedelta(hours=1)
"""How late an epoch may end before it is overdue: `troth keep`, if running, checks every few minutes."""
_SOON = dt.timedelta(days=30)
_CLOCKS = dt.timedelta(minutes=5)
"""Tolerated difference between the clocks of two machines."""


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """The condition of a key at a time. *due* says what to do, empty for nothing; *overdue*: a period has ended."""

    due: str = ""
    overdue: bool = False


def seals_until(info: KeyInfo, *, field: dt.timedelta = FIELD_LASTS) -> dt.datetime | None:
    """The end of the originator-usage period, None if the key was never active. Token keys have that of field keys."""
    begun = info.since.get(KeyState.ACTIVE)
    if begun is None:
        return None
    end = begun + (EPOCH_LASTS if info.purpose == "epoch" else field)
    ended = [at for state, at in info.since.items() if state in _ENDS]
    return min([end, *ended])


def opened_until(info: KeyInfo, *, field: dt.timedelta = FIELD_LASTS) -> dt.datetime | None:
    """The end of the recipient-usage period."""
    end = seals_until(info, field=field)
    if end is None:
        return None
    return end + (EPOCH_GRACE if info.purpose == "epoch" else _FIELD_OPENS)


def standing(
    info: KeyInfo, hanging: int | None, *, now: dt.datetime, field: dt.timedelta = FIELD_LASTS
) -> KeyCondition:
    """The condition of a key that protects *hanging* values or keys; None if nobody has counted them."""
    state, sealing, opening = info.state, seals_until(info, field=field), opened_until(info, field=field)
    if max(info.since.values(), default=now) > now + _CLOCKS:
        return KeyCondition(
            "its dates are in the future, so its periods cannot be computed: set the clock right", overdue=True
        )
    if state in (KeyState.DESTROYED, KeyState.PRE_ACTIVATION) or sealing is None or opening is None:
        return KeyCondition()
    rotate = rotate_command(info)
    if state is KeyState.ACTIVE:
        return _active(info, sealing, now, rotate)
    if state is KeyState.COMPROMISED:
        end = f"no data depends on it: troth keys destroy {info.name}" if hanging == 0 else ""
        return KeyCondition(f"it is compromised, and {end or f'data may depend on it: {rotate}'}", overdue=True)
    late = now >= opening + (_ALLOWANCE if info.purpose == "epoch" else dt.timedelta())
    if state is KeyState.SUSPENDED:
        return KeyCondition(f"it is suspended, so it decrypts nothing: troth keys resume {info.name}", overdue=late)
    if info.purpose == "epoch":
        return KeyCondition("its epoch is over: troth keep rewraps the keys below it, and destroys it", overdue=late)
    if info.purpose == "mail":
        is_old = now >= info.since[state] + MAIL_RECORD_KEPT
        return KeyCondition(f"take its record out of DNS, then: troth keys destroy {info.name}" if is_old else "")
    if hanging == 0:
        return KeyCondition(f"no data depends on it: troth keys destroy {info.name}" if info.number else "")
    return KeyCondition(f"values may still be sealed under it: {rotate}", overdue=late)


def rotate_command(info: KeyInfo) -> str:
    """The command that replaces the key."""
    domain = info.label.partition(" ")[0]
    return f"troth mail dns --new-key {domain}" if domain else f"troth keys rotate {info.purpose}"


def _active(info: KeyInfo, end: dt.datetime, now: dt.datetime, rotate: str) -> KeyCondition:
    if info.purpose == "epoch":
        if now < end:
            return KeyCondition()
        return KeyCondition("its epoch is over: troth keep begins the next", overdue=now >= end + _ALLOWANCE)
    if now >= end:
        return KeyCondition(f"its period is over: {rotate}", overdue=True)
    return KeyCondition(f"its period ends on {end:%Y-%m-%d}: {rotate}") if now >= end - _SOON else KeyCondition()


def field_zero(root: KeyId, made: dt.datetime, infos: Collection[KeyInfo]) -> KeyInfo:
    """The field key derived from the root key, created at *made*: active until another field key is."""
    used = [info.since[KeyState.ACTIVE] for info in infos if info.purpose == "field" and KeyState.ACTIVE in info.since]
    since = {KeyState.ACTIVE: made}
    if not used:
        return KeyInfo(root, "field", 0, KeyState.ACTIVE, since)
    return KeyInfo(root, "field", 0, KeyState.DEACTIVATED, {**since, KeyState.DEACTIVATED: max(made, min(used))})


_ENDS = (KeyState.DEACTIVATED, KeyState.COMPROMISED, KeyState.DESTROYED)

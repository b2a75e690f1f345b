"""Key states: the six of NIST SP 800-57 part 1 rev. 5 §7, what each allows, and the transitions between them. Pure.

A key that protects nothing yet is *pre-active*; one in use is *active*; *suspended* and *deactivated* keys protect
nothing new, and values under a deactivated one can still be opened. Of a *destroyed* key only these facts remain.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class KeyState(enum.StrEnum):
    """One of the six states."""

    PRE_ACTIVATION = "pre_activation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"

    @property
    def seals(self) -> bool:
        """Whether the key may protect new values."""
        return self is KeyState.ACTIVE

    @property
    def opens(self) -> bool:
        """Whether protected values may still be opened. Under a compromised key they may, to move them to another."""
        return self in (KeyState.ACTIVE, KeyState.DEACTIVATED, KeyState.COMPROMISED)

    def may_become(self, later: KeyState) -> bool:
        """Whether *later* may follow. An active key is deactivated before it is destroyed, so that what depends on it
        is checked."""
        return later in _FOLLOWS[self]


_FOLLOWS: Mapping[KeyState, frozenset[KeyState]] = {
    KeyState.PRE_ACTIVATION: frozenset({KeyState.ACTIVE, KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.ACTIVE: frozenset({KeyState.SUSPENDED, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.SUSPENDED: frozenset({KeyState.ACTIVE, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.DEACTIVATED: frozenset({KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.COMPROMISED: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}

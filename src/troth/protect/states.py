"""The life of a key: the six states of NIST SP 800-57 part 1 rev. 5 §7, what each allows, and what may follow it. Pure.

A key that protects nothing new yet is *pre-active*; one in use is *active*; *suspended* and *deactivated* keys protect
nothing new, and what a deactivated one sealed can still be opened. Of a *destroyed* key only these facts are left.
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
        """Whether anything new may be protected."""
        return self is KeyState.ACTIVE

    @property
    def opens(self) -> bool:
        """Whether what was protected may still be read. Under a compromised key it may, to move it to another."""
        return self in (KeyState.ACTIVE, KeyState.DEACTIVATED, KeyState.COMPROMISED)

    def may_become(self, later: KeyState) -> bool:
        """Whether *later* may follow. A key in use is deactivated before it is destroyed: first see that nothing hangs
        on it."""
        return later in _FOLLOWS[self]


_FOLLOWS: Mapping[KeyState, frozenset[KeyState]] = {
    KeyState.PRE_ACTIVATION: frozenset({KeyState.ACTIVE, KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.ACTIVE: frozenset({KeyState.SUSPENDED, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.SUSPENDED: frozenset({KeyState.ACTIVE, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.DEACTIVATED: frozenset({KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.COMPROMISED: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}

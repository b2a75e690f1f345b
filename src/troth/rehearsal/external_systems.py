"""External systems of an invented company: hooks that answer every right, and know nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from troth.declaration import Declaration
from troth.hook import Answer, AnswerState, Ask, Hook, Remembered, Right
from troth.stores import StoreError, is_asked

_HOOK: Final = f"hook:{__name__}"
LYING_HOOK: Final = f"{_HOOK}:lying"
"""The address of a system that says that it has done everything, and does nothing."""


def with_external_systems(declaration: Declaration) -> Declaration:
    """*declaration*, whose external systems are this module."""
    systems = {
        name: system.model_copy(update={"store": _HOOK}) if is_asked(system) else system
        for name, system in declaration.systems.items()
    }
    return declaration.model_copy(update={"systems": systems})


@dataclass(frozen=True, slots=True)
class ScriptedOffer:
    """What an external system says of itself when it is asked: the *rights* that it answers, or its *trouble*."""

    rights: frozenset[Right] = frozenset(Right)
    trouble: StoreError | None = None

    def offers(self) -> frozenset[Right]:
        if self.trouble is not None:
            raise self.trouble
        return self.rights


class _NoMemory:
    """Remembers nothing: the same ask has the same answer."""

    def once(self, ask: Ask, act: Callable[[], Answer]) -> Answer:
        return act()

    def recall(self, ask_id: str) -> Remembered | None:
        return None

    def remember(self, ask_id: str, right: Right, answer: Answer) -> None:
        pass

    def is_new(self, nonce: str, *, until: float) -> bool:
        return True


hook = Hook(_NoMemory())
lying = Hook(_NoMemory())


@hook.answers(*Right)
def know_nobody(ask: Ask) -> Answer:
    return Answer(AnswerState.NOTHING)


@lying.answers(*Right)
def claim(ask: Ask) -> Answer:
    return Answer.did(erased=1) if ask.right is Right.ERASE else Answer(AnswerState.NOTHING)

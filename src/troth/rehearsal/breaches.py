"""The register of faults: realistic breaches of what a control asks, each planted into a world by a function.

    @breach("retention.nothing_overdue", "A deletion job misses a row.")
    def missed_row(world: World) -> None: ...

The text is one sentence of what happens at the company. *unseen* is why no check notices it; such a breach stands in
what the control cannot see, and a rehearsal does not plant it. Importing the module of the function registers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.controls import UnknownControl, catalogue
from troth.rehearsal.world import World

Plant = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class RehearsedBreach:
    """A fault that breaks what *control* asks. *plant* raises `Inapplicable` if the world has nothing to break."""

    control: str
    text: str
    plant: Plant
    unseen: str = ""
    is_own: bool = False
    """Whether the company declares it."""

    @property
    def id(self) -> str:
        """Stays the same as long as the text does."""
        return hashlib.sha256(f"{self.control}\n{self.text}".encode()).hexdigest()[:12]


_BREACHES: dict[str, dict[str, RehearsedBreach]] = {}


def breach(control: str, text: str, *, unseen: str = "") -> Callable[[Plant], Plant]:
    """Register the decorated function. Raises `UnknownControl`."""
    if control not in catalogue():
        raise UnknownControl(f"{control}: there is no such control")

    def register(plant: Plant) -> Plant:
        _BREACHES.setdefault(control, {})[text] = RehearsedBreach(control, text, plant, unseen)
        return plant

    return register


def breaches() -> Mapping[str, tuple[RehearsedBreach, ...]]:
    """Registered breaches by control, in the order of the catalogue."""
    return MappingProxyType({id_: tuple(_BREACHES.get(id_, {}).values()) for id_ in catalogue()})

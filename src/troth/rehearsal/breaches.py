"""The register of faults: realistic breaches of what a control asks, each planted into a world by a function.

    @breach("retention.nothing_overdue", "A deletion job misses a row.")
    def missed_row(world: World) -> None: ...

The text is one sentence of what happens at the company. *unseen* is why no check notices it; such a breach stands in
what the control cannot see, and a rehearsal does not plant it. Importing the module of the function registers it.

Where one function serves several breaches, they are rows of a TOML file beside the module (`register`).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from troth.controls import UnknownControl, catalogue
from troth.data_files import read_toml
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
    """Whether it stands in the company's declaration."""

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


def register(module: str) -> None:
    """Register the rows of the TOML file beside *module* as its breaches, by control.

    Each says what somebody does (`text`), and which function of the module, or method of `World`, plants it (`plant`;
    without it, the function of that name); `unseen` is as in `breach`. The rest of the row is given to the function.
    """
    package, _, stem = module.rpartition(".")
    for control, rows in read_toml(package, f"{stem}.toml").items():
        for row in rows:
            given = {key: value for key, value in row.items() if key not in {"text", "plant", "unseen"}}
            name = row.get("plant", "plant")
            plant = getattr(sys.modules[module], name, None) or getattr(World, name)
            breach(control, row["text"], unseen=row.get("unseen", ""))(partial(plant, **given))


def breaches() -> Mapping[str, tuple[RehearsedBreach, ...]]:
    """Registered breaches by control, in the order of the catalogue."""
    return MappingProxyType({id_: tuple(_BREACHES.get(id_, {}).values()) for id_ in catalogue()})

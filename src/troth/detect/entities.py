"""Entity types that are found in text: title, group, and data category in the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity type. *group* is a name for several types, *category* a data category of ``troth.yaml``."""

    title: str
    group: str
    category: str


@cache
def entities() -> dict[str, Entity]:
    """All entity types by name."""
    # Imported lazily, because searching a text does not need it.
    import tomllib
    from importlib import resources

    raw = tomllib.loads(resources.files(__package__).joinpath("entities.toml").read_text("utf-8"))
    return {name: Entity(**entity) for name, entity in raw.items()}

"""Entity types that are found in text: title, group, and data category in the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from troth.data_files import read_toml


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity type. *group* is a name for several types, *category* a data category of ``troth.yaml``."""

    title: str
    group: str
    category: str


@cache
def entities() -> dict[str, Entity]:
    """All entity types by name."""
    return {name: Entity(**entity) for name, entity in read_toml(__package__, "entities.toml").items()}

"""The kinds of personal data that are found in text: their titles, their groups, what the declaration calls them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of personal data. *group* is one word for several kinds, *category* a data category of ``troth.yaml``."""

    title: str
    group: str
    category: str


@cache
def entities() -> dict[str, Entity]:
    """Every kind, by its name."""
    # Imported here, since who only looks into a text asks for none of it.
    import tomllib
    from importlib import resources

    raw = tomllib.loads(resources.files(__package__).joinpath("entities.toml").read_text("utf-8"))
    return {name: Entity(**entity) for name, entity in raw.items()}

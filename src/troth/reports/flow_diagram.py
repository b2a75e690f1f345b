"""The data map as values: whose data is collected, where, in which systems it is stored, and who receives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from troth.declaration import CollectionPoint, Declaration, System
from troth.json_values import json_fields
from troth.law import place_name
from troth.reports import labels, relations
from troth.reports.labels import in_words, purpose_title, titles

COLUMNS = ("People", "Where data is asked for", "Systems", "Recipients")


@dataclass(frozen=True, slots=True)
class Box:
    """A box in one of the `COLUMNS`. *group* is the heading it is listed under: a recipient's country."""

    id: str
    column: int
    title: str
    about: str = ""
    """A short description: a recipient's role, or the country of a system."""
    data: tuple[str, ...] = ()
    """The data categories in plain words."""
    purposes: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A data flow from one box to another."""

    source: str
    target: str
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole diagram; equal declarations give equal pictures."""

    organisation: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    declaration: str

    def column(self, number: int) -> tuple[Box, ...]:
        return tuple(box for box in self.boxes if box.column == number)


def picture_of(declaration: Declaration) -> Picture:
    """The data map of *declaration*."""
    boxes = [*_people(declaration), *_points(declaration), *_systems(declaration), *_recipients(declaration)]
    arrows = [*_asked(declaration), *_stored(declaration), *_sent(declaration)]
    return Picture(declaration.organisation.name, tuple(boxes), tuple(arrows), declaration.hash)


# --- boxes ----------------------------------------------------------------------------------------------------------

_UNNAMED = "people who are not named"


def _people(declaration: Declaration) -> Iterator[Box]:
    everybody = dict.fromkeys(who for name in declaration.systems for who in _whose(declaration, name))
    for who in everybody:
        yield Box(f"people.{who}", 0, who[:1].upper() + who[1:])


def _whose(declaration: Declaration, name: str) -> list[str]:
    """Whose data a system holds: its own `subjects`, or else those of its purposes."""
    system = declaration.systems[name]
    of_purposes = (
        who
        for purpose in system.purposes
        if purpose in declaration.purposes
        for who in declaration.purposes[purpose].subjects
    )
    return list(dict.fromkeys(system.subjects or of_purposes)) or [_UNNAMED]


def _points(declaration: Declaration) -> Iterator[Box]:
    for name, point in declaration.collection_points.items():
        words = tuple(titles(_collected(point)) or point.fields)
        yield Box(f"points.{name}", 1, _point_title(name, point), "", words, _purposes(declaration, point.purposes))


def _point_title(name: str, point: CollectionPoint) -> str:
    title = getattr(point, "title", None)
    return str(title or name.replace("_", " ").capitalize())


def _collected(point: CollectionPoint) -> list[str]:
    return list(dict.fromkeys(field.category for field in point.fields.values() if field.category))


def _systems(declaration: Declaration) -> Iterator[Box]:
    for name, system in declaration.systems.items():
        where = place_name(system.country or declaration.organisation.country)
        yield Box(
            f"systems.{name}",
            2,
            system.title or name,
            f"in {where}",
            tuple(titles(relations.holds(system))),
            _purposes(declaration, system.purposes),
        )


def _recipients(declaration: Declaration) -> Iterator[Box]:
    for name, one in declaration.recipients.items():
        country = place_name(one.country)
        words = tuple(titles(one.receives))
        yield Box(f"recipients.{name}", 3, one.title or name, labels.words("roles")[one.role], words, group=country)


def _purposes(declaration: Declaration, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(purpose_title(declaration.purposes[name]) for name in names if name in declaration.purposes)


# --- arrows ---------------------------------------------------------------------------------------------------------


def _fills(declaration: Declaration, point: CollectionPoint) -> list[str]:
    """The systems that data from a collection point goes into: they share a purpose with it and hold some of its
    categories. Without declared categories, the purpose decides."""
    collected = _collected(point)
    return [
        name
        for name, system in declaration.systems.items()
        if set(system.purposes) & set(point.purposes)
        and (not collected or relations.overlap(collected, relations.holds(system)))
    ]


def _asked(declaration: Declaration) -> Iterator[Arrow]:
    """From people to collection points, or straight to systems that no collection point fills."""
    filled = dict.fromkeys(
        (who, f"points.{name}")
        for name, point in declaration.collection_points.items()
        for system in _fills(declaration, point)
        for who in _whose(declaration, system)
    )
    reached = {system for point in declaration.collection_points.values() for system in _fills(declaration, point)}
    straight = [
        (who, f"systems.{name}") for name in declaration.systems if name not in reached
        for who in _whose(declaration, name)
    ]  # fmt: skip
    yield from (Arrow(f"people.{who}", target) for who, target in [*filled, *straight])


def _stored(declaration: Declaration) -> Iterator[Arrow]:
    for name, point in declaration.collection_points.items():
        for system in _fills(declaration, point):
            shared = _shared(_collected(point), declaration.systems[system])
            yield Arrow(f"points.{name}", f"systems.{system}", shared)


def _sent(declaration: Declaration) -> Iterator[Arrow]:
    for name, system in declaration.systems.items():
        for recipient in relations.receive(declaration, relations.holds(system), system.purposes):
            shared = _shared(declaration.recipients[recipient].receives, system)
            yield Arrow(f"systems.{name}", f"recipients.{recipient}", shared)


def _shared(categories: Iterable[str], system: System) -> tuple[str, ...]:
    known = list(categories)
    return tuple(titles(each for each in relations.holds(system) if relations.overlap([each], known)))


# --- text and data --------------------------------------------------------------------------------------------------


def picture_data(picture: Picture) -> dict[str, Any]:
    """The map as JSON values."""
    return {
        "troth_map": 1,
        "organisation": picture.organisation,
        "declaration": picture.declaration,
        "boxes": [
            {
                "id": box.id,
                "column": COLUMNS[box.column],
                "title": box.title,
                "about": box.about or None,
                "country": box.group or None,
                **json_fields(box, "data", "purposes"),
            }
            for box in picture.boxes
        ],
        "arrows": [{"from": arrow.source, "to": arrow.target, "data": list(arrow.data)} for arrow in picture.arrows],
    }


def picture_words(picture: Picture) -> Iterator[str]:
    """The map as sentences, one per box, for readers who cannot see the picture."""
    names = {box.id: box.title for box in picture.boxes}
    for box in picture.boxes:
        targets = [names[arrow.target] for arrow in picture.arrows if arrow.source == box.id]
        if box.column == 0:
            yield f"{box.title}: data goes to {', '.join(targets)}."
        elif targets:
            yield f"{box.title} ({COLUMNS[box.column].lower()}): {_some(box.data)}; goes to {', '.join(targets)}."
        elif box.column < 3:
            yield f"{box.title} ({COLUMNS[box.column].lower()}): {_some(box.data)}; goes nowhere else."
        else:
            yield f"{box.title}, {box.about} in {box.group}: receives {_some(box.data)}."


def _some(words: tuple[str, ...]) -> str:
    return in_words(words) if words else "nothing is said of its data"

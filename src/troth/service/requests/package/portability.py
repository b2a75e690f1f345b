"""Selects data for portability (GDPR Art. 20(1)): data that the person provided or that was observed, and whose use is
based on consent or a contract. Pure; every omitted column has a reason."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import Basis, Declaration, Purpose, covers
from troth.service.requests.package.contents import TableContents
from troth.subjects import WITHHELD


class FieldOrigin(enum.StrEnum):
    """Source of data, according to the declaration."""

    GIVEN = "given"
    """Requested by a form."""
    NAMED = "named"
    """The notice names the source."""
    OBSERVED = "observed"
    """Observed while the person uses the service (WP 242: observed data also counts as provided)."""
    DERIVED = "derived"
    """Derived from other data."""
    UNNAMED = "unnamed"
    """Not declared. "Provided" is interpreted broadly (WP 242), so this data is portable."""


class PortabilityReason(enum.StrEnum):
    """Reason to omit a column."""

    BASIS = "basis"
    """No use of it is based on consent or a contract."""
    SOURCE = "source"
    """The person did not provide it."""


_OBSERVED = ("user.behavior", "user.device", "user.location", "user.sensor", "user.telemetry", "user.user_sensor")
_DERIVED = ("user.demographic.profile", "user.unique_id.pseudonymous")
_PORTABLE = (Basis.CONSENT, Basis.CONTRACT)


@dataclass(frozen=True, slots=True)
class OmittedColumns:
    """Columns of one table that are omitted for one reason."""

    place: str
    columns: tuple[str, ...]
    why: PortabilityReason


def portable(
    declaration: Declaration, parts: Sequence[TableContents]
) -> tuple[tuple[TableContents, ...], tuple[OmittedColumns, ...]]:
    """Split *parts* into portable ones and omitted columns with reasons. Columns without category, such as keys, stay
    with the portable ones; a table without any categories is included or omitted as a whole."""
    taken, left = list[TableContents](), list[OmittedColumns]()
    for part in parts:
        if not any(part.categories):
            if _has_basis(purposes_of(declaration, part.system, ())):
                taken.append(part)
            else:
                left.append(OmittedColumns(part.place, part.columns, PortabilityReason.BASIS))
            continue
        why = {
            name: _why_not(declaration, part, category)
            for name, category in zip(part.columns, part.categories, strict=True)
            if category is not None
        }
        for reason in PortabilityReason:
            if columns := tuple(name for name, answer in why.items() if answer is reason):
                left.append(OmittedColumns(part.place, columns, reason))
        if None in why.values():
            taken.append(_only(part, [at for at, name in enumerate(part.columns) if why.get(name) is None]))
    return tuple(taken), tuple(left)


def _why_not(declaration: Declaration, part: TableContents, category: str) -> PortabilityReason | None:
    if not _has_basis(purposes_of(declaration, part.system, (category,))):
        return PortabilityReason.BASIS
    return PortabilityReason.SOURCE if source_of(declaration, part, category) is FieldOrigin.DERIVED else None


def _has_basis(purposes: Mapping[str, Purpose]) -> bool:
    return any(purpose.basis in _PORTABLE for purpose in purposes.values())


def _only(part: TableContents, at: Sequence[int]) -> TableContents:
    rows = tuple(tuple(row[each] for each in at) for row in part.rows)
    withheld = sum(cell == WITHHELD for row in rows for cell in row)
    return TableContents(
        part.place,
        tuple(part.columns[each] for each in at),
        tuple(part.categories[each] for each in at),
        rows,
        min(part.withheld, withheld) if len(at) < len(part.columns) else part.withheld,
    )


# --- purposes and sources ------------------------------------------------------------------------------------------


def purposes_of(declaration: Declaration, system: str, categories: Sequence[str]) -> Mapping[str, Purpose]:
    """Purposes of a system that use one of *categories*; all its purposes if *categories* is empty."""
    return {
        name: purpose
        for name, purpose in _purposes(declaration, system).items()
        if not categories or any(covers(data, category) for data in purpose.data for category in categories)
    }


def _purposes(declaration: Declaration, system: str) -> Mapping[str, Purpose]:
    """Purposes of a system; all declared purposes if it names none."""
    declared = declaration.systems.get(system)
    if declared is None or not declared.purposes:
        return declaration.purposes
    return {name: declaration.purposes[name] for name in declared.purposes if name in declaration.purposes}


def asked_for(declaration: Declaration, system: str, category: str) -> tuple[str, ...]:
    """Collection points that ask for *category* for a purpose of *system*."""
    purposes = _purposes(declaration, system).keys()
    return tuple(
        name
        for name, point in declaration.collection_points.items()
        if purposes & set(point.purposes)
        and any(field.category and _meets(field.category, category) for field in point.fields.values())
    )


def source_of(declaration: Declaration, part: TableContents, category: str) -> FieldOrigin:
    """Source of the data of *category* in *part*."""
    if asked_for(declaration, part.system, category):
        return FieldOrigin.GIVEN
    if any(covers(each, category) for each in _DERIVED):
        return FieldOrigin.DERIVED
    return FieldOrigin.OBSERVED if any(covers(each, category) for each in _OBSERVED) else FieldOrigin.UNNAMED


def _meets(key: str, other: str) -> bool:
    """True if either category covers the other."""
    return covers(key, other) or covers(other, key)

"""Relations in a declaration: the systems, data and recipients of a purpose, and how long its rows are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from troth.declaration import Declaration, Keep, Purpose, Recipient, System, covers

Period = tuple[str, str, str]
"""The table as ``system.table``, its retention period (empty if not declared), and the reason."""


def serve(declaration: Declaration, purpose: str) -> dict[str, System]:
    """The systems that serve a purpose, by name."""
    return {name: system for name, system in declaration.systems.items() if purpose in system.purposes}


def holds(system: System) -> list[str]:
    """The categories that a system holds, without duplicates, in the order of the file."""
    tables = (use.category for table in system.tables.values() for use in table.fields.values())
    asked = system.asked.holds.values() if system.asked else ()
    return list(dict.fromkeys([*tables, *asked]))


def held_for(declaration: Declaration, name: str) -> list[str]:
    """The categories held for a purpose: those of its systems that the purpose's `data` covers. If there are none, the
    purpose's own `data`."""
    data = declaration.purposes[name].data
    held = dict.fromkeys(category for system in serve(declaration, name).values() for category in holds(system))
    return [category for category in held if any(covers(broad, category) for broad in data)] or list(data)


def overlap(first: Iterable[str], other: Iterable[str]) -> bool:
    """True if a category of *first* covers, or is covered by, a category of *other*."""
    known = list(other)
    return any(covers(a, b) or covers(b, a) for a in first for b in known)


def receive(declaration: Declaration, categories: Iterable[str], purposes: Iterable[str]) -> dict[str, Recipient]:
    """The recipients of some of *categories* for any of *purposes*, by name."""
    known, served = list(categories), set(purposes)
    return {
        name: one
        for name, one in declaration.recipients.items()
        if overlap(one.receives, known) and (not one.purposes or served & set(one.purposes))
    }


def subjects_of(declaration: Declaration, name: str, purpose: Purpose) -> list[str]:
    """Whose data a purpose uses: its own `subjects`, or else those of the systems that serve it."""
    systems = serve(declaration, name).values()
    return list(dict.fromkeys(purpose.subjects or (who for system in systems for who in system.subjects)))


def periods(declaration: Declaration, purpose: str) -> Iterator[Period]:
    """Retention periods of the tables that hold the purpose's data."""
    data = declaration.purposes[purpose].data
    for name, system in serve(declaration, purpose).items():
        for table, content in system.tables.items():
            if any(covers(broad, use.category) for use in content.fields.values() for broad in data):
                yield f"{name}.{table}", *_stays(declaration, f"{name}.{table}", frozenset())
        if system.asked and system.asked.holds:
            yield name, str(system.asked.retain or ""), ""


def _stays(declaration: Declaration, place: str, seen: frozenset[str]) -> tuple[str, str]:
    """Period and reason: from the table's retention rule, its `keep`, or the table that its rows belong to."""
    table = declaration.table_at(place)
    if table is None or place in seen:
        return "", ""
    for rule in declaration.retention.values():
        if rule.table == place:
            return f"{rule.for_} from {rule.from_}", rule.because or ""
    if table.keep is not None and table.keep.for_ is not None:
        return f"{table.keep.for_} from {table.keep.from_}", _why(table.keep)
    for reference in table.belongs_to.values():
        owner = f"{reference.system or place.partition('.')[0]}.{reference.table}"
        period, because = _stays(declaration, owner, seen | {place})
        if period:
            return f"{period} of {owner}", because
    return "", ""


def _why(keep: Keep) -> str:
    return f"{keep.because} ({keep.cite})"

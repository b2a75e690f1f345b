"""The company's own faults (``faults:`` of its declaration) as breaches."""

from __future__ import annotations

from functools import partial

from troth.declaration import Declaration, OwnFault
from troth.rehearsal.breaches import RehearsedBreach
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World


def own_breaches(declaration: Declaration) -> list[RehearsedBreach]:
    """One breach for each fault and each control that it breaks."""
    return [
        RehearsedBreach(id_, fault.breach, partial(_plant, fault))
        for fault in declaration.faults.values()
        for id_ in fault.breaks
    ]


def _plant(fault: OwnFault, world: World) -> None:
    if fault.sql is not None:
        if fault.sql.system not in world.stores.schemas or not world.stores.is_database(fault.sql.system):
            raise Inapplicable("the system is no database")
        world.stores.run(fault.sql.system, fault.sql.run)
        return
    assert fault.page is not None, "a fault has one of the two"
    page = world.site.pages.get(fault.page.path)
    if page is None or fault.page.out not in world.site.shown(fault.page.path):
        raise Inapplicable("the scripted website has no such page, or the page does not hold that text")
    page.left_out += (fault.page.out,) if fault.page.out else ()
    page.body += fault.page.put

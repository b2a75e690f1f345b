"""Breaches in the record of processing: purposes, periods, recipients and their papers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from troth.declaration import Assessment, Basis, FieldUse, Recipient, Risk, Sharing, System, Table, covers
from troth.law.places import FREE_FLOW
from troth.rehearsal.breaches import register
from troth.rehearsal.papers import paper
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

_UNUSUAL = ("user.biometric", "user.genetic", "user.social", "user.sensor", "user.government_id", "user.telemetry")
"""Kinds of data that most companies have no purpose for."""


# --- purposes and periods --------------------------------------------------------------------------------------------


def _without_purpose(world: World) -> str:
    """A kind of data for which the company has no purpose."""
    known = [broad for purpose in world.declaration.purposes.values() for broad in purpose.data]
    for kind in _UNUSUAL:
        if not any(covers(broad, kind) or covers(kind, broad) for broad in known):
            return kind
    raise Inapplicable("there is a purpose for every kind of data")


def field_without_purpose(world: World) -> None:
    place, table = world.table()
    fields = {**table.fields, "extra": FieldUse(category=_without_purpose(world))}
    world.declare_table(place, table.model_copy(update={"fields": fields}))


def purpose_given_up(world: World) -> None:
    kinds = {use.category for _, table in world.tables() for use in table.fields.values()}
    for name in world.declaration.purposes:
        others = {key: purpose for key, purpose in world.declaration.purposes.items() if key != name}
        left = [broad for purpose in others.values() for broad in purpose.data]
        if not all(any(covers(broad, kind) for broad in left) for kind in kinds):
            return world.declare(purposes=others)
    raise Inapplicable("every kind of data has two purposes")


def copy_elsewhere(world: World) -> None:
    place, table = world.table()
    rule = next((it for it in world.declaration.retention.values() if it.table == place), None)
    if rule is None:
        raise Inapplicable("no rule to copy with it")
    copy = System(store="task", tables={"copy": Table(fields=table.fields)})
    world.declare(
        systems={**world.declaration.systems, "copies": copy},
        retention={**world.declaration.retention, "copies": rule.model_copy(update={"table": "copies.copy"})},
    )


def rule_deleted(world: World) -> None:
    for place, table in world.tables():
        rules = world.declaration.retention
        if table.fields and not table.keep and not table.belongs_to and any(it.table == place for it in rules.values()):
            return world.declare(retention={name: rule for name, rule in rules.items() if rule.table != place})
    raise Inapplicable("no table whose only period is a rule")


def interests_unsaid(world: World) -> None:
    name, _ = _first(world.declaration.purposes, "purpose")
    world.change("purposes", name, basis=Basis.LEGITIMATE_INTERESTS, interests=None)


def unwritten_assessment(world: World) -> None:
    name, purpose = _first(world.declaration.purposes, "purpose")
    assessment = Assessment(file="assessments/unwritten.pdf", on=world.now.date())
    world.change("purposes", name, risk=(purpose.risk or Risk()).model_copy(update={"assessment": assessment}))


def needless_disclosure(world: World) -> None:
    name, recipient = _first(world.declaration.recipients, "recipient")
    world.change("recipients", name, receives=(*recipient.receives, _without_purpose(world)))


def greedy_purpose(world: World) -> None:
    name, _ = _first(world.declaration.purposes, "purpose")
    world.change("purposes", name, data=("user",))


def _first(named: Any, what: str) -> tuple[str, Any]:
    for item in named.items():
        return item  # type: ignore[no-any-return]
    raise Inapplicable(f"no {what}")


# --- recipients and their papers -------------------------------------------------------------------------------------


def _contractor(world: World) -> tuple[str, Recipient]:
    """The first recipient with a contract that may not be missing, if possible one with a file."""
    named = [it for it in world.declaration.recipients.items() if it[1].role is not Sharing.CONTROLLER]
    if not named:
        raise Inapplicable("no recipient that needs a contract")
    folder = world.declaration.folder
    return next((it for it in named if it[1].contract and (folder / it[1].contract).is_file()), named[0])


def contract_deleted(world: World) -> None:
    paper(world, _contractor(world)[1].contract).unlink()


def file_instead(world: World, text_of_file: str) -> None:
    """Another text is filed in place of a contract."""
    path = paper(world, _contractor(world)[1].contract)
    path.write_text(text_of_file)


def contract_expired(world: World) -> None:
    world.change("recipients", _contractor(world)[0], contract_until=world.now.date() - dt.timedelta(days=2))


def recipient_without_contract(world: World) -> None:
    _, purpose = _first(world.declaration.purposes, "purpose")
    new = Recipient(role=Sharing.PROCESSOR, country="GB", receives=purpose.data, notice="https://example.org/privacy")
    world.declare(recipients={**world.declaration.recipients, "new_service": new})


def moved_abroad(world: World) -> None:
    country = next(it for it in ("IN", "PH", "BR") if it not in FREE_FLOW)
    world.change("recipients", _contractor(world)[0], country=country, safeguard=None)


def wrong_contract(world: World) -> None:
    path = paper(world, _contractor(world)[1].contract)
    if path.suffix.lower() not in {".md", ".txt"}:
        raise Inapplicable("the contract is no text")
    path.write_text("This contract is between two others. " * 20)


def wrong_role(world: World) -> None:
    world.change("recipients", _contractor(world)[0], role=Sharing.CONTROLLER, contract=None, contract_until=None)


register(__name__)

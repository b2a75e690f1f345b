"""Breaches in the record of processing: purposes, periods, recipients and their papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from troth.declaration import Assessment, Basis, FieldUse, Recipient, Risk, Sharing, System, Table, covers
from troth.law.places import FREE_FLOW
from troth.rehearsal.breaches import breach
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


def _change_table(world: World, place: str, table: Table) -> None:
    system, _, name = place.partition(".")
    declared = world.declaration.systems[system]
    changed = declared.model_copy(update={"tables": {**declared.tables, name: table}})
    world.declare(systems={**world.declaration.systems, system: changed})


@breach("declaration.complete", "A developer adds a column of fingerprints, and nobody says what it is for.")
def field_without_purpose(world: World) -> None:
    place, table = world.table()
    fields = {**table.fields, "extra": FieldUse(category=_without_purpose(world))}
    _change_table(world, place, table.model_copy(update={"fields": fields}))


@breach("declaration.complete", "A purpose is given up, and its data is kept.")
def purpose_given_up(world: World) -> None:
    kinds = {use.category for _, table in world.tables() for use in table.fields.values()}
    for name in world.declaration.purposes:
        others = {key: purpose for key, purpose in world.declaration.purposes.items() if key != name}
        left = [broad for purpose in others.values() for broad in purpose.data]
        if not all(any(covers(broad, kind) for broad in left) for kind in kinds):
            return world.declare(purposes=others)
    raise Inapplicable("every kind of data has two purposes")


@breach(
    "declaration.complete",
    "A copy of a table goes to a system of which nobody says what it is for.",
    unseen="it asks for a purpose of each kind of data, not of each place",
)
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


@breach("declaration.complete", "The retention rule of a table is deleted, and no other takes its place.")
def rule_deleted(world: World) -> None:
    for place, table in world.tables():
        rules = world.declaration.retention
        if table.fields and not table.keep and not table.belongs_to and any(it.table == place for it in rules.values()):
            return world.declare(retention={name: rule for name, rule in rules.items() if rule.table != place})
    raise Inapplicable("no table whose only period is a rule")


@breach("declaration.complete", "A purpose is moved to legitimate interests that nobody has written down.")
def interests_unsaid(world: World) -> None:
    name, purpose = _first(world.declaration.purposes, "purpose")
    given = purpose.model_copy(update={"basis": Basis.LEGITIMATE_INTERESTS, "interests": None})
    world.declare(purposes={**world.declaration.purposes, name: given})


@breach("declaration.complete", "The impact assessment that the declaration names was never written.")
def unwritten_assessment(world: World) -> None:
    name, purpose = _first(world.declaration.purposes, "purpose")
    assessment = Assessment(file="assessments/unwritten.pdf", on=world.now.date())
    risk = (purpose.risk or Risk()).model_copy(update={"assessment": assessment})
    world.declare(purposes={**world.declaration.purposes, name: purpose.model_copy(update={"risk": risk})})


@breach("declaration.complete", "A recipient starts to get data that is needed for nothing.")
def needless_disclosure(world: World) -> None:
    name, recipient = _first(world.declaration.recipients, "recipient")
    _change_recipient(world, name, receives=(*recipient.receives, _without_purpose(world)))


@breach(
    "declaration.complete",
    "A purpose is said to need everything that there is about people.",
    unseen="whether a purpose needs all the data that it names is for a person to judge",
)
def greedy_purpose(world: World) -> None:
    name, purpose = _first(world.declaration.purposes, "purpose")
    world.declare(purposes={**world.declaration.purposes, name: purpose.model_copy(update={"data": ("user",)})})


def _first(named: Any, what: str) -> tuple[str, Any]:
    for item in named.items():
        return item  # type: ignore[no-any-return]
    raise Inapplicable(f"no {what}")


# --- recipients and their papers -------------------------------------------------------------------------------------


def _change_recipient(world: World, name: str, **changes: Any) -> None:
    recipients = world.declaration.recipients
    world.declare(recipients={**recipients, name: recipients[name].model_copy(update=changes)})


def _with_contract(world: World) -> Iterator[tuple[str, Recipient]]:
    """Recipients with a contract that may not be missing, those with a file first."""
    named = [it for it in world.declaration.recipients.items() if it[1].role is not Sharing.CONTROLLER]
    yield from sorted(
        named, key=lambda it: not (it[1].contract and (world.declaration.folder / it[1].contract).is_file())
    )


def _contractor(world: World) -> tuple[str, Recipient]:
    for name, recipient in _with_contract(world):
        return name, recipient
    raise Inapplicable("no recipient that needs a contract")


@breach("disclosures.recipients_documented", "The file of a contract is deleted.")
def contract_deleted(world: World) -> None:
    paper(world, _contractor(world)[1].contract).unlink()


@breach("disclosures.recipients_documented", "A contract is replaced with an empty file.")
def contract_emptied(world: World) -> None:
    paper(world, _contractor(world)[1].contract).write_bytes(b"")


@breach("disclosures.recipients_documented", "A note that the contract will follow is filed in its place.")
def contract_promised(world: World) -> None:
    path = paper(world, _contractor(world)[1].contract)
    path.write_bytes(b"The contract will follow.\n")


@breach("disclosures.recipients_documented", "A contract expires, and nobody renews it.")
def contract_expired(world: World) -> None:
    _change_recipient(world, _contractor(world)[0], contract_until=world.now.date() - dt.timedelta(days=2))


@breach("disclosures.recipients_documented", "A team signs up with a new service, without a contract.")
def recipient_without_contract(world: World) -> None:
    _, purpose = _first(world.declaration.purposes, "purpose")
    new = Recipient(role=Sharing.PROCESSOR, country="GB", receives=purpose.data, notice="https://example.org/privacy")
    world.declare(recipients={**world.declaration.recipients, "new_service": new})


@breach("disclosures.recipients_documented", "A recipient moves its servers to a country without a safeguard.")
def moved_abroad(world: World) -> None:
    country = next(it for it in ("IN", "PH", "BR") if it not in FREE_FLOW)
    _change_recipient(world, _contractor(world)[0], country=country, safeguard=None)


@breach(
    "disclosures.recipients_documented",
    "A contract with somebody else is filed in place of the right one.",
    unseen="it reads no contract",
)
def wrong_contract(world: World) -> None:
    path = paper(world, _contractor(world)[1].contract)
    if path.suffix.lower() not in {".md", ".txt"}:
        raise Inapplicable("the contract is no text")
    path.write_text("This contract is between two others. " * 20)


@breach(
    "disclosures.recipients_documented",
    "A processor is declared to decide for itself, so that it needs no contract.",
    unseen="which role a recipient really has is for a person to judge",
)
def wrong_role(world: World) -> None:
    _change_recipient(world, _contractor(world)[0], role=Sharing.CONTROLLER, contract=None, contract_until=None)

"""Ordinary business and breaches of the register of disclosures."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db.models import QuerySet

from troth.declaration import Basis, IdentityKind, Purpose, Recipient, Sharing
from troth.rehearsal import Inapplicable, World, register
from troth.service.core.deployment import current
from troth.service.disclosures.actions import names_of, record_disclosures
from troth.service.disclosures.models import Disclosure, DisclosureKind
from troth.service.disclosures.rules import PlannedDisclosure
from troth.subjects import Identity


def ordinary(world: World) -> None:
    """A recipient gets what the declaration says it gets."""
    with contextlib.suppress(Inapplicable):
        name, recipient = _recipient(world)
        kind = DisclosureKind.PROCESSOR if recipient.role == "processor" else DisclosureKind.SHARE
        disclose(world, kind, name)


def _recipient(world: World) -> tuple[str, Recipient]:
    for name, recipient in world.declaration.recipients.items():
        if recipient.receives and (recipient.purposes or world.declaration.purposes):
            return name, recipient
    raise Inapplicable("no recipient")


def disclose(world: World, kind: str, name: str = "", purpose: str = "") -> list[Disclosure]:
    """Record that data of a person went to a recipient, by default to the first and for its first purpose."""
    name = name or _recipient(world)[0]
    recipient, keyring = world.declaration.recipients[name], current().keyring
    if not world.people:
        raise Inapplicable("nobody")
    subjects = [names_of(Identity(((IdentityKind.EMAIL, world.people[0].identifier("email")),)), keyring)]
    purpose = purpose or next(iter(recipient.purposes or world.declaration.purposes))
    planned = PlannedDisclosure(name, subjects, list(recipient.receives)[:1], purpose, DisclosureKind(kind))
    return record_disclosures([planned], declaration=world.declaration, keyring=keyring, now=world.now)


def _disclosure() -> QuerySet[Disclosure]:
    """The first one of the register."""
    rows = Disclosure.objects.order_by("id")
    if not rows:
        raise Inapplicable("no disclosure")
    return Disclosure.objects.filter(pk=rows[0].pk)


def deleted(world: World) -> None:
    _disclosure().delete()


def change(world: World, **fields: Any) -> None:
    _disclosure().update(**fields)


def without_people(world: World) -> None:
    _disclosure().get().concerned.all().delete()


def sent_by_hand(world: World) -> None:
    (world.folder / "list.csv").write_text("ann@example.org\n", encoding="utf-8")


# --- sales ------------------------------------------------------------------------------------------------------------


def sold_and_deleted(world: World) -> None:
    for row in disclose(world, DisclosureKind.SALE):
        row.delete()


def buyer(world: World) -> None:
    world.change("recipients", _recipient(world)[0], role=Sharing.SALE)


def shared_for_advertising(world: World) -> None:
    name, recipient = _recipient(world)
    purpose = Purpose(basis=Basis.CONSENT, use="marketing.advertising.third_party", data=recipient.receives)
    world.declare(purposes={**world.declaration.purposes, "advertising": purpose})
    disclose(world, DisclosureKind.SHARE, name, "advertising")


register(__name__)

"""Ordinary business and breaches of the register of disclosures."""

from __future__ import annotations

import contextlib
from typing import Any

from troth.declaration import Basis, IdentityKind, Purpose, Recipient, Sharing
from troth.rehearsal import Inapplicable, World, breach
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
        _disclose(world, kind, name)


def _recipient(world: World) -> tuple[str, Recipient]:
    for name, recipient in world.declaration.recipients.items():
        if recipient.receives and (recipient.purposes or world.declaration.purposes):
            return name, recipient
    raise Inapplicable("no recipient")


def _disclose(world: World, kind: DisclosureKind, name: str = "", purpose: str = "") -> list[Disclosure]:
    """Record that data of a person went to a recipient, by default to the first and for its first purpose."""
    name = name or _recipient(world)[0]
    recipient, keyring = world.declaration.recipients[name], current().keyring
    if not world.people:
        raise Inapplicable("nobody")
    subjects = [names_of(Identity(((IdentityKind.EMAIL, world.people[0].identifier("email")),)), keyring)]
    purpose = purpose or next(iter(recipient.purposes or world.declaration.purposes))
    planned = PlannedDisclosure(name, subjects, list(recipient.receives)[:1], purpose, kind)
    return record_disclosures([planned], declaration=world.declaration, keyring=keyring, now=world.now)


def _disclosure() -> Disclosure:
    row = Disclosure.objects.order_by("id").first()
    if row is None:
        raise Inapplicable("no disclosure")
    return row


@breach("disclosures.answerable", "Somebody deletes a disclosure from the register.")
def deleted(world: World) -> None:
    _disclosure().delete()


@breach("disclosures.answerable", "Somebody changes in the register who received the data.")
def renamed(world: World) -> None:
    Disclosure.objects.filter(pk=_disclosure().pk).update(recipient="nobody")


@breach("disclosures.answerable", "The people are taken out of a disclosure, so that nobody is told of it.")
def without_people(world: World) -> None:
    _disclosure().concerned.all().delete()


@breach("disclosures.answerable", "Somebody strikes out in the register what kinds of data went out.")
def without_categories(world: World) -> None:
    Disclosure.objects.filter(pk=_disclosure().pk).update(categories=[])


@breach(
    "disclosures.answerable",
    "A colleague sends a list to a recipient by hand.",
    unseen="what nobody records is neither in the register nor in the ledger",
)
def sent_by_hand(world: World) -> None:
    (world.folder / "list.csv").write_text("ann@example.org\n", encoding="utf-8")


# --- sales ------------------------------------------------------------------------------------------------------------


def _change_recipient(world: World, name: str, **changes: Any) -> None:
    recipients = world.declaration.recipients
    world.declare(recipients={**recipients, name: recipients[name].model_copy(update=changes)})


@breach("disclosures.none_sold", "Somebody sells a list to a recipient.")
def sold(world: World) -> None:
    _disclose(world, DisclosureKind.SALE)


@breach("disclosures.none_sold", "A sale is deleted from the register.")
def sold_and_deleted(world: World) -> None:
    for row in _disclose(world, DisclosureKind.SALE):
        row.delete()


@breach("disclosures.none_sold", "A contract lets a recipient buy data from now on.")
def buyer(world: World) -> None:
    _change_recipient(world, _recipient(world)[0], role=Sharing.SALE)


@breach("disclosures.none_sold", "Addresses are shared for advertising on other websites.")
def shared_for_advertising(world: World) -> None:
    name, recipient = _recipient(world)
    purpose = Purpose(basis=Basis.CONSENT, use="marketing.advertising.third_party", data=recipient.receives)
    world.declare(purposes={**world.declaration.purposes, "advertising": purpose})
    _disclose(world, DisclosureKind.SHARE, name, "advertising")


@breach(
    "disclosures.none_sold",
    "A sale is recorded as work that a processor does.",
    unseen="what was agreed with a recipient is not in the register",
)
def disguised_sale(world: World) -> None:
    _disclose(world, DisclosureKind.PROCESSOR)

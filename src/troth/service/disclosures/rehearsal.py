"""Ordinary business and breaches of the register of disclosures."""

from __future__ import annotations

from troth.declaration import IdentityKind
from troth.rehearsal import Inapplicable, World, breach
from troth.service.core.deployment import current
from troth.service.disclosures.actions import names_of, record_disclosures
from troth.service.disclosures.models import Disclosure, DisclosureKind
from troth.service.disclosures.rules import PlannedDisclosure
from troth.subjects import Identity


def ordinary(world: World) -> None:
    """A recipient gets what the declaration says it gets."""
    declaration, keyring = world.declaration, current().keyring
    for name, recipient in declaration.recipients.items():
        purpose = next(iter(recipient.purposes or declaration.purposes), "")
        if purpose and world.people:
            subjects = [names_of(Identity(((IdentityKind.EMAIL, world.people[0].identifier("email")),)), keyring)]
            kind = DisclosureKind.PROCESSOR if recipient.role == "processor" else DisclosureKind.SHARE
            planned = PlannedDisclosure(name, subjects, list(recipient.receives)[:1], purpose, kind)
            record_disclosures([planned], declaration=declaration, keyring=keyring, now=world.now)
            return


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

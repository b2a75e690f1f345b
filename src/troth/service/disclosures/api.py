"""API for disclosures: record what goes to whom before it goes, and ask who received a person's data."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import ConfigDict, Field, StringConstraints

from troth.declaration import IdentityKind
from troth.service.api.framework import ApiResponse, Body, once, problem, problems, scoped
from troth.service.core.deployment import current
from troth.service.core.keys import keyring
from troth.service.disclosures.actions import names_of, received, record_disclosures
from troth.service.disclosures.duty import DISCLOSURES_READ, DISCLOSURES_WRITE
from troth.service.disclosures.models import DisclosureKind
from troth.service.disclosures.rules import DisclosureRefused, PlannedDisclosure
from troth.subjects import Identity, IdentityRefused

router = Router()
PEOPLE_MAX = 10_000
# Names as in declarations. A person's address, sent by mistake, does not match and is not repeated.
Name = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[a-z][a-z0-9_.-]*$")]
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class DisclosedPerson(Body):
    """Somebody whose data goes there: at least one of these."""

    email: Annotated[str, StringConstraints(max_length=254, pattern=_PRINTABLE)] | None = None
    phone: Annotated[str, StringConstraints(max_length=40, pattern=_PRINTABLE)] | None = None
    account: Annotated[str, StringConstraints(max_length=320, pattern=_PRINTABLE)] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ann@example.org"}]})


class NewDisclosure(Body):
    """What is about to be sent."""

    recipient: Name
    """Its name in the declaration."""
    purpose: Name
    """The declared purpose that it serves."""
    categories: list[Name] = Field(min_length=1, max_length=100)
    """What goes, such as ``user.contact.email``."""
    kind: Literal["share", "processor", "export", "sale", "legal_demand"] = "processor"
    people: list[DisclosedPerson] = Field(min_length=1, max_length=PEOPLE_MAX)
    """Whose data it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recipient": "post",
                    "purpose": "orders",
                    "categories": ["user.contact.email"],
                    "people": [{"email": "ann@example.org"}, {"email": "ben@example.org"}],
                }
            ]
        }
    )


class DisclosureReceipt(ApiResponse):
    """It is on record, and may be sent."""

    people: int
    at: dt.datetime


class DisclosureView(ApiResponse):
    """One disclosure of a person's data."""

    recipient: str
    kind: str
    purpose: str
    categories: list[str]
    at: dt.datetime


class RecipientsQuery(Body):
    """Who is asked about."""

    subject: DisclosedPerson

    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": {"email": "ann@example.org"}}]})


@router.post("/disclosures", response={201: DisclosureReceipt, **problems(409)}, summary="Put a disclosure on record")
@scoped(DISCLOSURES_WRITE)
@once
def disclose(request: HttpRequest, going: NewDisclosure) -> Any:
    """Call it before the data is sent. What the declaration does not let go there is refused, and may not be sent."""
    keys, declaration, now = keyring(settings.TROTH.home), current().declaration, timezone.now()
    try:
        names = [names_of(_identity(one), keys) for one in going.people]
        release = PlannedDisclosure(
            going.recipient, names, tuple(going.categories), going.purpose, DisclosureKind(going.kind)
        )
        with transaction.atomic():
            record_disclosures([release], declaration=declaration, keyring=keys, now=now)
    except (DisclosureRefused, IdentityRefused) as refused:
        return problem(422, "That may not be sent", str(refused))
    return Status(201, DisclosureReceipt(people=len(names), at=now))


@router.post(
    "/disclosures/received", response={200: list[DisclosureView], **problems()}, summary="Who received this data?"
)
@scoped(DISCLOSURES_READ)
def who_received(request: HttpRequest, asked: RecipientsQuery) -> Any:
    """Every disclosure of a person's data (GDPR Art. 15(1)(c)), the newest first."""
    try:
        names = names_of(_identity(asked.subject), keyring(settings.TROTH.home))
    except IdentityRefused as refused:
        return problem(422, "The person is not named like this", str(refused))
    return Status(200, received(names))


def _identity(person: DisclosedPerson) -> Identity:
    given = {IdentityKind.EMAIL: person.email, IdentityKind.PHONE: person.phone, IdentityKind.ACCOUNT: person.account}
    return Identity(tuple((kind, value.strip()) for kind, value in given.items() if value))

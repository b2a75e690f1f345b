"""Kinds of editions: what a duty supplies for the mail that it sends to many people."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from troth.service.core.deployment import Deployment
from troth.service.duty import gathered, resolve
from troth.service.mail.message import Message
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight import MailFault
from troth.stores import Row

Doubt = Literal["repeat", "show"]
"""What becomes of a message that a server may have when a process dies: it is sent again, or shown as in doubt."""

PASSED = "passed"
"""What preflight says of a message without a fault."""
OF_COMPANY = "company"
"""Why a message was allowed, beside `Reason`: the company itself has recorded consent."""


@dataclass(frozen=True, slots=True, repr=False)
class EditionRecipient:
    """Somebody who may get an edition, as the company's store says now. *has_consented*: the company itself recorded
    consent. *values* fill the gaps of the text. *tracking* is the purpose for which their reading may be counted,
    because they consented to it; empty if they did not."""

    address: str
    fingerprint: str
    has_consented: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class AudienceRows:
    """The rows of people who may get an edition: their keys, in the order of *recipients*, and how many rows have no
    address that a message could go to (*invalid*). *source* says where they were read, as it is declared."""

    keys: Sequence[Row]
    recipients: Sequence[EditionRecipient]
    invalid: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class CheckedMessage:
    """A message that preflight has looked at. *result* is ``passed``, or the ids of the faults with which it leaves all
    the same."""

    message: Message
    result: str

    @classmethod
    def of(cls, message: Message, faults: Iterable[MailFault]) -> Self:
        return cls(message, ",".join(dict.fromkeys(fault.id for fault in faults)) or PASSED)


class EditionTemplate(Protocol):
    """An edition, ready to be made out to people."""

    def preflight(self, recipients: Sequence[EditionRecipient]) -> list[MailFault]:
        """What is wrong with the messages that *recipients* would get."""
        ...

    def message(self, recipient: EditionRecipient, delivery: EditionDelivery) -> CheckedMessage:
        """The checked and signed message. Raises `LetterRefused` if this one must not go out."""
        ...


class EditionKind(Protocol):
    """One kind of edition."""

    doubt: Doubt

    def per_second(self, edition: Edition, deployment: Deployment) -> int:
        """The most messages that leave in a second."""
        ...

    def template(self, edition: Edition, deployment: Deployment) -> EditionTemplate:
        """The text of *edition*. Raises `LetterRefused`."""
        ...

    def audience(self, edition: Edition, deployment: Deployment) -> AudienceRows:
        """Everybody in the audience now, whatever they chose. Raises the store's errors."""
        ...

    def recipients(
        self, edition: Edition, keys: Sequence[Row], deployment: Deployment
    ) -> list[EditionRecipient | None]:
        """Who the rows with these *keys* are about now, in their order; None for one that is gone, or that belongs to
        the audience no more. Raises the store's errors."""
        ...


@functools.cache
def kinds() -> Mapping[str, EditionKind]:
    """Registered kinds, by name."""
    return {name: resolve(place) for name, place in gathered("editions").items()}

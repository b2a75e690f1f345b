"""What preflight finds: faults of an e-mail, each with its place, its fix, and the law or contract that it breaks."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from troth.data_files import read_toml


class MailClass(enum.StrEnum):
    """Why a message is sent: the law demands it, its reader asked for it, or the sender wants something."""

    OWED = "owed"
    ASKED_FOR = "asked_for"
    COMMERCIAL = "commercial"


@dataclass(frozen=True, slots=True)
class MailFault:
    """One fault of a message: its *id*, and the header or part in which it is. Holds nobody's data."""

    id: str
    place: str
    blocks: bool
    """Whether the message must not be sent like this; others may be intended."""
    wrong: str
    fix: str
    cite: str


def fault(id_: str, place: str) -> MailFault:
    """The fault that `rules.toml` describes by this id, at *place*."""
    return MailFault(id_, place, **read_toml("troth.service.mail.preflight", "rules.toml")[id_])


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """What a message should be. What is not known is left out, and then not looked at.

    *to* is its recipient, *envelope* the sender of the envelope, *postal_address* that of the organisation; *addresses*
    are further e-mail addresses that may be in the text. *is_own* says of an opt-out's address whether it is this
    recipient's. *may_track* is the person's consent to tracking, and *has_consented* that to be written to.
    """

    mail_class: MailClass = MailClass.COMMERCIAL
    to: str = ""
    envelope: str = ""
    postal_address: str = ""
    addresses: Collection[str] = ()
    is_own: Callable[[str], bool] | None = field(default=None)
    may_track: bool = False
    has_consented: bool = False


def words(name: str) -> list[re.Pattern[str]]:
    """The expressions of `words.toml` with this *name*."""
    found = read_toml("troth.service.mail.preflight", "words.toml")[name]
    return [re.compile(it, re.I) for it in ([found] if isinstance(found, str) else found)]

"""Input values of a package. They are entirely personal, so no `repr` shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Declaration, IdentityKind
from troth.service.configuration import ServiceError
from troth.stores import Scalar


class PackageRefused(ServiceError):
    """No package can be built from the input, or a file is not a complete package of ours; the message gives the
    reason, without values."""


@dataclass(frozen=True, slots=True, repr=False)
class TableContents:
    """Rows about the person from one table of one system. *place* is ``system.table``; *categories* follow the order of
    the columns, None for columns without personal data; *withheld* counts values about somebody else (Art. 15(4))."""

    place: str
    columns: tuple[str, ...]
    categories: tuple[str | None, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    withheld: int = 0

    @property
    def system(self) -> str:
        return self.place.partition(".")[0]

    @property
    def table(self) -> str:
        return self.place.partition(".")[2]


@dataclass(frozen=True, slots=True, repr=False)
class Shared:
    """A disclosure of the person's data: recipient, categories, reason and time (Art. 15(1)(c)). *recipient* and *why*
    are keys of the declaration, or plain words."""

    recipient: str
    categories: tuple[str, ...]
    why: str
    at: dt.datetime


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """All input of one package. *right* is ``view`` or ``port``; *unanswered* maps systems that did not answer to the
    reason code; *receipt* is the ledger's proof that the access was recorded, if there is one yet: ``proof``, the text
    of a C2SP tlog-proof, ``verifier``, the key to verify it with, and other facts."""

    right: str
    reference: str
    language: str
    declaration: Declaration
    parts: Sequence[TableContents]
    received_at: dt.datetime
    made_at: dt.datetime
    until: dt.datetime
    shared: Sequence[Shared] = ()
    looks: Sequence[tuple[dt.datetime, str, str]] = ()
    """Accesses of staff to the person's data: time, role, purpose."""
    stopped: Collection[str] = ()
    """Purposes that the person has stopped; contains the empty name if the data may only be stored."""
    kinds: Collection[str] = tuple(IdentityKind)
    """Kinds of identifiers with which the systems were searched."""
    unanswered: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    """URL of the privacy centre, such as ``https://example.org/your-data/``."""
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    """Files that staff uploaded for manual tasks, by system; included unchanged."""
    receipt: Mapping[str, object] | None = None

"""What goes into a package, as values. Personal throughout: no `repr` shows any of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from troth.declaration import Declaration, IdentityKind
from troth.service.configuration import ServiceError
from troth.stores import Scalar


class PackageRefused(ServiceError):
    """No package can be made of this, or this is no package of ours, or not a whole one; the message says why, and
    shows no value."""


@dataclass(frozen=True, slots=True, repr=False)
class TableContents:
    """The rows of one table of one system about the person. *place* is ``system.table``; *categories* stand under the
    columns, None where a column is no personal data; *withheld* values are about somebody else (Art. 15(4))."""

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
    """Somebody received data about the person: who, which categories, why, and when (Art. 15(1)(c)). *recipient* and
    *why* are keys of the declaration, or words."""

    recipient: str
    categories: tuple[str, ...]
    why: str
    at: dt.datetime


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """All that one package says. *right* is ``view`` or ``port``; *unanswered* are systems that did not answer, with
    the reason as a code; *receipt* is the ledger's proof that the look was put on record, where there is one yet:
    ``proof``, the text of a C2SP tlog-proof, ``verifier``, the key to verify it with, and whatever else is known."""

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
    """Who of the staff looked at the person's data: when, the role, the purpose."""
    stopped: Collection[str] = ()
    """The purposes that the person has stopped; the empty name where their data may only be stored."""
    kinds: Collection[str] = tuple(IdentityKind)
    """The kinds of identifiers that the systems were searched with."""
    unanswered: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    """The address of the privacy centre, such as ``https://example.org/your-data/``."""
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    """What somebody found in a system that a person looks into, by the system: a file each, handed out as it is."""
    receipt: Mapping[str, object] | None = None

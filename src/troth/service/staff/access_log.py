"""Access to personal data: recorded first, shown afterwards (clauses C09, C12, C14).

`record_access` writes the access to the ledger and commits before it returns; if it cannot, it raises, and nothing is
shown. `accesses_of` is for subjects: who looked at their data, in which role, when and why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.service.core.deployment import current
from troth.service.core.keys import keyring
from troth.service.core.ledger import record
from troth.service.staff.denied_access import refuse
from troth.service.staff.effective_rights import EffectiveRights, own_subject, standing_of
from troth.service.staff.models import AccessRow
from troth.service.staff.rights import StaffRight, rights

SUBJECTS_MAX = 500
"""Largest number of people whose data one page may show."""


class AccessDenied(PermissionDenied):
    """Access refused, nothing is shown. *title* and *text* are for the person refused."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self.title, self.text = title, text


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """One access to a subject's data, as shown to the subject."""

    role: str
    at: dt.datetime
    purpose: str
    about: str


def record_access(request: HttpRequest, *, subjects: Iterable[str | Pseudonym], purpose: str, about: str = "") -> None:
    """Record that the sender of *request* is about to see the data of *subjects* (pseudonyms), for a declared
    *purpose*. Committed when it returns. *about* is a reference such as ``case:R-2026-0187``.

    A page that turns out to show nobody's data passes no subjects. Raises `AccessDenied` for an undeclared purpose, for
    somebody who may see no personal data, and for their own data; `needs` shows it as a page (403).
    """
    now, standing = timezone.now(), standing_of(request)
    if not standing.sees_personal:
        refuse(standing.pseudonym, "right", now=now)
        raise AccessDenied(
            gettext("This page is not open to you"), gettext("You have no access that shows personal data.")
        )
    if purpose not in current().declaration.purposes:
        refuse(standing.pseudonym, "purpose", now=now, purpose=purpose)
        raise AccessDenied(
            gettext("That purpose is not declared"),
            gettext("The policy declares no such purpose, so nothing is shown. The refusal is on record."),
        )
    wanted = list(dict.fromkeys(str(subject) for subject in subjects))
    refuse_own(request, wanted)
    assert len(wanted) <= SUBJECTS_MAX, f"one page shows the data of at most {SUBJECTS_MAX} people"
    if wanted:
        _put_on_record(standing, wanted, purpose, about, now)
    request._troth_looked = True  # type: ignore[attr-defined]


def refuse_own(request: HttpRequest, subjects: Iterable[str | Pseudonym]) -> None:
    """Raise `AccessDenied` if one of *subjects* (pseudonyms) is the sender of *request*: staff neither see nor handle
    their own data here."""
    standing = standing_of(request)
    if own_subject(standing) in {str(subject) for subject in subjects}:
        refuse(standing.pseudonym, "own", now=timezone.now())
        raise AccessDenied(
            gettext("This is about you"),
            gettext("A colleague handles what concerns yourself. To see your data, ask for it in the privacy centre."),
        )


def _put_on_record(standing: EffectiveRights, subjects: list[str], purpose: str, about: str, now: dt.datetime) -> None:
    assert standing.pseudonym is not None
    fields: dict[str, Value] = {
        "actor": "staff",
        "purpose": DeclaredName.of(purpose),
        "by": Pseudonym(standing.pseudonym),
    }
    kind, _, reference = about.partition(":")
    if kind == "case" and reference:
        fields["case"] = keyring(settings.TROTH.home).pseudonym("case", reference)
    entries = [Entry("subject.viewed", now, {**fields, "subject": Pseudonym(who)}) for who in subjects]
    role = _role(standing)
    # Durable: an outer transaction could roll it back after the page was shown.
    with transaction.atomic(durable=True):
        rows = record(*entries)
        AccessRow.objects.bulk_create(
            AccessRow(subject=who, by=standing.pseudonym, role=role, purpose=purpose, about=about, at=now, entry=row)
            for who, row in zip(subjects, rows, strict=True)
        )


def _role(standing: EffectiveRights) -> str:
    """Role to record: an officer's before any other."""
    if standing.is_officer:
        return standing.role(StaffRight.OFFICER)
    return next(standing.role(right) for right in rights() if right.shows_personal and standing.may(right))


def is_looked(request: HttpRequest) -> bool:
    """True if `record_access` was called for this request."""
    return bool(getattr(request, "_troth_looked", False))


_confidential: list[Callable[[], Iterable[str]]] = []


def confidential(references: Callable[[], Iterable[str]]) -> Callable[[], Iterable[str]]:
    """Register a function that lists references for officers only. Call it while Django starts."""
    _confidential.append(references)
    return references


def withheld_from(request: HttpRequest) -> frozenset[str]:
    """References (``R-2026-0187``) hidden from the sender of *request*: none for an officer."""
    if standing_of(request).is_officer:
        return frozenset()
    return frozenset(reference for listed in _confidential for reference in listed())


def accesses_of(subject: str | Pseudonym, *, withheld: frozenset[str] = frozenset()) -> list[AccessLogEntry]:
    """Every recorded access of staff to the data of *subject*, latest first, without those about *withheld*
    references."""
    abouts = [f"case:{reference}" for reference in withheld]
    rows = AccessRow.objects.filter(subject=str(subject)).exclude(about__in=abouts).order_by("-at", "-id")
    return [AccessLogEntry(row.role, row.at, row.purpose, row.about) for row in rows]

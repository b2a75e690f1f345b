"""Register of disclosures: recorded before data is sent, and read by those who ask who received it.

record_disclosures([PlannedDisclosure("post", [names], ["user.contact.email"], "newsletter",
                                      DisclosureKind.PROCESSOR)], declaration=…, keyring=…, now=now)   # then send
received(names_of(identity, keyring))                                 # who received my data (clause C43)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from troth.declaration import Declaration
from troth.ledger import DeclaredName, Entry, Hash, Pseudonym, Value
from troth.protect import Keyring
from troth.service.core import control_events
from troth.service.core.ledger import record
from troth.service.disclosures.models import Disclosure, DisclosureSubject
from troth.service.disclosures.rules import PlannedDisclosure, refuse_undeclared
from troth.subjects import Identity, references

_BATCH = 5_000


def names_of(identity: Identity, keyring: Keyring) -> tuple[str, ...]:
    """Keyed references of a person: all identifiers together, and each alone."""
    asked = [identity, *(Identity((one,)) for one in identity.identifiers)]
    return tuple(dict.fromkeys(str(name) for name in references(asked, keyring)))


def record_disclosures(
    releases: Sequence[PlannedDisclosure], *, declaration: Declaration, keyring: Keyring, now: dt.datetime
) -> list[Disclosure]:
    """Record disclosures with their ledger entries, all or none, in a few statements: call it before the data is sent.
    If it raises `DisclosureRefused`, nothing may be sent."""
    for release in releases:
        refuse_undeclared(release, declaration)
    with transaction.atomic():
        entries = record(*(_entry(release, keyring, now) for release in releases))
        rows = Disclosure.objects.bulk_create(
            Disclosure(
                recipient=one.to,
                kind=one.kind,
                purpose=one.purpose,
                categories=sorted(set(one.categories)),
                people=len(one.subjects),
                at=now,
                case=one.case,
                entry=entry,
            )
            for one, entry in zip(releases, entries, strict=True)
        )
        concerned = (
            DisclosureSubject(disclosure=row, subject=name, at=now)
            for row, one in zip(rows, releases, strict=True)
            for name in _names(one)
        )
        DisclosureSubject.objects.bulk_create(concerned, batch_size=_BATCH)
        if rows:
            control_events.note("disclosures.changed", now=now)
    return rows


def _names(release: PlannedDisclosure) -> list[str]:
    return sorted({name for names in release.subjects for name in names})


def _entry(release: PlannedDisclosure, keyring: Keyring, now: dt.datetime) -> Entry:
    fields: dict[str, Value] = {
        "recipient": DeclaredName.of(release.to),
        "way": str(release.kind),
        "purpose": DeclaredName.of(release.purpose),
        "categories": len(set(release.categories)),
        "people": len(release.subjects),
        "what": digest_of(release.to, release.kind, release.purpose, release.categories, _names(release), keyring),
    }
    if len(release.subjects) == 1:
        fields["subject"] = Pseudonym(next(iter(release.subjects[0])))
    if release.case:
        fields["case"] = keyring.pseudonym("case", release.case)
    return Entry("disclosure.made", now, fields)


def digest_of(
    recipient: str, kind: str, purpose: str, categories: Iterable[str], names: Iterable[str], keyring: Keyring
) -> Hash:
    """Digest of a disclosure in its entry: reveals changed and deleted rows."""
    return keyring.digest(
        "disclosure", recipient, str(kind), purpose, *sorted(set(categories)), "", *sorted(set(names))
    )


def received(subjects: Collection[str]) -> list[Disclosure]:
    """Every disclosure of the people behind these references, latest first, including notices of changes (GDPR Art.
    15(1)(c), clause C43)."""
    about = DisclosureSubject.objects.filter(subject__in=list(subjects)).values("disclosure")
    return list(Disclosure.objects.filter(pk__in=about).order_by("-at", "-id"))

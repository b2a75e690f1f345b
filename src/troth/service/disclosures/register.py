"""Input of controls: recorded disclosures in the ledger, compared with the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count

from troth.ledger import Entry
from troth.protect import Keyring
from troth.service.core.models import EntryRow
from troth.service.disclosures.actions import digest_of, received
from troth.service.disclosures.models import Disclosure

_KIND = b'"kind":"disclosure.made"'
_SOLD = b'"way":"sale"'
_ENTRIES_MAX = 20_000
"""Number of latest ledger entries to sample from."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """One disclosure in the ledger: whether the register has it unchanged, and whether the people concerned see it when
    they ask."""

    at: dt.datetime
    is_kept: bool
    is_told: bool


@dataclass(frozen=True, slots=True)
class DisclosureGroup:
    """How many disclosures of one kind went to a recipient for a purpose."""

    recipient: str
    kind: str
    purpose: str
    count: int


class Register:
    """The register of this deployment, under *keyring*."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def count(self, *, since: dt.datetime) -> int:
        """Number of disclosures in the register since then."""
        return Disclosure.objects.filter(at__gte=since).count()

    def groups(self, *, since: dt.datetime) -> Sequence[DisclosureGroup]:
        """Disclosures in the register since then, counted."""
        rows = Disclosure.objects.filter(at__gte=since).values_list("recipient", "kind", "purpose")
        return [DisclosureGroup(*row) for row in rows.annotate(Count("pk")).order_by("recipient", "kind", "purpose")]

    def sales_in_ledger(self, *, since: dt.datetime) -> int:
        """Number of sales among the latest entries of the ledger since then, whatever the register has of them."""
        newest = EntryRow.objects.order_by("-id").values_list("content", flat=True)[:_ENTRIES_MAX]
        stored = (bytes(content) for content in newest.iterator(chunk_size=1_000))
        return sum(Entry.decode(each).at >= since for each in stored if _KIND in each and _SOLD in each)

    def sample(self, most: int, *, since: dt.datetime) -> Iterator[OnRecord]:
        """The latest recorded disclosures since *since*, up to *most*."""
        newest = EntryRow.objects.order_by("-id").values_list("pk", "content")[:_ENTRIES_MAX]
        found = 0
        for pk, content in newest.iterator(chunk_size=1_000):
            if _KIND not in bytes(content):
                continue
            entry = Entry.decode(bytes(content))
            if entry.at < since or found == most:
                return
            found += 1
            yield self._look(pk, entry)

    def _look(self, pk: int, entry: Entry) -> OnRecord:
        row = Disclosure.objects.filter(entry=pk).first()
        if row is None:
            return OnRecord(entry.at, is_kept=False, is_told=False)
        names = list(row.concerned.values_list("subject", flat=True))
        digest = digest_of(row.recipient, row.kind, row.purpose, row.categories, names, self._keyring)
        is_same = (digest, row.people) == (entry.fields["what"], entry.fields["people"])
        is_same = is_same and abs(row.at - entry.at) < dt.timedelta(seconds=1)  # entries have milliseconds
        told = bool(names) and any(one.at == row.at and one.recipient == row.recipient for one in received(names[:1]))
        return OnRecord(entry.at, is_kept=is_same, is_told=told)

"""One disclosure on record, as a company's program puts it there before it sends the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from troth.declaration import Declaration
from troth.protect import Keyring
from troth.service.disclosures.actions import names_of, record_disclosures
from troth.service.disclosures.models import Disclosure, DisclosureKind
from troth.service.disclosures.rules import PlannedDisclosure
from troth.subjects import Identity


def disclose(
    people: Sequence[Identity],
    *,
    to: str,
    categories: Sequence[str],
    purpose: str,
    kind: DisclosureKind,
    declaration: Declaration,
    keyring: Keyring,
    now: dt.datetime,
    case: str = "",
) -> Disclosure:
    names = [names_of(each, keyring) for each in people]
    release = PlannedDisclosure(to, names, categories, purpose, kind, case)
    return record_disclosures([release], declaration=declaration, keyring=keyring, now=now)[0]

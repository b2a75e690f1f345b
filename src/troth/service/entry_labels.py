"""Ledger entries in words, for the receipt page, which also shows the raw entry with its keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.ledger import Commitment, Hash, KeyId, Pseudonym
from troth.service.duty import gathered
from troth.service.labels import day, ended, label, status_word, thousands

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from troth.ledger import Entry

_KINDS: Mapping[str, str | Promise] = {
    "subject.viewed": _("Data of a person was looked at"),
    "subject.amended": _("Data of a person was changed"),
    "subject.erased": _("Data of a person was deleted, as far as it could be"),
    "check.made": _("A promise was checked"),
    "check.changed": _("The result of a check changed"),
    "promise.changed": _("The status of a promise changed"),
}
_NOTHING: Mapping[str, str | Promise] = {
    "subject.viewed": _("We looked for data of a person, and found none"),
    "subject.amended": _("We looked for data of a person, and found nothing that had to be changed"),
    "subject.erased": _("We looked for data of a person, and found nothing to delete"),
}
"""Titles of entries whose act touched no row."""
_FIELDS: Mapping[str, str | Promise] = {
    "subject": _("Person (pseudonym)"),
    "case": _("Request (pseudonym)"),
    "by": _("Member of staff (pseudonym)"),
    "actor": _("Who acted"),
    "purpose": _("What for"),
    "plan": _("Fingerprint of the plan"),
    "rescan": _("When we looked again"),
    "systems": _("Systems where something was found"),
    "tables": _("Tables"),
    "rows": _("Records"),
    "fields": _("Values"),
    "kept": _("Records that stayed"),
    "kept_until": _("Of those with a known end, the last stays until"),
    "final_after": _("A backup of our records may show it until"),
    "residue": _("Records that were still there"),
    "outcome": _("Outcome"),
    "in_time": _("In time"),
    "control": _("Check"),
    "promise": _("Promise"),
    "evidence": _("Fingerprint of what was seen"),
    "before": _("Before"),
    "after": _("After"),
    "declaration": _("Fingerprint of the declaration"),
    "query": _("Fingerprint of the query"),
    "version": _("Version of the check"),
    "population": _("How many there are"),
    "tested": _("How many were looked at"),
}
_WORDS: Mapping[str, Mapping[str, str | Promise]] = {
    "actor": {
        "subject": _("the person, by a request"),
        "agent": _("an agent of the person"),
        "staff": _("a member of our staff"),
        "owner": _("the operator of the system"),
        "rule": _("a program, by a declared rule"),
    },
    "purpose": {"subject_request": _("to answer the person’s request")},
    "rescan": {
        "clean": _("a search by the same details found no record that should have been deleted"),
        "residue": _("something was still there"),
        "not_observed": _("it could not be checked"),
    },
    "outcome": {
        "fulfilled": _("Done"),
        "partly_fulfilled": _("Done as far as possible"),
        "refused": _("Refused"),
        "withdrawn": _("Ended early"),
    },
    "in_time": {"yes": _("yes"), "no": _("no")},
    "rows": {
        "delete": _("deleted"),
        "null": _("emptied"),
        "mask": _("overwritten"),
        "pseudonymise": _("the name taken out"),
        "keep": _("kept"),
    },
    "fields": {
        "null": _("empty now"),
        "mask": _("overwritten, unless empty"),
        "pseudonymise": _("the name taken out, unless empty"),
    },
}
_AMENDED_RESCAN: Mapping[str, str | Promise] = {
    "clean": _("what we wrote was there"),
    "residue": _("something else was there"),
    "not_observed": _("it could not be checked"),
}
"""Neither a correction nor setting a flag deletes anything."""


def entry_title(entry: Entry) -> str:
    """Title of *entry*."""
    if entry.kind in (registered := gathered("entry_titles")):
        return gettext(registered[entry.kind])
    words = _NOTHING if is_of_nothing(entry) else _KINDS
    return str(words.get(entry.kind, label(entry.kind.replace(".", ": "))))


def is_of_nothing(entry: Entry) -> bool:
    """True if *entry* records an act on a person's data that touched no row."""
    counts = [entry.fields.get(name) for name in ("rows", "fields", "kept", "residue")]
    return entry.kind in _NOTHING and "rows" in entry.fields and not any(counts)


def entry_facts(entry: Entry, declaration: Declaration) -> list[tuple[str, str, bool]]:
    """Facts of *entry*: label, text, and whether the text is a digest or pseudonym, which nobody reads. If nothing was
    found, the number of places searched and the result of the rescan are left out."""
    unsaid = ("rescan", "systems", "tables") if is_of_nothing(entry) else ()
    return [
        (
            str(_FIELDS.get(name, label(name))),
            _words(entry.kind, name, value, declaration),
            isinstance(value, Pseudonym | Hash | Commitment | KeyId),
        )
        for name, value in entry.fields.items()
        if name not in unsaid
    ]


def _words(kind: str, name: str, value: object, declaration: Declaration) -> str:
    known = _AMENDED_RESCAN if (kind, name) == ("subject.amended", "rescan") else _WORDS.get(name, {})
    match value:
        case dict() | Mapping():
            return ", ".join(f"{known.get(key, label(key))}: {thousands(count)}" for key, count in value.items())
        case dt.date():
            return day(value)
        case int():
            return thousands(value)
    text = str(value)
    if name == "purpose" and (purpose := declaration.purposes.get(text)) is not None:
        return purpose.title or label(text)
    if text in known:
        return str(known[text])
    if kind.startswith(("check.", "promise.")) and name in ("before", "after", "outcome"):
        return _result(kind, text)
    return text


def _result(kind: str, text: str) -> str:
    try:
        return status_word(text) if kind.startswith("promise.") else ended(text)
    except KeyError:  # no status yet, or an old one
        return label(text)

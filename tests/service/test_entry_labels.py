"""An entry of the ledger in words says no more than its counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.subjects import world

from troth.ledger import Entry, Hash, Pseudonym
from troth.service.entry_labels import entry_facts, entry_title

AT = dt.datetime(2026, 11, 30, 14, 38, tzinfo=dt.UTC)
WHO: dict[str, Any] = {"subject": Pseudonym("ps1:" + "a" * 32), "plan": Hash("sha256:" + "b" * 64), "rescan": "clean"}


def words(entry: Entry) -> dict[str, str]:
    return {label: text for label, text, is_code in entry_facts(entry, world.declaration()) if not is_code}


@pytest.mark.parametrize(
    ("kind", "fields", "title"),
    [
        ("subject.amended", {"rows": 0, "fields": 0}, "found nothing that had to be changed"),
        ("subject.erased", {"rows": {}, "kept": 0}, "found nothing to delete"),
    ],
)
def test_an_act_that_touched_no_row_is_not_called_one(kind: str, fields: dict[str, Any], title: str) -> None:
    entry = Entry(kind, AT, {**WHO, **fields})
    assert title in entry_title(entry)
    assert "When we looked again" not in words(entry)


def test_a_correction_or_a_mark_is_not_said_to_have_removed_anything() -> None:
    entry = Entry("subject.amended", AT, {**WHO, "rows": 1, "fields": 1})
    assert (entry_title(entry), words(entry)["When we looked again"]) == (
        "Data of a person was changed",
        "what we wrote was there",
    )


def test_what_was_done_to_values_is_said_in_words() -> None:
    fields: dict[str, Any] = {
        "rows": {"keep": 2},
        "kept": 2,
        "fields": {"null": 34, "mask": 20},
        "kept_until": dt.date(2032, 3, 27),
    }
    found = words(Entry("subject.erased", AT, {**WHO, **fields}))
    assert found["Values"] == "empty now: 34, overwritten, unless empty: 20"
    assert found["Of those with a known end, the last stays until"] == "27 March 2032"

"""``troth scan``: where free text mentions somebody, and never what it says."""

from __future__ import annotations

import pytest
from tests.cli.firm import Firm
from tests.cli.test_requests import ANN, plan_of


@pytest.fixture
def mentioned(bare: Firm) -> Firm:
    """Ben's and Chloe's messages speak of Ann; no link leads from her to them."""
    bare.change("desk", "INSERT INTO message VALUES (104, 3, NULL, 'ask Ann@Example.org, or 07700900001')")
    bare.change("desk", "UPDATE message SET body = 'I had it delivered to ann@example.org' WHERE id = 103")
    return bare


def test_mentions_are_counted_by_column(mentioned: Firm) -> None:
    answer = mentioned.troth("scan", *ANN)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out == "desk.message.body: 2 rows\n1 column of free text, 4 rows read, 1 with mentions\n"


def test_json_has_the_same(mentioned: Firm) -> None:
    answer = mentioned.troth("scan", "--phone", "+44 7700 900001", "--json")
    assert answer.code == 1
    assert answer.document == {
        "columns": ["desk.message.body"],
        "rows_read": 4,
        "found": [{"place": "desk.message", "column": "body", "rows": 1}],
    }


def test_nothing_of_the_text_and_nothing_that_was_typed_is_shown(mentioned: Firm) -> None:
    for form in ((), ("--json",)):
        answer = mentioned.troth("scan", *ANN, "--phone", "07700 900001", *form)
        said = (answer.out + answer.err).casefold()
        assert [word for word in ("ann", "example.org", "9000", "delivered", "chloe") if word in said] == []


def test_somebody_who_is_nowhere_mentioned_ends_with_nought(mentioned: Firm) -> None:
    answer = mentioned.troth("scan", "--email", "ben@example.org")
    assert (answer.code, answer.out) == (0, "1 column of free text, 4 rows read, 0 with mentions\n")


def test_many_people_are_looked_for_in_one_reading(mentioned: Firm) -> None:
    (mentioned.folder / "people.csv").write_text("email,phone\nann@example.org,\n,07700 900009\n")
    assert mentioned.troth("scan", "--subjects", "people.csv", "--json").document["rows_read"] == 4


def test_where_no_free_text_is_declared_it_says_that_nothing_was_read(mentioned: Firm) -> None:
    text = mentioned.declaration.read_text()
    mentioned.declaration.write_text(text.replace(", free_text: true", ""))
    answer = mentioned.troth("scan", *ANN)
    assert answer.code == 0
    assert answer.out.startswith("No column is declared to hold free text, so nothing was read.")


def test_it_writes_nothing_and_needs_no_keys(mentioned: Firm) -> None:
    before = mentioned.everything()
    mentioned.troth("scan", *ANN)
    assert mentioned.everything() == before
    assert not mentioned.home.exists()


def test_it_shows_what_an_erasure_has_left(firm: Firm) -> None:
    firm.change("desk", "UPDATE message SET body = 'for ann@example.org' WHERE id = 103")
    assert firm.troth("erase", *ANN, "--apply", plan_of(firm.troth("erase", *ANN))).code == 0
    assert firm.troth("view", *ANN).out.startswith("No row in the declared systems belongs to this person.")
    assert firm.troth("scan", *ANN).out.startswith("desk.message.body: 1 row\n")

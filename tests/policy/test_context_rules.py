"""What sentences do because of where they stand."""

from __future__ import annotations

import pytest

from troth.policy import ClauseKind, read, understand

RECIPIENT, PURPOSE, COLLECTION = ClauseKind.RECIPIENT, ClauseKind.PURPOSE, ClauseKind.COLLECTION


def kinds(text: str) -> dict[str, set[ClauseKind]]:
    found = understand(read(text, kind="markdown")).clauses
    return {clause.sentence.text: set(clause.kinds) for clause in found}


@pytest.mark.parametrize(
    ("lead", "item", "kind"),
    [
        ("We use your data to:", "bill you", PURPOSE),
        ("We collect:", "boots and hats", COLLECTION),
        ("Recipients are:", "the tax adviser", RECIPIENT),
        ("We collect your measures. They can include:", "boots and hats", COLLECTION),
        ("## What we do with it", "Match you, obviously.", PURPOSE),
        ("Here is what you can do:", "hide your face", ClauseKind.RIGHT),
    ],
)
def test_an_item_does_what_leads_into_it(lead: str, item: str, kind: ClauseKind) -> None:
    assert kind in kinds(f"{lead}\n\n- {item}\n")[item]


def test_an_item_that_does_something_itself_does_not_what_leads_into_it() -> None:
    assert kinds("We use it for:\n\n- you have the right to object\n")["you have the right to object"] == {
        ClauseKind.RIGHT
    }


def test_a_list_under_a_title_that_announces_nothing_is_left_alone() -> None:
    assert kinds("## Hello\n\n- Match you, obviously.\n")["Match you, obviously."] == set()


def test_the_cells_of_a_column_do_what_its_head_announces() -> None:
    found = kinds("| Why | Data | How long |\n|-|-|-|\n| Parcels | Measures | a while |\n")
    assert (found["Parcels"], found["Measures"]) == ({PURPOSE}, {COLLECTION})
    assert ClauseKind.RETENTION in found["a while"]


def test_the_heads_of_columns_do_nothing() -> None:
    assert kinds("| Legal basis | Recipients |\n|-|-|\n| Contract | Post |\n")["Legal basis"] == set()


def test_a_table_of_recipients_tells_no_purposes_of_ours() -> None:
    found = kinds("| Processor | What for |\n|-|-|\n| Example Mail | newsletters |\n")
    assert (found["Example Mail"], found["newsletters"]) == ({RECIPIENT}, set())


def test_a_table_of_periods_tells_of_no_collection() -> None:
    assert COLLECTION not in kinds("| Data | Kept for |\n|-|-|\n| Boots | two years |\n")["Boots"]


def test_what_is_noted_under_security_is_about_security() -> None:
    note = "An outside firm looks at our halls each year."
    assert ClauseKind.SECURITY in kinds(f"## Security\n\n{note}\n")[note]
    assert ClauseKind.SECURITY not in kinds(f"## Halls\n\n{note}\n")[note]


def test_a_title_at_the_beginning_of_a_paragraph_does_nothing() -> None:
    assert kinds("Service providers. We share your data with printers.\n")["Service providers."] == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("You have the right to object to our use of your data for marketing.", PURPOSE),
        ("You may ask which data we collect.", COLLECTION),
        ("We use your data for nothing but billing.", PURPOSE),
        ("This notice describes how we use your data to bill you.", PURPOSE),
        ("How do we use your data to bill you?", PURPOSE),
    ],
)
def test_what_is_only_named_in_passing_is_not_done(text: str, kind: ClauseKind) -> None:
    assert kind not in kinds(text)[text]


@pytest.mark.parametrize(
    "lead", ["To keep your data safe we take these steps:", "We undertake:", "Our commitments:", "## What we promise"]
)
def test_the_items_that_a_promise_leads_into_are_promised(lead: str) -> None:
    assert kinds(f"{lead}\n\n- a guard at the gate;\n- badges.\n")["a guard at the gate;"] == {ClauseKind.PROMISE}


def test_those_with_whom_alone_data_is_shared_are_recipients_and_no_promises() -> None:
    found = kinds("We share what is needed, and no more, with:\n\n- the printers;\n")
    assert found["the printers;"] == {RECIPIENT}


def test_an_item_that_is_promised_has_the_parts_of_a_promise() -> None:
    [_, item] = understand(read("We never do any of these:\n\n- tattle;\n", kind="markdown")).clauses
    assert item.promise is not None
    assert item.negative


def test_a_row_does_what_its_first_cell_announces() -> None:
    found = kinds("| Subject | In short |\n|-|-|\n| Purpose | parcels |\n| Recipients | the post |\n")
    assert (found["parcels"], found["the post"]) == ({PURPOSE}, {RECIPIENT})

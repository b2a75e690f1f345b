"""Plain text: paragraphs, lists and headings as their author meant them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy import read

LETTER = """EXAMPLE LTD PRIVACY POLICY
Last updated: 3 May 2024

1. Who we are
We are Example Ltd, a company that sells shoes. This policy says what we
do with your data, and why. It applies to our website and to our shops in
the United Kingdom. We have had it in this form and in no other one since
1. May 2020, and it counts.

2. What we collect
We collect:
  - your name, which we need to
    send you things;
  - your address:
     * street
     * city
  - your e-mail.

You can:

(a) ask us for a copy;
(b) complain.

3. YOUR RIGHTS

1. Access
2. Deletion
3. Objection

Contact us

Example Ltd
1 High Street
London

Changes
-------
We tell you of changes thirty days before they count.
Questions? Write to privacy@example.org.
"""


def blocks(text: str) -> list[tuple[str, int, str]]:
    return [(block.kind, block.depth, block.text) for block in read(text, kind="text").blocks]


def test_a_wrapped_letter_has_its_headings_paragraphs_and_lists() -> None:
    found = blocks(LETTER)
    assert [each for each in found if each[0] == "heading"] == [
        ("heading", 1, "EXAMPLE LTD PRIVACY POLICY"),
        ("heading", 2, "1. Who we are"),
        ("heading", 2, "2. What we collect"),
        ("heading", 2, "3. YOUR RIGHTS"),
        ("heading", 3, "Contact us"),
        ("heading", 2, "Changes"),
    ]
    assert [each[1:] for each in found if each[0] == "list_item"] == [
        (1, "your name, which we need to send you things;"),
        (1, "your address:"),
        (2, "street"),
        (2, "city"),
        (1, "your e-mail."),
        (1, "ask us for a copy;"),
        (1, "complain."),
        (1, "Access"),
        (1, "Deletion"),
        (1, "Objection"),
    ]
    assert ("paragraph", 0, "Example Ltd 1 High Street London") in found
    assert any(text.endswith("since 1. May 2020, and it counts.") for _, _, text in found)


def test_paragraphs_of_one_long_line_each_need_no_empty_line() -> None:
    first, second = "We keep your data for as long as the law asks us to. " * 4, "We delete it then. " * 8
    assert [text for _, _, text in blocks(f"{first}\n{second}\n")] == [first.strip(), second.strip()]


@each_row(
    "line",
    [
        "We sell nothing.",
        "privacy@example.org",
        "https://example.org/privacy",
        "We collect:",
        "Last updated 3 May 2024",
        "a name, an address",
        "- name",
        "+44 1632 960 000",
        "This line has so many words that it can hardly be the title of a section of anything",
    ],
)
def test_what_may_be_text_is_no_heading(line: str) -> None:
    assert ("heading", 3, line) not in blocks(f"Policy\n\n{line}\n\nWe keep it safe. Always.\n")


@pytest.mark.parametrize(
    "line",
    [
        "How long we keep it",
        "HOW LONG",
        "4. How long",
        "How long?",
        "Section 4: How long",
        "4.1 How long",
        "IV. How long",
    ],
)
def test_a_short_line_with_text_below_is_a_heading(line: str) -> None:
    assert [text for kind, _, text in blocks(f"Policy\n\n{line}\n\nWe keep it safe.\n") if kind == "heading"] == [
        "Policy",
        line,
    ]


def test_headings_need_no_empty_lines_above_lines_that_are_paragraphs() -> None:
    lines = [
        "Privacy",
        "We keep your data for as long as the law asks us to, and for no longer than we have to keep it for you.",
        "How long",
        "We delete it then.",
        "Contact us at",
        "Example Ltd, York.",
    ]
    found = blocks("\n".join(lines))
    assert [text for kind, _, text in found if kind == "heading"] == ["Privacy", "How long"]
    assert [text for kind, _, text in found if kind == "paragraph"] == [
        lines[1],
        lines[3],
        "Contact us at Example Ltd, York.",
    ]


def test_an_address_in_short_lines_is_no_row_of_headings() -> None:
    assert {kind for kind, _, _ in blocks("Example Ltd\n\nHigh Street\n\nLondon\n\nWe keep it safe.\n")} == {
        "paragraph"
    }


@pytest.mark.parametrize("line", ["* * *", "---", "_____", "= = ="])
def test_a_drawn_line_is_no_text(line: str) -> None:
    assert [text for _, _, text in blocks(f"We keep it safe.\n\n{line}\n\nWe answer you.\n")] == [
        "We keep it safe.",
        "We answer you.",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("You may write to:\n\nExample Ltd, 1 Example Street\n\nWe answer within a month.\n", 1),
        ("We are here.\n\nYou have the right to\n\n- see your data,\n- have it erased.\n", 1),
    ],
    ids=["announced", "goes on in a list"],
)
def test_what_goes_on_from_a_line_or_into_a_list_is_no_heading(text: str, line: int) -> None:
    assert [block.kind for block in read(text, kind="text").blocks][line] == "paragraph"


def test_a_line_above_whole_items_is_a_heading() -> None:
    text = "We are here.\n\nYour rights\n\n- You can see your data.\n- You can have it erased.\n"
    assert read(text, kind="text").blocks[1].kind == "heading"


def test_nothing_is_a_heading_without_text_below() -> None:
    assert blocks("We keep it.\n\nYours, the company")[-1][0] == "paragraph"


@given(st.text(alphabet=st.sampled_from("aB1. \n\r\t-*•():A=_é"), max_size=200))
def test_no_word_of_a_text_is_lost_and_every_place_is_exact(text: str) -> None:
    policy = read(text, kind="text")
    for sentence in policy.sentences:
        taken = text[sentence.span.start : sentence.span.end]
        assert " ".join(taken.split()) == sentence.text
    assert policy.text.count("é") == text.count("é"), "no marker has one"

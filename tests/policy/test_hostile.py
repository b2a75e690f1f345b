"""No text keeps the reader busy."""

import pytest
from tests.policy.linting import findings
from tests.scale import scaled
from tests.tables import each_row

from troth.policy import Kind, PolicyError, contacts, dates, definitions, promises_in, read

MEGABYTE = scaled(100_000, 1_000_000)
"""In `make soak` it is one, for which a reader that is quadratic anywhere takes minutes, and another about a second."""
pytestmark = pytest.mark.scaled


def filled(unit: str) -> str:
    return unit * (MEGABYTE // len(unit))


@each_row("kind", ["markdown", "html", "text"])
@each_row(
    "unit",
    ["a", "a ", ".", "A. ", "[", "![](", "*a_ ", "<", "<!--", "&amp;", "<a b='", "we will only ", "\"')]", ". e.g."],
)
def test_a_line_of_a_megabyte_is_read_or_refused(kind: Kind, unit: str) -> None:
    try:
        policy = read(filled(unit), kind=kind)
    except PolicyError as refused:
        assert len(str(refused)) < 500  # noqa: PT017 - either outcome is fine, and neither repeats the text
    else:
        assert len(policy.text) <= MEGABYTE
        assert len(promises_in(policy)) <= len(policy.sentences)


@pytest.mark.parametrize("unit", ["<div>", "<ul><li>", "<b>", "<p><b id=1>", "<div></p>", "<table>"])
def test_pages_that_are_nested_like_no_policy_are_refused_at_once(unit: str) -> None:
    with pytest.raises(PolicyError, match="nested too deeply"):
        read(filled(unit), kind="html")


@pytest.mark.parametrize("unit", ["<nav>", "<aside>", "<div role=dialog>"])
def test_boxes_within_boxes_are_looked_at_a_few_times_only(unit: str) -> None:
    policy = read(unit * 1_500 + "<p>" + filled("we keep it for ten days "), kind="html")
    assert (len(policy.blocks), len(policy.left_out)) == (0, 1)


@pytest.mark.parametrize("unit", [">", "- ", "> - ", "  ", "#"])
def test_deep_markdown_is_read(unit: str) -> None:
    assert len(read(unit * 50_000 + "x").blocks) <= 1


def test_more_lines_than_any_policy_are_refused() -> None:
    with pytest.raises(PolicyError, match="50001 lines, 20000 are allowed"):
        read("a\n" * 50_000)


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("a" * 9_000_000, "text", "9000000 characters, 8000000 are allowed"),
        ("a\n" * 100_001, "text", "100001 lines, 100000 are allowed"),
        ("A. " * 300_000, "text", "more than 12000 sentences"),
    ],
)
def test_more_text_than_any_policy_is_refused(text: str, kind: Kind, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        read(text, kind=kind)


@each_row(
    ("unit", "kind"),
    [
        ("<a href=x>a</a> ", "html"),
        ("<div class=nav><a>a</a></div>", "html"),
        ("<p><b>A</b>", "html"),
        ("<h1><button>a", "html"),
        ("<br>", "html"),
        ("(“a” ", "text"),
        ("12345 A, ", "text"),
        ("May 2 ", "text"),
        ("a@", "text"),
        ("+1 ", "text"),
        ("A\n=\n", "text"),
    ],
)
def test_facts_of_a_line_of_half_a_megabyte_are_found_or_it_is_refused(unit: str, kind: Kind) -> None:
    try:
        policy = read(unit * (MEGABYTE // 2 // len(unit)), kind=kind)
    except PolicyError as refused:
        assert len(str(refused)) < 500  # noqa: PT017 - either outcome is fine, and neither repeats the text
    else:
        facts = [*definitions(policy), *contacts(policy), *dates(policy)]
        assert len(facts) <= MEGABYTE


def test_ten_thousand_paragraphs_that_nobody_closed_are_a_policy() -> None:
    assert len(read("<p>We keep <b>it</b> safe." * 10_000, kind="html").blocks) == 10_000


@pytest.mark.few(1)
@pytest.mark.parametrize("unit", ["a-", "a.", "a@"])
def test_a_word_of_a_megabyte_is_searched_for_an_address_or_refused(unit: str) -> None:
    try:
        found = findings(f"See our policy {filled(unit)}", "S.link", "S.circular")
    except PolicyError as refused:
        assert len(str(refused)) < 500  # noqa: PT017 - either outcome is fine, and neither repeats the text
    else:
        assert len(found) <= 2

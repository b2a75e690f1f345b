"""A policy becomes blocks and sentences, and every sentence knows where it came from."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.policy import CellPosition, Kind, PolicyText, published_text, read


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>|[*\[\]]|\(/staff\)", "", text).replace("&#64;", "@").split())


def test_a_page_reads_like_the_file_it_was_made_of(markdown: PolicyText, page: PolicyText) -> None:
    assert page.published == markdown.published
    assert [(block.kind, block.depth, block.ordered) for block in page.blocks] == [
        (block.kind, block.depth, block.ordered) for block in markdown.blocks
    ]


def test_what_is_not_the_policy_is_left_out(page: PolicyText) -> None:
    for other in ("Shop", "©", "We sell it", "color", "document"):
        assert other not in page.text


def test_sections_stand_under_their_headings(either: PolicyText) -> None:
    assert [(section.title, section.level) for section in either.sections] == [
        ("Privacy policy", 1),
        ("Who sees it", 2),
        ("How long", 2),
    ]


def test_every_sentence_knows_its_characters(either: PolicyText) -> None:
    for sentence in either.sentences:
        assert words(either.source[sentence.span.start : sentence.span.end]) == sentence.text


def test_lines_and_columns_count_from_one(either: PolicyText) -> None:
    for sentence in either.sentences:
        line = either.source.split("\n")[sentence.span.line - 1]
        assert line[sentence.span.column - 1 :].startswith(either.source[sentence.span.start :].split("\n")[0])


def test_links_keep_their_place_in_the_sentence(either: PolicyText) -> None:
    (linked,) = [sentence for sentence in either.sentences if sentence.links]
    (link,) = linked.links
    assert (linked.text[link.start : link.end], link.href) == ("special access rights", "/staff")


def test_ids_survive_edits_elsewhere(markdown: PolicyText) -> None:
    edited = read(markdown.source.replace("# Privacy policy\n", "# Our policy\n\nNew words here.\n"))
    kept = {sentence.id for sentence in markdown.sentences} - {markdown.sentences[0].id}
    assert kept <= {sentence.id for sentence in edited.sentences}


def test_an_edited_sentence_gets_another_id(markdown: PolicyText) -> None:
    edited = read(markdown.source.replace("thirty days", "forty days"))
    assert len({sentence.id for sentence in markdown.sentences} - {sentence.id for sentence in edited.sentences}) == 1


def test_ids_do_not_depend_on_markup_or_quotation_marks() -> None:
    one, other = read("We “never” sell  it."), read('We *"never"*\nsell it.')
    assert one.sentences[0].id == other.sentences[0].id


def test_a_repeated_sentence_has_its_own_id(either: PolicyText) -> None:
    first, second = [sentence for sentence in either.sentences if "not sell" in sentence.text]
    assert second.id == f"{first.id}-2"


def test_cells_of_a_table_keep_their_own_places() -> None:
    policy = read("| Data | Why |\n|---|---|\n| Name e | e |\n")
    assert [policy.source[one.span.start : one.span.end] for one in policy.sentences] == ["Data", "Why", "Name e", "e"]
    assert [one.span.column for one in policy.sentences] == [3, 10, 3, 12]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "markdown",
            "| What | How long |\n|---|---|\n| Account | |\n| | Three years. Or two. |\n\nAfter.\n\n| a |\n|---|\n",
        ),
        (
            "html",
            "<table><tr><th>What<th>How long<tr><td>Account<td><tr><td><td>Three years. Or two.</table><p>After."
            "<table><thead><tr><th>a</table>",
        ),
    ],
)
def test_cells_know_their_table_row_and_column(kind: Kind, text: str) -> None:
    cells = [(block.text, block.cell) for block in read(text, kind=kind).blocks]
    assert cells == [
        ("What", CellPosition(0, 0, 0, is_head=True)),
        ("How long", CellPosition(0, 0, 1, is_head=True)),
        ("Account", CellPosition(0, 1, 0)),
        ("Three years. Or two.", CellPosition(0, 2, 1)),
        ("After.", None),
        ("a", CellPosition(1, 0, 0, is_head=True)),
    ]


def test_escapes_entities_and_html_in_markdown_are_read() -> None:
    policy = read("Terms &amp; rights\\* apply.\n\n<div>We keep <b>it</b> safe.</div>\n")
    assert [sentence.text for sentence in policy.sentences] == ["Terms & rights* apply.", "We keep it safe."]
    assert [sentence.span.line for sentence in policy.sentences] == [1, 3]


def test_plain_text_has_paragraphs_between_empty_lines() -> None:
    policy = read("We keep\nit. Safe.\n\n*Not* a list.", kind="text")
    assert [block.text for block in policy.blocks] == ["We keep it. Safe.", "*Not* a list."]


def test_the_published_text_changes_with_any_word(page: PolicyText) -> None:
    edited = page.source.replace("thirty days", "sixty days")
    assert published_text(page.source) == page.published != published_text(edited)


@pytest.mark.parametrize("kind", ["markdown", "html", "text"])
@given(st.text(alphabet=st.sampled_from("ab. \n<>/&;#*_[]()!|-`\"'p1é\r\u200b"), max_size=200))
def test_any_text_is_read_and_traced(kind: Kind, text: str) -> None:
    policy = read(text, kind=kind)
    for sentence in policy.sentences:
        assert sentence.text.strip()
        assert 0 <= sentence.span.start <= sentence.span.end <= len(text)
        assert sentence.span.line >= 1 <= sentence.span.column
    assert len({sentence.id for sentence in policy.sentences}) == len(policy.sentences)

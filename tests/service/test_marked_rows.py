"""The policy as a page: its lists, its tables and its anchors, and where the marks of promises stand in them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser
from tests.browsing import axe, opened, too_wide

from troth.controls import PublishedStatus, Status
from troth.policy import PolicyText, read
from troth.service.policy_pages.policy_text import Item, TextBlock, chapters

POLICY = "# Policy\n\n| What | How long |\n|---|---|\n| Sign-in history | ninety days |\n| Orders | six years |\n"
MARK = PublishedStatus("~1", "p-1", "Sign-in history | ninety days", Status.STATED, says="It is so.")


def shown(policy: PolicyText, *marked: str) -> str:
    """The policy as HTML, with a mark at the sentences of these words."""
    placed = {sentence.id: (MARK,) for sentence in policy.sentences if sentence.text in marked}
    parts = [render_to_string("policy_pages/chapter.html", {"chapter": each}) for each in chapters(policy, placed)]
    return " ".join("".join(parts).split()).replace("> <", "><").replace(" <", "<")


def test_a_promise_that_quotes_a_row_is_marked_once_below_the_row() -> None:
    policy = read(POLICY, kind="markdown")
    touched = [sentence.id for sentence in policy.sentences if sentence.text in {"Sign-in history", "ninety days"}]
    [chapter] = chapters(policy, dict.fromkeys(touched, (MARK,)))
    rows = chapter.parts[0].rows
    assert [[passage.marks for passage in row.below] for row in rows] == [[], [(MARK,)], []]
    assert [len(row.cells) for row in rows] == [2, 2, 2]
    assert [row.is_head for row in rows] == [True, False, False]


def test_a_cell_without_words_keeps_its_place() -> None:
    policy = read("# P\n\n| A | B | C |\n|---|---|---|\n| a | | c |\n", kind="markdown")
    [chapter] = chapters(policy)
    cells = chapter.parts[0].rows[1].cells
    assert [[each.text for passage in cell for each in passage.sentences] for cell in cells] == [["a"], [], ["c"]]


def test_a_table_of_a_page_is_a_table() -> None:
    policy = read("<h1>P</h1><table><tr><th>A</th><th>B</th></tr><tr><td>a</td><td>b</td></tr></table>", kind="html")
    [chapter] = chapters(policy)
    assert [len(row.cells) for row in chapter.parts[0].rows] == [2, 2]


def test_a_promise_that_is_a_heading_is_marked_below_it() -> None:
    policy = read("# Policy\n\n## We never sell your data\n\nThat is that.\n", kind="markdown")
    mark = PublishedStatus("~1", "p-1", "We never sell your data", Status.KEPT)
    [head] = [sentence.id for sentence in policy.sentences if sentence.text == mark.quote]
    _, chapter = chapters(policy, {head: (mark,)})
    assert [passage.marks for part in chapter.parts for item in part.items for passage in item] == [(mark,), ()]
    assert [len(chapter.parts) for chapter in chapters(policy)] == [0, 1]


def outline(parts: Iterable[TextBlock]) -> list[object]:
    """Lists as lists: the kind of each, and of its items the words and the lists within."""
    return [
        [part.kind, *(word for entry in part.entries for word in (_words(entry.item), *outline(entry.lists)))]
        for part in parts
    ]


def _words(item: Item) -> str:
    return " ".join(sentence.text for passage in item for sentence in passage.sentences)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("1. one\n   - nested\n2. two", [["ol", "one", ["ul", "nested"], "two"]]),
        ("- one\n  1. first\n  2. second\n- two", [["ul", "one", ["ol", "first", "second"], "two"]]),
        ("- one\n\n1. two", [["ul", "one"], ["ol", "two"]]),
        ("- one\n  - two\n    - three\n- four", [["ul", "one", ["ul", "two", ["ul", "three"]], "four"]]),
    ],
)
def test_a_list_within_a_list_leaves_the_numbers_of_the_outer_one(text: str, lists: list[object]) -> None:
    policy = read(f"# P\n\n{text}\n", kind="markdown")
    [chapter] = chapters(policy)
    assert outline(chapter.parts) == lists
    assert shown(policy).count("<li>") == shown(policy).count("</li>") == len(policy.blocks) - 1


def test_lists_as_deep_as_no_policy_has_them_are_shown() -> None:
    assert shown(read("<h1>P</h1>" + "<ul><li>we " * 40, kind="html")).count("<li>") == 40


@pytest.mark.parametrize(
    "there", ['<a name="california"></a>\n\n## There', '## <a id="california"></a>There', "## There {#california}"]
)
def test_a_link_of_the_policy_leads_to_the_place_that_it_names(there: str) -> None:
    policy = read(f"# P\n\nSee [there](#california).\n\n{there}\n\nWe keep it.\n", kind="markdown")
    page = shown(policy)
    assert page.count('id="california"') == 1
    assert page.index('id="california"') < page.index("There<a")


def test_names_to_which_nothing_leads_and_those_that_are_taken_are_no_anchors() -> None:
    text = '# P\n\nSee [a](#main), [b](#there).\n\n## <a id="main"></a><a id="x"></a><a id="there"></a>There\n\nYes.\n'
    assert [chapter.names for chapter in chapters(read(text, kind="markdown"))] == [(), ()]


def test_headings_of_the_first_level_are_shown_but_for_the_title() -> None:
    levels = [chapter.level for chapter in chapters(read("# P\n\nWe.\n\n# Cookies\n\nNone.\n", kind="markdown"))]
    assert levels == [1, 2]


def test_without_sections_there_is_no_list_of_them() -> None:
    several = list(chapters(read("# P\n\nWe keep it.\n\n## More\n\nYes.\n", kind="markdown")))
    assert "On this page" not in render_to_string("policy_pages/contents.html", {"chapters": several[:1]})
    assert 'href="#more"' in render_to_string("policy_pages/contents.html", {"chapters": several})


@pytest.mark.browser
def test_the_state_of_a_row_is_in_sight_on_a_telephone(browser: Browser) -> None:
    row = "| Identifiersofeverykindandmore | name | Correspondencewithourshops | ninety days |\n"
    policy = read(f"# P\n\n| What | Which | Whence | How long |\n|---|---|---|---|\n{row}", kind="markdown")
    css = files("troth.service").joinpath("static/troth/pages.css").read_text("utf-8")
    page = opened(browser, 375)
    page.set_content(
        f'<html lang="en"><title>P</title><style>{css}</style><main class="frame"><h1>P</h1>'
        f'<article class="policy">{shown(policy, "ninety days")}</article></main></html>'
    )
    assert page.evaluate("document.querySelector('.table').scrollWidth > innerWidth")
    box = page.locator(".mark").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < 375
    assert (too_wide(page), axe(page)) == ([], [])

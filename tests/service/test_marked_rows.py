"""Where the marks of promises stand that quote the row of a table, or a heading."""

from troth.policy import read
from troth.promises import Status
from troth.service.board.mark import Mark
from troth.service.board.text import chapters

POLICY = "# Policy\n\n| What | How long |\n|---|---|\n| Sign-in history | ninety days |\n| Orders | six years |\n"


def test_a_promise_that_quotes_a_row_is_marked_once_under_its_last_cell() -> None:
    policy = read(POLICY, kind="markdown")
    mark = Mark("p-1", "Sign-in history | ninety days", Status.KEPT, "kept")
    touched = [sentence.id for sentence in policy.sentences if sentence.text in {"Sign-in history", "ninety days"}]
    [chapter] = chapters(policy, dict.fromkeys(touched, (mark,)))
    shown = [[passage.marks for cell in row for passage in cell] for row in chapter.parts[0].rows]
    assert shown == [[(), ()], [(), (mark,)], [(), ()]]


def test_a_promise_that_is_a_heading_is_marked_below_it() -> None:
    policy = read("# Policy\n\n## We never sell your data\n\nThat is that.\n", kind="markdown")
    mark = Mark("p-1", "We never sell your data", Status.KEPT, "kept")
    [head] = [sentence.id for sentence in policy.sentences if sentence.text == mark.quote]
    _, chapter = chapters(policy, {head: (mark,)})
    assert [passage.marks for part in chapter.parts for item in part.items for passage in item] == [(mark,), ()]
    assert [len(chapter.parts) for chapter in chapters(policy)] == [0, 1]

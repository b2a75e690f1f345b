"""Where the marks of promises stand that quote the row of a table."""

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

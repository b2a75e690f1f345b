"""What a rehearsal says about promises."""

from dataclasses import replace

from tests.rehearsal.test_invented import COMPANY

from troth.declaration import load
from troth.rehearsal import Planted, Rehearsal, RehearsalVerdict, RehearsedPromise
from troth.rehearsal.report import report

SEEN = Planted("1", "A job misses a row.", "retention.nothing_overdue", noticed=True, status="broken")
UNSEEN = replace(SEEN, text="<b>A job</b> never runs.", noticed=False, status="kept")
PROMISE = RehearsedPromise("~a", "We delete it.", "kept", (SEEN, UNSEEN))
NOTICES = replace(PROMISE, planted=(SEEN,))
STATED = replace(PROMISE, planted=(), is_bound=False)
OTHER = replace(PROMISE, planted=(), before="unproven", why="Nobody has asked.")


def test_a_promise_that_misses_one_breach_misses() -> None:
    verdicts = [it.verdict for it in (PROMISE, NOTICES, STATED, OTHER)]
    assert verdicts == [
        RehearsalVerdict.MISSES,
        RehearsalVerdict.NOTICES,
        RehearsalVerdict.STATED,
        RehearsalVerdict.NOT_REHEARSED,
    ]


def test_the_score_is_the_share_of_breaches_that_were_noticed() -> None:
    assert Rehearsal((PROMISE, NOTICES, STATED), "h").score == 2 / 3
    assert Rehearsal((STATED, OTHER), "h").score == 0.0, "nothing planted is no success"


def test_the_page_names_what_was_not_noticed_and_runs_nothing() -> None:
    page = report(Rehearsal((PROMISE, NOTICES, STATED, OTHER), "h"), load(COMPANY))
    assert "&lt;b&gt;A job&lt;/b&gt; never runs." in page
    assert "Nobody has asked." in page
    assert "2 of 3 breaches noticed" in " ".join(page.split())

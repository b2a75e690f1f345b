"""What a rehearsal says about promises."""

from dataclasses import replace

from tests.rehearsal.test_invented import COMPANY

from troth.declaration import load
from troth.rehearsal import NotPlanted, Planted, Rehearsal, RehearsalVerdict, RehearsedPromise
from troth.rehearsal.report import report

SEEN = Planted("1", "A job misses a row.", "retention.nothing_overdue", noticed=True, status="broken")
UNSEEN = replace(SEEN, text="<b>A job</b> never runs.", noticed=False, status="kept")
PROMISE = RehearsedPromise("~a", "We delete it.", "kept", (SEEN, UNSEEN))
NOTICES = replace(PROMISE, planted=(SEEN,))
PARTLY = replace(NOTICES, not_planted=(NotPlanted("A job runs late.", SEEN.control, "it is not looked at"),))
UNBOUND = replace(PROMISE, planted=(), is_bound=False)
STATED = replace(UNBOUND, is_attested=True)
OTHER = replace(PROMISE, planted=(), before="unproven", why="Nobody has asked.")


def test_a_promise_that_misses_one_breach_misses() -> None:
    verdicts = [it.verdict for it in (PROMISE, NOTICES, PARTLY, STATED, UNBOUND, OTHER)]
    assert verdicts == [
        RehearsalVerdict.MISSES,
        RehearsalVerdict.NOTICES,
        RehearsalVerdict.PARTLY,
        RehearsalVerdict.STATED,
        RehearsalVerdict.UNBOUND,
        RehearsalVerdict.NOT_REHEARSED,
    ]


def test_the_score_is_the_share_of_breaches_that_were_noticed() -> None:
    assert Rehearsal((PROMISE, NOTICES, STATED), "h").score == 2 / 3
    assert Rehearsal((STATED, OTHER), "h").score == 0.0, "nothing planted is no success"


def test_the_page_names_what_was_not_noticed_and_runs_nothing() -> None:
    made = report(Rehearsal((PROMISE, NOTICES, PARTLY, STATED, UNBOUND, OTHER), "h"), load(COMPANY))
    page = " ".join(made.split())
    assert "&lt;b&gt;A job&lt;/b&gt; never runs." in page
    assert "Nobody has asked." in page
    assert "1 of 2 breaches noticed" in page
    assert "A job runs late." in page
    assert "1 would notice, 1 would in part, 1 would stay green, 1 not rehearsed, 1 stated, 1 unbound" in " ".join(
        page.split()
    )

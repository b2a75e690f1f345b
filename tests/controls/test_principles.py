"""A kept promise does not hide a broken one that serves the same principle."""

from __future__ import annotations

from troth.controls import Status, catalogue, matrix
from troth.declaration import Promise

BOUND = Promise(quote="We keep our word.", owner="dpo@example.org", controls=("ledger.intact",))
SERVED = [id_ for id_ in catalogue()["ledger.intact"].principles if id_.startswith("oecd.")]


def test_a_principle_with_a_kept_and_a_broken_promise_counts_as_both() -> None:
    both = matrix([(BOUND, Status.KEPT), (BOUND, Status.BROKEN)], catalogue())
    assert SERVED
    assert both.kept("oecd") == both.broken("oecd") == len(SERVED)
    kept = matrix([(BOUND, Status.KEPT)], catalogue())
    assert (kept.kept("oecd"), kept.broken("oecd")) == (len(SERVED), 0)


def test_what_is_not_shown_counts_as_neither() -> None:
    hidden = matrix([(BOUND, None)], catalogue())
    assert (hidden.kept("oecd"), hidden.broken("oecd")) == (0, 0)

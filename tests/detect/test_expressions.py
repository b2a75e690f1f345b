"""RE2 asked directly: what is private in it is there, and what it gives up on is never taken for nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import re2

from troth.detect.expressions import ANYWHERE, FROM_START, Prefilter, matches
from troth.detect.finding import Unscanned


def test_this_release_of_google_re2_has_the_private_names_that_are_used() -> None:
    missing = [
        name
        for name, of in {
            "_re2.RE2.Anchor.UNANCHORED": lambda: re2._re2.RE2.Anchor.UNANCHORED,
            "_re2.RE2.Anchor.ANCHOR_START": lambda: re2._re2.RE2.Anchor.ANCHOR_START,
            "compile()._regexp.Match": lambda: re2.compile("a")._regexp.Match,
            "Set._set.Match": lambda: re2.Set.SearchSet()._set.Match,
        }.items()
        if not _is_there(of)
    ]
    assert not missing, "troth.detect.expressions has to reach RE2 in another way"


def test_a_match_tells_its_place_and_those_of_its_groups() -> None:
    match = matches("a(b)?(c)")
    assert match(ANYWHERE, b"xxabc", 0, 5) == [(2, 5), (3, 4), (4, 5)]
    assert match(ANYWHERE, b"xxac", 0, 4) == [(2, 4), (-1, -1), (3, 4)]
    assert match(FROM_START, b"xxabc", 0, 5)[0] == match(ANYWHERE, b"xxabc", 0, 4)[0] == (-1, -1)


def test_a_prefilter_tells_which_expressions_occur() -> None:
    which = Prefilter()
    digits, letters, same = which.add(r"\d"), which.add("[a-z]"), which.add(r"\d")
    assert digits == same
    assert set(which.occurring(b"12")) == {0, digits}
    assert set(which.occurring(b"a1")) == {0, digits, letters}
    assert set(which.occurring(b"")) == {0}


def test_a_prefilter_may_take_capitals_for_small_letters() -> None:
    for ignores_case in (True, False):
        which = Prefilter(ignores_case=ignores_case)
        assert (which.add("card") in which.occurring(b"Card")) is ignores_case


def test_what_re2_gives_up_on_is_unscanned_and_never_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    which = Prefilter()
    monkeypatch.setitem(which.__dict__, "_occurring", lambda utf8: [])  # as if nothing occurred: so RE2 says it
    with pytest.raises(Unscanned, match="exceeded the memory limit"):
        which.occurring(b"4111 1111 1111 1111")


def _is_there(name: Callable[[], object]) -> bool:
    try:
        name()
    except AttributeError:
        return False
    return True

"""A test marked ``mutation(control)`` has to see that control pass and then fail: else the mark says what is not so."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from troth.promises import Check, Outcome, answer

__all__ = ["turns_red"]


def turns_red(control: str, seen: Sequence[Check]) -> bool:
    """Whether among checks, in the order of their making, one of *control* passed and a later one failed."""
    outcomes = [check.outcome for check in seen if check.control == control]
    return Outcome.PASS in outcomes and Outcome.FAIL in outcomes[outcomes.index(Outcome.PASS) :]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    marked = [mark.args[0] for mark in item.iter_markers("mutation")]
    if not marked:
        return (yield)
    seen: list[Check] = []

    def noted(**fields: Any) -> Check:
        check = Check(**fields)
        seen.append(check)
        return check

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answer, "Check", noted)
        result = yield
    for control in marked:
        if not turns_red(control, seen):
            saw = [str(check.outcome) for check in seen if check.control == control]
            pytest.fail(
                f"marked as a mutation of {control}, which has to pass first and fail then; it saw {saw or 'no check'}",
                pytrace=False,
            )
    return result

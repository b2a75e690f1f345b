"""A test marked ``mutation(control)`` has to see that control pass and then fail: else the mark says what is not so.

Where `tools.mutations` asks for it, each notes what it saw.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tools.mutations import NOTES, Mutation, fault_of

from troth.controls import Check, CheckOutcome, Control, Status, catalogue, status_of
from troth.controls import result as control_result
from troth.declaration import Promise


def turns_red(control: str, seen: Sequence[Check]) -> bool:
    """Whether among checks, in the order of their making, one of *control* passed and a later one failed."""
    outcomes = [check.outcome for check in seen if check.control == control]
    return CheckOutcome.PASS in outcomes and CheckOutcome.FAIL in outcomes[outcomes.index(CheckOutcome.PASS) :]


def turned(control: str, seen: Sequence[Check]) -> tuple[str, Status]:
    """What the control said, up to its first failure after a pass, and the status of a promise that rests on it alone
    when it has failed like this as often as it has to."""
    checks = [check for check in seen if check.control == control]
    first = next(number for number, check in enumerate(checks) if check.outcome is CheckOutcome.PASS)
    last = next(number for number in range(first, len(checks)) if checks[number].outcome is CheckOutcome.FAIL)
    known, failed = catalogue().get(control) or _own(control), checks[last]
    again = [replace(failed, at=failed.at + n * known.every) for n in range(known.failures_to_break)]
    judged = status_of(
        Promise(quote="We keep it.", owner="dpo@example.org", controls=(control,)),
        {control: again},
        now=again[-1].at,
        declaration_hash=failed.declaration_hash,
        controls={control: known},
    )
    return " → ".join(dict.fromkeys(check.outcome.value for check in checks[first : last + 1])), judged.status


def _own(control: str) -> Control:
    """A company's own control, which counts as broken at once where it says nothing else."""
    return replace(next(iter(catalogue().values())), id=control, failures_to_break=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    marked = {mark.args[0]: mark.kwargs.get("fault", "") for mark in item.iter_markers("mutation")}
    if not marked:
        return (yield)
    seen: list[Check] = []

    def noted(**fields: Any) -> Check:
        check = Check(**fields)
        seen.append(check)
        return check

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control_result, "Check", noted)
        result = yield
    for control, fault in marked.items():
        if not turns_red(control, seen):
            saw = [str(check.outcome) for check in seen if check.control == control]
            pytest.fail(
                f"marked as a mutation of {control}, which has to pass first and fail then; it saw {saw or 'no check'}",
                pytrace=False,
            )
        _note(control, fault, item, seen)
    return result


def _note(control: str, given: str, item: pytest.Item, seen: Sequence[Check]) -> None:
    if NOTES in os.environ and isinstance(item, pytest.Function):
        outcomes, status = turned(control, seen)
        fault = fault_of(item.function.__name__, item.function.__doc__, given)
        noted = Mutation(control, fault, outcomes, status.value)
        with (Path(os.environ[NOTES]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(noted)) + "\n")

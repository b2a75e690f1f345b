"""A check is made of an answer, and a pass has to deserve its name."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from troth import __version__
from troth.controls import (
    BadAnswer,
    Check,
    CheckOutcome,
    ControlFinding,
    ControlResult,
    Evidence,
    UnknownControl,
    answers,
    control,
    looked_at_hash,
    run,
)
from troth.controls import result as registry
from troth.declaration import Declaration
from troth.errors import TrothError

CONTROL = "core.runs_finished"
SEEN = Evidence(in_scope=frozenset({"shop"}), observed=frozenset({"shop"}))
FAULT = ControlFinding("shop.customer", "a column is not declared", "declare it")


@pytest.fixture(autouse=True)
def unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {id_: function for id_, function in registry._ANSWERS.items() if id_ != CONTROL}
    monkeypatch.setattr(registry, "_ANSWERS", others)


@pytest.fixture
def check(declared: Declaration, now: dt.datetime) -> Callable[..., Check]:
    def made(function: Callable[..., ControlResult], **looking: object) -> Check:
        answers(CONTROL)(function)
        return run(CONTROL, {"declaration": declared, "now": now, **looking})

    return made


def test_a_check_carries_its_provenance(check: Callable[..., Check], declared: Declaration, now: dt.datetime) -> None:
    done = check(lambda now: ControlResult.of("All 3 runs finished.", evidence=SEEN, figures={"runs": 3}))

    assert (done.outcome, done.control, done.at) == (CheckOutcome.PASS, CONTROL, now)
    assert done.control_version == control(CONTROL).version
    assert done.valid_until == now + dt.timedelta(hours=6)
    assert done.declaration_hash == looked_at_hash(declared)
    assert (done.summary, done.figures["runs"]) == ("All 3 runs finished.", 3)


def test_a_check_says_what_was_asked_and_of_which_time(check: Callable[..., Check], now: dt.datetime) -> None:
    told = replace(SEEN, query="sha256:" + "1" * 64, period=(now - dt.timedelta(days=1), now))
    assert check(lambda now: ControlResult.of("So.", evidence=told)).evidence == told
    asked = check(lambda now: ControlResult.of("So.", evidence=SEEN)).evidence
    assert asked.period == (now, now)
    known = control(CONTROL)
    words = json.dumps([CONTROL, known.version, known.question, ["shop"]], ensure_ascii=False)
    assert asked.query == "sha256:" + hashlib.sha256(words.encode()).hexdigest()
    assert check(lambda now: ControlResult(CheckOutcome.ERROR, "Nothing was seen.")).evidence == Evidence()


def test_an_answer_gets_what_its_parameters_name(check: Callable[..., Check]) -> None:
    def answer(journal: object, holds: object = "none") -> ControlResult:
        return ControlResult.of(f"{journal}, {holds}", evidence=SEEN)

    assert check(answer, journal="a journal", site="not asked for").summary == "a journal, none"


def test_a_finding_makes_it_fail(check: Callable[..., Check]) -> None:
    assert check(lambda now: ControlResult.of("1 fault.", evidence=SEEN, findings=[FAULT])).outcome is CheckOutcome.FAIL


@pytest.mark.parametrize("outcome", [CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE])
def test_an_unobserved_system_makes_a_pass_impossible(check: Callable[..., Check], outcome: CheckOutcome) -> None:
    half = Evidence(in_scope=frozenset({"shop", "payroll"}), observed=frozenset({"shop"}))
    done = check(lambda now: ControlResult(outcome, "Fine.", half))

    assert done.outcome is CheckOutcome.ERROR
    assert "payroll not observed" in done.summary


def test_an_unobserved_system_does_not_soften_a_failure(check: Callable[..., Check]) -> None:
    half = Evidence(in_scope=frozenset({"shop", "payroll"}), observed=frozenset({"shop"}))
    assert check(lambda now: ControlResult.of("1 fault.", evidence=half, findings=[FAULT])).outcome is CheckOutcome.FAIL


def test_a_pass_that_looked_at_nothing_is_an_error(check: Callable[..., Check]) -> None:
    assert check(lambda now: ControlResult(CheckOutcome.PASS, "Fine.")).outcome is CheckOutcome.ERROR


def test_a_pass_with_findings_is_an_error(check: Callable[..., Check]) -> None:
    assert (
        check(lambda now: ControlResult(CheckOutcome.PASS, "Fine.", SEEN, findings=(FAULT,))).outcome
        is CheckOutcome.ERROR
    )


def test_what_was_not_given_is_an_error_that_names_it(check: Callable[..., Check]) -> None:
    def answer(site: object, log: object) -> ControlResult:
        raise AssertionError("not called")

    done = check(answer)
    fix = "Declare its address under organisation.site."
    assert (done.outcome, done.summary) == (
        CheckOutcome.ERROR,
        f"The check had no input: no site, no log given. {fix}",
    )


def test_an_exception_is_an_error_without_its_text(check: Callable[..., Check]) -> None:
    def answer(now: object) -> ControlResult:
        raise ValueError("Key (email)=(ann@example.org) already exists")

    done = check(answer)
    assert (done.outcome, done.summary) == (CheckOutcome.ERROR, "The check failed with an error: ValueError.")


def test_our_own_errors_may_speak(check: Callable[..., Check]) -> None:
    def answer(now: object) -> ControlResult:
        raise TrothError("shop does not answer; start it")

    assert check(answer).summary == "The check failed with an error: shop does not answer; start it"


def test_an_unknown_parameter_is_refused_at_import() -> None:
    with pytest.raises(BadAnswer, match="has an unknown parameter 'sites'; did you mean 'site'"):
        answers(CONTROL)(lambda sites: ControlResult.of("", evidence=SEEN))


def test_an_unknown_control_is_refused_at_import() -> None:
    with pytest.raises(UnknownControl, match=r"did you mean 'core\.runs_finished'"):
        answers("core.run_finished")


def test_a_second_answer_is_refused() -> None:
    def first(now: object) -> ControlResult:
        return ControlResult.of("", evidence=SEEN)

    answers(CONTROL)(first)
    with pytest.raises(BadAnswer, match="already answered"):
        answers(CONTROL)(lambda now: ControlResult.of("", evidence=SEEN))


def test_a_control_that_nothing_answers_says_what_to_import(declared: Declaration, now: dt.datetime) -> None:
    with pytest.raises(BadAnswer, match=r"import the controls\.py"):
        run(CONTROL, {"declaration": declared, "now": now})


def test_controls_do_not_see_the_promises(check: Callable[..., Check]) -> None:
    seen: list[Declaration] = []

    def answer(declaration: Declaration) -> ControlResult:
        seen.append(declaration)
        return ControlResult.of("", evidence=SEEN)

    check(answer)
    assert seen[0].promises == ()


def test_an_edited_promise_leaves_checks_valid_and_anything_else_does_not(declared: Declaration) -> None:
    assert declared.hash  # computed once, it must not follow the declaration into its copies
    quieter = declared.model_copy(update={"promises": ()})
    other = declared.model_copy(update={"cookies": {}, "retention": {}})

    assert looked_at_hash(quieter) == looked_at_hash(declared) != looked_at_hash(other)


def test_a_naive_now_is_a_programmers_mistake(declared: Declaration) -> None:
    with pytest.raises(TypeError, match="aware"):
        run(CONTROL, {"declaration": declared, "now": dt.datetime(2026, 11, 24)})  # noqa: DTZ001 - the mistake


def test_a_check_says_which_program_ran_it_and_for_what(check: Callable[..., Check]) -> None:
    def answer() -> ControlResult:
        return ControlResult.of("Fine.", evidence=SEEN)

    assert check(answer, collector="keep").collector == f"troth {__version__}, keep"
    assert check(answer).collector == f"troth {__version__}, library"

"""The Global Privacy Control signal is a refusal, also of who allowed everything, and the page says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.site.conftest import HOME, Ask

from troth.controls import CheckOutcome

CONTROL = "site.signal_honoured"
SAID = "<p>Your browser sends the Global Privacy Control signal. We honour it.</p>"


def _site(*, heeds: bool = True, says: bool = True, tag: str = "") -> Callable[[dict[str, str]], Any]:
    """A home page that counts who allowed it, and what it makes of the signal."""

    def answer(sent: dict[str, str]) -> tuple[list[tuple[str, str]], str]:
        is_signalled, is_allowed = sent.get("sec-gpc") == "1", "choice=yes" in sent.get("cookie", "")
        counts = is_allowed and not (is_signalled and heeds)
        cookies = [("Set-Cookie", "visit=1; Max-Age=60")] if counts else []
        body = HOME.replace("<main>", f"{SAID if says and is_signalled else ''}<main>{tag}")
        return [("Content-Type", "text/html"), *cookies], body

    return answer


@pytest.fixture
def company(company: dict[str, Any]) -> dict[str, Any]:
    choice = {"purpose": "necessary", "lifetime": "6 months", "allows": "yes"}
    signals = {"signals": {"gpc": "honoured", "dnt": "ignored"}}
    return {**company, "cookies": {**company["cookies"], "choice": choice}, "notice": signals}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"heeds": False}, "sets the cookie 'visit' despite the signal"),
        ({"says": False}, "does not confirm that the signal was honoured"),
        ({"tag": '<img src="https://ads.example.net/p.gif" alt="">'}, "uses ads.example.net, which is not a processor"),
    ],
)
def test_a_signal_that_is_not_heeded_or_not_acknowledged_is_found(
    ask: Ask, world: Any, fault: dict[str, Any], message: str
) -> None:
    world.answers["/"] = _site()
    good = ask(CONTROL)
    assert (good.outcome, good.figures["cookies"], good.figures["without the signal"]) == (CheckOutcome.PASS, 0, 1)
    world.answers["/"] = _site(**fault)
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.FAIL
    assert [message in finding.message for finding in check.findings] == [True]


def test_a_page_that_speaks_of_the_signal_to_everybody_acknowledges_nothing(ask: Ask, world: Any) -> None:
    world.answers["/"] = _site(says=False, tag=SAID)
    assert ask(CONTROL).outcome is CheckOutcome.FAIL


def test_words_that_nobody_sees_acknowledge_nothing(ask: Ask, world: Any) -> None:
    shown = _site(says=False)
    world.answers["/"] = lambda sent: (shown(sent)[0], f"<script>'{SAID if 'sec-gpc' in sent else ''}'</script>{HOME}")
    assert ask(CONTROL).outcome is CheckOutcome.FAIL


def test_what_a_processor_is_sent_goes_on(ask: Ask, world: Any) -> None:
    world.answers["/"] = _site(tag='<img src="https://stats.example.org/p.gif" alt="">')
    assert ask(CONTROL).outcome is CheckOutcome.PASS


def test_who_does_not_claim_to_honour_signals_is_not_asked(ask: Ask, company: dict[str, Any]) -> None:
    company["notice"] = {"signals": {"gpc": "ignored", "dnt": "ignored"}}
    assert ask(CONTROL).outcome is CheckOutcome.NOT_APPLICABLE


def test_a_site_that_does_not_answer_shows_nothing(ask: Ask, world: Any) -> None:
    world.answers["/"] = _site()
    world.put("/register/", status=503)
    assert ask(CONTROL).outcome is CheckOutcome.ERROR


def test_what_stands_there_anyway_is_no_reaction_where_the_look_without_the_signal_failed(ask: Ask, world: Any) -> None:
    shown = _site(says=False, tag=SAID)

    def answer(sent: dict[str, str]) -> Any:
        if "sec-gpc" not in sent:
            raise ConnectionResetError
        return shown(sent)

    world.answers["/"] = answer
    check = ask(CONTROL)
    assert (check.outcome, "site /" in check.evidence.observed) == (CheckOutcome.ERROR, False)
    assert "without the signal" in check.summary.rpartition(" /: ")[2]

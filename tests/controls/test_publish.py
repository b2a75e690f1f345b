"""Private by default, and a page says how much it leaves out."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.controls import (
    Check,
    CheckOutcome,
    ControlStatus,
    Earlier,
    Evidence,
    Figure,
    Judgement,
    Status,
    catalogue,
    shown_late,
    tally,
    visible,
)
from troth.declaration import Attestation, Audience, Granularity, Period, Promise, Publish, Waiver

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
FIGURES: dict[str, Figure] = {"opt-outs": 1204, "after": 0, "oldest": "2026-11-01", "share": 0.25, "late": False}
CONTROLS = catalogue()
EVERYONE = Publish(status=Audience.PUBLIC)


def promise(*controls: str, audience: Audience = Audience.PUBLIC, **more: Any) -> Promise:
    return Promise(quote="We keep it.", owner="ann@example.org", controls=controls, audience=audience, **more)


def judged(control: str = "ledger.intact") -> Judgement:
    check = Check(control, 1, CheckOutcome.PASS, "1,204 opt-outs in shop.", NOW, NOW, "", Evidence(), FIGURES)
    return Judgement(Status.KEPT, (ControlStatus(control, Status.KEPT, "It passed for ben@example.org.", check),))


def test_nothing_is_published_by_default() -> None:
    assert visible(promise("ledger.intact"), judged(), Audience.PUBLIC, Publish(), controls=CONTROLS) is None
    assert visible(promise("ledger.intact"), judged(), Audience.STAFF, Publish(), controls=CONTROLS) is not None


@pytest.mark.parametrize("never", ["protect.keys_current", "stores.transport_encrypted", "ours.unknown"])
def test_one_private_control_makes_the_whole_promise_private(never: str) -> None:
    bound = promise("ledger.intact", never)
    assert visible(bound, judged(), Audience.AUDITOR, EVERYONE, controls=CONTROLS) is None


@given(st.sampled_from(Audience), st.sampled_from(Audience), st.sampled_from(Audience))
def test_who_sees_it_depends_on_the_narrowest_limit(viewer: Audience, policy: Audience, own: Audience) -> None:
    width = list(Audience).index
    seen = visible(promise(audience=own), judged(), viewer, Publish(status=policy), controls=CONTROLS)
    assert (seen is not None) == (width(viewer) <= min(width(policy), width(own)))


def test_outsiders_see_orders_of_magnitude() -> None:
    seen = visible(promise("ledger.intact"), judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS)

    assert seen is not None
    (check,) = seen.checks
    assert check.figures == {"opt-outs": "1000-9999", "after": 0, "share": "less than 1", "late": False}
    assert (check.summary, seen.reasons) == ("", ())


def test_exact_figures_are_a_decision_and_reasons_stay_inside() -> None:
    outside = visible(
        promise("ledger.intact", granularity=Granularity.EXACT), judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS
    )
    inside = visible(promise("ledger.intact"), judged(), Audience.STAFF, EVERYONE, controls=CONTROLS)

    assert outside is not None
    assert inside is not None
    assert (outside.checks[0].summary, outside.reasons) == ("1,204 opt-outs in shop.", ())
    assert inside.reasons == ("It passed for ben@example.org.",)


def test_no_granularity_leaves_the_bare_status() -> None:
    seen = visible(
        promise("ledger.intact", granularity=Granularity.NONE), judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS
    )
    assert seen is not None
    assert (seen.status, seen.checks) == (Status.KEPT, ())


def test_an_attestation_is_shown_without_its_name() -> None:
    word = Attestation(by="ben@example.org", says="We lock the office.", on=NOW.date(), until=NOW.date())
    bound = promise().model_copy(update={"attest": word})
    seen = visible(bound, Judgement(Status.STATED), Audience.PUBLIC, EVERYONE, controls=CONTROLS)

    assert seen is not None
    assert seen.says == "We lock the office."
    assert "ben@" not in repr(seen)


def test_it_is_told_that_whoever_answers_for_a_promise_gave_the_word() -> None:
    for by, is_told in (("Ann <ann@Example.org>", True), ("ben@example.org", False)):
        word = Attestation(by=by, says="We lock the office.", on=NOW.date(), until=NOW.date())
        bound = promise().model_copy(update={"attest": word, "owner": "ann@example.org"})
        seen = visible(bound, Judgement(Status.STATED), Audience.PUBLIC, EVERYONE, controls=CONTROLS)
        assert seen is not None
        assert seen.by_owner is is_told


def test_a_page_says_how_much_it_leaves_out() -> None:
    word = Attestation(by="ben@example.org", says="We lock the office.", on=NOW.date(), until=NOW.date())
    said = promise().model_copy(update={"attest": word})
    promises = [promise("ledger.intact"), promise("ledger.intact"), promise("protect.keys_current"), promise(), said]
    shown = [visible(bound, judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS) for bound in promises]
    count = tally(zip(promises, shown, strict=True))

    assert str(count) == "5 promises: 2 checked here, 1 privately, 1 only attested, 1 bound to nothing"
    assert count.by_status[Status.KEPT] == 4


def test_outsiders_see_a_delayed_promise_as_it_was_and_no_check(now: dt.datetime) -> None:
    late = promise("ledger.intact", delay=Period(count=7, unit="day"))
    then = shown_late(late, Audience.PUBLIC, now)
    assert then == dt.datetime(2026, 11, 17, tzinfo=dt.UTC)
    earlier = Earlier(then, Status.BROKEN)
    seen = visible(late, judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS, earlier=earlier)
    assert seen is not None
    assert (seen.status, seen.checks, seen.as_of) == (Status.BROKEN, (), then)
    inside = visible(late, judged(), Audience.STAFF, EVERYONE, controls=CONTROLS, earlier=earlier)
    assert inside is not None
    assert (inside.status, shown_late(late, Audience.STAFF, now)) == (Status.KEPT, None)


def test_what_nobody_knew_then_is_not_shown_late() -> None:
    late = promise("ledger.intact", delay=Period(count=7, unit="day"))
    for earlier in (None, Earlier(NOW, None)):
        assert visible(late, judged(), Audience.PUBLIC, EVERYONE, controls=CONTROLS, earlier=earlier) is None


def test_a_waiver_is_shown_with_its_end_and_without_its_reason() -> None:
    waiver = Waiver(reason="ben@example.org is away", approver="ben@example.org", until=dt.date(2027, 1, 31))
    check = Check("ledger.intact", 1, CheckOutcome.FAIL, "It fails.", NOW, NOW, "")
    waived = Judgement(
        Status.WAIVED, (ControlStatus("ledger.intact", Status.WAIVED, f"Waived: {waiver.reason}", check),)
    )
    seen = visible(promise("ledger.intact", waive=waiver), waived, Audience.PUBLIC, EVERYONE, controls=CONTROLS)
    assert seen is not None
    assert seen.until == dt.date(2027, 1, 31)
    assert "ben@example.org" not in repr(seen)

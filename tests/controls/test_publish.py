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
    Evidence,
    Figure,
    PromiseStatus,
    PublishedStatus,
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


def judged(bound: Promise, control: str = "ledger.intact") -> PromiseStatus:
    check = Check(control, 1, CheckOutcome.PASS, "1,204 opt-outs in shop.", NOW, NOW, "", Evidence(), FIGURES)
    passed = ControlStatus(control, Status.KEPT, "It passed for ben@example.org.", check)
    return PromiseStatus(bound, Status.KEPT, (passed,))


def stated(bound: Promise) -> PublishedStatus:
    return visible(PromiseStatus(bound, Status.STATED), Audience.PUBLIC, EVERYONE, controls=CONTROLS)


def test_nothing_is_published_by_default() -> None:
    bound = promise("ledger.intact")
    assert visible(judged(bound), Audience.PUBLIC, Publish(), controls=CONTROLS).status is None
    assert visible(judged(bound), Audience.STAFF, Publish(), controls=CONTROLS).status is Status.KEPT


@pytest.mark.parametrize("never", ["protect.keys_current", "stores.transport_encrypted", "ours.unknown"])
def test_one_private_control_makes_the_whole_promise_private(never: str) -> None:
    bound = promise("ledger.intact", never)
    assert visible(judged(bound), Audience.AUDITOR, EVERYONE, controls=CONTROLS).status is None


@given(st.sampled_from(Audience), st.sampled_from(Audience), st.sampled_from(Audience))
def test_who_sees_it_depends_on_the_narrowest_limit(viewer: Audience, policy: Audience, own: Audience) -> None:
    width = list(Audience).index
    seen = visible(judged(promise(audience=own)), viewer, Publish(status=policy), controls=CONTROLS)
    assert (seen.status is not None) == (width(viewer) <= min(width(policy), width(own)))


def test_outsiders_see_orders_of_magnitude() -> None:
    seen = visible(judged(promise("ledger.intact")), Audience.PUBLIC, EVERYONE, controls=CONTROLS)

    (check,) = seen.checks
    assert check.figures == {"opt-outs": "1000-9999", "after": 0, "share": "less than 1", "late": False}
    assert (check.summary, seen.reasons) == ("", ())


def test_exact_figures_are_a_decision_and_reasons_stay_inside() -> None:
    outside = visible(
        judged(promise("ledger.intact", granularity=Granularity.EXACT)), Audience.PUBLIC, EVERYONE, controls=CONTROLS
    )
    inside = visible(judged(promise("ledger.intact")), Audience.STAFF, EVERYONE, controls=CONTROLS)

    assert (outside.checks[0].summary, outside.reasons) == ("1,204 opt-outs in shop.", ())
    assert inside.reasons == ("It passed for ben@example.org.",)


def test_no_granularity_leaves_the_bare_status() -> None:
    seen = visible(
        judged(promise("ledger.intact", granularity=Granularity.NONE)), Audience.PUBLIC, EVERYONE, controls=CONTROLS
    )
    assert (seen.status, seen.checks) == (Status.KEPT, ())


def test_an_attestation_is_shown_without_its_name() -> None:
    word = Attestation(by="ben@example.org", says="We lock the office.", on=NOW.date(), until=NOW.date())
    bound = promise().model_copy(update={"attest": word})
    seen = stated(bound)

    assert seen.says == "We lock the office."
    assert "ben@" not in repr(seen)


def test_it_is_told_that_whoever_answers_for_a_promise_gave_the_word() -> None:
    for by, is_told in (("Ann <ann@Example.org>", True), ("ben@example.org", False)):
        word = Attestation(by=by, says="We lock the office.", on=NOW.date(), until=NOW.date())
        bound = promise().model_copy(update={"attest": word, "owner": "ann@example.org"})
        seen = stated(bound)
        assert seen.by_owner is is_told


def test_a_page_says_how_much_it_leaves_out() -> None:
    word = Attestation(by="ben@example.org", says="We lock the office.", on=NOW.date(), until=NOW.date())
    said = promise().model_copy(update={"attest": word})
    promises = [promise("ledger.intact"), promise("ledger.intact"), promise("protect.keys_current"), promise(), said]
    shown = [visible(judged(bound), Audience.PUBLIC, EVERYONE, controls=CONTROLS) for bound in promises]
    count = tally((bound, seen.status) for bound, seen in zip(promises, shown, strict=True))

    assert (count.promises, count.checked_here, count.privately, count.attested, count.unbound) == (5, 2, 1, 1, 1)
    assert count.by_status[Status.KEPT] == 4


def test_outsiders_see_a_delayed_promise_as_it_was_and_no_check(now: dt.datetime) -> None:
    late = promise("ledger.intact", delay=Period(count=7, unit="day"))
    then = shown_late(late, Audience.PUBLIC, now)
    assert then == dt.datetime(2026, 11, 17, tzinfo=dt.UTC)
    earlier = PromiseStatus(late, Status.BROKEN, as_of=then)
    seen = visible(earlier, Audience.PUBLIC, EVERYONE, controls=CONTROLS)
    assert (seen.status, seen.checks, seen.as_of) == (Status.BROKEN, (), then)
    inside = visible(judged(late), Audience.STAFF, EVERYONE, controls=CONTROLS)
    assert (inside.status, shown_late(late, Audience.STAFF, now)) == (Status.KEPT, None)


def test_what_nobody_knew_then_is_not_shown_late() -> None:
    late = promise("ledger.intact", delay=Period(count=7, unit="day"))
    assert visible(judged(late), Audience.PUBLIC, EVERYONE, controls=CONTROLS).status is None


def test_a_waiver_is_shown_with_its_end_and_without_its_reason() -> None:
    waiver = Waiver(reason="ben@example.org is away", approver="ben@example.org", until=dt.date(2027, 1, 31))
    check = Check("ledger.intact", 1, CheckOutcome.FAIL, "It fails.", NOW, NOW, "")
    failed = ControlStatus("ledger.intact", Status.WAIVED, f"Waived: {waiver.reason}", check)
    waived = PromiseStatus(promise("ledger.intact", waive=waiver), Status.WAIVED, (failed,))
    seen = visible(waived, Audience.PUBLIC, EVERYONE, controls=CONTROLS)
    assert seen.until == dt.date(2027, 1, 31)
    assert "ben@example.org" not in repr(seen)

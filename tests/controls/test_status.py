"""Nothing is green by default, and nothing that gets worse ever looks better."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.controls import (
    Cause,
    Check,
    CheckOutcome,
    Control,
    ControlFinding,
    Evidence,
    Portion,
    PromiseStatus,
    Status,
    status_of,
)
from troth.declaration import Attestation, Promise, Waiver

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
TODAY = NOW.date()
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ORDER = list(Status)
SHOP = Evidence(in_scope=frozenset({"shop"}), observed=frozenset({"shop"}))
BLIND = Evidence(in_scope=frozenset({"shop"}))
VAGUE = Evidence()
HASH = "now"


def rule(id_: str, failures_to_break: int = 1) -> Control:
    return Control(
        id_,
        2,
        "Is it so?",
        "GDPR Art. 5(2)",
        ("C01",),
        DAY,
        3 * DAY,
        "Fix.",
        "Some.",
        failures_to_break=failures_to_break,
    )


CONTROLS = {"a.once": rule("a.once"), "b.thrice": rule("b.thrice", 3)}


def made(control: str = "a.once", outcome: CheckOutcome = CheckOutcome.PASS, ago: dt.timedelta = HOUR) -> Check:
    at = NOW - ago
    return Check(control, 2, outcome, "3 of 3 looked at.", at, at + 3 * DAY, HASH, SHOP)


def promise(
    *controls: str, attest: Attestation | None = None, waive: Waiver | None = None, owner: str = "ann@example.org"
) -> Promise:
    return Promise(quote="We keep it.", owner=owner, controls=controls, attest=attest, waive=waive)


def word(until: dt.date = TODAY, on: dt.date = TODAY) -> Attestation:
    return Attestation(by="ben@example.org", says="We lock the office.", on=on, until=until)


def waiver(until: dt.date = TODAY, scope: tuple[str, ...] = (), approver: str = "chloe@example.org") -> Waiver:
    return Waiver(reason="moving house", approver=approver, until=until, scope=scope)


def approved(bound: Promise) -> frozenset[str]:
    """As if a second person had approved its waiver and its attestation."""
    return frozenset(filter(None, (bound.waiver_hash, bound.attestation_hash)))


def judge(bound: Promise, *checks: Check) -> PromiseStatus:
    history: dict[str, list[Check]] = {}
    for check in checks:
        history.setdefault(check.control, []).append(check)
    return status_of(bound, history, now=NOW, declaration_hash=HASH, controls=CONTROLS, approved=approved(bound))


# --- the rules, one by one --------------------------------------------------------------------------------------------


def test_kept_needs_every_control_passed() -> None:
    assert judge(promise("a.once", "b.thrice"), made(), made("b.thrice")).status is Status.KEPT
    assert judge(promise("a.once", "b.thrice"), made()).status is Status.UNPROVEN


def test_a_doubt_leaves_a_promise_unproven_whatever_passed_and_fixes_no_failure() -> None:
    def doubted(outcome: CheckOutcome) -> PromiseStatus:
        checks = {"a.once": [made(outcome=outcome)]}
        bound, doubt = promise("a.once", attest=word()), "The policy says another period."
        return status_of(
            bound, checks, now=NOW, declaration_hash=HASH, controls=CONTROLS, doubt=doubt, approved=approved(bound)
        )

    assert doubted(CheckOutcome.PASS).status is Status.UNPROVEN
    assert doubted(CheckOutcome.PASS).reasons[0] == "The policy says another period."
    assert doubted(CheckOutcome.FAIL).status is Status.BROKEN


def test_a_promise_without_control_or_word_is_unproven() -> None:
    assert judge(promise()).status is Status.UNPROVEN


def test_an_unknown_control_proves_nothing() -> None:
    assert judge(promise("a.once", "gone.away"), made(), made("gone.away")).status is Status.UNPROVEN


@each_row(
    "spoilt",
    [
        replace(made(), outcome=CheckOutcome.ERROR),
        replace(made(), evidence=BLIND),
        replace(made(), evidence=VAGUE),
        replace(made(), findings=(ControlFinding("shop", "a fault"),)),
        replace(made(), control_version=1),
        replace(made(), declaration_hash="before"),
        replace(made(), valid_until=NOW),
        replace(made(), at=NOW - 3 * DAY, valid_until=NOW + 99 * DAY),
        replace(made(), at=NOW + HOUR),
    ],
    ids=["error", "unobserved", "no scope", "findings", "version", "declaration", "expired", "too old", "future"],
)
def test_a_spoilt_pass_is_unproven(spoilt: Check) -> None:
    assert judge(promise("a.once"), made()).status is Status.KEPT
    assert judge(promise("a.once"), spoilt).status is Status.UNPROVEN


def test_a_control_breaks_after_its_number_of_failures_in_a_row() -> None:
    failures = [made("b.thrice", CheckOutcome.FAIL, ago) for ago in (3 * HOUR, 2 * HOUR, HOUR)]

    assert judge(promise("b.thrice"), *failures[:2]).status is Status.UNPROVEN
    assert judge(promise("b.thrice"), *failures).status is Status.BROKEN


def test_a_pass_ends_the_row() -> None:
    outcomes = [CheckOutcome.FAIL, CheckOutcome.FAIL, CheckOutcome.PASS, CheckOutcome.FAIL]
    row = [made("b.thrice", outcome, (4 - place) * HOUR) for place, outcome in enumerate(outcomes)]
    assert judge(promise("b.thrice"), *row).status is Status.UNPROVEN


@pytest.mark.parametrize(
    "later",
    [made(outcome=CheckOutcome.ERROR), replace(made(), evidence=BLIND), replace(made(), at=NOW + HOUR)],
    ids=["error", "unobserved pass", "future pass"],
)
def test_a_known_failure_stands_until_a_real_pass(later: Check) -> None:
    failed = made(outcome=CheckOutcome.FAIL, ago=2 * HOUR)

    assert judge(promise("a.once"), failed, later).status is Status.BROKEN
    assert judge(promise("a.once"), failed, made()).status is Status.KEPT


def test_a_failure_does_not_age_away() -> None:
    old = replace(made(outcome=CheckOutcome.FAIL, ago=400 * DAY), declaration_hash="before", control_version=1)
    assert judge(promise("a.once"), old).status is Status.BROKEN


def test_a_promise_is_not_kept_while_one_of_its_controls_does_not_apply() -> None:
    """Offering a right does not show that requests are answered in time where nobody has sent one."""
    neither = made(outcome=CheckOutcome.NOT_APPLICABLE)

    assert judge(promise("a.once"), neither).status is Status.UNPROVEN
    both = judge(promise("a.once", "b.thrice"), neither, made("b.thrice"))
    assert both.status is Status.UNPROVEN
    assert both.reasons[0].startswith("Part of this promise is not proven yet. “")
    assert both.deciding is not None
    assert both.deciding.control == "a.once"


def test_a_word_stands_beside_a_control_that_does_not_apply() -> None:
    neither = made(outcome=CheckOutcome.NOT_APPLICABLE)
    assert judge(promise("a.once", attest=word()), neither).status is Status.STATED


def test_a_word_in_force_is_stated_and_never_more() -> None:
    assert judge(promise(attest=word())).status is Status.STATED
    assert judge(promise("a.once", attest=word()), made()).status is Status.STATED


@pytest.mark.parametrize("bad", [word(until=TODAY - DAY, on=TODAY - DAY), word(on=TODAY + DAY, until=TODAY + DAY)])
def test_a_word_out_of_force_is_unproven(bad: Attestation) -> None:
    assert judge(promise(attest=bad)).status is Status.UNPROVEN
    assert judge(promise("a.once", attest=bad), made()).status is Status.UNPROVEN


def test_a_word_does_not_fix_a_failure() -> None:
    assert judge(promise("a.once", attest=word()), made(outcome=CheckOutcome.FAIL)).status is Status.BROKEN


def test_a_waiver_in_force_covers_a_failure_up_to_its_last_day() -> None:
    failed = made(outcome=CheckOutcome.FAIL)

    assert judge(promise("a.once", waive=waiver(until=TODAY)), failed).status is Status.WAIVED
    assert judge(promise("a.once", waive=waiver(until=TODAY - DAY)), failed).status is Status.BROKEN


def test_a_waiver_covers_no_more_than_its_scope() -> None:
    failed = [made(outcome=CheckOutcome.FAIL), *[made("b.thrice", CheckOutcome.FAIL, HOUR * n) for n in (1, 2, 3)]]
    bound = promise("a.once", "b.thrice", waive=waiver(scope=("a.once",)))

    assert judge(bound, *failed).status is Status.BROKEN
    assert judge(bound, failed[0], made("b.thrice")).status is Status.WAIVED


def test_a_waiver_hides_nothing_that_is_unproven() -> None:
    bound = promise("a.once", "b.thrice", waive=waiver())
    assert judge(bound, made(outcome=CheckOutcome.FAIL)).status is Status.UNPROVEN


@each_row(
    "approver",
    [
        " Ann@Example.org",
        "Ann <ann@example.org>",
        "ann+approvals@example.org",
        "ann@example.org.",
        "ann\u200b@example.org",
        "ａｎｎ＠example.org",
        "mailto:ann@example.org",
        "an n@example.org",
    ],
)
def test_nobody_waives_their_own_promise(approver: str) -> None:
    # The declaration refuses this already; the one function that decides does not rely on it.
    own = promise("a.once").model_copy(update={"waive": waiver(approver=approver)})
    assert judge(own, made(outcome=CheckOutcome.FAIL)).status is Status.BROKEN
    with pytest.raises(ValueError, match="cannot approve its waiver"):
        promise("a.once", waive=waiver(approver=approver))


@pytest.mark.parametrize(
    "approver", ["ben@example.org", "ann@example.net", "Ann <ben@example.org>", "anna@example.org"]
)
def test_somebody_else_may_waive_it(approver: str) -> None:
    bound = promise("a.once", waive=waiver(approver=approver))
    assert judge(bound, made(outcome=CheckOutcome.FAIL)).status is Status.WAIVED


def test_reasons_are_sentences_and_the_deciding_one_comes_first() -> None:
    found = judge(promise("a.once", "b.thrice"), made(), made("b.thrice", CheckOutcome.ERROR))

    assert found.reasons == (
        "“Is it so?” could not be checked 2026-11-24 08:41 UTC: 3 of 3 looked at.",
        "“Is it so?” passed 2026-11-24 08:41 UTC: 3 of 3 looked at.",
    )


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        status_of(promise(), {}, now=NOW.replace(tzinfo=None), declaration_hash=HASH, controls=CONTROLS)


# --- every small world ------------------------------------------------------------------------------------------------

OUTCOMES = [
    CheckOutcome.PASS,
    CheckOutcome.NOT_APPLICABLE,
    CheckOutcome.ERROR,
    CheckOutcome.FAIL,
]  # from the best to the worst
SPOILT = [
    {},
    {"evidence": BLIND},
    {"evidence": VAGUE},
    {"control_version": 1},
    {"declaration_hash": "before"},
    {"valid_until": NOW},
]
ATTESTATIONS = [None, word(), word(until=TODAY - DAY, on=TODAY - DAY)]
WAIVERS = [None, waiver(), waiver(until=TODAY - DAY), waiver(scope=("b.thrice",)), waiver(scope=("a.once",))]
CHECKS = [replace(made(outcome=outcome), **how) for outcome in OUTCOMES for how in SPOILT]  # type: ignore[arg-type]


def test_in_every_small_world_kept_means_measured() -> None:
    """All worlds of one control, up to two checks, an attestation and a waiver, against the definition in words."""
    for last, first, attest, waive in itertools.product([None, *CHECKS], [None, *CHECKS], ATTESTATIONS, WAIVERS):
        history = [replace(first, at=NOW - 2 * HOUR)] if first else []
        history += [last] if last else []
        found = judge(promise("a.once", attest=attest, waive=waive), *history).status
        measured = bool(history) and history[-1] in (made(), replace(made(), at=NOW - 2 * HOUR))
        word_counts = attest is not None and attest.until >= TODAY

        assert (found is Status.KEPT) == (measured and attest is None)
        assert found is not Status.STATED or word_counts
        assert found is not Status.WAIVED or (waive is not None and waive.until >= TODAY)


def checks_of(control: str) -> st.SearchStrategy[Check]:
    return st.builds(
        lambda check, ago, how: replace(check, at=NOW - ago, **how),
        st.sampled_from([made(control, outcome) for outcome in OUTCOMES]),
        st.sampled_from([HOUR, 2 * HOUR, 5 * HOUR, 2 * DAY, 4 * DAY]),
        st.sampled_from(SPOILT),
    )


WORLD = st.fixed_dictionaries(
    {id_: st.lists(checks_of(id_), max_size=5, unique_by=lambda check: check.at) for id_ in CONTROLS}
)
PROMISES = st.builds(
    lambda controls, attest, waive: promise(*controls, attest=attest, waive=waive),
    st.lists(st.sampled_from(["a.once", "b.thrice", "gone.away"]), unique=True),
    st.sampled_from(ATTESTATIONS),
    st.sampled_from(WAIVERS),
)


def rank(bound: Promise, history: Mapping[str, Sequence[Check]], hashes: frozenset[str] | None = None) -> int:
    hashes = approved(bound) if hashes is None else hashes
    return ORDER.index(
        status_of(bound, history, now=NOW, declaration_hash=HASH, controls=CONTROLS, approved=hashes).status
    )


def floor(bound: Promise, before: int) -> int:
    """How good the status may be after a change for the worse. With a waiver, a failure turns unproven into waived:
    it is known then, and accepted. It never turns anything into stated or kept."""
    return before if bound.waive is None else min(before, ORDER.index(Status.WAIVED))


@settings(max_examples=scaled(80, 1000))
@given(PROMISES, WORLD, st.data())
def test_a_worse_check_never_improves_the_status(
    bound: Promise, world: dict[str, list[Check]], data: st.DataObject
) -> None:
    id_ = data.draw(st.sampled_from([name for name in world if world[name]] or ["a.once"]))
    if not world[id_]:
        return
    place = data.draw(st.integers(0, len(world[id_]) - 1))
    check = world[id_][place]
    worse_outcome = data.draw(st.sampled_from(OUTCOMES[OUTCOMES.index(check.outcome) :]))
    spoil = data.draw(st.sampled_from(SPOILT))
    worse = [*world[id_]]
    worse[place] = replace(check, outcome=worse_outcome, **spoil)  # type: ignore[arg-type]

    assert rank(bound, {**world, id_: worse}) >= floor(bound, rank(bound, world))


@given(PROMISES, WORLD)
def test_one_more_failure_never_improves_the_status(bound: Promise, world: dict[str, list[Check]]) -> None:
    for id_ in CONTROLS:
        more = [*world[id_], made(id_, CheckOutcome.FAIL, dt.timedelta(0))]
        assert rank(bound, {**world, id_: more}) >= floor(bound, rank(bound, world))


@given(PROMISES, WORLD)
def test_forgetting_never_makes_kept(bound: Promise, world: dict[str, list[Check]]) -> None:
    empty: dict[str, list[Check]] = {}
    assert rank(bound, empty) > ORDER.index(Status.KEPT)


@given(PROMISES, WORLD)
def test_a_lapsed_word_or_waiver_never_improves_the_status(bound: Promise, world: dict[str, list[Check]]) -> None:
    lapsed = {"attest": ATTESTATIONS[2] if bound.attest else None, "waive": WAIVERS[2] if bound.waive else None}
    assert rank(bound.model_copy(update=lapsed), world) >= rank(bound, world)


@given(PROMISES, WORLD)
def test_one_more_control_never_improves_what_is_bound(bound: Promise, world: dict[str, list[Check]]) -> None:
    more = bound.model_copy(update={"controls": (*bound.controls, "gone.away")})
    assert rank(more, world) >= min(rank(bound, world), ORDER.index(Status.UNPROVEN))


@given(PROMISES, WORLD)
def test_the_order_in_which_checks_arrive_does_not_matter(bound: Promise, world: dict[str, list[Check]]) -> None:
    assert rank(bound, {id_: checks[::-1] for id_, checks in world.items()}) == rank(bound, world)


@given(PROMISES, WORLD)
def test_without_a_second_person_no_status_is_better(bound: Promise, world: dict[str, list[Check]]) -> None:
    assert rank(bound, world, frozenset()) >= rank(bound, world)


def test_a_waiver_and_a_word_wait_for_a_second_person() -> None:
    failed, waived = made(outcome=CheckOutcome.FAIL), promise("a.once", waive=waiver())
    stated = promise(attest=word())
    for bound, checks, status, cause, reason in (
        (waived, [failed], Status.BROKEN, Cause.FAILED, "Its waiver waits for approval by a second person."),
        (
            stated,
            [],
            Status.UNPROVEN,
            Cause.UNAPPROVED,
            "The attestation of ben@example.org waits for approval by a second person.",
        ),
    ):
        for hashes in (frozenset[str](), approved(promise(attest=word(until=TODAY + DAY), waive=waiver(TODAY + DAY)))):
            judgement = status_of(
                bound, {"a.once": checks}, now=NOW, declaration_hash=HASH, controls=CONTROLS, approved=hashes
            )
            assert judgement.deciding is not None
            assert (judgement.status, judgement.deciding.cause) == (status, cause)
            assert judgement.reasons[0].endswith(reason)


def test_a_word_for_more_than_a_year_does_not_count() -> None:
    year = word(on=TODAY - 300 * DAY, until=TODAY + 66 * DAY)
    longer = word(on=TODAY - 300 * DAY, until=TODAY + 67 * DAY)
    assert judge(promise(attest=year)).status is Status.STATED
    judgement = judge(promise("a.once", attest=longer), made())
    assert judgement.status is Status.UNPROVEN
    assert "for more than a year" in judgement.reasons[0]


@pytest.mark.parametrize(("owner", "is_told"), [("Ben <ben@Example.org>", True), ("ann@example.org", False)])
def test_a_word_of_the_owner_is_told_as_such(owner: str, is_told: bool) -> None:
    judgement = judge(promise(attest=word(), owner=owner))
    assert judgement.status is Status.STATED
    assert ("They are the owner of the promise." in judgement.reasons[0]) is is_told


# --- what a promise is about ----------------------------------------------------------------------------------------


def overdue(*places: str) -> Check:
    failed = made(outcome=CheckOutcome.FAIL)
    looked = Evidence(frozenset({"shop", "logins"}), frozenset({"shop", "logins"}))
    return replace(failed, evidence=looked, findings=tuple(ControlFinding(place, "overdue") for place in places))


@each_row(
    ("about", "status"),
    [
        ((), Status.BROKEN),
        (("shop",), Status.KEPT),
        (("shop.customer",), Status.KEPT),
        (("logins",), Status.BROKEN),
        (("logins.login",), Status.BROKEN),
        (("shop", "logins.login"), Status.BROKEN),
        (("login",), Status.BROKEN),
        (("desk",), Status.BROKEN),
    ],
)
def test_what_is_found_elsewhere_touches_no_promise_about_something_else(
    about: tuple[str, ...], status: Status
) -> None:
    """The desk was not observed and ``login`` is no system: nothing there lets a failure pass."""
    bound = promise("a.once").model_copy(update={"about": about})
    assert judge(bound, overdue("logins.login")).status is status


@pytest.mark.parametrize(
    ("place", "about", "status"),
    [
        ("logins", "logins.login", Status.BROKEN),
        ("logins account root", "logins.login", Status.BROKEN),
        ("logins.login", "logins.login.at", Status.BROKEN),
        ("access.ceiling", "logins.login", Status.BROKEN),
        ("logins.login.ip", "logins.login.at", Status.KEPT),
        ("logins.log", "logins.login", Status.KEPT),
        ("shop account root", "logins.login", Status.KEPT),
    ],
)
def test_a_fault_of_the_whole_touches_its_parts(place: str, about: str, status: Status) -> None:
    """A database that is read in plain text lets nobody call one of its tables protected."""
    bound = promise("a.once").model_copy(update={"about": (about,)})
    assert judge(bound, overdue(place)).status is status


@each_row("looked", ["shop", "site", "ledger", "declaration"])
@each_row("outcome", [CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE])
def test_a_control_that_looked_elsewhere_shows_nothing_of_what_a_promise_is_about(
    looked: str, outcome: CheckOutcome
) -> None:
    bound = promise("a.once", "b.thrice").model_copy(update={"about": ("logins.login",)})
    there = Evidence(frozenset({"logins"}), frozenset({"logins"}))
    seen = replace(made(outcome=outcome), evidence=Evidence(frozenset({looked}), frozenset({looked})))
    assert (
        judge(bound, replace(made(), evidence=there), replace(made("b.thrice"), evidence=there)).status is Status.KEPT
    )
    judgement = judge(bound, seen, replace(made("b.thrice"), evidence=there))
    assert judgement.status is Status.UNPROVEN
    assert "but not in logins.login" in judgement.reasons[0]


def test_a_pass_elsewhere_ends_no_failure_here() -> None:
    bound = promise("a.once").model_copy(update={"about": ("logins",)})
    failed = replace(overdue("logins.login"), at=NOW - 2 * HOUR)
    assert judge(bound, failed, made()).status is Status.BROKEN


def test_a_failure_that_names_no_place_touches_every_promise() -> None:
    bound = promise("a.once").model_copy(update={"about": ("shop",)})
    assert judge(bound, replace(overdue(), findings=())).status is Status.BROKEN


def test_a_fault_that_is_not_named_any_more_still_counts() -> None:
    """Sixty faults elsewhere fill the list; the one that concerns the promise stands below them."""
    bound = promise("a.once").model_copy(update={"about": ("shop",)})
    named = overdue(*(f"logins.t{index}" for index in range(50)))
    more = replace(named, findings=(*named.findings, ControlFinding("", "and 11 more")))
    assert judge(bound, named).status is Status.KEPT
    assert judge(bound, more).status is Status.BROKEN


@pytest.mark.parametrize(
    ("about", "status"),
    [
        (("logins.login",), Status.KEPT),
        (("logins",), Status.KEPT),
        (("logins.login.at",), Status.KEPT),
        (("shop",), Status.UNPROVEN),
        (("logins.account",), Status.UNPROVEN),
        (("logins.login", "logins.log"), Status.UNPROVEN),
    ],
)
def test_a_control_that_did_not_look_there_shows_nothing_of_it(about: tuple[str, ...], status: Status) -> None:
    """A rule of retention was taken out of the declaration: nothing is overdue where nothing was looked for."""
    looked = Evidence(frozenset({"shop"}), frozenset({"shop"}), places=frozenset({"logins.login"}))
    bound = promise("a.once").model_copy(update={"about": about})
    judgement = judge(bound, replace(made(), evidence=looked))
    assert judgement.status is status
    assert (status is Status.KEPT) or f"but not in {about[-1]}" in judgement.reasons[0]


# --- what is seen place by place --------------------------------------------------------------------------------------


def aged(**overdue: int) -> Check:
    """Twelve rows in each table, and none in the one that is called empty."""
    rows = {name: 0 if name == "empty" else 12 for name in overdue}
    portions = tuple(
        Portion(f"shop.{name}", {"rows": rows[name], "overdue": late}, rows[name], 2 if rows[name] else 0)
        for name, late in overdue.items()
    )
    places = frozenset(it.place for it in portions)
    seen = replace(SHOP, population=sum(rows.values()), places=places, portions=portions)
    found = tuple(ControlFinding(f"shop.{name}", "overdue") for name, late in overdue.items() if late)
    return replace(made(outcome=CheckOutcome.FAIL if found else CheckOutcome.PASS), evidence=seen, findings=found)


@pytest.mark.parametrize(
    ("about", "status", "summary", "tested"),
    [
        (("shop.login",), Status.KEPT, "shop.login: rows 12, overdue 0.", 10),
        (("shop.order",), Status.BROKEN, "shop.order: rows 12, overdue 4.", 10),
        (("shop.order", "shop.login"), Status.BROKEN, "shop.login, shop.order: rows 24, overdue 4.", 20),
        (("shop.login", "shop.empty"), Status.KEPT, "shop.empty, shop.login: rows 12, overdue 0.", 10),
    ],
)
def test_a_promise_is_told_the_figures_of_what_it_is_about(
    about: tuple[str, ...], status: Status, summary: str, tested: int
) -> None:
    bound = promise("a.once").model_copy(update={"about": about})
    judgement = judge(bound, aged(login=0, order=4, empty=0))
    (standing,) = judgement.by_control
    assert (judgement.status, standing.check and standing.check.summary) == (status, summary)
    assert summary in judgement.reasons[0]
    assert standing.check is not None
    assert standing.check.evidence.tested == tested


def test_the_figures_of_a_place_say_what_was_compared_there() -> None:
    bound = promise("a.once").model_copy(update={"about": ("shop.login",)})
    looked = aged(login=0)
    portion = Portion("shop.login", {"rows": 12, "kept": 3}, 12, 3, "30 days from renewed_at")
    judgement = judge(bound, replace(looked, evidence=replace(looked.evidence, portions=(portion,))))
    assert "shop.login: rows 12, older but held 3, 30 days from renewed_at." in judgement.reason


def test_a_pass_over_nothing_shows_nothing_and_says_so() -> None:
    bound = promise("a.once", "b.thrice").model_copy(update={"about": ("shop.empty",)})
    looked = replace(made("b.thrice"), evidence=SHOP)
    assert judge(bound, aged(login=0, empty=0), looked).status is Status.UNPROVEN
    judgement = judge(bound.model_copy(update={"controls": ("a.once",)}), aged(login=4, empty=0))
    assert judgement.status is Status.UNPROVEN
    assert "There is nothing to check in shop.empty." in " ".join(judgement.reasons)


def test_figures_of_a_place_hide_no_fault_that_is_not_named() -> None:
    bound = promise("a.once").model_copy(update={"about": ("shop.login",)})
    named = aged(login=0, order=4)
    judgement = judge(bound, replace(named, findings=(*named.findings, ControlFinding("", "and 11 more"))))
    assert judgement.status is Status.BROKEN
    assert "overdue 0" not in judgement.reasons[0]


def test_only_the_systems_of_what_a_promise_is_about_were_looked_at_for_it() -> None:
    both = frozenset({"shop", "desk"})
    wide = aged(login=0, order=0)
    wide = replace(wide, evidence=replace(wide.evidence, in_scope=both, observed=both))
    (standing,) = judge(promise("a.once").model_copy(update={"about": ("shop.login",)}), wide).by_control
    assert standing.check is not None
    assert standing.check.evidence.in_scope == standing.check.evidence.observed == frozenset({"shop"})
    without_desk = replace(wide, evidence=replace(wide.evidence, observed=frozenset({"shop"})))
    about_both = promise("a.once").model_copy(update={"about": ("shop.login", "desk.note")})
    assert judge(about_both, without_desk).status is Status.UNPROVEN

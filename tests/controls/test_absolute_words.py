"""A promise that claims the whole of something is kept only by controls that look at the whole."""

import datetime as dt
from dataclasses import replace

import pytest

from troth.controls import Check, CheckOutcome, Control, Evidence, Status, absolute_words, catalogue, status_of
from troth.declaration import Attestation, Promise

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
SEEN = frozenset({"shop"})
WHOLE = replace(catalogue()["stores.schema_declared"], whole=True)
PART = replace(WHOLE, whole=False)
OF_PAGES = replace(WHOLE, whole=("pages", "website"))


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("We never sell your data, and no one else receives it.", ("never", "no one else")),
        ("Only our staff can see it.", ("only",)),
        ("All tables are declared; the list is complete.", ("all", "complete")),
        ("Each of them is declared, and so is the entire database.", ("each", "entire")),
        ("You can object at any time, and we stop at once.", ()),
        ("The systems do not know each other.", ()),
        ("We do not ask for this at all.", ()),
        ("Not every browser shows it.", ()),
        ("We delete sign-ups that nobody confirmed.", ()),
        ("We keep orders for overall six years.", ()),
    ],
)
def test_absolute_words_are_found_and_phrases_that_claim_nothing_are_not(sentence: str, words: tuple[str, ...]) -> None:
    assert absolute_words(sentence) == words


def status(quote: str, control: Control, evidence: Evidence, attest: Attestation | None = None) -> Status:
    promise = Promise(quote=quote, owner="ann@example.org", controls=(control.id,), attest=attest)
    check = Check(
        control.id, control.version, CheckOutcome.PASS, "3 rows.", NOW, NOW + dt.timedelta(hours=1), "h", evidence
    )
    judged = status_of(
        promise,
        {control.id: [check]},
        now=NOW,
        declaration_hash="h",
        controls={control.id: control},
        approved={promise.attestation_hash} if promise.attestation_hash else set(),
    )
    assert (judged.status is Status.UNPROVEN) == ("The promise says" in judged.reason)
    return judged.status


ALL_OF_IT = Evidence(SEEN, SEEN, population=3, tested=3)
SAMPLE = Evidence(SEEN, SEEN, population=300, tested=3)


@pytest.mark.parametrize(
    ("quote", "control", "evidence", "kept"),
    [
        ("Every row is declared.", WHOLE, ALL_OF_IT, True),
        ("Every row is declared.", WHOLE, SAMPLE, False),
        ("Every row is declared.", WHOLE, Evidence(SEEN, SEEN, population=3, tested=2, excluded=1), True),
        ("Every row is declared.", PART, ALL_OF_IT, False),
        ("Rows are declared.", PART, SAMPLE, True),
        ("Our pages load nothing of others.", OF_PAGES, ALL_OF_IT, True),
        ("No one else receives your data.", OF_PAGES, ALL_OF_IT, False),
    ],
)
def test_a_partial_view_proves_no_promise_over_the_whole(
    quote: str, control: Control, evidence: Evidence, kept: bool
) -> None:
    assert status(quote, control, evidence) is (Status.KEPT if kept else Status.UNPROVEN)


def test_a_person_may_state_what_the_controls_do_not_see() -> None:
    day = NOW.date()
    word = Attestation(by="ben@example.org", says="I looked.", on=day, until=day + dt.timedelta(days=30))
    assert status("No one else receives your data.", PART, ALL_OF_IT, word) is Status.STATED

"""What stands in place of a value: it goes back to the character, says the same of the same, and shows nothing."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.detect import Detector, Finding, Labels, keyed, masked, removed, replace, restore, typed
from troth.detect.replacement import Way
from troth.protect import Keyring

KEYRING = Keyring(bytes(range(32)))


def _finding(text: str, value: str, entity: str = "PERSON", *, after: int = 0, score: float = 0.9) -> Finding:
    start = text.index(value, after)
    return Finding(start, start + len(value), entity, score, "test")


def _labelled(labels: Labels, text: str, *values: str) -> str:
    """*text* with labels for each of *values*, wherever it first stands after the one before."""
    found: list[Finding] = []
    for value in values:
        found.append(_finding(text, value, after=found[-1].end if found else 0))
    return labels.replace(text, found).text


# --- and the way back -----------------------------------------------------------------------------------------------

WAYS: dict[str, Way] = {"typed": typed, "masked": masked, "removed": removed, "keyed": keyed(KEYRING, "calls")}
TEXTS = st.text(st.characters() | st.sampled_from("[]PERSON_123 \u202e\u0301\u200b\ud800"), max_size=60)


@st.composite
def _found(draw: st.DrawFn) -> tuple[str, list[Finding]]:
    text = draw(TEXTS.filter(bool))
    places = draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 12)), max_size=8))
    kinds = st.sampled_from(["PERSON", "CREDIT_CARD", "NOT_KNOWN"])
    return text, [Finding(at, min(at + size, len(text)), draw(kinds), 0.9, "test") for at, size in places]


@given(_found(), st.sampled_from([*WAYS, "labels"]))
def test_what_was_replaced_can_be_restored_to_the_character(found: tuple[str, list[Finding]], way: str) -> None:
    text, findings = found
    replaced = Labels().replace(text, findings) if way == "labels" else replace(text, findings, WAYS[way])
    assert restore(replaced) == text
    assert all(mark.was.reveal() in text for mark in replaced.marks)


@given(_found())
def test_no_character_that_was_found_is_left(found: tuple[str, list[Finding]]) -> None:
    text, findings = found
    covered = {at for it in findings for at in range(it.start, it.end)}
    assert replace(text, findings, removed).text == "".join(c for at, c in enumerate(text) if at not in covered)


def test_overlapping_findings_are_one_place_of_the_surest_type() -> None:
    text = "write to ann@example.org/ann now"
    found = [_finding(text, "example.org/ann", "URL"), _finding(text, "ann@example.org", "EMAIL_ADDRESS", score=0.99)]
    assert replace(text, found, typed).text == "write to [EMAIL_ADDRESS] now"


def test_neighbours_stay_two() -> None:
    text = "AnnBen"
    assert replace(text, [_finding(text, "Ben"), _finding(text, "Ann")], typed).text == "[PERSON][PERSON]"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 2), (0, 7)])
def test_a_finding_of_another_text_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=r"no -?\d+:\d+ in a text of 6 characters"):
        replace("secret", [Finding(start, end, "PERSON", 0.9, "test")], typed)


def test_nothing_that_was_replaced_is_shown() -> None:
    labels = Labels()
    replaced = labels.replace("Ann called", [_finding("Ann called", "Ann")])
    assert "Ann" not in repr(replaced) + repr(labels) + repr(copy.copy(replaced.marks))
    with pytest.raises(TypeError):
        pickle.dumps(replaced)
    with pytest.raises(TypeError):
        pickle.dumps(labels)


def test_what_is_masked_keeps_its_length_and_its_words() -> None:
    text = "it is 4111 1111, Ann"
    assert replace(text, [_finding(text, "4111 1111", "CREDIT_CARD")], masked).text == "it is **** ****, Ann"


# --- the same for the same ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("CREDIT_CARD", "4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("EMAIL_ADDRESS", "Ann@Example.org", "ann@example.org"),
        ("UK_NINO", "ab123456c", "AB 12 34 56 C"),
        ("PHONE_NUMBER", "+44 7700 900123", "+447700900123"),
        ("PHONE_NUMBER", "0044 7700 900123", "+44 (0)7700 900123"),
        ("REFERENCE_NUMBER", "PL-77", "PL 77"),
        ("LOCATION", "New  York", "new\nyork"),
    ],
)
def test_a_value_is_the_same_however_it_is_written(entity: str, one: str, other: str) -> None:
    labels = Labels()
    assert labels.label(entity, one) == labels.label(entity, other) == f"[{entity}_1]"
    assert WAYS["keyed"](entity, one) == WAYS["keyed"](entity, other)


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [("DATE_TIME", "1/12", "11/2"), ("EMAIL_ADDRESS", "a.b@example.org", "ab@example.org"), ("PERSON", "Ann", "Ben")],
)
def test_values_that_only_look_alike_are_two(entity: str, one: str, other: str) -> None:
    labels = Labels()
    assert labels.label(entity, one) != labels.label(entity, other)
    assert WAYS["keyed"](entity, one) != WAYS["keyed"](entity, other)


@pytest.mark.parametrize("said", [("07700 900123", "+44 7700 900123"), ("+44 7700 900123", "07700900123")])
def test_a_telephone_number_is_the_same_with_the_code_of_its_country(said: tuple[str, str]) -> None:
    labels = Labels()
    assert [labels.label("PHONE_NUMBER", it) for it in (*said, *said)] == ["[PHONE_NUMBER_1]"] * 4


def test_a_telephone_number_that_two_countries_have_is_a_third() -> None:
    labels = Labels()
    said = ["07700 900123", "+44 7700 900123", "+1 770 090 0123", "07700 900123", "+44 7700 900123", "0 7700 900123"]
    numbers = [labels.label("PHONE_NUMBER", it).strip("[]").rpartition("_")[2] for it in said]
    assert numbers == ["1", "1", "2", "3", "1", "3"]


def test_a_person_has_one_label_in_every_text_by_every_form_of_the_name() -> None:
    labels = Labels()
    assert _labelled(labels, "Ann Lee met Ben.", "Ann Lee", "Ben") == "[PERSON_1] met [PERSON_2]."
    text = "ANN, A. Lee, Mrs Lee, Lee, Ann, Ann Marie Lee"
    assert _labelled(labels, text, "ANN", "A. Lee", "Mrs Lee", "Lee, Ann", "Ann Marie Lee") == ", ".join(
        ["[PERSON_1]"] * 5
    )


def test_a_name_grows_when_more_of_it_is_heard() -> None:
    labels = Labels()
    assert _labelled(labels, "Ann. Ann Lee. Lee.", "Ann", "Ann Lee", "Lee") == "[PERSON_1]. [PERSON_1]. [PERSON_1]."


def test_a_name_that_could_be_two_peoples_is_a_third() -> None:
    labels = Labels()
    text = "Ann Lee, Ben Lee, Lee, Chloe Lee"
    assert _labelled(labels, text, "Ann Lee", "Ben Lee", "Lee", "Chloe Lee") == (
        "[PERSON_1], [PERSON_2], [PERSON_3], [PERSON_4]"
    )


def test_two_people_with_one_given_name_are_two() -> None:
    labels = Labels()
    assert _labelled(labels, "Ann Lee, Ann Kim, A. Kim", "Ann Lee", "Ann Kim", "A. Kim") == (
        "[PERSON_1], [PERSON_2], [PERSON_2]"
    )


def test_a_name_is_asked_for_anew_when_somebody_else_could_be_meant() -> None:
    labels = Labels()
    said = ["Ann", "Ann Lee", "Ann Carter", "Ann", "Ms Ann", "ANN"]
    assert [labels.label("PERSON", it) for it in said] == [
        *("[PERSON_1]", "[PERSON_1]", "[PERSON_2]", "[PERSON_3]", "[PERSON_3]", "[PERSON_3]")
    ]


@pytest.mark.parametrize("names", [("Ann Lee", "Ann-Marie Lee"), ("Ann\u2010Marie Lee", "Ann Lee"), ("1", "2")])
def test_names_that_only_begin_alike_are_two(names: tuple[str, str]) -> None:
    labels = Labels()
    assert [labels.label("PERSON", it) for it in (*names, names[0])] == ["[PERSON_1]", "[PERSON_2]", "[PERSON_1]"]


@pytest.mark.parametrize("typed", ["[PERSON_1]", "[PERSON_2]", "[LABEL_1]"])
def test_a_label_that_a_stranger_wrote_names_nobody(typed: str) -> None:
    labels = Labels()
    _labelled(labels, "Ann Lee rang.", "Ann Lee")
    text = f"Ben: send {typed} to me"
    replaced = labels.replace(text, [_finding(text, "Ben")])
    assert replaced.text == "[PERSON_2]: send [LABEL_1] to me"
    assert labels.restore(replaced.text) == restore(replaced) == text


def test_labels_of_the_callers_own_types_come_back_too() -> None:
    labels = Labels()
    text = "about Falcon"
    assert labels.restore(labels.replace(text, [_finding(text, "Falcon", "project2")]).text) == text


def test_an_answer_written_with_labels_gets_the_values_back() -> None:
    labels = Labels()
    text = "Ann, write to ann@example.org"
    labels.replace(text, Detector(types={"EMAIL_ADDRESS"}, names=False).find(text))
    assert labels.restore("Sent to [EMAIL_ADDRESS_1], not [EMAIL_ADDRESS_2].") == (
        "Sent to ann@example.org, not [EMAIL_ADDRESS_2]."
    )


def test_a_keyed_pseudonym_is_of_its_domain_and_its_key() -> None:
    ways = [keyed(KEYRING, "calls"), keyed(KEYRING, "mail"), keyed(Keyring(bytes(32)), "calls")]
    assert len({way("PERSON", "Ann") for way in ways}) == 3
    assert ways[0]("PERSON", "Ann").startswith("[PERSON-")


def test_a_name_that_many_share_is_nobodys_in_particular() -> None:
    labels = Labels()
    for at in range(2_000):
        labels.label("PERSON", f"Ann {chr(ord('b') + at % 20)}{'aeiou'[at // 20 % 5]}{chr(ord('b') + at // 100)}a")
    assert labels.label("PERSON", "Ann") == "[PERSON_2001]"

"""The detector: what is asked for is found, in order, at exact places; what cannot be scanned is said to be."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect.detector import Detector
from troth.detect.finding import Finding, Unscanned
from troth.detect.requested_types import Unknown
from troth.detect.speech import Speech
from troth.detect.text import FoldedText

MAIL = "Ann (ann@example.org) rang from 07700 900123 about card 4111 1111 1111 1111."
VALUES = [
    "ann@example.org",
    "4111 1111 1111 1111",
    "+44 7700 900123",
    "GB29 NWBK 6016 1331 9268 19",
    "https://example.org/a?b=c",
    "192.0.2.66",
    "DOB 19/08/1991",
    "password: Otter!29",
    "NI AB 12 34 56 C",
    "seven double four",
    "\u200b",
    "\u202eabc",
    "\x00",
    "\ud800",
    "e\u0301",
    "\r\n",
    "١٢٣٤",
    "}{\"':,",
]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(names=False)


def values(text: str, findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(it.type, text[it.start : it.end]) for it in findings]


@pytest.mark.parametrize("text", ["\x1b[31m{}\x1b[0m", "\u200b{}\u200b,", "\x1b[1;34m\u2066{}\u2069\x1b[0m"])
@pytest.mark.parametrize("value", ["ann@example.org", "07700 900123", "4111 1111 1111 1111", "192.0.2.66"])
def test_colours_and_marks_around_a_value_neither_hide_it_nor_belong_to_it(
    detector: Detector, text: str, value: str
) -> None:
    written = text.format(value)
    assert [it for _, it in values(written, detector.find(written))] == [value]


def test_finds_values_in_the_order_of_the_text(detector: Detector) -> None:
    assert values(MAIL, detector.find(MAIL)) == [
        ("EMAIL_ADDRESS", "ann@example.org"),
        ("PHONE_NUMBER", "07700 900123"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    ]


def test_finds_only_the_types_that_are_wanted() -> None:
    assert values(MAIL, Detector(types=["PHONE_NUMBER"]).find(MAIL)) == [("PHONE_NUMBER", "07700 900123")]


@pytest.mark.parametrize("wanted", ["PHONE_NUMBER", "DATE_TIME", "REFERENCE_NUMBER"])
def test_what_is_something_else_is_not_found_though_the_other_is_not_wanted(wanted: str) -> None:
    text = "IBAN DE89 3704 0044 0532 0130 00, born 19/08/1991"
    assert Detector(names=False, types=[wanted]).find(text) == []
    assert list(Detector(names=False, types=[wanted]).find_many([text, "", text])) == [[], [], []]


def test_what_a_link_holds_is_found_where_links_are_not_wanted() -> None:
    text = "https://example.org/u?mail=ann@example.org"
    assert values(text, Detector(names=False, types=["EMAIL_ADDRESS"]).find(text)) == [
        ("EMAIL_ADDRESS", "ann@example.org")
    ]
    assert values(text, Detector(names=False).find(text)) == [("URL", text)]


def test_leaves_out_what_is_less_sure_than_asked() -> None:
    assert values(MAIL, Detector(names=False, min_score=0.98).find(MAIL)) == [
        ("EMAIL_ADDRESS", "ann@example.org"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    ]


def test_looks_for_numbers_of_the_countries_that_are_named() -> None:
    text = "my NI number is AB 12 34 56 C"
    assert "UK_NINO" in {it.type for it in Detector(names=False, countries=["GB"]).find(text)}
    assert "UK_NINO" not in {it.type for it in Detector(names=False, countries=["FR"]).find(text)}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"types": ["EMAIL"]}, "no recogniser finds the type EMAIL;"),
        ({"types": ["EMAIL"]}, r"did you mean EMAIL_ADDRESS\?"),
        ({"countries": ["UK"]}, r"the country UK are supported, only of A.*; did you mean GB\?"),
        ({"types": ["PERSON"]}, "nothing would be found: PERSON is only found with names: do not switch names off"),
        ({"types": ["DE_TAX_ID"], "countries": ["GB"]}, "DE_TAX_ID belongs to other countries: add DE, or leave"),
        ({"types": ["PERSON", "DE_TAX_ID"], "countries": ["GB"]}, "other countries.*; PERSON is only found with"),
    ],
)
def test_what_nothing_can_find_is_refused_and_no_text_called_clean_of_it(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(Unknown, match=message):
        Detector(names=False, **asked)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"types": []}, "types is empty"),
        ({"min_score": 80}, "min_score is 80, but a score must be from 0 to 1"),
        ({"min_score": -0.1}, "min_score is -0.1"),
        ({"min_score": float("nan")}, "min_score is nan"),
    ],
)
def test_settings_that_would_call_every_text_clean_are_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Detector(names=False, **asked)


@each_row(
    "asked",
    [
        {"types": ["PERSON", "EMAIL_ADDRESS"]},
        {"types": ["ADDRESS"]},
        {"types": ["DE_TAX_ID", "UK_NINO"], "countries": ["GB"]},
        {"types": ["PERSON"], "listed": {"PERSON": ["Ann"]}},
        {"types": ["PERSON"], "others": [Speech()]},
        {"types": ["CREDIT_CARD"], "countries": []},
        {"min_score": 0},
        {"min_score": 1},
    ],
)
def test_settings_that_may_find_something_are_accepted(asked: dict[str, Any]) -> None:
    assert Detector(names=False, **asked).find("") == []


@pytest.mark.parametrize("ask", ["find_many", "find_batch"])
def test_one_text_where_there_should_be_several_is_refused_at_once_and_not_quoted(detector: Detector, ask: str) -> None:
    with pytest.raises(TypeError, match="give several texts") as refused:
        getattr(detector, ask)("ann@example.org")
    assert "ann" not in str(refused.value)


@pytest.mark.parametrize("asked", [{"types": "EMAIL_ADDRESS"}, {"countries": "GB"}])
def test_a_string_is_not_taken_letter_by_letter(asked: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"is a collection, such as \['(EMAIL_ADDRESS|GB)'\], not one string"):
        Detector(names=False, **asked)


def test_types_of_the_callers_own_may_be_asked_for() -> None:
    detector = Detector(names=False, types=["PROJECT"], listed={"PROJECT": ["falcon"]})
    assert values("Falcon, ann@example.org", detector.find("Falcon, ann@example.org")) == [("PROJECT", "Falcon")]


def test_one_detector_serves_many_threads() -> None:
    shared, texts = Detector(names=False), [f"{value} {at}" for at in range(20) for value in VALUES]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.find, texts))
    assert found == [shared.find(text) for text in texts]


def test_finds_words_of_the_callers_own() -> None:
    text = "the Blue Falcon budget"
    assert values(text, Detector(names=False, listed={"PROJECT": ["blue falcon"]}).find(text)) == [
        ("PROJECT", "Blue Falcon")
    ]


def test_asks_other_finders_too() -> None:
    class Other:
        def find(self, text: FoldedText) -> Iterable[Finding]:
            yield Finding(0, 3, "PERSON", 0.9, "other")

    assert values("Ann", Detector(names=False, others=[Other()]).find("Ann")) == [("PERSON", "Ann")]


@pytest.mark.parametrize(
    "hidden",
    [
        "4111\u200b 1111 1111 1111",
        "４１１１ １１１１ １１１１ １１１１",
        "4111\u00a01111\u20111111 1111",
        "4111 11\x0211 1111\x7f 1111",
    ],
)
def test_finds_numbers_that_are_disguised(detector: Detector, hidden: str) -> None:
    text = f"é {hidden}!"
    assert values(text, detector.find(text)) == [("CREDIT_CARD", hidden)]


def test_a_nought_between_two_values_keeps_them_apart(detector: Detector) -> None:
    text = "ann@example.org\0ben@example.org\0\0\0"
    assert values(text, detector.find(text)) == [
        ("EMAIL_ADDRESS", "ann@example.org"),
        ("EMAIL_ADDRESS", "ben@example.org"),
    ]


def test_what_takes_too_long_is_unscanned_and_never_clean() -> None:
    with pytest.raises(Unscanned):
        Detector(names=False, seconds_max=0).find("nothing to see")


def test_of_many_texts_one_that_fails_says_so_in_its_place() -> None:
    class Broken:
        def find(self, text: FoldedText) -> Iterable[Finding]:
            if "bad" in text.written:
                raise Unscanned("no")
            return ()

    found = list(Detector(names=False, others=[Broken()]).find_many(["good", "bad ann@example.org", "ann@example.org"]))
    assert [isinstance(it, Unscanned) for it in found] == [False, True, False]


def test_many_texts_at_once_give_what_each_gives_alone(detector: Detector) -> None:
    texts = [f"{value}, {at}" for at in range(40) for value in VALUES]
    assert list(detector.find_many(texts)) == [detector.find(text) for text in texts]


def test_many_texts_are_read_as_they_are_asked_for(detector: Detector) -> None:
    endless = iter(lambda: "ann@example.org", None)
    for found, _ in zip(detector.find_many(endless), range(300), strict=False):
        assert found == detector.find("ann@example.org")


def test_each_of_many_texts_has_its_own_time() -> None:
    assert all(isinstance(it, Unscanned) for it in Detector(names=False, seconds_max=0).find_many(["a", "b"]))
    assert list(Detector(names=False, seconds_max=60).find_many(["a", "b"])) == [[], []]


def test_a_text_that_is_late_is_searched_once_and_no_other_twice() -> None:
    asked: list[str] = []

    class Slow:
        def find(self, text: FoldedText) -> Iterable[Finding]:
            asked.append(text.written)
            if text.written == "late":
                raise Unscanned("late")
            return ()

    texts = ["a", "late", "b"]
    found = list(Detector(names=False, others=[Slow()], seconds_max=60).find_many(texts))
    assert asked == texts
    assert [isinstance(it, Unscanned) for it in found] == [False, True, False]


def test_a_group_stands_for_its_types() -> None:
    found = Detector(types=["contact", "CVV"], names=False).find("ann@example.org, cvv 123, 192.0.2.1")
    assert [it.type for it in found] == ["EMAIL_ADDRESS", "CVV"]


def test_what_is_no_text_is_refused() -> None:
    detector = Detector(names=False)
    with pytest.raises(TypeError, match=r"^a text must be a string, not NoneType"):
        detector.find(None)  # type: ignore[arg-type]


class Failing:
    """Fails at some texts, with an error of its own that quotes them."""

    def find(self, text: FoldedText) -> Iterable[Finding]:
        if "fail" in text.written:
            raise LookupError(text.written)
        return ()


@pytest.mark.parametrize("seconds_max", [None, 60])
def test_a_text_of_a_stream_that_cannot_be_searched_has_a_reason_and_the_others_their_findings(
    seconds_max: float | None,
) -> None:
    detector = Detector(names=False, others=[Failing()], characters_max=40, seconds_max=seconds_max)
    stream = iter(
        ["ann@example.org", None, float("nan"), "ben@example.org " * 3, "fail ann@example.org", "", "ben@example.org"]
    )
    outcomes = list(detector.find_many(stream))
    assert [it.reason.value if isinstance(it, Unscanned) else len(it) for it in outcomes] == [
        *(1, "not_text", "not_text", "too_long", "failed", 0, 1)
    ]
    unscanned = [it for it in outcomes if isinstance(it, Unscanned)]
    assert "example.org" not in " ".join(map(str, unscanned))
    assert not any(it.__traceback__ or it.__context__ for it in unscanned), "they would hold the texts"
    with pytest.raises(Unscanned, match="longer than 40 characters"):
        detector.find("x" * 41)


def test_a_stream_is_read_ahead_by_a_bounded_number_of_characters(detector: Detector) -> None:
    read = 0

    def stream() -> Iterator[str]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield "x " * 50_000

    outcomes = detector.find_many(stream())
    for number in range(1, 21):
        assert next(outcomes) == []
        assert read <= number + 5


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="it must not be negative"):
        Detector(seconds_max=seconds)


def test_no_message_holds_a_value() -> None:
    with pytest.raises(Unscanned) as raised:
        Detector(names=False, seconds_max=0).find("ann@example.org")
    assert "ann" not in str(raised.value)


def is_valid(text: str, findings: list[Finding]) -> bool:
    ordered = all(one.end <= other.start for one, other in itertools.pairwise(findings))
    return ordered and all(0 <= it.start < it.end <= len(text) and 0 < it.score <= 1 for it in findings)


@given(st.text())
def test_any_text_is_scanned(detector: Detector, text: str) -> None:
    assert is_valid(text, detector.find(text))


@given(st.lists(st.one_of(st.sampled_from(VALUES), st.text(max_size=5)), max_size=12), st.sampled_from(["", " ", "\n"]))
@settings(deadline=None)
def test_values_in_any_company_are_scanned(detector: Detector, parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert is_valid(text, detector.find(text))


def test_ten_thousand_hostile_strings_are_scanned(detector: Detector) -> None:
    chance = random.Random(6)
    signs = "0123456789" * 3 + "aZ @.:/-+()#\"'\n\t\x00\u200b\u0301\u202e\ud800é中🙂" + "x" * 3
    for _ in range(10_000):
        text = "".join(chance.choices(signs, k=chance.randrange(60)))
        assert is_valid(text, detector.find(text))


def test_the_same_text_gives_the_same_findings(detector: Detector) -> None:
    text = " ".join(VALUES)
    assert detector.find(text) == Detector(names=False).find(text)


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "a@", "@a.b", "4111 ", "card 41 ", "http://", ".", "(0", "\u200b1", "é"]
)
def test_an_enormous_line_is_scanned(detector: Detector, piece: str) -> None:
    text = piece * (300_000 // len(piece))  # where time were not linear, this would never end
    assert is_valid(text, detector.find(text))

"""What people say on the telephone: days, single signs of a secret, ages, passwords, sites and streets."""

from __future__ import annotations

import re

import pytest
from tests.tables import each_row

from troth.detect.speech import Speech
from troth.detect.text import FoldedText

_MARK = re.compile(r"⟦(?:([A-Z_]+) )?(.*?)⟧", re.S)


def _found(text: str) -> list[tuple[str, str]]:
    """What is found, without what stands inside a longer finding."""
    sure = [it for it in Speech().find(FoldedText(text)) if it.score >= 0.5]
    inner = {it for it in sure for other in sure if it != other and other.start <= it.start and it.end <= other.end}
    return sorted((it.type, text[it.start : it.end]) for it in sure if it not in inner)


def _marked(marked: str) -> tuple[str, list[tuple[str, str]]]:
    """The call, and the values between the brackets in it, each after its type."""
    return _MARK.sub(r"\2", marked), sorted((it[1], it[2]) for it in _MARK.finditer(marked))


@each_row(
    "marked",
    [
        "agent: which day suits\ncaller: ⟦DATE_TIME the fourth⟧ or ⟦DATE_TIME the sixth⟧",
        "she is away until ⟦DATE_TIME the twenty second⟧ so ring after",
        "it came on ⟦DATE_TIME the um the seventh⟧ and went back",
        "Agent: When is that?\nCaller: It starts on ⟦DATE_TIME the 12th⟧, so be early.",
        "agent: i have it for ⟦DATE_TIME the third to the ninth of july⟧\ncaller: lovely",
        "agent: date of the last visit\ncaller: ⟦DATE_TIME fourteen ten twenty four⟧ with the nurse",
        "agent: when were you born\ncaller: ⟦DATE_OF_BIRTH boxing day nineteen fifty one⟧",
        "agent: your birthday\ncaller: ⟦DATE_OF_BIRTH may the sixth\nagent: spring then\ncaller: nineteen fifty one⟧",
        "my passport runs out on ⟦DATE_TIME the third of may twenty thirty⟧",
        "agent: and the expiry\ncaller: ⟦CARD_EXPIRY end of may twenty nine⟧",
    ],
)
def test_days_and_dates_are_found_as_people_say_them(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


@pytest.mark.parametrize(
    "call",
    [
        "the second floor is shut and the third is being painted",
        "he came in on the first train and left on the second one",
        "she finished third and he was fourth in the race",
        "used up half of it by the tenth already",
        "on the fifth attempt it worked and on the sixth it broke",
        "take the second left and then the third right",
        "it was the nineteenth century after all",
    ],
)
def test_what_is_only_numbered_is_no_day(call: str) -> None:
    assert _found(call) == []


def test_signs_of_a_secret_are_found_one_by_one() -> None:
    call, values = _marked(
        "agent: the second digit of your pin\ncaller: ⟦PIN seven⟧\nagent: and the fourth\ncaller: it's ⟦PIN oh⟧\n"
        "agent: thank you and the last one\ncaller: ⟦PIN two⟧\nagent: how many rooms\ncaller: two"
    )
    assert _found(call) == values


def test_letters_of_a_password_are_found_one_by_one() -> None:
    call, values = _marked(
        "agent: first and fifth characters of your password\ncaller: ⟦PASSWORD k and p⟧\nagent: thanks\ncaller: bye"
    )
    assert _found(call) == values


def test_a_digit_that_nobody_asked_for_by_its_place_is_nobodys() -> None:
    assert _found("agent: which of the two is it\ncaller: seven\nagent: and the last\ncaller: four") == []


@pytest.mark.parametrize(
    "marked",
    [
        "use the password ⟦PASSWORD blue kettle seven nine capital r⟧ for now",
        "i changed the password to ⟦PASSWORD kettle with a capital k and a hash⟧ but it is wrong",
        "The password on the box is ⟦PASSWORD Kettle 79, capital R⟧.",
        "agent: the password on the account it's a word and a number\ncaller: is it um ⟦PASSWORD kettle forty four⟧",
        "agent: try ⟦PASSWORD small k small t nine capital r hash four⟧\ncaller: that works",
    ],
)
def test_passwords_are_found_with_their_signs_and_figures(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


@pytest.mark.parametrize(
    "call",
    [
        "your password expires in two days and you have to change it",
        "please change your password to something stronger",
        "agent: your password\ncaller: you'd want to know that wouldn't you",
        "the capital of france has two million people",
        "the password for this page is wrong three times in a row",
    ],
)
def test_what_is_said_about_passwords_is_none(call: str) -> None:
    assert _found(call) == []


@pytest.mark.parametrize(
    "marked",
    [
        "the kids are ⟦AGE six⟧ and ⟦AGE nine⟧ by now",
        "agent: how old are they\ncaller: ⟦AGE seven⟧ and ⟦AGE eleven months⟧",
        "my gran she's ⟦AGE a hundred and one⟧ next week",
        "agent: and your age\ncaller: i'm ⟦AGE fifty seven⟧ my wife's ⟦AGE sixty one⟧",
        "he's about ⟦AGE two and three quarters⟧",
    ],
)
def test_ages_are_found_of_one_and_of_several(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


@pytest.mark.parametrize("call", ["it's gone three already", "we are four and they're twelve each", "it was seven"])
def test_hours_and_counts_are_no_ages(call: str) -> None:
    assert _found(call) == []


@pytest.mark.parametrize(
    "site",
    [
        "w w w dot example dot org slash go paperless",
        "ann and sons dot com slash help question mark page equals two",
        "w w w dot\nagent: yeah\ncaller: ann hyphen homes dot com\nagent: ann hyphen homes\ncaller: slash two b",
        "https colon slash slash my.example.org slash login",
        "example.org slash W4 dash P",
    ],
)
def test_a_site_is_found_with_its_path(site: str) -> None:
    assert _found(f"caller: the page is {site}\nagent: thanks") == [("URL", site)]


def test_who_logs_on_at_a_site_has_no_mailbox_there() -> None:
    assert _found("log on at members dot example dot org dot uk today") == [
        ("URL", "members dot example dot org dot uk")
    ]


@pytest.mark.parametrize(
    "marked",
    [
        "agent: what's the address he is coming to\ncaller: it's ⟦ADDRESS twenty\nagent: yeah\ncaller: twenty six b\n"
        "agent: b for bravo\ncaller: yeah b um alder croft road⟧\nagent: fine",
        "send it to ⟦ADDRESS p o box four one seven leeds⟧",
        "it's ⟦ADDRESS nine north elm street⟧ apartment six springfield ⟦POSTAL_CODE six two seven oh four⟧ okay",
        "i live at ⟦ADDRESS eight dash two dash four one five mill road⟧ thanks",
    ],
)
def test_an_address_is_found_from_its_first_try_to_its_zip_code(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


@pytest.mark.parametrize(
    "marked",
    [
        "caller: it's under ⟦SPELLED_NAME c h l o e⟧\nagent: chloe thank you",
        "caller: i am ann example ⟦SPELLED_NAME e x a m p l e⟧",
        "caller: that is ⟦SPELLED_NAME b r i d l i n g t o n⟧",
        "caller: put it under ⟦SPELLED_NAME e x a m p l e⟧ please",
    ],
)
def test_letters_are_a_name_that_is_said_as_well_or_is_long(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


@each_row(
    "call",
    [
        "we had a b m w and then a v w and it was the b m w i liked",
        "h m r c or d w p which one do i ring",
        "it is the r s p c a by the b and q",
        "take the a four seventy then the a fifty five",
        "row h twelve and h thirteen are free and so is j nine",
        "we cover b t one to b t thirty and no more",
        "for the order i want six of the a b c and four of the x y z",
        "so a one a two a three and so on",
        "think of the alphabet a b c d e and then f",
        "bolts from m six to m ten",
    ],
)
def test_abbreviations_models_and_roads_are_nobodys(call: str) -> None:
    assert _found(call) == []


def test_a_number_begins_at_the_word_that_was_written_for_its_first_digit() -> None:
    call, values = _marked(
        "agent: the account number\ncaller: i've ⟦BANK_ACCOUNT too oh one five one double nine two⟧ there"
    )
    assert _found(call) == values


def test_letters_are_found_where_digits_were_asked_for() -> None:
    call, values = _marked("my account number is ⟦REFERENCE_NUMBER seven one one oh four four two nine x⟧ i think")
    assert _found(call) == values


def test_sixteen_digits_are_no_telephone() -> None:
    value = "four nine two nine oh one six one seven seven two three nine oh four one"
    assert _found(f"agent: what number have you\ncaller: i ran for the phone it's {value}") == [("CREDIT_CARD", value)]


@pytest.mark.parametrize(
    "marked",
    [
        "agent: your date of birth\ncaller: ⟦DATE_OF_BIRTH june fourteenth nineteen seventy one⟧\n"
        "agent: and your mailing zip\ncaller: ⟦POSTAL_CODE seven nine one oh two⟧",
        "agent: read me the front\ncaller: ⟦CREDIT_CARD fifty one ninety nine thirty eight forty four oh two sixty six "
        "seventy one thirteen⟧\nagent: and now the back\ncaller: ⟦CVV zero nine eight⟧",
        "agent: so what's the door code\ncaller: it's ⟦PIN c one two five four y⟧",
    ],
)
def test_what_is_asked_next_is_no_more_of_what_was_asked_before(marked: str) -> None:
    call, values = _marked(marked)
    assert _found(call) == values


def test_tens_that_are_said_back_one_by_one_are_somebodys() -> None:
    value = "sixty\nagent: sixty\ncaller: eighty three\nagent: eighty three\ncaller: seventy one"
    assert [said for _, said in _found(f"caller: my bank is {value}\nagent: thanks")] == [value]
    assert _found("agent: that'll be eighty three\ncaller: eighty three\nagent: or seventy one in cash") == []

"""Values that are said in words are found from their first word to their last, and what is no value is left alone."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.detect.detector import Detector
from troth.detect.speech import Speech
from troth.detect.text import FoldedText


def _found(text: str) -> list[tuple[str, str]]:
    return [(it.type, text[it.start : it.end]) for it in Speech().find(FoldedText(text)) if it.score >= 0.5]


def _marked(marked: str) -> tuple[str, str]:
    """The text, and the value between the brackets in it."""
    return marked.replace("⟦", "").replace("⟧", ""), marked[marked.index("⟦") + 1 : marked.index("⟧")]


@each_row(
    ("type_", "marked"),
    [
        ("CREDIT_CARD", "my card is ⟦four one double one triple one oh nine two two eight seven six five⟧ thanks"),
        ("CREDIT_CARD", "⟦forty one eleven oh nine thirty two sixty five fifty five seventy seven eighty⟧"),
        ("CREDIT_CARD", "agent: and the last four digits of the card\ncaller: ⟦two seven one four⟧"),
        ("CVV", "agent: the security code please\ncaller: ⟦six oh four⟧"),
        ("CARD_EXPIRY", "agent: expiry\ncaller: ⟦oh four twenty eight⟧"),
        ("PHONE_NUMBER", "ring ann on ⟦oh seven seven double oh nine hundred one two three⟧ after six"),
        ("PHONE_NUMBER", "⟦plus three four six double one two nine oh four five seven⟧"),
        ("SORT_CODE", "agent: and your sort code\ncaller: ⟦twenty forty five sixteen⟧"),
        ("BANK_ACCOUNT", "the account number is ⟦three one nine oh double four seven two⟧"),
        ("EMAIL_ADDRESS", "write to ⟦ann dot b underscore nine at example dot org⟧ please"),
        ("EMAIL_ADDRESS", "my email is ⟦c h l o e dash b at example dot co dot u k⟧ all lower case"),
        ("URL", "go to ⟦w w w dot example dot org slash help⟧"),
        ("SPELLED_NAME", "it is spelled ⟦c for charlie h l o e⟧"),
        ("SPELLED_NAME", "that's ⟦bravo echo november⟧"),
        ("UK_POSTCODE", "the postcode is ⟦s w one a two double a⟧"),
        ("POSTAL_CODE", "agent: what's your zip code\ncaller: ⟦eight five two five one⟧"),
        ("DATE_OF_BIRTH", "agent: date of birth\ncaller: ⟦the second of march nineteen seventy four⟧"),
        ("DATE_OF_BIRTH", "i was born on ⟦march eleventh nineteen seventy six⟧"),
        ("DATE_TIME", "the engineer came on ⟦tuesday the third of june⟧ and again later"),
        ("UK_NINO", "it's ⟦a b one two three four five six c⟧"),
        ("IT_FISCAL_CODE", "codice fiscale is ⟦r s s m r a eight five t one oh a five six two s⟧"),
        ("PL_PESEL", "polish number pesel ⟦seven five oh three two one oh four eight one seven⟧"),
        ("US_SSN", "agent: your social security number\ncaller: ⟦two oh eight sixty four eleven fifty nine⟧"),
        (
            "IBAN_CODE",
            "the iban is ⟦d e eighty nine three seven oh four double oh four four oh five three two⟧",
        ),
        ("UK_VEHICLE_REGISTRATION", "the reg is ⟦yankee delta one nine foxtrot hotel kilo⟧"),
        ("REFERENCE_NUMBER", "my booking reference is ⟦k as in kilo t as in tango four nine w z⟧"),
        ("AGE", "agent: how old is she\ncaller: ⟦eighty three⟧"),
        ("AGE", "agent: how old is he\ncaller: he's ⟦six weeks⟧ tomorrow"),
        ("AGE", "agent: your age\ncaller: ⟦seventy no sorry i had a birthday seventy one⟧"),
        ("DATE_TIME", "you were here ⟦saturday the ninth⟧ i think"),
        ("DATE_TIME", "the letter of ⟦the first of the seventh⟧ says so"),
        ("DATE_TIME", "it was ⟦six slash eleven slash eighty⟧ and rained"),
        ("DATE_TIME", "i came on ⟦the second no sorry the third of may⟧ and again later"),
        ("ADDRESS", "i live at ⟦nine mill lane austin texas seven eight seven oh four⟧"),
        ("ADDRESS", "i live at ⟦flat two thirty one mill lane leeds⟧"),
        ("PASSWORD", "agent: what memorable word did you set up\ncaller: ⟦kettle sparrow nine⟧"),
        ("PASSWORD", "agent: and your password\ncaller: it's ⟦capital kettle underscore one two exclamation mark⟧"),
        ("PASSWORD", "caller: i forgot my password\nagent: what was it\ncaller: ⟦kettle twenty two⟧"),
        ("CREDIT_CARD", "my card ends in ⟦four two four two⟧"),
        ("PHONE_NUMBER", "they are not answering at ⟦three two nine seven hmm seven three oh⟧"),
        ("CREDIT_CARD", "It's ⟦4-1-1-1 1111, 1111 1111⟧."),
        ("EMAIL_ADDRESS", "c'est ⟦ann point b arobase orange point f r⟧ voilà"),
        ("PHONE_NUMBER", "It's ⟦07700 nine double-oh 123⟧."),
        ("EMAIL_ADDRESS", "My email's ⟦b dot example at example.org⟧."),
        ("EMAIL_ADDRESS", "send it to ⟦hello at little pottery dot co dot uk⟧ please"),
        ("IBAN_CODE", "it's the portuguese one ⟦p t five oh double oh oh two oh one two three four five six⟧"),
        ("IP_ADDRESS", "can you ping ⟦ten dot two hundred and four dot oh dot one thirty eight⟧ for me"),
    ],
)
def test_a_value_said_in_words_is_found_whole(type_: str, marked: str) -> None:
    text, value = _marked(marked)
    assert (type_, value) in _found(text)


@each_row(
    "text",
    [
        "",
        "your password is case sensitive and it is on the sticker",
        "she is doing romeo and juliet at school",
        "count to ten one two three four five six seven eight nine ten",
        "i want to double check one or two things before i sign",
        "nineteen ninety nine was a good year for us",
        "he arrived at nine on the dot",
        "your reference book is on shelf four row two",
        "we sit in row j four five six seven eight nine",
        "meet me at dot's cafe",
        "an email has to have an at and a dot in it",
        "the tariff is twenty four point six pence a unit",
        "we are on version thirteen point one point oh point five",
        "i paid one hundred and fifty in may",
        "agent: the security code is on the back\ncaller: i have only twelve of them since two thousand and twenty",
        "press one for billing press two for a fault",
        "it takes two to three working days and costs eleven thousand four hundred",
        "the m twenty five was slow from junction ten to junction fifteen",
    ],
)
def test_talk_of_numbers_and_letters_is_nobodys_data(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    "marked",
    [
        "agent: long number\ncaller: ⟦four five double six\nagent: yep\ncaller: oh one nine er nine\nagent: go on\n"
        "caller: seven three two eight six oh one four⟧",
        "agent: card number please\ncaller: ⟦four seven one six eight eight oh three hold on the dog sorry oh three "
        "two nine one one five six⟧",
        "my sort code is ⟦twenty no sorry thirty nine oh six eighteen⟧",
        "agent: a contact number\ncaller: ⟦oh seven seven for two one double ate oh won\nagent: oh seven seven four\n"
        "caller: tree five⟧",
        "okay so email is uh ⟦ann dot um b at example\nagent: okay\ncaller: dot org⟧",
        "agent: date of birth\ncaller: ⟦the fourteenth no the nineteenth of uh march nineteen sixty six⟧",
    ],
)
def test_a_value_stays_whole_through_fillers_corrections_and_the_others_okay(marked: str) -> None:
    text, value = _marked(marked)
    assert value in [found for _, found in _found(text)]


@pytest.mark.parametrize(
    ("question", "type_"),
    [
        ("and your sort code", "SORT_CODE"),
        ("the code we just texted you", "PIN"),
        ("date of birth for me", "DATE_OF_BIRTH"),
        ("and your zip code", "POSTAL_CODE"),
    ],
)
def test_the_question_before_decides_what_digits_are(question: str, type_: str) -> None:
    answer = "one two oh nine seven seven" if type_ != "POSTAL_CODE" else "one two oh nine seven"
    assert _found(f"agent: {question}\ncaller: {answer}") == [(type_, answer)]


@pytest.mark.parametrize("between", [" or ", " and ", ", or "])
def test_each_of_two_addresses_is_one(between: str) -> None:
    both = ["ben at example dot org", "ann at example dot org"]
    assert _found(between.join(both)) == [("EMAIL_ADDRESS", it) for it in both]


@pytest.mark.parametrize("written", ["ANN@EXAMPLE.ORG.", "ann@example.co.uk or", "ann@example.org,"])
def test_an_address_that_is_said_begins_after_one_that_is_written(written: str) -> None:
    assert _found(f"mail {written} ben at example dot org") == [("EMAIL_ADDRESS", "ben at example dot org")]


def test_an_address_said_again_is_one() -> None:
    text = "ben at example dot org sorry ann at example dot org"
    assert _found(text) == [("EMAIL_ADDRESS", text)]


def test_a_later_question_ends_what_was_asked_before() -> None:
    text = "agent: the cvv\ncaller: six oh four\nagent: and the total amount\ncaller: two hundred and ten"
    assert _found(text) == [("CVV", "six oh four")]


def test_a_number_that_is_said_anew_is_one_value_with_the_wrong_one() -> None:
    value = "two oh four five one six no wait that's wrong two oh four five one seven"
    assert _found(f"my sort code is {value} thanks") == [("SORT_CODE", value)]


def test_what_was_taken_back_does_not_hide_the_shape() -> None:
    value = "y d one nine f no sorry h k o"
    assert _found(f"it drove off but i saw {value} there") == [("UK_VEHICLE_REGISTRATION", value)]


def test_a_number_after_other_talk_is_no_answer() -> None:
    walk = "i went past the old school the church and the park and then saw houses"
    assert _found(f"agent: about your policy\ncaller: {walk} twelve forty sixteen") == []
    assert _found("agent: about your policy\ncaller: it's twelve forty sixteen") == [
        ("REFERENCE_NUMBER", "twelve forty sixteen")
    ]


def test_a_value_goes_on_over_the_times_of_subtitles() -> None:
    value = "oh seven seven double two\n\n8\n00:00:21.000 --> 00:00:24.500\none eight eight three oh five"
    text = f"7\n00:00:18.000 --> 00:00:20.900\nmy mobile is {value}\n"
    assert _found(text) == [("PHONE_NUMBER", value)]


def test_places_are_right_after_characters_of_several_bytes() -> None:
    value = "seven one four oh double two six nine"
    text = "caf\u0065\u0301 ☕ naïve ｃａｌｌ \u200b " * 30 + f"account number {value} ☕"
    assert ("BANK_ACCOUNT", value) in _found(text)


def test_the_detector_hears_what_is_said() -> None:
    text = "my card is four one double one triple one oh nine two two eight seven six five"
    found = Detector(names=False).find(text)
    assert [(it.type, it.recogniser, it.told) for it in found] == [("CREDIT_CARD", "spoken/en", True)]

"""Values that are said in words are found from their first word to their last."""

from __future__ import annotations

import pytest

from troth.detect.spoken import Speech
from troth.detect.text import Text


def _found(text: str) -> list[tuple[str, str]]:
    return [(it.type, text[it.start : it.end]) for it in Speech().find(Text(text))]


@pytest.mark.parametrize(
    ("type_", "marked"),
    [
        ("CREDIT_CARD", "my card is ⟦four one double one triple one oh nine two two eight seven six five⟧ thanks"),
        ("CREDIT_CARD", "⟦forty one eleven oh nine thirty two sixty five fifty five seventy seven eighty⟧"),
        ("CVV", "agent: the security code please\ncaller: ⟦six oh four⟧"),
        ("PHONE_NUMBER", "ring ann on ⟦oh seven seven double oh nine hundred one two three⟧ after six"),
        ("SORT_CODE", "agent: and your sort code\ncaller: ⟦twenty forty five sixteen⟧"),
        ("EMAIL_ADDRESS", "write to ⟦ann dot b underscore nine at example dot org⟧ please"),
        ("SPELLED_NAME", "it is spelled ⟦c for charlie h l o e⟧"),
        ("UK_POSTCODE", "the postcode is ⟦s w one a two double a⟧"),
        ("DATE_OF_BIRTH", "agent: date of birth\ncaller: ⟦the second of march nineteen seventy four⟧"),
        ("UK_NINO", "it's ⟦a b one two three four five six c⟧"),
        ("AGE", "agent: how old is she\ncaller: ⟦eighty three⟧"),
    ],
)
def test_a_value_said_in_words_is_found_whole(type_: str, marked: str) -> None:
    text = marked.replace("⟦", "").replace("⟧", "")
    value = marked[marked.index("⟦") + 1 : marked.index("⟧")]
    assert (type_, value) in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "she is doing romeo and juliet at school",
        "count to ten one two three four five six seven eight nine ten",
        "i want to double check one or two things",
        "he arrived at nine on the dot",
        "the tariff is twenty four point six pence",
    ],
)
def test_talk_of_numbers_and_letters_is_nobodys_data(text: str) -> None:
    assert _found(text) == []

"""Other languages than English, and the files of all."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Final

import pytest
from tests.tables import each_row
from tools.recognisers import SPOKEN, current_spoken

from troth.detect.speech import Speech
from troth.detect.speech.hints import LANGUAGES
from troth.detect.speech.language import KINDS, language
from troth.detect.speech.values import values
from troth.detect.text import FoldedText

_FOLDER: Final = resources.files("troth.detect.speech") / "languages"


@each_row(
    ("type_", "marked"),
    [
        ("PHONE_NUMBER", "mi número de teléfono es ⟦seis tres cuatro doble cinco uno dos nueve ocho⟧"),
        (
            "CREDIT_CARD",
            "la tarjeta es ⟦cuatro uno uno uno dos tres cuatro cinco seis siete ocho nueve cero uno dos⟧",
        ),
        ("EMAIL_ADDRESS", "mi correo es ⟦ann punto b arroba example punto com⟧"),
        ("ES_NIF", "el dni es ⟦cuarenta y cinco treinta y dos noventa y uno doce be⟧"),
        ("PHONE_NUMBER", "mon numéro c'est le ⟦zéro six douze trente-quatre soixante-dix-huit quatre-vingt-dix-neuf⟧"),
        ("EMAIL_ADDRESS", "mon adresse mail est ⟦ann tiret b arobase example point fr⟧"),
        ("PHONE_NUMBER", "meine telefonnummer ist ⟦null eins sieben sechs einundzwanzig vierunddreißig fünf sechs⟧"),
        ("EMAIL_ADDRESS", "meine mail ist ⟦ben punkt b at example punkt de⟧"),
    ],
)
def test_digits_and_addresses_are_heard_in_other_languages(type_: str, marked: str) -> None:
    text = re.sub("[⟦⟧]", "", marked)
    value = marked[marked.index("⟦") + 1 : marked.index("⟧")]
    assert (type_, value) in [(it.type, text[it.start : it.end]) for it in Speech().find(FoldedText(text))]


@pytest.mark.parametrize("text", ["un deux trois nous irons au bois", "ein zwei drei los", "son dos o tres cosas"])
def test_other_languages_count_without_being_taken_for_data(text: str) -> None:
    assert list(Speech().find(FoldedText(text))) == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_word_is_of_one_kind(name: str) -> None:
    raw = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
    tables = [set(raw.get(table, ())) | set(raw["words"].get(table, ())) for table in KINDS]
    twice = {word for at, table in enumerate(tables) for word in table if any(word in other for other in tables[:at])}
    assert twice <= {"november", "second"}


@pytest.mark.parametrize("name", LANGUAGES)
def test_what_is_asked_for_is_a_known_type(name: str) -> None:
    prompts = [prompt for by in language(name).prompts.values() for same in by.values() for _, prompt in same]
    asked = {type_ for prompt in prompts for type_ in prompt.types}
    assert asked <= values().keys() | {"EMAIL_ADDRESS", "IP_ADDRESS", "ADDRESS", "AGE"}


def test_types_that_are_said_have_an_entry_among_the_entities() -> None:
    entities = tomllib.loads((resources.files("troth.detect") / "entities.toml").read_text("utf-8"))
    assert {*values(), "EMAIL_ADDRESS", "ADDRESS", "AGE", "URL", "DATE_TIME", "DATE_OF_BIRTH"} <= entities.keys()


def test_what_ships_is_what_the_files_say() -> None:
    assert (SPOKEN / "spoken.json").read_text("utf-8") == current_spoken(), "run tools/recognisers.py"

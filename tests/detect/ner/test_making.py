"""What the model of names is made from is read as it was marked, and its scores are weighed by what was right."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from tests.tables import each_row
from tools.name_model import opinions, streets
from tools.name_model.calibrating import STEPS, fitted
from tools.name_model.corpora import Document, in_columns, in_lines, marked


def named(document: Document) -> list[tuple[str, int]]:
    return [(document.text[start:end], kind) for start, end, kind in document.names]


def test_marks_are_taken_out_and_names_kept(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Hi [[PERSON|Ann]],\ncall [[PHONE|555 0100]] in [[LOCATION|Leeds]].\n=====\nno names")
    first, second = marked(path)
    assert first.text == "Hi Ann,\ncall 555 0100 in Leeds."
    assert named(first) == [("Ann", 1), ("Leeds", 2)]
    assert second == Document("no names")


def test_words_in_columns_are_joined_as_they_are_typed(tmp_path: Path) -> None:
    path = tmp_path / "words.conll"
    path.write_text("Ann\tB-PER\nExample\tI-PER\nof\tO\nLeeds\tB-LOC\n,\tO\nok\tO\n\nHi\tO\n@\tB-PER\nben\tI-PER\n")
    first, second = in_columns(path)
    assert (first.text, named(first)) == ("Ann Example of Leeds, ok", [("Ann Example", 1), ("Leeds", 2)])
    assert named(second) == []


def test_groups_that_are_no_names_are_left_out_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": "Ann, 555 0100", "spans": [[5, 13, "PHONE"], [0, 3, "PERSON"]]}\n')
    assert [named(it) for it in in_lines(path)] == [[("Ann", 1)]]


def test_a_higher_score_is_never_worth_less() -> None:
    judged = [(at / 100, at % 3 != 0 or at > 80) for at in range(100)]
    (line,) = fitted([judged])
    assert line.shape == (STEPS,)
    assert np.all(np.diff(line) >= 0)
    assert 0.5 < line[-1] <= 1


def test_few_findings_prove_little() -> None:
    (line,) = fitted([[(0.9, True), (0.95, True)]])
    assert line[-1] < 0.7


def unnamed(text: str, dictionary: str, names: str = "") -> list[str]:
    told, _ = opinions.by_dictionary([text], dictionary.split(), names.split())
    return [word for word, shares in zip(told.words, told.shares, strict=True) if shares[0] == 1]


def test_a_dictionary_says_which_words_of_german_are_no_names() -> None:
    dictionary = "Zug Karte Koch ist der die weg fahren sehr gut"
    assert unnamed("Der Zug ist weg, Mia Koch", dictionary, "koch") == ["Der", "Zug", "ist", "weg", ","]


def test_a_dictionary_of_another_language_says_nothing_of_the_names_it_holds() -> None:
    assert unnamed("El tren de Madrid", "el tren de la casa Madrid") == ["El", "tren", "de"]


def test_words_that_seldom_have_a_capital_are_no_names_whatever_a_list_holds() -> None:
    assert unnamed("La la la la la. Paz", "la paz", "la paz") == ["La", *["la"] * 4, "."]


def test_ordinary_words_are_read_with_capitals_too() -> None:
    _, told = opinions.by_dictionary(["trzy kartony dla Ann i Bena"], ["trzy", "kartony", "dla"], [])
    assert told.words == ["Trzy", "kartony", "dla", "Ann", "i", "Bena"]
    assert told.shares[:, 0].tolist() == [1, 1, 1, 0, 1, 0]


def test_opinions_that_were_kept_come_back(tmp_path: Path) -> None:
    each = [opinions.Opinion(["Hi", "\n", "Ann"], np.eye(4, dtype=np.float32)[:3]) for _ in range(2)]
    opinions.write(each, tmp_path / "opinions.npz")
    back = [*opinions.read(tmp_path / "opinions.npz")]
    assert [it.words for it in back] == [it.words for it in each]
    assert all(np.array_equal(it.shares, each[0].shares) for it in back)


@each_row("country", streets.COUNTRIES)
def test_streets_have_a_number_and_no_gaps(country: str) -> None:
    chance = random.Random(1)
    each = [streets.street(country, ["Example"], chance) for _ in range(50)]
    assert all(any(map(str.isdigit, it)) for it in each)
    assert not [it for it in each if "_" in it or "  " in it or "{" in it]


def test_streets_are_said_in_words_and_known_by_them() -> None:
    chance = random.Random(1)
    each = [streets.said(["Example"], chance) for _ in range(300)]
    assert all(it.replace(" ", "").isalpha() and it.islower() and streets.is_said(it) for it in each)
    assert not any(streets.is_said(it) for it in ("leeds", "one", "14 park lane", "park lane"))

"""Letters in which no names are looked for are told, so that no file of them is called clean."""

from __future__ import annotations

import io

import pytest

from troth.detect import Detector
from troth.detect.files import FileKind, Remark, scan


def told(text: str, kind: FileKind = FileKind.TEXT, *, names: bool = True) -> list[str]:
    found = scan(Detector(names=names), io.BytesIO(text.encode()), kind)
    return [it.says for it in found if isinstance(it, Remark)]


@pytest.mark.parametrize(
    ("text", "script"), [("Анна пришла\n" * 3, "Cyrillic"), ("你好", "CJK"), ("مرحبا", "Arabic"), ("Άννα", "Greek")]
)
def test_letters_of_other_scripts_are_told_once(text: str, script: str) -> None:
    assert told(text) == [f"it has {script} letters: people and places are only found in Latin letters"]


def test_columns_are_heeded_as_well() -> None:
    assert "Cyrillic" in told("id,note\n1,Анна\n", FileKind.CSV)[0]


@pytest.mark.parametrize("text", ["", "Zoë Müller, Łódź, Nguyễn", "3 Ω, 5 µm, π = 3.14", "½ ② ①②", "→ • …"])
def test_latin_letters_and_single_signs_are_not(text: str) -> None:
    assert told(text) == []


def test_nothing_is_told_where_no_names_are_looked_for() -> None:
    assert told("Анна", names=False) == []

"""Recognisers are read strictly: what is wrong is told with its file and its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.detect.patterns.loader import RecogniserError, one_file, read

GOOD = """
type = "PIN"
about = "a number"
countries = []
source = "nowhere"

[words]
before = ["pin"]

[[pattern]]
regex = '''\\b\\d{4}\\b'''
check = "luhn"
scores = { told = 0.9 }

[examples]
yes = ["pin ⟦1234⟧"]
no = ["1234"]
"""


def folder(path: Path, text: str) -> Path:
    (path / "gb").mkdir(exist_ok=True)
    (path / "gb" / "pin.toml").write_text(text, encoding="utf-8")
    return path


def test_a_file_that_is_as_it_has_to_be_is_read(tmp_path: Path) -> None:
    (it,) = read(folder(tmp_path, GOOD))
    assert (it.name, it.type, it.words.before, it.patterns[0].scores.told) == ("gb/pin", "PIN", ("pin",), 0.9)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ('type = "PIN"', 'type = "NIP"', "type: NIP is not in"),
        ('about = "a number"', "", "about is missing"),
        ('about = "a number"', 'about = "a"\nabuot = 1', "abuot is not known here"),
        ('before = ["pin"]', 'before = ["Pin"]', "words.before: 'Pin' has to be in lower case"),
        ('before = ["pin"]', 'befor = ["pin"]', "words.befor is not known"),
        ("\\d{4}", "(\\d", "pattern 1, regex: RE2 cannot read it"),
        ("\\b\\d{4}\\b", "\\d*", "it matches where nothing stands"),
        ("\\b\\d{4}\\b", "(\\d)(\\d)", "one group at most"),
        ("\\b\\d{4}\\b", "\\d[\\pL]{1,90}\\d[\\pL]{1,90}", "steps in RE2"),
        ('check = "luhn"', 'check = "lune"', "check: lune is not in"),
        ("told = 0.9", "told = 1.9", "more than 0 and at most 1"),
        ("told = 0.9", "", "at least one is needed"),
        ("told = 0.9", "tolled = 0.9", "scores.tolled is not known"),
        ('check = "luhn"\nscores = { told', "scores = { both", "without a check"),
        ('[words]\nbefore = ["pin"]', "", "without words"),
        ('no = ["1234"]', "no = []", "examples.no is empty"),
        ("⟦1234⟧", "1234", "has to hold a value"),
        ('no = ["1234"]', 'no = ["⟦1234⟧"]', "has to hold nothing"),
        ('about = "a number"', "about = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_file_and_key(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GOOD
    with pytest.raises(RecogniserError, match=r"gb/pin\.toml") as raised:
        list(read(folder(tmp_path, GOOD.replace(good, bad))))
    assert message in str(raised.value)


def test_the_one_file_holds_no_examples(tmp_path: Path) -> None:
    assert "gb/pin" in one_file(folder(tmp_path, GOOD))
    assert "⟦" not in one_file(folder(tmp_path, GOOD))

"""What the model of names is made from is read as it was marked, and its scores are weighed by what was right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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

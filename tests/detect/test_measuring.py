"""How well personal data is found is counted from marked text."""

from __future__ import annotations

from tools.marked import marked
from tools.measure_detection import figures, measured

from troth.detect import Detector


def test_what_is_missed_and_what_is_taken_for_what_is_told() -> None:
    texts = ["mail [[EMAIL|ann@example.org]] or [[PHONE|ben@example.org]]", "nothing but [[PHONE|a number]]"]
    said = figures(measured(Detector(names=False), map(marked, texts)))
    assert said["types"]["EMAIL"] == {"marks": 1, "precision": 0.5, "recall": 1.0, "f1": 0.667}
    assert said["types"]["PHONE"]["recall"] == 0
    assert said["taken_for"] == {"EMAIL": {"EMAIL_ADDRESS": 1}, "PHONE": {"EMAIL_ADDRESS": 1, "nothing": 1}}


def test_letters_are_uncovered_or_masked_without_cause() -> None:
    said = figures(
        measured(Detector(names=False), [marked("[[EMAIL|ann@example.org]] ben@example.org [[EMAIL|ask me]]")])
    )
    assert said["taken_for"]["nothing"] == {"EMAIL_ADDRESS": 1}
    assert said["uncovered"] == round(5 / 18, 4)
    assert said["masked_without_cause"] == round(13 / 31, 4)


def test_types_that_nobody_marked_are_not_counted() -> None:
    said = figures(measured(Detector(names=False), [marked("[[PHONE|020 7946 0123]] ann@example.org")]))
    assert said["types"]["PHONE"]["f1"] == 1
    assert said["masked_without_cause"] == 0


def test_types_that_nobody_marked_are_counted_where_all_would_be_marked() -> None:
    marks = [marked("[[PHONE|020 7946 0123]] ann@example.org")]
    said = figures(measured(Detector(names=False), marks, all_types=True))
    assert said["taken_for"]["nothing"] == {"EMAIL_ADDRESS": 1}
    assert said["masked_without_cause"] == round(13 / 24, 4)

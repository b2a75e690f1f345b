"""How often recognisers are right, counted from marked text."""

from __future__ import annotations

from tools.calibrate import Measured, measured
from tools.marked import marked


def test_marks_are_taken_out_and_kept_by_place() -> None:
    document = marked("call [[PHONE|020 7946 0123]], [[PERSON|Ann]]")
    assert document.text == "call 020 7946 0123, Ann"
    assert [document.text[start:end] for start, end, _ in document.marks] == ["020 7946 0123", "Ann"]


def test_a_finding_is_right_where_it_overlaps_a_mark_of_its_type_or_group() -> None:
    texts = ["mail [[EMAIL|ann@example.org]]", "mail [[contact|ben@example.org]]", "mail [[pci|chloe@example.org]]"]
    (it,) = [it for (name, _), it in measured(map(marked, texts)).items() if name == "world/email"]
    assert (it.right, len(it.scores)) == (2, 3)


def test_states_of_the_evidence_are_counted_apart() -> None:
    found = measured([marked("my card is [[pci|4111 1111 1111 1111]]"), marked("[[pci|4111 1111 1111 1111]]")])
    assert {state: it.right for (name, state), it in found.items() if name == "world/card"} == {"both": 1, "checked": 1}


def test_a_few_that_are_all_right_fit_no_certainty() -> None:
    assert Measured(right=3, scores=[0.5] * 3).fitting == 0.8
    assert Measured(right=998, scores=[0.5] * 998).fitting == 0.99
    assert Measured(right=0, scores=[0.5] * 8).fitting == 0.1

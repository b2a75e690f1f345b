"""How often findings are right, counted from marked text."""

from __future__ import annotations

from tools.calibrate import Measured, measured, reliability
from tools.marked import marked


def test_marks_are_taken_out_and_kept_by_place() -> None:
    document = marked("call [[PHONE|020 7946 0123]], [[PERSON|Ann]]")
    assert document.text == "call 020 7946 0123, Ann"
    assert [document.text[start:end] for start, end, _ in document.marks] == ["020 7946 0123", "Ann"]


def test_a_finding_is_right_where_it_overlaps_a_mark_of_its_type_or_group() -> None:
    texts = ["mail [[EMAIL|ann@example.org]]", "mail [[contact|ben@example.org]]", "mail [[pci|chloe@example.org]]"]
    (it,) = [it for kind, it in measured(map(marked, texts)).items() if kind.recogniser == "world/email"]
    assert (it.right, len(it.scores)) == (2, 3)


def test_states_of_the_evidence_are_counted_apart() -> None:
    found = measured([marked("my card is [[pci|4111 1111 1111 1111]]"), marked("[[pci|4111 1111 1111 1111]]")])
    assert {it.state: seen.right for it, seen in found.items() if it.recogniser == "world/card"} == {
        "both": 1,
        "checked": 1,
    }


def test_types_that_nobody_marked_are_not_called_wrong() -> None:
    found = measured([marked("mail [[EMAIL|ann@example.org]] by 2 May 2024")])
    assert {it.type for it in found} == {"EMAIL_ADDRESS"}


def test_a_few_that_are_all_right_fit_no_certainty() -> None:
    assert Measured([0.5] * 3, [True] * 3).fitting == 0.8
    assert Measured([0.5] * 998, [True] * 998).fitting == 0.99
    assert Measured([0.5] * 8, [False] * 8).fitting == 0.1


def test_reliability_sets_what_scores_say_beside_how_often_they_are_right() -> None:
    found = measured(map(marked, ["[[EMAIL|ann@example.org]]", "ben@example.org"]))
    assert [(way, bound, it.right, len(it.scores)) for way, bound, it in reliability(found)] == [
        ("written", 0.985, 1, 2)
    ]

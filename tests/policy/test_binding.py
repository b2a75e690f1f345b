"""Quotes are found as published, and what is not found says what is near."""

from pathlib import Path

from troth.declaration import Declaration, Promise
from troth.policy import PolicyText, bind, check, marks, read


def promise(quote: str) -> Promise:
    return Promise(quote=quote, owner="ann@example.org")


def test_part_of_a_sentence_is_enough(either: PolicyText) -> None:
    (bound,) = bind(either, [promise("deleted within thirty days")])
    assert bound.problem is None
    assert [sentence.text for sentence in bound.sentences] == [
        "Recordings are deleted within thirty days after the contract ends."
    ]


def test_white_space_quotation_marks_and_dashes_may_differ() -> None:
    policy = read("We say \u201cnever\u201d \u2014 and it\u2019s true.")
    (bound,) = bind(policy, [promise('say  "never" - and\nit\'s')])
    assert bound.problem is None


def test_a_quote_may_cross_sentences_of_one_paragraph(either: PolicyText) -> None:
    (bound,) = bind(either, [promise("sell your data. Only a few people")])
    assert len(bound.sentences) == 2


def test_a_quote_does_not_cross_paragraphs(either: PolicyText) -> None:
    (bound,) = bind(either, [promise("contract ends. You may ask")])
    assert bound.problem is not None


def test_a_missing_quote_names_the_nearest_sentence(markdown: PolicyText) -> None:
    (bound,) = bind(markdown, [promise("Recordings are erased within thirty days")])

    assert bound.sentences == ()
    assert bound.problem is not None
    assert (bound.problem.code, bound.problem.path) == ("quote-not-found", "promises.0.quote")
    assert "line 11: “Recordings are deleted within thirty days" in bound.problem.mend


def test_a_quote_like_nothing_gets_no_neighbour(markdown: PolicyText) -> None:
    (bound,) = bind(markdown, [promise("Bananas ripen quickly")])
    assert bound.problem is not None
    assert bound.problem.mend == "quote it as published"


def test_a_quote_that_stands_twice_is_ambiguous(markdown: PolicyText) -> None:
    (bound,) = bind(markdown, [promise("We do not sell your data.")])

    assert bound.problem is not None
    assert bound.problem.code == "quote-ambiguous"
    assert "line 7 and line 16" in bound.problem.message


def test_marks_hold_every_promise_under_its_sentence(markdown: PolicyText) -> None:
    bounds = bind(markdown, [promise("deleted within"), promise("thirty days"), promise("nowhere")])
    assert list(marks(bounds).values()) == [(0, 1)]


def declared(quote: str, file: Path) -> Declaration:
    organisation = {"name": "Example", "country": "GB", "address": "1 High Street", "email": "privacy@example.org"}
    return Declaration.model_validate(
        {
            "troth": 1,
            "organisation": organisation,
            "policy": {"file": str(file), "effective": "2026-11-01"},
            "promises": [{"quote": quote, "owner": "ann@example.org"}],
        }
    )


def test_a_declaration_is_checked_against_its_policy(tmp_path: Path, markdown: PolicyText) -> None:
    file = tmp_path / "policy.md"
    file.write_text(markdown.source, encoding="utf-8")

    assert check(declared("deleted within thirty days", file)) == []
    assert [problem.code for problem in check(declared("deleted at once", file))] == ["quote-not-found"]


def test_a_policy_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xff")

    for name in ("none.md", "bad.md"):
        (problem,) = check(declared("x", tmp_path / name))
        assert (problem.code, problem.path) == ("policy-unreadable", "policy.file")

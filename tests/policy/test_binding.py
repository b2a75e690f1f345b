"""Quotes are found as published, and what is not found says what is near."""

from pathlib import Path

from tests.tables import each_row

from troth.declaration import Declaration, Promise
from troth.policy import PolicyText, bind_promises, check, marks, read
from troth.policy.binding import quoted


def promise(quote: str) -> Promise:
    return Promise(quote=quote, owner="ann@example.org")


def found(text: str, quote: str) -> str:
    """The code of the problem with the quote, or the sentences that it is bound to."""
    (bound,) = bind_promises(read(text), [promise(quote)])
    return bound.problem.code if bound.problem else " / ".join(sentence.text for sentence in bound.sentences)


def test_part_of_a_sentence_is_told_the_whole(either: PolicyText) -> None:
    (bound,) = bind_promises(either, [promise("deleted within thirty days")])
    assert bound.problem is not None
    assert bound.problem.code == "quote-partial"
    assert bound.problem.fix == (
        "quote all of it: “Recordings are deleted within thirty days after the contract ends.”"
    )
    assert bound.sentences == ()


@each_row(
    ("before", "after"),
    [
        ("We never sell your data.", "We never sell your data, unless somebody pays us well for it."),
        ("We never sell your data.", "Friends say: We never sell your data."),
        ("We never sell your data", "We never sell your data?"),
        ("We never sell your data", "We never sell your data.*"),
        ("13 months.", "13 months if we find the time."),
        ("- sell your data", "- sell your data without asking your mother"),
        ("We never:\n\n- sell it;\n- rent it.", "We sometimes:\n\n- sell it;\n- rent it."),
        ("|A|B|\n|-|-|\n|Views|13 months|", "|A|B|\n|-|-|\n|Views|13 months, or longer where we like|"),
        ("|A|B|\n|-|-|\n|Views|13 months|", "|A|B|\n|-|-|\n|Views of adults|13 months|"),
        ("|A|B|\n|-|-|\n|Views|13 months|", "|A|B|C|\n|-|-|-|\n|Views|13 months|at least|"),
    ],
)
def test_whatever_is_changed_in_a_promise_ends_its_binding(before: str, after: str) -> None:
    quote = {"|": "Views | 13 months", "-": "sell your data"}.get(before[0], before.partition(".")[0])
    quote = "We never: sell it" if ":" in before else quote
    assert found(before, quote) not in {"quote-partial", "quote-not-found"}
    assert found(after, quote) in {"quote-partial", "quote-not-found"}


def test_marks_at_the_ends_of_a_quote_may_be_left_out() -> None:
    text = "We may:\n\n- sell it; and\n- “rent” it."
    assert found(text, "sell it") == "sell it; and"
    assert found(text, "rent it") == "quote-not-found"
    assert found(text, '"rent" it') == "“rent” it."


def test_an_item_may_be_quoted_with_what_leads_into_it() -> None:
    text = "We never:\n\n- sell it;\n- rent it.\n\nWe may:\n\n- sell it;"
    assert found(text, "sell it") == "quote-ambiguous"
    assert found(text, "We never: sell it;") == "sell it;"
    assert found(text, "We never: rent it.") == "rent it."
    assert found(text, "We may: rent it.") == "quote-not-found"


def test_a_cell_says_something_in_its_row_unless_it_is_a_sentence() -> None:
    text = "|A|B|\n|-|-|\n|Views|13 months|\n|Clicks|We keep them for a day. Then they go.|"
    assert found(text, "13 months") == "quote-partial"
    assert found(text, "We keep them for a day.") == "We keep them for a day."
    (bound,) = bind_promises(read(text), [promise("13 months")])
    assert bound.problem is not None
    assert bound.problem.fix == "quote all of it: “Views | 13 months”"


def test_the_whole_is_found_where_the_same_words_are_a_part_elsewhere() -> None:
    text = "We said: we keep it for a year, as a rule.\n\nwe keep it for a year\n"
    assert found(text, "we keep it for a year") == "we keep it for a year"


def test_a_lead_that_has_no_end_is_kept_once() -> None:
    text = f"{'we ' * 20_000}never:\n\n" + "".join(f"- sell it {number}\n" for number in range(500))
    assert found(text, "sell it 7") == "sell it 7"


def test_marks_alone_are_found_nowhere() -> None:
    assert quoted(read("We keep it. We do - not - sell."), [".", " - ", "…", "\u200b", ""]) == [()] * 5


def test_white_space_quotation_marks_and_dashes_may_differ() -> None:
    policy = read("We say \u201cnever\u201d \u2014 and it\u2019s true.")
    (bound,) = bind_promises(policy, [promise('We say  "never" - and\nit\'s true.')])
    assert bound.problem is None


def test_a_quote_may_cross_sentences_of_one_paragraph(either: PolicyText) -> None:
    (bound,) = bind_promises(
        either, [promise("We do not sell your data. Only a few people with special access rights can see it.")]
    )
    assert len(bound.sentences) == 2


def test_a_quote_does_not_cross_paragraphs(either: PolicyText) -> None:
    (bound,) = bind_promises(either, [promise("contract ends. You may ask")])
    assert bound.problem is not None


def test_a_missing_quote_names_the_nearest_sentence(markdown: PolicyText) -> None:
    (bound,) = bind_promises(markdown, [promise("Recordings are erased within thirty days")])

    assert bound.sentences == ()
    assert bound.problem is not None
    assert (bound.problem.code, bound.problem.path) == ("quote-not-found", "promises.0.quote")
    assert "line 11: “Recordings are deleted within thirty days" in bound.problem.fix


def test_a_quote_like_nothing_gets_no_neighbour(markdown: PolicyText) -> None:
    (bound,) = bind_promises(markdown, [promise("Bananas ripen quickly")])
    assert bound.problem is not None
    assert bound.problem.fix == "quote it as published"


def test_a_quote_that_stands_twice_is_ambiguous(markdown: PolicyText) -> None:
    (bound,) = bind_promises(markdown, [promise("We do not sell your data.")])

    assert bound.problem is not None
    assert bound.problem.code == "quote-ambiguous"
    assert "line 7 and line 16" in bound.problem.message


def test_marks_hold_every_promise_under_its_sentence(markdown: PolicyText) -> None:
    bounds = bind_promises(
        markdown, [promise("We answer within 30 days."), promise("We answer within 30 days"), promise("nowhere")]
    )
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

    assert check(declared("We answer within 30 days.", file)) == []
    assert [problem.code for problem in check(declared("deleted at once", file))] == ["quote-not-found"]


def test_a_policy_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xff")

    for name in ("none.md", "bad.md"):
        (problem,) = check(declared("x", tmp_path / name))
        assert (problem.code, problem.path) == ("policy-unreadable", "policy.file")

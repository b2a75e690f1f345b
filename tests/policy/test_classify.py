"""What a clause does and what a paragraph is about."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.policy import Clause, ClauseKind, Practice, Quantity, Understood, promises_in, read, understand
from troth.policy.classify import Modality, Party, PromiseParts

SAID: dict[str, Any] = tomllib.loads(Path(__file__).with_name("clauses.toml").read_text("utf-8"))
F1 = 0.75
"""The least that is good enough, of practices."""


def understood(text: str) -> Understood:
    return understand(read(text, kind="markdown"))


def only(text: str) -> Clause:
    [clause] = understood(text).clauses
    return clause


def parts(text: str) -> PromiseParts:
    promised = only(text).promise
    assert promised is not None
    return promised


@pytest.mark.scaled
@each_row("text", SAID["promises"][:: scaled(3, 1)])
def test_a_sentence_that_commits_the_company_is_a_promise(text: str) -> None:
    assert understood(text).promises


@pytest.mark.scaled
@each_row("text", SAID["others"][:: scaled(3, 1)])
def test_a_sentence_that_commits_to_nothing_is_none(text: str) -> None:
    assert understood(text).promises == ()


def test_paragraphs_are_of_the_practices_that_a_reader_would_name() -> None:
    right = wrong = missed = 0
    for row in SAID["paragraphs"]:
        found = {str(practice) for one in understood(row["text"]).paragraphs for practice in one.practices}
        right += len(found & set(row["practices"]))
        wrong += len(found - set(row["practices"]))
        missed += len(set(row["practices"]) - found)
    assert 2 * right / (2 * right + wrong + missed) >= F1


@each_row(
    ("text", "kind"),
    [
        ("You have the right to object.", ClauseKind.RIGHT),
        ("We collect your name and email address.", ClauseKind.COLLECTION),
        ("We use your address to send you what you ordered.", ClauseKind.PURPOSE),
        ("We share your details with our delivery partners.", ClauseKind.RECIPIENT),
        ("We keep invoices for six years.", ClauseKind.RETENTION),
        ("All pages are protected with SSL encryption.", ClauseKind.SECURITY),
        ("The GDPR gives people in the European Union certain rights.", ClauseKind.LAW),
        ("Write to us at privacy@example.org.", ClauseKind.CONTACT),
        ("“Personal data” means any information about a person.", ClauseKind.DEFINITION),
        ("This policy describes how we treat your data.", ClauseKind.BOILERPLATE),
        ("# How long we keep it", ClauseKind.HEADING),
    ],
)
def test_a_clause_says_what_it_does(text: str, kind: ClauseKind) -> None:
    assert kind in only(text).kinds


@pytest.mark.parametrize(
    "heading", ["What we never sell", "Our security", "How we protect it", "Never sold", "We care"]
)
def test_a_heading_that_only_names_something_promises_nothing(heading: str) -> None:
    assert promises_in(read(f"# {heading}\n")) == []


@pytest.mark.parametrize(
    "heading", ["We never sell your data", "3. We will never sell it", "Nobody sells your data here"]
)
def test_a_heading_that_is_a_whole_sentence_may_promise(heading: str) -> None:
    [clause] = promises_in(read(f"## {heading}\n\nThat is that.\n"))
    assert (clause.sentence.text, clause.negative) == (heading, True)
    assert ClauseKind.HEADING in clause.kinds


def test_questions_promise_nothing() -> None:
    assert understood("Will we sell it?").promises == ()


def test_the_items_of_a_list_mean_what_leads_into_them() -> None:
    found = understood("We will never:\n\n- sell your data;\n- rent it out.\n").promises
    assert [clause.sentence.text for clause in found] == ["sell your data;", "rent it out."]
    assert all(clause.negative for clause in found)


def test_the_company_is_known_by_its_name() -> None:
    text = "Example Voice Ltd (“Example”, “we”) makes things. Example does not sell personal data."
    assert [clause.sentence.text for clause in understood(text).promises] == ["Example does not sell personal data."]


def test_the_parts_of_a_promise_are_told_apart() -> None:
    found = parts("We will delete your data within thirty (30) days, unless the law forbids it.")
    assert (found.who, found.modality, found.negative, found.action) == (Party.WE, Modality.WILL, False, "delete")
    assert found.when == "within thirty (30) days"
    assert found.condition == "unless the law forbids it."


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Our staff never read your messages.", Party.STAFF),
        ("Our service providers may not use it for their own purposes.", Party.PROCESSOR),
        ("You can opt out at any time by clicking the link.", Party.YOU),
        ("We do not sell your data.", Party.WE),
    ],
)
def test_a_promise_says_who_will_keep_it(text: str, who: Party) -> None:
    assert parts(text).who is who


@pytest.mark.parametrize(
    ("text", "action", "negative"),
    [
        ("We do not sell your data.", "sell", True),
        ("We'll never pass it on to outside parties.", "share", True),
        ("Recordings are deleted thirty days after the call.", "delete", False),
        ("We answer within one month.", "answer", False),
        ("We only collect what the form asks for.", "collect", True),
        ("We will notify you of a breach.", "tell", False),
    ],
)
def test_a_promise_says_what_is_done_or_not(text: str, action: str, negative: bool) -> None:
    assert (parts(text).action, parts(text).negative) == (action, negative)


def test_hedges_are_heard() -> None:
    assert parts("We generally take reasonable steps to protect your data.").hedges == ("generally", "reasonable")


def test_the_kinds_of_data_are_named_by_the_taxonomy() -> None:
    assert only("We never share your e-mail address.").categories == ("user.contact.email",)


@each_row(
    ("text", "quantities"),
    [
        ("We answer within 30 days.", [(30, "day")]),
        ("We answer within thirty (30) calendar days.", [(30, "day")]),
        ("We will tell you within seven business days, or 72 hours.", [(7, "working day"), (72, "hour")]),
        ("We keep it for 1,000 days or 2.5 years.", [(1000, "day"), (2.5, "year")]),
        ("We will keep it for a year.", [(1, "year")]),
        ("We never let more than 8 people see it.", [(8, "person")]),
        ("We will keep version 3.4 days.", [(3.4, "day")]),
        ("We will keep it for a fortnight, or a couple of weeks.", [(2, "week"), (2, "week")]),
        ("We will keep it for twenty-one days, or one hundred and twenty.", [(21, "day")]),
        ("We will keep it for a hundred and five days.", [(105, "day")]),
        ("We will keep it for half a year, or for a year and a half.", [(0.5, "year"), (1.5, "year")]),
    ],
)
def test_numbers_come_with_their_units(text: str, quantities: list[tuple[float, str]]) -> None:
    assert list(only(text).quantities) == [Quantity(number, unit) for number, unit in quantities]


def test_each_answer_says_by_which_words() -> None:
    assert "promise.negated: never sell" in only("We never sell your data.").because


def test_a_list_is_one_paragraph_with_what_leads_into_it() -> None:
    found = understood(
        "# Sharing\n\nWe share your data with:\n\n- our bank;\n- the police.\n\nWe use cookies.\n"
    ).paragraphs
    assert [len(one.sentences) for one in found] == [3, 1]
    assert found[0].practices == (Practice.THIRD_PARTY,)


def test_a_paragraph_about_nothing_else_is_other() -> None:
    assert understood("Thank you for reading.").paragraphs[0].practices == (Practice.OTHER,)


def test_another_language_is_not_guessed_at() -> None:
    text = "Wir geben Ihre Daten niemals an Dritte weiter, und wir löschen sie, sobald sie nicht mehr gebraucht werden."
    assert understood(text).promises == ()


def test_the_same_text_is_understood_the_same_way() -> None:
    text = "\n\n".join(row["text"] for row in SAID["paragraphs"])
    assert understood(text) == understood(text)


def test_clauses_come_in_the_order_of_the_text_and_miss_no_sentence() -> None:
    policy = read("# One\n\nWe never sell it. Thanks.\n\n- An item\n", kind="markdown")
    assert [clause.sentence for clause in understand(policy).clauses] == list(policy.sentences)


@settings(max_examples=scaled(12, 50), deadline=None)
@given(st.lists(st.sampled_from([*SAID["promises"], *SAID["others"]]), min_size=1, max_size=8))
def test_a_sentence_is_understood_alike_wherever_it_stands(sentences: list[str]) -> None:
    together = understood("\n\n".join(sentences))
    alone = [bool(understood(sentence).promises) for sentence in sentences]
    assert [
        any(clause.promise for clause in together.clauses if clause.sentence in one.sentences)
        for one in together.paragraphs
    ] == alone


@pytest.mark.parametrize("heading", ["Keeping it", "When do you delete it?", "How long we keep it"])
def test_a_kind_and_a_period_under_a_heading_about_keeping_are_a_promise(heading: str) -> None:
    assert understood(f"## {heading}\n\n- Visitor tablet: 30 days.").promises
    assert not understood("## Opening hours\n\n- Visitor desk: 30 days.").promises


@pytest.mark.parametrize("text", ["Please do not send us pictures.", "Children may bring their toys."])
def test_who_is_named_twice_at_the_beginning_is_not_the_company(text: str) -> None:
    assert understood(f"{text}\n\n{text}").promises == understood(text).promises == ()

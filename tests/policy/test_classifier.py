"""What the words of a sentence weigh, beside the phrases that hear it."""

from __future__ import annotations

import json

import pytest

from troth.policy import ClauseKind, Practice, read, understand
from troth.policy.classify.classifier import features, is_weighed, load_weights
from troth.policy.classify.statements import heard
from troth.policy.lexicon import passages


def seen(text: str) -> list[set[str]]:
    return [set(features(passage)) for passage in passages(read(text, kind="markdown"))]


def test_a_sentence_is_seen_as_its_words_where_it_begins_and_what_stands_above_it() -> None:
    _, lead, item = seen("## Keeping\n\nWe keep, for *30 days* or 9:\n\n- your order history in the shop\n")
    assert {"keep", "for # days", "^we keep for", "=paragraph", ">keeping"} <= lead
    assert {"order history", "^your order", "<days", "<or #", "=list_item"} <= item
    assert not any(character.isdigit() for each in lead | item if each[0] != "=" for character in each)


@pytest.mark.parametrize(
    "text",
    [
        "# We never sell your data to anybody at all",
        "What do we do with the data that you give us?",
        "To keep your data safe we take these steps:",
        "Visitor tablet: 30 days.",
        "| What | Why |\n|---|---|\n| your name and your address and more | to send you what you have ordered |",
        "Wir geben Ihre Daten an niemanden weiter, und das ist ein Versprechen an Sie.",
    ],
)
def test_what_tells_nothing_by_its_words_is_left_to_phrases_and_place(text: str) -> None:
    assert [passage for passage, _ in heard(read(text, kind="markdown"))[0] if is_weighed(passage)] == []


def test_words_find_a_promise_that_no_phrase_hears_and_are_the_reason() -> None:
    text = "Couriers are handed the parcel and the street, and your telephone number stays with us."
    [[(_, before)], _] = heard(read(text, kind="markdown"))
    [clause] = understand(read(text, kind="markdown")).clauses
    assert (before.promise, clause.promise is not None) == (None, True)
    [reason] = [each for each in clause.because if each.startswith("words.promise: ")]
    assert all(each.split()[0] in text.lower() for each in reason.partition(": ")[2].split(", "))


def test_words_outweigh_a_phrase_that_hears_too_much_and_its_reason_goes() -> None:
    text = "Under federal law a practice has to keep health information private and hand out a notice like this one."
    policy = read(text, kind="markdown")
    [clause] = understand(policy).clauses
    assert clause.promise is None
    assert not any(each.startswith("promise.") for each in clause.because)


def test_the_weights_are_of_kinds_that_there_are_and_of_no_numbers() -> None:
    sentences, paragraphs = load_weights(), load_weights("paragraphs")
    assert {"promise", "right", "purpose"} < set(sentences) <= set(ClauseKind)
    assert set(paragraphs) == set(Practice) - {Practice.OTHER}
    for each in (*sentences.values(), *paragraphs.values()):
        assert each.heard > 0
        assert len(each.words) > 100
        assert not any(letter.isdigit() for word in each.words if word[0] != "=" for letter in word)


def test_a_word_that_few_policies_have_is_not_learnt() -> None:
    from tools import weigh_clauses  # imports scikit-learn, which takes a second

    """So that no company's name and no one writer's taste is among the weights."""
    examples = [
        weigh_clauses.Example(name, frozenset(words.split()), frozenset(), frozenset(), frozenset())
        for name, words in (("a", "common rare"), ("b", "common rare"), ("c", "common"), ("c", "common own"))
    ]
    assert weigh_clauses.known(examples) == {"common"}


def test_a_paragraph_is_of_a_practice_by_its_words_and_they_are_the_reason() -> None:
    text = (
        "## Later\n\nIf these pages change, the new text is put here thirty days before and every member gets a letter."
    )
    [paragraph] = understand(read(text, kind="markdown")).paragraphs
    assert paragraph.practices == (Practice.POLICY_CHANGE,)
    assert any(each.startswith("words.policy_change: ") for each in paragraph.because)


def test_a_paragraph_tells_no_reason_for_a_practice_that_it_is_not_of() -> None:
    text = "## Who we are\n\nOur office is in a shared flat above the bakery, where two of us make maps for hikers."
    for paragraph in understand(read(text, kind="markdown")).paragraphs:
        named = {each.partition(": ")[0].partition(".")[2].removesuffix(".hint") for each in paragraph.because}
        assert named <= set(paragraph.practices)


@pytest.mark.soak
def test_the_weights_are_those_that_the_labelled_policies_give() -> None:
    from tools import weigh_clauses  # imports scikit-learn, which takes a second

    for name, made in weigh_clauses.made(weigh_clauses.LABELLED).items():
        kept = json.loads((weigh_clauses.WEIGHTS / f"{name}.json").read_text("utf-8"))
        assert list(made) == list(kept)
        for kind, row in made.items():
            assert abs(row["base"] - kept[kind]["base"]) <= 3
            far = [word for word in row["words"] if abs(row["words"][word] - kept[kind]["words"].get(word, 0)) > 3]
            assert len(far) < len(row["words"]) / 100

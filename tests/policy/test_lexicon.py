"""Concepts hear the many ways in which a thing is said, and not what only sounds like it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.tables import each_row

from troth.policy import read
from troth.policy.lexicon import concepts, mentions

SAYINGS = tomllib.loads((Path(__file__).parent / "sayings.toml").read_text(encoding="utf-8"))


def speaks(text: str, concept: str) -> bool:
    heading, _, words = text.rpartition("|")
    source = f"## {heading.strip()}\n\n{words.strip()}\n" if heading else text
    return mentions(read(source, kind="markdown")).has(concept)


@each_row("concept", SAYINGS)
def test_a_concept_is_heard_in_each_way_of_saying_it(concept: str) -> None:
    assert [text for text in SAYINGS[concept]["said"] if not speaks(text, concept)] == []


@each_row("concept", SAYINGS)
def test_what_only_sounds_like_a_concept_is_not_heard(concept: str) -> None:
    assert [text for text in SAYINGS[concept].get("not", ()) if speaks(text, concept)] == []


def test_every_concept_of_every_lexicon_can_be_read() -> None:
    assert {name: concept.name for name, concept in concepts().items()} == {name: name for name in concepts()}


@pytest.mark.parametrize(
    ("title", "is_title"),
    [("Retention.", True), ("How long do you keep it?", True), ("Retention:", True), ("We keep it.", False)],
)
def test_a_paragraph_may_begin_with_its_heading(title: str, is_title: bool) -> None:
    policy = read(f"**{title}** Invoices, seven years. Messages, one year.", kind="markdown")
    assert bool(mentions(policy).passages[-1].under) is is_title


@pytest.mark.parametrize("name", ["The University", "Company", "The Council"])
def test_what_a_company_is_may_stand_for_its_name_where_it_acts_again_and_again(name: str) -> None:
    text = f"{name} may collect your name. {name} keeps records."
    assert speaks(text, "hedge.practice")
    assert not speaks(text.replace(f"{name} keeps", "The files keep"), "hedge.practice")

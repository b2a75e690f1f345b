"""When two names are one person's: nobody approves a waiver of a promise of their own, however they are written."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.text import did_you_mean, first_few, nearest, same_person, same_words, says_something


@each_row(
    "disguise",
    [
        "ANN@Example.ORG",
        "Ann <ann+waivers@example.org.>",
        "mailto:ann@example.org",
        "\uff41\uff4e\uff4e@example.org",  # full width
        "a\u200bn\u00adn@example.org",  # no width, and a soft hyphen
        "\u0430nn@example.org",  # a Cyrillic letter
        "\u03b1nn@example.org",  # a Greek one
        "\u1d00nn@example.org",  # a small capital
        "\u00e1nn@example.org",  # an accent
        "an\u0144@example.org",
        "ann@exampl\u0435.org",  # in the host
        "ann@example.\u043erg",
        "ann@examp1e.org",  # a one for an l
        "ann\u02bc@example.org",  # an apostrophe that is a letter
        "ann\u0640@example.org",  # one that draws an Arabic word out
    ],
)
def test_the_owner_in_disguise_is_the_owner(disguise: str) -> None:
    assert same_person("ann@example.org", disguise)
    assert same_person(disguise, "ann@example.org")


@pytest.mark.parametrize(
    "other", ["ben@example.org", "ann@example.com", "anna@example.org", "hann@example.org", "Ann", ""]
)
def test_somebody_else_is_somebody_else(other: str) -> None:
    assert not same_person("ann@example.org", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u0410\u043d\u043d\u0430", "Anna"),  # whole names in another alphabet are names
        ("\u0392\u03b5\u03bd", "\u0391\u03bd\u03bd\u03b1"),
        ("\u5c71\u7530\u305f\u308d\u3046", "\u5c71\u7530\u592a\u90ce"),  # Japanese mixes its scripts
        ("Ann", "\u30a2\u30f3"),
        ("\u4f50\u3005\u6728 \u82b1\u5b50", "\u5c71\u7530 \u82b1\u5b50"),  # with the sign that repeats one
        ("Ann O\u02bcBrien", "Ben O\u02bcBrien"),  # an apostrophe that is a letter
        ("\u02bbAulani", "Chloe"),
    ],
)
def test_names_of_other_alphabets_are_told_apart(one: str, other: str) -> None:
    assert not same_person(one, other)
    assert same_person(one, one)


def test_a_whole_name_of_letters_that_look_like_others_is_the_other() -> None:
    assert same_person("BEN", "\u0412\u0415\u041d".replace("\u041d", "\u039d"))
    assert same_person("Chloe", "\u0421h1\u03bfe")


def test_a_word_that_mixes_alphabets_counts_as_anybodys() -> None:
    """The Cyrillic letter is none that looks like a Latin one."""
    assert same_person("ann@example.org", "b\u0436n@example.org")


def test_greek_is_the_same_in_capitals_and_without_accents() -> None:
    assert same_person("\u039d\u03af\u03ba\u03bf\u03c2", "\u039d\u0399\u039a\u039f\u03a3")


def test_words_are_compared_without_what_cannot_be_seen() -> None:
    assert same_words("we\u00a0keep  \u201cit\u201d\u200b") == 'we keep "it"'
    assert not says_something("\u200b \u3164 \u2014")


def test_a_misspelt_name_is_answered_with_the_most_similar() -> None:
    assert did_you_mean("gdrp", ["ccpa", "gdpr"]) == "; did you mean 'gdpr'?"
    assert did_you_mean("x" * 1_000_000, ["ccpa", "gdpr"]) == ""
    assert nearest("lgpd", []) is None


@each_row("things, said", [("", ""), ("abcde", "a, b, c, d, e"), ("abcdef", "a, b, c, d, e and 1 more")])
def test_the_first_few_things_are_named_and_the_rest_counted(things: str, said: str) -> None:
    assert first_few(things) == said

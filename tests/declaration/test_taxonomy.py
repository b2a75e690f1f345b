"""The vocabulary: its keys, what covers what, and which word was meant."""

from __future__ import annotations

import pytest

from troth.declaration import categories, covers, dpv, is_category, is_special, is_use, nearest, title, uses


def test_the_vocabulary_is_that_of_fideslang_3_1() -> None:
    assert (len(categories()), len(uses())) == (85, 55)
    assert all(is_category(key) for key in ("user.contact.email", "user.payment", "system.operations"))
    assert all(is_use(key) for key in ("essential.service", "marketing.communications.email", "train_ai_system"))
    assert not is_category("essential.service")
    assert not is_use("personalize.profiling")


def test_every_broader_key_is_there_and_comes_first() -> None:
    for keys in (categories(), uses()):
        for at, key in enumerate(keys):
            broad = key.rpartition(".")[0]
            assert not broad or broad in keys[:at]


def test_a_broad_category_covers_itself_and_what_is_below_it() -> None:
    assert covers("user.contact", "user.contact")
    assert covers("user.contact", "user.contact.address.city")
    assert not covers("user.contact.email", "user.contact")
    assert not covers("user.name", "user.names")


def test_article_9_marks_exactly_these() -> None:
    assert [key for key in categories() if is_special(key)] == [
        "user.authorization.biometric",
        "user.biometric",
        "user.biometric.fingerprint",
        "user.biometric.health",
        "user.biometric.retinal",
        "user.demographic.political_opinion",
        "user.demographic.race_ethnicity",
        "user.demographic.religious_belief",
        "user.demographic.sexual_orientation",
        "user.health_and_medical",
        "user.health_and_medical.genetic",
        "user.health_and_medical.insurance_beneficiary_id",
        "user.health_and_medical.record_id",
    ]


def test_every_word_has_a_title_and_every_use_a_term_of_the_dpv() -> None:
    assert title("user.contact.email") == "E-mail address"
    assert dpv("user.contact.email") == "https://w3id.org/dpv/pd#EmailAddress"
    assert dpv("marketing") == "https://w3id.org/dpv#Marketing"
    assert dpv("system.operations") is None
    assert all(title(key) for key in (*categories(), *uses()))
    assert all(dpv(key) for key in uses())


def test_an_unknown_key_has_no_title() -> None:
    with pytest.raises(KeyError):
        title("user.nothing")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("user.contact.emial", "user.contact.email"),
        ("email", "user.contact.email"),
        ("user.Email", "user.contact.email"),
        ("user.email_address", "user.contact.email"),
        ("user.phone", "user.contact.phone_number"),
        ("usr.name", "user.name"),
        ("xyzzy", None),
    ],
)
def test_the_nearest_category_is_the_one_that_was_meant(key: str, meant: str | None) -> None:
    assert nearest(key) == meant


def test_the_nearest_use_follows_a_replacement() -> None:
    assert nearest("personalize.profiling", kind="use") == "personalize.content.profiling"
    assert nearest("essential.servce", kind="use") == "essential.service"

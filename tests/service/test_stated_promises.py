"""What the library says in English is said in the language of whoever reads: reckonings, laws, titles, figures."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.utils import translation

from troth.declaration import categories, uses
from troth.law import ClockEvent, ClockPause, due, obligation, regimes_for
from troth.law.sentences import TranslatableSentence
from troth.service.cases.labels import category_words
from troth.service.labels import figure_words, law_words, status_word, told
from troth.service.requests.package.html_page import file_size

LONDON = zoneinfo.ZoneInfo("Europe/London")
CAME = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
PAUSE = ClockPause(CAME + dt.timedelta(days=2), CAME + dt.timedelta(days=5))
STEPS = (
    *due(obligation("uk.answer", CAME.date()), CAME, zone=LONDON, pauses=[PAUSE], extended=True).steps,
    *due(
        obligation("ccpa.confirm", CAME.date()),
        {ClockEvent.RECEIVED: CAME, ClockEvent.IDENTITY_CONFIRMED: CAME},
        zone=LONDON,
    ).steps,
    *due(obligation("gdpr.answer", CAME.date()), CAME, zone=LONDON).steps,
)


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_a_reckoning_is_told_in_every_language(language: str) -> None:
    with translation.override(language):
        for step in STEPS:
            assert isinstance(step, TranslatableSentence)
            said = told(step)
            assert said != step
            assert "November" not in said or language == "de"
            assert "working day" not in said


def test_in_english_it_stays_as_the_law_room_says_it() -> None:
    with translation.override("en"):
        assert [told(step) for step in STEPS] == list(STEPS)


def test_a_reckoning_counts_and_dates_as_the_language_does() -> None:
    with translation.override("de"):
        assert told(STEPS[-2]) == "1 Monat ab dem 25. November 2026: 25. Dezember 2026, ein Freitag."


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_no_title_of_a_category_or_a_use_is_left_in_english(language: str) -> None:
    with translation.override(language):
        assert (
            category_words("user.contact.email")
            == {
                "de": "E-Mail-Adresse",
                "fr": "Adresse e-mail",
                "es": "Dirección de correo electrónico",
            }[language]
        )
    assert len(categories()) + len(uses()) > 100  # their catalogues are complete: tests/service/test_languages.py


def test_statuses_laws_and_figures_follow_the_language() -> None:
    [law, *_] = regimes_for(residence="DE", established="DE", on=CAME.date())
    with translation.override("fr"):
        assert (status_word("kept"), law_words(law).partition(" (")[0]) == ("tenue", "GDPR s’applique")
        assert figure_words({"share": 1.5, "opt outs": "1000-9999"}) == [
            ("share", "1,5"),
            ("opt outs", "1\xa0000–9\xa0999"),
        ]
    with translation.override("en"):
        assert figure_words({"share": 0.25, "opt outs": "1000-9999"})[1] == ("opt outs", "1,000–9,999")
        assert figure_words({"kept": 26}) == [("older but held", "26")]
        assert law_words(law) == str(law)


@pytest.mark.parametrize(("language", "size"), [("en", "1,234 bytes"), ("de", "1.234 Byte"), ("fr", "1\xa0234 octets")])
def test_the_package_counts_as_its_language_does(language: str, size: str) -> None:
    with translation.override(language):
        assert size in file_size(1234)

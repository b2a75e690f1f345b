"""Requests are recognised whatever they are called, in the words of people who never read the law."""

from __future__ import annotations

import pytest

from troth.service.cases.recognise import language_of, recognise

LETTERS = [
    ("view", "DSAR", "Please treat this as a subject access request."),
    ("view", "Hello", "what do you know about me and who did you give it to??"),
    ("view", "", "I'd like a copy of everything you hold on me please"),
    ("view", "Auskunft", "Hiermit verlange ich Auskunft nach Art. 15 DSGVO über meine Daten."),
    ("view", "", "Bonjour, je souhaite exercer mon droit d'accès à mes données personnelles."),
    ("view", "", "Quisiera una copia de mis datos personales."),
    ("erase", "Please", "Can you delete my account and all the data you've got?"),
    ("erase", "", "forget me. completely."),
    ("erase", "GDPR", "I am invoking my right to be forgotten"),
    ("erase", "", "Bitte löschen Sie alle meine Daten."),
    ("erase", "", "Merci de supprimer toutes mes données."),
    ("erase", "", "Por favor, eliminen mis datos."),
    ("amend", "wrong address", "I have moved, my new address is 4 Mill Lane"),
    ("amend", "", "Ich bin umgezogen, bitte berichtigen Sie meine Adresse"),
    ("amend", "", "my name is misspelled in your records"),
    ("restrict", "", "Please stop using my data until you have answered me."),
    ("port", "", "I want my data in a machine-readable format to take it to another shop"),
    ("object", "newsletter", "please stop sending me these"),
    ("object", "UNSUBSCRIBE", ""),
    ("object", "", "Take me off your list!!"),
    ("object", "", "Ich widerspreche der Verwendung meiner Daten für Werbung"),
    ("object", "", "Je ne veux plus recevoir vos mails, désabonnez-moi"),
    ("object", "", "No quiero recibir más correos"),
    ("withdraw", "", "I hereby withdraw my consent."),
    ("withdraw", "", "Hiermit widerrufe ich meine Einwilligung"),
]


@pytest.mark.parametrize(("right", "subject", "text"), LETTERS)
def test_a_request_is_recognised_in_its_own_words(right: str, subject: str, text: str) -> None:
    assert recognise(subject, text).right == right


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("complaint", "I want to make a complaint: you wrote to my old address again."),
        ("complaint", "Hiermit lege ich Beschwerde ein."),
        ("question", "What does “trusted carriers” mean in your policy?"),
        ("question", "When will my parcel arrive?"),
    ],
)
def test_complaints_and_questions_are_told_from_requests(kind: str, text: str) -> None:
    assert recognise("", text).kind == kind


def test_what_is_not_understood_is_put_to_a_person() -> None:
    assert not recognise("hm", "I am not sure about all this").is_sure


def test_a_letter_that_asks_for_several_things_names_them_all() -> None:
    found = recognise("", "Send me a copy of my data and then delete my account.")
    assert set(found.rights) >= {"view", "erase"}


def test_what_a_letter_quotes_is_not_what_it_asks_for() -> None:
    assert recognise("Re: your mail", "Thanks!\n> To unsubscribe, press here.\n> delete my data").right == ""


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Bitte löschen Sie meine Daten"),
        ("fr", "Merci de supprimer mes données"),
        ("es", "Por favor borren mis datos"),
        ("en", "Please delete my data"),
        ("en", "xyzzy"),
    ],
)
def test_the_answer_comes_in_the_language_of_the_letter(language: str, text: str) -> None:
    assert language_of(text, among=("en", "de", "fr", "es")) == language


@pytest.mark.parametrize("text", ["a " * 50_000, "delete " * 20_000, "-" * 100_000, "my data\n" * 20_000])
def test_a_hostile_letter_is_read_like_any_other(text: str) -> None:
    """Matching takes linear time: a pattern that does not would hang here, and fail by the test's time limit."""
    assert recognise(text, text).kind in ("request", "question")

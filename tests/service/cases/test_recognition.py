"""Requests are recognised whatever they are called, in the words of people who never read the law."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.policy.parse.language import likeliest_language
from troth.service.cases.intake.recognition import Recognised, recognise
from troth.service.cases.models import CaseKind, Right

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


@each_row(("right", "subject", "text"), LETTERS)
def test_a_request_is_recognised_in_its_own_words(right: str, subject: str, text: str) -> None:
    found = recognise(subject, text)
    assert right in found.rights
    assert found.is_sure(Right(right))


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
    assert recognise("hm", "I am not sure about all this") == Recognised(CaseKind.QUESTION)


@pytest.mark.parametrize(
    "text",
    [
        "Send me a copy of my data and then delete my account.",
        "Please send me a copy of all the data that you hold, and then delete everything.",
        "Senden Sie mir eine Kopie meiner Daten. Danach löschen Sie meine Daten.",
        "Envoyez-moi une copie de mes données, puis supprimez mon compte.",
        "Quiero una copia de mis datos; después eliminen mi cuenta.",
    ],
)
def test_a_letter_that_asks_for_several_things_is_each_of_them_and_to_see_comes_first(text: str) -> None:
    found = recognise("", text)
    assert found.rights == ("view", "erase")
    assert found.is_sure(Right.VIEW)
    assert not found.is_sure(Right.ERASE), "somebody reads a letter that asks for much before it is changed"


NEGATED = [
    "Do not delete my data.",
    "Please don’t delete my account!",
    "I never asked you to delete my account.",
    "I do not want you to erase my data",
    "Bitte löschen Sie meine Daten nicht.",
    "Löschen Sie auf keinen Fall meine Daten.",
    "Ich möchte nicht, dass Sie mein Konto löschen.",
    "Ne supprimez pas mes données.",
    "Surtout n'effacez jamais mes données",
    "No borren mis datos.",
    "Nunca pedí que eliminaran mi cuenta",
]


@each_row("text", NEGATED)
def test_who_asks_for_the_opposite_does_not_ask_for_it(text: str) -> None:
    found = recognise("", text)
    assert found.rights == found.maybe == ()
    assert found.kind == "question"
    beside = recognise("", f"{text}\n\nWhat do you know about me?")
    assert beside.rights == ("view",)


@pytest.mark.parametrize(
    "text",
    [
        "I will not write again. Delete my data.",
        "Do not call me but delete my data.",
        "Ich frage nicht noch einmal. Bitte löschen Sie meine Daten.",
        "Je ne suis plus client. Supprimez mon compte.",
        "No soy cliente. Borren mis datos.",
    ],
)
def test_a_negation_reaches_no_further_than_its_sentence(text: str) -> None:
    assert recognise("", text).is_sure(Right.ERASE)


@pytest.mark.parametrize(
    "text", ["I don't want these mails, unsubscribe me", "Das interessiert mich nicht mehr, bitte abmelden"]
)
def test_who_wants_no_more_letters_says_not_and_is_heeded(text: str) -> None:
    assert recognise("", text).is_sure(Right.OBJECT)
    assert recognise("", "Please do not unsubscribe me").rights == ()


def test_what_is_said_both_ways_is_put_to_a_person() -> None:
    found = recognise("Delete my data?", "Please do not delete my data!")
    assert (found.rights, found.maybe) == ((), ("erase",))


def test_weak_signs_are_put_to_a_person() -> None:
    found = recognise("", "I would like to get rid of my account")
    assert (found.kind, found.rights, found.maybe) == ("request", (), ("erase",))


def test_what_a_letter_quotes_is_not_what_it_asks_for() -> None:
    assert recognise("Re: your mail", "Thanks!\n> To unsubscribe, press here.\n> delete my data").rights == ()


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
    assert likeliest_language(text, among=("en", "de", "fr", "es")) == language


@pytest.mark.parametrize("text", ["a " * 50_000, "delete " * 20_000, "-" * 100_000, "my data\n" * 20_000])
def test_a_hostile_letter_is_read_like_any_other(text: str) -> None:
    """Matching takes linear time: a pattern that does not would hang here, and fail by the test's time limit."""
    assert recognise(text, text).kind in ("request", "question")

"""Mails in people's own words that ask us to stop writing are understood, and others are not taken for them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from tests.scale import scaled
from tests.service.mail_stops.corpus import HOW_QUOTED, Mail, everyday, quoting, written

from troth.service.mail.stops.recognition import StopIntent, StopRequest, StopScope, read_stop

STOP, MAYBE, NONE = StopIntent.STOP, StopIntent.MAYBE, StopIntent.NONE
_TRANSLITERATED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WITHOUT_MARKS = str.maketrans("äöüßéèêàâçñóíáúôûîïë¿¡", "aouseeeaacnoiauouiie  ")


def _stopped(mails: Iterable[Mail]) -> list[Mail]:
    return [it for it in mails if read_stop(it.subject, it.text, replies_to_edition=it.replies).intent == STOP]


def test_mails_that_ask_to_stop_are_understood_in_each_language() -> None:
    stops = written("stops")
    understood = Counter(it.language for it in _stopped(stops))
    for language, all_ in Counter(it.language for it in stops).items():
        assert understood[language] >= 0.97 * all_, language
    assert len(stops) >= 300


def test_other_mails_are_not_taken_for_stops() -> None:
    others = [*written("others"), *everyday()]
    assert len(others) >= 1_000
    assert len(written("others")) >= 250
    assert len(_stopped(others)) <= 0.005 * len(others)


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        str.lower,
        lambda text: text.translate(_TRANSLITERATED),
        lambda text: text.translate(_WITHOUT_MARKS),
        lambda text: text.replace(".", "").replace("!", ""),
        lambda text: text + "\n\nSent from my iPhone",
        lambda text: f"{text}\n\nVirus-free. www.example.org",
    ],
)
@pytest.mark.scaled
def test_stops_are_understood_in_careless_spelling(spell: Callable[[str], str]) -> None:
    stops = written("stops")[:: scaled(4, 1)]
    spelt = [Mail(it.language, it.subject, spell(it.text), it.replies) for it in stops]
    assert len(_stopped(spelt)) >= 0.96 * len(stops)


@pytest.mark.parametrize("how", HOW_QUOTED)
@pytest.mark.scaled
def test_only_the_persons_own_words_count(how: str) -> None:
    stops = [it for it in written("stops") if it.text][:: scaled(6, 1)]
    replies = [Mail(it.language, it.subject, quoting(it.text, how), it.replies) for it in stops]
    if how != "forwarded":  # a forwarded newsletter has a subject of its own
        assert len(_stopped(replies)) >= 0.96 * len(stops)
    assert read_stop("Re: News", quoting("Thanks, I liked the article on bees!", how)).intent == NONE


@pytest.mark.parametrize(
    "text",
    [
        "unsubscibe me please", "Plaese unsuscribe", "remove me from your newslettter", "bitte abmleden",
        "Bitte newsletter abbestelen", "STOOOOP", "desinscrivz moi svp", "cancelar suscripicion",
    ],
)  # fmt: skip
def test_typing_errors_do_not_hide_a_stop(text: str) -> None:
    assert read_stop("", text).intent == STOP


def test_words_that_only_look_like_a_stop_are_none() -> None:
    for text in ("Bitte anmelden", "subscribe", "Please subscribe me to the newsletter", "Ich bestelle den Newsletter"):
        assert read_stop("", text).intent == NONE


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Danke fürs Austragen", "Es kommt nichts mehr."),
        ("Merci pour le désabonnement", "Tout va bien."),
        ("Newsletter", "Abgemeldet habe ich mich nie, und es kommt trotzdem keiner."),
        ("Newsletter", "Vos mails ont cessé, merci."),
        ("Re: Your unsubscription", "That was not me. I would like to stay subscribed."),
        ("Re: Votre désinscription", "Je reste abonnée, merci d'annuler cette désinscription."),
        ("Teekiste", "Ich möchte die Teekiste für 24 Euro im Monat abbestellen."),
        ("Hund", "Wir möchten unseren Dackel von der Hundesteuer abmelden."),
        ("Offres", "Gagnez plus !\n\nPour ne plus recevoir nos offres, répondez STOP."),
        ("Ofertas", "¡Gane más!\n\nPara no recibir más ofertas, responda BAJA."),
        ("Re: News in June", "Is the blue one still there?\n\n-----\nDon't want these e-mails any more? Unsubscribe."),
        (
            "FW: News in June",
            "Shall we go?\n\n---- Forwarded ----\nNews in June\nYou no longer want these? Unsubscribe.",
        ),
    ],
)
def test_thanks_denials_and_footers_are_no_stops(subject: str, text: str) -> None:
    assert read_stop(subject, text, replies_to_edition=subject.startswith("Re: News")).intent != STOP


@pytest.mark.parametrize("text", ["no thanks", "Nein danke", "Non merci.", "No, gracias", "stop it", "kein Interesse"])
def test_few_words_are_enough_in_a_reply_to_an_edition_only(text: str) -> None:
    assert read_stop("Re: News", text, replies_to_edition=True).intent == STOP
    assert read_stop("Re: Your offer", text).intent != STOP


def test_a_quoted_newsletter_shows_a_reply_to_an_edition() -> None:
    assert read_stop("Re: News", quoting("no thanks", "top")).intent == STOP


def test_a_long_mail_is_not_a_line() -> None:
    long = "The manual explains each step of the set-up. " * 30
    assert read_stop("", f"{long}\n\nUnsubscribe\n\n{long}").intent != STOP
    assert read_stop("", f"Unsubscribe\n\n{long}").intent == STOP


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Please unsubscribe me from this newsletter.", StopScope.LIST),
        ("unsubscribe", StopScope.LIST),
        ("Bitte nehmen Sie mich aus dem Verteiler.", StopScope.LIST),
        ("Please do not contact me again.", StopScope.SENDER),
        ("Bitte schreiben Sie mir nicht mehr.", StopScope.SENDER),
        ("Ne m'écrivez plus.", StopScope.SENDER),
        ("No me escriban más.", StopScope.SENDER),
        ("Remove me from all your mailing lists.", StopScope.ALL),
        ("I object to direct marketing.", StopScope.ALL),
        ("Ich widerspreche der Nutzung meiner Daten zu Werbezwecken.", StopScope.ALL),
        ("Je ne veux plus de publicité.", StopScope.ALL),
        ("No quiero recibir publicidad.", StopScope.ALL),
    ],
)
def test_the_scope_is_what_the_person_says(text: str, scope: StopScope) -> None:
    read = read_stop("", text)
    assert (read.intent, read.scope) == (STOP, scope)


@pytest.mark.parametrize(
    "more",
    [
        "And delete all my data.", "What data do you hold about me?", "Where did you get my address from?",
        "Bitte löschen Sie auch meine Daten.", "Woher haben Sie meine Adresse?", "Supprimez mes données.",
        "¿Qué datos tienen sobre mí?", "When will my refund arrive, by the way?",
    ],
)  # fmt: skip
def test_what_a_mail_asks_besides_goes_on(more: str) -> None:
    read = read_stop("", f"Please unsubscribe me from the newsletter. {more}")
    assert (read.intent, read.asks_more) == (STOP, True)


@pytest.mark.parametrize(
    "text",
    [
        "Could you take me off the list? Thanks!", "Please unsubscribe me and confirm.",
        "Why do I still get these? Stop!",
        "Könnten Sie mich bitte vom Newsletter abmelden?", "Pouvez-vous me désabonner ?", "¿Me pueden dar de baja?",
    ],
)  # fmt: skip
def test_a_polite_or_angry_question_asks_for_nothing_else(text: str) -> None:
    assert not read_stop("Newsletter", text).asks_more


@pytest.mark.parametrize(
    "text",
    [
        "Please unsubscribe my wife from the newsletter.", "If you write again I will unsubscribe.",
        "Oh great, another newsletter.", "Please unsubscribe me. No wait, I still want the newsletter.",
        "Könnten Sie den Newsletter seltener schicken?",
    ],
)  # fmt: skip
def test_the_doubtful_goes_to_a_person(text: str) -> None:
    assert read_stop("", text).intent == MAYBE


def test_an_automatic_answer_stops_nothing() -> None:
    assert read_stop("Out of office", "I am away. Please remove me from your list.").intent == MAYBE


def test_the_decision_is_explained_without_showing_the_words() -> None:
    read = read_stop("", "I am Ann, take ann@example.org off your list please.")
    assert read.phrases
    assert "ann@example.org" in read.words
    assert "example" not in repr(read)
    assert "Ann" not in repr(read)
    assert StopRequest(NONE).words == ""


@pytest.mark.parametrize(
    "big",
    ["stop mail ", "\n", "> x\n", "From: a\n", "On 1 wrote ", "a@", "not want . ", ",", "e-", "http://", " \n", "?!"],
)
def test_huge_mails_take_bounded_time(big: str) -> None:
    text = big * (1_000_000 // len(big))
    started = time.process_time()
    read_stop(text, text)
    assert time.process_time() - started < 3


def test_thousands_of_mails_are_read_each_second() -> None:
    mails = written("others")
    read_stop("Warm", "up")
    started = time.process_time()
    for mail in mails:
        read_stop(mail.subject, mail.text)
    assert len(mails) / (time.process_time() - started) >= 500

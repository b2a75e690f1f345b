"""What a person wrote is told from what they quote."""

from __future__ import annotations

import pytest
from tests.service.mail_stops.corpus import HOW_QUOTED, quoting

from troth.service.mail.inbox.own_words import own_words


@pytest.mark.parametrize("how", HOW_QUOTED)
def test_the_own_words_remain(how: str) -> None:
    parts = own_words(quoting("My own words\nin two lines", how))
    assert parts.text == "My own words\nin two lines"
    assert "unsubscribe" in parts.quoted or "abmelden" in parts.quoted


@pytest.mark.parametrize(
    "introduction",
    [
        "On 3 Nov 2026, at 10:12, Ben <ben@example.org> wrote:", "Ben <ben@example.org> wrote:",
        "Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb Ben <ben@example.org>:", "Am 03.11.26 um 10:12 schrieb Ben:",
        "Le mar. 3 nov. 2026 à 10:12, Ben <ben@example.org> a écrit :", "El 3/11/26 a las 10:12, Ben escribió:",
        "On Tue, 3 Nov 2026 at 10:12, Ben\n<ben@example.org>\nwrote:", "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----", "-------- Weitergeleitete Nachricht --------",
        "-----Message d'origine-----",
        "---------- Forwarded message ---------", "Anfang der weitergeleiteten Nachricht:",
        "-----Mensaje original-----",
        "Début du message réexpédié :", "From: Ben\nSent: Tuesday\nTo: Ann\nSubject: News",
        "*Von:* Ben\n*Gesendet:* Dienstag\n*An:* Ann\n*Betreff:* News",
        "De : Ben\nEnvoyé : mardi\nÀ : Ann\nObjet : News",
        "De: Ben\nEnviado el: martes\nPara: Ann\nAsunto: News", "Gesendet: Dienstag\nVon: Ben\nAn: Ann\nBetreff: News",
    ],
)  # fmt: skip
def test_quotes_of_each_mail_program_are_cut(introduction: str) -> None:
    assert own_words(f"Hello Ben\n\n{introduction}\n\nUnsubscribe here").text == "Hello Ben"
    assert own_words(f"{introduction}\n> Unsubscribe here\n\nHello Ben").text in ("Hello Ben", "")


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Enviado desde mi iPhone",
        "Get Outlook for Android", "Gesendet mit der WEB.DE Mail App", "Virus-free. www.example.org",
    ],
)  # fmt: skip
def test_notes_of_programs_are_left_out(line: str) -> None:
    assert own_words(f"Hello\n\n{line}").text == "Hello"


def test_what_is_no_quote_stays() -> None:
    text = "Hello Ben,\nlast week you wrote to me:\nplease answer.\nFrom: here on I am away.\n- one\n- two"
    assert own_words(text).text == text


def test_a_disclaimer_is_left_out() -> None:
    text = "Hello\n\nThis e-mail is confidential. If it is not intended for you, please delete it."
    assert own_words(text).text == "Hello"


def test_words_and_quotes_are_not_shown() -> None:
    assert "Hello" not in repr(own_words("Hello"))

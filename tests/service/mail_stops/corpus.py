"""Mails that ask to stop and mails that do not, in four languages: written by hand, and made of everyday sentences."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Mail:
    language: str
    subject: str
    text: str
    replies: bool = False


def written(kind: str) -> list[Mail]:
    """The mails in the files whose names begin with *kind*."""
    lines = (
        line for path in sorted(_HERE.glob(f"{kind}_*.txt")) for line in path.read_text("utf-8").splitlines() if line
    )
    rows = ([part.strip() for part in line.split("|", 2)] for line in lines if not line.startswith("#"))
    return [Mail(key[:2], subject, text.replace("\\n", "\n"), key.endswith("+")) for key, subject, text in rows]


_EVERYDAY = {
    "en": (
        ("Order 1001", "Delivery", "Re: Order 1001", "A question", "Invoice", ""),
        (
            "When will my order arrive?",
            "The parcel arrived damaged, please send a new one.",
            "I'd like to return the shoes and get a refund.",
            "Could you send the invoice by e-mail? I can't find it in my account.",
            "Please change my delivery address to 1 Main Street.",
            "The app stops when I press the button. I removed it and installed it again.",
            "Do you have the blue one in size 40? I'm not interested in other colours.",
            "I can no longer log in. Please reset my password.",
            "Thank you for the quick answer, that helped a lot.",
            "Please cancel my appointment on Tuesday, I have to work.",
        ),
        ("Thanks\nAnn", "Kind regards\nBen", "Chloe\n\nSent from my phone"),
    ),
    "de": (
        ("Bestellung 1001", "Lieferung", "AW: Bestellung 1001", "Frage", "Rechnung", ""),
        (
            "Wann kommt meine Bestellung an?",
            "Das Paket ist beschädigt angekommen, bitte senden Sie ein neues.",
            "Ich möchte die Schuhe zurückschicken.",
            "Können Sie mir die Rechnung per E-Mail schicken? Im Konto finde ich sie nicht mehr.",
            "Bitte ändern Sie meine Lieferadresse.",
            "Die App bricht ab, wenn ich auf den Knopf drücke. Ich habe sie gelöscht und neu installiert.",
            "Haben Sie das in Blau? An anderen Farben habe ich kein Interesse.",
            "Ich kann mich nicht mehr anmelden. Bitte setzen Sie mein Passwort zurück.",
            "Danke für die schnelle Antwort, das hat geholfen.",
            "Den Termin am Dienstag muss ich leider absagen.",
        ),
        ("Danke\nAnn", "Mit freundlichen Grüßen\nBen", "Chloe\n\nVon meinem iPhone gesendet"),
    ),
    "fr": (
        ("Commande 1001", "Livraison", "RE: Commande 1001", "Question", "Facture", ""),
        (
            "Quand arrivera ma commande ?",
            "Le colis est arrivé abîmé, merci d'en envoyer un nouveau.",
            "Je voudrais renvoyer les chaussures.",
            "Pouvez-vous m'envoyer la facture par mail ? Je ne la trouve plus.",
            "Merci de changer mon adresse de livraison.",
            "L'application s'arrête quand j'appuie sur le bouton. Je l'ai supprimée et réinstallée.",
            "L'avez-vous en bleu ? Les autres couleurs ne m'intéressent pas.",
            "Je ne peux plus me connecter. Merci de réinitialiser mon mot de passe.",
            "Merci pour votre réponse rapide.",
            "Je dois annuler le rendez-vous de mardi.",
        ),
        ("Merci\nAnn", "Cordialement\nBen", "Chloe\n\nEnvoyé de mon iPhone"),
    ),
    "es": (
        ("Pedido 1001", "Entrega", "RE: Pedido 1001", "Pregunta", "Factura", ""),
        (
            "¿Cuándo llega mi pedido?",
            "El paquete llegó dañado, envíen otro por favor.",
            "Quisiera devolver los zapatos.",
            "¿Me pueden enviar la factura por correo? Ya no la encuentro.",
            "Por favor cambien mi dirección de entrega.",
            "La aplicación se para cuando pulso el botón. La borré y la instalé de nuevo.",
            "¿Lo tienen en azul? Los otros colores no me interesan.",
            "Ya no puedo entrar. Por favor, restablezcan mi contraseña.",
            "Gracias por la respuesta tan rápida.",
            "Tengo que cancelar la cita del martes.",
        ),
        ("Gracias\nAnn", "Un saludo\nBen", "Chloe\n\nEnviado desde mi iPhone"),
    ),
}


def everyday() -> Iterator[Mail]:
    """Mails about orders and the like; each second one quotes a newsletter."""
    for language, (subjects, sentences, endings) in _EVERYDAY.items():
        for at, (subject, sentence, ending) in enumerate(itertools.product(subjects, sentences, endings)):
            text = f"{sentence}\n\n{ending}"
            yield Mail(language, subject, quoting(text, ("top", "outlook", "html")[at % 3]) if at % 2 else text)


_NEWSLETTER = "News of the month\n\nStop searching, start saving!\nIf you no longer want our mails, unsubscribe here."
_NEWSLETTER_DE = "Neues im Monat\n\nSie möchten keine Mails mehr erhalten? Hier vom Newsletter abmelden."


def quoting(text: str, how: str) -> str:
    """*text* in a reply that quotes a newsletter, as mail programs do."""
    marked = "\n".join(f"> {line}" for line in _NEWSLETTER.splitlines())
    return {
        "top": f"{text}\n\nOn Tue, 3 Nov 2026 at 10:12, Troth News <news@example.org> wrote:\n\n{marked}\n",
        "bottom": f"Am 03.11.2026 um 10:12 schrieb Troth News:\n{marked}\n\n{text}\n",
        "inline": f"Le mar. 3 nov. 2026 à 10:12, Troth News <news@example.org> a\nécrit :\n> News\n{text}\n{marked}",
        "outlook": f"{text}\n\n________________________________\nVon: Troth News <news@example.org>\n"
        f"Gesendet: Dienstag, 3. November 2026 10:12\nAn: Ann\nBetreff: News\n\n{_NEWSLETTER_DE}",
        "html": f"{text}\nEl mar, 3 nov 2026 a las 10:12, Troth News (<news@example.org>) escribió:\n{_NEWSLETTER}",
        "forwarded": f"{text}\n\nBegin forwarded message:\n\nFrom: Troth News\nDate: 3 November 2026\n\n{_NEWSLETTER}",
        "signature": f"{text}\n-- \nExample Ltd, 1 Main Street. To stop our own mails, unsubscribe.\n",
        "phone": f"{text}\n\nSent from my iPhone\n\n-----Original Message-----\nFrom: News\n\n{_NEWSLETTER}",
    }[how]


HOW_QUOTED = ("top", "bottom", "inline", "outlook", "html", "forwarded", "signature", "phone")

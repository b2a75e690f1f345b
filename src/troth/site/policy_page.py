"""What the page of the policy says beside the policy: whole sentences about data belong into the declared file."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from troth.site.page import SitePage
from troth.text import same_words

_CONTENT = re.compile(r"content\s*:\s*(?:\"([^\"]{1,500})\"|'([^']{1,500})')", re.I)
_DATA = re.compile(
    r"\b(?:personal )?(?:data|information|details|e-?mail|addresse?s?|locations?|profiles?|cookies?|Daten|Adressen?|"
    r"Informationen|données|informations|adresses?|datos|información|dirección)\b",
    re.I,
)
_PEOPLE = re.compile(
    r"\b(?:we|us|our|you|your|they|partners?|third parties|advertisers|wir|uns|unsere?|Sie|Ihre?|nous|nos|vos|vous|"
    r"nosotros|nuestr[ao]s?|sus?)\b",
    re.I,
)
_USES = re.compile(
    r"\b(?:sell|sold|selling|shar(?:e|es|ed|ing)|disclos\w*|pass(?:es|ed)?|transfer\w*|rent(?:s|ed)?|trad(?:e|es|ed)|"
    r"collect\w*|track\w*|profil(?:e|ed|es|ing)|retain\w*|keep|kept|stor(?:e|es|ed|ing)|us(?:e|es|ed|ing)|process\w*|"
    r"advertis\w*|verkauf\w*|teilen|geben|weiter\w*|speicher\w*|nutzen|verarbeit\w*|erheben|vend(?:ons|re|us|ues|emos|er)|"
    r"partag\w*|utilis\w*|conserv\w*|collect\w*|compart\w*|usamos|utiliza\w*|guarda\w*)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class WordsBeside:
    """How many words a page has beside the policy, and how many of these say what is done with somebody's data."""

    words: int
    about_data: int


def words_beside(policy: SitePage, file: str, others: Collection[SitePage], css: str) -> WordsBeside:
    """The words on the *policy*'s page and in its style sheets (*css*) that are neither in the *file* nor in the frame
    that *others* of the site share."""
    wanted, styles = letters_of(file), " ".join(re.findall(r"<style[^>]*>(.*?)</style>", policy.source, re.I | re.S))
    shared = {letters_of(piece) for page in others for piece in page.beside}
    written = ["".join(words) for words in _CONTENT.findall(f"{css} {styles}")]
    pieces = [
        piece
        for piece in (*policy.beside, *written)
        if (letters := letters_of(piece)) and letters not in wanted and letters not in shared
    ]
    about_data = [piece for piece in pieces if all(sign.search(piece) for sign in (_DATA, _PEOPLE, _USES))]
    return WordsBeside(_count(pieces), _count(about_data))


def letters_of(text: str) -> str:
    """Letters and digits only: block boundaries are layout, and pages add symbols to headings and links."""
    return re.sub(r"[\W_]+", "", same_words(text))


def _count(pieces: Collection[str]) -> int:
    return sum(len(piece.split()) for piece in pieces)

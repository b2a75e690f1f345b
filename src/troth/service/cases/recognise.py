"""What a letter in somebody's own words asks for (clause C51): whatever it is called, in whichever language. Pure.

The phrases are data (``wording.toml``). Nothing is decided that could do harm: what is recognised only opens a case,
and what is not is put to a person.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from troth.service.cases.models import Kind, Right

__all__ = ["Recognised", "language_of", "recognise"]

_READ_MAX = 20_000
"""Characters that are read: nobody hides a request behind more."""
_GAP_MAX = 3
_ORDER = (
    Right.ERASE,
    Right.WITHDRAW,
    Right.OBJECT,
    Right.RESTRICT,
    Right.PORT,
    Right.AMEND,
    Right.VIEW,
)
"""Of several rights in one letter, the first is taken; a handler sees the others."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the letter asks for: its kind, for a request the right, and every right that it speaks of. Not *sure* where
    only weak signs speak for it, or none: then it is for a person to say."""

    kind: Kind
    right: str
    rights: tuple[str, ...]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _Phrases:
    strong: tuple[re.Pattern[str], ...]
    weak: tuple[re.Pattern[str], ...]


def recognise(subject: str, text: str) -> Recognised:
    """What *subject* and *text* ask for."""
    words = folded(f"{subject}\n{_new_part(text)}"[:_READ_MAX])
    about_data = any(phrase.search(words) for phrase in _about())
    found: dict[str, bool] = {}
    for name, phrases in _wording().items():
        if any(phrase.search(words) for phrase in phrases.strong):
            found[name] = True
        elif (hits := sum(bool(phrase.search(words)) for phrase in phrases.weak)) and (hits > 1 or about_data):
            found[name] = False
    rights = tuple(right for right in _ORDER if right in found)
    sure = [right for right in rights if found[right]]
    if "complaint" in found and found["complaint"] and not sure:
        return Recognised(Kind.COMPLAINT, "", rights, True)
    if sure or rights:
        return Recognised(Kind.REQUEST, (sure or list(rights))[0], rights, bool(sure))
    return Recognised(Kind.COMPLAINT if "complaint" in found else Kind.QUESTION, "", (), False)


def _new_part(text: str) -> str:
    """The letter without what it quotes of an earlier one."""
    lines = []
    for line in text.splitlines():
        if re.match(r"\s*(>|-{2,}\s*(original|ursprung|message d|mensaje)|_{10,})", line, re.IGNORECASE):
            if not line.lstrip().startswith(">"):
                break
            continue
        lines.append(line)
    return "\n".join(lines)


def folded(text: str) -> str:
    """Small letters and digits without accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    kept = (letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())


@functools.cache
def _words() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(resources.files(__package__).joinpath("wording.toml").read_text(encoding="utf-8"))


@functools.cache
def _about() -> tuple[re.Pattern[str], ...]:
    return tuple(_pattern(phrase) for phrase in _words()["about"]["words"])


@functools.cache
def _wording() -> Mapping[str, _Phrases]:
    return {
        name: _Phrases(tuple(map(_pattern, lists["strong"])), tuple(map(_pattern, lists["weak"])))
        for name, lists in _words().items()
        if name != "about"
    }


def _pattern(phrase: str) -> re.Pattern[str]:
    """The phrase over folded text. Gaps are bounded, so that matching takes linear time."""
    words = [
        re.escape(word[:-1]) + "[^ ]{0,20}" if word.endswith("*") else re.escape(word)
        for word in phrase.replace("-", " ").split()
    ]
    gap = rf"(?: [^ ]{{1,40}}){{0,{_GAP_MAX}}} "
    return re.compile(rf"(?:^| ){gap.join(words)}(?: |$)")


_COMMON = {
    "en": {"the", "and", "you", "your", "my", "to", "of", "please", "have", "me", "this", "that", "is", "i"},
    "de": {"der", "die", "und", "ich", "sie", "ihre", "meine", "bitte", "mich", "ist", "das", "nicht", "zu", "mit"},
    "fr": {"le", "la", "les", "et", "je", "vous", "mes", "votre", "de", "des", "est", "pas", "merci", "que", "bonjour"},
    "es": {"el", "la", "los", "y", "mis", "por", "favor", "que", "de", "su", "me", "es", "mi", "con", "hola"},
}


def language_of(text: str, *, among: Sequence[str]) -> str:
    """The language of a letter, by its most frequent words; the first of *among* where none stands out."""
    words = folded(text[:_READ_MAX]).split()
    counts = {language: sum(word in _COMMON.get(language, ()) for word in words) for language in among}
    best = max(counts, key=lambda language: counts[language], default="en")
    return best if counts.get(best) else among[0]

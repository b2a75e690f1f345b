"""Words with which a promise claims the whole of something: “all”, “every”, “never”, “no one else”, “only”.

They are data, by language (``absolute_words.toml``), as are the words of what a control looks at. In a phrase, ``*`` is
the rest of a word, ``/`` stands between words of which one is there, and ``…`` for words of the same sentence, ``&``
between what is there in either order. A hyphen counts as a space.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from troth.controls.model import Control
from troth.data_files import read_toml
from troth.text import same_words

_PARTS = re.compile(r"[.;:!?] |, (?=(?:and|but|so|und|aber|et|mais|y|pero) )")


def absolute_words(sentence: str) -> tuple[str, ...]:
    """The absolute words of *sentence*, each once, in its order: “not … anyone” with what stands between."""
    claimed = _listed("unless").sub(" ", _plain(sentence))
    return tuple(dict.fromkeys(found[0].lower() for found in _listed("words").finditer(claimed)))


def looking_at_less(sentence: str, controls: Iterable[Control]) -> frozenset[str]:
    """The ids of those of *controls* that do not look at the whole of what *sentence* claims. Each part of it that has
    an absolute word is for itself: one control may look at one of them and the next at another, but none is left."""
    plain = _plain(sentence)
    parts = {part for part in _PARTS.split(plain) if absolute_words(part)} or {plain}
    seen = {it.id: {part for part in parts if _is_whole(it, part)} for it in controls}
    are_all_seen = parts == set().union(*seen.values())
    return frozenset(id_ for id_, mine in seen.items() if not (mine and are_all_seen))


def _is_whole(control: Control, part: str) -> bool:
    if isinstance(control.whole, bool):
        return control.whole
    refused = tuple(phrase[1:] for phrase in control.whole if phrase[0] == "-")
    wanted = tuple(phrase for phrase in control.whole if phrase[0] != "-")
    return bool(_any_of(wanted).search(part)) and not (refused and _any_of(refused).search(part))


@functools.cache
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of *phrases*, the longer ones first."""
    ordered = "|".join(map(_phrase, sorted(phrases, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{ordered})(?!\w)", re.IGNORECASE)


def _phrase(phrase: str) -> str:
    before, both, after = phrase.partition(" & ")
    if both:
        return f"{_phrase(f'{before} … {after}')}|{_phrase(f'{after} … {before}')}"
    words = (f"(?:{re.escape(word).replace('/', '|')})" if "/" in word else re.escape(word) for word in phrase.split())
    joined = " ".join(words).replace(r"\*", r"\w*")
    return joined.replace(" … ", " (?:[^.;:!?]*? )?").replace("…", "[^.;:!?]*?")


def _plain(sentence: str) -> str:
    return " ".join(same_words(sentence).replace("-", " ").split())


@functools.cache
def _listed(key: str) -> re.Pattern[str]:
    languages = read_toml(__package__, "absolute_words.toml").values()
    return _any_of(tuple(phrase for language in languages for phrase in language[key]))

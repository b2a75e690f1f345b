"""Text: counts of things, normalisation, similar names, and comparison of names and addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 row``, ``2,755 rows``. *things* is the plural if it is not *thing* with an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def first_few(things: Iterable[str], at_most: int = 5) -> str:
    """The first things, and how many more there are: ``a, b and 3 more``."""
    names = list(things)
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of *known* whose spelling is most similar to *name*, or None if none is similar."""
    import difflib  # only after a mistake

    found = difflib.get_close_matches(name[:_NAME_LENGTH_MAX], list(known), n=1)
    return str(found[0]) if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'gdpr'?``, or an empty text if none of *known* is similar."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


_NAME_LENGTH_MAX = 80
"""The compared length of a name, which limits the time."""
_PUNCTUATION = str.maketrans(
    {**dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
)
_TYPOGRAPHY = _PUNCTUATION | dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Also soft hyphens and zero-width characters, which go."""


def plain_punctuation(text: str) -> str:
    """*text* with plain quotes and dashes; offsets are the same as in *text*."""
    return text.translate(_PUNCTUATION)


def same_words(text: str) -> str:
    """*text* with single spaces for any white space, plain quotes and dashes, and no invisible characters.

    A policy is compared with its page, and a quote with its sentence, in this form (clause C01).
    """
    return " ".join(unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).split())


def without_accents(text: str) -> str:
    """*text* without marks on its letters: ``numero`` for ``número``."""
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")


def folded(text: str) -> str:
    """The words of *text*, case-folded and without accents, with single spaces between them and no other signs."""
    plain = without_accents(same_words(text).casefold())
    return " ".join("".join(sign if sign.isalnum() else " " for sign in plain).split())


_ADDRESS = re.compile(r"<([^<>]*)>")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that are invisible. All other invisible characters are recognised by their Unicode category."""


_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜавеѕіјкмнорстухԛԝһӏԁѵɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχՕՍոսօıłøđɑᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ01",
    "ABESIJKMHOPCTYXQWabesijkmhopctyxqwhldvgABEZHIKMNOPTYXabeikvoptuxOUnuoilodaabcdeghijklmnoprtuvwyzol",
)
"""Letters of other alphabets, and digits, that look like a Latin letter: the common ones in Unicode Technical Standard
39."""
_MIXED = frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})
"""Scripts that genuine words mix."""
_OF_NO_SCRIPT = "MODIFIER"
"""Characters that occur in words of any alphabet, such as the modifier letter apostrophe U+02BC, and the Hawaiian
U+02BB."""


def same_person(first: str, other: str) -> bool:
    """Whether two names or addresses are the same person's, in whatever spelling: ``Ann <ann+x@Example.org.>`` is
    ``ann@example.org``. Two different addresses of one person are not recognised.

    Lookalikes count as the same: Cyrillic or Greek letters, missing accents or modifier apostrophes, a zero for an o. A
    word that mixes alphabets occurs in no genuine name, and matches anybody.
    """
    return not _forms(first).isdisjoint(_forms(other)) or _is_disguised(first) or _is_disguised(other)


def _forms(person: str) -> frozenset[str]:
    """The forms in which a person is compared: as written, without accents, and by visual appearance."""
    plain = without_accents(unicodedata.normalize("NFKC", person))
    plain = "".join(sign for sign in plain if script_of(sign) != _OF_NO_SCRIPT)
    return frozenset({_bare(person), _bare(plain), _bare(in_latin(plain)).replace("rn", "m")})


def _is_disguised(person: str) -> bool:
    """Whether a word mixes letters of several alphabets."""
    for word in re.findall(r"[^\W\d_]+", "".join(filter(_is_seen, unicodedata.normalize("NFKC", person)))):
        scripts = {script_of(letter) for letter in word} - {_OF_NO_SCRIPT}
        if len(scripts) > 1 and not scripts <= _MIXED:
            return True
    return False


def in_latin(text: str) -> str:
    """*text* with lookalikes of Latin letters replaced by them."""
    return text.translate(_LATIN)


def script_of(letter: str) -> str:
    """The alphabet of a letter, such as ``LATIN``: the first word of its Unicode name; empty if it has none."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _bare(person: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", person).casefold())
    plain = "".join(sign for sign in plain if _is_seen(sign))
    inside = _ADDRESS.search(plain)
    plain = (inside[1] if inside else plain).removeprefix("mailto:").strip(".")
    local, at, host = plain.rpartition("@")
    return f"{local.partition('+')[0].rstrip('.')}@{host}" if at else plain


def says_something(text: str) -> bool:
    """Whether *text* has a visible letter or digit."""
    return any(sign.isalnum() and _is_seen(sign) for sign in text)


def _is_seen(sign: str) -> bool:
    is_variant = "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
    return unicodedata.category(sign)[0] not in "CZ" and sign not in _UNSEEN and not is_variant

"""Text: counts of things, normalisation, and comparison of names and addresses."""

from __future__ import annotations

import re
import unicodedata


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 row``, ``2,755 rows``. *things* is the plural if it is not *thing* with an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),  # soft hyphens and zero-width characters
    }
)


def same_words(text: str) -> str:
    """*text* with single spaces for any white space, plain quotes and dashes, and no invisible characters.

    A policy is compared with its page, and a quote with its sentence, in this form (clause C01).
    """
    return " ".join(unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).split())


_ADDRESS = re.compile(r"<([^<>]*)>")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that are invisible. All other invisible characters are recognised by their Unicode category."""


_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜавеѕіјкмнорстухԛԝһӏԁɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχՕՍոսօıłøđɑᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ01",
    "ABESIJKMHOPCTYXQWabesijkmhopctyxqwhldgABEZHIKMNOPTYXabeikvoptuxOUnuoilodaabcdeghijklmnoprtuvwyzol",
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
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", person))
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign) and _script(sign) != _OF_NO_SCRIPT)
    return frozenset({_bare(person), _bare(plain), _bare(plain.translate(_LATIN)).replace("rn", "m")})


def _is_disguised(person: str) -> bool:
    """Whether a word mixes letters of several alphabets."""
    for word in re.findall(r"[^\W\d_]+", "".join(filter(_is_seen, unicodedata.normalize("NFKC", person)))):
        scripts = {_script(letter) for letter in word} - {_OF_NO_SCRIPT}
        if len(scripts) > 1 and not scripts <= _MIXED:
            return True
    return False


def _script(letter: str) -> str:
    """The alphabet of a letter, which is the first word of its Unicode name."""
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

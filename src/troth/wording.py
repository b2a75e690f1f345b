"""Text as it is compared: what a reader would call the same words is the same text."""

from __future__ import annotations

import unicodedata

__all__ = ["same_words"]

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),  # soft hyphens and spaces of no width
    }
)


def same_words(text: str) -> str:
    """*text* with one space for any white space, plain quotes and dashes, and no invisible characters.

    A policy and its page, and a quote and its sentence, are compared in this form (clause C01).
    """
    return " ".join(unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).split())

"""Extracts the parts of a promise: who, how, what, when, under which condition (``parts.toml``)."""

from __future__ import annotations

import functools
import re

from troth.data_files import read_toml
from troth.policy.classify.model import Modality, Party, PromiseParts


def parts_of(words: str, lead: str = "") -> PromiseParts:
    """The parts of the promise in *words* (normalised by `same_words`) with its lead-in."""
    whole = f"{lead} {words}" if lead else words
    negative = any(pattern.search(whole) for pattern in _patterns("negative").values())
    return PromiseParts(
        who=next((Party(name) for name, pattern in _patterns("who").items() if pattern.search(whole)), Party.WE),
        modality=_modality(whole),
        negative=negative,
        action=_action(words) or _action(lead),
        when=_first("when", words) or _first("when", lead),
        condition=_first("condition", words),
        hedges=tuple(dict.fromkeys(found[0].lower() for found in _patterns("hedges")["said"].finditer(whole))),
    )


def _modality(words: str) -> Modality:
    for name, pattern in _patterns("modality").items():
        if pattern.search(words):
            return Modality(name)
    return Modality.DOES


def _action(words: str) -> str:
    found = [(at.start(), name) for name, pattern in _patterns("action").items() if (at := pattern.search(words))]
    return min(found)[1] if found else ""


def _first(part: str, words: str) -> str:
    found = [at for pattern in _patterns(part).values() if (at := pattern.search(words))]
    return min(found, key=lambda at: at.start())[0].strip() if found else ""


@functools.cache
def _patterns(part: str) -> dict[str, re.Pattern[str]]:
    data = read_toml(__package__, "parts.toml")
    return {name: re.compile(text, re.I) for name, text in data[part].items()}

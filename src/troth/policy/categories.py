"""Finds categories of personal data by the words that policies use for them (``categories.toml``)."""

from __future__ import annotations

import functools
import re

from troth.data_files import read_toml

_CHARACTERS_MAX = 2_000


def names_category(text: str, category: str) -> bool:
    """True if *text* names the category: by its own words, by the nearest broader entry of the list, or by a narrower
    one."""
    return any(pattern.search(text[:_CHARACTERS_MAX]) for pattern in _naming(category))


def categories_in(text: str) -> tuple[str, ...]:
    """The categories that *text* names, in the order of the list."""
    return tuple(name for name, pattern in _patterns().items() if pattern.search(text[:_CHARACTERS_MAX]))


def breadth(text: str) -> int:
    """How many categories *text* names."""
    return len(categories_in(text))


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    data = read_toml(__package__, "categories.toml")
    return {name: re.compile(text, re.I) for name, text in data.items()}


@functools.cache
def _naming(category: str) -> tuple[re.Pattern[str], ...]:
    """Patterns for a category: "browser" matches devices, but not the IP address, which has a pattern of its own."""
    patterns = _patterns()
    broader = max((named for named in patterns if _covers(named, category)), key=len, default=None)
    return tuple(found for named, found in patterns.items() if named == broader or _covers(category, named))


def _covers(broad: str, narrow: str) -> bool:
    """Same as `troth.declaration.covers`, without loading the declaration's models."""
    return narrow == broad or narrow.startswith(f"{broad}.")

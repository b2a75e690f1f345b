"""Plain English for the declaration's keys: categories, purposes and recipient roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from troth.data_files import read_toml
from troth.declaration import Purpose, is_category, is_use, title


@cache
def words(group: str) -> Mapping[str, str]:
    """The words for the keys of a *group* in ``words.toml``, such as ``roles``."""
    return MappingProxyType(read_toml(__package__, "words.toml")[group])


def titles(categories: Iterable[str]) -> list[str]:
    """The categories in plain words, without duplicates. Unknown categories are kept as written."""
    return list(dict.fromkeys(title(each) if is_category(each) else each for each in categories))


def in_words(categories: Iterable[str]) -> str:
    """Categories as part of a sentence: ``e-mail address, IP address, name``."""
    return ", ".join(_lowered(each) for each in titles(categories))


def _lowered(words: str) -> str:
    is_abbreviation = words[1:2].isupper()
    return words if is_abbreviation else words[:1].lower() + words[1:]


def purpose_title(purpose: Purpose) -> str:
    """The title of a purpose, or else that of its use."""
    return purpose.title or (title(purpose.use) if is_use(purpose.use) else purpose.use)

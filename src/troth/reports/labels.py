"""Plain English for the declaration's keys: categories, purposes and recipient roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from troth.declaration import Purpose, Sharing, is_category, is_use, title

ROLES: Mapping[Sharing, str] = MappingProxyType(
    {
        Sharing.PROCESSOR: "a processor",
        Sharing.CONTROLLER: "a controller of its own",
        Sharing.JOINT: "a joint controller",
        Sharing.SALE: "a buyer",
        Sharing.SHARE: "a recipient for advertising",
    }
)


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

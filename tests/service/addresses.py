"""Every address of the service, as Django knows them: what tests of doors and of attacks are made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

URLCONF = "troth.service.urls"
_TILE = re.compile(r"^\^(ledger/)\(\?P<path>tile.*$")
_SAMPLES = {"int": "0", "right": "view", "slug": "x", "str": "x", "": "x"}


def views() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each address as it is written in the code, and its view. Where two stand under one address the first answers."""
    seen = set[str]()
    for address, view in _walk(get_resolver(URLCONF).url_patterns):
        if address not in seen:
            seen.add(address)
            yield address, view


def _walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def filled(address: str, values: Mapping[str, str] | None = None) -> str:
    """*address* with *values* in place of its parameters, and with something that is nobody's for the others."""
    address = _TILE.sub(r"\1tile/0/000", address).replace("^", "nothing/here")
    given = values or {}

    def value(part: re.Match[str]) -> str:
        return given.get(part[2], _SAMPLES[part[1] or ""])

    return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", value, address)

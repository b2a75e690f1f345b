"""Recognisers read from their files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from troth.detect.written.recogniser import Pattern, Recogniser, Scores

__all__ = ["shipped"]


def shipped() -> list[Recogniser]:
    """Every recogniser of this package, by name."""
    root = resources.files("troth.detect.written") / "recognisers"
    return [
        _recogniser(f"{folder.name}/{file.name.removesuffix('.toml')}", tomllib.loads(file.read_text("utf-8")))
        for folder in _sorted(root)
        for file in _sorted(folder)
    ]


def _sorted(folder: Traversable) -> Iterator[Traversable]:
    yield from sorted(folder.iterdir(), key=lambda it: it.name)


def _recogniser(name: str, raw: dict) -> Recogniser:  # type: ignore[type-arg]
    words = raw.get("words", {})
    return Recogniser(
        name=name,
        type=raw["type"],
        about=raw["about"],
        countries=tuple(raw["countries"]),
        patterns=tuple(Pattern(it["regex"], Scores(**it["scores"]), it.get("check")) for it in raw["pattern"]),
        before=tuple(words.get("before", ())),
        after=tuple(words.get("after", ())),
        examples={verdict: tuple(texts) for verdict, texts in raw["examples"].items()},
    )

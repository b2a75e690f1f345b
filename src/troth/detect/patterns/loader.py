"""Loads recognisers: fast from the single file that ships, and strictly from the files that it is generated from.

Reading one file per recogniser would take most of a cold start, so ``tools/recognisers.py`` combines them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from troth.detect.patterns.recogniser import ContextWords, Pattern, Recogniser, Scores
from troth.errors import TrothError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class RecogniserError(TrothError):
    """A recogniser file is malformed."""


@cache
def shipped() -> tuple[Recogniser, ...]:
    """All recognisers of this package by name, without their examples."""
    one_file = Path(__file__).with_name("recognisers.json").read_text("utf-8")
    return tuple(_made(name, raw) for name, raw in json.loads(one_file).items())


def read(folder: Traversable) -> Iterator[Recogniser]:
    """The recognisers in *folder*, which has a subfolder per country. Raises `RecogniserError`."""
    for name, raw in _files(folder):
        yield _made(name, raw)


def one_file(folder: Traversable) -> str:
    """The file that `shipped` reads, generated from *folder*."""
    shipped = {name: {key: it for key, it in raw.items() if key != "examples"} for name, raw in _files(folder)}
    return json.dumps(shipped, ensure_ascii=False, indent=1) + "\n"


def _files(folder: Traversable) -> Iterator[tuple[str, dict[str, Any]]]:
    import tomllib

    from troth.detect.patterns.validation import examine

    for country in sorted(folder.iterdir(), key=lambda it: it.name):
        for file in sorted(country.iterdir(), key=lambda it: it.name):
            name = f"{country.name}/{file.name.removesuffix('.toml')}"
            try:
                raw = tomllib.loads(file.read_text("utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise RecogniserError(f"{name}.toml is not TOML in UTF-8: {error}") from None
            for problem in examine(raw):
                raise RecogniserError(f"{name}.toml: {problem}")
            yield name, raw


def _made(name: str, raw: dict[str, Any]) -> Recogniser:
    return Recogniser(
        name=name,
        type=raw["type"],
        about=raw["about"],
        source=raw["source"],
        countries=tuple(raw["countries"]),
        patterns=tuple(Pattern(it["regex"], Scores(**it["scores"]), it.get("check")) for it in raw["pattern"]),
        words=_words(**raw.get("words", {})),
        examples={verdict: tuple(texts) for verdict, texts in raw.get("examples", {}).items()},
    )


def _words(
    before: Sequence[str] = (), after: Sequence[str] = (), against: Sequence[str] = (), *, once: bool = False
) -> ContextWords:
    return ContextWords(tuple(before), tuple(after), tuple(against), once)

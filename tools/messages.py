"""Brings the catalogues of translations up to date with the sources: ``python tools/messages.py``.

Every sentence that is marked for translation in the service's code and templates is in each catalogue, in the order of
the alphabet; one that is gone from the sources is gone from the catalogues. New ones wait without a translation, and
nothing is guessed. The compiled ``.mo`` files follow. It needs no GNU gettext. With ``--check`` nothing is written, and
what is out of date is named.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from troth.declaration import categories, title, uses
from troth.law import ClockEvent
from troth.law.deadlines import plain
from troth.law.rule_sets import places

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "src" / "troth" / "service"
LOCALE = SERVICE / "locale"
LAW = ROOT / "src" / "troth" / "law"
LANGUAGES = ("de", "es", "fr")

_KEYWORDS: dict[str, tuple[int | tuple[int, int] | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_TEXT = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"\b(n?p?gettext|_)\({_TEXT}(?:,\s*{_TEXT})?(?:,\s*{_TEXT})?(?:,\s*count)?\)")
_SINCE = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
"""The date in the header: a real one would change with every run."""
_WIDTH = 110


def extracted() -> Catalog:
    """Every message of the sources, with the files that it stands in."""
    catalog = Catalog(project="Troth", creation_date=_SINCE, revision_date=_SINCE, fuzzy=False)
    for path in sorted(SERVICE.rglob("*")):
        if path.suffix not in {".py", ".html", ".txt"} or "static" in path.parts:
            continue
        place = path.relative_to(ROOT).as_posix()
        for id_, context in _messages(path):
            catalog.add(id_, context=context, locations=[(place, 0)])
    for id_, place in _of_the_library():
        catalog.add(id_, locations=[(place, 0)])
    return catalog


def merged(language: str, sources: Catalog) -> Catalog:
    """The catalogue of *language* with exactly the messages of *sources*, translated as far as it was."""
    path = _po(language)
    known = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    fresh = Catalog(locale=language, project="Troth", creation_date=_SINCE, revision_date=_SINCE, fuzzy=False)
    fresh.header_comment = f"# Troth's pages and letters: {language}. Brought up to date by tools/messages.py."
    for message in sources:
        if message.id:
            before = known.get(message.id, message.context)
            same_form = before is not None and before.pluralizable == message.pluralizable
            fresh.add(
                message.id,
                before.string if before is not None and same_form else None,
                context=message.context,
                locations=message.locations,
                flags=message.flags - {"fuzzy"} | (before.flags & {"fuzzy"} if before is not None else set()),
            )
    return fresh


def written(catalog: Catalog) -> bytes:
    """A catalogue as a ``.po`` file."""
    file = io.BytesIO()
    write_po(file, catalog, width=_WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as a ``.mo`` file."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def _messages(path: Path) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from _of_template(source, path)
        return
    for _, found, _, context in extract("python", io.BytesIO(source.encode()), keywords=_KEYWORDS):
        yield (found if isinstance(found, str) else (found[0], found[1])), context


def _of_the_library() -> Iterator[tuple[str, str]]:
    """What the library says in English and the service in other languages: the steps of a reckoning, the words in them,
    the names of places, and the titles of categories and uses."""
    for path in sorted(LAW.glob("*.py")):
        source = io.BytesIO(path.read_bytes())
        for _, found, _, _ in extract("python", source, keywords={"said": None}):
            yield str(found), path.relative_to(ROOT).as_posix()
    for event in (*ClockEvent, "weekends"):
        yield plain(event) if isinstance(event, ClockEvent) else event, "src/troth/law/deadlines.py"
    for name in places().names.values():
        yield name, "src/troth/law/data/places.toml"
    for key in (*categories(), *uses()):
        yield title(key), "src/troth/declaration/data/taxonomy.toml"


def _of_template(source: str, path: Path) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    for call in _CALL.finditer(templatize(source, origin=str(path))):
        yield _message(call[1], [ast.literal_eval(text) for text in call.groups()[1:] if text])


def _message(name: str, texts: list[str]) -> tuple[str | tuple[str, str], str | None]:
    context = texts.pop(0) if name in {"pgettext", "npgettext"} else None
    return ((texts[0], texts[1]) if name in {"ngettext", "npgettext"} else texts[0]), context


def _po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="write nothing, and name what is out of date")
    check = options.parse_args().check
    sources, stale = extracted(), 0
    for language in LANGUAGES:
        catalog = merged(language, sources)
        texts = [message for message in catalog if message.id]
        done = sum(all(message.string if isinstance(message.string, tuple) else (message.string,)) for message in texts)
        print(f"{language}: {done} of {len(texts)} messages are translated")
        for path, content in ((_po(language), written(catalog)), (_po(language).with_suffix(".mo"), compiled(catalog))):
            if path.exists() and path.read_bytes() == content:
                continue
            stale += 1
            print(f"  {path.relative_to(ROOT)} {'is out of date' if check else 'is written'}")
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The catalogues of translations: compiled as they stand, nothing guessed, every placeholder where it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from tools import messages

COMPLETE: tuple[str, ...] = ("de", "es", "fr")
"""The languages in which nothing may be missing any more."""

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd%]")


@pytest.fixture(scope="module", params=messages.LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    code: str = request.param
    return code


@pytest.fixture(scope="module")
def catalog(language: str) -> Catalog:
    with (messages.LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.fixture(scope="module")
def sources() -> Catalog:
    return messages.extracted()


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Each source text with its translation. A plural form may be any of the source's."""
    if isinstance(message.string, tuple):
        yield from ((message.id[min(form, 1)], text) for form, text in enumerate(message.string))
    else:
        yield str(message.id), str(message.string or "")


def is_translated(message: Message) -> bool:
    return all(text for _, text in pairs(message))


def test_every_language_of_the_settings_has_a_catalogue() -> None:
    assert {code for code, _ in settings.LANGUAGES} == {"en", *messages.LANGUAGES}


def test_the_compiled_catalogue_is_the_written_one(language: str, catalog: Catalog) -> None:
    assert (messages.LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes() == messages.compiled(catalog)


def test_a_catalogue_is_written_as_the_tool_writes_it(language: str, catalog: Catalog) -> None:
    path = messages.LOCALE / language / "LC_MESSAGES" / "django.po"
    assert messages.written(catalog) == path.read_bytes()


def test_nothing_is_guessed(catalog: Catalog) -> None:
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def test_placeholders_are_those_of_the_source(catalog: Catalog) -> None:
    for message in catalog:
        if message.id and is_translated(message):
            for source, text in pairs(message):
                assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(source)), message.id


def test_a_translation_keeps_the_edges_of_its_source(catalog: Catalog) -> None:
    for message in catalog:
        if message.id and is_translated(message):
            for source, text in pairs(message):
                assert text == text.strip() or source != source.strip(), message.id
                assert ("\n" in text) == ("\n" in source), message.id


def test_every_letter_is_translated(catalog: Catalog, sources: Catalog) -> None:
    of_letters = [
        message
        for message in sources
        if message.id
        and any("/templates/mail/" in place or "/service/mail/" in place for place, _ in message.locations)
    ]
    assert len(of_letters) > 150
    for message in of_letters:
        found = catalog.get(message.id, message.context)
        assert found is not None, message.id
        assert is_translated(found), message.id


def test_a_complete_language_lacks_nothing(sources: Catalog) -> None:
    for code in COMPLETE:
        catalog = messages.merged(code, sources)
        assert [message.id for message in catalog if message.id and not is_translated(message)] == [], code


def test_sentences_are_found_in_code_and_templates(sources: Catalog) -> None:
    assert sources.get("Page not found") is None
    assert "src/troth/service/pages.py" in [place for place, _ in sources["There is no page here"].locations]
    assert "src/troth/service/templates/base.html" in [place for place, _ in sources["Skip to the text"].locations]
    plural = sources.get("%(days)s day is left.")
    assert plural is not None
    assert plural.id == ("%(days)s day is left.", "%(days)s days are left.")
    assert "python-format" in plural.flags


def test_what_is_gone_from_the_sources_is_gone_from_the_catalogue(language: str) -> None:
    empty = messages.merged(language, Catalog())
    assert [message.id for message in empty if message.id] == []

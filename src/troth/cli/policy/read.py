"""``troth policy read``: shows the sentences of a policy with their locations."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields, json_value
from troth.text import counted

if TYPE_CHECKING:
    from troth.policy import (
        Block,
        Clause,
        ClauseKind,
        Contact,
        Definition,
        PolicyText,
        Sentence,
        Span,
        StatedDate,
        Understood,
    )

_WIDTH_MAX = 120

file_argument = click.argument("file", type=cli.EXISTING_FILE)
"""The policy's file, which must exist."""


@click.command()
@file_argument
@cli.json_option
def read(file: Path, as_json: bool) -> None:
    """Show a policy sentence by sentence, with locations.

    Reads plain text, Markdown, HTML as saved from a site, DOCX and PDF. Each sentence has an id, which depends only on
    its own words, and a line: in the file, or for DOCX and PDF in the extracted text, with the page of a PDF. It is
    followed by the kinds of the sentence (promise, right, collection, …), if any. Also lists definitions, contacts and
    dates, and text that sounds like a promise but is not part of the policy: in a footer or a banner, hidden or struck
    out. Reports whether the text is English; nothing is translated.

    Exits with 1 if the file cannot be read, with the reason: a scan, a lock, an encoding, or no sentences.

    \b
    Example:  troth policy read policy.html
              troth policy read policy.pdf --json
    """
    from troth.policy import contacts, dates, definitions, promises_in, read_file, understand

    policy = read_file(file)
    understood = understand(policy)
    facts = definitions(policy), contacts(policy), dates(policy)
    beside = promises_in(replace(policy, blocks=policy.left_out, left_out=()))
    left_out = [{"text": one.sentence.text, **_place(one.sentence.span)} for one in beside]
    document = {**_as_data(file, policy, *facts), "left_out": left_out, **_classified(understood)}
    lines = (*_shown(file, understood, *facts), *_left_out(beside))
    cli.answer(document, *map(cli.printable, lines), as_json=as_json)


def _left_out(promises: list[Clause]) -> Iterator[str]:
    if promises:
        yield "\nNot part of the policy, although it sounds like a promise"
        yield from (f"{_where(one.sentence.span):>9}  {one.sentence.text}" for one in promises)


def _shown(
    file: Path, understood: Understood, terms: list[Definition], ways: list[Contact], dates: list[StatedDate]
) -> Iterator[str]:
    """The policy as lines for a terminal."""
    policy, kinds = understood.policy, {one.sentence.id: one.kinds for one in understood.clauses}
    sections, clauses = counted(len(policy.sections), "section"), counted(len(policy.sentences), "sentence")
    yield f"{file}: {sections}, {clauses}. {_language(policy)}"
    for block in policy.blocks:
        if block.kind == "heading":
            yield f"\n{'#' * block.depth} {block.text}"
        for sentence in block.sentences:
            if block.kind != "heading" or len(kinds[sentence.id]) > 1:
                yield _line(sentence, block, kinds[sentence.id])
    if terms:
        yield "\nDefinitions"
        yield from (f"{_where(term.span):>9}  {term.term}" for term in terms)
    if ways:
        yield "\nContacts"
        yield from (f"{_where(way.span):>9}  {way.kind:<9}  {way.reached:<23}  {way.value}" for way in ways)
    if dates:
        yield "\nDates"
        yield from (f"{_where(date.span):>9}  {date.kind:<9}  {date.text:<23}  {_days(date)}" for date in dates)


def _language(policy: PolicyText) -> str:
    from troth.policy import TextLanguage

    other = [block for block in policy.blocks if block.language is TextLanguage.OTHER]
    match policy.language:
        case TextLanguage.ENGLISH:
            return "English."
        case TextLanguage.OTHER:
            return "Not English: its sentences are not classified."
        case TextLanguage.MIXED:
            first = _where(other[0].sentences[0].span)
            return f"Partly English: {counted(len(other), 'paragraph')} not, the first in line {first}."
        case _:
            return "Too short to tell whether it is English."


def _line(sentence: Sentence, block: Block, kinds: tuple[ClauseKind, ...]) -> str:
    indent = "  " * (block.depth - 1) + "- " if block.kind == "list_item" else "| " if block.cell else ""
    before = f"{_where(sentence.span):>9}  {sentence.id:<16}  "
    if kinds:
        before += f"[{', '.join(kinds)}] "
    if not sys.stdout.isatty():
        return before + indent + sentence.text
    width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
    after = " " * 29
    return textwrap.fill(sentence.text, width, initial_indent=before + indent, subsequent_indent=after)


def _classified(understood: Understood) -> dict[str, Any]:
    """The kinds of each clause and the practices of each paragraph, by clause ids."""
    return {
        "said": {
            one.sentence.id: {
                "kinds": list(one.kinds),
                "promise": None if one.promise is None else asdict(one.promise),
                "categories": list(one.categories),
                "quantities": [{"number": it.number, "unit": it.unit} for it in one.quantities],
                "because": list(one.because),
            }
            for one in understood.clauses
            if one.kinds
        },
        "paragraphs": [
            {
                "clauses": [sentence.id for sentence in one.sentences],
                "practices": list(one.practices),
                "because": list(one.because),
            }
            for one in understood.paragraphs
        ],
    }


def _where(span: Span) -> str:
    return f"p.{span.page}:{span.line}" if span.page else str(span.line)


def _days(date: StatedDate) -> str:
    if date.kind == "version":
        return ""
    return " or ".join(map(str, date.days)) or "no such day"


def _as_data(
    file: Path, policy: PolicyText, terms: list[Definition], ways: list[Contact], dates: list[StatedDate]
) -> dict[str, Any]:
    """The policy as one document: each sentence once, in order, with its section."""
    return {
        "file": str(file),
        "language": policy.language,
        "sections": [{"title": section.title, "level": section.level} for section in policy.sections],
        "clauses": list(_clauses(policy)),
        "definitions": [{"term": term.term, "clause": term.sentence.id, **_place(term.span)} for term in terms],
        "contacts": [
            {**json_fields(way, "kind", "value", "reached"), "clause": way.sentence.id, **_place(way.span)}
            for way in ways
        ],
        "dates": [
            {**json_fields(date, "kind", "text", "days"), "clause": date.sentence.id, **_place(date.span)}
            for date in dates
        ],
    }


def _clauses(policy: PolicyText) -> Iterator[dict[str, Any]]:
    section = ""
    for block in policy.blocks:
        section = block.text if block.kind == "heading" else section
        for sentence in block.sentences:
            yield _clause(sentence, block, section)


def _clause(sentence: Sentence, block: Block, section: str) -> dict[str, Any]:
    cell = block.cell
    return {
        "id": sentence.id,
        "section": section,
        "block": block.kind,
        "depth": block.depth,
        "cell": {"table": cell.table, "row": cell.row, "column": cell.column, "head": cell.is_head} if cell else None,
        "language": block.language,
        **_place(sentence.span),
        "text": sentence.text,
        "links": json_value(sentence.links),
    }


def _place(span: Span) -> dict[str, int | None]:
    return json_fields(span, "line", "column", "start", "end", "page")

"""The record as Markdown, HTML, CSV and data. All formats have the same content, and none contains a timestamp."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from troth.json_values import json_fields
from troth.reports.base import html_page
from troth.reports.processing_record import MissingDeclaration, ProcessingRecord, RecordItem

_FORMAT = 1
"""Version of the data format; increased when a key is removed or changes its meaning."""


def as_data(record: ProcessingRecord) -> dict[str, Any]:
    """The record as JSON values."""
    return {
        "troth_ropa": _FORMAT,
        **json_fields(record, "role", "article", "organisation", "declaration", "head", "activities", "missing"),
    }


def as_csv(record: ProcessingRecord) -> str:
    """A row per activity and a column per required field; every row repeats the head of the record."""
    rows = [[*record.head, *activity.lines] for activity in record.activities] or [list(record.head)]
    columns = dict.fromkeys((line.field, f"{line.label} ({line.cite})") for row in rows for line in row)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(_cell(label) for _, label in columns)
    for row in rows:
        said = {line.field: line for line in row}
        table.writerow(_cell(_said(said[name])) if name in said else "" for name, _ in columns)
    return out.getvalue()


def _said(line: RecordItem) -> str:
    return "; ".join([*line.says, *(f"MISSING: {_told(gap)}" for gap in line.missing)])


def _cell(text: str) -> str:
    """*text* as a spreadsheet cell that is never evaluated as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _told(gap: MissingDeclaration) -> str:
    return f"{gap.what}; add '{gap.path}' to the declaration ({gap.add})"


# --- Markdown -------------------------------------------------------------------------------------------------------


def as_markdown(record: ProcessingRecord) -> str:
    """The record as Markdown that is readable as plain text."""
    return "\n".join(_markdown(record)) + "\n"


def _markdown(record: ProcessingRecord) -> Iterator[str]:
    yield f"# {_heading(record)}"
    yield f"\n{_source(record)}"
    yield from (part for line in record.head for part in _markdown_line(line))
    for activity in record.activities:
        yield f"\n## {plain(activity.title)}"
        yield from (part for line in activity.lines for part in _markdown_line(line))
    if not record.activities:
        yield f"\n{_nothing(record)}"
    if record.missing:
        yield "\n## What is missing\n"
        yield from (f"- {plain(_told(gap))}" for gap in record.missing)


def _markdown_line(line: RecordItem) -> Iterator[str]:
    yield f"\n**{line.label}** ({line.cite})\n"
    yield from (f"- {plain(said)}" for said in line.says)
    yield from (f"- **Missing:** {plain(_told(gap))}" for gap in line.missing)


def plain(text: str) -> str:
    """*text* on one line, with Markdown characters escaped."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


_MARKS = re.compile(r"[\\`*\[\]<>#|]|(?<!\w)_|_(?!\w)")  # an underscore inside a word needs no escape


def _heading(record: ProcessingRecord) -> str:
    return f"Record of processing as a {record.role}, {record.article} GDPR: {plain(record.organisation)}"


def _source(record: ProcessingRecord) -> str:
    return f"Rendered from the declaration {record.declaration}."


def _nothing(record: ProcessingRecord) -> str:
    if record.role == "processor":
        return "Nothing is declared that is done on behalf of others (`purposes.NAME.role: processor`)."
    return "No purpose is declared."


# --- HTML -----------------------------------------------------------------------------------------------------------


def as_html(record: ProcessingRecord) -> str:
    """The record as one self-contained page."""
    heading = f"Record of processing as a {record.role}, {record.article} GDPR"
    return html_page(
        "reports/record.html",
        f"{record.organisation}: {heading}",
        heading=heading,
        record=record,
        source=_source(record),
        nothing=_nothing(record).replace("`", ""),
        told=_told,
    )

"""``index.html``: the page of a package, readable offline. One file without scripts or external resources."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.template.base import Template
from django.utils.formats import number_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from troth.declaration import Declaration
from troth.service.cases import labels as package_labels
from troth.service.cases.rules import zone_of
from troth.service.labels import day, thousands
from troth.service.requests.package.cells import csv_cell, printable
from troth.service.requests.package.contents import Contents, TableContents
from troth.service.requests.package.facts import PackageFacts
from troth.service.requests.package.files import attached, file_names, upload_names
from troth.stores import Scalar
from troth.subjects import WITHHELD

ROWS_SHOWN_MAX = 200
"""Maximum number of rows shown per table; the others are in its files."""
_LETTERS_SHOWN_MAX = 2_000
_HERE = Path(__file__).parent
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
"""A datetime without time zone, as SQLite and others store it."""
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Direction marks, which can make one text look like another."""


def page(contents: Contents, facts: PackageFacts) -> bytes:
    """Render the page of *contents* in the active language."""
    organisation = contents.declaration.organisation
    css = _css()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    foreign = contents.declaration.policy.language
    context = {
        "language": contents.language,
        "own": format_html(' lang="{}"', foreign) if foreign != contents.language else "",
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        "css": mark_safe(css),  # noqa: S308 - our own file
        "title": title_of(contents),
        "organisation": organisation,
        "reference": contents.reference,
        "received": contents.received_at.astimezone(zone_of(organisation)).date(),
        "made_at": contents.made_at,
        "is_port": contents.right == "port",
        "facts": facts,
        "systems": _systems(contents, facts),
        "marker": WITHHELD,
        "uploads": [
            (package_labels.system_words(contents.declaration, name), path)
            for name, path in upload_names(contents.uploads).items()
        ],
        "attached": bool(contents.uploads) or _has_bytes(contents.parts),
        "receipt": contents.receipt,
        "proof": (contents.receipt or {}).get("proof"),
    }
    return _TURNS.sub("\ufffd", printable(_template().render(Context(context)))).encode()


def _has_bytes(parts: Sequence[TableContents]) -> bool:
    return any(isinstance(value, bytes) for part in parts for row in part.rows for value in row)


def title_of(contents: Contents) -> str:
    """Title of the page and the letter."""
    name = contents.declaration.organisation.name
    if contents.right == "port":
        return gettext("Your data from %(name)s, to take with you") % {"name": name}
    return gettext("Your data at %(name)s") % {"name": name}


@cache
def _template() -> Template:
    engine = Engine(dirs=[str(_HERE)], builtins=["troth.service.labels", "django.templatetags.i18n"])
    return engine.get_template("index.html")


@cache
def _css() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


def _systems(contents: Contents, facts: PackageFacts) -> list[Mapping[str, Any]]:
    """Parts grouped by system title."""
    described = zip(contents.parts, facts.held, file_names(contents.parts), strict=True)
    return [
        {"title": title, "tables": [_table(contents.declaration, part, held.table, name) for part, held, name in group]}
        for title, group in groupby(described, key=lambda each: each[1].system)
    ]


def _table(declaration: Declaration, part: TableContents, title: str, file: str) -> Mapping[str, Any]:
    head, units = _headings(declaration, part), _units(declaration, part)
    inside = attached(part, file)
    shown = [
        [
            _cell(value, part, inside.get((number, at), ""), units[at], part.categories[at] or "")
            for at, value in enumerate(row)
        ]
        for number, row in enumerate(part.rows[:ROWS_SHOWN_MAX])
    ]
    return {
        "title": title,
        "file": file,
        "rows": len(part.rows),
        "withheld": part.withheld,
        "is_written": _is_written(declaration, part),
        "head": head,
        "shown": shown,
        "record": _record(head, shown),
        "more": max(len(part.rows) - ROWS_SHOWN_MAX, 0),
    }


def _is_written(declaration: Declaration, part: TableContents) -> bool:
    """True if a column contains free text, which may be about anyone."""
    table = declaration.table_at(part.place)
    return table is not None and any(name in part.columns and use.free_text for name, use in table.fields.items())


def _headings(declaration: Declaration, part: TableContents) -> list[tuple[str, str]]:
    """Heading of each column, numbered if several are equal, and its category if that adds information."""
    labels = [
        package_labels.column_words(declaration, part.place, name, category)
        for name, category in zip(part.columns, part.categories, strict=True)
    ]
    head = list[tuple[str, str]]()
    for at, (label, category) in enumerate(zip(labels, part.categories, strict=True)):
        kind = package_labels.category_words(category) if category else ""
        shown = f"{label} ({labels[:at].count(label) + 1})" if labels.count(label) > 1 else label
        head.append((shown, kind if kind.casefold() != label.casefold() else ""))
    return head


def _units(declaration: Declaration, part: TableContents) -> list[str]:
    """Declared unit of each column, or empty."""
    table = declaration.table_at(part.place)
    fields = table.fields if table else {}
    return [(fields[name].unit or "") if name in fields else "" for name in part.columns]


def _record(
    head: Sequence[tuple[str, str]], shown: Sequence[Sequence[SafeString]]
) -> list[tuple[str, str, SafeString]]:
    """The first row as (label, category, cell), since a single record is easier to read vertically."""
    return [(label, kind, cell) for (label, kind), cell in zip(head, shown[0], strict=True)] if shown else []


def _cell(value: Scalar, part: TableContents, path: str, unit: str, category: str) -> SafeString:
    """HTML of one value, or a link to its file at *path*. All content is escaped, so that it stays within its cell."""
    if unit and (amount := package_labels.money(value, unit)):
        return format_html("{}", amount)
    match value:
        case None | "":
            return format_html('<span class="soft">—<span class="hidden"> {}</span></span>', gettext("empty"))
        case str() if value == WITHHELD and part.withheld:
            return format_html("<em>{}</em>", gettext("about somebody else"))
        case str() if category.endswith(".country") and re.fullmatch(r"[A-Z]{2}", value):
            return _text(package_labels.country(value))
        case str() if _MOMENT.fullmatch(value):
            return _moment(value)
        case str():
            return _text(value)
        case bool():
            return SafeString(escape(gettext("yes") if value else gettext("no")))
        case bytes():
            text = file_size(len(value))
            if path:
                return format_html('<a href="{}">{}</a> <small>({})</small>', path, path.rpartition("/")[2], text)
            return format_html("{} <small>({})</small>", text, gettext("in the files, as base64"))
        case dt.datetime() if value.tzinfo is not None:
            return format_html("{}", package_labels.moment(value))
        case dt.datetime():
            return format_html("{}, {}", day(value), value.time().isoformat("seconds"))
        case dt.date():
            return format_html("{}", day(value))
        case Decimal() if value.is_finite() and -20 < int(value.as_tuple().exponent) <= 0:
            return format_html("{}", number_format(value, -int(value.as_tuple().exponent)))
        case _:
            return _text(csv_cell(value).strip('"').removeprefix("'"))


def _moment(text: str) -> SafeString:
    """Format a datetime that is stored as text, to the second; the files contain it unchanged."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        return _text(text)
    return format_html("{}, {}", day(value), value.time().isoformat("seconds"))


def file_size(many: int) -> str:
    """A number of bytes, in the active language."""
    return ngettext("%(many)s byte", "%(many)s bytes", many) % {"many": thousands(many)}


def _text(text: str) -> SafeString:
    """Free text. Direction marks are shown as codes, and long text is cut with a note."""
    cut = escape(printable(text[:_LETTERS_SHOWN_MAX]))
    safe = _TURNS.sub(lambda found: f'<span class="sign">U+{ord(found[0]):04X}</span>', cut)
    more = len(text) - _LETTERS_SHOWN_MAX
    end = ngettext("(%(many)s more character in the files)", "(%(many)s more characters in the files)", more)
    rest = format_html(' <span class="soft">… {}</span>', end % {"many": thousands(more)}) if more > 0 else ""
    return mark_safe(f'<bdi class="value">{safe}</bdi>{rest}')  # noqa: S308 - escaped above

"""Streaming output of findings in files: as text, as one JSON document, or as JSON Lines."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from troth.cli.deployment import printable
from troth.text import counted

if TYPE_CHECKING:
    from troth.detect.files import FileFinding, PersonalField, Remark, Together

_AT_ONCE: Final = 500
"""Number of lines printed together; printing each line separately would take longer than detection."""


@dataclass
class FileResult:
    """Results of one file."""

    types: Counter[str] = field(default_factory=Counter)
    together: Together | None = None
    named: tuple[PersonalField, ...] = ()
    unscanned: bool = False


@dataclass
class Totals:
    """Results of all files."""

    types: Counter[str] = field(default_factory=Counter)
    files: int = 0
    unscanned: int = 0
    """Number of files with a part that was not scanned."""
    together: int = 0
    """Number of files with columns that together single people out."""
    named: int = 0
    """Number of files with columns whose names indicate personal data."""

    def add(self, seen: FileResult) -> None:
        """Add the results of one file."""
        self.types += seen.types
        self.files += 1
        self.unscanned += seen.unscanned
        self.together += seen.together is not None
        self.named += bool(seen.named)


class Printer(Protocol):
    """Output format: `begin` for each file, then its findings and remarks, `end`; `finish` after the last file."""

    def begin(self, file: str) -> None: ...

    def found(self, it: FileFinding) -> None: ...

    def remark(self, it: Remark) -> None: ...

    def end(self, seen: FileResult) -> None: ...

    def finish(self, totals: Totals) -> None: ...


class _Out:
    """Buffered standard output."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, text: str) -> None:
        self._lines.append(text)
        if len(self._lines) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            click.echo("\n".join(self._lines))
            self._lines.clear()


class TextOutput:
    """One line per finding, ``file:line:column: TYPE (score)``, and a table of totals at the end."""

    def __init__(self, *, explain: bool, places: bool) -> None:
        self._explain = explain
        self._places = places
        self._out = _Out()
        self._file = ""
        self._together: list[str] = []

    def begin(self, file: str) -> None:
        self._file = plain(file)

    def found(self, it: FileFinding) -> None:
        if not self._places:
            return
        finding = it.finding
        within = _within(it)
        place = f"{self._file}:{it.line}" if within else f"{self._file}:{it.line}:{it.column}"
        why = f"; {it.why}" if self._explain else ""
        self._out.line(f"{place}: {finding.type} ({finding.score:.2f}){within}{why}")

    def remark(self, it: Remark) -> None:
        self._out.flush()
        says = f"part {it.part}: {it.says}" if it.part else it.says
        click.echo(f"{self._file}:{it.line}: {'NOT SCANNED: ' * it.unscanned}{plain(says)}", err=True)

    def end(self, seen: FileResult) -> None:
        if seen.named:
            self._together.append(f"{self._file}: {_by_name(seen.named)}")
        if seen.together is not None:
            self._together.append(f"{self._file}: {_of_one(seen.together)}")

    def finish(self, totals: Totals) -> None:
        from troth.detect.entities import entities

        width = max(map(len, totals.types), default=0)
        if totals.types and self._places:
            self._out.line("")
        for name, count in totals.types.most_common():
            title = entities()[name].title if name in entities() else ""
            self._out.line(f"{name:{width}} {count:9,}  {title}".rstrip())
        for line in self._together:
            self._out.line(line)
        self._out.line(_said(totals))
        self._out.flush()


def _within(it: FileFinding) -> str:
    """Location of a finding in its field, element and part; one line may hold many elements."""
    value = ""
    if it.field:
        value = f" in {plain(it.field)}:{it.column}" + f" of element {it.element}" * (it.element > 0)
    elif it.element:
        value = f" in element {it.element}:{it.column}"
    if not it.part:
        return value
    line = f", line {it.part_line}" * (it.part_line > 0)
    return f"{value} of part {it.part}{line}" if value else f" in part {it.part}{line}:{it.column}"


def _said(totals: Totals) -> str:
    nothing = "Nothing else found" if totals.together or totals.named else "Nothing found"
    found = counted(totals.types.total(), "finding") if totals.types else nothing
    kinds = f" of {counted(len(totals.types), 'type')}" if totals.types else ""
    lost = f"; NOT SCANNED completely: {counted(totals.unscanned, 'file')}" if totals.unscanned else ""
    return f"{found}{kinds} in {counted(totals.files, 'file')}{lost}."


def _by_name(fields: tuple[PersonalField, ...]) -> str:
    told = ", ".join(f"{plain(it.field)} ({it.category})" for it in fields)
    return f"personal data according to the column name, whatever its values: {told}"


def _of_one(it: Together) -> str:
    compared = f" ({it.alone} of the first {counted(it.rows, 'row')} are unique)" if it.rows else ""
    *most, last = map(plain, it.fields)
    return f"{', '.join(most)} and {last} together may identify one person{compared}"


class Lines:
    """JSON Lines: one object per finding and remark, one per file, and one for the totals."""

    def __init__(self, *, places: bool) -> None:
        self._places = places
        self._out = _Out()
        self._file = ""

    def begin(self, file: str) -> None:
        self._file = file

    def found(self, it: FileFinding) -> None:
        if self._places:
            self._out.line(_json({"file": self._file, **_finding(it)}))

    def remark(self, it: Remark) -> None:
        self._out.line(_json({"file": self._file, **_remark(it)}))

    def end(self, seen: FileResult) -> None:
        self._out.line(_json({"file": self._file, **_seen(seen)}))

    def finish(self, totals: Totals) -> None:
        self._out.line(_json(_totals(totals)))
        self._out.flush()


class JsonOutput:
    """One JSON document, streamed with one finding per line. Without *places*, findings are left out."""

    def __init__(self, *, places: bool) -> None:
        self._places = places
        self._out = _Out()
        self._files = 0
        self._remarks: list[dict[str, Any]] = []
        self._between = ""

    def begin(self, file: str) -> None:
        self._out.line("," if self._files else '{"files": [')
        self._out.line(f'{{"file": {_json(file)}, ' + '"findings": [' * self._places)
        self._files += 1
        self._between = ""

    def found(self, it: FileFinding) -> None:
        if self._places:
            self._out.line(self._between + _json(_finding(it)))
            self._between = ","

    def remark(self, it: Remark) -> None:
        self._remarks.append(_remark(it))

    def end(self, seen: FileResult) -> None:
        rest = {"remarks": self._remarks, **_seen(seen)}
        self._out.line("], " * self._places + _json(rest)[1:])
        self._remarks = []

    def finish(self, totals: Totals) -> None:
        self._out.line("], " + _json(_totals(totals))[1:])
        self._out.flush()


def _finding(it: FileFinding) -> dict[str, Any]:
    place = {"field": it.field, "element": it.element, "part": it.part, "part_line": it.part_line}
    return {
        "line": it.line,
        "column": it.column,
        **{name: value for name, value in place.items() if value},
        **it.finding._asdict(),
        "score": round(it.finding.score, 3),
        **({"why": it.why} if it.why else {}),
    }


def _remark(it: Remark) -> dict[str, Any]:
    place = {"line": it.line, "part": it.part} if it.part else {"line": it.line}
    return {**place, "remark": it.says, "unscanned": it.unscanned}


def _seen(seen: FileResult) -> dict[str, Any]:
    told = {} if seen.together is None else {"quasi_identifier": _columns(seen.together)}
    named = {"named": [it._asdict() for it in seen.named]} if seen.named else {}
    return {"types": seen.types, **named, **told, "unscanned": seen.unscanned}


def _columns(it: Together) -> dict[str, Any]:
    return {"columns": it.fields, "categories": it.categories, "rows": it.rows, "alone": it.alone}


def _totals(totals: Totals) -> dict[str, Any]:
    return {"types": totals.types, "found": totals.types.total(), "unscanned_files": totals.unscanned}


def _json(value: object) -> str:
    # A lone surrogate cannot be encoded; JSON writes it like Python: \ud800.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def plain(text: str) -> str:
    """*text* on one line, without control characters."""
    return printable(text).replace("\n", " ")

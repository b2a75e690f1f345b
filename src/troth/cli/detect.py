"""``troth detect``: finds personal data in files, by place and type. It never prints values."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from troth.cli import deployment as cli
from troth.cli.detect_output import FileResult, JsonOutput, Lines, Printer, TextOutput, Totals, plain

if TYPE_CHECKING:
    from troth.detect import Detector
    from troth.detect.files import FileKind

_STEP_S: Final = 0.5
_MB: Final = 1_000_000


def _encoding(_context: click.Context, _option: click.Parameter, name: str) -> str:
    try:
        " ".encode(name or "utf-8")  # rejects encodings that are not for text, such as base64
    except (LookupError, ValueError):
        raise click.BadParameter(f"{plain(name)} is not a known text encoding; try utf-8, cp1252 or koi8-r") from None
    return name


def _no_folders(_context: click.Context, _option: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    for name in files:
        if name != "-" and Path(name).is_dir():
            each = "find FOLDER -type f -exec troth detect {} +"
            raise click.BadParameter(f"{plain(name)} is a folder; give files, for example with: {each}")
    return files


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, allow_dash=True),
    callback=_no_folders,
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(["text", "csv", "jsonl", "json", "parquet", "html", "mail"]),
    help="Format of the files.  [default: by file name extension; text for a pipe]",
)
@click.option(
    "--encoding",
    metavar="NAME",
    default="",
    callback=_encoding,
    help="Text encoding, such as shift_jis.  [default: as declared by mail or a byte order mark, else UTF-8]",
)
@click.option(
    "--types",
    metavar="TYPE,…",
    multiple=True,
    help="Only these types (EMAIL_ADDRESS) or groups of them (contact, pci). Repeatable.",
)
@click.option(
    "--country",
    "countries",
    metavar="CODE,…",
    multiple=True,
    help="Only numbers of these countries, such as GB,IE, and those of no country. Repeatable.",
)
@click.option(
    "--min-score", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Minimum score of a finding."
)
@click.option(
    "--no-names", is_flag=True, help="Do not look for people, places, addresses and organisations: much faster."
)
@click.option(
    "--seconds-max",
    type=click.FloatRange(0, min_open=True),
    help="Time limit for one piece of text. Text that takes longer counts as not scanned (exit code 2).",
)
@click.option("--explain", is_flag=True, help="Explain each finding: recogniser, check digits, words near it.")
@click.option("--summary", is_flag=True, help="Print only the number of findings of each type.")
@click.option(
    "--json-lines",
    is_flag=True,
    help="Print JSON Lines: one object for each finding, for each remark, and for each file.",
)
@cli.json_option
def detect(
    files: tuple[str, ...],
    kind: str | None,
    encoding: str,
    types: tuple[str, ...],
    countries: tuple[str, ...],
    min_score: float,
    no_names: bool,
    seconds_max: float | None,
    explain: bool,
    summary: bool,
    json_lines: bool,
    as_json: bool,
) -> None:
    """Find personal data in text, CSV, JSON, JSON Lines, Parquet, HTML and mail.

    FILE is - for a pipe. Files are streamed, so their size does not matter. Findings are printed by place and type,
    never with their values. Exits with 0 if nothing was found, 1 if something was, and 2 for wrong usage or if a part
    could not be scanned; nothing is known about that part.

    \b
    Example:  troth detect notes.txt customers.csv letter.eml
              zcat calls.jsonl.gz | troth detect - --as jsonl --types pci,contact --json
    """
    from troth.detect.files import FileKind

    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines exclude each other: use one of them")
    detector = _detector(types, countries, min_score, seconds_max, names=not no_names)
    out = _printer(as_json=as_json, json_lines=json_lines, explain=explain, places=not summary)
    totals = Totals()
    for file in files:
        as_told = FileKind(kind) if kind else None
        _look(file, as_told, encoding, detector, out, totals, explain=explain, together=not types)
    out.finish(totals)
    if totals.unscanned:
        raise click.exceptions.Exit(2)
    cli.fail_if(totals.types or totals.together or totals.named)


def _printer(*, as_json: bool, json_lines: bool, explain: bool, places: bool) -> Printer:
    if as_json:
        return JsonOutput(places=places)
    return Lines(places=places) if json_lines else TextOutput(explain=explain, places=places)


def _detector(
    types: Sequence[str], countries: Sequence[str], min_score: float, seconds_max: float | None, *, names: bool
) -> Detector:
    from troth.detect import Detector, Unknown
    from troth.detect.requested_types import why_never

    # Name detection multiplies small matrices: several numpy threads would only cost startup time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    wanted, named = _types(types) if types else (None, ())
    theirs = frozenset(code.upper() for code in _parts(countries)) or None
    with cli.usage_errors(Unknown, ValueError):
        detector = Detector(types=wanted, countries=theirs, min_score=min_score, names=names, seconds_max=seconds_max)
    for never in filter(None, (why_never(it, theirs, names=names) for it in named)):
        raise click.UsageError(never)  # groups are searched as far as possible, but named types must be findable
    return detector


def _parts(options: Sequence[str]) -> list[str]:
    """Values of an option, given with commas or by repeating it."""
    return [part.strip() for it in options for part in it.split(",") if part.strip()]


def _types(options: Sequence[str]) -> tuple[frozenset[str], Sequence[str]]:
    """All requested types, by name or by group; and those requested by name. Raises `click.UsageError`."""
    from troth.detect.entities import entities
    from troth.detect.requested_types import alike

    known = entities()
    groups: set[str] = set()
    named: list[str] = []
    for name in _parts(options):
        if name.upper() in known:
            named.append(name.upper())
            continue
        of_group = {type_ for type_, it in known.items() if name.lower() == it.group}
        if not of_group:
            all_groups = sorted({it.group for it in known.values()})
            hint = alike(name, [*known, *all_groups]) or f"; groups are {', '.join(all_groups)}"
            raise click.UsageError(f"there is no type or group {name}{hint}")
        groups |= of_group
    if not groups and not named:
        raise click.UsageError("--types names no type")
    return frozenset({*groups, *named}), named


def _look(
    file: str,
    kind: FileKind | None,
    encoding: str,
    detector: Detector,
    out: Printer,
    totals: Totals,
    *,
    explain: bool,
    together: bool,
) -> None:
    """Scan one file, and print findings while reading."""
    from troth.detect.files import Remark, SampleRows, kind_of, scan

    seen = FileResult()
    found_in: set[str] = set()
    rows = SampleRows(Path(file).stem.strip("-"))
    out.begin(file)
    with click.open_file(file, "rb") as stream:
        followed = FileProgress(file, stream)
        read_as, kept = kind or kind_of(file), rows if together else None
        for it in scan(detector, followed, read_as, encoding=encoding, explained=explain, rows=kept):
            if isinstance(it, Remark):
                out.remark(it)
                seen.unscanned |= it.unscanned
            else:
                out.found(it)
                seen.types[it.finding.type] += 1
                found_in.add(it.field)
    if together:
        seen.together, seen.named = rows.together(), rows.named(found_in)
    out.end(seen)
    totals.add(seen)


class FileProgress:
    """File wrapper that shows progress on the terminal if reading takes long and output goes elsewhere."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self._file = file
        self._name = plain(name)
        self._read = 0
        self._is_shown = False
        self._next = time.monotonic() + _STEP_S if sys.stderr.isatty() and not sys.stdout.isatty() else float("inf")

    def read(self, size: int = -1) -> bytes:
        """Read like the wrapped file."""
        chunk = self._file.read(size)
        self._read += len(chunk)
        if time.monotonic() > self._next or (self._is_shown and not chunk):
            end = "" if chunk else "\n"
            click.echo(f"\r{self._name}: {self._read // _MB:,} MB{end}", err=True, nl=False)
            self._is_shown = bool(chunk)
            self._next = time.monotonic() + _STEP_S
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

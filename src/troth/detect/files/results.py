"""Results of a file scan: positions of findings, and remarks on how the file was read."""

from __future__ import annotations

from typing import NamedTuple

from troth.detect.finding import Finding


class FileFinding(NamedTuple):
    """A finding and its position in the file.

    The finding's offsets count from the start of the text, or of the value if there is a *field* or *element*. *line*
    is the line of the file; for Parquet the row, for JSON the line on which the element starts. *column* counts
    characters from 1, from the start of the line or value. *field* is the name of a column, or the JSON path of a value
    without names that are personal data themselves. *why* is the explanation of the finding, if requested. *element* is
    the number, from 1, of the element of a JSON array or of consecutive documents; otherwise 0.

    In e-mail, *part* is the IMAP number of the part (``2.1``, ``HEADER``), and *part_line* the line in the decoded
    part. Offsets count from the start of the part; in headers, *column* counts from the start of the header, and
    *part_line* is 0. *line* is the line of the file if the part is not encoded, else that on which the part starts.
    """

    finding: Finding
    line: int
    column: int
    field: str = ""
    why: str = ""
    element: int = 0
    part: str = ""
    part_line: int = 0


class Remark(NamedTuple):
    """A note on how the file was read. *unscanned*: a part was not read, so nothing is known about it and it has to be
    treated as full of personal data. *part* is its number in e-mail, as in `FileFinding`."""

    line: int
    says: str
    unscanned: bool = False
    part: str = ""


class PersonalField(NamedTuple):
    """A table field whose name indicates personal data, with its category, whatever its values are."""

    field: str
    category: str


class Together(NamedTuple):
    """Fields of a table that may identify a person in combination, although none of them does alone.

    *categories* are those of the fields. Of the *rows* compared, *alone* have a unique combination; both are 0 if there
    were too few rows. A sample overestimates uniqueness compared with the whole table.
    """

    fields: tuple[str, ...]
    categories: tuple[str, ...]
    rows: int
    alone: int

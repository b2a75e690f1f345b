"""What a file is said to hold: places, and remarks on how it was read."""

from __future__ import annotations

from typing import NamedTuple

from troth.detect.finding import Finding


class FileFinding(NamedTuple):
    """A finding, and where in the file it is.

    The finding's offsets count from the beginning of the text, or of the value where there is a *field* or *element*.
    *line* is the line of the file; of Parquet it is the row, of JSON the line on which the element begins. *column*
    counts characters, from one, from the beginning of the line or of the value. *field* is the name of a column, or the
    way to a value in JSON, without such names in it as hold personal data themselves. *why* is what vouches for the
    finding, where that was asked for. *element* is which it is of the elements of a JSON array, or of the documents one
    after another in a file, from one; elsewhere it is 0.

    In mail, *part* is the number of the part, as IMAP counts (``2.1``, ``HEADER``), and *part_line* the line in it once
    it is decoded. Offsets count from where it begins; in a head *column* counts from the beginning of the header, and
    *part_line* is 0. *line* is that of the file where the part is written as it is meant, else that on which it begins.
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
    """Something to know about how the file was read. *unscanned* where a part of it was not: of that part nothing is
    known, and it has to be treated as full of personal data. *part* is its number in mail, as in `FileFinding`."""

    line: int
    says: str
    unscanned: bool = False
    part: str = ""


class PersonalField(NamedTuple):
    """A field of a table whose name says that it holds personal data, and their category, whatever is in it."""

    field: str
    category: str


class Together(NamedTuple):
    """Fields of a table that may lead to one person when they are put together, though none of them names anybody.

    *categories* are theirs. Of *rows* that were compared, *alone* have a combination that no other has; both are 0
    where too few were seen. Some rows show more of them alone than the whole table would.
    """

    fields: tuple[str, ...]
    categories: tuple[str, ...]
    rows: int
    alone: int

"""What a regulator reads from the declaration: the record of processing, the map of the data, and the purposes whose
risks have to be assessed.

This room promises that each of them follows from the declaration alone, is the same for the same declaration, and says
what is missing and where it goes; nothing is filled in with a guess.
"""

from troth.ropa.drawing import as_svg, map_style
from troth.ropa.picture import Arrow, Box, picture_data, picture_of, picture_words
from troth.ropa.record import Activity, Line, Missing, Record, record_of
from troth.ropa.relations import receive
from troth.ropa.risk import Question, Screening, Verdict, in_force, lists, screen
from troth.ropa.screening import VERDICTS, screening_data, screening_markdown
from troth.ropa.writing import as_csv, as_data, as_html, as_markdown, page

__all__ = [
    "VERDICTS",
    "Activity",
    "Arrow",
    "Box",
    "Line",
    "Missing",
    "Question",
    "Record",
    "Screening",
    "Verdict",
    "as_csv",
    "as_data",
    "as_html",
    "as_markdown",
    "as_svg",
    "in_force",
    "lists",
    "map_style",
    "page",
    "picture_data",
    "picture_of",
    "picture_words",
    "receive",
    "record_of",
    "screen",
    "screening_data",
    "screening_markdown",
]

"""Promises: the catalogue of controls, what a check is, and the one function that decides a promise's status.

This room promises that nothing is green by default. A status follows from checks alone, a check says what it looked
at, and what was not looked at, broke, or is out of date shows nothing. Rooms above register how they answer their
controls with `answers`; importing a room registers its answers.
"""

from troth.promises import controls as _controls  # noqa: F401 - registers this room's answers
from troth.promises.answer import LOOKING, Answer, BadAnswer, answered, answers, answers_own, looked_at_hash, run
from troth.promises.binding import check
from troth.promises.catalogue import CatalogueError, PromisesError, UnknownControl, catalogue, control
from troth.promises.figures import BadFigure, faults, figure_of, judged
from troth.promises.model import EVENTS, Check, Control, Evidence, Figure, Finding, Outcome, Portion, Pushed, Status
from troth.promises.own import controls_of
from troth.promises.principles import Matrix, Principle, matrix, principles
from troth.promises.publish import Earlier, Shown, ShownCheck, Tally, banded, shown_late, tally, visible
from troth.promises.sitting import Sitting
from troth.promises.status import Cause, Judgement, Standing, status_of

__all__ = [
    "EVENTS",
    "LOOKING",
    "Answer",
    "BadAnswer",
    "BadFigure",
    "CatalogueError",
    "Cause",
    "Check",
    "Control",
    "Earlier",
    "Evidence",
    "Figure",
    "Finding",
    "Judgement",
    "Matrix",
    "Outcome",
    "Portion",
    "Principle",
    "PromisesError",
    "Pushed",
    "Shown",
    "ShownCheck",
    "Sitting",
    "Standing",
    "Status",
    "Tally",
    "UnknownControl",
    "answered",
    "answers",
    "answers_own",
    "banded",
    "catalogue",
    "check",
    "control",
    "controls_of",
    "faults",
    "figure_of",
    "judged",
    "looked_at_hash",
    "matrix",
    "principles",
    "run",
    "shown_late",
    "status_of",
    "tally",
    "visible",
]

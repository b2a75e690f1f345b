"""Promises: the catalogue of controls, what a check is, and the one function that decides a promise's status.

This room promises that nothing is green by default. A status follows from checks alone, a check says what it looked
at, and what was not looked at, broke, or is out of date shows nothing. Rooms above register how they answer their
controls with `answers`; importing a room registers its answers.
"""

from troth.promises import controls as _controls  # noqa: F401 - registers this room's answers
from troth.promises.answer import LOOKING, Answer, BadAnswer, answered, answers, looked_at, looked_at_hash, run
from troth.promises.binding import check
from troth.promises.catalogue import CatalogueError, PromisesError, UnknownControl, catalogue, control
from troth.promises.model import Check, Control, Evidence, Figure, Finding, Outcome, Status
from troth.promises.publish import Granularity, Shown, ShownCheck, Tally, tally, visible
from troth.promises.status import Judgement, Standing, status_of

__all__ = [
    "LOOKING",
    "Answer",
    "BadAnswer",
    "CatalogueError",
    "Check",
    "Control",
    "Evidence",
    "Figure",
    "Finding",
    "Granularity",
    "Judgement",
    "Outcome",
    "PromisesError",
    "Shown",
    "ShownCheck",
    "Standing",
    "Status",
    "Tally",
    "UnknownControl",
    "answered",
    "answers",
    "catalogue",
    "check",
    "control",
    "looked_at",
    "looked_at_hash",
    "run",
    "status_of",
    "tally",
    "visible",
]

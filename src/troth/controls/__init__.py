"""Controls: the catalogue of controls, checks, and the one function that decides a promise's status.

This package promises that nothing is green by default. A status follows from checks alone, a check says what it
examined, and anything unobserved, failed or out of date proves nothing. A higher package registers the functions of its
controls with `answers`, in a module ``controls``; importing that module registers them.
"""

from troth.controls import controls as _controls  # noqa: F401 - registers them
from troth.controls.absolute_words import absolute_words, looking_at_less
from troth.controls.binding import check
from troth.controls.catalogue import CatalogueError, UnknownControl, add_controls, catalogue, control
from troth.controls.check_session import CheckSession
from troth.controls.custom import controls_of
from troth.controls.figures import BadFigure, faults, figure_of, judged
from troth.controls.model import (
    Check,
    CheckOutcome,
    Control,
    ControlFinding,
    Evidence,
    Figure,
    Portion,
    Pushed,
    Status,
)
from troth.controls.principles import Matrix, matrix, principles
from troth.controls.publish import (
    INSIDE,
    PromiseTally,
    PublishedStatus,
    RehearsalRecord,
    ShownCheck,
    banded,
    shown_late,
    tally,
    visible,
)
from troth.controls.result import (
    CONTROL_INPUTS,
    BadAnswer,
    ControlResult,
    add_inputs,
    answered,
    answers,
    answers_own,
    inputs_of,
    looked_at_hash,
    run,
)
from troth.controls.status import Cause, ControlStatus, PromiseStatus, promise_id, promise_name, status_of

__all__ = [
    "CONTROL_INPUTS",
    "INSIDE",
    "BadAnswer",
    "BadFigure",
    "CatalogueError",
    "Cause",
    "Check",
    "CheckOutcome",
    "CheckSession",
    "Control",
    "ControlFinding",
    "ControlResult",
    "ControlStatus",
    "Evidence",
    "Figure",
    "Matrix",
    "Portion",
    "PromiseStatus",
    "PromiseTally",
    "PublishedStatus",
    "Pushed",
    "RehearsalRecord",
    "ShownCheck",
    "Status",
    "UnknownControl",
    "absolute_words",
    "add_controls",
    "add_inputs",
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
    "inputs_of",
    "judged",
    "looked_at_hash",
    "looking_at_less",
    "matrix",
    "principles",
    "promise_id",
    "promise_name",
    "run",
    "shown_late",
    "status_of",
    "tally",
    "visible",
]

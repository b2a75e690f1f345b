"""API for evidence of the company's own controls, sent by programs that look where Troth does not."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import AwareDatetime, ConfigDict, Field

from troth.controls import BadFigure, CheckOutcome, Pushed, figure_of
from troth.service.api.framework import ApiResponse, Body, once, problem, problems, scoped
from troth.service.assurance.duty import EVIDENCE_WRITE
from troth.service.assurance.pushed_evidence import EvidenceRefused, NobodyWaits, NotTheirs, push
from troth.service.core.deployment import current

router = Router()
_COUNT_MAX = 2_000_000_000
_FIGURES_MAX = 20
_NAME = re.compile(r"[a-z][a-z0-9 _]{0,39}")
"""Names as in a declaration: an address sent by mistake does not match."""


class PushedEvidence(Body):
    """What a program found when it looked. Numbers only: no name, address or text of anybody."""

    at: AwareDatetime
    """When it looked, with its offset from UTC."""
    outcome: Literal["pass", "fail", "not_applicable"]
    """Its own verdict. Where the declaration says what a figure must be, that counts as well."""
    # Validated by hand: errors must not quote the name of a figure, which may be anything.
    figures: dict[str, Any] = Field(default={}, json_schema_extra={"additionalProperties": {"type": "number"}})
    """Numbers by name, which is small letters, digits, _ and spaces; 20 of them at most."""
    population: int = Field(default=0, ge=0, le=_COUNT_MAX)
    """How many things there were to look at; as many as were tested where the outcome is a pass."""
    tested: int = Field(default=0, ge=0, le=_COUNT_MAX)
    """How many of them it looked at; one or more where the outcome is a pass."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-01-05T06:00:00Z",
                    "outcome": "pass",
                    "figures": {"open doors": 0},
                    "population": 12,
                    "tested": 12,
                }
            ]
        }
    )


class EvidenceReceipt(ApiResponse):
    """What became of the evidence."""

    is_new: bool
    """False where as late a look was known already."""
    at: dt.datetime
    """When it was received."""


@router.post(
    "/controls/{control}/evidence", response={200: EvidenceReceipt, **problems(404, 409)}, summary="Send evidence"
)
@scoped(EVIDENCE_WRITE)
@once
def send_evidence(request: HttpRequest, control: str, seen: PushedEvidence) -> Any:
    """For a control that the declaration lists under ``controls`` with ``pushed``. A worker then runs
    it, once for each evidence that finds something wrong; what is older than the control's ``fresh_for`` shows no pass.
    The same evidence may be sent twice."""
    now = timezone.now()
    if seen.tested > seen.population:
        return problem(422, "'tested' is larger than 'population'")
    try:
        figures = _figures(seen.figures)
        found = Pushed(
            request.auth.name,  # type: ignore[attr-defined]
            CheckOutcome(seen.outcome),
            seen.at,
            figures,
            seen.population,
            seen.tested,
        )
        is_new = push(control, found, current().declaration, now=now)
    except BadFigure as refused:
        return problem(422, "A figure is not valid", str(refused))
    except NobodyWaits as refused:
        return problem(404, "No control waits for this evidence", str(refused))
    except NotTheirs as refused:
        return problem(403, "The control accepts evidence from another program only", str(refused))
    except EvidenceRefused as refused:
        return problem(422, "The evidence was refused", str(refused))
    return Status(200, EvidenceReceipt(is_new=is_new, at=now))


def _figures(given: dict[str, Any]) -> dict[str, int | float]:
    """Raises `BadFigure`."""
    if len(given) > _FIGURES_MAX or not all(map(_NAME.fullmatch, given)):
        raise BadFigure(f"{_FIGURES_MAX} figures at most, each named in lower-case letters, digits, _ and spaces")
    return {name: figure_of(figure) for name, figure in given.items()}

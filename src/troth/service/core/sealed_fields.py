"""Sealed values of the base, and their contexts."""

from __future__ import annotations

from troth.service.core.models import RunRow
from troth.service.core.resealing import SealedPlace
from troth.subjects import run_context

SEALED = (SealedPlace(RunRow, "sealed_plan", ("run_id",), run_context),)

"""Sealed values of the base, and their contexts."""

from __future__ import annotations

from django.db.models import Q

from troth.rows import run_context
from troth.service.core.batches import member_context
from troth.service.core.models import BatchMemberRow, RunRow
from troth.service.core.resealing import SealedPlace

SEALED = (
    SealedPlace(RunRow, "sealed_plan", ("run_id",), run_context),
    SealedPlace(BatchMemberRow, "sealed", ("act",), member_context, theirs=Q(subject__isnull=False)),
)

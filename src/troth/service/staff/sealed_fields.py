"""Sealed values of staff, and their contexts."""

from __future__ import annotations

from troth.protect import SealingContext
from troth.service.core.resealing import SealedPlace
from troth.service.staff.models import Confidence, FactorSecret, Grant


def reason_context(pseudonym: str) -> SealingContext:
    """Context of the reason of a member's grant."""
    return SealingContext(domain="staff", table="staff_grant", field="sealed_reason", subject=pseudonym)


def confidence_context() -> SealingContext:
    """Context of confidential texts for the officer."""
    return SealingContext(domain="staff", table="staff_confidence", field="sealed_text")


def secret_context(ref: str) -> SealingContext:
    """Context of a factor's secret."""
    return SealingContext(domain="staff", table="staff_factor_secret", field="sealed", subject=ref)


SEALED = (
    SealedPlace(Grant, "sealed_reason", ("member__pseudonym",), reason_context),
    SealedPlace(Confidence, "sealed_text", (), confidence_context),
    SealedPlace(FactorSecret, "sealed", ("ref",), secret_context),
)

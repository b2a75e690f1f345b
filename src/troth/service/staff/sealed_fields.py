"""What staff keeps sealed, and where each value belongs."""

from __future__ import annotations

from troth.protect import SealingContext
from troth.service.core.resealing import SealedPlace
from troth.service.staff.models import Confidence, FactorSecret, Grant


def reason_context(pseudonym: str) -> SealingContext:
    """The reason of a grant of one member."""
    return SealingContext(domain="staff", table="staff_grant", field="sealed_reason", subject=pseudonym)


def confidence_context() -> SealingContext:
    """What was told to the officer."""
    return SealingContext(domain="staff", table="staff_confidence", field="sealed_text")


def secret_context(ref: str) -> SealingContext:
    """The secret of one factor."""
    return SealingContext(domain="staff", table="staff_factor_secret", field="sealed", subject=ref)


SEALED = (
    SealedPlace(Grant, "sealed_reason", ("member__pseudonym",), reason_context),
    SealedPlace(Confidence, "sealed_text", (), confidence_context),
    SealedPlace(FactorSecret, "sealed", ("ref",), secret_context),
)

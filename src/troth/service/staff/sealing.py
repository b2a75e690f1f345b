"""What staff keeps sealed, and where each value belongs."""

from __future__ import annotations

from troth.protect import Context
from troth.service.record.resealing import SealedPlace
from troth.service.staff.models import Confidence, Grant, Secret


def reason_context(pseudonym: str) -> Context:
    """The reason of a grant of one member."""
    return Context(domain="staff", table="staff_grant", field="sealed_reason", subject=pseudonym)


def confidence_context() -> Context:
    """What was told to the officer."""
    return Context(domain="staff", table="staff_confidence", field="sealed_text")


def secret_context(ref: str) -> Context:
    """The secret of one factor."""
    return Context(domain="staff", table="staff_secret", field="sealed", subject=ref)


SEALED = (
    SealedPlace(Grant, "sealed_reason", ("member__pseudonym",), reason_context),
    SealedPlace(Confidence, "sealed_text", (), confidence_context),
    SealedPlace(Secret, "sealed", ("ref",), secret_context),
)

"""Sealed values of newsletters, and their contexts."""

from __future__ import annotations

from troth.protect import SealingContext
from troth.service.core.resealing import SealedPlace
from troth.service.newsletters.models import SignUp


def signup_context(fingerprint: str) -> SealingContext:
    """Sealing context of what somebody gave at a sign-up."""
    return SealingContext(domain="newsletters", table="newsletters_signup", field="sealed", subject=fingerprint)


SEALED = (SealedPlace(SignUp, "sealed", ("fingerprint",), signup_context),)

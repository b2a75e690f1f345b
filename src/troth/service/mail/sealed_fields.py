"""Sealed values of e-mails and of sign-in to mail, and their contexts."""

from __future__ import annotations

from troth.service.core.resealing import SealedPlace
from troth.service.mail.actions import letter_context
from troth.service.mail.bulk.content import group_context
from troth.service.mail.models import DeliveryGroup, LetterRow, RefreshToken
from troth.service.mail.oauth import refresh_token_context

SEALED = (
    SealedPlace(LetterRow, "sealed", ("once",), letter_context),
    SealedPlace(DeliveryGroup, "keys", ("edition_id",), group_context),
    SealedPlace(RefreshToken, "sealed", ("given",), refresh_token_context),
)

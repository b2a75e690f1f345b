"""Sealed values of e-mails, and their contexts."""

from __future__ import annotations

from troth.service.core.resealing import SealedPlace
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow

SEALED = (SealedPlace(LetterRow, "sealed", ("once",), letter_context),)

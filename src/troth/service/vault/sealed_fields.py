"""Sealed values behind tokens, and their contexts."""

from __future__ import annotations

from django.db.models import Q

from troth.service.core.resealing import SealedPlace
from troth.service.vault.models import TokenRow
from troth.service.vault.stored_tokens import token_context

SEALED = (SealedPlace(TokenRow, "sealed", ("domain__name", "token"), token_context, theirs=Q(subject__isnull=False)),)

"""Tokens and what they stand for, sealed. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models

__all__ = ["DomainRow", "TokenRow"]


class DomainRow(models.Model):
    """A domain: a merchant, or a part of the company that no token may leave."""

    name = models.CharField(max_length=80, unique=True)

    class Meta:
        db_table = "vault_domain"


class TokenRow(models.Model):
    """A token and the value that it stands for, sealed to exactly this token.

    *lookup* is a keyed hash of the whole value (PCI DSS 4.0.1, 3.5.1.1), under a key that opens nothing: by it the same
    value gets the same token again. It is never shown beside a token that keeps digits (3.5.1).
    """

    domain = models.ForeignKey(DomainRow, on_delete=models.PROTECT, db_index=False)
    token = models.CharField(max_length=64)
    lookup = models.BinaryField(max_length=32)
    format = models.CharField(max_length=20)
    sealed = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "vault_token"
        constraints = [
            models.UniqueConstraint(fields=["domain", "token"], name="token_is_unique_in_its_domain"),
            models.UniqueConstraint(fields=["domain", "lookup"], name="value_has_one_token_in_a_domain"),
        ]

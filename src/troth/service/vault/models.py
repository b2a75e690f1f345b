"""Tokens and their sealed values. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

from troth.service.core.models import Subject

DOMAIN_MAX = 80
TOKEN_MAX = 64


class DomainRow(models.Model):
    """A domain: a merchant, or a part of the company, that its tokens never leave."""

    name = models.CharField(max_length=DOMAIN_MAX, unique=True)

    class Meta:
        db_table = "vault_domain"


class TokenRow(models.Model):
    """A token and its value, sealed to exactly this token. Tokens are unique across domains: one read in the wrong
    domain is never another's.

    *lookup* is a keyed hash of the whole value (PCI DSS 4.0.1, 3.5.1.1), under a key of the domain that opens nothing:
    it maps equal values to equal tokens. It is never shown beside a token that keeps digits (3.5.1).
    """

    domain = models.ForeignKey(DomainRow, on_delete=models.PROTECT, db_index=False)
    token = models.CharField(max_length=TOKEN_MAX)
    lookup = models.BinaryField(max_length=32)
    format = models.CharField(max_length=20)
    sealed = models.BinaryField()
    subject = models.ForeignKey(
        Subject,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="tokens",
        help_text="Whose value it is: sealed and looked up under that person's key, and gone with it.",
    )
    made_at = models.DateTimeField()

    class Meta:
        db_table = "vault_token"
        constraints = [
            models.UniqueConstraint(fields=["token"], name="token_is_unique"),
            models.UniqueConstraint(fields=["lookup"], name="value_has_one_token_in_its_domain"),
        ]
        indexes = [models.Index(fields=["subject"], condition=Q(subject__isnull=False), name="token_of_subject")]

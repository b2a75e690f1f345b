"""Tables of a Django application for answered asks: no identifiers, and no rows of the answers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RememberedAsk(models.Model):
    """An answered ask."""

    id = models.CharField(primary_key=True, max_length=128)
    right = models.CharField(max_length=16)
    check_value = models.CharField(max_length=4)
    answer = models.BinaryField()
    at = models.FloatField(db_index=True)

    objects: ClassVar[models.Manager[RememberedAsk]] = models.Manager()

    class Meta:
        app_label = "troth_hook"
        db_table = "troth_hook_asked"

    def __str__(self) -> str:
        return self.id


class Nonce(models.Model):
    """The nonce of a received message, which may not be replayed."""

    nonce = models.CharField(primary_key=True, max_length=64)
    until = models.FloatField(db_index=True)

    objects: ClassVar[models.Manager[Nonce]] = models.Manager()

    class Meta:
        app_label = "troth_hook"
        db_table = "troth_hook_nonce"

    def __str__(self) -> str:
        return self.nonce

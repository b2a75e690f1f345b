"""What the desk holds. Deleting a contact takes its photograph along, as a signal of the application has it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver


class Contact(models.Model):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    photo = models.CharField(max_length=100, blank=True)
    restricted = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[Contact]] = models.Manager()

    class Meta:
        app_label = "desk"

    def __str__(self) -> str:
        return str(self.pk)


class Ticket(models.Model):
    contact = models.ForeignKey(Contact, models.CASCADE)
    subject = models.CharField(max_length=100)

    objects: ClassVar[models.Manager[Ticket]] = models.Manager()

    class Meta:
        app_label = "desk"

    def __str__(self) -> str:
        return str(self.pk)


class Invoice(models.Model):
    email = models.EmailField()

    objects: ClassVar[models.Manager[Invoice]] = models.Manager()

    class Meta:
        app_label = "desk"

    def __str__(self) -> str:
        return str(self.pk)


class Job(models.Model):
    ask = models.CharField(max_length=128, primary_key=True)
    email = models.EmailField()
    polls = models.IntegerField(default=0)

    objects: ClassVar[models.Manager[Job]] = models.Manager()

    class Meta:
        app_label = "desk"

    def __str__(self) -> str:
        return self.ask


class Done(models.Model):
    what = models.CharField(max_length=20)

    objects: ClassVar[models.Manager[Done]] = models.Manager()

    class Meta:
        app_label = "desk"

    def __str__(self) -> str:
        return self.what


@receiver(post_delete, sender=Contact)
def photo_follows(instance: Contact, **_: Any) -> None:
    if instance.photo:
        Path(os.environ["DESK_FOLDER"], "media", instance.photo).unlink(missing_ok=True)

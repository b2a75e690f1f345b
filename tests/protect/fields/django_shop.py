"""A shop of its own, with Django: what the tests of sealed fields write to and read from."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from troth.protect.fields.django import (
    BucketField,
    SealedBinaryField,
    SealedDateField,
    SealedJSONField,
    SealedNumberField,
    SealedTextField,
)


class Customer(models.Model):
    name = models.CharField(max_length=80, default="")
    email = SealedTextField(null=True, db_column="e_mail")
    email_bucket = BucketField({"email": "email"}, population=2_000)
    born = SealedDateField(null=True)
    postcode = SealedTextField(null=True)
    person_bucket = BucketField({"born": "exact", "postcode": "text"}, population=40_000)
    photo = SealedBinaryField(null=True)
    facts = SealedJSONField(null=True)
    balance = SealedNumberField(null=True, max_digits=9, decimal_places=2)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "shop"
        db_table = "customer"

    def __str__(self) -> str:
        return str(self.pk)


class Member(Customer):
    """A table of its own, whose key is the customer's."""

    nickname = SealedTextField(null=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "shop"
        db_table = "member"


class Named(models.Model):
    """Its columns have been renamed since they were sealed."""

    title = SealedTextField(table="person", field="label", null=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "shop"
        db_table = "named"

    def __str__(self) -> str:
        return str(self.pk)


MODELS = (Customer, Member, Named)

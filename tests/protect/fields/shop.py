"""A shop of its own, with SQLAlchemy: what the tests of sealed columns write to and read from."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from troth.protect.fields.sqlalchemy import (
    Bucket,
    SealedBytes,
    SealedDate,
    SealedJSON,
    SealedNumber,
    SealedText,
)


class Base(DeclarativeBase):
    pass


class Customer(Base):
    """The attribute ``email`` stands in the column ``e_mail``."""

    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.String(80))
    email: Mapped[str | None] = mapped_column("e_mail", SealedText("customer", "email"))
    email_bucket: Mapped[int | None] = mapped_column(Bucket({"e_mail": "email"}, population=2_000), index=True)
    born: Mapped[dt.date | None] = mapped_column(SealedDate("customer", "born"))
    postcode: Mapped[str | None] = mapped_column(SealedText("customer", "postcode"))
    person_bucket: Mapped[int | None] = mapped_column(Bucket({"born": "exact", "postcode": "text"}, population=40_000))


TABLE: Any = Customer.__table__


class Odd(Base):
    """Every kind, and a key of two parts."""

    __tablename__ = "odd things"
    region: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str | None] = mapped_column(SealedText("odd", "text"))
    data: Mapped[bytes | None] = mapped_column(SealedBytes("odd", "data"))
    facts: Mapped[Any] = mapped_column(SealedJSON("odd", "facts"), nullable=True)
    amount: Mapped[decimal.Decimal | None] = mapped_column(SealedNumber("odd", "amount"))
    day: Mapped[dt.date | None] = mapped_column(SealedDate("odd", "day"))

"""Newsletters: who may get them, from where, and how fast (``newsletters:``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool

from troth.declaration.base import StrictModel, Title
from troth.declaration.purposes import as_text

NewsletterName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""It stands in ``List-Id``."""

Cell = Annotated[str | None, BeforeValidator(as_text, json_schema_input_type=str | int | float | bool | None)]


def _not_individual(value: Any) -> Any:
    if value == "individual":
        raise ValueError("Troth keeps no statistics about single people; write aggregate, or none")
    return value


class NewsletterAudience(StrictModel):
    """The rows of people who may get a newsletter. Each row is read again shortly before its message is handed to the
    mail server: one that was deleted, or that *where* does not select any more, gets nothing, and one with a new
    address gets it there."""

    table: str
    """``system.table``."""
    email: str
    """The column of the address."""
    where: dict[str, Cell] = {}
    """Columns and the value that each has in these rows, ``null`` for none."""
    consent: str | None = None
    """The column of the time at which consent was given, where the company recorded it before Troth did. Troth fills it
    in rows that it adds. It lifts no stop."""
    values: tuple[str, ...] = ()
    """Further columns that a text may name, such as ``{{name}}``."""


class Newsletter(StrictModel):
    """A newsletter, or another series of e-mails that people asked for or may refuse. To stop it is to stop its
    purpose, so two of them have two purposes."""

    title: Title
    purpose: str
    audience: NewsletterAudience
    sender: str | None = None
    """The address in ``From``; by default ``organisation.email``."""
    per_second: int = Field(default=50, ge=1, le=1_000, strict=True)
    """The most messages that leave in a second."""
    signup: StrictBool = False
    """Whether people can sign up for it with Troth, which adds a row to the audience once they have confirmed it. Its
    form is ``/your-data/newsletters/NAME``, and a form of the company's own may post there."""
    approve: StrictBool = False
    """Whether a second person must approve each edition."""
    statistics: Annotated[Literal["none", "aggregate"], BeforeValidator(_not_individual)] = "none"
    """What is counted of how it is read: nothing; or ``aggregate``, how often it is opened and each link is followed,
    by an image and links that are the same for all readers who consented to that, and shown from ten on."""
    tracking_purpose: str | None = None
    """The purpose of that counting, which rests on consent; all newsletters have the same."""

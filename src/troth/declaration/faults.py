"""Faults of the company's own (``faults:``), which a rehearsal plants into an invented copy of it; never into a real
system."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from troth.declaration.base import StrictModel, Words


class FaultStatement(StrictModel):
    """One SQL statement, which is run on the scratch database of *system*: a file of SQLite with its tables and
    invented rows."""

    system: str
    run: Annotated[str, Field(min_length=1, max_length=10_000)]


class FaultPage(StrictModel):
    """What is changed on a page of the scripted website: a text that is taken *out*, or HTML that is *put* on it."""

    path: str = Field(pattern=r"^/")
    out: str = ""
    put: str = ""


class OwnFault(StrictModel):
    """A breach that the company knows: what happens, and the controls that have to notice it."""

    breach: Words
    """One sentence that says what happens."""
    breaks: tuple[str, ...] = Field(min_length=1)
    """The ids of the controls that should turn red: promises that are bound to one of them are rehearsed with it."""
    sql: FaultStatement | None = None
    page: FaultPage | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.sql is None) == (self.page is None):
            raise ValueError("a fault is either a statement (sql) or a change of a page (page)")
        if self.page is not None and not (self.page.out or self.page.put):
            raise ValueError("say what is taken out of the page, or put on it")
        return self

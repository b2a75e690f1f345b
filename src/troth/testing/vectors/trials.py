"""What a trial is: the attempts at one test, what has to come out of each, and why it may be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

AES_KEYS = {16, 24, 32}
AES_KEYS_TOLD = "only AES keys of 16, 24 or 32 bytes are taken"


class NotTried(Exception):
    """The test is about something that does not exist here; the text says what."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One direction of a test: *run* has to give *expected*.

    Where the test is invalid, *run* has to raise, or, for one that is not *refused*, only to give something else.
    """

    name: str
    run: Callable[[], object]
    expected: object = None
    refused: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """All directions of a test. *limit* says why they may be refused although the test is valid."""

    attempts: list[Attempt]
    limit: str | None = None


def first_of(*reasons: tuple[bool, str]) -> str | None:
    """The first reason that holds."""
    return next((told for holds, told in reasons if holds), None)

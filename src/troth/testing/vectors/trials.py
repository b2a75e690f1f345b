"""Trials: the attempts at one test, the expected result of each, and why the test may be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

AES_KEYS = {16, 24, 32}
AES_KEYS_TOLD = "only AES keys of 16, 24 or 32 bytes are taken"


class NotTried(Exception):
    """The test needs something that Troth does not support; the message says what."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One direction of a test: *run* must return *expected*.

    If the test is invalid, *run* must raise; without *refused* it may also return another value.
    """

    name: str
    run: Callable[[], object]
    expected: object = None
    refused: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """All directions of a test. *limit* is the reason why they may be refused although the test is valid."""

    attempts: list[Attempt]
    limit: str | None = None


def first_of(*reasons: tuple[bool, str]) -> str | None:
    """The first reason whose condition is true, or None."""
    return next((told for holds, told in reasons if holds), None)

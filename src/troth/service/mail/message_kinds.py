"""Kinds of e-mails: the facts that each needs and may state. Duties register theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.service.duty import gathered
from troth.service.mail import facts
from troth.service.mail.facts import Shape


@dataclass(frozen=True, slots=True)
class MessageKind:
    """The facts that an e-mail of this kind *needs* and *may* state. *lasts* is how long sending it makes sense.

    *to_person* e-mails go to requesters and state who sends them and why; others go to staff and recipients.
    """

    needs: Mapping[str, Shape]
    may: Mapping[str, Shape] = field(default_factory=dict)
    lasts: dt.timedelta = dt.timedelta(days=4)
    to_person: bool = True
    is_owed: bool = True
    """Whether somebody expects it or is owed it. Others go to addresses that anybody may have typed, or are
    repeated."""


def kinds() -> Mapping[str, MessageKind]:
    """Every kind, by its name, which is that of its template."""
    return gathered("messages")


def shown(kind: str, given: Mapping[str, object]) -> dict[str, object]:
    """The facts *given* as the template of *kind* gets them. Raises `ValueError`, which names facts but no values."""
    known = kinds().get(kind)
    if known is None:
        raise ValueError(f"there is no e-mail of the kind {kind!r}")
    shapes = {**known.may, **known.needs}
    if missing := sorted(known.needs.keys() - given.keys()):
        raise ValueError(f"an e-mail of the kind {kind} also needs {', '.join(missing)}")
    if unknown := sorted(given.keys() - shapes.keys()):
        raise ValueError(f"an e-mail of the kind {kind} does not state {', '.join(unknown)}")
    checked = {}
    for name, value in given.items():
        try:
            checked[name] = shapes[name](value)
        except ValueError as error:
            raise ValueError(f"{name} of an e-mail of the kind {kind}: {error}") from None
    return checked


def links_in(kind: str, given: Mapping[str, object]) -> frozenset[str]:
    """Those of the facts *given* that are links: anything else that looks like one is somebody's text."""
    known = kinds()[kind]
    shapes = {**known.may, **known.needs}
    return frozenset(str(value) for name, value in given.items() if shapes[name] is facts.link)

"""The second, smaller contract: external systems that are *asked*.

Some places cannot be read directly. A third-party service, or the application's own code, is asked about a person,
takes its time, and answers with what it holds or what it did. `Ask` and `Answer` are the values of `troth.hook`, which
an application can import without the rest of Troth; `troth.testing.external_systems.AskedContract` tests this contract.

For an external system
- an ask is idempotent by its id: repeating it retrieves a lost answer;
- only the kinds of identifiers and the rights that are declared for it are sent;
- claims are not trusted: `verify` checks again after it reported that something was done;
- refusals and reasons are codes; no personal value appears in an error, a log or an address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Protocol

from troth.declaration import ExternalAccess
from troth.hook import Answer, AnswerState, Ask, Kept, Right, looked
from troth.stores.contract import StoreBusy


class AskedLater(StoreBusy):
    """The system is busy, and says in how many seconds to retry. It accepted nothing."""

    def __init__(self, message: str, *, store: str, retry_after_s: int | None = None) -> None:
        super().__init__(message, store=store, retryable=True)
        self.retry_after_s = retry_after_s


class ExternalSystem(Protocol):
    """One external system; see the module for its promises. Safe to use from one thread at a time.

    Every method raises `StoreUnreachable` (retryable: no answer, though the request may have been carried out),
    `AskedLater`, and `StoreRefused` if the response is not from the system, or not an answer of the protocol.
    """

    @property
    def name(self) -> str:
        """The system's name in the declaration."""
        ...

    def ask(self, ask: Ask) -> Answer:
        """Ask, or repeat an ask: the id makes it idempotent. A right or a person that the system cannot be asked about
        is ``refused`` without contacting it; an amendment of fields that it does not hold is ``nothing``.

        The *changes* may be by category, or by ``system.field``; the system receives its own names.
        """
        ...

    def poll(self, ask_id: str) -> Answer:
        """The progress of an ask that was ``accepted`` or ``working``."""
        ...

    def verify(self, ask: Ask, *, kept: Iterable[Kept] = ()) -> Answer:
        """Check the result of an ask that changes something and was ``done``: ``done`` or ``nothing`` if confirmed,
        less what was *kept*; ``failed`` if not; ``refused``, ``not_verified``, if nobody can check.

        The system checks first; if it also answers ``view``, we query it and count on our side.
        """
        ...

    def offers(self) -> frozenset[Right]:
        """The rights that it answers; a reply also shows that it is reachable and knows our secret."""
        ...

    def close(self) -> None:
        """Release connections. They are reopened on use."""
        ...


class ExternalChannel(Protocol):
    """The transport to one system, implemented by each kind of connector. It raises as `ExternalSystem` says."""

    def ask(self, ask: Ask) -> Answer: ...

    def poll(self, ask_id: str) -> Answer: ...

    def verify(self, ask: Ask) -> Answer: ...

    def offers(self) -> frozenset[Right]: ...

    def close(self) -> None: ...


class Questioner:
    """An `ExternalSystem` over any channel: sends only what may be sent, and verifies what it is told."""

    def __init__(self, name: str, asking: ExternalAccess, line: ExternalChannel) -> None:
        self.name = name
        self._rights = frozenset(map(Right, asking.answers))
        self._kinds = frozenset(asking.by)
        self._holds = asking.holds
        self._line = line

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def ask(self, ask: Ask) -> Answer:
        sent = self._narrowed(ask)
        return sent if isinstance(sent, Answer) else self._line.ask(sent)

    def poll(self, ask_id: str) -> Answer:
        return self._line.poll(ask_id)

    def verify(self, ask: Ask, *, kept: Iterable[Kept] = ()) -> Answer:
        sent = self._narrowed(ask)
        if isinstance(sent, Answer):
            return sent
        said = self._line.verify(sent)
        if not self._can_look(ask.right) or (said.state not in _SO and said.detail != "not_verified"):
            return said
        own = dataclasses.replace(sent, id=f"{ask.id[:120]}.look", right=Right.VIEW, changes={}, purposes=())
        shown = self._line.ask(own)
        if shown.state not in _SO:
            return dataclasses.replace(shown, rows={})
        seen = looked(sent, shown.rows, tuple(kept) or said.kept)
        return said if seen.detail == "not_verified" else dataclasses.replace(seen, evidence=said.evidence)

    def offers(self) -> frozenset[Right]:
        return self._line.offers()

    def close(self) -> None:
        self._line.close()

    def _can_look(self, right: Right) -> bool:
        return right in (Right.ERASE, Right.AMEND) and Right.VIEW in self._rights

    def _narrowed(self, ask: Ask) -> Ask | Answer:
        """The permitted part of *ask*, or the answer that explains why nothing may be sent."""
        right = Right.RESTRICT if ask.right is Right.UNRESTRICT else ask.right
        if right not in self._rights:
            return Answer.refused("right_not_answered")
        identifiers = tuple(pair for pair in ask.identifiers if pair[0] in self._kinds)
        if not identifiers:
            return Answer.refused("not_known_by")
        changes = {
            name: value for target, value in ask.changes.items() for name in meant(self.name, self._holds, target)
        }
        if ask.changes and not changes:
            return Answer(AnswerState.NOTHING, detail="field_not_held")
        return dataclasses.replace(ask, identifiers=identifiers, changes=changes)


_SO = (AnswerState.DONE, AnswerState.NOTHING)


def meant(system: str, holds: Mapping[str, str], target: str) -> list[str]:
    """The system's own names for *target*: a data category, ``system.field``, or one of its names. A system that does
    not declare what it holds receives *target* itself."""
    if not holds:
        return [target]
    return [name for name, category in holds.items() if target in (category, f"{system}.{name}", name)]


def not_offered(asking: ExternalAccess, offers: Iterable[Right]) -> list[Right]:
    """The declared rights that the system does not answer, in the order of `Right`. Restricting includes lifting."""
    declared = set(map(Right, asking.answers))
    declared |= {Right.UNRESTRICT} if Right.RESTRICT in declared else set()
    return [right for right in Right if right in declared - set(offers)]

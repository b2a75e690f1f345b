"""What follows from how somebody stands on a processor's list and here. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from troth.declaration import Basis
from troth.service.preferences.models import ChoiceState
from troth.stores import STATUSES, MemberStatus, is_mailed

ADDING = "adding"
"""Status of a person whom we are about to add."""
GONE = "gone"
"""Status of a person who was on the list, and is not: somebody deleted them there, or the list is another one."""
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
KINDS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")


class Action(enum.StrEnum):
    """What is done. The last four are only reported."""

    NOTHING = "nothing"
    ADD = "add"
    UNSUBSCRIBE = "unsubscribe"
    DELETE = "delete"
    RECORD_STOP = "record_stop"
    RECORD_BOUNCE = "record_bounce"
    UNPROVEN = "unproven"  # gets campaigns there, and no consent of theirs is recorded here
    RETURNS = "returns"  # asked again here, and only they can return there
    MISSING = "missing"  # not there any more, for no reason that we know
    UNKNOWN = "unknown"  # a status that we do not know


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands here: whether the purpose *is_allowed*, by a consent since *consented_at*, or a choice stops
    it (*is_stopped*); whether they were erased, are on the company's own list (*is_wanted*), and as what we *last*
    knew them at the processor, since when."""

    is_allowed: bool
    is_stopped: bool = False
    is_erased: bool = False
    is_wanted: bool = False
    last: str = ""
    last_at: dt.datetime | None = None
    consented_at: dt.datetime | None = None


def decide(status: str | None, changed_at: dt.datetime | None, here: Standing) -> Action:
    """What to do about somebody who has *status* on the list since *changed_at*, or None if the list shows nobody.

    Nobody who is there in any status is set upwards, and nobody is added whom we have known there: that the list does
    not show them does not say that they may be added. Who gets campaigns there without a record of ours is not stopped
    either, because only they could take that back; staff have to decide.
    """
    if here.is_erased:
        return Action.NOTHING if status is None else Action.DELETE
    if status is None:
        if here.last not in ("", ADDING):
            return Action.NOTHING if here.last == GONE or not is_mailed(here.last) else Action.MISSING
        return Action.ADD if here.is_wanted and here.is_allowed else Action.NOTHING
    if is_mailed(status) and here.is_stopped:
        return Action.UNSUBSCRIBE
    if status not in STATUSES:
        return Action.UNKNOWN
    if not here.is_allowed:
        return Action.UNPROVEN if is_mailed(status) else Action.NOTHING
    if status not in (MemberStatus.UNSUBSCRIBED, MemberStatus.CLEANED):
        return Action.NOTHING
    is_known = here.last == status and not _is_after(changed_at, here.last_at, _CLOCKS_DIFFER)
    is_older = changed_at is not None and _is_after(here.consented_at, changed_at)
    if status == MemberStatus.CLEANED:
        return Action.NOTHING if is_known or is_older else Action.RECORD_BOUNCE
    return Action.RETURNS if is_known or is_older else Action.RECORD_STOP


def _is_after(time: dt.datetime | None, other: dt.datetime | None, by: dt.timedelta = dt.timedelta(0)) -> bool:
    return time is not None and other is not None and time > other + by


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """What the processor says has happened. Its `repr` shows no address."""

    kind: str
    address: str
    fired_at: str
    reason: str = ""
    old_address: str = ""
    is_archived: bool = False

    def __repr__(self) -> str:
        return f"ToldEvent({self.kind})"


def read_event(form: Mapping[str, str], list_id: str) -> ToldEvent | None:
    """The event that a webhook's form tells of; None if it is about another list or nobody. Never raises."""
    kind, data = form.get("type", ""), {key: form.get(f"data[{key}]", "")[:320] for key in _FIELDS}
    address = data["new_email"] if kind == "upemail" else data["email"]
    if kind not in KINDS or data["list_id"] != list_id or "@" not in address:
        return None
    # Staff who archive or delete a member are told as an unsubscription, too; it is nobody's choice.
    is_archived = data["action"] == "delete"
    return ToldEvent(kind, address, form.get("fired_at", "")[:32], data["reason"], data["old_email"], is_archived)


_FIELDS = ("list_id", "email", "new_email", "old_email", "reason", "action")


def choice_of(event: ToldEvent, basis: Basis) -> ChoiceState | None:
    """The choice that an event is, for a purpose of this *basis*. A subscription there is none here: only what the
    person confirms to us lifts a stop."""
    if event.is_archived or event.kind not in ("unsubscribe", "cleaned"):
        return None
    if event.reason == "abuse":
        return ChoiceState.COMPLAINED
    return ChoiceState.UNDELIVERABLE if event.kind == "cleaned" else stop_of(basis)


def stop_of(basis: Basis) -> ChoiceState:
    """What a stop is: consent is withdrawn, to anything else people object."""
    return ChoiceState.WITHDRAWN if basis is Basis.CONSENT else ChoiceState.OBJECTED

"""Trials of a mailing list's connector against the real service, and the record of them in TROTH_HOME.

Until one is recorded, the connector has met only a fake of ours, and `troth check` says so.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from troth import __version__
from troth.stores.contract import StoreRefused
from troth.stores.external.list_members import MemberStatus, member_id

if TYPE_CHECKING:  # the HTTP client takes 10 MB
    from troth.stores.external.mailchimp import MailchimpList

_FILE = "connectors.json"
_LOOKS = 10


def trial_of(home: Path, system: str) -> str | None:
    """When *system* was tried, and with which version; None if it never was."""
    try:
        known = json.loads((home / _FILE).read_text("utf-8"))[system]
        return f"{known['at']} with Troth {known['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def try_list(list_: MailchimpList, canary: str, *, sleep: Callable[[float], None]) -> None:
    """Add *canary*, an address of nobody, to the list as unsubscribed, look at it, delete it for good, and look again.
    Raises `StoreRefused` with the step that did not do what we rely on, and the errors of the list."""
    id_ = member_id(canary)
    list_.look_up()
    _must(list_, list_.record(id_) is None and not list_.hits(canary), "the address is on the list; name one of nobody")
    _must(list_, not list_.add({canary: {}}, MemberStatus.UNSUBSCRIBED), "the list refuses the address; name a new one")
    _must(list_, _in_time(lambda: list_.member(id_) is not None, sleep), "who was added is not there")
    shown = list_.member(id_)
    _must(list_, shown is not None and shown.status == MemberStatus.UNSUBSCRIBED, "who was added has another status")
    _must(list_, list_.amend(id_, address=None, fields={"FNAME": "Canary"}) == "", "a merge field cannot be changed")
    _must(list_, list_.unsubscribe(id_), "nobody can be unsubscribed")
    _must(list_, list_.delete(id_), "nobody can be deleted for good")
    _must(list_, _in_time(lambda: list_.record(id_) is None, sleep), "who was deleted is still there")
    _must(list_, _in_time(lambda: not list_.hits(canary), sleep), "a search still finds who was deleted")
    again = list_.add({canary: {}}, MemberStatus.UNSUBSCRIBED)
    _must(list_, again == {canary: MemberStatus.FORGOTTEN}, "who was deleted for good can be added again")


def record_trial(home: Path, system: str, *, now: dt.datetime) -> None:
    """Record that *system* was tried, in *home*."""
    file = home / _FILE
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    known[system] = {"at": now.date().isoformat(), "version": __version__}
    file.write_text(json.dumps(known, indent=1) + "\n", "utf-8")


def _in_time(holds: Callable[[], bool], sleep: Callable[[float], None]) -> bool:
    for _ in range(_LOOKS):
        if holds():
            return True
        sleep(3)
    return False


def _must(list_: MailchimpList, held: object, what: str) -> None:
    if not held:
        raise StoreRefused(f"the trial of {list_.name} ended: {what}", store=list_.name)

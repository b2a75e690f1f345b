"""Approvals of one plan, by its hash: two different roles, each approval valid for a day and consumed by the act.

An idempotent act, such as destroying a key, requires the approvals first and uses them up last, so that it resumes
after a crash. An act that is not, such as writing keys into a file, takes them in one step and before anything else:
one approval allows one file, even with concurrent requests.

``TROTH_HOME/approvals.toml`` holds them, signed with the approvers' passphrases: an approval written there by hand, for
another plan or with another end, is invalid. It also counts wrong passphrases, on disk before a passphrase is checked,
so that killing the process gives no free guess.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.ledger import EntryRefused, Hash
from troth.protect import files
from troth.protect.approvers import NEEDED, Approver, find, is_role
from troth.protect.errors import ApprovalRefused, HomeRefused
from troth.protect.pack import texts

APPROVALS_FILE = "approvals.toml"
APPROVAL_LASTS = dt.timedelta(hours=24)

_FREE_GUESSES = 5
_WAIT_MAX = dt.timedelta(hours=1)
_FILE_BYTES_MAX = 1024 * 1024
_HEAD = """\
# Approvals that are not used yet, signed by those who gave them, and passphrases that were wrong.
version = 1
"""


@dataclass(frozen=True, slots=True)
class _Approval:
    plan: str
    role: str
    until: dt.datetime
    signature: bytes = field(repr=False)


@dataclass(slots=True)
class _Kept:
    approvals: list[_Approval]
    guesses: dict[str, tuple[int, dt.datetime]]
    """By role: how many passphrases in a row were wrong or are being checked, and when the last one was given."""


class Approvals:
    """Approvals that *approvers* gave in *home*. Safe to use from several processes."""

    __slots__ = ("_approvers", "_home")

    def __init__(self, home: Path, approvers: Sequence[Approver]) -> None:
        self._home = home
        self._approvers = approvers

    def approve(self, plan: Hash, role: str, passphrase: str, *, now: dt.datetime) -> dt.datetime:
        """Record the approval of *role* and return when it expires. Raises `ApprovalRefused` for an unknown role or a
        wrong passphrase, and without checking the passphrase for a while after several wrong ones."""
        one, until = find(self._approvers, role), (now + APPROVAL_LASTS).replace(microsecond=0)
        with self._changing(now) as kept:
            wrong, last = kept.guesses.get(role, (0, now))
            free = last + _wait(wrong)
            if now < free:
                raise ApprovalRefused(
                    f"{wrong} wrong passphrases for {role}; try again after {free:%Y-%m-%d %H:%M} UTC"
                )
            kept.guesses[role] = (wrong + 1, now)
        signature = one.sign(_message(plan.text, role, until), passphrase)
        with self._changing(now) as kept:
            kept.guesses.pop(role, None)
            kept.approvals = [each for each in kept.approvals if (each.plan, each.role) != (plan.text, role)]
            kept.approvals.append(_Approval(plan.text, role, until, signature))
        return until

    def given(self, plan: Hash, *, now: dt.datetime) -> tuple[str, ...]:
        """The roles whose approval of *plan* is valid at *now*, sorted."""
        return self._given(self._read(), plan, now)

    def _given(self, kept: _Kept, plan: Hash, now: dt.datetime) -> tuple[str, ...]:
        keys = {one.role: one for one in self._approvers}
        return tuple(
            sorted(
                each.role
                for each in kept.approvals
                if each.plan == plan.text
                and now < each.until <= now + APPROVAL_LASTS
                and each.role in keys
                and keys[each.role].has_signed(_message(each.plan, each.role, each.until), each.signature)
            )
        )

    def require(self, plan: Hash, *, now: dt.datetime) -> tuple[str, str]:
        """The first two roles that approve *plan*. Raises `ApprovalRefused` if there are fewer."""
        return self._required(self._read(), plan, now)

    def take(self, plan: Hash, *, now: dt.datetime) -> tuple[str, str]:
        """`require` and `use_up` in one step: of several concurrent callers, one gets the two roles."""
        with self._changing(now) as kept:
            roles = self._required(kept, plan, now)
            kept.approvals = [each for each in kept.approvals if each.plan != plan.text]
        return roles

    def _required(self, kept: _Kept, plan: Hash, now: dt.datetime) -> tuple[str, str]:
        given = self._given(kept, plan, now)
        if len(given) < NEEDED:
            raise ApprovalRefused(self._missing(kept, plan, given, now))
        return given[0], given[1]

    def use_up(self, plan: Hash, *, now: dt.datetime) -> None:
        """Delete the approvals of *plan*. Idempotent."""
        with self._changing(now) as kept:
            kept.approvals = [each for each in kept.approvals if each.plan != plan.text]

    def _missing(self, kept: _Kept, plan: Hash, given: Sequence[str], now: dt.datetime) -> str:
        if len(self._approvers) < NEEDED:
            return f"this needs {NEEDED} approvers, but there are {len(self._approvers)}; see: troth keys approvers add"
        over = sorted({each.role for each in kept.approvals if each.plan == plan.text and each.until <= now})
        said = f"{len(given)} of {NEEDED} approvals are given" + (f" ({', '.join(given)})" if given else "")
        said += f", that of {', '.join(over)} has expired" if over else ""
        return f"{said}; have another role approve exactly this plan with: troth keys approve {plan} --as ROLE"

    # --- the file ---------------------------------------------------------------------------------------------------

    def _read(self) -> _Kept:
        path = self._home / APPROVALS_FILE
        try:
            data = files.read(path, _FILE_BYTES_MAX)
        except FileNotFoundError:
            return _Kept([], {})
        try:
            return _parse(data)
        except (ValueError, KeyError, TypeError, AttributeError, EntryRefused):
            raise HomeRefused(f"{path} is damaged; remove it, and have the plan approved again") from None

    @contextlib.contextmanager
    def _changing(self, now: dt.datetime) -> Iterator[_Kept]:
        """Context manager for changing the stored approvals; written if the block ends without an error."""
        with files.locked(self._home / "approvals.lock"):
            kept = self._read()
            yield kept
            kept.approvals = [each for each in kept.approvals if now < each.until + APPROVAL_LASTS]
            files.put(self._home / APPROVALS_FILE, _text(kept).encode())


def _wait(wrong: int) -> dt.timedelta:
    """No wait for the first few, then doubling with each."""
    if wrong < _FREE_GUESSES:
        return dt.timedelta()
    return min(dt.timedelta(minutes=2 ** min(wrong - _FREE_GUESSES, 10)), _WAIT_MAX)


def _message(plan: str, role: str, until: dt.datetime) -> bytes:
    return texts("troth/v1", "approval", plan, role, files.instant(until))


def _text(kept: _Kept) -> str:
    approvals = (
        f'\n[[approval]]\nplan = "{each.plan}"\nrole = "{each.role}"\nuntil = {files.instant(each.until)}\n'
        f'signature = "{base64.b64encode(each.signature).decode()}"\n'
        for each in kept.approvals
    )
    guesses = (
        f'\n[[wrong]]\nrole = "{role}"\ncount = {count}\nlast = {files.instant(last)}\n'
        for role, (count, last) in kept.guesses.items()
    )
    return _HEAD + "".join(approvals) + "".join(guesses)


def _parse(data: bytes) -> _Kept:
    found = tomllib.loads(data.decode())
    if found["version"] != 1:
        raise ValueError("of a later Troth")
    return _Kept(
        [_approval(one) for one in found.get("approval", ())],
        {_role(one): (int(one["count"]), one["last"].astimezone(dt.UTC)) for one in found.get("wrong", ())},
    )


def _approval(stored: dict[str, Any]) -> _Approval:
    signature = base64.b64decode(stored["signature"], validate=True)
    return _Approval(Hash(stored["plan"]).text, _role(stored), stored["until"].astimezone(dt.UTC), signature)


def _role(stored: dict[str, Any]) -> str:
    role = stored["role"]
    if not is_role(role):
        raise ValueError("no role of ours")
    return str(role)

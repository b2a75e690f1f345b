"""Approvers of key destruction, export and import: roles, each with its own passphrase.

``TROTH_HOME/approvers.toml`` holds no passphrase: only a salt, and the public half of the Ed25519 key that scrypt makes
of salt and passphrase. So an approval is a signature, which cannot be written by hand, and guessing a passphrase costs
half a second and 128 MiB for each guess. A keyed hash over the file shows that it was changed by hand.

Once there are two approvers, adding or removing one needs the approval of two others. A role is an office, such as
``custodian-a``, and never a person's name, because it goes on record.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from troth.ledger import Hash, NoteRefused, Verifier
from troth.protect import files
from troth.protect.errors import ApprovalRefused, HomeRefused
from troth.protect.hazmat import SigningKey, stretch
from troth.protect.keyring import Keyring
from troth.text import did_you_mean

APPROVERS_FILE = "approvers.toml"
_LOCK_FILE = "approvers.lock"
APPROVERS_MAX = 5
"""PCI DSS 4.0.1, 3.6.1.3: the fewest custodians necessary."""
NEEDED = 2
"""PCI DSS 4.0.1, 3.7.6: dual control."""

_ROLE = re.compile(r"[a-z][a-z0-9-]{1,14}")
_CHARACTERS_MIN = 12
_SALT_BYTES, _SEED_BYTES = 16, 32
_FILE_BYTES_MAX = 65_536
_HEAD = """\
# Who approves that keys are destroyed, exported or imported: see `troth keys approvers`. No passphrase is in here.
# Changed by hand, it is refused.
version = 1
seal = "{}"
"""


@dataclass(frozen=True, slots=True)
class Approver:
    """A role. *key* is the public half of the key pair that its passphrase gives."""

    role: str
    since: dt.datetime
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def sign(self, message: bytes, passphrase: str) -> bytes:
        """Sign *message*. Raises `ApprovalRefused` for a wrong passphrase, after the same work."""
        signing = _signing(passphrase, self.salt)
        if not hmac.compare_digest(signing.public_key, self.key):
            raise ApprovalRefused(f"that is not the passphrase of {self.role}")
        return signing.sign(message)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this role's passphrase made *signature* for *message*."""
        try:
            Verifier(self.role, self.key).verify(message, signature)
        except NoteRefused:
            return False
        return True


@dataclass(frozen=True, slots=True)
class ApproversPlan:
    """The addition or removal of one role; *then* are the approvers afterwards. Two of *others* must approve; *others*
    is empty if there were fewer than two approvers."""

    change: Literal["added", "removed"]
    role: str
    then: tuple[Approver, ...]
    others: tuple[Approver, ...]
    hash: Hash


def plan_approver(
    keyring: Keyring, approvers: Sequence[Approver], role: str, passphrase: str, *, now: dt.datetime
) -> ApproversPlan:
    """Add *role*. The same passphrase gives the same plan. Raises `ApprovalRefused`."""
    if not is_role(role):
        raise ApprovalRefused(
            "a role must be 2 to 15 lower-case letters, digits and hyphens, such as custodian-a; the ledger records "
            "it, so it must name a function and not a person"
        )
    if any(one.role == role for one in approvers):
        raise ApprovalRefused(f"{role} is already an approver; remove it first to give it another passphrase")
    if len(approvers) >= APPROVERS_MAX:
        raise ApprovalRefused(f"there are {APPROVERS_MAX} approvers already, which is the maximum; remove one first")
    if len(passphrase) < _CHARACTERS_MIN:
        raise ApprovalRefused(f"a passphrase must have at least {_CHARACTERS_MIN} characters; use six random words")
    # a different salt for each role and installation, but the same when the approved plan is carried out
    salt = bytes.fromhex(keyring.digest("approver salt", role).text.partition(":")[2])[:_SALT_BYTES]
    if any(hmac.compare_digest(_signing(passphrase, one.salt).public_key, one.key) for one in approvers):
        # one passphrase for both roles would be two roles in one person
        raise ApprovalRefused("another approver has this passphrase; each needs one that nobody else knows")
    one = Approver(role, now, salt, _signing(passphrase, salt).public_key)
    return _plan(keyring, "added", role, approvers, (*approvers, one))


def plan_no_approver(keyring: Keyring, approvers: Sequence[Approver], role: str) -> ApproversPlan:
    """Remove *role*. Raises `ApprovalRefused`."""
    find(approvers, role)
    if len(approvers) == NEEDED:
        raise ApprovalRefused(
            f"{role} is one of two approvers, and two others must approve its removal; add another one first"
        )
    return _plan(keyring, "removed", role, approvers, tuple(one for one in approvers if one.role != role))


def is_role(role: object) -> bool:
    """Whether *role* is a valid name of a role."""
    return isinstance(role, str) and _ROLE.fullmatch(role) is not None


def find(approvers: Sequence[Approver], role: str) -> Approver:
    """The approver with that role. Raises `ApprovalRefused`, which suggests the nearest existing role."""
    for one in approvers:
        if one.role == role:
            return one
    hint = did_you_mean(role, [one.role for one in approvers]) or "; see: troth keys approvers"
    raise ApprovalRefused(f"there is no approver of that role{hint}")


# --- the file -------------------------------------------------------------------------------------------------------


def read_approvers(home: Path, keyring: Keyring) -> tuple[Approver, ...]:
    """The approvers of *home*; empty without a file. Raises `HomeRefused` for a damaged or edited file."""
    path = home / APPROVERS_FILE
    try:
        data = files.read(path, _FILE_BYTES_MAX)
    except FileNotFoundError:
        return ()
    try:
        return parse_approvers(data.decode(), keyring)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HomeRefused(f"{path} is damaged or was changed by hand; restore your newest copy") from None


def write_approvers(
    home: Path, keyring: Keyring, plan: ApproversPlan, *, first: Callable[[], None] = lambda: None
) -> None:
    """Carry out *plan* in *home* after calling *first*; idempotent. A file lock prevents concurrent changes.

    Raises `ApprovalRefused`, and does nothing, if the approvers have changed since the plan was made.
    """
    with files.locked(home / _LOCK_FILE):
        there = read_approvers(home, keyring)
        again = _plan(keyring, plan.change, plan.role, there, plan.then)
        if again.hash != plan.hash and _keys(there) != _keys(plan.then):
            raise ApprovalRefused("the approvers were changed meanwhile; check the new plan, and approve that")
        first()
        files.put(home / APPROVERS_FILE, approvers_text(keyring, plan.then).encode())


def approvers_text(keyring: Keyring, approvers: Sequence[Approver]) -> str:
    """The file's text."""
    body = "".join(
        f'\n[[approver]]\nrole = "{one.role}"\nsince = {files.instant(one.since)}\n'
        f'salt = "{base64.b64encode(one.salt).decode()}"\nkey = "{base64.b64encode(one.key).decode()}"\n'
        for one in approvers
    )
    return _HEAD.format(keyring.digest("approvers", body)) + body


def parse_approvers(text: str, keyring: Keyring) -> tuple[Approver, ...]:
    """Parse the output of `approvers_text` under the same root key. Raises ``ValueError`` and the like."""
    found = tomllib.loads(text)
    approvers = tuple(_approver(one) for one in found.get("approver", ()))
    if not hmac.compare_digest(approvers_text(keyring, approvers).encode(), text.encode()):
        raise ValueError("not the text that was written")
    return approvers


def _approver(stored: dict[str, Any]) -> Approver:
    salt, key = (base64.b64decode(stored[name], validate=True) for name in ("salt", "key"))
    return Approver(str(stored["role"]), stored["since"].astimezone(dt.UTC), salt, key)


def _plan(
    keyring: Keyring, change: Literal["added", "removed"], role: str, now: Sequence[Approver], then: Sequence[Approver]
) -> ApproversPlan:
    others = tuple(one for one in now if one.role != role) if len(now) >= NEEDED else ()
    keys = [part for one in _keys((*now, *then)) for part in one]
    return ApproversPlan(change, role, tuple(then), others, keyring.digest("approvers change", change, role, *keys))


def _keys(approvers: Sequence[Approver]) -> list[tuple[str, bytes]]:
    return sorted((one.role, one.key) for one in approvers)


def _signing(passphrase: str, salt: bytes) -> SigningKey:
    # accents give the same key whichever keyboard they come from
    return SigningKey(stretch(unicodedata.normalize("NFKC", passphrase).encode(), salt, _SEED_BYTES))

"""Registry of keys: which exist, their states and dates (NIST SP 800-57 part 1 §7). Never a key itself.

The keys are in TROTH_HOME, and the registry follows them: `note_keys` compares both and writes news to rows and the
ledger. Only destruction goes the other way: `note_destruction` commits before the key is destroyed. A key destroyed
without an entry is worse than one that outlives its entry a little.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from troth.ledger import Entry, Hash, KeyId, Pseudonym, Value
from troth.protect import FIELD_LASTS, KeyInfo, KeyRefused, Keyring, KeyState, Purpose, opened_until, seals_until
from troth.service.core.jobs.queue import hasten
from troth.service.core.key_erasure import erase_key
from troth.service.core.ledger import record
from troth.service.core.models import EntryRow, KeyRow, Subject

RESEALING = "core.resealing"
"""Job that reseals values of older keys when a field key becomes active."""


def note_keys(keyring: Keyring, *, now: dt.datetime, field: dt.timedelta = FIELD_LASTS) -> None:
    """Bring registry and ledger up to date with every key and its state, each once, whatever other processes do.

    *field* is the declared cryptoperiod of field keys. Raises `KeyRefused` if the database belongs to another root key:
    then nothing in it depends on ours.
    """
    if told := _of_another_root(keyring):
        raise KeyRefused(told)
    known = dict(KeyRow.objects.values_list("key_id", "state"))
    if keyring.id.text not in known:
        _note_root(keyring, now)
    for info in keyring.chain.infos() if keyring.chain is not None else ():
        before = known.get(info.id.text)
        if before is None:
            _note_new(info, now, field)
        elif before not in (info.state, KeyState.DESTROYED):  # `strays` reports keys recorded as destroyed
            _note_change(info, before, now, field)


def require_newest(keyring: Keyring, purpose: Purpose) -> None:
    """Raise `KeyRefused` beside an older keys.toml: newly protected values would depend on keys that are gone once the
    newest copy is restored."""
    if told := _older_copy(keyring, purpose):
        raise KeyRefused(f"TROTH_HOME contains an older keys.toml, so Troth protects nothing new with it: {told[0]}")


def make_key(keyring: Keyring, purpose: Purpose, *, now: dt.datetime, above: int = 0) -> KeyInfo:
    """Activate a new key for *purpose*, numbered higher than *above* and all that the registry knows. Raises as
    `require_newest` does."""
    require_newest(keyring, purpose)
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    return keyring.chain.rotate(purpose, now=now, above=max(above, _highest(purpose)))


def add_key(keyring: Keyring, purpose: Purpose, secret: bytes, label: str, *, now: dt.datetime) -> KeyInfo:
    """Keep and record a new pre-active key. Raises as `require_newest` does."""
    note_keys(keyring, now=now)
    require_newest(keyring, purpose)
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    info = keyring.chain.add(purpose, secret, label, now=now, above=_highest(purpose))
    note_keys(keyring, now=now)
    return info


def end_key(keyring: Keyring, info: KeyInfo, *, now: dt.datetime) -> bool:
    """Destroy a key whose destruction is recorded; False if another process just did. Raises `KeyRefused`."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    try:
        keyring.chain.move(info.name, KeyState.DESTROYED, now=now)
    except KeyRefused:
        if not any(one.id == info.id and one.state is KeyState.DESTROYED for one in keyring.chain.infos()):
            raise
        return False
    return True


def note_destruction(
    info: KeyInfo,
    *,
    now: dt.datetime,
    crypto_erase: bool = False,
    plan: Hash | None = None,
    by: Pseudonym | None = None,
    and_by: Pseudonym | None = None,
) -> None:
    """Record that the key is destroyed, durably and once. Destroy it afterwards.

    With *crypto_erase* the subject keys that depend on it are erased in the same transaction: that is the point.
    """
    given = {"plan": plan, "by": by, "and_by": and_by}
    with transaction.atomic(durable=True):
        if not _rows(info).exclude(state=KeyState.DESTROYED).update(state=KeyState.DESTROYED, destroyed_at=now):
            return
        record(_changed(info, KeyState.DESTROYED, now, **{name: it for name, it in given.items() if it is not None}))
        if crypto_erase and info.purpose == "epoch":
            erase_key(Subject.objects.filter(epoch=info.number, wrapped_key__isnull=False), now=now)


def plan_on_record(info: KeyInfo) -> Hash | None:
    """Plan hash in the entry of the key's destruction; None if there is no such entry or plan."""
    if not _rows(info).filter(state=KeyState.DESTROYED).exists():
        return None
    mark = info.id.text.encode()
    for content in EntryRow.objects.order_by("-id").values_list("content", flat=True).iterator():
        if mark in bytes(content):
            entry = Entry.decode(bytes(content))
            if (entry.kind, entry.fields.get("state")) == ("keys.changed", KeyState.DESTROYED.value):
                plan = entry.fields.get("plan")
                return plan if isinstance(plan, Hash) else None
    return None


def note_lost(keyring: Keyring, *, now: dt.datetime) -> int:
    """Record that every key below the root that is missing from keys.toml is lost: no copy is left, and what depended
    on it stays closed. Returns how many. This creates and opens nothing, so it needs no approval."""
    lost = 0
    for key, _, state, info in _compared(keyring):
        if info is None and state != KeyState.DESTROYED:
            with transaction.atomic(durable=True):
                row = KeyRow.objects.filter(key_id=key).exclude(state=KeyState.DESTROYED)
                if row.update(state=KeyState.DESTROYED, destroyed_at=now):
                    [purpose] = KeyRow.objects.filter(key_id=key).values_list("purpose", flat=True)
                    facts: dict[str, Value] = {"key": KeyId(key), "purpose": purpose, "state": KeyState.DESTROYED.value}
                    record(Entry("keys.changed", now, facts))
                    lost += 1
    return lost


def strays(keyring: Keyring) -> list[str]:
    """Contradictions between registry and TROTH_HOME, each with its fix."""
    found = [told] if (told := _of_another_root(keyring)) else []
    return [*found, *_older_copy(keyring), *_not_ended(keyring)]


def _older_copy(keyring: Keyring, purpose: Purpose | None = None) -> list[str]:
    """Signs that keys.toml is an older copy: it lacks a living key, or has one in use whose end was recorded long
    ago."""
    found = []
    for key, used_for, state, info in _compared(keyring, purpose):
        if info is None and state != KeyState.DESTROYED:
            found.append(f"{key} ({used_for}) is not in keys.toml; restore the newest copy of it")
        elif info is not None and state == KeyState.DESTROYED and not _may_end(info):
            found.append(
                f"{info.name} is recorded as destroyed, but {info.state} in keys.toml; restore the newest copy"
            )
    return found


def _not_ended(keyring: Keyring) -> list[str]:
    """Keys recorded as destroyed that still exist: we were cut short, or an older copy came back."""
    return [
        f"{info.name} is recorded as destroyed, but still in keys.toml: its destruction was interrupted, or an older "
        "copy was restored; destroy it again: troth "
        f"{'keep' if info.purpose == 'epoch' else f'keys destroy {info.name}'}"
        for _, _, state, info in _compared(keyring)
        if info is not None and state == KeyState.DESTROYED and info.state.may_become(KeyState.DESTROYED)
    ]


def _may_end(info: KeyInfo) -> bool:
    return info.state is KeyState.DESTROYED or info.state.may_become(KeyState.DESTROYED)


def _compared(keyring: Keyring, purpose: Purpose | None = None) -> list[tuple[str, str, str, KeyInfo | None]]:
    """Keys below the root that are alive in the registry or in keys.toml, as far as the registry knows them: id,
    purpose and state there, and the file's version."""
    chain = keyring.chain
    living = [one.id.text for one in chain.infos() if one.state is not KeyState.DESTROYED] if chain is not None else []
    known = KeyRow.objects.exclude(purpose="root").filter(~Q(state=KeyState.DESTROYED) | Q(key_id__in=living))
    known = known.filter(purpose=purpose) if purpose is not None else known
    rows = list(known.order_by("id").values_list("key_id", "purpose", "state"))
    # Read the file after the rows: then it is never older than they are, whatever other processes do.
    infos = {info.id.text: info for info in chain.infos()} if chain is not None else {}
    return [(key, used_for, state, infos.get(key)) for key, used_for, state in rows]


def _highest(purpose: Purpose) -> int:
    """Highest key number of *purpose* that this database can know: each number is used once, and a key that was never
    noted shows in what depends on it."""
    noted = KeyRow.objects.filter(purpose=purpose).count()
    if purpose != "epoch":
        return noted
    return max(noted, Subject.objects.aggregate(highest=Max("epoch"))["highest"] or 0)


def _of_another_root(keyring: Keyring) -> str:
    """Error text if the database belongs to another root key, with the fix; empty if it is ours."""
    others = KeyRow.objects.filter(purpose="root").exclude(key_id=keyring.id.text).values_list("key_id", flat=True)
    if not others:
        return ""
    told = f"the database belongs to the root key {', '.join(sorted(others))}, and TROTH_HOME has {keyring.id}"
    return f"{told}; set TROTH_HOME and TROTH_DATABASE_URL to the same deployment"


# --- approvers ------------------------------------------------------------------------------------------------------


def known_approvers(keyring: Keyring) -> frozenset[str]:
    """Approver roles in the registry."""
    row = KeyRow.objects.filter(key_id=keyring.id.text).first()
    return frozenset(row.custodian.split()) if row is not None else frozenset()


def note_approvers(
    keyring: Keyring, roles: Iterable[str], *, now: dt.datetime, plan: Hash, by: tuple[str, ...] = ()
) -> None:
    """Record that *roles* are the approvers, durably: an entry for each one added or removed. *by* are the roles that
    approved it."""
    approved = dict(zip(("by", "and_by"), (keyring.pseudonym("approver", role) for role in by), strict=False))
    with transaction.atomic(durable=True):
        row = KeyRow.objects.select_for_update().get(key_id=keyring.id.text)
        before, after = set(row.custodian.split()), set(roles)
        changes = [(role, "added" if role in after else "removed") for role in sorted(before ^ after)]
        for role, change in changes:
            who = keyring.pseudonym("approver", role)
            record(Entry("approvers.changed", now, {"approver": who, "change": change, "plan": plan, **approved}))
        row.custodian = " ".join(sorted(after))
        row.save(update_fields=["custodian"])


# --- rows -----------------------------------------------------------------------------------------------------------


def _note_root(keyring: Keyring, now: dt.datetime) -> None:
    with (
        contextlib.suppress(IntegrityError),
        transaction.atomic(durable=True),
    ):  # another process has just done the same
        KeyRow.objects.create(
            key_id=keyring.id.text, purpose="root", state=KeyRow.State.ACTIVE, created_at=now, activated_at=now
        )
        record(Entry("keys.created", now, {"key": keyring.id, "purpose": "root"}))


def _note_new(info: KeyInfo, now: dt.datetime, field: dt.timedelta) -> None:
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):
        KeyRow.objects.create(
            key_id=info.id.text,
            purpose=info.purpose,
            created_at=info.since[KeyState.PRE_ACTIVATION],
            **_columns(info, field),
        )
        record(Entry("keys.created", now, {"key": info.id, "purpose": info.purpose}))
        if not info.state.seals:
            record(_changed(info, info.state, now))
        if info.purpose == "field":
            hasten(RESEALING, at=now)


def _note_change(info: KeyInfo, before: str, now: dt.datetime, field: dt.timedelta) -> None:
    with transaction.atomic(durable=True):
        if _rows(info).filter(state=before).update(**_columns(info, field)):
            record(_changed(info, info.state, now))


def _rows(info: KeyInfo) -> QuerySet[KeyRow]:
    return KeyRow.objects.filter(key_id=info.id.text)


def _columns(info: KeyInfo, field: dt.timedelta) -> dict[str, object]:
    return {
        "state": info.state.value,
        "activated_at": info.since.get(KeyState.ACTIVE),
        "protect_until": seals_until(info, field=field),
        "process_until": opened_until(info, field=field),
        "destroyed_at": info.since.get(KeyState.DESTROYED),
    }


def _changed(info: KeyInfo, state: KeyState, now: dt.datetime, **given: Hash | Pseudonym) -> Entry:
    return Entry("keys.changed", now, {"key": info.id, "purpose": info.purpose, "state": state.value, **given})

"""Life cycle of this deployment's keys: inventory, rotation, and operations that need two approvers.

What depends on a key is counted wherever Troth can look: in its own database, and in the declared sealed fields of the
company's stores.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import transaction
from django.db.models import Count

from troth.ledger import Entry, Hash, KeyId, Pseudonym
from troth.protect import (
    EPOCH_GRACE,
    FIELD_LASTS,
    Approvals,
    ApproversPlan,
    ExportPlan,
    Inventory,
    KeyExport,
    KeyInfo,
    KeyRefused,
    Keyring,
    KeyState,
    read_approvers,
    require_free,
    rotate_command,
    take_inventory,
    write_approvers,
    write_export,
)
from troth.service.core.key_registry import (
    end_key,
    known_approvers,
    make_key,
    note_approvers,
    note_destruction,
    note_keys,
    plan_on_record,
    strays,
)
from troth.service.core.ledger import record
from troth.service.core.models import Subject
from troth.service.core.resealing import Resealed, SealedPlace, hanging, reseal
from troth.service.core.subject_keys import scrub
from troth.service.duty import named
from troth.text import did_you_mean


@functools.cache
def sealed_places() -> tuple[SealedPlace, ...]:
    """Every column of Troth's own database that is sealed under field keys."""
    return tuple(place for places in named("sealed") for place in places)


# --- inventory ------------------------------------------------------------------------------------------------------


TokenDomains = Mapping[str, Sequence[int]]
"""Declared token domains with their live key versions; the first makes new tokens."""


def look_at_keys(
    home: Path,
    keyring: Keyring,
    *,
    now: dt.datetime,
    field: dt.timedelta = FIELD_LASTS,
    domains: TokenDomains | None = None,
) -> Inventory:
    """Inventory of the keys in *home* at *now*, with what depends on them. *field* is the declared cryptoperiod of
    field keys, *domains* the declared domains."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    counts = _hanging(domains or {})
    unsound = _unsound(keyring, counts, [one.role for one in read_approvers(home, keyring)])
    held = {name: sum(places.values()) for name, places in counts.items()}
    return take_inventory(home, keyring, now=now, field=field, hanging=held, unsound=unsound)


def _hanging(domains: TokenDomains) -> Mapping[str, Counter[str]]:
    """What depends on each key in Troth's own database and in the declaration: counts by key name and place."""
    counts = {f"field-{number}": places for number, places in hanging(sealed_places()).items()}
    held = Subject.objects.filter(wrapped_key__isnull=False).values("epoch").annotate(keys=Count("pk"))
    for epoch, keys in held.values_list("epoch", "keys"):
        counts[f"epoch-{epoch}"] = Counter({"core_subject.wrapped_key": keys})
    for domain, versions in domains.items():
        for version in versions:
            counts.setdefault(f"token-{version}", Counter())[f"token_domains.{domain}"] += 1
    return counts


def _unsound(keyring: Keyring, counts: Mapping[str, Counter[str]], approvers: Sequence[str]) -> Sequence[str]:
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    found = strays(keyring)
    known = {"field-0", *(info.name for info in keyring.chain.infos())}
    for name, places in counts.items():
        if name not in known:
            where = ", ".join(f"{count:,} in {place}" for place, count in places.items())
            fix = "make it with: troth keys rotate token, or " if name.startswith("token-") else ""
            told = f"{name} is not in keys.toml, and what depends on it cannot be opened ({where})"
            found.append(f"{told}; {fix}restore keys.toml")
    if (on_record := known_approvers(keyring)) != frozenset(approvers):
        told = f"approvers on record are {', '.join(sorted(on_record)) or 'none'}; approvers.toml has "
        told += f"{', '.join(sorted(approvers)) or 'none'}"
        found.append(f"{told}; restore that file, or repeat the interrupted command: troth keys approvers")
    return found


# --- rotation -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RotatedField:
    """The new active key, None if an interrupted rotation was completed instead; and what was resealed."""

    key: KeyInfo | None
    resealed: Resealed


def rotate_field(keyring: Keyring, *, now: dt.datetime, progress: Callable[[int, int], None]) -> RotatedField:
    """Activate a new field key, and reseal Troth's own database under it.

    If values remain under older keys that still open, their rotation was cut short: it is completed instead. *progress*
    gets the number done and the total. Raises `KeyRefused` beside an older keys.toml.
    """
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    note_keys(keyring, now=now)
    active = keyring.chain.active("field")
    if active is not None and (finished := _resealed(keyring, active, progress)).done:
        return RotatedField(None, finished)
    made = make_key(keyring, "field", now=now, above=max(hanging(sealed_places()), default=0))
    note_keys(keyring, now=now)
    return RotatedField(made, _resealed(keyring, made, progress))


def _resealed(keyring: Keyring, active: KeyInfo, progress: Callable[[int, int], None]) -> Resealed:
    total = _left(keyring, active)
    return reseal(keyring, sealed_places(), progress=lambda done: progress(done, total))


def _left(keyring: Keyring, active: KeyInfo) -> int:
    """Number of values under keys other than *active* that still open."""
    assert keyring.chain is not None, "it has an active key"
    return sum(
        sum(places.values())
        for number, places in hanging(sealed_places()).items()
        if number != active.number and (not number or keyring.chain.opens("field", number))
    )


@dataclass(frozen=True, slots=True)
class RotatedTokens:
    """The new token key, None if not requested or the newest one is in no domain yet; and names of the deactivated
    keys."""

    made: KeyInfo | None
    retired: tuple[str, ...]


def rotate_tokens(keyring: Keyring, domains: TokenDomains, *, now: dt.datetime, make: bool) -> RotatedTokens:
    """Deactivate token keys that make no tokens in any domain, and with *make* create a new one. The declaration
    decides which key makes tokens: a new key waits for it, and no second one is made meanwhile. Raises `KeyRefused`
    beside an older keys.toml."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    keys = [info for info in keyring.chain.infos() if info.purpose == "token"]
    makers = {versions[0] for versions in domains.values() if versions}
    newest = max((info.number for info in keys), default=0)
    left = [info for info in keys if info.state.seals and info.number not in makers and info.number != newest]
    retired = tuple(keyring.chain.move(info.name, KeyState.DEACTIVATED, now=now).name for info in left)
    is_waited_for = newest and not any(newest in versions for versions in domains.values())
    made = make_key(keyring, "token", now=now) if make and not is_waited_for else None
    note_keys(keyring, now=now)
    return RotatedTokens(made, retired)


# --- destruction ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DestructionPlan:
    """Destroys a key; what depends on it, counted by place, never opens again. *looked_in* are the systems counted,
    *hash* is what two roles approve."""

    key: KeyInfo
    hanging: Mapping[str, int]
    looked_in: tuple[str, ...]
    crypto_erase: bool
    hash: Hash


InStores = Mapping[str, Counter[tuple[KeyId, int]]]
"""Counts from `troth.stores.keys_in_use`."""


def key_called(keyring: Keyring, name: str) -> KeyInfo:
    """The key *name* (``field-1``). Raises `KeyRefused` with the nearest known name."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    infos = {info.name: info for info in keyring.chain.infos()}
    if name in infos:
        return infos[name]
    if name in ("root", "field-0", keyring.id.text):
        raise KeyRefused(
            "the root key and field-0, which is derived from it, cannot be destroyed: all pseudonyms and "
            "fingerprints depend on them; rewrap the root key instead: troth keys wrap"
        )
    hint = did_you_mean(name, infos) or f"; known keys are: {', '.join(infos) or 'none yet'}"
    raise KeyRefused(f"there is no key {name[:40]!r}{hint}")


def plan_destruction(
    keyring: Keyring,
    name: str,
    *,
    crypto_erase: bool,
    stores: Sequence[str],
    in_stores: InStores,
    now: dt.datetime,
    domains: TokenDomains | None = None,
) -> DestructionPlan:
    """Plan the destruction of key *name*. *in_stores* was counted in the systems *stores*; *domains* are the declared
    ones, which may use a token key.

    If its destruction is recorded and was cut short, the plan is the one approved then, whatever depends on the key by
    now. Raises `KeyRefused` for a key in use, and while something depends on it, unless *crypto_erase* is the point.
    """
    info = key_called(keyring, name)
    if not info.state.may_become(KeyState.DESTROYED):
        fix = f"rotate first: {rotate_command(info)}" if info.state.seals else _since(info)
        raise KeyRefused(f"{info.name} is {info.state} and cannot be destroyed; {fix}")
    held = Counter(_hanging(domains or {}).get(info.name, {}))
    for place, counter in in_stores.items() if info.purpose == "field" else ():
        if count := counter[keyring.id, info.number]:
            held[place] = count
    if not crypto_erase:
        _require_free(info, held, now)
    looked_in = ("troth", *sorted(stores))
    counted = [part for place in sorted(held) for part in (place, held[place])]
    facts = (info.id.text, info.state.value, crypto_erase, len(looked_in), *looked_in, *counted)
    plan = plan_on_record(info) or keyring.digest("keys destroy", *facts)
    return DestructionPlan(info, held, looked_in, crypto_erase, plan)


def _require_free(info: KeyInfo, held: Mapping[str, int], now: dt.datetime) -> None:
    if held:
        where = ", ".join(f"{count:,} in {place}" for place, count in sorted(held.items()))
        if info.purpose == "token":
            raise KeyRefused(f"{info.name} is still declared: {where}; replace its tokens and remove it there first")
        raise KeyRefused(
            f"{info.name} is still needed: {where}; reseal or rewrap that first (troth keys rotate {info.purpose}), "
            "or use --crypto-erase if it shall never be opened again"
        )
    ended = info.since.get(KeyState.DEACTIVATED)
    if ended is not None and now - ended < EPOCH_GRACE:
        raise KeyRefused(
            f"{info.name} was in use until {ended:%H:%M} UTC, and a process may still be storing what it sealed with "
            f"it; try again after {ended + EPOCH_GRACE:%H:%M} UTC"
        )


def _since(info: KeyInfo) -> str:
    return f"it has been so since {info.since[info.state]:%Y-%m-%d %H:%M} UTC"


def destroy(home: Path, keyring: Keyring, plan: DestructionPlan, *, now: dt.datetime) -> tuple[str, str]:
    """Destroy the key, once two roles have approved exactly this plan; returns them. Raises `ApprovalRefused`.

    The entry commits first. After a crash at any point, the same call continues.
    """
    approvals = Approvals(home, read_approvers(home, keyring))
    roles = approvals.require(plan.hash, now=now)
    note_keys(keyring, now=now)
    by, and_by = _pseudonyms(keyring, roles)
    note_destruction(plan.key, now=now, crypto_erase=plan.crypto_erase, plan=plan.hash, by=by, and_by=and_by)
    end_key(keyring, plan.key, now=now)
    scrub()
    approvals.use_up(plan.hash, now=now)
    return roles


# --- approvers, export and import -----------------------------------------------------------------------------------


def change_approvers(home: Path, keyring: Keyring, plan: ApproversPlan, *, now: dt.datetime) -> tuple[str, ...]:
    """Add or remove an approver, once two others have approved that (if there are two); returns them. Raises
    `ApprovalRefused`. After a crash at any point, the same call continues."""
    approvals = Approvals(home, plan.others)
    roles = approvals.require(plan.hash, now=now) if plan.others else ()
    note_keys(keyring, now=now)
    then = [one.role for one in plan.then]
    note = partial(note_approvers, keyring, then, now=now, plan=plan.hash, by=roles)
    write_approvers(home, keyring, plan, first=note)
    approvals.use_up(plan.hash, now=now)
    return roles


def export(home: Path, keyring: Keyring, plan: ExportPlan, target: Path, *, now: dt.datetime) -> tuple[str, str]:
    """Write the keys for the plan's recipients to *target*, once two roles have approved that; returns them. Raises
    `ApprovalRefused`, and `HomeRefused` if *target* exists.

    The approvals are used up and the entry commits before the file is written: every export is recorded.
    """
    approvals = Approvals(home, read_approvers(home, keyring))
    require_free(target)
    roles = approvals.take(plan.hash, now=now)
    note_keys(keyring, now=now)
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    by, and_by = _pseudonyms(keyring, roles)
    with transaction.atomic(durable=True):
        record(
            Entry(
                "keys.exported",
                now,
                {
                    "key": keyring.id,
                    "keys": 1 + len(keyring.chain.infos()),
                    "recipients": len(plan.recipients),
                    "by": by,
                    "and_by": and_by,
                    "plan": plan.hash,
                },
            )
        )
    write_export(plan, home, keyring, target, now=now)
    return roles


def note_import(
    home: Path, keyring: Keyring, key_export: KeyExport, roles: tuple[str, str], *, now: dt.datetime
) -> None:
    """Record that the keys in *home* were imported from an export that *roles* approved, and use up the approvals."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    note_keys(keyring, now=now)
    note_approvers(keyring, [one.role for one in key_export.approvers], now=now, plan=key_export.hash, by=roles)
    by, and_by = _pseudonyms(keyring, roles)
    keys = 1 + len(keyring.chain.infos())
    with transaction.atomic(durable=True):
        record(
            Entry(
                "keys.imported",
                now,
                {"key": keyring.id, "keys": keys, "by": by, "and_by": and_by, "plan": key_export.hash},
            )
        )
    Approvals(home, key_export.approvers).use_up(key_export.hash, now=now)


def _pseudonyms(keyring: Keyring, roles: tuple[str, str]) -> tuple[Pseudonym, Pseudonym]:
    by, and_by = keyring.pseudonyms("approver", roles)
    return by, and_by

"""``troth keys status``, ``rotate``, ``destroy`` and ``drill``: the lifecycle of the keys below the root key."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.cli.keys.plans import apply_option, has_database, show_plan
from troth.cli.keys.root import wrap_facts, wrap_said
from troth.json_values import json_fields, json_value
from troth.text import counted

if TYPE_CHECKING:
    from troth.ledger import KeyId
    from troth.protect import Inventory, Keyring, KeyStanding
    from troth.service.core.key_lifecycle import DestructionPlan, TokenDomains
    from troth.service.core.restore_drill import Drill

_MINUTES = "%Y-%m-%d %H:%M"


# --- status ---------------------------------------------------------------------------------------------------------


@click.command()
@cli.wanted_declaration_option
@click.option("--all", "destroyed", is_flag=True, help="Also list destroyed keys.")
@cli.json_option
def status(declaration: Path, destroyed: bool, as_json: bool) -> None:
    """List the keys, their state relative to their cryptoperiods, and the amount of data that depends on each.

    States and periods are those of NIST SP 800-57. An active key may seal until the end of its originator-usage period,
    which the declaration sets (cryptoperiods), by default a year. Exits with 1 if something is overdue or not sound.

    \b
    Example:  troth keys status
              troth keys status --json
    """
    from troth.protect import KEY_FILE, read_key_file

    keyring = cli.keyring()
    wrapped = read_key_file(cli.home()).way
    found = _look(keyring, *_declared(declaration))
    facts = {"key": str(keyring.id), "file": str(cli.home() / KEY_FILE), "state": "active", "wrap": wrap_facts(wrapped)}
    if as_json:
        cli.print_json({**facts, **_keys_json(found)})
    else:
        click.echo(f"Root key {facts['key']}: active, in {facts['file']}, readable by its owner only.")
        click.echo(
            f"Wrapped by {wrap_said(wrapped)}." if wrapped.name != "none" else "It is not wrapped: protect the file."
        )
        _show_keys(found, destroyed=destroyed)
    cli.fail_if(not found.is_current)


def _look(keyring: Keyring, lasts: dt.timedelta, domains: TokenDomains) -> Inventory:
    from troth.protect import take_inventory

    if not has_database():
        return take_inventory(cli.home(), keyring, now=cli.now(), field=lasts)
    cli.use_database()
    from troth.service.core.key_lifecycle import look_at_keys

    return look_at_keys(cli.home(), keyring, now=cli.now(), field=lasts, domains=domains)


def _declared(path: Path) -> tuple[dt.timedelta, TokenDomains]:
    """The usage period of field keys, and the token domains; defaults if there is no declaration."""
    from troth.declaration import Cryptoperiods, load

    if not path.exists():
        return Cryptoperiods().field_lasts, {}
    declaration = load(path)
    return declaration.cryptoperiods.field_lasts, declaration.token_domains


def _keys_json(inventory: Inventory) -> dict[str, Any]:
    return {
        "keys": [
            json_fields(one.info, "name", "id", "state", "since")
            | json_fields(one, "seals_until", "hanging")
            | json_fields(one.standing, "due", "overdue")
            for one in inventory.keys
        ],
        "approvers": list(inventory.approvers),
        "unsound": list(inventory.unsound),
        "current": inventory.is_current,
    }


def _show_keys(inventory: Inventory, *, destroyed: bool) -> None:
    lines = [("key", "state", "since", "seals until", "items", "due")]
    lines += [_line(one) for one in inventory.keys if destroyed or str(one.info.state) != "destroyed"]
    widths = [max(len(line[at]) for line in lines) for at in range(5)]
    click.echo()
    for line in lines if len(lines) > 1 else ():
        cells = [line[4].rjust(widths[4]) if at == 4 else line[at].ljust(widths[at]) for at in range(5)]
        click.echo("  ".join((*cells, line[5])).rstrip())
    gone = sum(str(one.info.state) == "destroyed" for one in inventory.keys)
    if gone and not destroyed:
        click.echo(f"and {counted(gone, 'destroyed key')}: --all lists them")
    click.echo(
        f"Approvers: {', '.join(inventory.approvers)}."
        if inventory.approvers
        else "There are no approvers yet: see troth keys approvers."
    )
    for fault in inventory.unsound:
        click.echo(f"not sound: {fault}")


def _line(key: KeyStanding) -> tuple[str, str, str, str, str, str]:
    until = f"{key.seals_until:{_MINUTES}}" if key.seals_until and key.info.state.seals else ""
    due = f"OVERDUE: {key.standing.due}" if key.standing.overdue else key.standing.due
    since = f"{key.info.since[key.info.state]:{_MINUTES}}"
    return key.info.name, str(key.info.state), since, until, f"{key.hanging:,}", due


# --- rotate ---------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("purpose", type=click.Choice(["field", "epoch", "token"]), required=False)
@cli.wanted_declaration_option
@cli.json_option
def rotate(purpose: Literal["field", "epoch", "token"] | None, declaration: Path, as_json: bool) -> None:
    """Activate a new key, and move the data of older keys to it. Everything stays readable meanwhile.

    field: reseals the data in Troth's own database. An interrupted rotation is finished before another begins. epoch:
    ends the epoch of subjects' keys early. token: creates a key for tokens, which is used once it is added to
    token_domains. Without an argument: everything that is due.

    \b
    Example:  troth keys rotate
              troth keys rotate field
    """
    keyring = cli.keyring()
    cli.use_database()
    lasts, domains = _declared(declaration)
    facts: dict[str, Any] = {}
    if purpose in (None, "field"):
        facts["field"] = _rotate_field(keyring, lasts, domains, wanted=purpose is not None)
    if purpose in (None, "epoch"):
        facts["epoch"] = _rotate_epoch(keyring, early=purpose is not None)
    if purpose == "token" or (purpose is None and domains):
        facts["token"] = _rotate_tokens(keyring, domains, wanted=purpose is not None)
    cli.answer(facts, *(each["said"] for each in facts.values()), as_json=as_json)


def _rotate_field(keyring: Keyring, lasts: dt.timedelta, domains: TokenDomains, *, wanted: bool) -> dict[str, Any]:
    from troth.service.core.key_lifecycle import rotate_field

    keys = _look(keyring, lasts, domains).keys
    left = any(
        one.hanging and not one.info.state.seals and one.info.state.opens for one in keys if one.info.purpose == "field"
    )
    if not (wanted or left or any(one.standing.overdue for one in keys if one.info.purpose == "field")):
        return {"made": None, "resealed": 0, "closed": 0, "said": "The field key is within its cryptoperiod."}
    with formatting.progress("resealing") as tell:
        found = rotate_field(
            keyring, now=cli.now(), progress=lambda done, total: tell(f"{done:,} of {counted(total, 'value')}")
        )
    made, work = found.key.name if found.key else None, found.resealed
    said = f"{made} is in use." if made else "Continued an interrupted rotation."
    said += f" {counted(work.done, 'value')} resealed."
    if work.closed:
        said += f" {counted(work.closed, 'value')} could not be decrypted, and stay as they are."
    return {"made": made, "resealed": work.done, "closed": work.closed, "said": said}


def _rotate_epoch(keyring: Keyring, *, early: bool) -> dict[str, Any]:
    from troth.protect import EPOCH_GRACE
    from troth.service.core.key_registry import note_keys
    from troth.service.core.subject_keys import SubjectKeys

    assert keyring.chain is not None, "the keyring of a home"
    before = keyring.chain.active("epoch")
    with formatting.progress("rewrapping") as tell:
        rolled = SubjectKeys(keyring).roll(now=cli.now(), early=early, progress=lambda done: tell(counted(done, "key")))
    note_keys(keyring, now=cli.now())
    active = keyring.chain.active("epoch")
    made = active.name if active and active != before else None
    destroyed = [info.name for info in rolled.destroyed]
    if active is None:
        said = "No epoch has begun yet: it begins with the first key of a subject."
    else:
        said = f"{made} has begun." if made else f"{active.name} continues."
        said += f" {counted(rolled.rewrapped, 'key')} of subjects rewrapped."
        said += (
            f" {counted(rolled.closed, 'key')} could not be unwrapped, and stay as they are." if rolled.closed else ""
        )
    if destroyed:
        said += f" {', '.join(destroyed)} destroyed: earlier backups can no longer decrypt the data of erased people."
    elif made:
        minutes = EPOCH_GRACE // dt.timedelta(minutes=1)
        said += f" In {minutes} minutes `troth keep`, or this command without an argument, destroys the previous key."
    return {"made": made, "rewrapped": rolled.rewrapped, "closed": rolled.closed, "destroyed": destroyed, "said": said}


def _rotate_tokens(keyring: Keyring, domains: TokenDomains, *, wanted: bool) -> dict[str, Any]:
    from troth.service.core.key_lifecycle import rotate_tokens

    rotation = rotate_tokens(keyring, domains, now=cli.now(), make=wanted)
    if (key := rotation.made) is not None:
        said = f"{key.name} is created: add {key.number} as the first version of a domain in token_domains."
    elif wanted:
        said = (
            "The newest token key is not used in any domain yet: add it as the first version of one in token_domains."
        )
    else:
        said = "The token keys are in use as declared."
    if rotation.retired:
        said += f" {', '.join(rotation.retired)} no longer creates tokens, but still opens them."
    made = key.name if key is not None else None
    return {"made": made, "retired": list(rotation.retired), "said": said}


# --- destroy --------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("key")
@click.option(
    "--crypto-erase", is_flag=True, help="Destroy the key even though data depends on it, to make that data unreadable."
)
@apply_option
@cli.wanted_declaration_option
@cli.json_option
def destroy(key: str, crypto_erase: bool, approved: str | None, declaration: Path, as_json: bool) -> None:
    """Destroy a key that is no longer in use. Data that still depends on it can never be decrypted again.

    Without --apply it shows the plan: the data that depends on the key, in Troth's own database and in the declared
    sealed fields of the company's stores. Two roles approve that plan by its hash, and then --apply executes it.

    \b
    Example:  troth keys destroy field-1
              troth keys approve dg1:4f0c… --as custodian-a
              troth keys destroy field-1 --apply dg1:4f0c…
    """
    keyring = cli.keyring()
    cli.use_database()
    from troth.service.core.key_lifecycle import destroy as carry_out
    from troth.service.core.key_lifecycle import key_called, plan_destruction

    info = key_called(keyring, key)
    if approved is not None and str(info.state) == "destroyed":  # an earlier call was killed after it destroyed the key
        roles: tuple[str, ...] = ()
    else:
        stores, counts = _in_stores(declaration) if info.purpose == "field" else ((), {})
        plan = plan_destruction(
            keyring,
            key,
            crypto_erase=crypto_erase,
            stores=stores,
            in_stores=counts,
            now=cli.now(),
            domains=_declared(declaration)[1],
        )
        facts = {"key": info.name, "id": str(info.id), "hanging": dict(plan.hanging), "looked_in": list(plan.looked_in)}
        if not show_plan(plan.hash, {**facts, "crypto_erase": crypto_erase}, _words(plan), approved, as_json=as_json):
            return
        roles = carry_out(cli.home(), keyring, plan, now=cli.now())
    by = f", approved by {' and '.join(roles)}" if roles else ""
    cli.answer(
        {"key": info.name, "id": str(info.id), "approved_by": list(roles), "applied": True},
        f"{info.name} is destroyed{by}. Copies of keys.toml still contain it: replace them with new copies.",
        as_json=as_json,
    )


def _in_stores(path: Path) -> tuple[tuple[str, ...], Mapping[str, Counter[tuple[KeyId, int]]]]:
    """Systems whose declared sealed fields were read, and the number of values per key in each place."""
    from troth.stores import keys_in_use

    if not path.exists():
        return (), {}
    with cli.opened(path, read_only=True) as company, formatting.progress("counting") as tell:
        counts = keys_in_use(
            company.declaration, company.stores, progress=lambda place, rows: tell(f"{place}, {counted(rows, 'row')}")
        )
        return tuple(company.stores), counts


def _words(plan: DestructionPlan) -> str:
    since = f"{plan.key.since[plan.key.state]:{_MINUTES}} UTC"
    lines = [f"{plan.key.name} ({plan.key.id}), {plan.key.state} since {since}, is destroyed."]
    lines += [f"  {count:,} in {place} can never be decrypted again" for place, count in sorted(plan.hanging.items())]
    if plan.key.purpose == "token":
        lines.append("  Tokens created with it can no longer be opened. They are not counted.")
    elif not plan.hanging:
        lines.append("  No data depends on it.")
    if plan.key.purpose == "field":
        lines.append(f"Searched: {', '.join(plan.looked_in)}.")
        if plan.looked_in == ("troth",):
            lines.append("No declaration was read (-d): sealed fields in the company's own stores were not counted.")
    return "\n".join(lines)


# --- drill ----------------------------------------------------------------------------------------------------------


@click.command()
@click.option(
    "--backup",
    required=True,
    metavar="URL-OR-FILE",
    help="The restored backup: an SQLite file, or a PostgreSQL URL as '${NAME}' from the environment. Read only.",
)
@cli.json_option
def drill(backup: str, as_json: bool) -> None:
    """Test all available keys on a restored backup of Troth's own database that was made before some erasures.

    Data of erased people must not decrypt after the day named in their receipt; data of all others must, with the
    backup or with today's rows. The result is recorded in the ledger. Exits with 1 if data of an erased person decrypts
    or that of another is lost.

    \b
    Example:  troth keys drill --backup /mnt/restored/troth.sqlite3
              troth keys drill --backup '${RESTORED_DATABASE_URL}'
    """
    keyring = cli.keyring()
    cli.use_database()
    from django.db import transaction

    from troth.service.core.key_registry import note_keys
    from troth.service.core.restore_drill import drill as try_keys
    from troth.service.core.restore_drill import note_drill
    from troth.stores import open_store

    store = open_store("backup", _url(backup), read_only=True)
    note_keys(keyring, now=cli.now())
    try:
        with formatting.progress("trying keys") as tell:
            tried = try_keys(store, keyring, now=cli.now(), progress=lambda done: tell(counted(done, "key")))
    finally:
        store.close()
    with transaction.atomic(durable=True):
        note_drill(tried, now=cli.now())
    cli.answer({**json_value(tried), "passed": tried.is_passed}, _drill_words(tried), as_json=as_json)
    cli.fail_if(not tried.is_passed)


def _url(backup: str) -> str:
    from troth.declaration import SecretMissing, resolve
    from troth.service import Settings

    with cli.usage_errors(SecretMissing):
        text = resolve(backup, os.environ).reveal()
    if ":" not in text:
        if not Path(text).is_file():
            raise click.UsageError(f"there is no file {text}; --backup is an SQLite file or a URL")
        text = f"sqlite:///{Path(text).absolute()}"
    if _place(text) == _place(Settings.read().database.url()):
        raise click.UsageError("that is today's database; restore the backup to another place, and give that")
    return text


def _place(url: str) -> object:
    """The database that a URL refers to, in comparable form."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        file = Path("/" + unquote(parts.path).lstrip("/"))
        return os.stat(file).st_ino if file.exists() else str(file)
    return parts.hostname, parts.port or 5432, parts.path, parts.query


def _drill_words(drill: Drill) -> str:
    others = f"{drill.tried - drill.erased:,} of other people: {drill.opened:,} open"
    lines = [
        f"{counted(drill.tried, 'key')} of subjects in the backup; all available keys were tried on each.",
        f"  {drill.erased:,} of people erased since: {drill.erased_opened:,} open after the day in their receipt",
    ]
    if drill.not_final_yet:
        lines.append(f"  {drill.not_final_yet:,} more of them open until {drill.final_on}, as their receipts say")
    lines.append(f"  {others}, {drill.through_today:,} of them through today's rows; {drill.lost:,} are lost")
    if not drill.erased:
        lines.append("Nobody in this backup was erased later, so it proves nothing about erasure: use an older backup.")
    return "\n".join(lines)

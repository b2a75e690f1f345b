"""``troth api``: API tokens for programs, webhooks that notify them, and probers that look from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields

_DAYS = 90


def _scopes() -> Sequence[str]:
    from troth.service.api.scopes import scopes

    return scopes()


def _events() -> Sequence[str]:
    from troth.service.duty import gathered

    return tuple(gathered("webhooks"))


@click.group()
def api() -> None:
    """Manage API tokens and webhooks of programs, and probers.

    \b
    Example:  troth api token make shop --scope cases.write --scope cases.read
              troth api hook make https://shop.example.org/troth --event case.closed
    """


@api.group()
def token() -> None:
    """Create, list and revoke API tokens.

    \b
    Example:  troth api token make shop --scope cases.write
    """


@token.command("make")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=cli.Registered(_scopes),
    help="A scope of the token. Repeatable.",
)
@click.option(
    "--program", default="", help="The existing program that the token is for.  [default: a new one, called NAME]"
)
@click.option(
    "--days", default=_DAYS, show_default=True, type=click.IntRange(1, 366), help="How long the token is valid."
)
@cli.service_declaration_option
@cli.json_option
def make_token(name: str, scopes: tuple[str, ...], program: str, days: int, as_json: bool) -> None:
    """Create a token called NAME, which is shown only this once. A further token of the same program has another name,
    and may follow the cases that the program opened.

    \b
    Example:  troth api token make shop --scope cases.write
              troth api token make shop_2027 --program shop --scope cases.write
    """
    _ready()
    from troth.service.api import tokens

    now = cli.now()
    until = now + dt.timedelta(days=days)
    secret = tokens.make(name, scopes, until=until, now=now, program=program)
    facts = {"name": name, "token": secret, "until": until.date().isoformat()}
    cli.answer(facts, f"{name}, valid until {until:%Y-%m-%d}; shown only this once:\n  {secret}", as_json=as_json)


@token.command("list")
@cli.service_declaration_option
@cli.json_option
def list_tokens(as_json: bool) -> None:
    """List tokens with their scopes, expiry date and last use.

    \b
    Example:  troth api token list
    """
    _ready()
    from troth.service.api.models import ApiToken

    rows = list(ApiToken.objects.order_by("name"))
    told = [
        json_fields(row, "name", "program", "scopes")
        | {"until": row.until.date().isoformat(), "ended": row.ended_at is not None}
        | json_fields(row, "used_on")
        for row in rows
    ]
    if as_json:
        cli.print_json(told)
        return
    for row in rows:
        ended = ", ended" if row.ended_at else ""
        used = f", last used {row.used_on}" if row.used_on else ", never used"
        of = f" of {row.program}" if row.program != row.name else ""
        click.echo(f"{row.name}{of}  {' '.join(row.scopes)}  until {row.until:%Y-%m-%d}{ended}{used}")
    if not rows:
        click.echo("There are no tokens.")


@token.command("end")
@click.argument("name")
@cli.service_declaration_option
def end_token(name: str) -> None:
    """Revoke the token NAME immediately.

    \b
    Example:  troth api token end shop
    """
    _ready()
    from troth.service.api import tokens

    if not tokens.end(name, now=dt.datetime.now(dt.UTC)):
        raise click.UsageError("there is no such token; troth api token list shows them")
    click.echo(f"{cli.printable(name)} is revoked.")


@api.group()
def hook() -> None:
    """Create, list and remove webhooks.

    \b
    Example:  troth api hook make https://shop.example.org/troth --event case.closed
    """


@hook.command("make")
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=cli.Registered(_events),
    help="An event to send. Repeatable.  [default: all]",
)
@cli.service_declaration_option
@cli.json_option
def make_hook(url: str, events: tuple[str, ...], as_json: bool) -> None:
    """Create a webhook that sends events to URL. Its signing secret is shown only this once.

    \b
    Example:  troth api hook make https://shop.example.org/troth --event case.closed
    """
    _ready()
    from django.conf import settings

    from troth.service.api import webhooks
    from troth.service.core.keys import keyring

    keys = keyring(settings.TROTH.home)
    made, secret = webhooks.make(url, events or _events(), keys=keys, now=dt.datetime.now(dt.UTC))
    cli.answer(
        {"id": made.pk, "url": made.url, "events": made.events, "secret": secret},
        f"Webhook {made.pk}. The secret to check its signatures with, shown only this once:\n  {secret}",
        as_json=as_json,
    )


@hook.command("list")
@cli.service_declaration_option
@cli.json_option
def list_hooks(as_json: bool) -> None:
    """List webhooks and whether their messages are delivered.

    \b
    Example:  troth api hook list
    """
    _ready()
    from troth.service.api.models import Delivery, Webhook

    told = []
    for row in Webhook.objects.filter(ended_at=None).order_by("pk"):
        waiting = Delivery.objects.filter(hook=row, done_at=None)
        tried = waiting.exclude(why="").order_by("-pk").first()
        why = tried.why if tried is not None else ""
        told.append({"id": row.pk, "url": row.url, "events": row.events, "waiting": waiting.count(), "why": why})
    if as_json:
        cli.print_json(told)
        return
    for one in told:
        why = f" ({one['why']})" if one["why"] else ""
        click.echo(f"{one['id']}  {one['url']}  {' '.join(one['events'])}  {one['waiting']} waiting{why}")
    if not told:
        click.echo("There are no webhooks.")


@hook.command("end")
@click.argument("number", type=int)
@cli.service_declaration_option
def end_hook(number: int) -> None:
    """Remove webhook NUMBER immediately.

    \b
    Example:  troth api hook end 1
    """
    _ready()
    from troth.service.api import webhooks

    if not webhooks.end(number, now=dt.datetime.now(dt.UTC)):
        raise click.UsageError("there is no such webhook; troth api hook list shows them")
    click.echo(f"Webhook {number} is removed.")


@api.group()
def prober() -> None:
    """Create, list and end probers: programs on a host in another network, which report what answers from outside.

    \b
    Example:  umask 077; troth api prober make office > prober.json
    """


@prober.command("make")
@click.argument("name")
@click.option(
    "--host", "hosts", multiple=True, help="A further public host of yours, such as that of a database. Repeatable."
)
@click.option(
    "--reference",
    default="",
    help="A host that answers on every port, to show that the prober's network lets connections out.",
)
@cli.service_declaration_option
def make_prober(name: str, hosts: tuple[str, ...], reference: str) -> None:
    """Print the configuration of the prober NAME, with its key, which is shown only this once. For an existing prober
    it is a new key, and the old one ends; do that when systems of the declaration change. Set the umask first, or other
    accounts can read the file.

    \b
    Example:  umask 077; troth api prober make office > prober.json
              umask 077; troth api prober make office --host db.example.org > prober.json
    """
    _ready()
    from troth.service.assurance import probers
    from troth.service.core.deployment import current

    made = probers.make(name, deployment=current(), now=cli.now(), hosts=hosts, reference=reference)
    cli.print_json(made)


@prober.command("list")
@cli.service_declaration_option
@cli.json_option
def list_probers(as_json: bool) -> None:
    """List probers with their last report, and from where it came.

    \b
    Example:  troth api prober list
    """
    _ready()
    from troth.service.assurance.models import ProberRow

    rows = list(ProberRow.objects.order_by("name"))
    if as_json:
        cli.print_json(
            [
                json_fields(row, "name", "hosts", "reported_at", "seen_from") | {"ended": bool(row.ended_at)}
                for row in rows
            ]
        )
        return
    for row in rows:
        at = f"reported {row.reported_at:%Y-%m-%d %H:%M} from {row.seen_from}" if row.reported_at else "no report yet"
        click.echo(f"{row.name}  {' '.join(row.hosts)}  {at}{', ended' if row.ended_at else ''}")
    if not rows:
        click.echo("There are no probers.")


@prober.command("end")
@click.argument("name")
@cli.service_declaration_option
def end_prober(name: str) -> None:
    """End the prober NAME immediately: its reports are refused, and the last one no longer counts.

    \b
    Example:  troth api prober end office
    """
    _ready()
    from troth.service.assurance import probers

    if not probers.end(name, now=cli.now()):
        raise click.UsageError("there is no such prober; troth api prober list shows them")
    click.echo(f"{cli.printable(name)} is ended.")


def _ready() -> None:
    """Set up Troth's own database; migrate it, except in production."""
    from troth.service.server import migrate, set_up

    if not set_up().is_production:
        migrate()

"""``troth staff``: manages staff accounts and their grants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.text import counted

if TYPE_CHECKING:
    from troth.service.staff.models import Grant, StaffMember
    from troth.service.staff.rights import StaffRight, StaffRole

_ROLES = ("handler", "approver", "officer", "deputy", "auditor", "administrator")


def _rights() -> Sequence[str]:
    from troth.service.staff.rights import rights

    return rights()


_roles_option = click.option(
    "--role", "roles", multiple=True, type=click.Choice(_ROLES), help="A role: a set of rights. Repeatable."
)
_rights_option = click.option(
    "--right", "rights", multiple=True, type=cli.Registered(_rights), help="A single right. Repeatable."
)
_reason_option = click.option(
    "--reason", required=True, help="Why it is needed, for its reviewer; without names of people."
)
_until_option = click.option(
    "--until",
    type=cli.DAY,
    help="The last day; at most a year from now.  [default: in half a year]",
)


@click.group()
def staff() -> None:
    """Invite staff; give, revoke and review grants; and close accounts.

    For the operator: to create the first account, and when nobody can use the console, which offers the same.

    \b
    Example:  troth staff invite ann@example.org --role administrator --reason "runs the service"
              troth staff list
    """


@staff.command()
@click.argument("email")
@_roles_option
@_reason_option
@_until_option
@click.option("--letter", is_flag=True, help="Send the link by e-mail instead of printing it.")
@cli.service_declaration_option
@cli.json_option
def invite(
    email: str, roles: tuple[str, ...], reason: str, until: dt.datetime | None, letter: bool, as_json: bool
) -> None:
    """Create an account for EMAIL with the grants of its roles, and a link to set a password.

    The link can be used once, within three days. Then they add a second factor and sign the undertaking; until then,
    their grants do not count.

    \b
    Example:  troth staff invite ann@example.org --role administrator --reason "runs the service"
              troth staff invite ben@example.org --role handler --reason "answers requests" --letter
    """
    _begin()
    from django.db import transaction

    from troth.service.staff import actions, messages
    from troth.service.staff.rights import StaffRole

    now = cli.now()
    with transaction.atomic():
        wanted = [StaffRole(role) for role in roles]
        member, token = actions.invite(email, wanted, reason=reason, now=now, until=_end(until))
        if letter:
            messages.post_invitation(member, token, now=now)
    link = messages.link_of(token)
    cli.answer(
        {"account": member.user.username, "letter": letter, "link": None if letter else link},
        "invited; the e-mail with the link is on its way" if letter else link,
        as_json=as_json,
    )


@staff.command("list")
@cli.service_declaration_option
@cli.json_option
def list_(as_json: bool) -> None:
    """List staff, their grants, and why a grant does not count.

    \b
    Example:  troth staff list --json
    """
    _begin()
    from allauth.mfa.models import Authenticator

    from troth.service.staff.actions import holders
    from troth.service.staff.models import StaffMember

    now, factored = cli.now(), set(Authenticator.objects.values_list("user_id", flat=True))
    people = list(StaffMember.objects.select_related("user").order_by("left_at", "user__username"))
    told: list[dict[str, Any]] = [
        {
            "account": member.user.username,
            "left": member.left_at,
            "second_factor": member.user_id in factored,
            "seen": member.seen_at,
            "grants": [_told(grant, now) for grant in member.grants.filter(ended_at__isnull=True).order_by("right")],
        }
        for member in people
    ]
    if as_json:
        cli.print_json({"people": told, "see_personal_data": len(holders(now))})
        return
    for one in told:
        state = "left" if one["left"] else "second factor" if one["second_factor"] else "no second factor"
        click.echo(f"{cli.printable(one['account'])}  ({state})")
        for grant in one["grants"]:
            click.echo(f"  {grant['right']:16} {grant['role']:14} until {grant['until']}  {grant['state']}")
    click.echo(f"{counted(len(holders(now)), 'person', 'people')} with access to personal data")


@staff.command()
@click.argument("email")
@_roles_option
@_rights_option
@_reason_option
@_until_option
@cli.service_declaration_option
@cli.json_option
def grant(
    email: str, roles: tuple[str, ...], rights: tuple[str, ...], reason: str, until: dt.datetime | None, as_json: bool
) -> None:
    """Give a staff member a role or a right, until a date.

    Refused if more people could then see personal data than the policy promises (access.ceiling).

    \b
    Example:  troth staff grant ben@example.org --role deputy --reason "stands in for the officer" --until 2026-12-31
    """
    _require_something(roles, rights)
    _begin()
    from django.db import transaction

    from troth.service.staff import actions
    from troth.service.staff.rights import StaffRole, right_named, rights_of_role

    given: list[Grant] = []
    wanted: list[tuple[StaffRole | None, tuple[StaffRight, ...]]] = [
        (StaffRole(role), rights_of_role(StaffRole(role))) for role in roles
    ]
    wanted += [(None, (right_named(right),)) for right in rights]
    with transaction.atomic():
        for role, bundle in wanted:
            who = actions.find(email)
            given += actions.give(who, bundle, role=role, reason=reason, now=cli.now(), until=_end(until))
    cli.answer({"given": [one.right for one in given]}, f"{counted(len(given), 'right')} given", as_json=as_json)


@staff.command()
@click.argument("email")
@_roles_option
@_rights_option
@click.option("--all", "everything", is_flag=True, help="All grants of the account.")
@cli.service_declaration_option
@cli.json_option
def revoke(email: str, roles: tuple[str, ...], rights: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Revoke grants of a staff member immediately.

    \b
    Example:  troth staff revoke ben@example.org --role handler
    """
    if not everything:
        _require_something(roles, rights)
    _begin()
    from troth.service.staff import actions

    held = actions.find(email).grants.filter(ended_at__isnull=True)
    ended = actions.revoke(
        [one for one in held if everything or one.role in roles or one.right in rights], now=cli.now()
    )
    cli.answer({"ended": ended}, f"{counted(ended, 'right')} ended", as_json=as_json)


@staff.command()
@click.argument("email")
@click.option("--apply", is_flag=True, help="Close the account.")
@cli.service_declaration_option
@cli.json_option
def leave(email: str, apply: bool, as_json: bool) -> None:
    """Close an account: its grants, sessions and second factors end immediately and permanently.

    Without --apply it shows what would end.

    \b
    Example:  troth staff leave ben@example.org --apply
    """
    _begin()
    from troth.service.staff import actions

    member = actions.find(email)
    open_now = member.grants.filter(ended_at__isnull=True).count()
    if apply:
        actions.leave(member, now=cli.now())
    done = "the account is closed" if apply else "nothing was changed; repeat with --apply to close the account"
    cli.answer({"ends": open_now, "applied": apply}, f"{counted(open_now, 'right')}: {done}", as_json=as_json)


@staff.command()
@click.option(
    "--keep", "keep", multiple=True, metavar="EMAIL", help="Confirm that all grants of EMAIL are still needed."
)
@click.option("--end", "end", multiple=True, metavar="EMAIL", help="End all grants of EMAIL.")
@cli.service_declaration_option
@cli.json_option
def review(keep: tuple[str, ...], end: tuple[str, ...], as_json: bool) -> None:
    """Confirm that grants are still needed, or end them.

    A grant that is not reviewed for half a year stops counting. Without --keep and --end it lists the grants, those due
    for review first.

    \b
    Example:  troth staff review
              troth staff review --keep ann@example.org --end ben@example.org
    """
    _begin()
    from troth.service.staff import actions
    from troth.service.staff.models import Grant

    rows = Grant.objects.filter(ended_at__isnull=True, member__left_at__isnull=True)
    rows = rows.select_related("member__user").order_by("reviewed_at", "member__user__username", "right")
    if keep or end:
        kept, ended = actions.review(_of(rows, keep, actions.find), _of(rows, end, actions.find), now=cli.now())
        cli.answer({"kept": kept, "ended": ended}, f"{counted(kept, 'right')} kept, {ended} ended", as_json=as_json)
        return
    now = cli.now()
    told = [{"account": row.member.user.username, "reason": actions.reason_of(row), **_told(row, now)} for row in rows]
    if as_json:
        cli.print_json({"grants": told})
        return
    for one in told:
        line = f"{one['review_by']}  {one['account']}  {one['right']}  {one['state']}  {one['reason']}"
        click.echo(cli.printable(line))
    click.echo(counted(len(told), "grant"))


def _of(rows: Any, emails: tuple[str, ...], find: Callable[[str], StaffMember]) -> list[Grant]:
    wanted = {find(email).pk for email in emails}
    return [row for row in rows if row.member_id in wanted]


def _told(grant: Grant, now: dt.datetime) -> dict[str, str]:
    from troth.service.staff.effective_rights import person_of
    from troth.service.staff.rules import review_due, why_not

    why = why_not(grant, person_of(grant.member), now=now)
    return {
        "right": grant.right,
        "role": grant.role,
        "until": grant.until.date().isoformat(),
        "review_by": review_due(grant).date().isoformat(),
        "state": why.value if why else "counts",
    }


def _require_something(roles: tuple[str, ...], rights: tuple[str, ...]) -> None:
    if not roles and not rights:
        raise click.UsageError("give --role or --right, such as --role handler or --right evidence.read")


def _begin() -> None:
    """Set up Troth's own database."""
    from troth.protect import Keyring
    from troth.service.server import set_up

    Keyring.open(set_up().home)  # raises if there are no keys, with what to do
    cli.use_database()


def _end(day: dt.datetime | None) -> dt.datetime | None:
    """Midnight after *day*, so that the whole day is included."""
    return None if day is None else day.replace(tzinfo=dt.UTC) + dt.timedelta(days=1)

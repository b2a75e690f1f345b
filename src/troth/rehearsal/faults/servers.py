"""Breaches in database servers: who gets in, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from troth.rehearsal.breaches import register
from troth.rehearsal.servers import InventedServer, account
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

# --- accounts of servers ----------------------------------------------------------------------------------------------


def _server(world: World) -> tuple[str, InventedServer]:
    """The first server with personal data."""
    for name, server in world.servers.items():
        tables = world.declaration.systems[name].tables.values()
        if world.is_about(name) and any(it.fields or it.identity or it.mentions for it in tables):
            return name, server
    raise Inapplicable("no database server with personal data")


def readers(world: World, names: Sequence[str], *, why: str, reads: str = "") -> None:
    """Accounts that the first server has besides; they read everything, or only *reads*."""
    system, server = _server(world)
    accounts = [account(name, world.stores.schemas[system], why) for name in names]
    if reads:
        accounts = [replace(it, reads=frozenset({reads})) for it in accounts]
    _serve(world, system, replace(server, accounts=(*server.accounts, *accounts)))


def _serve(world: World, system: str, server: InventedServer) -> None:
    world.servers = {**world.servers, system: server}


def owner_with_login(world: World) -> None:
    system, server = _server(world)
    _serve(world, system, replace(server, accounts=tuple(replace(it, can_login=True) for it in server.accounts)))


def shared(world: World) -> None:
    system, server = _server(world)
    if not any(it.can_login for it in server.accounts):
        raise Inapplicable("no account")
    shared = tuple(replace(it, why="a team shares its password") for it in server.accounts)
    _serve(world, system, replace(server, accounts=shared))


def _more_than_ceiling(world: World) -> list[str]:
    if world.declaration.access is None:
        raise Inapplicable("no ceiling")
    return [f"analyst_{number}" for number in range(world.declaration.access.ceiling + 1)]


def account_for_each(world: World) -> None:
    readers(world, _more_than_ceiling(world), why="a grant on the table")


def opened_and_declared(world: World) -> None:
    names = _more_than_ceiling(world)
    readers(world, names, why="a grant to PUBLIC")
    system, _ = _server(world)
    declared = world.declaration.systems[system].model_copy(update={"accounts": tuple(names)})
    world.declare(systems={**world.declaration.systems, system: declared})


# --- connections ------------------------------------------------------------------------------------------------------


def sessions(world: World, *, seen: int = 0, plain: int = 0, hidden: str = "") -> None:
    """Connections that the first server has besides."""
    name, server = _about(world)
    before = server.sessions
    changed = replace(before, seen=before.seen + seen, plain=before.plain + plain, hidden=hidden)
    _serve(world, name, replace(server, sessions=changed))


def _about(world: World) -> tuple[str, InventedServer]:
    """The first server that the promise is about."""
    for name, server in world.servers.items():
        if world.is_about(name):
            return name, server
    raise Inapplicable("no database server")


def certificate_lost(world: World) -> None:
    name, server = _about(world)
    sessions = replace(server.sessions, plain=server.sessions.seen)
    _serve(world, name, replace(server, sessions=sessions, is_ours_encrypted=False))


def plain_address(world: World) -> None:
    sessions(world, plain=1)
    name, server = _about(world)
    _serve(world, name, replace(server, is_ours_encrypted=False))


def plain_at_night(world: World) -> None:
    sessions(world, seen=1, plain=1)
    sessions(world, seen=-1, plain=-1)


register(__name__)

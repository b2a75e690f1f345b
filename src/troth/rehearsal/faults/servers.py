"""Breaches in database servers: who gets in, and how."""

from __future__ import annotations

from dataclasses import replace

from troth.rehearsal.breaches import breach
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


def _readers(world: World, *names: str, why: str, reads: str = "") -> None:
    """Accounts that the first server has besides; they read everything, or only *reads*."""
    system, server = _server(world)
    accounts = [account(name, world.stores.schemas[system], why) for name in names]
    if reads:
        accounts = [replace(it, reads=frozenset({reads})) for it in accounts]
    _serve(world, system, replace(server, accounts=(*server.accounts, *accounts)))


def _serve(world: World, system: str, server: InventedServer) -> None:
    world.servers = {**world.servers, system: server}


@breach("stores.principals_counted", "A developer makes a database account for reports.")
def report_account(world: World) -> None:
    _readers(world, "reports", why="a grant on the table")


@breach("stores.principals_counted", "Somebody who leaves a team stays in the group that reads everything.")
def group_member(world: World) -> None:
    _readers(world, "former_colleague", why="a member of the group 'readers'")


@breach("stores.principals_counted", "An administrator grants a table to PUBLIC, so that every account reads it.")
def granted_to_public(world: World) -> None:
    _readers(world, "monitoring", "statistics", why="a grant to PUBLIC")


@breach("stores.principals_counted", "The role that owns the tables gets a password, and can log in.")
def owner_with_login(world: World) -> None:
    system, server = _server(world)
    _serve(world, system, replace(server, accounts=tuple(replace(it, can_login=True) for it in server.accounts)))


@breach(
    "stores.principals_counted",
    "An account reads the data through a view.",
    unseen="grants on views are not followed to their tables",
)
def reads_through_view(world: World) -> None:
    _readers(world, "partner", why="a grant on the view", reads="report")


@breach(
    "stores.principals_counted",
    "A whole team uses one account.",
    unseen="people behind one account do not show",
)
def shared_account(world: World) -> None:
    _shared(world)


def _shared(world: World) -> None:
    system, server = _server(world)
    if not any(it.can_login for it in server.accounts):
        raise Inapplicable("no account")
    shared = tuple(replace(it, why="a team shares its password") for it in server.accounts)
    _serve(world, system, replace(server, accounts=shared))


def _more_than_ceiling(world: World) -> list[str]:
    if world.declaration.access is None:
        raise Inapplicable("no ceiling")
    return [f"analyst_{number}" for number in range(world.declaration.access.ceiling + 1)]


@breach("staff.ceiling", "Each analyst gets a database account.")
def account_for_each(world: World) -> None:
    _readers(world, *_more_than_ceiling(world), why="a grant on the table")


@breach("staff.ceiling", "A table is opened to every account of the server, and the accounts are declared.")
def opened_and_declared(world: World) -> None:
    names = _more_than_ceiling(world)
    _readers(world, *names, why="a grant to PUBLIC")
    system, _ = _server(world)
    declared = world.declaration.systems[system].model_copy(update={"accounts": tuple(names)})
    world.declare(systems={**world.declaration.systems, system: declared})


@breach("staff.ceiling", "A whole team uses one account of a database.", unseen="people behind one account do not show")
def shared_below_ceiling(world: World) -> None:
    _shared(world)


# --- connections ------------------------------------------------------------------------------------------------------


def _sessions(world: World, *, seen: int = 0, plain: int = 0, hidden: str = "") -> None:
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


@breach("stores.transport_encrypted", "A new application connects without encryption.")
def plain_client(world: World) -> None:
    _sessions(world, seen=1, plain=1)


@breach("stores.transport_encrypted", "The certificate of the server is lost, and every client goes on without.")
def certificate_lost(world: World) -> None:
    name, server = _about(world)
    sessions = replace(server.sessions, plain=server.sessions.seen)
    _serve(world, name, replace(server, sessions=sessions, is_ours_encrypted=False))


@breach("stores.transport_encrypted", "The database moves, and Troth's own address for it asks for no encryption.")
def plain_address(world: World) -> None:
    _sessions(world, plain=1)
    name, server = _about(world)
    _serve(world, name, replace(server, is_ours_encrypted=False))


@breach("stores.transport_encrypted", "An administrator hides the connections of others from us.")
def hidden_connections(world: World) -> None:
    _sessions(world, hidden="our account sees only its own connections")


@breach(
    "stores.transport_encrypted",
    "A nightly export connects without encryption, and is over by the time of the check.",
    unseen="only connections that are open at the time of the check are seen",
)
def plain_at_night(world: World) -> None:
    _sessions(world, seen=1, plain=1)
    _sessions(world, seen=-1, plain=-1)


@breach(
    "stores.transport_encrypted",
    "A client takes any certificate, also that of somebody in between.",
    unseen="whether clients check the certificate does not show at the server",
)
def unchecked_certificate(world: World) -> None:
    _sessions(world, seen=1)

"""Opening stores: from a system's name and URL to a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from troth.declaration import Declaration, System, resolve
from troth.stores.contract import RequiredGrants, Store, StoreLimits, StoreRefused, Unobserved
from troth.stores.external.contract import ExternalSystem

if TYPE_CHECKING:  # the HTTP client takes 10 MB
    from troth.stores.external.mailchimp import MailchimpList

CONNECTORS = {
    "files": "troth.stores.files.store",
    "mariadb": "troth.stores.sql.store",
    "mysql": "troth.stores.sql.store",
    "postgres": "troth.stores.sql.store",
    "postgresql": "troth.stores.sql.store",
    "sqlite": "troth.stores.sql.store",
}
"""URL scheme to the module whose ``connect(name, url, *, read_only, limits)`` makes the store. A new connector is a
module and a line here; modules are imported on use, so that unused drivers cost nothing."""

TASK = "task"
"""The value in place of a URL for systems that a person handles."""


_HTTP = ("https", "http", "hook+https", "hook+http")
"""URL schemes of systems that are asked over HTTP; ``hook+`` means that it is the company's own code."""


def open_store(name: str, url: str, *, read_only: bool = False, limits: StoreLimits | None = None) -> Store:
    """The store at *url*, called *name* in the declaration. Opens no connection yet.

    Raises `StoreRefused` for a URL that no connector understands, or if its driver is not installed (the message names
    the extra to install). No message quotes the URL, except the path of an existing file or folder.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower() if ":" in url else ""
    if scheme not in CONNECTORS:
        raise StoreRefused(f"the store URL of {name} {_misread(url)}", store=name)
    connector = import_module(CONNECTORS[scheme])
    store: Store = connector.connect(name, url, read_only=read_only, limits=limits or StoreLimits())
    return store


def _misread(url: str) -> str:
    """The fault of a URL that no connector understands, with its fix."""
    if not url.strip():
        return "is empty; set the variable that it comes from"
    known = f"must start with one of these, and a colon: {', '.join(sorted(CONNECTORS))}"
    meant = _meant(url)
    return f"{known}; did you mean {meant}" if meant else known


def _meant(url: str) -> str:
    """A suggested URL for the existing file or folder at path *url*, or the beginning of one for its protocol."""
    from fsspec.registry import known_implementations

    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in known_implementations:
        return f"files:{scheme}://…"
    try:
        return f"sqlite:///{url}" if Path(url).is_file() else f"files:{url}" if Path(url).is_dir() else ""
    except (OSError, ValueError):
        return ""


def grants(store: Store, role: str, access: Sequence[RequiredGrants] | None = None) -> str:
    """The SQL script that creates *role* with exactly *access*, for an administrator to read and run.

    Without *access* it is the script for an audit: read every table, and nothing else. The script holds no password;
    the role cannot log in until someone sets one. Raises `UnknownName`, and `StoreRefused` if a place has no roles of
    its own (SQLite, files: the file's mode decides).
    """
    script = getattr(store, "grants", None)
    if script is None:
        raise StoreRefused(
            f"{store.name} has no roles to grant to: the mode of its files decides who can read it", store=store.name
        )
    written: str = script(role, access)
    return written


def readable_part(store: Store) -> tuple[Store, Unobserved]:
    """*store* without the files that cannot be read, and what that omits: for an audit, which examines a place as it
    is. Requests need all of it, and are refused if a part cannot be read. Raises `StoreError`."""
    part = getattr(store, "readable_part", None)
    if part is None:
        return store, Unobserved()
    found: tuple[Store, Unobserved] = part()
    return found


def other_files(store: Store, known: Collection[str]) -> Mapping[str, int]:
    """The number of files in *store* that it cannot read as tables, by ending, without those that a pattern of *known*
    matches. A database has none. Raises `StoreError`."""
    count = getattr(store, "other_files", None)
    found: Mapping[str, int] = count(known) if count is not None else {}
    return found


def open_system(
    name: str, system: System, environ: Mapping[str, str], *, read_only: bool = False, limits: StoreLimits | None = None
) -> Store:
    """The store of one declared system, with its URL from *environ*. Opens no connection yet.

    Raises `SecretMissing` for a reference that is not set, and as `open_store` does; `StoreRefused` for a system that
    is not read directly.
    """
    if not system.is_looked_into:
        raise StoreRefused(f"{name} is an external system, which Troth does not read", store=name)
    url = resolve(system.store, environ).reveal()
    only_reads = read_only or system.read_only
    if not url.lower().startswith("files:"):
        return open_store(name, url, read_only=only_reads, limits=limits)
    from troth.stores.files.store import FileTable, connect

    tables = {each: FileTable(table.path, table.key or ()) for each, table in system.tables.items()}
    return connect(name, url, read_only=only_reads, limits=limits or StoreLimits(), tables=tables)


def open_stores(declaration: Declaration, environ: Mapping[str, str], *, read_only: bool = False) -> dict[str, Store]:
    """The stores of all declared systems that Troth reads, by name. Raises as `open_system` does, for the first that
    cannot be opened."""
    return {
        name: open_system(name, system, environ, read_only=read_only)
        for name, system in declaration.systems.items()
        if system.is_looked_into
    }


def is_asked(system: System) -> bool:
    """Whether the system answers for itself, and `open_asked` opens it. A system that is neither read nor asked is a
    `TASK`, done by a person."""
    return not system.is_looked_into and system.store != TASK


def open_mailing_list(name: str, system: System, environ: Mapping[str, str]) -> MailchimpList:
    """The list of Mailchimp that the declared system is, with its address and key from *environ*. Opens no connection
    yet. Raises as `open_asked` does."""
    from troth.stores.external import mailchimp

    assert system.asked is not None, "a list is asked"
    secret = system.asked.secret
    key = resolve(secret, environ).reveal() if secret else None
    return mailchimp.open_list(name, resolve(system.store, environ).reveal(), system.asked, key)


def open_asked(name: str, system: System, environ: Mapping[str, str]) -> ExternalSystem:
    """The declared system, with its address and secret from *environ*. Opens no connection yet.

    Raises `SecretMissing` for a reference that is not set, and `StoreRefused` for a system that is not asked, an
    invalid address, or a secret that is too short. No message quotes either.
    """
    if not is_asked(system) or system.asked is None:
        raise StoreRefused(f"{name} is not asked: its 'asked' does not declare how", store=name)
    url = resolve(system.store, environ).reveal()
    scheme = url.partition(":")[0].lower()
    if scheme == "hook":
        from troth.stores.external import hook

        return hook.connect(name, url, system.asked)
    key = resolve(system.asked.secret, environ).reveal() if system.asked.secret else None
    if scheme == "mailchimp":
        from troth.stores.external import mailchimp

        return mailchimp.connect(name, url, system.asked, key)
    if scheme not in _HTTP:
        raise StoreRefused(f"the address of {name} must start with https://, mailchimp: or hook:", store=name)
    from troth.stores.external import http

    return http.connect(name, url, system.asked, key)

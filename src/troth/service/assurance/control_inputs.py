"""Inputs of controls: the company's stores, its site, its policy, and Troth's own records."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module

from troth.controls import ControlFinding
from troth.declaration import Audience, SecretMissing, System
from troth.service.assurance.integrity import contradictions
from troth.service.core.deployment import Deployment, NoDeployment
from troth.service.core.own_tables import OWN
from troth.service.database import may_pass
from troth.service.duty import duties, gathered, resolve
from troth.service.settings import TROTH
from troth.site import Site, SiteSnapshot
from troth.stores import ExternalSystem, Store, StoreError, open_asked, open_store, open_system

_LOG = logging.getLogger("troth.keep")
_PACKAGES = ("controls", "policy", "site", "stores", "detect", "redact", "subjects")

_RIGHTS = ("view", "amend", "erase", "port", "restrict", "object", "withdraw")
PAGES = (
    "/policy/",
    "/policy/versions/",
    "/ledger/",
    "/your-data/",
    *(f"/your-data/{page}/" for page in ("choices", "complain", "ask", "again", "stop", "tracking", *_RIGHTS)),
)
"""Hard-coded, because asking Django for them would load every page into the worker; a test compares them."""
FIELDS = frozenset(
    "email reference-2 residence message clause agent_name agent_email purposes list choice what-0 new-0".split()  # noqa: SIM905
)
"""Names of the fields of the forms on these pages; a test compares them too."""
STATUS_PAGES = ("/policy/status/", "/policy/principles/")
STAFF = ("/console/",)
"""Pages that are not for visitors, also where a page links to them."""


def register_answers() -> None:
    """Import every package that answers controls. Idempotent."""
    for module in (f"troth.{package}.controls" for package in _PACKAGES):
        if importlib.util.find_spec(module) is not None:
            import_module(module)
    for duty in duties().values():
        if duty.controls:
            import_module(duty.controls)


def site_of(deployment: Deployment) -> Site:
    """The declared site, with our own pages and the fields of their forms. Raises `ProbeError` if none is declared."""
    return replace(Site.of(deployment.declaration), also=pages_for_everyone(deployment), also_asks=FIELDS, staff=STAFF)


@contextlib.contextmanager
def one_look(deployment: Deployment, now: dt.datetime) -> Iterator[SiteSnapshot | None]:
    """Context manager: the site for all controls of a session, also for those that run after one was abandoned; None
    if no site is declared."""
    if not deployment.declaration.organisation.site:
        yield None
        return
    with contextlib.closing(SiteSnapshot(site_of(deployment), now=now)) as snapshot:
        yield snapshot


@contextlib.contextmanager
def look(
    deployment: Deployment,
    now: dt.datetime,
    site: SiteSnapshot | None = None,
    *,
    needed: Collection[str] | None = None,
) -> Iterator[Mapping[str, object]]:
    """Context manager for control inputs, by the names in `troth.controls.CONTROL_INPUTS`; closes what it opens. Of
    what duties supply, only the *needed* inputs are made, if these are given.

    A store that cannot be opened is omitted, so that its controls report it as not observed.
    """
    with contextlib.ExitStack() as opened:
        stores: dict[str, Store] = {}
        asked: dict[str, ExternalSystem] = {}
        for name, system in deployment.declaration.systems.items():
            if not system.is_looked_into:
                with contextlib.suppress(SecretMissing, StoreError):  # a manual task, or its control reports the gap
                    asked[name] = opened.enter_context(contextlib.closing(open_asked(name, system, os.environ)))
                continue
            store = _opened(name, system)
            if store is not None:
                opened.callback(store.close)
                stores[name] = store
        seen: dict[str, object] = {
            "declaration": deployment.declaration,
            "collector": "keep",
            "stores": stores,
            "asked": asked,
            "is_away": may_pass,
            "now": now,
            **{
                name: resolve(given.supply)(deployment, now)
                for name, given in gathered("inputs").items()
                if needed is None or name in needed
            },
        }
        with contextlib.suppress(NoDeployment):  # its controls report that they had no policy
            seen |= {"policy": deployment.policy, "policy_text": deployment.policy.published}
        if site is not None:
            seen["site"] = site
        yield seen


def contradicted(deployment: Deployment, now: dt.datetime) -> Callable[[], Iterable[ControlFinding]]:
    return partial(contradictions, now)


def pages_for_everyone(deployment: Deployment) -> tuple[str, ...]:
    """Our public pages; the status pages only if the status is published to everybody."""
    is_published = deployment.declaration.policy.publish.status is Audience.PUBLIC
    return (*PAGES, *STATUS_PAGES) if is_published else PAGES


def _opened(name: str, system: System) -> Store | None:
    try:
        if name == OWN:
            return open_store(name, TROTH.database.url(), read_only=True)
        return open_system(name, system, os.environ, read_only=True)
    except (SecretMissing, StoreError) as error:
        _LOG.warning("the store of %s is not checked: %s", name, error)
        return None

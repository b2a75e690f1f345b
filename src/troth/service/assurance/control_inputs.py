"""Inputs of controls: the company's stores, its site, its policy, and Troth's own records."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module

from django.contrib.auth.models import User

from troth.declaration import Audience, SecretMissing, System
from troth.protect import Keyring
from troth.service.assurance.integrity import contradictions
from troth.service.assurance.pushed_evidence import pushed_evidence
from troth.service.core.deployment import Deployment
from troth.service.core.holds import in_force
from troth.service.core.journal import DatabaseJournal
from troth.service.core.key_lifecycle import look_at_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog
from troth.service.core.own_tables import OWN
from troth.service.core.tombstones import Tombstones
from troth.service.database import may_pass
from troth.service.disclosures.register import Register
from troth.service.mail.controls import look_at_letters
from troth.service.policy_pages.publication import held_back
from troth.service.settings import TROTH
from troth.service.staff.roster import roster
from troth.site import Site
from troth.stores import ExternalSystem, Store, StoreError, open_asked, open_store, open_system

_LOG = logging.getLogger("troth.keep")
_PACKAGES = ("controls", "policy", "site", "stores", "detect", "redact", "subjects")
_OWN = tuple(
    f"troth.service.{room}.controls" for room in ("core", "staff", "disclosures", "requests", "mail", "policy_pages")
)

_RIGHTS = ("view", "amend", "erase", "port", "restrict", "object", "withdraw")
PAGES = (
    "/policy/",
    "/policy/versions/",
    "/ledger/",
    "/your-data/",
    *(f"/your-data/{page}/" for page in ("choices", "complain", "ask", "again", *_RIGHTS)),
)
"""Hard-coded, because asking Django for them would load every page into the worker; a test compares them."""
STATUS_PAGES = ("/policy/status/", "/policy/principles/")


def register_answers() -> None:
    """Import every package that answers controls. Idempotent."""
    for module in (*(f"troth.{room}.controls" for room in _PACKAGES), *_OWN):
        if importlib.util.find_spec(module) is not None:
            import_module(module)


@contextlib.contextmanager
def look(company: Deployment, keyring: Keyring, now: dt.datetime) -> Iterator[Mapping[str, object]]:
    """Context manager for control inputs, by the names in `troth.controls.LOOKING`; closes what it opens.

    A store that cannot be opened is omitted, so that its controls report it as not observed.
    """
    signer = ledger_signer(keyring, company.declaration.organisation)
    team = roster(now)
    lasts, domains = company.declaration.cryptoperiods.field_lasts, company.declaration.token_domains
    with contextlib.ExitStack() as opened:
        stores: dict[str, Store] = {}
        asked: dict[str, ExternalSystem] = {}
        for name, system in company.declaration.systems.items():
            if not system.is_looked_into:
                with contextlib.suppress(SecretMissing, StoreError):  # a manual task, or its control reports the gap
                    asked[name] = opened.enter_context(contextlib.closing(open_asked(name, system, os.environ)))
                continue
            store = _opened(name, system)
            if store is not None:
                opened.callback(store.close)
                stores[name] = store
        seen: dict[str, object] = {
            "declaration": company.declaration,
            "collector": "keep",
            "stores": stores,
            "asked": asked,
            "policy": company.policy,
            "policy_text": company.policy.published,
            "log": DatabaseLog(signer),
            "contradicted": partial(contradictions, now),
            "keyring": keyring,
            "keys": partial(look_at_keys, TROTH.home, keyring, now=now, field=lasts, domains=domains),
            "tombstones": Tombstones(keyring),
            "journal": DatabaseJournal(),
            "holders": sorted({*team.holders, *_superusers()}),
            "roster": team,
            "holds": in_force(now),
            "disclosures": Register(keyring),
            "letters": look_at_letters(now),
            "pushed": pushed_evidence(),
            "held_back": partial(held_back, company, now),
            "is_away": may_pass,
            "now": now,
        }
        if company.declaration.organisation.site:
            seen["site"] = replace(Site.of(company.declaration), also=pages_for_everyone(company))
        yield seen


def pages_for_everyone(company: Deployment) -> tuple[str, ...]:
    """Our public pages; the status pages only if the status is published to everybody."""
    is_published = company.declaration.policy.publish.status is Audience.PUBLIC
    return (*PAGES, *STATUS_PAGES) if is_published else PAGES


def _superusers() -> list[int]:
    """Active Django superusers. Troth creates none; somebody else may have."""
    return list(User.objects.filter(is_active=True, is_superuser=True).values_list("pk", flat=True))


def _opened(name: str, system: System) -> Store | None:
    try:
        if name == OWN:
            return open_store(name, TROTH.database.url(), read_only=True)
        return open_system(name, system, os.environ, read_only=True)
    except (SecretMissing, StoreError) as error:
        _LOG.warning("the store of %s is not checked: %s", name, error)
        return None

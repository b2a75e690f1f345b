"""The scripted site of a rehearsal begins with every promise about it kept, whatever the declaration says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

import troth.site.controls  # noqa: F401 - registers them
from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration, OwnControl, load
from troth.policy import PolicyText, read_file
from troth.rehearsal.site import CachedPages, ScriptedPage, ScriptedSite, Start, over_https
from troth.site import Site, SiteSnapshot

COMPANY = Path(__file__).parent / "company"
NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
CONTROLS = (
    "site.policy_published",
    "site.policy_conspicuous",
    "site.transport_encrypted",
    "site.cookies_declared",
    "site.nothing_stored_before_choice",
    "site.signal_honoured",
    "site.links_alive",
    "collection.only_declared_fields",
    "disclosures.only_to_recipients",
)


@pytest.fixture(scope="module")
def policy() -> PolicyText:
    return read_file(COMPANY / "policy.md")


@pytest.fixture(scope="module")
def loaded() -> Declaration:
    return load(COMPANY / "troth.yaml")


def declared(loaded: Declaration, **changes: str) -> Declaration:
    """*loaded* with another address of its site or its policy."""
    us = loaded.organisation.model_copy(update={"site": changes.get("site", loaded.organisation.site)})
    policy = loaded.policy.model_copy(update={"url": changes.get("url", loaded.policy.url)})
    return over_https(loaded.model_copy(update={"organisation": us, "policy": policy}))


def troths(policy: str) -> CachedPages:
    """Pages that Troth serves, in short."""

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [("content-type", "text/html")])
        text = f"<article>{policy}</article>" if environ["PATH_INFO"] == "/policy/" else ""
        return [f'{text}<p><a href="/policy/">Privacy policy</a></p>'.encode()]

    return CachedPages(application)


def look(declaration: Declaration, site: ScriptedSite, policy: PolicyText, control: str) -> Check:
    snapshot = SiteSnapshot(site.served(Site.of(declaration)), now=NOW)
    inputs = {"declaration": declaration, "now": NOW, "site": snapshot, "policy_text": policy.published}
    return run(control, inputs)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"site": "http://localhost:8000"},
        {"site": "https://www.example.org/shop/"},
        {"url": "/privacy"},
        {"url": "https://www.example.org/policies/privacy.html"},
        {"site": "http://localhost:8000", "url": "http://localhost:8000/policy/"},
    ],
    ids=str,
)
def test_every_control_of_the_site_passes(changes: dict[str, str], loaded: Declaration, policy: PolicyText) -> None:
    declaration = declared(loaded, **changes)
    site = ScriptedSite.of(declaration, policy.text, troths(policy.text))
    checks = [look(declaration, site, policy, control) for control in CONTROLS]
    assert {check.control: check.summary for check in checks if check.outcome is not CheckOutcome.PASS} == {}


def get(site: ScriptedSite, address: str, **headers: str) -> httpx.Response:
    with httpx.Client(transport=httpx.WSGITransport(site), headers=headers) as client:
        return client.get(address)


def test_cookies_wait_for_a_choice_and_yield_to_the_signal(loaded: Declaration) -> None:
    site, home = ScriptedSite.of(loaded, "", troths("")), "https://www.example.org/"
    assert not get(site, home).cookies
    assert [*get(site, home, cookie="choice=all").cookies] == ["visits"]
    assert not get(site, home, cookie="choice=all", **{"sec-gpc": "1"}).cookies


def test_what_a_breach_changes_is_not_in_a_copy(loaded: Declaration) -> None:
    site = ScriptedSite.of(loaded, "", troths(""))
    copy = site.copy()
    copy.pages["/"].headers.append(("x-breach", "1"))
    copy.in_clear = ScriptedPage("<h1>Welcome</h1>")
    assert get(site, "http://www.example.org/register/").headers["location"] == "https://www.example.org/register/"
    assert "x-breach" not in get(site, "https://www.example.org/").headers


@pytest.mark.parametrize("url", ["https://www.example.org/figure", "https://status.example.net/"])
def test_a_control_of_the_companys_own_asks_nobody_else(loaded: Declaration, policy: PolicyText, url: str) -> None:
    asked = {"url": url, "json": "/n", "must": "= 0"}
    own = OwnControl.model_validate({"question": "Is it zero?", "http": asked, "cannot_see": "What it hides."})
    declaration = loaded.model_copy(update={"controls": {"ours.figure": own}})
    check = look(declaration, ScriptedSite.of(declaration, "", troths("")), policy, "ours.figure")
    assert (check.outcome, "is not asked" in check.summary) == (CheckOutcome.ERROR, True)

"""Staff in a real browser: in with a passkey alone, or without JavaScript; every page readable, and nothing refused."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page
from tests import forks
from tests.browsing import CONTRAST, axe, opened, too_wide
from tests.scale import FULL
from tests.service.test_server import environment_of

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PASSWORD = "a horse of some other colour"
CONSOLE = ("/console/", "/console/staff/", "/console/staff/invite", "/console/staff/review", "/console/officer/tell")
ACCOUNT = ("/staff/account/", "/staff/account/password", "/staff/account/again")


def invite(company: Path, email: str, *roles: str) -> str:
    """The link for somebody new, by the operator's command; the keep loop writes beside it."""
    command = ["troth", "staff", "invite", email, "--reason", "a test", "--json"]
    command += [part for role in roles for part in ("--role", role)]
    done = forks.run(command, env=environment_of(company), cwd=company)
    assert done.returncode == 0, done.stderr
    link: str = json.loads(done.stdout)["link"]
    return link.partition("/staff/")[2]


def check(page: Page) -> list[str]:
    """What is wrong with the page as it is shown now."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    faults = [*too_wide(page), *page.evaluate(CONTRAST), *axe(page)]
    shots = os.environ.get("TROTH_SHOTS")
    if shots:
        name = page.url.split("/", 3)[3].replace("/", "_") or "root"
        page.screenshot(path=f"{shots}/{name}-{width}.png", full_page=True)
    return [f"{page.url}: {fault}" for fault in faults]


def check_both(page: Page) -> list[str]:
    """What is wrong with it at a desk by day, and on a telephone by night. In `make test` axe looks once."""
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    faults = check(page) if FULL else [*too_wide(page), *page.evaluate(CONTRAST)]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    return faults + check(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def give_word(page: Page) -> None:
    page.get_by_role("checkbox").check()
    press(page, "Sign")


def test_a_passkey_signs_in_alone(browser: Browser, served: str, served_company: Path) -> None:
    page = opened(browser, 1280)
    complaints = list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    page.goto(f"{served}/staff/{invite(served_company, 'ann@example.org', 'administrator')}")
    assert check(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Go on")
    page.get_by_role("link", name="Add a passkey").click()
    assert check(page) == []
    press(page, "Make a passkey")
    page.wait_for_url("**/staff/account/recovery")
    page.goto(f"{served}/staff/account/")
    give_word(page)
    page.goto(f"{served}/console/staff/")
    assert page.get_by_role("heading", name="Staff").is_visible()
    press(page, "Sign out")
    page.goto(f"{served}/staff/sign-in?next=/console/staff/review")
    assert check(page) == []
    press(page, "Sign in with a passkey")
    page.get_by_role("heading", name="Access review").wait_for()
    assert complaints == []
    page.context.close()


def test_without_javascript_an_app_with_codes_does(browser: Browser, served: str, served_company: Path) -> None:
    page = opened(browser, 320, script=False)
    page.goto(f"{served}/staff/{invite(served_company, 'ben@example.org', 'administrator')}")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Go on")
    page.get_by_role("link", name="Add an app with codes").click()
    secret = page.locator("code").inner_text()
    step = int(time.time()) // 30
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, step)))
    press(page, "Add it")
    assert page.get_by_role("heading", name="Recovery codes").is_visible()
    page.goto(f"{served}/staff/account/")
    give_word(page)
    page.goto(f"{served}/console/")
    press(page, "Sign out")
    page.goto(f"{served}/staff/sign-in?next=/console/staff/")
    assert page.get_by_role("button", name="Sign in with a passkey").count() == 0
    page.get_by_label("E-mail address").fill("ben@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    assert page.get_by_role("button", name="Use a passkey").count() == 0
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, step + 1)))
    press(page, "Sign in")
    page.wait_for_url("**/console/staff/")
    page.context.close()


@pytest.mark.scaled
def test_every_staff_page_is_readable_at_both_widths(browser: Browser, served: str, served_company: Path) -> None:
    first = opened(browser, 1280)
    first.goto(f"{served}/staff/{invite(served_company, 'chloe@example.org', 'administrator')}")
    first.get_by_label("Password").fill(PASSWORD)
    press(first, "Go on")
    assert check(first) == []
    first.get_by_role("link", name="Add an app with codes").click()
    assert check(first) == []
    secret, step = first.locator("code").inner_text(), int(time.time()) // 30
    first.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, step)))
    press(first, "Add it")
    assert check(first) == []
    first.goto(f"{served}/staff/account/")
    give_word(first)
    other = invite(served_company, "dora@example.org", "handler")
    assert other
    cookies = first.context.cookies()
    page = opened(browser, 1280)
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    for path in (*CONSOLE, *ACCOUNT):
        page.goto(served + path)
        assert check_both(page) == [], path
    page.goto(f"{served}/console/staff/")
    page.get_by_role("link", name="dora@example.org").click()
    assert check_both(page) == []
    page.get_by_label("What", exact=True).select_option("evidence.read")
    page.get_by_label("Why it is needed").fill("reads along")
    page.get_by_label("Valid until (inclusive)").fill("2020-01-01")
    press(page, "Give it")
    assert "within 1 year" in page.locator("main").inner_text()
    assert check_both(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        heights = "[...document.querySelectorAll('summary, button, nav a, input:not([type=hidden])')].filter(n => n.checkVisibility()).map(n => n.getBoundingClientRect().height)"  # noqa: E501
        assert min(height for height in page.evaluate(heights) if height) >= 20
    page.context.close()
    first.context.close()

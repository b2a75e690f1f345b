"""Looking at a real site: as a stranger, at its first pages, with nothing remembered."""

from __future__ import annotations

from tests.audit import world
from tests.audit.conftest import Served, told

from troth.audit import AuditReport, audit
from troth.site import Site

POLICY = "<main><h1>Privacy policy</h1><p>We collect your e-mail address.</p></main>"
HOME = """<p>We lend books.</p><p><a href="/privacy/">Privacy policy</a> <a href="/join/?from=zqann">Join</a>
<a href="/join/">Join</a> <a href="/catalogue.pdf">Catalogue</a></p>"""
JOIN = '<form method="post"><input name="email" type="email"><input name="phone"><input name="motto"></form>'


def look(web: tuple[str, Served], policy: str | None = None) -> AuditReport:
    text = world.policy(policy) if policy is not None else None
    return audit({}, text, Site(web[0]), now=world.NOW)


def test_the_first_pages_are_read_and_the_policy_is_found(web: tuple[str, Served]) -> None:
    home, pages = web
    pages.update({"/": (HOME, ()), "/privacy/": (POLICY, ()), "/join/": (JOIN, ())})
    site = look(web).facts.site
    assert site is not None
    assert site.pages == ("/", "/privacy/", "/join/")
    assert site.policy_page == f"{home}privacy/"
    assert site.skipped == {}
    assert "zqann" not in repr(site)


def test_a_form_is_read_as_a_table_would_be(web: tuple[str, Served]) -> None:
    web[1].update({"/": (HOME, ()), "/privacy/": (POLICY, ()), "/join/": (JOIN, ())})
    [(_, message)] = told(look(web, "We collect your e-mail address."), "site.field-unnamed")
    assert "a form on /join/ asks for 'phone'" in message


def test_a_cookie_of_the_first_visit_is_told_without_its_value(web: tuple[str, Served]) -> None:
    cookie = ("Set-Cookie", "_ga=zqsecret; Max-Age=86400")
    web[1].update({"/": (HOME, (cookie,)), "/privacy/": (POLICY, ())})
    report = look(web)
    assert "'_ga' is set on the first visit, for 1 day" in told(report, "site.tracking-first")[0][1]
    assert "zqsecret" not in repr(report)


def test_a_link_that_nobody_can_see_is_told(web: tuple[str, Served]) -> None:
    faint = HOME.replace('href="/privacy/"', 'href="/privacy/" style="font-size: 5px"')
    web[1].update({"/": (faint, ()), "/privacy/": (POLICY, ())})
    assert "5 px" in told(look(web), "site.policy-faint")[0][1]
    web[1]["/"] = (HOME, ())
    assert told(look(web), "site.policy-faint") == []


def test_the_published_policy_is_held_against_the_file(web: tuple[str, Served]) -> None:
    web[1].update({"/": (HOME, ()), "/privacy/": (POLICY, ())})
    assert told(look(web, "# Privacy policy\n\nWe collect your e-mail address."), "policy.unlike-site") == []
    assert len(told(look(web, "# Privacy policy\n\nWe collect nothing."), "policy.unlike-site")) == 1


def test_a_script_of_another_company_is_told(web: tuple[str, Served]) -> None:
    web[1]["/"] = (HOME + '<script src="https://static.example-counter.test/a.js"></script>', ())
    assert len(told(look(web, "We tell nobody."), "policy.recipient-unnamed")) == 1


def test_a_site_that_does_not_answer_is_told_and_loses_nothing_else(web: tuple[str, Served]) -> None:
    report = look(web, "We sell nothing.")
    assert "the home page answered 404" in told(report, "site.unreachable")[0][1]
    assert report.facts.policy is not None

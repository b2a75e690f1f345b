"""The site is seen as a stranger sees it, once, and within limits."""

import datetime as dt
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.site.conftest import NOW, POLICY_TEXT, fetch

from troth.controls import answered, run
from troth.declaration import Declaration
from troth.site import FetchLimits, LimitReached, OtherHost, ProbeError, Site, SiteSnapshot, SiteUnreachable
from troth.site.controls import NO_PAGE


@pytest.fixture
def site(world: Any) -> Site:
    return Site(world.home, ("/register/",), FetchLimits(seconds=2, bytes_max=50_000))


def test_a_page_arrives_with_what_it_sets_asks_and_says(site: Site) -> None:
    page = fetch(site, "/register/")

    assert (page.status, page.url) == (200, f"{site.home}register/")
    assert [(cookie.name, cookie.lifetime, cookie.http_only) for cookie in page.cookies] == [("cart", None, True)]
    (form,) = page.forms
    assert [(item.name, item.required) for item in form.fields] == [("email", True), ("phone", False)]
    assert (form.method, form.hidden, page.links[0].text) == ("post", 1, "Privacy policy")


def test_an_answer_of_any_status_is_a_page(site: Site) -> None:
    assert fetch(site, "/nowhere/").status == 404


def test_no_cookie_is_ever_sent(site: Site, world: Any) -> None:
    world.put("/start/", "", ("Location", "/register/"), ("Set-Cookie", "id=1"), status=302)
    page = fetch(site, "/start/")
    fetch(site, "/register/")

    assert [cookie.name for cookie in page.cookies] == ["id", "cart"]
    assert page.redirects == (f"{site.home}start/",)
    assert all("cookie" not in headers for _, headers in world.asked)


def test_a_redirect_to_another_host_is_not_followed(site: Site, world: Any) -> None:
    world.put("/away/", "", ("Location", f"http://localhost:{world.port}/"), status=302)

    with pytest.raises(OtherHost, match=r"127\.0\.0\.1 redirects to localhost"):
        fetch(site, "/away/")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://[x/"])
def test_a_redirect_to_what_is_no_web_page_is_refused(site: Site, world: Any, target: str) -> None:
    world.put("/away/", "", ("Location", target), status=302)
    with pytest.raises(ProbeError):
        fetch(site, "/away/")


def test_a_circle_of_redirects_ends(site: Site, world: Any) -> None:
    world.put("/round/", "", ("Location", "/round/"), status=302)
    with pytest.raises(SiteUnreachable, match="more than 5 times"):
        fetch(site, "/round/")


def test_a_page_that_is_too_large_is_refused(site: Site, world: Any) -> None:
    world.put("/large/", "x" * 60_000)
    with pytest.raises(SiteUnreachable, match="larger than 50000 bytes"):
        fetch(site, "/large/")


def test_a_page_with_more_tags_than_any_page_is_refused(world: Any) -> None:
    world.put("/deep/", "<div>" * 60_000)
    with pytest.raises(ProbeError, match="tags"):
        fetch(Site(world.home), "/deep/")


def test_a_charset_that_nobody_knows_is_read_as_utf_8(site: Site, world: Any) -> None:
    world.pages["/odd/"] = (200, [("Content-Type", "text/html; charset=klingon")], "<p>Café")
    assert fetch(site, "/odd/").text == "Café"


@pytest.mark.parametrize("charset", ["idna", "undefined", "zlib"])
def test_a_codec_that_cannot_read_the_page_is_read_as_utf_8(site: Site, world: Any, charset: str) -> None:
    world.pages["/odd/"] = (200, [("Content-Type", f"text/html; charset={charset}")], "<p>Café")
    assert fetch(site, "/odd/").text == "Café"


def test_a_server_that_does_not_answer_in_time_is_given_up() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = Site(f"http://127.0.0.1:{silent.getsockname()[1]}/", limits=FetchLimits(seconds=0.2))
        begun = time.monotonic()
        with pytest.raises(SiteUnreachable, match="ReadTimeout"):
            fetch(site, "/")
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("home", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://10.0.0.1/"])
def test_private_addresses_are_refused_where_only_public_ones_may_be(home: str) -> None:
    with pytest.raises(SiteUnreachable, match="not public"):
        fetch(Site(home, public_only=True), "/")


@pytest.mark.parametrize("home", ["example.org", "ftp://example.org/", "https:///path"])
def test_a_home_that_is_no_web_address_is_refused(home: str) -> None:
    with pytest.raises(ProbeError, match="must begin with https://"):
        Site(home)


def test_the_declaration_says_where_to_look(company: dict[str, Any]) -> None:
    with pytest.raises(ProbeError, match=r"organisation\.site"):
        Site.of(Declaration.model_validate(company))

    company["organisation"]["site"] = "https://example.org/"
    found = Site.of(Declaration.model_validate(company))
    assert (found.home, found.pages) == ("https://example.org/", ("/register/",))


def test_what_went_wrong_says_where_and_no_more(site: Site) -> None:
    with pytest.raises(SiteUnreachable) as refused:
        fetch(Site("http://127.0.0.1:1/"), "/register/?email=ann@example.org")
    assert str(refused.value) == "/register/ does not answer (ConnectError)"


def test_a_cookie_is_dated_from_the_answer(site: Site, world: Any) -> None:
    world.put("/", "", ("Set-Cookie", "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"))
    (cookie,) = fetch(site, "/").cookies
    assert cookie.lifetime == dt.timedelta(seconds=60)


# --- one look ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def look(site: Site) -> SiteSnapshot:
    return SiteSnapshot(site, now=NOW)


def test_a_page_stays_as_it_was_when_it_was_first_asked_for(look: SiteSnapshot, world: Any) -> None:
    first = look.page("/register/")
    world.put("/register/", "<main>Closed</main>", status=503)
    assert look.page("/register/") == first
    assert look.page(f"{world.home}register/#form") == first
    assert len(world.asked) == 1
    assert dt.timedelta() <= first.fetched_at - NOW < dt.timedelta(minutes=1)


def test_a_page_is_not_asked_again_after_a_redirect_to_it(look: SiteSnapshot, world: Any) -> None:
    world.put("/start/", "", ("Location", "/register/"), ("Set-Cookie", "id=1"), status=302)
    look.page("/register/")
    page = look.page("/start/")
    assert ([cookie.name for cookie in page.cookies], page.redirects) == (
        ["id", "cart"],
        (f"{look.declared.home}start/",),
    )
    assert look.response("/start/").status == 302
    assert [path for path, _ in world.asked] == ["/register/", "/start/"]


@pytest.mark.parametrize("sends", [{"sec-gpc": "1"}, {"cookie": "choice=yes"}, {"accept-language": "de"}])
def test_what_another_visitor_sends_makes_another_page(look: SiteSnapshot, world: Any, sends: dict[str, str]) -> None:
    world.answers["/"] = lambda sent: ([("Content-Type", "text/plain")], str(sends.items() <= sent.items()))
    assert [look.page("/", sends=sends).source for _ in range(2)] == ["True", "True"]
    assert [look.page("/").source for _ in range(2)] == ["False", "False"]
    assert len(world.asked) == 2


def test_a_failure_stays_a_failure_with_its_reason(look: SiteSnapshot, world: Any) -> None:
    def hang_up(sent: dict[str, str]) -> Any:
        raise ConnectionResetError

    world.answers["/register/"] = hang_up
    for _ in range(2):
        with pytest.raises(SiteUnreachable, match=r"^/register/ does not answer \(RemoteProtocolError\)$"):
            look.page("/register/")
        world.answers.clear()
    assert look.view_all().why_not == {"/register/": "/register/ does not answer (RemoteProtocolError)"}
    assert len(world.asked) == 2


def test_evidence_says_from_when_to_when_the_pages_were_looked_at(look: SiteSnapshot) -> None:
    home = look.page("/")
    register = look.page("/register/")
    assert look.view_all().evidence().period == (home.fetched_at, register.fetched_at)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"requests_max": 1}, "one look at the site takes 1 requests"),
        ({"total_seconds": 0}, "or 0 s at most"),
        ({"total_bytes_max": 100}, "one look at the site keeps 100 bytes at most"),
    ],
)
def test_a_limit_for_the_whole_site_is_the_reason_that_a_page_is_missing(
    site: Site, limits: dict[str, Any], reason: str
) -> None:
    look = SiteSnapshot(replace(site, limits=replace(site.limits, **limits)), now=NOW)
    assert look.view_all().pages.keys() == {"/"}
    assert reason in look.view_all().why_not["/register/"]


def test_a_linked_page_leaves_room_for_those_that_are_read(site: Site, world: Any) -> None:
    world.put("/a/", "x" * 500)
    world.put("/b/", "x" * 500)
    look = SiteSnapshot(replace(site, limits=replace(site.limits, total_bytes_max=1_800)), now=NOW)
    linked = [look.page(path, whole=False) for path in ("/a/", "/b/")]
    assert [(page.status, page.unread == "") for page in linked] == [(200, True), (200, False)]
    assert look.page("/register/").forms


def test_a_linked_page_that_was_not_kept_is_requested_again_for_its_text(site: Site, world: Any) -> None:
    world.put("/a/", "x" * 500)
    look = SiteSnapshot(replace(site, limits=replace(site.limits, total_bytes_max=2_600)), now=NOW)
    look.page("/a/", whole=False)
    look.page("/a/", whole=False)
    world.put("/b/", "x" * 100)
    world.put("/c/", "x" * 100)
    look.page("/c/")
    assert look.page("/b/", whole=False).unread
    assert [look.page("/b/").text for _ in range(2)] == ["x" * 100] * 2
    assert look.page("/b/", whole=False).status == 200
    assert [path for path, _ in world.asked] == ["/a/", "/c/", "/b/", "/b/"]


def test_links_count_in_what_a_look_keeps(site: Site, world: Any) -> None:
    world.put("/many/", f"<base href='/{'a' * 1_000}/'>" + "<a href=x></a>" * 1_000)
    look = SiteSnapshot(replace(site, limits=replace(site.limits, total_bytes_max=1_000_000)), now=NOW)
    page = look.page("/many/")
    assert len(page.source) < 20_000 < 1_000_000 < page.size_bytes
    with pytest.raises(SiteUnreachable, match="one look at the site keeps 1000000 bytes at most"):
        look.page("/register/")


@pytest.mark.parametrize("kind", ["application/json", "image/png", "application/pdf"])
def test_a_page_that_is_not_text_is_not_seen(look: SiteSnapshot, world: Any, kind: str) -> None:
    world.pages["/register/"] = (200, [("Content-Type", kind)], world.pages["/register/"][2])
    view = look.view_all()
    assert view.pages.keys() == {"/"}
    assert view.why_not == {"/register/": f"is of the type {kind}, which is not read"}


def test_of_a_file_only_the_headers_are_read(look: SiteSnapshot, world: Any) -> None:
    world.pages["/film"] = (200, [("Content-Type", "video/mp4")], "x" * 60_000)
    assert (look.page("/film").source, look.page("/film").unread) == ("", "")


def test_after_the_session_no_page_is_requested(look: SiteSnapshot, world: Any) -> None:
    look.page("/")
    look.close()
    assert look.page("/").status == 200
    with pytest.raises(LimitReached, match="over"):
        look.page("/register/")
    assert len(world.asked) == 1


def test_a_page_that_an_abandoned_check_still_waits_for_is_a_failure_for_all(site: Site, world: Any) -> None:
    arrived, go_on, late = threading.Event(), threading.Event(), list[Exception]()

    def slow(sent: dict[str, str]) -> Any:
        arrived.set()
        go_on.wait(10)
        return [("Content-Type", "text/plain")], "late"

    def ask(look: SiteSnapshot) -> None:
        try:
            look.page("/")
        except ProbeError as error:
            late.append(error)

    world.answers["/"] = slow
    look = SiteSnapshot(replace(site, limits=FetchLimits(seconds=5)), now=NOW)
    abandoned = threading.Thread(target=ask, args=[look])
    abandoned.start()
    assert arrived.wait(5)
    look.declared = replace(site, limits=FetchLimits(seconds=0.1))  # this one waits less
    with pytest.raises(SiteUnreachable, match="an earlier check still waits"):
        look.page("/")
    go_on.set()
    abandoned.join(5)
    with pytest.raises(SiteUnreachable, match="an earlier check still waits"):
        look.page("/")
    assert [str(error) for error in late] == ["an earlier check still waits for the answer"]


def test_all_controls_of_the_site_read_one_snapshot(look: SiteSnapshot, company: dict[str, Any], world: Any) -> None:
    company["notice"] = {"signals": {"gpc": "honoured", "dnt": "ignored"}}
    looking = {"declaration": Declaration.model_validate(company), "site": look, "policy_text": POLICY_TEXT, "now": NOW}
    controls = ("collection.only_declared_fields", "disclosures.only_to_recipients")
    asking = sorted(id_ for id_ in answered() if id_.startswith("site.") or id_ in controls)
    checks = [run(control, looking) for control in asking]
    world.pages.clear()  # another version, which nobody may see in this run
    assert [run(control, looking) for control in asking] == checks
    asked = Counter((path, sent.get("sec-gpc"), sent.get("cookie")) for path, sent in world.asked)
    assert set(asked.values()) == {1}
    pages = {(path, signal, None) for path in ("/", "/policy/", "/register/") for signal in (None, "1")}
    assert asked.keys() == {*pages, (NO_PAGE, None, None)}

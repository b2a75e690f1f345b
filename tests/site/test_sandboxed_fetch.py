"""A page is fetched as by a stranger, and no further than asked."""

import datetime as dt
import time
from typing import Any

import pytest

from troth.declaration import Declaration
from troth.site import FetchLimits, OtherHost, ProbeError, Site, SiteUnreachable, fetch


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
    assert fetch(site, "/away/", other_hosts=True).status == 200


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://[x/"])
def test_a_redirect_to_what_is_no_web_page_is_refused(site: Site, world: Any, target: str) -> None:
    world.put("/away/", "", ("Location", target), status=302)
    with pytest.raises(ProbeError):
        fetch(site, "/away/", other_hosts=True)


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

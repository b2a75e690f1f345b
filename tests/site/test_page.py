"""What a page says is read from its HTML."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy import published_text
from troth.site.appearance import appearances
from troth.site.page import ADDRESS_MAX, LINKS_MAX, SitePage, read_cookie, read_page
from troth.text import same_words

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
PAGE = SitePage("https://example.org/shop/", 200, {}, NOW)


@each_row(
    ("header", "name", "lifetime"),
    [
        ("a=1", "a", None),
        ("a=1; Path=/; Secure", "a", None),
        ("a=1; max-age=60", "a", dt.timedelta(seconds=60)),
        ("a=1; Max-Age=0", "a", dt.timedelta(0)),
        ("a=1; Max-Age=soon; Expires=Wed, 25 Nov 2026 00:00:00 GMT", "a", dt.timedelta(days=1)),
        ("a=1; Expires=when it suits", "a", None),
        ('a="x=y"; SameSite=Lax', "a", None),
        ("a=1; Max-Age=99999999999999", "a", dt.timedelta(seconds=10**11)),
        ("7f3a9c55e1; Max-Age=60", "", dt.timedelta(seconds=60)),
        ("=1", "", None),
    ],
)
def test_a_cookie_header_is_read_as_a_browser_reads_it(header: str, name: str, lifetime: dt.timedelta | None) -> None:
    cookie = read_cookie(header, now=NOW)
    assert cookie is not None
    assert (cookie.name, cookie.lifetime) == (name, lifetime)


@pytest.mark.parametrize("header", ["", ";;", "=", " = ; Path=/"])
def test_what_a_browser_ignores_is_no_cookie(header: str) -> None:
    assert read_cookie(header, now=NOW) is None


def test_a_cookies_value_is_not_kept() -> None:
    assert "secret" not in repr(read_cookie("a=secret; Path=/", now=NOW))


def test_links_are_whole_addresses_without_fragments() -> None:
    html = (
        '<a href="../policy/#top">The <b>policy</b></a><a href="mailto:x"></a>'
        '<a href="http://[">x</a><a href=x><img alt="Pay"></a>'
    )
    page = read_page(PAGE, html)
    assert [(link.url, link.text) for link in page.links] == [
        ("https://example.org/policy/", "The policy"),
        ("https://example.org/shop/x", "Pay"),
    ]


@pytest.mark.parametrize(
    "kind", ["", "html", "text/html, text/html", "application/xml", "TEXT/XML; charset=utf-8", "application/xhtml+xml"]
)
def test_a_page_that_a_browser_may_show_as_html_is_read(kind: str) -> None:
    page = read_page(replace(PAGE, headers={"content-type": kind}), "<a href=x>x</a><img src='//other.example/'>")
    assert (page.is_text, page.why_not, len(page.links), page.hosts) == (True, "", 1, frozenset({"other.example"}))


def test_a_long_link_is_left_out_and_the_page_says_so() -> None:
    page = read_page(PAGE, f"<a href=x>x</a><a href='/{'a' * ADDRESS_MAX}'>y</a><a href=z>{'z' * 9_000}</a>")
    assert [len(link.text) for link in page.links] == [1, ADDRESS_MAX]
    assert page.is_cut
    for elsewhere in ("mailto:", "https://other.example/"):
        page = read_page(PAGE, f"<a href=x>x</a><a href='{elsewhere}{'a' * ADDRESS_MAX}'>y</a>")
        assert (len(page.links), page.is_cut) == (1, False)


def test_links_over_the_limit_are_left_out_and_the_page_says_so() -> None:
    page = read_page(PAGE, "<a href=x>x</a>" * (LINKS_MAX + 1))
    assert (len(page.links), page.is_cut) == (LINKS_MAX, True)
    assert not read_page(PAGE, "<a href=x>x</a>" * LINKS_MAX).is_cut


@pytest.mark.parametrize(
    "html", [f"<base href='https://h.example/{'a' * ADDRESS_MAX}/'><a href=x>", "<form></form>" * (LINKS_MAX + 1)]
)
def test_a_page_with_a_long_base_or_too_many_forms_is_not_read(html: str) -> None:
    page = read_page(PAGE, html)
    assert page.unread.startswith("/shop/ has a base address over 2000 characters, or more than 5000 forms,")
    assert (page.source, page.links, page.forms) == ("", (), ())


def test_the_main_words_are_those_the_policy_room_reads() -> None:
    html = (
        "<nav>Menu</nav><header>Top</header><main><h1>Our &amp; your</h1><p>We <i>never</i> sell.</p>"
        "<ul><li>One<li>Two</ul>"
        "<script>x</script><p hidden>no</p><table><tr><td>a<td>b</table></main><footer>End</footer>"
    )
    assert same_words(read_page(PAGE, html).text) == published_text(html)


@given(st.text(alphabet=st.sampled_from("abfhimnoprst<>/=\"' :;.#[]"), max_size=150))
def test_any_page_is_read(html: str) -> None:
    page = read_page(PAGE, f"<a href='x'>{html}")
    appearances(page.source, html, frozenset({"x"}))
    assert all(link.url.startswith("http") for link in page.links)


def test_an_unknown_colour_is_no_fault() -> None:
    html = '<a href="x" style="color: oklch(0.5 0.2 240)">privacy</a>'
    ((link, _),) = appearances(html, "", frozenset({"x"}))
    assert (link.contrast, link.unknown) == (None, ("colour or background",))


@each_row(
    ("css", "size"),
    [
        ("a { font-size: 8px }", 8.0),
        (".small { font-size: 0.5em }", 8.0),
        ("#one { font-size: 9pt } a { font-size: 30px }", 12.0),
        ("a.small { font-size: 50% } a { font-size: 30px }", 8.0),
        ("@media print { a { font-size: 1px } }", 16.0),
        ("/* a { font-size: 1px } */", 16.0),
        ("div a { font-size: 1px }", 16.0),
        ("footer { font-size: 10px }", 10.0),
        ("footer { font: italic 600 .5rem/1.2 serif }", 8.0),
        ("a { font-size: 20px; font: 5px serif }", 5.0),
        (":root { --small: 6px } a { font-size: var(--small, 20px) }", 6.0),
    ],
)
def test_sizes_follow_the_cascade(css: str, size: float) -> None:
    html = '<footer><a id="one" class="small" href="x">privacy</a></footer>'
    ((link, _),) = appearances(html, css, frozenset({"x"}))
    assert link.size_px == size

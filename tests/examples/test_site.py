"""The company's website, as visitors with a plain browser, and people who mean it harm, meet it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from tests.scale import scaled

PAGES = ["/", "/register/", "/order/", "/newsletter/", "/contact/", "/support/", "/cookies/", "/mailbox/", "/nowhere/"]
REGISTRATION = {"name": "Dora Quill", "email": "Dora@example.org", "phone": "", "company": ""}
ORDER = {"name": "Dora Quill", "email": "dora@example.org", "street": "1 Inkpot Passage", "town": "Dunmarrow",
         "postcode": "FB1 1AA", "country": "GB", "phone": "", "note": ""}  # fmt: skip
TICKET = {"email": "dora@example.org", "subject": "A word", "message": "It says bare.", "name": "", "order": ""}
FORMS: Mapping[str, Mapping[str, str]] = {
    "/register/": REGISTRATION,
    "/order/": ORDER,
    "/contact/": {"email": "dora@example.org", "message": "Hello", "name": ""},
    "/support/": TICKET,
}


def _all(places: Any, system: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(places.databases[system].removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


def _counts(places: Any) -> list[int]:
    tables = {"shop": ("customer", "orders"), "desk": ("ticket",), "logins": ("account",)}
    return [
        _all(places, system, f"SELECT count(*) FROM {table}")[0][0]
        for system, names in tables.items()
        for table in names
    ]


def _fill_cart(browser: httpx.Client) -> None:
    browser.post("/cart/", data={"add": "review"})


# --- what the forms do -----------------------------------------------------------------------------------------------


def test_registering_opens_an_account_and_sends_a_letter(browser: httpx.Client, places: Any, mail: Path) -> None:
    page = browser.post("/register/", data=dict(REGISTRATION, phone="01632 960 123"))
    assert page.url.path == "/thanks/registered/"
    query = "SELECT name, phone, notice FROM customer WHERE email = 'dora@example.org'"
    assert _all(places, "shop", query) == [("Dora Quill", "+441632960123", "2026-11-01")]
    assert _all(places, "logins", "SELECT state FROM account WHERE email = 'dora@example.org'") == [("active",)]
    assert "Your account is open" in next(mail.glob("*.eml")).read_text()


def test_registering_twice_tells_only_the_owner_of_the_address(browser: httpx.Client, places: Any, mail: Path) -> None:
    first = browser.post("/register/", data=REGISTRATION)
    before = _counts(places)
    again = browser.post("/register/", data=dict(REGISTRATION, name="Somebody Else"))
    assert (again.url, again.text) == (first.url, first.text)
    assert _counts(places) == before
    assert any("There is an account" in letter.read_text() for letter in mail.glob("*.eml"))


def test_an_order_arrives_with_its_items_and_invoice(browser: httpx.Client, places: Any) -> None:
    for product in ("review", "review", "hours-10"):
        browser.post("/cart/", data={"add": product})
    page = browser.post("/order/", data=ORDER)
    assert page.url.path == "/thanks/ordered/"
    query = """SELECT product, quantity, total_pence, billed_address FROM orders o
        JOIN order_item i ON i.order_id = o.id JOIN invoice b ON b.order_id = o.id
        WHERE billed_email = 'dora@example.org' ORDER BY line"""
    bill = (20_160, "1 Inkpot Passage, Dunmarrow FB1 1AA, GB")
    assert _all(places, "shop", query) == [("review", 2, *bill), ("hours-10", 1, *bill)]
    assert "cart" not in browser.cookies


def test_a_stranger_cannot_change_a_customer_by_ordering(browser: httpx.Client, places: Any) -> None:
    ann = "SELECT name, phone, active_at FROM customer WHERE email = 'ann@example.org'"
    home = "SELECT * FROM address WHERE kind = 'billing' ORDER BY customer_id"
    before = _all(places, "shop", ann), _all(places, "shop", home)
    _fill_cart(browser)
    browser.post("/order/", data=dict(ORDER, email="ann@example.org", name="Mallory", phone="01632960999"))
    assert (_all(places, "shop", ann), _all(places, "shop", home)) == before
    assert _all(places, "shop", "SELECT street FROM address WHERE kind = 'billing2'") == [("1 Inkpot Passage",)]


def test_an_empty_cart_orders_nothing(browser: httpx.Client, places: Any) -> None:
    before = _counts(places)
    assert browser.post("/order/", data=ORDER).status_code == 400
    assert _counts(places) == before


def test_the_form_of_the_newsletter_goes_to_troth(browser: httpx.Client) -> None:
    form = LexborHTMLParser(browser.get("/newsletter/").text).css_first("form.form")
    assert form is not None
    assert (form.attributes["action"], form.attributes["method"]) == ("/your-data/newsletters/monthly", "post")
    assert {field.attributes["name"] for field in form.css("input, textarea")} == {"email", "name"}
    assert browser.post("/newsletter/", data={"email": "dora@example.org", "name": ""}).status_code == 405


@pytest.mark.parametrize(("path", "kind"), [("/contact/", "question"), ("/support/", "ticket")])
def test_writing_in_opens_a_ticket(browser: httpx.Client, places: Any, path: str, kind: str) -> None:
    browser.post(path, data=dict(FORMS[path], message="First line\r\nsecond"))
    query = (
        "SELECT kind, body FROM ticket JOIN message ON ticket_id = ticket.id WHERE author_email = 'dora@example.org'"
    )
    assert _all(places, "desk", query) == [(kind, "First line\nsecond")]


# --- what they refuse ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("extra", ["dob", "csrf", "phone2", "", "Name"])
def test_a_field_that_was_not_asked_for_refuses_the_whole_form(
    browser: httpx.Client, places: Any, mail: Path, path: str, extra: str
) -> None:
    _fill_cart(browser)
    before = _counts(places)
    page = browser.post(path, data={**FORMS[path], extra: "1990-01-01"})
    assert page.status_code == 400
    assert "does not ask for" in page.text
    assert "1990-01-01" not in page.text
    assert _counts(places) == before
    assert not list(mail.glob("*"))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "dora", "e-mail address"),
        ("email", "dora@example.org\r\nBcc: ben@example.org", "cannot be printed"),
        ("name", "", "Please fill this in"),
        ("name", "D" * 121, "at most 120"),
        ("name", "Dora\x00", "cannot be printed"),
        ("phone", "call me", "telephone number"),
    ],
)
def test_a_wrong_answer_comes_back_with_what_is_wrong(
    browser: httpx.Client, places: Any, field: str, value: str, said: str
) -> None:
    before = _counts(places)
    page = browser.post("/register/", data={**REGISTRATION, "company": "Tallow & Sons", field: value})
    assert page.status_code == 422
    assert said in page.text
    tree = LexborHTMLParser(page.text)
    wrong = [node.attributes["name"] for node in tree.css("[aria-invalid]")]
    assert wrong == [field]
    assert (tree.css_first("#register-company") or pytest.fail("gone")).attributes["value"] == "Tallow & Sons"
    assert _counts(places) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example.net"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://voice.example.org"}, 200),
        ({"Origin": "http://voice.example.org"}, 200),
    ],
)
def test_only_our_own_pages_may_send_forms(
    browser: httpx.Client, places: Any, headers: dict[str, str], status: int
) -> None:
    before = _counts(places)
    assert browser.post("/contact/", data=FORMS["/contact/"], headers=headers).status_code == status
    assert (_counts(places) == before) is (status == 403)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"email=%ff", 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=" + b"x" * 70_000, 413),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"&".join(b"a=1" for _ in range(60)), 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"email=a%40b.example&email=c%40d.example", 400),
        ({"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "-1"}, b"", 400),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    browser: httpx.Client, headers: dict[str, str], body: bytes, status: int
) -> None:
    page = browser.post("/contact/", content=body, headers=headers)
    assert page.status_code == status
    assert "<h1>" in page.text


HOSTILE = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "'; DROP TABLE ticket; --",
            '" onfocus="x',
            "</textarea><b>",
            "{{7*7}}",
            "%s\u202e",
        ]
    ),
)


@settings(max_examples=scaled(15, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=HOSTILE)
def test_hostile_words_stay_words(browser: httpx.Client, words: str) -> None:
    page = browser.post("/support/", data={**TICKET, "email": "not an address", "message": words, "subject": words})
    assert page.status_code in (400, 422)
    tree = LexborHTMLParser(page.text)
    assert not tree.css("script, main b, [onfocus]")
    if page.status_code == 422:
        shown = (tree.css_first("textarea") or pytest.fail("gone")).text()
        assert shown.split() == words.replace("\x00", "\ufffd").split()


def test_hostile_words_are_stored_as_they_are(browser: httpx.Client, places: Any) -> None:
    words = "Robert'); DROP TABLE ticket;-- <script>alert(1)</script> \u202e \U0001f600"
    browser.post("/support/", data={**TICKET, "subject": words[:100], "message": words})
    assert _all(places, "desk", "SELECT body FROM message ORDER BY id DESC LIMIT 1") == [(words,)]


def test_a_database_that_is_gone_is_said_without_a_word_of_the_form(
    browser: httpx.Client, places: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Path(places.databases["desk"].removeprefix("sqlite:///")).unlink()
    page = browser.post("/support/", data={**TICKET, "message": "a secret of mine"})
    assert page.status_code == 503
    assert "secret" not in page.text + caplog.text
    assert "OperationalError" in caplog.text


# --- cookies, signals, headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_stored_before_a_choice(browser: httpx.Client, path: str) -> None:
    assert "set-cookie" not in browser.get(path).headers


def test_refusing_is_as_easy_as_allowing(browser: httpx.Client) -> None:
    buttons = LexborHTMLParser(browser.get("/").text).css(".choice button")
    assert [button.text() for button in buttons] == ["Refuse", "Allow"]
    assert [button.attributes["class"] for button in buttons] == ["equal", "equal"]
    assert len(LexborHTMLParser(browser.get("/").text).css("form:has(button.equal)")) == 1


def test_a_refusal_is_remembered_and_stores_nothing_else(browser: httpx.Client) -> None:
    page = browser.post("/cookies/", data={"statistics": "refuse", "page": "/contact/"})
    assert page.url.path == "/contact/"
    assert dict(browser.cookies) == {"choice": "refuse"}
    assert not LexborHTMLParser(page.text).css(".choice")


def test_taking_consent_back_takes_the_cookie_back(browser: httpx.Client) -> None:
    browser.post("/cookies/", data={"statistics": "allow", "page": "/"})
    assert dict(browser.cookies) == {"choice": "allow", "visit": "1"}
    browser.post("/cookies/", data={"statistics": "refuse", "page": "/"})
    assert dict(browser.cookies) == {"choice": "refuse"}


def test_lifetimes_are_no_longer_than_declared(browser: httpx.Client) -> None:
    browser.follow_redirects = False
    sent = [
        browser.post("/cookies/", data={"statistics": "allow", "page": "/"}).headers["set-cookie"],
        browser.get("/").headers["set-cookie"],
        browser.post("/cart/", data={"add": "review"}).headers["set-cookie"],
    ]
    ages = {cookie.partition("=")[0]: re.search(r"Max-Age=(\d+)", cookie) for cookie in sent}
    assert {name: int(age[1]) // 86_400 if age else None for name, age in ages.items()} == {
        "choice": 180,
        "visit": 30,
        "cart": None,
    }
    assert all("HttpOnly; SameSite=Lax" in cookie for cookie in sent)


@pytest.mark.parametrize("chosen", ["allow", None])
def test_the_signal_of_the_browser_goes_before_any_choice(browser: httpx.Client, chosen: str | None) -> None:
    if chosen:
        browser.post("/cookies/", data={"statistics": chosen, "page": "/"})
    page = browser.get("/", headers={"Sec-GPC": "1"})
    assert "We honour it" in page.text
    assert "visit" not in browser.cookies
    assert "Sec-GPC" in page.headers["vary"]


@pytest.mark.parametrize("value", ["0", "true", "11", ""])
def test_only_the_exact_signal_counts(browser: httpx.Client, value: str) -> None:
    assert "We honour it" not in browser.get("/", headers={"Sec-GPC": value}).text


@pytest.mark.parametrize("back", ["https://evil.example.net/", "//evil.example.net", "/mailbox/../x", ""])
def test_a_choice_leads_back_to_our_own_pages_only(browser: httpx.Client, back: str) -> None:
    assert (
        str(browser.post("/cookies/", data={"statistics": "refuse", "page": back}).url) == "http://voice.example.org/"
    )


@pytest.mark.parametrize("cookie", ["review.0", "review.-1", "review." + "9" * 5_000, "gold.1", "review", ".", "\x7f"])
def test_a_made_up_cart_is_empty(browser: httpx.Client, cookie: str) -> None:
    page = browser.get("/order/", headers={"Cookie": f"cart={cookie}"})
    assert page.status_code == 200
    assert "Your cart is empty" in page.text


@pytest.mark.parametrize("path", [*PAGES, "/style.css", "/icon.svg", "/.well-known/gpc.json"])
def test_every_answer_carries_the_headers(browser: httpx.Client, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_over_tls_the_site_insists_on_it(browser: httpx.Client) -> None:
    browser.base_url = httpx.URL("https://voice.example.org")
    assert "max-age=63072000" in browser.get("/").headers["strict-transport-security"]
    browser.post("/cart/", data={"add": "review"})
    assert next(iter(browser.cookies.jar)).secure


def test_well_known_files_say_what_they_should(browser: httpx.Client) -> None:
    assert browser.get("/.well-known/gpc.json").json() == {"gpc": True, "lastUpdate": "2026-11-01"}
    assert "Expires: 2027-05-23T00:00:00Z" in browser.get("/.well-known/security.txt").text


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_to_the_policy_and_to_nobody_else(browser: httpx.Client, path: str) -> None:
    tree = LexborHTMLParser(browser.get(path).text)
    links = {node.text(): node.attributes["href"] for node in tree.css("footer a")}
    assert links["Privacy policy"] == "/policy/"
    assert links["How we keep it"] == "/policy/status/"
    assert links["Your data"] == "/your-data/"
    targets = [node.attributes.get(name) or "" for name in ("href", "src", "action") for node in tree.css(f"[{name}]")]
    assert all(target[:1] in ("/", "#") and target[:2] != "//" for target in targets)


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_our_own_leads_somewhere(browser: httpx.Client, path: str) -> None:
    links = {node.attributes["href"] or "" for node in LexborHTMLParser(browser.get(path).text).css("a[href^='/']")}
    ours = {link for link in links if not link.startswith(("/policy/", "/your-data/"))}  # those are Troth's
    assert {browser.get(link).status_code for link in ours} == {200}


@pytest.mark.parametrize("path", PAGES)
def test_every_question_has_its_label_and_notes(browser: httpx.Client, path: str) -> None:
    tree = LexborHTMLParser(browser.get(path).text)
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    labelled = {node.attributes["for"] for node in tree.css("label")}
    assert labelled == {n.attributes["id"] for n in tree.css("input:not([type=hidden]), textarea, select")}
    assert len(tree.css("h1")) == len(tree.css("main")) == len(tree.css("html[lang]")) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere/", 404), ("POST", "/", 405), ("GET", "/cart/", 405), ("DELETE", "/", 405), ("GET", "/%ff", 400)],
)
def test_what_is_not_there_says_so(browser: httpx.Client, method: str, path: str, status: int) -> None:
    page = browser.request(method, path, data={"a": "b"} if method == "POST" else None)
    assert page.status_code == status
    assert "Home" in page.text


def test_a_missing_slash_is_put_right(browser: httpx.Client) -> None:
    assert browser.get("/register").url.path == "/register/"


def test_asking_for_the_head_gives_no_body(browser: httpx.Client) -> None:
    answer = browser.head("/")
    assert int(answer.headers["content-length"]) > 1_000
    assert answer.content == b""


# --- the mailbox -----------------------------------------------------------------------------------------------------


def test_a_hostile_letter_is_shown_as_words(browser: httpx.Client, mail: Path) -> None:
    mail.mkdir()
    html = "<p>Hello <b>you</b><script>alert(1)</script><a href='http://voice.example.org/x/'>go</a></p>"
    head = "From: a@example.org\nTo: <script>\nSubject: =?utf-8?q?=3Cscript=3E?=\nContent-Type: text/html\n\n"
    (mail / "evil.eml").write_text(head + html)
    for page in (browser.get("/mailbox/"), browser.get("/mailbox/evil.eml")):
        assert not LexborHTMLParser(page.text).css("script, main b")
    assert _links(page, "/x/") == ["/x/"]
    assert "alert" not in page.text


@settings(max_examples=scaled(15, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_no_letter_breaks_the_mailbox(browser: httpx.Client, mail: Path, data: bytes) -> None:
    mail.mkdir(exist_ok=True)
    for start in (b"", b"Subject: =?x?b?", b"Content-Type: multipart/mixed; boundary=", b"Content-Type: text/html\n\n"):
        (mail / "any.eml").write_bytes(start + data)
        assert browser.get("/mailbox/").status_code == browser.get("/mailbox/any.eml").status_code == 200


@pytest.mark.parametrize("name", ["../shop.sqlite", "..%2fshop.sqlite", ".eml", "none.eml", "%00.eml", "x.eml/"])
def test_the_mailbox_shows_letters_and_nothing_else(browser: httpx.Client, name: str) -> None:
    assert browser.get(f"/mailbox/{name}").status_code == 404


def test_settings_that_are_missing_stop_the_start_with_their_names(example_voice: Any, places: Any) -> None:
    with pytest.raises(example_voice.SettingMissing, match="TROTH_DEMO_MAIL"):
        example_voice.Settings.from_environment(places.environment())


def _links(page: httpx.Response, start: str) -> list[str]:
    """The links in the page's content that begin so, footer and menu apart."""
    hrefs = [node.attributes["href"] or "" for node in LexborHTMLParser(page.text).css("main a[href]")]
    return [href for href in hrefs if href.startswith(start)]


def test_the_mailbox_shows_a_mailing_once(browser: httpx.Client, mail: Path) -> None:
    mail.mkdir()
    for name in ("ann", "ben", "chloe"):
        head = f"From: news@example.org\nTo: {name}@example.org\nSubject: In June\nList-Id: <monthly.example.org>"
        (mail / f"{name}.eml").write_text(f"{head}\n\nHello\n")
    shown = browser.get("/mailbox/").text
    assert shown.count("In June") == 1
    assert "@example.org and 2 more" in shown

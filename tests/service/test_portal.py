"""What public pages of every duty rest on: codes, sessions of several apps, the page that asks before it acts."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from tests.service.requests.conftest import Office
from tests.service.requests.conftest import office as office
from tests.tables import each_row

from troth.service.duty import LinkKind
from troth.service.portal import codes, links, session
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.models import MailedLink, OneTimeCode

NOW = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
A_SECOND = dt.timedelta(seconds=1)
NEWS, CASE, STATUS = (
    LinkKind("news.confirm", "nowhere:nothing"),
    LinkKind("cases.prove", "nowhere:nothing"),
    LinkKind("cases.status", "nowhere:nothing", is_standing=True),
)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


# --- codes -----------------------------------------------------------------------------------------------------------


def test_a_code_works_once_as_people_type_it(database: str) -> None:
    code = codes.make(NEWS, 1, now=NOW)
    assert re.fullmatch(r"\d{8}", code)
    codes.use(NEWS, 1, f" {code[:4]}-{code[4:]} ", now=NOW + codes.CODE_LASTS - A_SECOND)
    with pytest.raises(codes.CodeRefused):
        codes.use(NEWS, 1, code, now=NOW)
    assert not OneTimeCode.objects.exists()


def test_after_a_few_wrong_codes_the_right_one_is_refused_too(database: str) -> None:
    code = codes.make(NEWS, 1, now=NOW)
    for _ in range(codes.TRIES_MAX):
        with pytest.raises(codes.CodeRefused):
            codes.use(NEWS, 1, other(code), now=NOW)
    with pytest.raises(codes.CodeRefused):
        codes.use(NEWS, 1, code, now=NOW)


@on_sqlite
def test_a_code_is_not_tried_in_a_transaction_that_may_forget_it(database: str) -> None:
    code = codes.make(NEWS, 1, now=NOW)
    with pytest.raises(RuntimeError), transaction.atomic():
        codes.use(NEWS, 1, code, now=NOW)


@on_sqlite
def test_a_code_is_for_one_matter_of_one_kind_and_for_minutes(database: str) -> None:
    code = codes.make(NEWS, 1, now=NOW)
    codes.make(NEWS, 2, now=NOW)
    codes.make(CASE, 1, now=NOW)
    for kind, matter, now in ((NEWS, 2, NOW), (CASE, 1, NOW), (NEWS, 3, NOW), (NEWS, 1, NOW + codes.CODE_LASTS)):
        with pytest.raises(codes.CodeRefused):
            codes.use(kind, matter, code, now=now)
    codes.use(NEWS, 1, code, now=NOW)


@on_sqlite
def test_a_new_code_replaces_the_one_before_and_may_be_tried_afresh(database: str) -> None:
    first = codes.make(NEWS, 1, now=NOW)
    with pytest.raises(codes.CodeRefused):
        codes.use(NEWS, 1, other(first), now=NOW)
    second = codes.make(NEWS, 1, now=NOW)
    assert OneTimeCode.objects.get().tries == 0
    if first != second:
        with pytest.raises(codes.CodeRefused):
            codes.use(NEWS, 1, first, now=NOW)
    codes.use(NEWS, 1, second, now=NOW)


@on_sqlite
def test_a_stored_code_cannot_be_tried_without_our_key(database: str, settings: object) -> None:
    code = codes.make(NEWS, 1, now=NOW)
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    with pytest.raises(codes.CodeRefused):
        codes.use(NEWS, 1, code, now=NOW)


# --- sessions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def visitor(database: str, monkeypatch: pytest.MonkeyPatch) -> HttpRequest:
    monkeypatch.setattr(links, "_kinds", lambda: {kind.name: kind for kind in (NEWS, CASE, STATUS)})
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.session.create()
    request.COOKIES["troth-session"] = request.session.session_key or ""
    return request


def opened(visitor: HttpRequest, kind: LinkKind, matter: int) -> MailedLink:
    link = links.use(links.make(kind, matter, language="en", now=NOW), now=NOW)
    session.open_session(visitor, link, now=NOW)
    return link


@on_sqlite
def test_a_link_of_one_app_leaves_the_session_of_another_open(visitor: HttpRequest) -> None:
    case = opened(visitor, CASE, 1)
    before = visitor.session.session_key
    news = opened(visitor, NEWS, 1)
    assert visitor.session.session_key != before, "a key that was planted before is worth nothing"
    assert [session.opened(visitor, app, now=NOW) for app in ("cases", "news", "others")] == [case, news, None]
    over = NOW + dt.timedelta(hours=links.SESSION_HOURS)
    assert session.opened(visitor, "news", now=over) is None


@on_sqlite
def test_a_standing_link_narrows_no_session_of_the_same_matter(visitor: HttpRequest) -> None:
    case = opened(visitor, CASE, 1)
    opened(visitor, STATUS, 1)
    assert session.opened(visitor, "cases", now=NOW) == case
    status = opened(visitor, STATUS, 2)
    assert session.opened(visitor, "cases", now=NOW) == status
    assert status.used_at is None, "it may be used again"


@on_sqlite
def test_without_our_cookie_no_session_is_looked_up(visitor: HttpRequest) -> None:
    opened(visitor, CASE, 1)
    visitor.COOKIES.clear()
    assert session.opened(visitor, "cases", now=NOW) is None


@on_sqlite
@pytest.mark.parametrize("kind", [CASE, STATUS], ids=lambda kind: kind.name)
def test_a_link_that_was_closed_opens_nothing_any_more(visitor: HttpRequest, kind: LinkKind) -> None:
    opened(visitor, kind, 1)
    unused = links.make(kind, 1, language="en", now=NOW)
    for link in MailedLink.objects.all():
        links.close(link, now=NOW)
    assert session.opened(visitor, kind.app, now=NOW) is None
    with pytest.raises(links.LinkDead):
        links.use(unused, now=NOW)


@on_sqlite
def test_a_link_of_a_kind_that_no_duty_registers_any_more_is_dead(
    visitor: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(visitor, CASE, 1)
    secret = links.make(CASE, 1, language="en", now=NOW)
    monkeypatch.setattr(links, "_kinds", dict)
    with pytest.raises(links.LinkDead):
        links.find(secret, now=NOW)
    assert session.opened(visitor, CASE.app, now=NOW) is None


@on_sqlite
def test_only_the_digest_of_a_link_is_stored(database: str) -> None:
    secret = links.make(CASE, 1, language="en", now=NOW)
    assert secret not in str(MailedLink.objects.values().get())
    assert secret.encode() not in bytes(MailedLink.objects.get().digest)


# --- confirm by POST -------------------------------------------------------------------------------------------------


@on_sqlite
@each_row("method", ("GET", "HEAD"))
def test_fetching_a_page_that_asks_does_not_act(office: Office, method: str) -> None:
    acted: list[str] = []

    def ask(request: HttpRequest, deployment: object) -> Confirmation:
        return Confirmation(title="Sure?", heading="<b>?", button="Do it", refusal="Leave it", text=["<i>"])

    @confirmed(ask)
    def act(request: HttpRequest, deployment: object) -> HttpResponse:
        acted.append(request.method or "")
        return HttpResponse("done")

    def fetched(name: str) -> HttpResponse:
        request = RequestFactory(headers={"host": "localhost"}).generic(name, "/ask")
        request.session = SessionStore()
        answer = act(request, office.deployment)
        assert isinstance(answer, HttpResponse)
        return answer

    page = fetched(method).content.decode()
    assert acted == []
    assert '<button name="yes" value="1">Do it</button><button name="no" value="1" class="second">Leave it' in page
    assert "&lt;b&gt;?" in page
    assert "<p>&lt;i&gt;</p>" in page
    assert fetched("POST").content == b"done"
    assert acted == ["POST"]

"""Programs sign people up, stop for them and send editions; no answer says how an address stands."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client
from tests.service.newsletters.conftest import ANN, BEN, DECLARATION, TEXT, Publisher
from tests.service.newsletters.test_console import approve
from tests.service.team import StaffClient

from troth.client import ApiRefused, Troth
from troth.service.api import tokens
from troth.service.mail.models import Edition, LetterRow
from troth.service.newsletters.duty import (
    NEWSLETTERS_APPROVE,
    NEWSLETTERS_READ,
    NEWSLETTERS_SIGNUP,
    NEWSLETTERS_WRITE,
    STOPS_WRITE,
)
from troth.service.newsletters.models import SignUp
from troth.service.preferences.models import Choice

Call = Callable[..., Any]
ASKED = {"email": "ann.new@example.org", "shown": "Send me the monthly news.", "values": {"name": "Ann"}}
EDITION = {"subject": "News in June", "markdown": "Dear {{name}},\n\nwe have news."}
GUIDE = (Path(__file__).parents[3] / "docs/howto/use-the-api.md").read_text("utf-8")

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def token(publisher: Publisher) -> str:
    until = publisher.now() + dt.timedelta(days=1)
    scopes = [NEWSLETTERS_READ, NEWSLETTERS_SIGNUP, NEWSLETTERS_WRITE, STOPS_WRITE]
    return tokens.make("shop", scopes, until=until, now=publisher.now())


@pytest.fixture
def call(token: str) -> Call:
    def called(method: str, path: str, body: Any = None, **headers: str) -> Any:
        return Client(headers={"Authorization": f"Bearer {token}", **headers}).generic(
            method, f"/api/v1/{path}", "" if body is None else httpx.Request("POST", "http://x", json=body).content
        )

    return called


def test_a_form_that_signs_people_up_sends_nothing_and_the_other_way_round(publisher: Publisher) -> None:
    until, answers = publisher.now() + dt.timedelta(days=1), dict[str, tuple[int, int]]()
    for scope in (NEWSLETTERS_SIGNUP, NEWSLETTERS_WRITE):
        secret = tokens.make(scope.partition(".")[2], [scope], until=until, now=publisher.now())
        client = Client(headers={"Authorization": f"Bearer {secret}"})
        sign_up, plan = (
            client.post(f"/api/v1/newsletters/monthly/{path}", body, content_type="application/json").status_code
            for path, body in (("signups", ASKED), ("editions", EDITION))
        )
        answers[str(scope)] = sign_up, plan
    assert answers == {"newsletters.signup": (202, 403), "newsletters.write": (403, 201)}


# --- people -----------------------------------------------------------------------------------------------------------


def test_the_newsletters_are_listed(call: Call) -> None:
    listed = call("GET", "newsletters").json()
    assert [one["name"] for one in listed] == ["monthly", "offers"]
    expected = {"title": "Our monthly news", "purpose": "news", "signup": True, "approve": False}
    assert listed[0] == {"name": "monthly", **expected}


def test_the_answer_to_a_sign_up_is_the_same_whatever_the_address_is(call: Call) -> None:
    answers = [call("POST", "newsletters/monthly/signups", ASKED) for _ in range(5)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"newsletter": "monthly"}')}
    assert (SignUp.objects.count(), LetterRow.objects.count(), Choice.objects.count()) == (1, 3, 0)


def test_a_sign_up_with_a_key_is_taken_once(call: Call) -> None:
    answers = [call("POST", "newsletters/monthly/signups", ASKED, **{"Idempotency-Key": "form-1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert LetterRow.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "other", "status"),
    [
        ("newsletters/weekly/signups", {}, 404),
        ("newsletters/offers/signups", {}, 404),
        ("newsletters/monthly/signups", {"email": "ann at example"}, 422),
        ("newsletters/monthly/signups", {"email": "ann@example.org, ben@example.org"}, 422),
        ("newsletters/monthly/signups", {"email": "ann@example.org\r\nBcc: ben@example.org"}, 422),
        ("newsletters/monthly/signups", {"shown": ""}, 422),
        ("newsletters/monthly/signups", {"values": {"state": "active"}}, 422),
        ("newsletters/monthly/signups", {"values": {"name": "x" * 121}}, 422),
        ("newsletters/monthly/signups", {"confirmed": True}, 422),
    ],
)
def test_a_sign_up_that_is_wrong_is_refused_without_its_values(
    call: Call, path: str, other: dict[str, Any], status: int
) -> None:
    answer = call("POST", path, {**ASKED, **other})
    assert (answer.status_code, SignUp.objects.count()) == (status, 0)
    assert "ann.new" not in answer.content.decode()
    assert "ben@" not in answer.content.decode()
    assert "active" not in answer.content.decode()


def test_a_stop_holds_when_it_is_answered_and_is_the_same_again(publisher: Publisher, call: Call) -> None:
    one = [call("POST", "stops", {"email": "Ann@example.org", "newsletter": "monthly"}) for _ in range(2)]
    assert {(answer.status_code, answer.content) for answer in one} == {(200, b'{"stopped": "newsletter"}')}
    assert Choice.objects.count() == 1
    assert publisher.plan().people == 1
    everything = [call("POST", "stops", {"email": ANN}) for _ in range(2)]
    assert {answer.content for answer in everything} == {b'{"stopped": "all_marketing"}'}
    assert call("POST", "stops", {"email": "ann.new@example.org"}).content == everything[0].content
    assert publisher.plan(name="offers").people == 2


@pytest.mark.parametrize(
    "body", [{}, {"email": "nobody"}, {"email": ANN, "newsletter": "weekly"}, {"email": ANN, "newsletter": "Ann!"}]
)
def test_a_stop_that_is_not_clear_is_refused(call: Call, body: dict[str, Any]) -> None:
    answer = call("POST", "stops", body)
    assert (answer.status_code, Choice.objects.count()) == (422, 0)
    assert "ann@" not in answer.content.decode()


# --- editions ---------------------------------------------------------------------------------------------------------


def test_a_program_plans_starts_and_follows_an_edition(publisher: Publisher, call: Call) -> None:
    answer = call("POST", "newsletters/monthly/editions", EDITION)
    planned = answer.json()
    assert (answer.status_code, planned["planned"], planned["left_out"]) == (201, 2, {"no_consent": 1})
    assert call("POST", "newsletters/monthly/editions", EDITION).json() == planned, "the same again"
    path = f"editions/{planned['edition']}"
    assert call("POST", f"{path}/start", {"plan": "dg1:" + "0" * 64}).status_code == 409
    assert call("POST", f"{path}/start", {"plan": planned["plan"]}).json()["state"] == "sending"
    for change, state in [("pause", "paused"), ("resume", "sending")]:
        assert call("POST", f"{path}/{change}").json()["state"] == state
    publisher.clock[0] = dt.datetime.now(dt.UTC)
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]
    stands = call("GET", path)
    assert (stands.json()["state"], stands.json()["deliveries"]["sent"]) == ("finished", 2)
    assert "example.org" not in stands.content.decode()
    assert call("POST", f"{path}/cancel").status_code == 409
    assert call("POST", f"{path}/start", {"plan": planned["plan"]}).json()["state"] == "finished"


def test_a_program_s_edition_waits_for_a_member_of_staff(
    publisher: Publisher, call: Call, staff_member: Callable[..., StaffClient]
) -> None:
    text = DECLARATION.replace("    signup: true\n", "    signup: true\n    approve: true\n")
    (publisher.folder / "troth.yaml").write_text(text, encoding="utf-8")
    planned = call("POST", "newsletters/monthly/editions", EDITION).json()
    start = f"editions/{planned['edition']}/start", {"plan": planned["plan"]}
    assert planned["needs_approval"]
    assert call("POST", *start).status_code == 409
    client = staff_member(NEWSLETTERS_APPROVE)
    assert "the program shop" in client.get("/console/newsletters/").content.decode()
    assert approve(client, Edition.objects.get()) == 302
    assert call("POST", *start).json()["state"] == "sending"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "newsletters/weekly/editions", EDITION, 404),
        ("POST", "newsletters/monthly/editions", {**EDITION, "markdown": "{{email}}"}, 422),
        ("POST", "newsletters/monthly/editions", {**EDITION, "markdown": "a\0b"}, 422),
        ("POST", "newsletters/monthly/editions", {**EDITION, "markdown": "x" * 200_001}, 422),
        ("POST", "newsletters/monthly/editions", {**EDITION, "subject": "a\nb"}, 422),
        ("POST", "newsletters/monthly/editions", {**EDITION, "send_at": "2026-06-01T09:00:00"}, 422),
        ("GET", "editions/99", None, 404),
        ("GET", f"editions/{10**30}", None, 404),
        ("POST", "editions/99/start", {"plan": "dg1:" + "0" * 64}, 404),
        ("POST", "editions/1/start", {"plan": "yes"}, 422),
        ("POST", "editions/1/destroy", None, 422),
    ],
)
def test_what_is_wrong_with_an_edition_is_said(call: Call, method: str, path: str, body: Any, status: int) -> None:
    assert call(method, path, body).status_code == status
    assert not Edition.objects.exists()


def test_an_audience_of_nobody_is_a_conflict(publisher: Publisher, call: Call) -> None:
    publisher.do("delete from subscriber;")
    answer = call("POST", "newsletters/monthly/editions", EDITION)
    assert (answer.status_code, "nobody would get" in answer.json()["detail"]) == (409, True)


def test_an_edition_of_another_kind_is_none_of_these(publisher: Publisher, call: Call) -> None:
    edition = publisher.plan(TEXT).edition
    Edition.objects.update(kind="notice")
    assert call("GET", f"editions/{edition.pk}").status_code == 404


# --- the client -------------------------------------------------------------------------------------------------------


def test_the_guide_s_program_signs_up_and_stops(
    publisher: Publisher, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = httpx.WSGITransport(app=get_wsgi_application())
    monkeypatch.setattr("troth.client.httpx.Client", functools.partial(httpx.Client, transport=transport))
    monkeypatch.setenv("TROTH_TOKEN", token)
    [part] = [it for it in re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE) if "sign_up" in it]
    names: dict[str, Any] = {}
    exec(
        f"import os\nfrom troth.client import Troth\n{part.replace('https://privacy.example.org', 'http://localhost')}",
        names,
    )
    assert SignUp.objects.count() == 1
    assert publisher.plan(name="offers").people == 2
    with Troth("http://localhost", token) as troth, pytest.raises(ApiRefused, match="no such newsletter"):
        troth.stop(email=ANN, newsletter="weekly")

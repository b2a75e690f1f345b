"""The API: who may ask, what is refused, what is done once, and what it answers."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from tests.service.requests.conftest import Office, office  # noqa: F401 - the fixture

from troth.service.api import tokens
from troth.service.api.models import Answered, ApiToken
from troth.service.api.scopes import ApiScope, scopes
from troth.service.api.tokens import ApiTokenRefused
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseState
from troth.service.disclosures.duty import DISCLOSURES_WRITE
from troth.service.requests.duty import CASES_ALL, CASES_READ

pytestmark = pytest.mark.sampled

ANN = {"subject": {"email": "ann@example.org"}, "reply_to": "ann@example.org"}


class Api:
    """A program with a token."""

    def __init__(self, secret: str) -> None:
        self._client, self._secret = Client(raise_request_exception=False), secret

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self._client.post(
            f"/api/v1/{path}",
            data=body if isinstance(body, bytes) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self._secret}", **headers},
        )

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {self._secret}"})


@pytest.fixture
def api(office: Office) -> Api:  # noqa: F811
    now = office.now()
    return Api(tokens.make("shop", scopes(), until=now + dt.timedelta(days=30), now=now))


def test_a_request_is_opened_and_followed_to_its_answer(office: Office, api: Api) -> None:  # noqa: F811
    made = api.post("requests", {**ANN, "right": "erase", "proof": "account"})
    assert made.status_code == 201
    reference = made.json()["reference"]
    assert made.json()["state"] == "in_progress"
    office.work()
    followed = api.get(f"requests/{reference}").json()
    assert (followed["state"], followed["outcome"]) == ("closed", "partly_fulfilled")
    [receipt] = api.get(f"requests/{reference}/receipts").json()["receipts"]
    assert receipt["residue"] == {}


def test_many_are_opened_together_or_not_at_all(office: Office, api: Api) -> None:  # noqa: F811
    each = [
        {"subject": {"email": who}, "reply_to": who, "right": "erase", "proof": "account"}
        for who in ("ann@example.org", "ben@example.org")
    ]
    assert len(api.post("requests/batch", each).json()) == 2
    before = Case.objects.count()
    refused = api.post("requests/batch", [*each, {**ANN, "kind": "request"}])
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["where"] == "2.right"
    assert Case.objects.count() == before


@pytest.mark.parametrize("right", ["object", "withdraw"])
@pytest.mark.parametrize("purpose", ["orders", "tax", "'; DROP TABLE customer; --"])
def test_a_purpose_that_the_right_cannot_stop_is_refused_with_the_reason(
    office: Office,  # noqa: F811
    api: Api,
    right: str,
    purpose: str,
) -> None:
    refused = api.post("requests", {**ANN, "right": right, "purposes": [purpose]})
    assert refused.status_code == 422
    [fault] = refused.json()["faults"]
    assert fault["where"] == "0.purposes.0"
    assert f"'{right}' stops: news" in fault["what"] or f"'{right}' does not stop; it stops: news" in fault["what"]
    assert not Case.objects.exists()


def test_marketing_and_other_uses_are_two_requests(office: Office, api: Api) -> None:  # noqa: F811
    path = office.folder / "troth.yaml"
    care = "  care: {basis: legitimate_interests, interests: to help, use: essential.service, data: [user]}\n"
    path.write_text(path.read_text("utf-8").replace("recipients:\n", f"{care}recipients:\n"), "utf-8")
    refused = api.post("requests", {**ANN, "right": "object", "purposes": ["news", "care"]})
    assert refused.json()["faults"] == [
        {
            "where": "0.purposes",
            "what": "direct marketing stops at once, but the other purposes are weighed: send two requests",
        }
    ]
    assert api.post("requests", {**ANN, "right": "object", "purposes": ["care"]}).json()["state"] == "verifying"
    assert api.post("requests", {**ANN, "right": "view", "purposes": ["news"]}).status_code == 422
    complaint = {**ANN, "kind": "complaint", "right": None, "purposes": ["news"]}
    assert api.post("requests", complaint).json()["faults"][0]["where"] == "0.purposes"


def test_the_same_key_is_done_once(office: Office, api: Api) -> None:  # noqa: F811
    body = {**ANN, "right": "view", "proof": "account"}
    first, second = (api.post("requests", body, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Case.objects.count() == 1
    other = api.post("requests", {**body, "right": "erase"}, **{"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert Case.objects.count() == 1


def test_a_refused_request_leaves_its_key_free(office: Office, api: Api) -> None:  # noqa: F811
    assert api.post("requests", {**ANN, "kind": "request"}, **{"Idempotency-Key": "k2"}).status_code == 422
    assert api.post("requests", {**ANN, "right": "view"}, **{"Idempotency-Key": "k2"}).status_code == 201


def test_the_package_of_a_signed_in_person_is_handed_on(office: Office, api: Api) -> None:  # noqa: F811
    reference = api.post("requests", {**ANN, "right": "view", "proof": "account"}).json()["reference"]
    assert api.get(f"requests/{reference}/package").status_code == 404
    office.work()
    answer = api.get(f"requests/{reference}/package")
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")


@pytest.mark.parametrize("proof", ["none", "channel"])
def test_letters_go_to_whoever_is_named_where_nothing_more_was_proved(
    office: Office,  # noqa: F811
    api: Api,
    proof: str,
) -> None:
    asked = {**ANN, "right": "view", "proof": proof, "reply_to": "ben@example.org"}
    refused = api.post("requests/batch", [{**ANN, "right": "view"}, asked])
    assert (refused.status_code, [one["where"] for one in refused.json()["faults"]]) == (422, ["1.reply_to"])
    looks_alike = {**asked, "subject": {"email": "änn@example.org"}, "reply_to": "änn@example.org"}
    assert [one["where"] for one in api.post("requests", looks_alike).json()["faults"]] == ["0.subject.email"]
    assert not Case.objects.exists()
    for fine in ({"proof": "points"}, {"reply_to": "Ann@Example.org"}, {"kind": "complaint", "right": None}):
        assert api.post("requests", {**asked, **fine}).status_code == 201, fine


@pytest.mark.parametrize("proof", ["none", "channel"])
@pytest.mark.parametrize("subject", [{}, {"email": "ben@example.org"}, {"account": "1"}])
def test_a_handler_looks_first_where_a_link_does_not_show_who_is_named(
    office: Office,  # noqa: F811
    api: Api,
    subject: dict[str, str],
    proof: str,
) -> None:
    named = {"phone": "+44 1632 960001", **subject}
    asked = {"subject": named, "reply_to": "ben@example.org", "right": "view", "proof": proof}
    assert api.post("requests", asked).status_code == 201
    case = Case.objects.get()
    if case.state == CaseState.VERIFYING:
        office.prove(case)
    office.work()
    case.refresh_from_db()
    assert (case.state, case.needs) == (CaseState.IN_PROGRESS, "review")
    assert case.events.get(what="needs_review").facts == {"why": "not_shown"}
    assert "package_ready" not in office.letters(case)


def test_nobody_has_to_be_shown_where_a_use_is_only_stopped(office: Office, api: Api) -> None:  # noqa: F811
    asked = {"subject": {"phone": "+44 1632 960001"}, "reply_to": "ben@example.org", "right": "object"}
    assert api.post("requests", asked).json()["needs"] == ""


def test_the_package_of_anybody_else_is_not(office: Office, api: Api) -> None:  # noqa: F811
    reference = api.post("requests", {**ANN, "right": "view", "proof": "channel"}).json()["reference"]
    office.work()
    assert api.get(f"requests/{reference}/package").status_code == 403


def test_a_package_is_not_handed_on_for_what_the_person_proved_later(office: Office, api: Api) -> None:  # noqa: F811
    office.declare(requests="{verify: {view: account}}")
    reference = api.post("requests", {**ANN, "right": "view"}).json()["reference"]
    case = Case.objects.get()
    receive.prove(case.pk, office.deployment, now=office.now(), tier=3)
    office.work()
    assert (Case.objects.get().tier, Case.objects.get().outcome) == (3, "fulfilled")
    assert api.get(f"requests/{reference}/package").status_code == 403


def test_the_guard_says_what_must_not_be_used(office: Office, api: Api) -> None:  # noqa: F811
    asked = {"subject": {"email": "Ann@Example.org"}}
    assert api.post("guard", asked).json() == {"restricted": False, "purposes": []}
    api.post("requests", {**ANN, "right": "restrict", "proof": "account"})
    api.post("requests", {**ANN, "right": "object"})
    office.work()
    assert api.post("guard", asked).json() == {"restricted": True, "purposes": ["news"]}
    assert not api.post("guard", {"subject": {"email": "ben@example.org"}}).json()["restricted"]
    api.post("requests", {**ANN, "right": "erase", "proof": "account"})
    office.work()
    assert api.post("guard", asked).json() == {"restricted": False, "purposes": ["news"]}, "the choice is kept"


def test_cases_are_listed_page_by_page(office: Office, api: Api) -> None:  # noqa: F811
    references = [api.post("requests", {**ANN, "right": "view"}).json()["reference"] for _ in range(3)]
    first = api.get("requests?limit=2").json()
    second = api.get(f"requests?limit=2&after={first['next']}").json()
    assert [case["reference"] for case in first["cases"] + second["cases"]] == references[::-1]
    assert second["next"] == ""


def test_a_misspelt_choice_is_refused_and_not_ignored(office: Office, api: Api) -> None:  # noqa: F811
    assert api.get("requests?sate=closed").status_code == 422


@pytest.mark.parametrize("key", ["", "ann 1", "é", "k" * 201])
def test_a_key_is_plain_and_short(office: Office, api: Api, key: str) -> None:  # noqa: F811
    assert api.post("requests", {**ANN, "right": "view"}, **{"Idempotency-Key": key}).status_code == 422


def test_a_key_that_is_somebody_s_address_is_not_kept_in_clear(office: Office, api: Api) -> None:  # noqa: F811
    api.post("requests", {**ANN, "right": "view"}, **{"Idempotency-Key": "ann@example.org"})
    assert "ann" not in repr(list(Answered.objects.values()))


def test_what_is_too_large_is_refused_as_that(office: Office, api: Api) -> None:  # noqa: F811
    answer = api.post("requests", b'{"message": "' + b"x" * 3_000_000 + b'"}')
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")


def test_what_is_nested_without_end_is_refused(office: Office, api: Api) -> None:  # noqa: F811
    assert api.post("requests", b"[" * 200_000).status_code == 400


def test_cases_of_other_channels_are_not_there(office: Office, api: Api) -> None:  # noqa: F811
    case = office.ask("view")
    assert api.get(f"requests/{case.reference}").status_code == 404
    assert api.get("requests").json()["cases"] == []


def test_a_case_is_taken_back(office: Office, api: Api) -> None:  # noqa: F811
    reference = api.post("requests", {**ANN, "right": "view"}).json()["reference"]
    assert api.post(f"requests/{reference}/withdraw", {}).json()["state"] == CaseState.CLOSED
    assert api.post(f"requests/{reference}/withdraw", {}).status_code == 409


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", "nonsense", "troth_" + "x" * 43, "troth_" + "é" * 43])
def test_who_has_no_token_is_asked_for_one(office: Office, secret: str) -> None:  # noqa: F811
    answer = Api(secret.encode("utf-8").decode("latin-1")).get("requests")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_token_ends(office: Office, api: Api) -> None:  # noqa: F811
    ApiToken.objects.update(
        until=office.now() + dt.timedelta(microseconds=1), made_at=office.now() - dt.timedelta(days=1)
    )
    assert api.get("requests").status_code == 401


def test_a_token_that_was_ended_is_none(office: Office, api: Api) -> None:  # noqa: F811
    assert tokens.end("shop", now=office.now())
    assert api.get("requests").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "requests", {**ANN, "right": "view"}),
        ("post", "requests/batch", [{**ANN, "right": "view"}]),
        ("get", "requests", None),
        ("get", "requests/R-2026-0001", None),
        ("get", "requests/R-2026-0001/receipts", None),
        ("get", "requests/R-2026-0001/package", None),
        ("post", "requests/R-2026-0001/withdraw", {}),
        ("post", "guard", {"subject": {"email": "ann@example.org"}}),
        ("post", "disclosures/received", {"subject": {"email": "ann@example.org"}}),
    ],
)
def test_a_token_does_only_what_its_scopes_say(office: Office, method: str, path: str, body: Any) -> None:  # noqa: F811
    now = office.now()
    weak = Api(tokens.make("weak", [DISCLOSURES_WRITE], until=now + dt.timedelta(days=1), now=now))
    answer = weak.post(path, body) if method == "post" else weak.get(path)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"right": "view"}',
        json.dumps({**ANN, "right": "fly"}).encode(),
        json.dumps({**ANN, "right": "view", "surprise": 1}).encode(),
        json.dumps({**ANN, "right": "view", "reply_to": "ann"}).encode(),
        json.dumps({**ANN, "right": "view", "reply_to": "ann,ben@example.org"}).encode(),
        json.dumps({**ANN, "right": "view", "reply_to": "ann@example..org"}).encode(),
        json.dumps({**ANN, "right": "view", "subject": {}}).encode(),
        json.dumps({**ANN, "right": "view", "subject": {"account": "\0"}}).encode(),
        json.dumps({**ANN, "right": "view", "subject": {"account": "\u202e4711"}}).encode(),
        json.dumps({**ANN, "right": "amend"}).encode(),
        json.dumps({**ANN, "right": "amend", "changes": {"user.name": "two\nlines"}}).encode(),
        json.dumps({**ANN, "right": "view", "received_at": "2026-01-01T00:00:00"}).encode(),
        json.dumps({**ANN, "right": "view", "received_at": "2006-01-01T00:00:00Z"}).encode(),
        json.dumps({**ANN, "right": "view", "received_at": 1_700_000_000}).encode(),
        json.dumps({**ANN, "right": "view", "residence": "Utopia"}).encode(),
        json.dumps({**ANN, "right": "view", "message": "x" * 30_000}).encode(),
    ],
)
def test_what_is_no_request_is_refused_without_repeating_it(office: Office, api: Api, body: bytes) -> None:  # noqa: F811
    answer = api.post("requests", body)
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "ann@" not in answer.content.decode()
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("Shop!", ["cases.read"], 1), ("shop", [], 1), ("shop", ["everything"], 1), ("shop", ["cases.read"], 400),
     ("shop", ["cases.read"], 0)],
)  # fmt: skip
def test_a_token_has_a_name_some_scopes_and_an_end(office: Office, name: str, scopes: list[str], days: int) -> None:  # noqa: F811
    now = office.now()
    with pytest.raises(ApiTokenRefused):
        tokens.make(name, scopes, until=now + dt.timedelta(days=days), now=now)


def test_the_secret_of_a_token_is_kept_nowhere(office: Office, api: Api) -> None:  # noqa: F811
    assert api._secret not in repr(list(ApiToken.objects.values()))


def test_the_description_is_there_without_a_token(office: Office) -> None:  # noqa: F811
    description = Client().get("/api/v1/openapi.json").json()
    assert "/api/v1/requests" in description["paths"]


@pytest.mark.parametrize("path", ["requests?after=%00", "requests/%00"])
def test_a_zero_byte_is_refused_as_other_problems_are(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["title"] == "We could not read that"


# --- programs keep to themselves --------------------------------------------------------------------------------------


def program(office: Office, name: str, *wanted: ApiScope, of: str = "") -> Api:  # noqa: F811
    now = office.now()
    given = wanted or [scope for scope in scopes() if scope != CASES_ALL]
    return Api(tokens.make(name, given, until=now + dt.timedelta(days=30), now=now, program=of))


@pytest.fixture
def shop(office: Office) -> Api:  # noqa: F811
    return program(office, "shop")


@pytest.fixture
def crm(office: Office) -> Api:  # noqa: F811
    return program(office, "crm")


def test_a_program_reaches_no_case_of_another(office: Office, shop: Api, crm: Api) -> None:  # noqa: F811
    reference = shop.post("requests", {**ANN, "right": "view", "proof": "account"}).json()["reference"]
    open_ = shop.post("requests", {**ANN, "right": "erase"}).json()["reference"]
    office.work()
    for path in ("", "/receipts", "/package"):
        refused = crm.get(f"requests/{reference}{path}")
        assert (refused.status_code, refused.json()["title"]) == (404, "There is no such case"), path
        assert shop.get(f"requests/{reference}{path}").status_code == 200, path
    assert crm.post(f"requests/{open_}/withdraw", {}).status_code == 404
    assert crm.get("requests").json() == {"cases": [], "next": ""}
    assert len(shop.get("requests").json()["cases"]) == 2
    assert crm.get("requests/R-2026-9999").content == crm.get(f"requests/{reference}").content
    assert shop.post(f"requests/{open_}/withdraw", {}).json()["outcome"] == "withdrawn"


def test_many_cases_are_each_the_program_s(office: Office, shop: Api, crm: Api) -> None:  # noqa: F811
    made = shop.post("requests/batch", [{**ANN, "right": "view"}] * 2).json()
    assert {shop.get(f"requests/{one['reference']}").status_code for one in made} == {200}
    assert {crm.get(f"requests/{one['reference']}").status_code for one in made} == {404}


def test_the_next_token_of_a_program_follows_its_cases(office: Office, shop: Api) -> None:  # noqa: F811
    body = {**ANN, "right": "view", "proof": "account"}
    first = shop.post("requests", body, **{"Idempotency-Key": "k1"})
    rotated = program(office, "shop_2027", of="shop")
    assert tokens.end("shop", now=office.now())
    assert shop.get("requests").status_code == 401
    assert [one["reference"] for one in rotated.get("requests").json()["cases"]] == [first.json()["reference"]]
    again = rotated.post("requests", body, **{"Idempotency-Key": "k1"})
    assert (again.json(), Case.objects.count()) == (first.json(), 1)


def test_a_key_of_one_program_is_nothing_to_another(office: Office, shop: Api, crm: Api) -> None:  # noqa: F811
    body = {**ANN, "right": "view", "proof": "account"}
    first, second = (one.post("requests", body, **{"Idempotency-Key": "k1"}) for one in (shop, crm))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["reference"] != second.json()["reference"]
    assert "Idempotency-Replayed" not in second.headers


def test_a_program_may_be_let_follow_all(office: Office, shop: Api) -> None:  # noqa: F811
    reference = shop.post("requests", {**ANN, "right": "view", "proof": "account"}).json()["reference"]
    office.work()
    desk = program(office, "desk", CASES_READ, CASES_ALL)
    assert desk.get(f"requests/{reference}").status_code == 200
    assert desk.get(f"requests/{reference}/package").status_code == 403, "that takes packages.read as well"


def test_a_token_takes_over_from_a_program_that_there_is(office: Office) -> None:  # noqa: F811
    with pytest.raises(ApiTokenRefused, match="no such program"):
        program(office, "shop_2027", of="shop")

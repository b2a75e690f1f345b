"""The console's page for programs: make, see once, end."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.service.requests.conftest import Office
from tests.service.team import StaffClient

from troth.ledger import Entry
from troth.service.api.duty import API_MANAGE
from troth.service.api.models import ApiToken, Webhook
from troth.service.core.models import EntryRow
from troth.service.staff.rights import StaffRight, StaffRole

pytestmark = pytest.mark.sampled

PAGE = "/console/tokens/"
StaffMember = Callable[..., StaffClient]


@pytest.fixture
def keeper(office: Office, staff_member: StaffMember) -> StaffClient:
    return staff_member(API_MANAGE)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def secret_of(answer: Any) -> str:
    found = re.search(r'id="secret" value="([^"]+)"', text(answer))
    assert found is not None
    return found[1]


def made(keeper: StaffClient, **changed: Any) -> Any:
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date().isoformat()
    return keeper.post(f"{PAGE}make", {"name": "shop", "scopes": ["cases.read"], "until": day, **changed})


def test_a_token_is_made_seen_once_and_used(keeper: StaffClient) -> None:
    secret = secret_of(made(keeper))
    assert Client().get("/api/v1/requests", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    page = text(keeper.get(PAGE))
    assert "shop" in page
    assert "Follow the requests" in page
    assert secret not in page
    [entry] = [
        entry
        for entry in map(Entry.decode, map(bytes, EntryRow.objects.values_list("content", flat=True)))
        if entry.kind == "token.changed"
    ]
    assert str(entry.fields["by"]) == keeper.member.pseudonym


@pytest.mark.parametrize("scope", ["cases.write", "packages.read", "disclosures.read"])
def test_a_token_that_reaches_personal_data_is_made_by_who_may_see_it(
    scope: str, office: Office, staff_member: StaffMember
) -> None:
    administrator = staff_member(roles=[StaffRole.ADMINISTRATOR])
    too_much = staff_member(StaffRight.PERSONAL_SEE, roles=[StaffRole.ADMINISTRATOR])
    for client in (staff_member(API_MANAGE), administrator, too_much):
        answer = made(client, scopes=["cases.read", scope])
        assert answer.status_code == 400
        assert "may see personal data and does not manage staff" in text(answer)
    assert not ApiToken.objects.exists()
    assert secret_of(made(staff_member(API_MANAGE, StaffRight.PERSONAL_SEE), scopes=["cases.read", scope]))


def test_a_token_is_ended_and_refused_at_once(keeper: StaffClient) -> None:
    secret = secret_of(made(keeper))
    token = ApiToken.objects.get()
    assert keeper.post(f"{PAGE}{token.pk}/end")["Location"] == PAGE
    assert Client().get("/api/v1/requests", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert keeper.post(f"{PAGE}{token.pk}/end").status_code == 404
    assert "Ended" in text(keeper.get(PAGE))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "Shop!"}, "the token after its program"),
        ({"scopes": []}, "required"),
        ({"scopes": ["everything"]}, "Select a valid choice"),
        ({"until": "2020-01-01"}, "at most a year"),
        ({"until": "2099-01-01"}, "at most a year"),
        ({"until": "tomorrow"}, "valid date"),
    ],
)
def test_what_makes_no_token_is_told(keeper: StaffClient, changed: dict[str, Any], says: str) -> None:
    answer = made(keeper, **changed)
    assert answer.status_code == 400
    assert says in text(answer)
    assert not ApiToken.objects.exists()


def test_a_name_is_used_once(keeper: StaffClient) -> None:
    made(keeper)
    answer = made(keeper)
    assert answer.status_code == 400
    assert "a new name" in text(answer)
    assert ApiToken.objects.count() == 1


def test_the_day_a_year_from_now_is_the_last_that_is_taken(keeper: StaffClient) -> None:
    last = (dt.datetime.now(dt.UTC) + dt.timedelta(days=366)).date()
    assert made(keeper, until=last.isoformat()).status_code == 200
    assert ApiToken.objects.get().until.date() == last


def test_a_webhook_is_made_and_ended(keeper: StaffClient) -> None:
    answer = keeper.post(f"{PAGE}hooks/make", {"url": "https://shop.example.org/t", "events": ["case.closed"]})
    secret = secret_of(answer)
    assert secret.startswith("whsec_")
    page = text(keeper.get(PAGE))
    assert "https://shop.example.org/t" in page
    assert secret not in page
    hook = Webhook.objects.get()
    assert keeper.post(f"{PAGE}hooks/{hook.pk}/end")["Location"] == PAGE
    assert keeper.post(f"{PAGE}hooks/{hook.pk}/end").status_code == 404
    assert "shop.example.org" not in text(keeper.get(PAGE))


@pytest.mark.parametrize("url", ["http://shop.example.org/", "https://u:p@shop.example.org/", "javascript:alert(1)"])
def test_a_webhook_goes_to_safe_addresses_only(keeper: StaffClient, url: str) -> None:
    answer = keeper.post(f"{PAGE}hooks/make", {"url": url, "events": ["case.closed"]})
    assert answer.status_code == 400
    assert "https:// address" in text(answer)
    assert not Webhook.objects.exists()


def test_the_page_is_in_the_navigation_of_those_who_may_and_of_nobody_else(
    keeper: StaffClient, staff_member: StaffMember
) -> None:
    assert f'href="{PAGE}"' in text(keeper.get("/console/"))
    other = staff_member(StaffRight.CASES_HANDLE)
    assert f'href="{PAGE}"' not in text(other.get("/console/"))
    assert other.get(PAGE).status_code == 403
    assert other.post(f"{PAGE}make", {"name": "shop"}).status_code == 403

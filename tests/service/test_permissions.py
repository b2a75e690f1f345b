"""Who may open what: every address, whoever asks, whatever the method, whosever the data.

`DOORS` says it a second time, beside the code: an address that is not in it, or a rule that was weakened, fails here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve
from tests.service.addresses import URLCONF, filled, views
from tests.service.requests.conftest import Office
from tests.service.requests.conftest import office as office
from tests.service.team import new_member, signed_in_client

from troth.service.access_rules import AccessRule, rule_of
from troth.service.api import tokens
from troth.service.api.duty import API_MANAGE, METRICS_READ
from troth.service.api.scopes import ApiScope, scopes
from troth.service.assurance.duty import EVIDENCE_READ, EVIDENCE_WRITE, PROMISES_APPROVE
from troth.service.cases import case_links
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK, STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.cases.pages.case_status import leaves
from troth.service.disclosures.duty import DISCLOSURES_READ, DISCLOSURES_SEE, DISCLOSURES_WRITE
from troth.service.duty import LinkKind
from troth.service.newsletters.duty import (
    MAIL_ASK,
    NEWSLETTERS_APPROVE,
    NEWSLETTERS_READ,
    NEWSLETTERS_SEND,
    NEWSLETTERS_SIGNUP,
    NEWSLETTERS_WRITE,
    STOPS_WRITE,
)
from troth.service.requests.duty import CASES_READ, CASES_WRITE, GUARD_READ, PACKAGES_READ
from troth.service.staff import actions as staff
from troth.service.staff.models import Grant, StaffMember
from troth.service.staff.rights import StaffRight, StaffRole, rights_of_role

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # doors do not ask which

H, A, S, M, O = (  # noqa: E741 - as narrow as the table
    StaffRight.CASES_HANDLE,
    StaffRight.CASES_APPROVE,
    StaffRight.PERSONAL_SEE,
    StaffRight.STAFF_MANAGE,
    StaffRight.OFFICER,
)
HOLDS, SENT, EVIDENCE, API, SECOND = (
    StaffRight.HOLDS_MANAGE,
    DISCLOSURES_SEE,
    EVIDENCE_READ,
    API_MANAGE,
    PROMISES_APPROVE,
)
WRITE, AGREE = NEWSLETTERS_SEND, NEWSLETTERS_APPROVE
READ, SEND, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Door:
    """What is expected of an address."""

    rule: AccessRule
    methods: tuple[str, ...] = READ


def everyone(*methods: str) -> Door:
    return Door(AccessRule("public"), methods or READ)


def own(*methods: str) -> Door:
    return Door(AccessRule("signed_in"), methods or READ)


def any_of(*rights: StaffRight, methods: tuple[str, ...] = READ, personal: bool = False) -> Door:
    return Door(AccessRule("needs", rights, personal), methods)


def program(*methods: str) -> Door:
    return Door(AccessRule("by_token"), methods)


DOORS: Mapping[str, Door] = {
    # for everyone
    "policy/": everyone(),
    "policy/versions/": everyone(),
    "policy/logo": everyone(),
    "policy/status/": everyone(),
    "policy/status.json": everyone(),
    "policy/status/<slug:name>/": everyone(),
    "policy/status/<slug:name>.json": everyone(),
    "policy/principles/": everyone(),
    "ledger/": everyone(),
    "ledger/checkpoint": everyone(),
    r"^ledger/(?P<path>tile/[0-9]{1,2}/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)$": everyone(),
    "ledger/receipt/<int:leaf>": everyone(),
    "ledger/receipt/<int:leaf>.tlog-proof": everyone(),
    "health/live": everyone(),
    "health/ready": everyone(),
    ".well-known/security.txt": everyone(),
    ".well-known/gpc.json": everyone(),
    "hooks/mailchimp/<str:secret>": everyone(*BOTH),  # the address itself is secret
    # the privacy centre: what is personal in it stands behind a window that a mailed link opened
    "your-data/": everyone(*READ),
    "your-data/choices/": everyone(*READ),
    "your-data/complain/": everyone(*BOTH),
    "your-data/ask/": everyone(*BOTH),
    "your-data/newsletters/<slug:name>": everyone(*BOTH),
    "your-data/read/<str:token>": everyone(*READ),
    "your-data/stop/": everyone(*BOTH),
    "your-data/stop/<str:token>": everyone(*BOTH),
    "your-data/tracking/": everyone(*BOTH),
    "your-data/tracking/<str:token>": everyone(*BOTH),
    "your-data/sent/": everyone(*READ),
    "your-data/again/": everyone(*BOTH),
    "your-data/signed-in": everyone(*SEND),
    "your-data/sign-in": everyone(*READ),
    "your-data/sign-in/back": everyone(*READ),
    "your-data/link/<str:secret>": everyone(*BOTH),
    "your-data/case/": everyone(*READ),
    "your-data/case/prove": everyone(*SEND),
    "your-data/case/answer": everyone(*SEND),
    "your-data/case/withdraw": everyone(*BOTH),
    "your-data/case/appeal": everyone(*BOTH),
    "your-data/case/package": everyone(*SEND),
    "your-data/case/receipt/<int:leaf>": everyone(*READ),
    "your-data/case/receipt/<int:leaf>.tlog-proof": everyone(*READ),
    "your-data/case/leave": everyone(*SEND),
    "your-data/<right:right>/": everyone(*BOTH),
    # programs
    "api/v1/openapi.json": program(*READ),
    "api/v1/docs": program(*READ),
    "api/v1/": program(),
    "api/v1/^": program(),
    "api/v1/requests": program("GET", "POST"),
    "api/v1/requests/batch": program("POST"),
    "api/v1/requests/<reference>": program("GET"),
    "api/v1/requests/<reference>/receipts": program("GET"),
    "api/v1/requests/<reference>/withdraw": program("POST"),
    "api/v1/requests/<reference>/package": program("GET"),
    "api/v1/guard": program("POST"),
    "api/v1/mail/ask": program("POST"),
    "api/v1/newsletters": program("GET"),
    "api/v1/newsletters/<name>/signups": program("POST"),
    "api/v1/newsletters/<name>/editions": program("POST"),
    "api/v1/stops": program("POST"),
    "api/v1/editions/<edition>": program("GET"),
    "api/v1/editions/<edition>/start": program("POST"),
    "api/v1/editions/<edition>/<change>": program("POST"),
    "api/v1/controls/<control>/evidence": program("POST"),
    "api/v1/disclosures": program("POST"),
    "api/v1/disclosures/received": program("POST"),
    "probes/<str:name>": program("POST"),
    "probes/<str:name>/stops": program("POST"),
    "metrics": program(*READ),
    # the console
    "console/": own(),
    "console/cases/": any_of(H, A),
    "console/cases/new/": any_of(H, methods=BOTH),
    "console/cases/find": any_of(H, A),
    "console/cases/<str:reference>/": any_of(H, A, O, personal=True),
    "console/cases/<str:reference>/approve": any_of(A, O, methods=SEND, personal=True),
    "console/cases/<str:reference>/steps/<int:step>/give-up": any_of(H, methods=SEND, personal=True),
    "console/cases/<str:reference>/letters/<int:letter>/again": any_of(H, methods=SEND, personal=True),
    "console/cases/<str:reference>/letters/<int:letter>/reached": any_of(H, methods=SEND, personal=True),
    "console/cases/<str:reference>/<slug:what>": any_of(H, methods=SEND, personal=True),
    "console/search/": any_of(S, methods=BOTH, personal=True),
    "console/tasks/": any_of(H),
    "console/tasks/<int:pk>/": any_of(H, methods=BOTH, personal=True),
    "console/tasks/<int:pk>/proof": any_of(H, A, personal=True),
    "console/holds/": any_of(HOLDS, methods=BOTH),
    "console/holds/<int:pk>/keep": any_of(HOLDS, methods=SEND),
    "console/holds/<int:pk>/release": any_of(HOLDS, methods=SEND),
    "console/disclosures/": any_of(SENT),
    "console/disclosures/received": any_of(SENT, methods=SEND, personal=True),
    "console/disclosures/notices/<int:pk>": any_of(SENT, methods=SEND),
    "console/newsletters/": any_of(WRITE, AGREE),
    "console/newsletters/write": any_of(WRITE, methods=BOTH),
    "console/newsletters/preview": any_of(WRITE, methods=SEND),
    "console/newsletters/<int:pk>/": any_of(WRITE, AGREE),
    "console/newsletters/<int:pk>/message": any_of(WRITE, AGREE),
    "console/newsletters/<int:pk>/approve": any_of(AGREE, methods=SEND),
    "console/newsletters/<int:pk>/<slug:what>": any_of(WRITE, methods=SEND),
    "console/stops/": any_of(H),
    "console/reports/": any_of(H),
    "console/reports/<int:pk>/<slug:answer>": any_of(H, methods=SEND),
    "console/stops/record": any_of(H, methods=SEND, personal=True),
    "console/stops/lift": any_of(H, methods=SEND, personal=True),
    "console/work/": any_of(H, EVIDENCE),
    "console/work/jobs/<int:pk>/go-on": any_of(H, methods=SEND),
    "console/work/line/start": any_of(H, methods=SEND),
    "console/work/clock/confirm": any_of(H, methods=SEND),
    "console/work/letters/<int:pk>/again": any_of(H, methods=SEND),
    "console/tokens/": any_of(API),
    "console/tokens/make": any_of(API, methods=SEND),
    "console/controls/": any_of(EVIDENCE, H),
    "console/promises/": any_of(EVIDENCE, H),
    "console/waivers/": any_of(SECOND, EVIDENCE),
    "console/waivers/approve": any_of(SECOND, methods=SEND),
    "console/processing/": any_of(EVIDENCE),
    "console/processing/map.css": any_of(EVIDENCE),
    "console/processing/evidence.zip": any_of(EVIDENCE),
    "console/processing/<str:role>.<str:kind>": any_of(EVIDENCE),
    "console/tokens/<int:pk>/end": any_of(API, methods=SEND),
    "console/tokens/hooks/make": any_of(API, methods=SEND),
    "console/tokens/hooks/<int:pk>/end": any_of(API, methods=SEND),
    "console/staff/": any_of(M, O),
    "console/staff/invite": any_of(M, methods=BOTH),
    "console/staff/review": any_of(M, methods=BOTH),
    "console/staff/<int:pk>": any_of(M, O, methods=BOTH),
    "console/staff/<int:pk>/leave": any_of(M, methods=SEND),
    "console/staff/<int:pk>/invitation": any_of(M, methods=SEND),
    "console/staff/grants/<int:pk>/end": any_of(M, methods=SEND),
    "console/accesses/": any_of(O),
    "console/officer/": any_of(O),
    "console/officer/tell": own(*BOTH),
    "console/officer/<int:pk>/close": any_of(O, methods=SEND),
    # signing in
    "staff/sign-in": everyone(*BOTH),
    "staff/sign-out": everyone(*BOTH),
    "staff/sign-in/code": everyone(*BOTH),
    "staff/sign-in/passkey": everyone(*BOTH),
    "staff/invitation/<str:token>": everyone(*BOTH),
    "staff/company/<str:provider_id>/login/": everyone(*BOTH),
    "staff/company/<str:provider_id>/login/callback/": everyone(*BOTH),
    "staff/company/cancelled": everyone(*READ),
    "staff/company/failed": everyone(*READ),
    # one's own account
    "staff/account/": own(),
    "staff/account/factors": own(),
    "staff/account/sign": own(*SEND),
    "staff/account/password": own(*BOTH),
    "staff/account/password/first": own(*BOTH),
    "staff/account/again": own(*BOTH),
    "staff/account/again/code": own(*BOTH),
    "staff/account/again/passkey": own(*BOTH),
    "staff/account/code/add": own(*BOTH),
    "staff/account/code/remove": own(*BOTH),
    "staff/account/recovery": own(),
    "staff/account/recovery/new": own(*BOTH),
    "staff/account/recovery/file": own(),
    "staff/account/passkeys": own(),
    "staff/account/passkeys/add": own(*BOTH),
    "staff/account/passkeys/<int:pk>/remove": own(*BOTH),
    "staff/account/passkeys/<int:pk>": own(*BOTH),
}


def test_every_address_is_in_the_table_with_the_rule_that_it_carries() -> None:
    carried = {address: rule_of(view) for address, view in views()}
    assert carried == {address: door.rule for address, door in DOORS.items()}


def test_what_is_tried_is_what_is_meant() -> None:
    for address, view in views():
        if not address.startswith("api/"):
            assert resolve(filled(address), URLCONF).func is view, address


# --- every method -----------------------------------------------------------------------------------------------------

ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


def send(client: Client, method: str, address: str, body: str = "", **headers: str) -> Any:
    answer = client.generic(method, address, body, headers={"host": "localhost", **headers})
    if answer.streaming:
        answer.close()  # as a server does, whether the browser has read it or not
    return answer


@on_sqlite
def test_no_address_takes_a_method_that_it_does_not_need(office: Office) -> None:
    keeper, officer = (new_member(f"{who}@example.org", *rights) for who, rights in _TWO.items())
    taken = {}
    for address, door in DOORS.items():
        who = keeper if not door.rule.rights or set(door.rule.rights) & set(_TWO["ben"]) else officer
        client = signed_in_client(who)
        for method in ALL:
            status = send(client, method, filled(address)).status_code
            client = signed_in_client(who) if "sign-out" in address else client
            assert status < 500, (address, method)
            if (status != 405) != (method in door.methods) and (address not in NOTHING or status != 404):
                taken[f"{method} {address}"] = status
    assert taken == {}, "\n".join(f"{where} {status}" for where, status in taken.items())


_TWO = {"ben": (H, A, S, M, API, HOLDS, SENT, EVIDENCE, SECOND, WRITE, AGREE), "chloe": (O,)}
NOTHING = ("api/v1/", "api/v1/docs", "api/v1/^")


# --- everyone ---------------------------------------------------------------------------------------------------------

SIGN_IN, ACCOUNT = "/staff/sign-in?next=", "/staff/account/"


@dataclass(frozen=True)
class Who:
    """Somebody at a browser, and what should count of what they were given."""

    roles: tuple[StaffRole, ...] = ()
    is_signed_in: bool = True
    is_ready: bool = True
    rights: frozenset[StaffRight] = frozenset()
    make: Callable[[], Client] = Client


def _member(*roles: StaffRole, factor: bool = True, signed: bool = True) -> Client:
    return signed_in_client(new_member("ben@example.org", roles=roles, signed=signed), factor=factor)


def _nobody() -> Client:
    client = Client()
    user = User.objects.create_user("root", is_staff=True, is_superuser=True)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _over() -> Client:
    client = _member(StaffRole.HANDLER, StaffRole.ADMINISTRATOR)
    now = dt.datetime.now(dt.UTC)
    Grant.objects.update(starts_at=now - dt.timedelta(days=9), until=now - dt.timedelta(days=1))
    return client


def _unreviewed() -> Client:
    client = _member(StaffRole.HANDLER, StaffRole.ADMINISTRATOR)
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=200)
    Grant.objects.update(starts_at=long_ago, reviewed_at=long_ago)
    return client


def _left() -> Client:
    client = _member(StaffRole.HANDLER, StaffRole.ADMINISTRATOR)
    staff.leave(StaffMember.objects.get(), now=dt.datetime.now(dt.UTC))
    return client


PEOPLE: Mapping[str, Who] = {
    "a visitor": Who(is_signed_in=False),
    "an account that is nobody's": Who(is_ready=False, make=_nobody),
    "somebody without a grant": Who(make=_member),
    "somebody without a second factor": Who(is_ready=False, make=lambda: _member(StaffRole.HANDLER, factor=False)),
    "somebody who has not signed": Who(is_ready=False, make=lambda: _member(StaffRole.HANDLER, signed=False)),
    "somebody whose grants are over": Who(make=_over),
    "somebody whose grants nobody reviewed": Who(make=_unreviewed),
    "somebody who left": Who(is_signed_in=False, make=_left),
    **{
        f"the {role}": Who(rights=frozenset(rights_of_role(role)), make=lambda role=role: _member(role))  # type: ignore[misc]
        for role in StaffRole
    },
}


def _found(answer: Any) -> str:
    """What became of it: ``sign in``, ``account``, ``refused`` or ``open``."""
    place = answer.headers.get("Location", "")
    if place.startswith(SIGN_IN):
        return "sign in"
    if answer.status_code == 302 and place == ACCOUNT:
        return "account"
    return "refused" if answer.status_code == 403 else "open"


def _wanted(door: Door, who: Who, method: str) -> str:
    if not who.is_signed_in:
        return "sign in"
    if door.rule.kind == "signed_in":
        return "open"
    if not who.is_ready:
        return "account" if method == "GET" else "refused"
    return "open" if set(door.rule.rights) & who.rights else "refused"


@on_sqlite
@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_address_opens_to_those_it_is_for_and_to_nobody_else(office: Office, name: str, method: str) -> None:
    who = PEOPLE[name]
    client, found, wanted = who.make(), dict[str, str](), dict[str, str]()
    for address, door in DOORS.items():
        if door.rule.kind in ("public", "by_token") or (address, method) in ONES_OWN:
            continue
        answer = send(client, method, filled(address))
        assert answer.status_code < 500, address
        found[address], wanted[address] = _found(answer), _wanted(door, who, method)
    assert len(found) > 45
    assert found == wanted, {where: (found[where], wanted[where]) for where in found if found[where] != wanted[where]}


ONES_OWN = {
    (address, method)
    for method in ("GET", "POST")
    # Where there is no password to be set, or nothing to show who one is with, allauth leads back to the account, or
    # refuses: as a closed door would.
    for address in (
        "staff/account/password/first",
        "staff/account/again",
        "staff/account/again/code",
        "staff/account/again/passkey",
    )
}


@on_sqlite
@pytest.mark.parametrize("name", ["the handler", "the administrator"])
def test_a_session_of_staff_opens_nothing_of_the_api(office: Office, name: str) -> None:
    client = PEOPLE[name].make()
    for address, door in DOORS.items():
        if door.rule.kind == "by_token" and address not in (*NOTHING, "api/v1/openapi.json"):
            for method in door.methods:
                assert send(client, method, filled(address)).status_code == 401, address


# --- programs ---------------------------------------------------------------------------------------------------------

SCOPES: Mapping[tuple[str, str], ApiScope] = {
    ("POST", "api/v1/requests"): CASES_WRITE,
    ("GET", "api/v1/requests"): CASES_READ,
    ("POST", "api/v1/requests/batch"): CASES_WRITE,
    ("GET", "api/v1/requests/<reference>"): CASES_READ,
    ("GET", "api/v1/requests/<reference>/receipts"): CASES_READ,
    ("POST", "api/v1/requests/<reference>/withdraw"): CASES_WRITE,
    ("GET", "api/v1/requests/<reference>/package"): PACKAGES_READ,
    ("POST", "api/v1/guard"): GUARD_READ,
    ("POST", "api/v1/mail/ask"): MAIL_ASK,
    ("POST", "api/v1/disclosures"): DISCLOSURES_WRITE,
    ("POST", "api/v1/disclosures/received"): DISCLOSURES_READ,
    ("POST", "api/v1/controls/<control>/evidence"): EVIDENCE_WRITE,
    ("GET", "api/v1/newsletters"): NEWSLETTERS_READ,
    ("POST", "api/v1/newsletters/<name>/signups"): NEWSLETTERS_SIGNUP,
    ("POST", "api/v1/newsletters/<name>/editions"): NEWSLETTERS_WRITE,
    ("POST", "api/v1/stops"): STOPS_WRITE,
    ("GET", "api/v1/editions/<edition>"): NEWSLETTERS_READ,
    ("POST", "api/v1/editions/<edition>/start"): NEWSLETTERS_WRITE,
    ("POST", "api/v1/editions/<edition>/<change>"): NEWSLETTERS_WRITE,
    ("GET", "metrics"): METRICS_READ,
}
_ANN: Any = {"subject": {"email": "ann@example.org"}}
BODIES: Mapping[str, Any] = {
    "api/v1/requests": {**_ANN, "reply_to": "ann@example.org", "right": "view"},
    "api/v1/requests/batch": [{**_ANN, "reply_to": "ann@example.org", "right": "view"}],
    "api/v1/guard": _ANN,
    "api/v1/mail/ask": {"mails": [{"address": "ann@example.org", "purpose": "orders"}]},
    "api/v1/disclosures": {
        "recipient": "post", "purpose": "orders", "categories": ["user.contact.email"],
        "people": [{"email": "ann@example.org"}],
    },
    "api/v1/disclosures/received": _ANN,
    "api/v1/newsletters/<name>/signups": {"email": "ann@example.org", "shown": "Send it to me."},
    "api/v1/newsletters/<name>/editions": {"subject": "News", "markdown": "We have news."},
    "api/v1/stops": {"email": "ann@example.org"},
    "api/v1/editions/<edition>/start": {"plan": "dg1:" + "0" * 64},
    "api/v1/controls/<control>/evidence": {"at": "2026-01-05T06:00:00Z", "outcome": "pass"},
}  # fmt: skip


def call(method: str, address: str, secret: str, **values: str) -> Any:
    body = json.dumps(BODIES.get(address, {})) if method == "POST" else ""
    return Client().generic(
        method, filled(address, values), body, "application/json", headers={"Authorization": f"Bearer {secret}"}
    )


def test_every_operation_is_in_the_table() -> None:
    others = {*NOTHING, "api/v1/openapi.json", "probes/<str:name>", "probes/<str:name>/stops"}
    by_token = {address for address, door in DOORS.items() if door.rule.kind == "by_token"}
    assert {address for _, address in SCOPES} == by_token - others


@on_sqlite
@pytest.mark.parametrize("scope", scopes())
def test_a_token_opens_what_its_scope_says_and_nothing_else(office: Office, scope: ApiScope) -> None:
    now = office.now()
    secret = tokens.make("shop", [scope], until=now + dt.timedelta(days=1), now=now)
    for (method, address), needed in SCOPES.items():
        status = call(method, address, secret, reference="R-2026-0999", edition="1", change="pause").status_code
        assert (status in (200, 201, 404)) if scope == needed else (status == 403), (address, status)


@on_sqlite
def test_a_token_opens_no_page_of_staff(office: Office) -> None:
    now = office.now()
    secret = tokens.make("shop", scopes(), until=now + dt.timedelta(days=1), now=now)
    for address, door in DOORS.items():
        if door.rule.kind in ("needs", "signed_in"):
            answer = send(Client(), "GET", filled(address), Authorization=f"Bearer {secret}")
            assert answer.headers["Location"].startswith(SIGN_IN), address


# --- one's own, somebody else's, nobody's -----------------------------------------------------------------------------

OF_CASES = [(address, door) for address, door in DOORS.items() if "<str:reference>" in address]


def opened(office: Office, email: str, *, tier: int = 1, phone: str = "", **more: Any) -> Case:
    named = (("email", email), *((("phone", phone),) if phone else ()))
    asked = CaseContent(address=email, identifiers=named, message="about me")
    intake = receive.Intake(
        CaseKind.REQUEST, asked, more.pop("channel", Channel.CENTRE), right="view", tier=tier, **more
    )
    return receive.receive(intake, office.deployment, now=office.now())


@on_sqlite
@pytest.mark.parametrize("phone", ["", "+44 1632 960002"])
@pytest.mark.parametrize("role", [StaffRole.HANDLER, StaffRole.APPROVER, StaffRole.OFFICER])
def test_nobody_of_staff_handles_a_case_of_their_own(office: Office, role: StaffRole, phone: str) -> None:
    client, mine = _member(role), opened(office, "ben@example.org", phone=phone)
    before = Case.objects.filter(pk=mine.pk).values().get()
    for address, door in OF_CASES:
        for method in ("GET", "POST"):
            for what in ("take", "note", "refuse", "x"):
                answer = send(client, method, filled(address, {"reference": mine.reference, "what": what}))
                if method in door.methods and set(door.rule.rights) & set(rights_of_role(role)):
                    assert answer.status_code in (403, 404), address
                assert b"about me" not in answer.content, address
    assert Case.objects.filter(pk=mine.pk).values().get() == before


@on_sqlite
@pytest.mark.parametrize("role", [StaffRole.HANDLER, StaffRole.APPROVER, StaffRole.ADMINISTRATOR, StaffRole.AUDITOR])
def test_a_confidential_case_is_there_for_the_officers_alone(office: Office, role: StaffRole) -> None:
    hidden, client = opened(office, "ann@example.org", is_confidential=True), _member(role)
    officer = signed_in_client(new_member("chloe@example.org", roles=[StaffRole.OFFICER]))
    assert send(officer, "GET", f"/console/cases/{hidden.reference}/").status_code == 200
    for address, _ in OF_CASES:
        for method in ("GET", "POST"):
            answer = send(client, method, filled(address, {"reference": hidden.reference, "what": "take"}))
            assert answer.status_code in (403, 404, 405), address
            assert b"about me" not in answer.content
    for page in ("/console/cases/", "/console/cases/?only=closed", "/console/tasks/", "/console/work/"):
        assert hidden.reference not in send(client, "GET", page).content.decode()


@on_sqlite
def test_a_case_that_is_none_is_none(office: Office) -> None:
    client = _member(StaffRole.HANDLER)
    for address, door in OF_CASES:
        if H in door.rule.rights:
            answer = send(client, door.methods[0], filled(address, {"reference": "R-2026-0999", "what": "take"}))
            assert answer.status_code == 404, address


@on_sqlite
def test_a_program_sees_what_came_through_the_api_and_nothing_confidential(office: Office) -> None:
    now = office.now()
    secret = tokens.make("shop", scopes(), until=now + dt.timedelta(days=1), now=now)
    own_ = opened(office, "ann@example.org", channel=Channel.API)
    others = [
        opened(office, "ann@example.org"),
        opened(office, "ben@example.org", channel=Channel.API, is_confidential=True),
    ]
    for method, address in SCOPES:
        if "<reference>" in address:
            assert call(method, address, secret, reference=own_.reference).status_code in (200, 403, 404)
            for other in others:
                assert call(method, address, secret, reference=other.reference).status_code == 404, address
    listed = call("GET", "api/v1/requests", secret).json()["cases"]
    assert [case["reference"] for case in listed] == [own_.reference]


def _inside(office: Office, case: Case, kind: LinkKind = PROVE_LINK) -> Client:
    """A browser in which the link of *case* was opened."""
    client = Client(headers={"host": "localhost"})
    secret = case_links.make(case, kind, now=office.now())
    assert client.post(f"/your-data/link/{secret}").status_code == 302
    return client


@on_sqlite
def test_a_window_shows_its_own_case_and_nobody_else_s(office: Office) -> None:
    ann, ben = opened(office, "ann@example.org", tier=0), opened(office, "ben@example.org", tier=0)
    browser, other = _inside(office, ann), _inside(office, ben)
    office.work()
    page = browser.get("/your-data/case/").content.decode()
    assert ann.reference in page
    assert ben.reference not in page
    assert browser.post("/your-data/case/package").headers["Content-Type"] == "application/zip"
    mine, theirs = leaves(Case.objects.get(pk=ann.pk)), leaves(Case.objects.get(pk=ben.pk))
    assert mine
    assert theirs
    for leaf in mine | theirs:
        for suffix in ("", ".tlog-proof"):
            address = f"/your-data/case/receipt/{leaf}{suffix}"
            assert browser.get(address).status_code == (200 if leaf in mine else 404)
            assert other.get(address).status_code == (200 if leaf in theirs else 404)
            assert Client().get(address).status_code == 403


@on_sqlite
def test_outside_of_a_window_nothing_of_a_case_is_shown_or_done(office: Office) -> None:
    case = opened(office, "ann@example.org")
    office.work()
    browser = Client(headers={"host": "localhost"})
    browser.cookies["troth-session"] = "planted" * 4
    for address, door in DOORS.items():
        if address.startswith("your-data/case/") and not address.endswith("/leave"):
            for method in door.methods:
                answer = send(browser, method, filled(address))
                assert answer.status_code == 403, address
                assert case.reference not in answer.content.decode()


@on_sqlite
def test_a_status_link_shows_how_it_stands_and_no_more(office: Office) -> None:
    case = opened(office, "ann@example.org")
    office.work()
    browser = _inside(office, case, STATUS_LINK)
    assert case.reference in browser.get("/your-data/case/").content.decode()
    assert browser.post("/your-data/case/package").status_code == 410

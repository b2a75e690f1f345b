"""Who may open what, and that nothing personal is shown before it is on record."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, resolve
from django.utils import timezone
from tests.service.team import PASSWORD, TOTP_SECRET, StaffClient, add_totp, new_member

from troth.controls import CheckOutcome
from troth.ledger import Entry
from troth.service.access_rules import AccessRule, by_token, public, rule_of
from troth.service.core.keys import keyring
from troth.service.core.models import EntryRow
from troth.service.networks import Networks
from troth.service.staff import actions, adapters, attempts
from troth.service.staff.access_log import accesses_of, record_access
from troth.service.staff.controls import mfa, undertakings
from troth.service.staff.factors import fresh_codes
from troth.service.staff.models import AccessRow, Attempts, FactorSecret, Grant, Refusal
from troth.service.staff.models import StaffMember as Member
from troth.service.staff.permissions import needs, signed_in
from troth.service.staff.rights import StaffRight, StaffRole, rights
from troth.service.staff.roster import roster
from troth.service.staff.rules import LOCKED_FOR
from troth.service.urls import urlpatterns as real
from troth.subjects import Identity, references

pytestmark = pytest.mark.sampled

DAY = dt.timedelta(days=1)
ANN = "ps1:" + "0a" * 16
BEN = "ps1:" + "0b" * 16
StaffMember = Callable[..., StaffClient]


# --- a few pages, to be guarded -------------------------------------------------------------------------------------


def _shows(request: HttpRequest) -> HttpResponse:
    record_access(request, subjects=[ANN, BEN], purpose=request.GET.get("purpose", "support"), about="case:R-2026-0001")
    assert AccessRow.objects.count() == 2  # on record before the page is made
    return HttpResponse("what Ann wrote")


def _forgets(request: HttpRequest) -> HttpResponse:
    return HttpResponse("what Ann wrote")


urlpatterns = [
    *real,
    path("try/open", public(_forgets)),
    path("try/own", signed_in(_forgets)),
    path("try/holds", needs(StaffRight.HOLDS_MANAGE)(_forgets)),
    path("try/shows", needs(StaffRight.CASES_HANDLE, personal=True)(_shows)),
    path("try/forgets", needs(StaffRight.CASES_HANDLE, personal=True)(_forgets)),
    path("try/token", by_token(_forgets)),
]


@pytest.fixture(autouse=True)
def pages(office: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = __name__
    monkeypatch.setattr(adapters, "networks", Networks(attempts.NETWORK_MAX))
    # As in another process: what one remembers in memory the next does not know.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")


def code(at: int = 0) -> str:
    return str(format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30 + at)))


def entries(kind: str) -> list[Entry]:
    rows = EntryRow.objects.order_by("pk").values_list("content", flat=True)
    return [entry for entry in map(Entry.decode, map(bytes, rows)) if entry.kind == kind]


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/staff/sign-in", {"login": email, "password": password, **more})


def text(response: Any) -> str:
    return str(response.content.decode())


# --- every page has a rule ------------------------------------------------------------------------------------------


def _views(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def test_every_address_says_who_may_open_it() -> None:
    views = dict(_views(get_resolver("troth.service.urls").url_patterns))
    assert len(views) > 30
    without = [address for address, view in views.items() if rule_of(view) is None]
    assert without == []


@pytest.mark.parametrize("right", [None, *rights()])
def test_each_staff_page_opens_to_its_rights_and_to_nothing_else(
    right: StaffRight | None, staff_member: StaffMember, database: str
) -> None:
    client = staff_member(*([right] if right else []))
    member = new_member("ben@example.org")
    opened = {}
    for address, view in _views(get_resolver("troth.service.staff.urls").url_patterns):
        rule = rule_of(view)
        if rule is None or rule.kind != "needs":
            continue
        url = "/" + address.replace("<int:pk>", str(member.pk))
        opened[url] = (client.get(url).status_code in (200, 404, 405), right in rule.rights)
    assert len(opened) >= 9
    assert {url: may for url, (may, _) in opened.items()} == {url: should for url, (_, should) in opened.items()}


_SAMPLES = {"int": "1", "str": "x", "slug": "x", "path": "x/y", "uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12}


def test_every_guarded_page_of_every_duty_is_shut_to_others(staff_member: StaffMember, visitor: Client) -> None:
    nobody, tried = staff_member(), 0
    for address, view in _views(get_resolver("troth.service.urls").url_patterns):
        rule = rule_of(view)
        if rule is None or rule.kind not in ("needs", "signed_in"):
            continue
        url = "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda part: _SAMPLES.get(part[1] or "str", "x"), address)
        assert resolve(url, "troth.service.urls").func is view, address
        tried += 1
        assert visitor.get(url)["Location"].startswith("/staff/sign-in?"), address
        if rule.kind == "needs":
            assert nobody.get(url).status_code == 403, address
            assert nobody.post(url).status_code == 403, address
    assert tried > 25


def test_a_visitor_is_sent_to_sign_in_and_comes_back(visitor: Client) -> None:
    assert text(visitor.get("/try/open")) == "what Ann wrote"
    for address in ("/try/own", "/try/holds", "/try/shows", "/console/", "/console/staff/", "/staff/account/"):
        assert visitor.get(address)["Location"] == f"/staff/sign-in?next={address}"
        assert visitor.post(address).status_code in (302, 403)


def test_an_account_that_is_nobody_s_opens_nothing(visitor: Client) -> None:
    visitor.force_login(User.objects.create_user("root", is_staff=True, is_superuser=True))
    assert visitor.get("/try/shows")["Location"] == "/staff/account/"
    assert visitor.post("/try/shows").status_code == 403
    assert visitor.get("/staff/account/").status_code == 200
    assert not entries("access.refused")


# --- a second factor ------------------------------------------------------------------------------------------------


def test_without_a_second_factor_nothing_opens_but_the_account(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.CASES_HANDLE, factor=False)
    assert client.get("/try/shows")["Location"] == "/staff/account/"
    assert client.post("/try/shows").status_code == 403
    assert "Add a second factor" in text(client.get("/staff/account/"))
    assert [entry.fields["why"] for entry in entries("access.refused")] == ["factor"]
    assert AccessRow.objects.count() == 0


def test_a_member_comes_in_by_invitation_password_factor_and_word(visitor: Client) -> None:
    member, token = actions.invite("Ann@Example.org", [StaffRole.HANDLER], reason="joins the desk", now=timezone.now())
    link = f"/staff/invitation/{token}"
    for _ in range(2):  # a mail scanner looks at it too
        assert "ann@example.org" in text(visitor.get(link))
    assert "too short" in text(visitor.post(link, {"password": "short"}))
    assert visitor.post(link, {"password": PASSWORD})["Location"] == "/staff/account/"
    assert visitor.get(link).status_code == 404
    now = timezone.now()
    outcomes = [control(roster(now), now).outcome for control in (mfa, undertakings)]  # nothing is open yet
    assert outcomes == [CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE]
    page = text(visitor.get("/staff/account/code/add"))
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page)
    assert secret is not None
    number = format_hotp_value(hotp_value(secret[1], int(time.time()) // 30))
    assert visitor.post("/staff/account/code/add", {"code": number})["Location"] == "/staff/account/recovery"
    assert len(re.findall(r"<li>\d{8}</li>", text(visitor.get("/staff/account/recovery")))) == 10
    assert not re.findall(r"<li>\d{8}</li>", text(visitor.get("/staff/account/recovery")))  # shown once
    assert visitor.get("/try/shows")["Location"] == "/staff/account/"
    document = re.search(r'name="document" value="([^"]+)"', text(visitor.get("/staff/account/")))
    assert document is not None
    assert visitor.post("/staff/account/sign", {"document": document[1]}).status_code == 400  # no tick, no word
    visitor.post("/staff/account/sign", {"document": document[1], "agreed": "yes"})
    assert text(visitor.get("/try/shows")) == "what Ann wrote"
    assert [entry.kind for entry in map(Entry.decode, map(bytes, EntryRow.objects.values_list("content", flat=True)))][
        :4
    ] == ["staff.invited", "grant.given", "grant.given", "undertaking.signed"]
    assert secret[1] not in str(Authenticator.objects.values_list("data", flat=True))
    assert secret[1].encode() not in b"".join(bytes(row.sealed) for row in FactorSecret.objects.all())
    assert member.pseudonym != "ann@example.org"


def test_a_password_alone_does_not_sign_in_somebody_with_a_factor(visitor: Client) -> None:
    member = new_member("ann@example.org", StaffRight.CASES_HANDLE)
    add_totp(member)
    assert sign_in(visitor, "ann@example.org", next="/try/shows")["Location"].startswith("/staff/sign-in/code")
    assert visitor.get("/try/shows").status_code == 302
    assert visitor.post("/staff/sign-in/code", {"code": "000000"}).status_code == 200
    assert visitor.get("/try/own")["Location"].startswith("/staff/sign-in?")
    assert visitor.post("/staff/sign-in/code", {"code": code()})["Location"] == "/try/shows"
    assert text(visitor.get("/try/shows")) == "what Ann wrote"


def test_a_code_counts_once(visitor: Client) -> None:
    add_totp(new_member("ann@example.org", StaffRight.CASES_HANDLE))
    number = code()
    sign_in(visitor, "ann@example.org")
    assert visitor.post("/staff/sign-in/code", {"code": number}).status_code == 302
    again = Client(headers={"host": "localhost"})
    sign_in(again, "ann@example.org")
    assert "used already" in text(again.post("/staff/sign-in/code", {"code": number}))
    assert again.get("/try/own").status_code == 302


def test_codes_for_a_trial_are_each_good_once(visitor: Client) -> None:
    member = new_member("ann@example.org", StaffRight.CASES_HANDLE)
    old = fresh_codes(member.user)
    first, *_ = fresh_codes(member.user)
    sign_in(visitor, "ann@example.org")
    for wrong in (old[0], "000000"):
        assert visitor.post("/staff/sign-in/code", {"code": wrong}).status_code == 200
    assert visitor.post("/staff/sign-in/code", {"code": first}).status_code == 302
    assert visitor.get("/try/shows").status_code == 200
    again = Client(headers={"host": "localhost"})
    sign_in(again, "ann@example.org")
    assert again.post("/staff/sign-in/code", {"code": first}).status_code == 200


def test_removing_the_last_factor_takes_the_secret_and_shuts_the_pages(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    Authenticator.objects.filter(user=client.member.user).delete()
    assert FactorSecret.objects.count() == 0


# --- passwords and sessions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_ten_failures_lock_for_half_an_hour_whether_there_is_an_account_or_not(visitor: Client, email: str) -> None:
    new_member("ann@example.org")
    answers = {text(sign_in(visitor, email, "wrong")).count("is wrong") for _ in range(10)}
    assert answers == {1}
    assert "Too many attempts" in text(sign_in(visitor, email, "wrong"))
    assert "Too many attempts" in text(sign_in(visitor, email, PASSWORD))
    [entry] = entries("sign_in.failed")
    assert (entry.fields["count"], entry.fields["locked"]) == (10, "yes")
    assert ("staff" in entry.fields) is (email == "ann@example.org")
    Attempts.objects.update(locked_until=timezone.now() - DAY)
    assert "Too many" not in text(sign_in(visitor, email, "wrong"))
    if email == "ann@example.org":
        assert sign_in(visitor, email)["Location"] == "/console/"
        assert [entry.fields["count"] for entry in entries("sign_in.failed")] == [10, 1]


def test_wrong_codes_lock_too_and_the_right_password_does_not_unlock_them(visitor: Client) -> None:
    add_totp(new_member("ann@example.org"))
    for _ in range(11):
        sign_in(visitor, "ann@example.org")
        answer = text(visitor.post("/staff/sign-in/code", {"code": "000000"}))
    assert "Too many attempts" in answer
    sign_in(visitor, "ann@example.org")
    assert "Too many attempts" in text(visitor.post("/staff/sign-in/code", {"code": code()}))


def test_one_password_tried_with_many_names_is_stopped_for_its_network_alone(visitor: Client) -> None:
    new_member("ann@example.org")
    names = ["ann@example.org", *(f"person-{number}@example.org" for number in range(99))]
    answers = [text(sign_in(visitor, name, "Winter-2026!")) for name in names]
    assert sum("is wrong" in answer for answer in answers) == attempts.NETWORK_MAX
    neighbour = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.250")
    assert "from your network" in text(sign_in(neighbour, "ann@example.org"))
    assert Attempts.objects.count() == attempts.NETWORK_MAX
    elsewhere = Client(headers={"host": "localhost"}, REMOTE_ADDR="198.51.100.7")
    assert sign_in(elsewhere, "ann@example.org")["Location"] == "/console/"


def test_a_network_from_which_many_sign_in_is_not_stopped(visitor: Client) -> None:
    new_member("ann@example.org")
    for _ in range(attempts.NETWORK_MAX + 1):
        assert sign_in(Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7"), "ann@example.org")["Location"]


def test_attempts_are_forgotten_when_they_count_no_more(visitor: Client) -> None:
    for number in range(25):
        sign_in(visitor, f"person-{number}@example.org", "wrong")
    Attempts.objects.update(latest_at=timezone.now() - LOCKED_FOR - dt.timedelta(seconds=1))
    for number in range(3):
        sign_in(visitor, f"other-{number}@example.org", "wrong")
    assert Attempts.objects.count() == 3


def test_what_is_counted_names_nobody_and_no_machine(visitor: Client) -> None:
    sign_in(visitor, "ann@example.org", "wrong")
    row = Attempts.objects.get()
    stored = repr([getattr(row, field.attname) for field in Attempts._meta.fields])
    assert "ann" not in stored
    assert "203.0.113.7" not in stored


def test_signing_in_changes_the_session(visitor: Client) -> None:
    new_member("ann@example.org")
    visitor.cookies["troth-session"] = "fixedfixedfixedfixedfixedfixed12"
    visitor.get("/staff/sign-in")
    sign_in(visitor, "ann@example.org")
    assert visitor.get("/try/own").status_code == 200
    assert visitor.cookies["troth-session"].value != "fixedfixedfixedfixedfixedfixed12"
    before = visitor.cookies["troth-session"].value
    visitor.post("/staff/sign-out")
    other = Client(headers={"host": "localhost"})
    other.cookies["troth-session"] = before
    assert other.get("/try/own").status_code == 302


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
@pytest.mark.parametrize("factor", [True, False])
def test_signing_in_leads_nowhere_else(visitor: Client, place: str, factor: bool) -> None:
    member = new_member("ann@example.org")
    if factor:
        add_totp(member)
    answer = sign_in(visitor, "ann@example.org", next=place)
    if factor:
        answer = visitor.post(f"/staff/sign-in/code?next={place}", {"code": code(), "next": place})
    assert answer["Location"] == "/console/"


def test_nobody_signs_up(visitor: Client) -> None:
    for address in ("/staff/sign-up", "/accounts/signup/", "/staff/company/company/login/callback/"):
        assert visitor.get(address).status_code == 404
    assert visitor.post("/staff/company/company/login/").status_code == 404


def test_a_form_without_its_token_changes_nothing(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.STAFF_MANAGE)
    other = new_member("ben@example.org", StaffRight.CASES_HANDLE)
    client.handler.enforce_csrf_checks = True
    grant = other.grants.get()
    assert client.post(f"/console/staff/grants/{grant.pk}/end").status_code == 403
    assert client.post(f"/console/staff/{other.pk}/leave").status_code == 403
    assert other.grants.filter(ended_at__isnull=True).exists()


def test_a_session_without_a_sign_of_life_ends(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    assert client.get("/try/own").status_code == 200
    session = client.session
    session["troth.seen"] = time.time() - 16 * 60
    session.save()
    assert client.get("/try/own")["Location"].startswith("/staff/sign-in")
    assert client.get("/try/own").status_code == 302


def test_a_session_ends_after_a_day_s_work(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    client.get("/try/own")
    session = client.session
    session["troth.began"] = time.time() - 13 * 3600
    session.save()
    assert client.get("/try/own").status_code == 302


def test_who_leaves_is_out_at_once(staff_member: StaffMember, visitor: Client) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    assert client.get("/try/shows").status_code == 200
    actions.leave(client.member, now=timezone.now())
    assert client.get("/try/shows")["Location"].startswith("/staff/sign-in")
    assert "is wrong" in text(sign_in(visitor, client.member.user.username))
    assert not client.member.grants.filter(ended_at__isnull=True).exists()
    assert Authenticator.objects.count() == FactorSecret.objects.count() == 0
    assert [entry.fields["why"] for entry in entries("grant.ended")] == ["left"]
    assert len(entries("staff.left")) == 1
    actions.leave(client.member, now=timezone.now())  # harmless twice
    assert len(entries("staff.left")) == 1


def test_an_account_that_nobody_used_for_ninety_days_is_closed(staff_member: StaffMember, visitor: Client) -> None:
    client, other = staff_member(StaffRight.CASES_HANDLE), new_member("ben@example.org", StaffRight.CASES_HANDLE)
    Member.objects.update(seen_at=timezone.now() - 91 * DAY, invited_at=timezone.now() - 200 * DAY)
    Member.objects.filter(pk=client.member.pk).update(seen_at=timezone.now() - 89 * DAY)
    assert "closed" in text(sign_in(visitor, "ben@example.org"))
    other.refresh_from_db()
    assert other.left_at is not None
    assert actions.close_inactive(timezone.now()) == 0
    assert actions.close_inactive(timezone.now() + 2 * DAY) == 1


def test_a_new_link_ends_the_old_one_and_serves_a_forgotten_password(visitor: Client) -> None:
    member = new_member("ann@example.org", StaffRight.CASES_HANDLE)
    add_totp(member)
    old, new = (actions.renew_invitation(member, now=timezone.now()) for _ in range(2))
    assert visitor.get(f"/staff/invitation/{old}").status_code == 404
    assert visitor.post(f"/staff/invitation/{new}", {"password": PASSWORD + "!"})["Location"] == "/staff/sign-in"
    assert visitor.get("/try/own").status_code == 302  # the second factor is still asked for
    late = actions.renew_invitation(member, now=timezone.now() - 4 * DAY)
    assert visitor.get(f"/staff/invitation/{late}").status_code == 404


# --- looking --------------------------------------------------------------------------------------------------------


def test_a_look_is_on_record_before_anything_is_shown(staff_member: StaffMember) -> None:
    client = staff_member(roles=[StaffRole.HANDLER])
    assert text(client.get("/try/shows")) == "what Ann wrote"
    seen = entries("subject.viewed")
    assert [str(entry.fields["subject"]) for entry in seen] == [ANN, BEN]
    assert {str(entry.fields["by"]) for entry in seen} == {client.member.pseudonym}
    assert {(str(entry.fields["actor"]), str(entry.fields["purpose"])) for entry in seen} == {("staff", "support")}
    assert all("case" in entry.fields for entry in seen)
    [told] = accesses_of(ANN)
    assert (told.role, told.purpose, told.about) == ("handler", "support", "case:R-2026-0001")
    assert accesses_of("ps1:" + "0c" * 16) == []


def test_a_purpose_that_nobody_declared_is_refused_and_on_record(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    answer = client.get("/try/shows?purpose=marketing")
    assert answer.status_code == 403
    assert "Ann wrote" not in text(answer)
    assert "That purpose is not declared" in text(answer)
    [entry] = entries("access.refused")
    assert (entry.fields["why"], str(entry.fields["purpose"])) == ("purpose", "marketing")
    assert Refusal.objects.get().purpose == "marketing"
    assert AccessRow.objects.count() == 0
    assert client.get("/try/shows?purpose=ann@example.org").status_code == 403
    assert "ann@example.org" not in repr(list(Refusal.objects.values()))


def test_nobody_looks_at_what_concerns_themselves(staff_member: StaffMember, monkeypatch: pytest.MonkeyPatch) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    mine = references([Identity.of(email=client.member.user.email)], keyring(settings.TROTH.home))[0]
    monkeypatch.setattr(f"{__name__}.ANN", mine.text)
    answer = client.get("/try/shows")
    assert answer.status_code == 403
    assert "This is about you" in text(answer)
    assert [entry.fields["why"] for entry in entries("access.refused")] == ["own"]
    assert AccessRow.objects.count() == 0


def test_a_page_without_a_look_is_not_sent(staff_member: StaffMember) -> None:
    answer = staff_member(StaffRight.CASES_HANDLE).get("/try/forgets")
    assert answer.status_code == 500
    assert "Ann wrote" not in text(answer)
    assert [entry.fields["why"] for entry in entries("access.refused")] == ["unrecorded"]


def test_where_the_record_cannot_be_written_nothing_is_shown(
    staff_member: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)

    def full(*entries: Entry) -> None:
        raise OSError("no room")

    monkeypatch.setattr("troth.service.staff.access_log.record", full)
    client.raise_request_exception = False
    answer = client.get("/try/shows")
    assert answer.status_code == 500
    assert "Ann wrote" not in text(answer)
    assert AccessRow.objects.count() == 0


def test_a_right_that_shows_nothing_personal_guards_no_personal_page() -> None:
    with pytest.raises(AssertionError):
        needs(StaffRight.STAFF_MANAGE, personal=True)


def test_the_use_of_a_grant_is_noted_once_a_day(staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.HOLDS_MANAGE)
    assert Grant.objects.get().used_at is None
    client.get("/try/holds")
    first = Grant.objects.get().used_at
    client.get("/try/holds")
    assert Grant.objects.get().used_at == first is not None


def test_the_rule_of_a_view_can_be_read() -> None:
    rules = {address: rule_of(view) for address, view in _views(urlpatterns) if address.startswith("try/")}
    assert rules["try/shows"] == AccessRule("needs", (StaffRight.CASES_HANDLE,), personal=True)
    assert rules["try/token"] == AccessRule("by_token")

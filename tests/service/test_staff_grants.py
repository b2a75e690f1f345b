"""Grants: who gives what to whom, when it counts, and how many people may hold what shows personal data."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.service.team import DECLARED, StaffClient, add_totp, new_member
from tests.tables import each_row

from troth.controls import Check, CheckOutcome, Evidence
from troth.controls import run as run_control
from troth.ledger import Entry
from troth.protect import Keyring
from troth.service.api.duty import API_MANAGE
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.core import checks
from troth.service.core.deployment import current
from troth.service.core.models import EntryRow
from troth.service.mail.models import LetterRow
from troth.service.staff import actions
from troth.service.staff import controls as _controls  # noqa: F401 - registers the answers
from troth.service.staff.models import (
    AccessRow,
    Confidence,
    FactorSecret,
    Grant,
    Refusal,
    Undertaking,
)
from troth.service.staff.models import (
    StaffMember as Member,
)
from troth.service.staff.rights import StaffRight, StaffRole, conflicts, rights, rights_of_role
from troth.service.staff.roster import roster
from troth.service.staff.rules import InactiveReason, MemberFacts, rights_of, why_not
from troth.service.staff.undertaking import document_hash

pytestmark = pytest.mark.sampled

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
StaffMember = Callable[..., StaffClient]


def entries(kind: str) -> list[Entry]:
    rows = EntryRow.objects.order_by("pk").values_list("content", flat=True)
    return [entry for entry in map(Entry.decode, map(bytes, rows)) if entry.kind == kind]


def text(response: Any) -> str:
    return str(response.content.decode())


# --- when a grant counts --------------------------------------------------------------------------------------------

TERMS = {"starts_at": NOW - 10 * DAY, "until": NOW + 10 * DAY, "reviewed_at": NOW - 10 * DAY}
GRANT = Grant(right="cases.handle", role="handler", **TERMS)
ANN = MemberFacts(is_open=True, seen_at=NOW - DAY, undertaking_until=NOW + DAY)


def _held(**change: Any) -> Grant:
    return Grant(right="cases.handle", role="handler", **{**TERMS, **change})


def _person(**change: Any) -> MemberFacts:
    from dataclasses import replace

    return replace(ANN, **change)


@each_row(
    ("grant", "person", "why"),
    [
        (GRANT, ANN, None),
        (_held(ended_at=NOW), ANN, InactiveReason.ENDED),
        (_held(starts_at=NOW + DAY), ANN, InactiveReason.NOT_YET),
        (_held(until=NOW), ANN, InactiveReason.OVER),
        (_held(reviewed_at=dt.datetime(2026, 5, 24, 9, 41, tzinfo=dt.UTC)), ANN, InactiveReason.NOT_REVIEWED),
        (_held(reviewed_at=dt.datetime(2026, 5, 24, 9, 42, tzinfo=dt.UTC)), ANN, None),
        (GRANT, _person(undertaking_until=None), InactiveReason.NO_UNDERTAKING),
        (GRANT, _person(undertaking_until=NOW), InactiveReason.NO_UNDERTAKING),
        (GRANT, _person(is_open=False), InactiveReason.LEFT),
        (GRANT, _person(seen_at=NOW - 91 * DAY), InactiveReason.LEFT),
    ],
)
def test_a_grant_counts_only_while_everything_is_in_order(
    grant: Grant, person: MemberFacts, why: InactiveReason | None
) -> None:
    assert why_not(grant, person, now=NOW) is why
    assert rights_of([grant], person, now=NOW) == ({} if why else {"cases.handle": "handler"})


@given(st.sets(st.sampled_from(rights())))
def test_what_conflicts_is_held_and_stands_in_a_pair(held: set[StaffRight]) -> None:
    clash = conflicts(held)
    assert clash <= held
    assert bool(clash) is any({right, other} <= held for right in rights() for other in right.not_with)


def test_no_role_conflicts_with_itself_and_officer_and_deputy_may_do_the_same() -> None:
    assert not any(conflicts(rights) for rights in map(rights_of_role, StaffRole))
    assert rights_of_role(StaffRole.OFFICER) == rights_of_role(StaffRole.DEPUTY)


# --- giving ---------------------------------------------------------------------------------------------------------


def test_nobody_gives_to_themselves(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.STAFF_MANAGE)
    with pytest.raises(actions.GrantRefused, match="give yourself a grant"):
        actions.give(client.member, [API_MANAGE], reason="I want it", now=timezone.now(), by=client.member)
    page = client.post(f"/console/staff/{client.member.pk}", {"what": "api.manage", "reason": "I want it"})
    assert page.status_code == 400
    assert client.member.grants.count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": "  "}, "why the grant is needed"),
        ({"until": NOW + 400 * DAY}, "within 1 year"),
        ({"until": NOW - DAY}, "within 1 year"),
        ({"starts": NOW + 30 * DAY, "until": NOW + 20 * DAY}, "within 1 year"),
        ({"rights": [StaffRight.OFFICER, StaffRight.STAFF_MANAGE]}, "together"),
    ],
)
def test_a_grant_that_should_not_be_is_refused(office: Path, change: dict[str, Any], says: str) -> None:
    member = new_member("ann@example.org")
    wanted = {"rights": [StaffRight.CASES_HANDLE], "reason": "the desk", "now": NOW, **change}
    with pytest.raises(actions.GrantRefused, match=says):
        actions.give(member, wanted.pop("rights"), **wanted)
    assert not Grant.objects.exists()
    assert not entries("grant.given")


def test_the_officer_does_not_manage_what_they_watch_over(office: Path) -> None:
    member = new_member("ann@example.org", StaffRight.STAFF_MANAGE)
    with pytest.raises(actions.GrantRefused, match=r"Art\. 38\(6\)"):
        actions.give(
            member, rights_of_role(StaffRole.OFFICER), role=StaffRole.OFFICER, reason="both", now=timezone.now()
        )


def test_a_grant_is_given_by_form_with_reason_and_end(office: Path, staff_member: StaffMember) -> None:
    client, other = staff_member(StaffRight.STAFF_MANAGE), new_member("ben@example.org")
    until = timezone.now().date() + 30 * DAY
    form = {"what": "handler", "until": until.isoformat(), "reason": "covers for Chloe"}
    assert client.post(f"/console/staff/{other.pk}", form).status_code == 302
    rows = list(other.grants.order_by("right"))
    assert [row.right for row in rows] == ["cases.handle", "personal.see"]
    assert {row.given_by for row in rows} == {client.member.pseudonym}
    assert {row.until.date() for row in rows} == {until + DAY}
    assert actions.reason_of(rows[0]) == "covers for Chloe"
    assert b"Chloe" not in bytes(rows[0].sealed_reason)
    page = text(client.get(f"/console/staff/{other.pk}"))
    assert "covers for Chloe" in page
    assert "ann1@example.org" in page
    given = entries("grant.given")[-1]
    assert (str(given.fields["role"]), str(given.fields["actor"])) == ("handler", "staff")
    assert client.post(f"/console/staff/grants/{rows[0].pk}/end").status_code == 302
    assert [row.right for row in other.grants.filter(ended_at__isnull=True)] == ["personal.see"]


def test_somebody_is_invited_from_the_console(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.STAFF_MANAGE)
    form = {"email": "ben@example.org", "roles": ["auditor"], "reason": "the yearly audit"}
    page = client.post("/console/staff/invite", form)
    assert page.status_code == 200
    assert "/staff/invitation/" not in text(page)  # whoever invites somebody does not become them
    assert [letter.kind for letter in LetterRow.objects.all()] == ["staff_invite"]
    assert Member.objects.get(user__username="ben@example.org").grants.get().right == "evidence.read"
    again = client.post("/console/staff/invite", form)
    assert again.status_code == 400
    assert "An account with this address exists already" in text(again)


def test_a_person_s_page_shows_what_is_missing(office: Path, staff_member: StaffMember) -> None:
    client, other = (
        staff_member(StaffRight.STAFF_MANAGE),
        new_member("ben@example.org", StaffRight.CASES_HANDLE, signed=False),
    )
    assert "no undertaking" in text(client.get("/console/staff/"))
    assert "Has not signed the undertaking" in text(client.get(f"/console/staff/{other.pk}"))
    assert client.post(f"/console/staff/{other.pk}/leave").status_code == 302
    other.refresh_from_db()
    assert other.left_at is not None
    assert client.post(f"/console/staff/{client.member.pk}/leave").status_code == 404


def test_who_left_comes_back_with_nothing_of_before(office: Path) -> None:
    member = new_member("ann@example.org", StaffRight.CASES_HANDLE)
    add_totp(member)
    actions.leave(member, now=timezone.now())
    again, token = actions.invite("ann@example.org", [StaffRole.AUDITOR], reason="back again", now=timezone.now())
    assert again.pk == member.pk
    assert actions.invitation_of(token, now=timezone.now()) is not None
    assert not FactorSecret.objects.exists()
    assert not again.user.has_usable_password()
    assert [row.right for row in again.grants.filter(ended_at__isnull=True)] == ["evidence.read"]
    with pytest.raises(actions.StaffError, match="already"):
        actions.invite("ann@example.org", [], reason="twice", now=timezone.now())


# --- the ceiling ----------------------------------------------------------------------------------------------------


def test_one_more_than_the_ceiling_is_refused_and_told_why(office: Path, staff_member: StaffMember) -> None:
    for name in ("ann", "ben", "chloe"):
        new_member(f"{name}@example.org", StaffRight.CASES_HANDLE)
    actions.give(
        actions.find("ben@example.org"), [StaffRight.PERSONAL_SEE], reason="the same person", now=timezone.now()
    )
    late = new_member("dora@example.org", EVIDENCE_READ)  # shows nothing personal
    with pytest.raises(actions.CeilingReached, match="at most 3 people"):
        actions.give(late, [StaffRight.PERSONAL_SEE], reason="one more", now=timezone.now())
    manager = staff_member(StaffRight.STAFF_MANAGE)
    page = manager.post(f"/console/staff/{late.pk}", {"what": "personal.see", "reason": "one more"})
    assert page.status_code == 400
    assert "access.ceiling" in text(page)
    actions.revoke(Grant.objects.filter(member__user__username="ann@example.org"), now=timezone.now())
    actions.give(late, [StaffRight.PERSONAL_SEE], reason="instead of Ann", now=timezone.now())
    assert len(actions.holders(timezone.now())) == 3


def test_accounts_of_the_stores_take_room_under_the_ceiling(office: Path) -> None:
    new_member("ann@example.org", StaffRight.CASES_HANDLE)
    now = timezone.now()
    figures = {"accounts": 2, "people in Troth": 1, "ceiling": 3}
    checks.keep(
        Check("staff.ceiling", 1, CheckOutcome.PASS, "…", now, now + DAY, "dg1:" + "0" * 64, Evidence(), figures, ())
    )
    with pytest.raises(actions.CeilingReached, match="beside 2 accounts"):
        new_member("ben@example.org", StaffRight.CASES_HANDLE)


def test_a_refused_invitation_leaves_no_account(office: Path) -> None:
    (office / "troth.yaml").write_text(DECLARED.replace("ceiling: 3", "ceiling: 1"))
    new_member("ann@example.org", StaffRight.CASES_HANDLE)
    with pytest.raises(actions.CeilingReached):
        actions.invite("ben@example.org", [StaffRole.HANDLER], reason="one more", now=timezone.now())
    assert not Member.objects.filter(user__username="ben@example.org").exists()
    assert len(entries("staff.invited")) == 1


def test_grants_side_by_side_never_pass_the_ceiling(office: Path) -> None:
    members = [new_member(f"ann{number}@example.org") for number in range(8)]
    start, refused = threading.Barrier(len(members)), list[str]()

    def give(member: Member) -> None:
        start.wait(30)
        try:
            actions.give(member, [StaffRight.CASES_HANDLE], reason="at the same time", now=timezone.now())
        except actions.CeilingReached as error:
            refused.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=give, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(actions.holders(timezone.now())) == 3
    assert len(refused) == 5
    assert len(entries("grant.given")) == 3


# --- undertakings and reviews ---------------------------------------------------------------------------------------


def test_another_text_has_to_be_signed_anew(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.HOLDS_MANAGE, EVIDENCE_READ)
    assert "doors" in text(client.get("/console/"))
    assert "Sign the undertaking" not in text(client.get("/staff/account/"))
    (office / "undertaking.md").write_text("I promise more.\n")
    page = text(client.get("/staff/account/"))
    assert "Sign the undertaking" in page
    assert "I promise more." in page
    old = Undertaking.objects.get().document
    assert client.post("/staff/account/sign", {"document": old, "agreed": "yes"}).status_code == 400
    assert Undertaking.objects.count() == 1


def test_the_undertaking_is_shown_as_formatted_text_without_html_of_its_own(
    office: Path, staff_member: StaffMember
) -> None:
    client = staff_member(StaffRight.HOLDS_MANAGE, signed=False)
    assert "<ol>\n<li>I look at" in text(client.get("/staff/account/"))
    written = "# My *word*\n\n- <script>x</script>\n- [here](javascript:x)\n\n<b>bold</b>\n"
    (office / "undertaking.md").write_text(written)
    page = text(client.get("/staff/account/"))
    assert "<h3>My <em>word</em></h3>" in page
    assert "<li>&lt;script&gt;x&lt;/script&gt;</li>" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert 'href="javascript' not in page
    client.post("/staff/account/sign", {"document": document_hash(), "agreed": "yes"})
    assert Undertaking.objects.get().document == f"sha256:{hashlib.sha256(written.encode()).hexdigest()}"


def test_a_review_keeps_and_ends_and_leaves_one_s_own_alone(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.STAFF_MANAGE)
    keep = new_member("ben@example.org", StaffRight.CASES_HANDLE).grants.get()
    end = new_member("chloe@example.org", StaffRight.CASES_HANDLE).grants.get()
    Grant.objects.update(reviewed_at=timezone.now() - 170 * DAY)
    page = text(client.get("/console/staff/review"))
    assert "ben@example.org" in page
    assert "ends soon" in page
    own = client.member.grants.get()
    assert f"grant-{own.pk}" not in page
    form = {f"grant-{keep.pk}": "keep", f"grant-{end.pk}": "end", f"grant-{own.pk}": "keep"}
    assert client.post("/console/staff/review", form).status_code == 302
    for row in (keep, end, own):
        row.refresh_from_db()
    assert timezone.now() - keep.reviewed_at < DAY
    assert end.ended_at is not None
    assert timezone.now() - own.reviewed_at > 100 * DAY
    [entry] = entries("grants.reviewed")
    assert (entry.fields["kept"], entry.fields["ended"]) == (1, 1)
    with pytest.raises(actions.GrantRefused, match="somebody else"):
        actions.review([own], [], now=timezone.now(), by=client.member)


def test_an_overdue_grant_stops_counting_until_it_is_reviewed(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(StaffRight.STAFF_MANAGE)
    assert client.get("/console/staff/").status_code == 200
    Grant.objects.update(reviewed_at=timezone.now() - 190 * DAY)
    assert client.get("/console/staff/").status_code == 403
    assert "were not reviewed" in text(client.get("/staff/account/"))
    actions.review(Grant.objects.all(), [], now=timezone.now())  # the operator may, where nobody else can
    assert client.get("/console/staff/").status_code == 200


# --- in confidence --------------------------------------------------------------------------------------------------


def test_what_is_told_in_confidence_is_read_by_the_officers_alone(office: Path, staff_member: StaffMember) -> None:
    teller, manager = staff_member(EVIDENCE_READ), staff_member(StaffRight.STAFF_MANAGE)
    officer, deputy = staff_member(roles=[StaffRole.OFFICER]), staff_member(roles=[StaffRole.DEPUTY])
    assert teller.post("/console/officer/tell", {"text": "Ben copies lists"}).status_code == 200
    row = Confidence.objects.get()
    assert b"Ben" not in bytes(row.sealed_text or b"")
    assert {field.name for field in Confidence._meta.fields} == {"id", "sealed_text", "told_at", "closed_at"}
    for client in (officer, deputy):
        assert "Ben copies lists" in text(client.get("/console/officer/"))
    for client in (teller, manager):
        assert client.get("/console/officer/").status_code == 403
        assert client.post(f"/console/officer/{row.pk}/close").status_code == 403
    assert deputy.post(f"/console/officer/{row.pk}/close").status_code == 302
    assert officer.post(f"/console/officer/{row.pk}/close").status_code == 404
    row.refresh_from_db()
    assert row.sealed_text is None


def test_what_staff_keeps_sealed_is_sealed_anew_after_a_rotation(office: Path) -> None:
    from troth.service.core.key_lifecycle import rotate_field, sealed_places
    from troth.service.core.resealing import hanging

    member = new_member("ann@example.org", StaffRight.CASES_HANDLE)
    add_totp(member)
    actions.mark_confidential("in confidence", now=timezone.now())
    rotate_field(Keyring.open(office), now=timezone.now(), progress=lambda done, total: None)
    [(number, places)] = hanging(sealed_places()).items()
    assert number > 0
    assert places == {
        "staff_grant.sealed_reason": 1,
        "staff_confidence.sealed_text": 1,
        "staff_factor_secret.sealed": 1,
    }
    assert actions.reason_of(Grant.objects.get()) == "a test"
    assert [told for _, told in actions.confidences()] == ["in confidence"]


# --- what controls find ---------------------------------------------------------------------------------------------


def ask(control: str, settings: Any, now: dt.datetime | None = None) -> Check:
    at = now or timezone.now()
    declaration = current().declaration
    return run_control(control, {"declaration": declaration, "roster": roster(at), "now": at})


def test_a_holder_without_a_second_factor_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(StaffRight.CASES_HANDLE)
    new_member("ben@example.org", EVIDENCE_READ)  # sees nothing personal
    assert ask("staff.mfa", settings).outcome is CheckOutcome.PASS
    FactorSecret.objects.all().delete()
    Member.objects.get(user__username="ann1@example.org").user.authenticator_set.all().delete()  # type: ignore[attr-defined]
    check = ask("staff.mfa", settings)
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures == {"holders": 1, "without": 1}


def superuser(days: int, **facts: Any) -> User:
    since = timezone.now() - days * DAY
    return User.objects.create(username=f"root{days}", is_superuser=True, date_joined=since, **facts)


def test_the_controls_look_at_whom_the_ceiling_counts(office: Path, staff_member: StaffMember, settings: Any) -> None:
    """Superusers whom somebody made by hand, and people who never signed in."""
    staff_member(StaffRight.CASES_HANDLE)
    actions.invite("ben@example.org", [StaffRole.HANDLER], reason="a test", now=timezone.now())
    root = superuser(10)
    for control in ("mfa", "recertified"):
        check = ask(f"staff.{control}", settings)
        assert (check.outcome, check.figures["holders"]) == (CheckOutcome.PASS, 3)
    assert len(roster(timezone.now()).holders) == 3
    assert "apart from 2 newcomers" in ask("staff.mfa", settings).summary

    User.objects.filter(pk=root.pk).update(last_login=timezone.now())
    for control in ("mfa", "undertakings"):
        check = ask(f"staff.{control}", settings)
        assert (check.outcome, check.figures["without"]) == (CheckOutcome.FAIL, 1)
    User.objects.filter(pk=root.pk).update(date_joined=timezone.now() - 190 * DAY)
    assert ask("staff.recertified", settings).outcome is CheckOutcome.FAIL
    User.objects.filter(pk=root.pk).update(is_active=False)
    for control in ("mfa", "undertakings", "recertified"):
        assert ask(f"staff.{control}", settings).outcome is CheckOutcome.PASS


def test_an_access_that_was_never_used_needs_its_review(office: Path, settings: Any) -> None:
    actions.invite("ben@example.org", [StaffRole.HANDLER], reason="a test", now=timezone.now())
    assert ask("staff.recertified", settings).outcome is CheckOutcome.PASS
    Grant.objects.update(reviewed_at=timezone.now() - 190 * DAY)
    assert ask("staff.recertified", settings).outcome is CheckOutcome.FAIL


def test_an_undertaking_that_ran_out_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(StaffRight.CASES_HANDLE)
    assert ask("staff.undertakings", settings).outcome is CheckOutcome.PASS
    assert Undertaking.objects.update(signed_at=NOW - DAY, until=NOW) == 1
    assert ask("staff.undertakings", settings).outcome is CheckOutcome.FAIL


def test_an_undertaking_to_an_old_text_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(StaffRight.CASES_HANDLE)
    Grant.objects.update(used_at=timezone.now())
    assert ask("staff.undertakings", settings).outcome is CheckOutcome.PASS
    Undertaking.objects.update(document="sha256:" + 64 * "0")
    assert ask("staff.undertakings", settings).outcome is CheckOutcome.FAIL


def test_where_nobody_sees_anything_there_is_nothing_to_show(office: Path, settings: Any) -> None:
    controls = ("mfa", "undertakings", "recertified", "access_recorded", "purpose_on_every_read")
    outcomes = {ask(f"staff.{control}", settings).outcome for control in controls}
    assert outcomes == {CheckOutcome.NOT_APPLICABLE}


def test_they_do_not_see_shared_accounts_nor_a_term_that_was_prolonged_in_our_database(
    office: Path, staff_member: StaffMember, settings: Any
) -> None:
    """A colleague with the password and the key of Ann, and an undertaking that should have ended long ago."""
    staff_member(StaffRight.CASES_HANDLE)
    Undertaking.objects.update(until=NOW + 9_000 * DAY)
    for control in ("mfa", "undertakings", "recertified"):
        assert ask(f"staff.{control}", settings).outcome is CheckOutcome.PASS


def test_a_review_that_is_dated_ahead_is_no_review(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(StaffRight.CASES_HANDLE)
    assert ask("staff.recertified", settings).outcome is CheckOutcome.PASS
    Grant.objects.update(reviewed_at=timezone.now() + 300 * DAY)
    assert ask("staff.recertified", settings).outcome is CheckOutcome.FAIL


def test_a_grant_that_nobody_reviewed_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(StaffRight.CASES_HANDLE)
    passed = ask("staff.recertified", settings)
    assert passed.outcome is CheckOutcome.PASS
    assert passed.evidence.period is not None
    assert 181 <= (passed.at - passed.evidence.period[0]).days <= 184
    Grant.objects.update(reviewed_at=timezone.now() - 190 * DAY)
    assert ask("staff.recertified", settings).outcome is CheckOutcome.FAIL


def test_a_missing_deputy_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    staff_member(roles=[StaffRole.OFFICER])
    deputy = staff_member(roles=[StaffRole.DEPUTY])
    assert ask("staff.officer_appointed", settings).outcome is CheckOutcome.PASS
    actions.leave(deputy.member, now=timezone.now())
    check = ask("staff.officer_appointed", settings)
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures == {"officers": 1, "deputies": 0}


def test_it_does_not_see_that_two_accounts_are_one_person(
    office: Path, staff_member: StaffMember, settings: Any
) -> None:
    for role in (StaffRole.OFFICER, StaffRole.DEPUTY):
        staff_member(roles=[role])
    assert ask("staff.officer_appointed", settings).outcome is CheckOutcome.PASS


def _look(client: StaffClient, purpose: str = "support") -> None:
    """What a page does, without a page."""
    from django.test import RequestFactory

    from troth.service.staff.access_log import record_access

    request = RequestFactory().get("/")
    request.user, request.session = client.member.user, client.session
    record_access(request, subjects=["ps1:" + "0a" * 16], purpose=purpose)


def test_a_look_without_its_entry_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    for _ in range(3):
        _look(client)
    check = ask("staff.access_recorded", settings)
    assert (check.outcome, check.figures["looks"]) == (CheckOutcome.PASS, 3)
    AccessRow.objects.filter(pk=AccessRow.objects.order_by("pk")[0].pk).update(subject="ps1:" + "0b" * 16)
    check = ask("staff.access_recorded", settings)
    assert (check.outcome, check.figures["without"]) == (CheckOutcome.FAIL, 1)


def test_a_look_with_another_purpose_than_its_entry_is_found(
    office: Path, staff_member: StaffMember, settings: Any
) -> None:
    _look(staff_member(StaffRight.CASES_HANDLE))
    assert ask("staff.access_recorded", settings).outcome is CheckOutcome.PASS
    AccessRow.objects.update(purpose="billing")
    assert ask("staff.access_recorded", settings).outcome is CheckOutcome.FAIL


def test_it_does_not_see_a_look_whose_row_is_gone(office: Path, staff_member: StaffMember, settings: Any) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    _look(client)
    _look(client)
    AccessRow.objects.order_by("pk")[0].delete()
    assert ask("staff.access_recorded", settings).outcome is CheckOutcome.PASS


def test_a_look_for_an_undeclared_purpose_is_found(office: Path, staff_member: StaffMember, settings: Any) -> None:
    from troth.service.staff.access_log import AccessDenied

    client = staff_member(StaffRight.CASES_HANDLE)
    _look(client)
    with pytest.raises(AccessDenied):
        _look(client, "marketing")
    assert Refusal.objects.count() == 1
    check = ask("staff.purpose_on_every_read", settings)
    assert (check.outcome, check.figures) == (CheckOutcome.PASS, {"looks": 1, "undeclared": 0, "refused": 1})
    AccessRow.objects.update(purpose="marketing")
    check = ask("staff.purpose_on_every_read", settings)
    assert (check.outcome, check.figures["undeclared"]) == (CheckOutcome.FAIL, 1)


def test_nothing_about_staff_stands_in_clear_but_the_account(office: Path, staff_member: StaffMember) -> None:
    client = staff_member(roles=[StaffRole.HANDLER])
    _look(client)
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith("staff_")]
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")
            assert "example.org" not in repr(
                [[bytes(v) if isinstance(v, memoryview) else v for v in r] for r in cursor]
            )

"""Staff pages: own account, members, their rights, and reviews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib.auth import login
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.service.access_rules import public
from troth.service.labels import sentence
from troth.service.pages import error_page
from troth.service.staff import actions
from troth.service.staff.base import figures_for, member_names
from troth.service.staff.console.lists import list_page
from troth.service.staff.effective_rights import people_of, person_of, standing_of
from troth.service.staff.forms import Giving, Inviting, MemberFilterForm, NewPassword, Telling
from troth.service.staff.messages import post_invitation
from troth.service.staff.models import Grant, StaffMember
from troth.service.staff.permissions import needs, signed_in
from troth.service.staff.rights import StaffRight, StaffRole, right_named, rights_of_role
from troth.service.staff.rules import InactiveReason, MemberFacts, end_of, review_due, why_not
from troth.service.staff.undertaking import document_hash, document_html

_SOON = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as displayed: why it is inactive, when its review is due, and whether it ends soon; in lists of grants
    also who gave it, and why."""

    row: Grant
    why_not: InactiveReason | None
    review_due: dt.datetime
    is_soon: bool
    given_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member in the list."""

    row: StaffMember
    grants: Sequence[GrantRow]
    has_factor: bool


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """``/console/``: what needs attention, as figures that lead to lists, and the permitted pages."""
    return render(
        request,
        "console/home.html",
        {"here": "console", "standing": standing_of(request), "figures": figures_for(request)},
    )


# --- own account ----------------------------------------------------------------------------------------------------


@signed_in
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """``/staff/account/``: factors, undertaking and own grants."""
    return _account(request)


@signed_in
@require_POST
def sign_undertaking(request: HttpRequest) -> HttpResponse:
    """Sign exactly the text that was shown."""
    mine = standing_of(request).member
    if mine is None:
        raise Http404
    if request.POST.get("agreed") != "yes":
        return _account(request, fault=gettext("Tick the box if you give your word."))
    try:
        actions.sign(mine, request.POST.get("document", ""), now=timezone.now())
    except actions.StaffError:
        return _account(request, fault=gettext("The text has changed. Read it again."))
    return redirect("account")


def _account(request: HttpRequest, *, fault: str = "") -> HttpResponse:
    standing, now = standing_of(request), timezone.now()
    mine = standing.member
    person = person_of(mine) if mine is not None else None
    shown = {
        "here": "account",
        "standing": standing,
        "grants": _shown(mine, now) if mine is not None else [],
        "factors": [factor.wrap() for factor in Authenticator.objects.filter(user_id=request.user.pk)],
        "document": document_html(),
        "document_hash": document_hash(),
        "signed_until": person.undertaking_until if person and (person.undertaking_until or now) > now else None,
        "fault": fault,
        "lacks": {why.value for why in standing.lacks},
    }
    return render(request, "staff/account.html", shown, status=400 if fault else 200)


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """``/staff/invitation/…``: set a password. Only sending the form uses up the link."""
    now = timezone.now()
    row = actions.invitation_of(token, now=now)
    if row is None:
        text = gettext("It was used or has expired. Ask the person who invited you for a new one.")
        return error_page(request, 404, gettext("This link is no longer valid"), text)
    form = NewPassword(request.POST or None, user=row.member.user)
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/invitation.html", {"form": form, "email": row.member.user.email})
    actions.accept(token, form.cleaned_data["password"], now=now)
    user = StaffMember.objects.select_related("user").get(pk=row.member_id).user
    if Authenticator.objects.filter(user=user).exists():  # password forgotten, second factor still there
        return redirect("sign-in")
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    record_authentication(request, user, "password", reauthenticated=True)
    return redirect("account")


# --- members --------------------------------------------------------------------------------------------------------


@needs(StaffRight.STAFF_MANAGE, StaffRight.OFFICER)
@require_safe
def staff(request: HttpRequest) -> HttpResponse:
    """``/console/staff/``: members, their roles, and why grants are inactive."""
    now, form = timezone.now(), MemberFilterForm(request.GET)
    page = list_page(form, _filtered(form.wanted), show=lambda rows: _members(rows, now))
    shown = {"here": "staff", "list": page, "holders": len(actions.holders(now))}
    return render(request, "staff/list.html", shown, status=page.status)


def _filtered(wanted: Mapping[str, str]) -> QuerySet[StaffMember]:
    """Members that pass the filter *wanted* (`MemberFilterForm`), open accounts first."""
    rows = StaffMember.objects.select_related("user").order_by(F("left_at").asc(nulls_first=True), "user__username")
    if state := wanted.get("state"):
        rows = rows.filter(left_at__isnull=state == "open")
    if role := wanted.get("role"):
        rows = rows.filter(Exists(Grant.objects.filter(member=OuterRef("pk"), role=role, ended_at=None)))
    return rows


def _members(members: Sequence[StaffMember], now: dt.datetime) -> list[MemberRow]:
    """*members* as displayed, in a number of queries that does not depend on how many there are."""
    grants, people = dict[int, list[Grant]](), people_of(members)
    for row in Grant.objects.filter(member__in=members, ended_at=None).order_by("role", "right"):
        grants.setdefault(row.member_id, []).append(row)
    users = [member.user_id for member in members]
    with_factor = set(Authenticator.objects.filter(user__in=users).values_list("user_id", flat=True))
    return [
        MemberRow(
            member,
            [_state(row, people[member.pk], now) for row in grants.get(member.pk, ())],
            member.user_id in with_factor,
        )
        for member in members
    ]


@needs(StaffRight.STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """``/console/staff/invite``: an account, its first grants, and the e-mail with the link. Only the recipient sees
    the link, so that the inviter cannot act as them."""
    form = Inviting(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, roles = timezone.now(), [StaffRole(role) for role in form.cleaned_data["roles"]]
        try:
            with transaction.atomic():
                made, token = actions.invite(
                    form.cleaned_data["email"],
                    roles,
                    reason=form.cleaned_data["reason"],
                    now=now,
                    until=end_of(day) if (day := form.cleaned_data["until"]) else None,
                    by=standing_of(request).member,
                )
                post_invitation(made, token, now=now)
            return render(request, "staff/invited.html", {"here": "staff", "member": made})
        except actions.StaffError as refused:
            form.add_error(None, sentence(refused))
    return render(request, "staff/invite.html", {"here": "staff", "form": form}, status=400 if form.errors else 200)


@needs(StaffRight.STAFF_MANAGE, StaffRight.OFFICER)
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """``/console/staff/<n>``: one member's grants. Giving another requires the right to manage staff."""
    row = get_object_or_404(StaffMember.objects.select_related("user"), pk=pk)
    standing, now = standing_of(request), timezone.now()
    form = Giving(request.POST or None)
    if request.method == "POST":
        if not standing.may(StaffRight.STAFF_MANAGE):
            raise Http404
        if form.is_valid():
            role, rights = _what(form.cleaned_data["what"])
            try:
                actions.give(
                    row,
                    rights,
                    role=role,
                    reason=form.cleaned_data["reason"],
                    now=now,
                    until=end_of(day) if (day := form.cleaned_data["until"]) else None,
                    by=standing.member,
                )
                return redirect("member", pk=pk)
            except actions.StaffError as refused:
                form.add_error(None, sentence(refused))
    shown = {
        "here": "staff",
        "member": row,
        "grants": _shown(row, now),
        "past": row.grants.filter(ended_at__isnull=False).order_by("-ended_at")[:50],
        "form": form,
        "may_change": standing.may(StaffRight.STAFF_MANAGE) and standing.member != row and row.left_at is None,
        "signed_until": person_of(row).undertaking_until,
        "has_factor": Authenticator.objects.filter(user=row.user).exists(),
    }
    return render(request, "staff/member.html", shown, status=400 if form.errors else 200)


@needs(StaffRight.STAFF_MANAGE)
@require_POST
def end_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """End a grant at once."""
    row = get_object_or_404(Grant.objects.select_related("member"), pk=pk)
    actions.revoke([row], now=timezone.now(), by=standing_of(request).member)
    return redirect("member", pk=row.member_id)


@needs(StaffRight.STAFF_MANAGE)
@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an account at once; nobody can close their own."""
    row = get_object_or_404(StaffMember.objects.select_related("user"), pk=pk)
    if row == standing_of(request).member:
        raise Http404
    actions.leave(row, now=timezone.now(), by=standing_of(request).member)
    return redirect("member", pk=pk)


@needs(StaffRight.STAFF_MANAGE)
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """A new link, for a lost one or a forgotten password."""
    row, now = get_object_or_404(StaffMember.objects.select_related("user"), pk=pk), timezone.now()
    if row.left_at is not None:
        raise Http404
    with transaction.atomic():
        token = actions.renew_invitation(row, now=now)
        post_invitation(row, token, now=now)
    return render(request, "staff/invited.html", {"here": "staff", "member": row})


@needs(StaffRight.STAFF_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """``/console/staff/review``: every open grant but one's own, to keep or end in one form."""
    now, mine = timezone.now(), standing_of(request).member
    rows = Grant.objects.filter(ended_at__isnull=True, member__left_at__isnull=True).exclude(member=mine)
    rows = rows.select_related("member__user").order_by("reviewed_at", "member__user__username", "right")
    if request.method == "POST":
        answers = {row: request.POST.get(f"grant-{row.pk}") for row in rows}
        keep = [row for row, answer in answers.items() if answer == "keep"]
        end = [row for row, answer in answers.items() if answer == "end"]
        actions.review(keep, end, now=now, by=mine)
        return redirect("review")
    return render(request, "staff/review.html", {"here": "review", "grants": _rows(rows, now)})


# --- the data-protection officer ------------------------------------------------------------------------------------


@needs(StaffRight.OFFICER)
@require_safe
def officer(request: HttpRequest) -> HttpResponse:
    """``/console/officer/``: confidential texts, for the officer and the deputy only."""
    return render(request, "staff/officer.html", {"here": "officer", "told": actions.confidences()})


@needs(StaffRight.OFFICER)
@require_POST
def close_told(request: HttpRequest, pk: int) -> HttpResponse:
    """Close one and delete its text."""
    if not actions.close_confidence(pk, now=timezone.now()):
        raise Http404
    return redirect("officer")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest) -> HttpResponse:
    """``/console/officer/tell``: send the officer a confidential text. The sender is not stored."""
    form = Telling(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.mark_confidential(form.cleaned_data["text"], now=timezone.now())
        return render(request, "staff/told.html", {})
    return render(request, "staff/tell.html", {"form": form}, status=400 if form.errors else 200)


# --- internal -------------------------------------------------------------------------------------------------------


def _shown(of: StaffMember, now: dt.datetime) -> list[GrantRow]:
    return _rows(of.grants.filter(ended_at__isnull=True).select_related("member__user").order_by("role", "right"), now)


def _rows(grants: Iterable[Grant], now: dt.datetime) -> list[GrantRow]:
    """*grants* as displayed, in a number of queries that does not depend on how many there are."""
    rows = list(grants)
    people = people_of([row.member for row in rows])
    names = member_names(row.given_by for row in rows)

    def shown(row: Grant) -> GrantRow:
        given_by = names(row.given_by) if row.given_by else gettext("operator")
        return replace(_state(row, people[row.member_id], now), given_by=given_by, reason=actions.reason_of(row))

    return [shown(row) for row in rows]


def _state(row: Grant, person: MemberFacts, now: dt.datetime) -> GrantRow:
    due = review_due(row)
    return GrantRow(row, why_not(row, person, now=now), due, min(due, row.until) - now < _SOON)


def _what(wanted: str) -> tuple[StaffRole | None, tuple[StaffRight, ...]]:
    """A role with its rights, or a single right."""
    if wanted in {role.value for role in StaffRole}:
        return StaffRole(wanted), rights_of_role(StaffRole(wanted))
    return None, (right_named(wanted),)

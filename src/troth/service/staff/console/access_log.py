"""``/console/accesses/``: who saw personal data, when, and for which purpose. It does not show whose data it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from troth.service.core.deployment import current
from troth.service.staff.base import member_names
from troth.service.staff.console.lists import FilterForm, by_title, list_page
from troth.service.staff.models import AccessRow, StaffMember
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight


def _members() -> list[tuple[str, Any]]:
    members = StaffMember.objects.select_related("user").order_by("user__username")
    return [("", _("All")), *((str(member.pk), member.user.get_username()) for member in members)]


def _purposes() -> list[tuple[str, Any]]:
    return [("", _("All")), *by_title(current().declaration.purposes)]


class AccessFilterForm(FilterForm):
    """Filter of the access log. Members are named by their numbers."""

    member = forms.ChoiceField(choices=_members, required=False, label=_("Who"))
    purpose = forms.ChoiceField(choices=_purposes, required=False, label=_("Purpose"))


@dataclass(frozen=True, slots=True)
class AccessLine:
    """An access as displayed; *case* is the reference of the case that it was about, if any."""

    row: AccessRow
    who: str
    purpose: str
    case: str


@needs(StaffRight.OFFICER)
@require_safe
def accesses(request: HttpRequest) -> HttpResponse:
    """Every access, latest first."""
    form, now = AccessFilterForm(request.GET), timezone.now()
    rows = AccessRow.objects.order_by("-at", "-pk")
    if member := form.wanted.get("member"):
        rows = rows.filter(by__in=StaffMember.objects.filter(pk=member).values("pseudonym"))
    if purpose := form.wanted.get("purpose"):
        rows = rows.filter(purpose=purpose)
    page = list_page(form, rows, show=_lines)
    return render(request, "staff/accesses.html", {"here": "access-log", "list": page, "now": now}, status=page.status)


def _lines(rows: Sequence[AccessRow]) -> list[AccessLine]:
    names = member_names(row.by for row in rows)
    purposes = current().declaration.purposes

    def line(row: AccessRow) -> AccessLine:
        declared = purposes.get(row.purpose)
        kind, _, reference = row.about.partition(":")
        return AccessLine(
            row,
            names(row.by),
            (declared.title or row.purpose) if declared is not None else row.purpose,
            reference if kind == "case" else "",
        )

    return [line(row) for row in rows]

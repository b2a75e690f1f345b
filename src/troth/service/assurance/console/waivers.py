"""``/console/waivers/``: waivers and attestations of the declaration, and their approval by a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.service.assurance.duty import EVIDENCE_READ, PROMISES_APPROVE
from troth.service.assurance.statements import Statement, StatementState, approve, states, waiting
from troth.service.core.deployment import Deployment, current
from troth.service.staff.approvals import OwnPlan
from troth.service.staff.base import member_names
from troth.service.staff.console.lists import FilterForm, list_page
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.models import StaffMember
from troth.service.staff.permissions import needs

_TITLES = {
    StatementState.WAITING: _("waits for approval"),
    StatementState.IN_FORCE: _("counts"),
    StatementState.EARLY: _("does not count yet"),
    StatementState.OWN: _("does not count: the owner of the promise gave it"),
    StatementState.TOO_LONG: _("does not count: it is for more than a year"),
    StatementState.EXPIRED: _("expired"),
}
_MARKS = {StatementState.WAITING: "soon", StatementState.IN_FORCE: "good", StatementState.EARLY: "still"}


class WaiverFilterForm(FilterForm):
    """Filter of the list of waivers and attestations."""

    kind = forms.ChoiceField(
        choices=[("", _("All")), ("waiver", _("Waivers")), ("attestation", _("Attestations"))],
        required=False,
        label=_("What"),
    )
    state = forms.ChoiceField(
        choices=[
            ("", _("All")),
            ("mine", _("waits for me")),
            *((state.value, title) for state, title in _TITLES.items()),
        ],
        required=False,
        label=_("State"),
    )


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """A waiver or an attestation as displayed; *is_open* if the reader may approve it."""

    statement: Statement
    is_open: bool
    approved_by: tuple[str, ...]

    @property
    def state(self) -> str:
        return str(_TITLES[self.statement.state])

    @property
    def mark(self) -> str:
        return _MARKS.get(self.statement.state, "bad")


@needs(PROMISES_APPROVE, EVIDENCE_READ)
@require_safe
def waivers(request: HttpRequest) -> HttpResponse:
    """Every waiver and attestation, those that wait first, with a button where the reader may be the second person."""
    return _page(request, WaiverFilterForm(request.GET), current())


@needs(PROMISES_APPROVE)
@require_POST
def approve_statement(request: HttpRequest) -> HttpResponse:
    """Approve exactly the text that was shown, as somebody who neither gave it nor owns its promise."""
    deployment = current()
    now, member = timezone.now(), standing_of(request).member
    assert member is not None, "the page needs a right, which only members have"
    wanted = [each for each in waiting(deployment.declaration, now) if each.hash == request.POST.get("hash")]
    if not wanted:
        wrong = gettext("It no longer waits, or its text has changed since it was shown to you. Read it again.")
        return _page(request, WaiverFilterForm(QueryDict()), deployment, wrong, status=409)
    try:
        approve(wanted, by=member, actor="staff", now=now)
    except OwnPlan:
        wrong = gettext("Somebody else has to approve this.")
        return _page(request, WaiverFilterForm(QueryDict()), deployment, wrong, status=403)
    return redirect("waivers")


def _page(
    request: HttpRequest, form: WaiverFilterForm, deployment: Deployment, wrong: str = "", *, status: int = 0
) -> HttpResponse:
    standing, now = standing_of(request), timezone.now()
    approver = standing.member if standing.may(PROMISES_APPROVE) else None
    rows = _filtered(states(deployment.declaration, now), form.wanted, approver)

    def shown(page: Sequence[Statement]) -> list[WaiverRow]:
        names = member_names(name for row in page for name in row.approved_by)
        return [WaiverRow(row, _is_open(row, approver), tuple(map(names, row.approved_by))) for row in page]

    page = list_page(form, rows, show=shown)
    context = {"here": "waivers", "list": page, "wrong": wrong}
    return render(request, "assurance/console/waivers.html", context, status=status or page.status)


def _filtered(rows: Sequence[Statement], wanted: Mapping[str, str], approver: StaffMember | None) -> list[Statement]:
    kind, state, order = wanted.get("kind"), wanted.get("state"), tuple(StatementState)
    if state == "mine":
        rows = [row for row in rows if _is_open(row, approver)]
    elif state:
        rows = [row for row in rows if row.state == state]
    chosen = [row for row in rows if kind in (None, row.kind)]
    return sorted(chosen, key=lambda row: (order.index(row.state), row.text.until))


def _is_open(row: Statement, approver: StaffMember | None) -> bool:
    return row.state is StatementState.WAITING and approver is not None and row.is_open_to(approver)

"""``/console/reports/``: reports about newsletters that Troth could not read for certain, for staff to decide. No page
shows a recipient."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from troth.service.core.deployment import current
from troth.service.mail.bounces.actions import UNSURE
from troth.service.mail.bulk.tokens import delivery_token
from troth.service.mail.models import EditionDelivery
from troth.service.newsletters.actions import decide_report
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight

_SHOWN = 100
_READ_AS = {
    "gone": _("the address is gone"),
    "later": _("it may arrive later"),
    "ours": _("the fault is ours"),
    "complaint": _("a complaint"),
    "none": _("of a kind that is not known"),
}


def unsure() -> QuerySet[EditionDelivery]:
    """Deliveries whose report waits for a decision, the latest first."""
    rows = EditionDelivery.objects.filter(report__endswith=UNSURE)
    return rows.select_related("edition").order_by("-handed_at", "-pk")


@needs(StaffRight.CASES_HANDLE)
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """The reports, each with what finds it in the mailbox."""
    return _page(request)


def _page(request: HttpRequest, *, done: str = "") -> HttpResponse:
    keyring = current().keyring
    rows = [
        (row, row.edition.content.get("subject", ""), _READ_AS[row.report.removesuffix(UNSURE)])
        for row in unsure()[:_SHOWN]
    ]
    named = [(*row, delivery_token(row[0].pk, keyring)) for row in rows]
    shown = {"here": "reports", "rows": named, "number": unsure().count(), "now": timezone.now(), "done": done}
    return render(request, "newsletters/console/reports.html", shown)


@needs(StaffRight.CASES_HANDLE)
@require_POST
def decide(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """Decide that a report is true, or that nothing follows from it."""
    if answer not in ("true", "wrong"):
        raise Http404
    is_new = decide_report(pk, current().without_own, is_true=answer == "true", now=timezone.now())
    return _page(request, done=gettext("Decided.") if is_new else gettext("It was decided already."))

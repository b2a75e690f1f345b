"""``/console/search/``: search for one person by identifier, for a declared purpose; the access is recorded."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from troth.declaration import IdentityKind
from troth.service.cases.aliases import about
from troth.service.cases.console.queue_row import queue_rows
from troth.service.cases.messages import day
from troth.service.cases.models import Case
from troth.service.core.deployment import Deployment, current
from troth.service.core.models import LegalHold
from troth.service.disclosures.actions import names_of, received
from troth.service.disclosures.console import KINDS, PersonSearchForm
from troth.service.disclosures.duty import DISCLOSURES_SEE
from troth.service.disclosures.models import DisclosureKind as Way
from troth.service.mail.models import LetterRow
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import effective, fingerprints
from troth.service.staff.access_log import accesses_of, record_access, withheld_from
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs
from troth.service.staff.rights import StaffRight as Leave
from troth.subjects import Identity

_SHOWN = 100


@needs(Leave.PERSONAL_SEE, personal=True)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Show the search form, and after POST the results. The identifier is sent in the body, looked up by its keyed
    reference, and not stored."""
    form = PersonSearchForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        record_access(request, subjects=[], purpose="troth_requests")  # the empty form shows no personal data
        shown: dict[str, Any] = {"here": "search", "form": form}
        return render(request, "cases/console/search.html", shown, status=400 if form.errors else 200)
    deployment, identity = current().without_own, form.cleaned_data["identity"]
    names = names_of(identity, deployment.keyring)
    known = cases_of(identity, names, deployment).exclude(reference__in=withheld_from(request))
    rows = list(known.select_related("handler").defer("content", "plan")[:_SHOWN])
    subjects = dict.fromkeys([*names[:1], *(row.subject for row in rows if row.subject)])
    record_access(request, subjects=subjects, purpose=form.cleaned_data["purpose"])
    return render(request, "cases/console/search.html", _found(request, form, rows, list(subjects), deployment))


def cases_of(identity: Identity, names: Collection[str], deployment: Deployment) -> QuerySet[Case]:
    """Cases about the person: by alias, or by the address to which e-mails of the case were sent."""
    wanted = about(names)
    addresses = [value for kind, value in identity.identifiers if kind is IdentityKind.EMAIL]
    if addresses:
        to = [str(deployment.keyring.pseudonym("mail", address.casefold())) for address in addresses]
        letters = LetterRow.objects.filter(to__in=to, about__startswith="case:").exclude(kind__startswith="staff_")
        abouts = letters.exclude(kind="recipient_notice").values_list("about", flat=True).distinct()[:_SHOWN]
        wanted |= Q(reference__in=[one.removeprefix("case:") for one in abouts])
    return Case.objects.filter(wanted).order_by("-received_at", "-id")


def _found(
    request: HttpRequest, form: PersonSearchForm, rows: list[Case], names: list[str], deployment: Deployment
) -> dict[str, Any]:
    identity: Identity = form.cleaned_data["identity"]
    choices = Choice.objects.filter(fingerprint__in=fingerprints(identity.identifiers, deployment.keyring))
    against = effective(list(choices.order_by("since")), deployment.declaration)
    now = timezone.now()
    today = day(now, deployment)
    may_see_disclosures = standing_of(request).may(DISCLOSURES_SEE)
    withheld = withheld_from(request)
    looks = [one for name in names for one in accesses_of(name, withheld=withheld)[:20]]
    holds = LegalHold.objects.filter(subject__in=names, released_at=None).exclude(matter__in=withheld)
    return {
        "here": "search",
        "form": form,
        "is_searched": True,
        "lines": queue_rows(rows, today, mine=request.user.pk),
        "restrictions": against,
        "holds": holds.order_by("placed_at"),
        "may_see_disclosures": may_see_disclosures,
        "disclosed": [(one, KINDS[Way(one.kind)]) for one in received(names)] if may_see_disclosures else [],
        "looks": sorted(looks, key=lambda one: one.at, reverse=True)[:50],
    }

"""Where probers in other networks send their reports."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from troth.service.access_rules import by_token
from troth.service.api.framework import problem
from troth.service.assurance import probers
from troth.service.core.deployment import current


@by_token
@csrf_exempt
@require_POST
def report(request: HttpRequest, name: str) -> HttpResponse:
    """``/probes/<name>``: a report that its prober has signed."""
    return answered(request, name, probers.receive)


def answered(request: HttpRequest, name: str, receive: Callable[..., object]) -> HttpResponse:
    """The answer to a report, which *receive* takes as `probers.receive` does; what that returns is part of the answer.
    Whatever is wrong with the signature, the answer is the same."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        if not 0 < size <= probers.BODY_BYTES_MAX:
            raise probers.ReportRefused
        headers = {key.lower(): value for key, value in request.headers.items()}
        now = timezone.now()
        wanted = receive(name, headers, request.body, request.META, deployment=current(), now=now)
    except (probers.ReportRefused, RequestDataTooBig, ValueError):
        return problem(
            401, "The report is not accepted", "It needs the signature of a known prober, and a clock that is right."
        )
    except probers.ReportInvalid as invalid:
        return problem(422, "The report is not valid", str(invalid))
    more = {} if wanted is None else {"stops": wanted}
    return JsonResponse({"at": now.isoformat(timespec="seconds"), **more})

"""Where probers report how newsletters are stopped."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from troth.service.access_rules import by_token
from troth.service.assurance.prober_pages import answered
from troth.service.newsletters.reachability import probes


@by_token
@csrf_exempt
@require_POST
def report(request: HttpRequest, name: str) -> HttpResponse:
    """``/probes/<name>/stops``: what came of the links and forms that the prober was to try. The answer names the next
    ones."""
    return answered(request, name, probes.receive)

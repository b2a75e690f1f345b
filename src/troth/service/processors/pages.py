"""What processors call: nobody signs in, the address itself is secret, and a form changes nothing but our own list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from troth.service.access_rules import public
from troth.service.core.deployment import current
from troth.service.processors import actions


@public
@csrf_exempt  # the caller is a program, and has no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def mailchimp(request: HttpRequest, secret: str) -> HttpResponse:
    """``/hooks/mailchimp/<secret>``: Mailchimp tries it with a GET, and posts forms without a signature. What we cannot
    read is accepted and dropped, because it ends webhooks that fail; it is stored before we answer."""
    deployment = current().without_own
    for name in actions.lists_of(deployment):
        if constant_time_compare(secret, actions.secret_of(name, deployment.keyring)):
            if request.method == "POST":
                actions.take_in(name, request.POST.dict(), deployment, now=timezone.now())
            return HttpResponse("ok", content_type="text/plain")
    return HttpResponseNotFound("not found", content_type="text/plain")

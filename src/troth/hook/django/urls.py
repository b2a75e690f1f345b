"""``path("troth/", include("troth.hook.django.urls"))``."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from troth.hook.django.configured import receiver
from troth.hook.receiving import BYTES_MAX
from troth.hook.wire import HEADER


@csrf_exempt  # requests are authenticated by signature; browsers do not call this
@transaction.non_atomic_requests  # the nonce stays stored even if the ask fails
def receive(request: HttpRequest, action: str) -> HttpResponse:
    """Receive one message from Troth."""
    size = request.META.get("CONTENT_LENGTH") or "0"
    body = request.read(BYTES_MAX + 1) if size.isdecimal() else b""
    reply = receiver()(request.method or "", request.path, request.headers.get(HEADER), body)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))


app_name = "troth_hook"
urlpatterns = [path("<str:action>", receive, name="receive")]

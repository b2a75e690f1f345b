"""All URLs of the service: those of its own, and those of every duty."""

from __future__ import annotations

from django.urls import include, path

from troth.service import pages
from troth.service.api.framework import api, ruled
from troth.service.duty import duties, listed, resolve

for app, duty in reversed(list(duties().items())):
    if duty.api:
        api.add_router("", resolve(duty.api), tags=[duty.api_tag or app.rpartition(".")[2]])

urlpatterns = [
    path("policy/logo", pages.logo, name="logo"),
    path("api/v1/", (ruled(api.urls[0]), *api.urls[1:])),
    path("health/live", pages.live, name="live"),
    path("health/ready", pages.ready, name="ready"),
    path(".well-known/security.txt", pages.security_txt, name="security-txt"),
    path(".well-known/gpc.json", pages.gpc, name="gpc"),
    *(path(prefix, include(module)) for prefix, module in listed("urls")),
]

handler400 = "troth.service.pages.bad_request"
handler403 = "troth.service.pages.forbidden"
handler404 = "troth.service.pages.not_found"
handler500 = "troth.service.pages.server_error"

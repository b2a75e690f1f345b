"""URLs of the portal."""

from __future__ import annotations

from django.urls import path

from troth.service.portal import pages

urlpatterns = [
    path("signed-in", pages.hand_over, name="portal-signed-in"),
    path("sign-in", pages.sign_in, name="portal-sign-in"),
    path("sign-in/back", pages.come_back, name="portal-sign-in-back"),
    path("link/<str:secret>", pages.follow_link, name="portal-link"),
    path("case/leave", pages.leave, name="portal-leave"),
]

"""URLs of the console's API page."""

from __future__ import annotations

from django.urls import path

from troth.service.api import console

urlpatterns = [
    path("", console.tokens, name="tokens"),
    path("make", console.make_token, name="make-token"),
    path("<int:pk>/end", console.end_token, name="end-token"),
    path("hooks/make", console.make_hook, name="make-hook"),
    path("hooks/<int:pk>/end", console.end_hook, name="end-hook"),
]

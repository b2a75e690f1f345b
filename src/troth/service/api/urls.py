"""URLs of the figures for monitoring, and of the console's API page."""

from __future__ import annotations

from django.urls import path

from troth.service.api import console, metrics

urlpatterns = [
    path("metrics", metrics.metrics, name="metrics"),
    path("console/tokens/", console.tokens, name="tokens"),
    path("console/tokens/make", console.make_token, name="make-token"),
    path("console/tokens/<int:pk>/end", console.end_token, name="end-token"),
    path("console/tokens/hooks/make", console.make_hook, name="make-hook"),
    path("console/tokens/hooks/<int:pk>/end", console.end_hook, name="end-hook"),
]

"""URLs of the console's page about disclosures."""

from __future__ import annotations

from django.urls import path

from troth.service.disclosures import console

urlpatterns = [
    path("", console.disclosures, name="disclosures"),
    path("received", console.received_by, name="received-by"),
    path("notices/<int:pk>", console.notice_ended, name="end-notice"),
]

"""URLs of complaints, questions and appeals in the privacy centre."""

from __future__ import annotations

from django.urls import path

from troth.service.complaints import pages

urlpatterns = [
    path("complain/", pages.complain, name="centre-complain"),
    path("ask/", pages.question, name="centre-question"),
    path("case/appeal", pages.appeal, name="centre-appeal"),
]

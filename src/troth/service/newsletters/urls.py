"""URLs of newsletters in the privacy centre."""

from __future__ import annotations

from django.urls import path

from troth.service.newsletters import pages

urlpatterns = [
    path("newsletters/<slug:name>", pages.sign_up_page, name="newsletters-sign-up"),
    path("stop/", pages.by_address, name="newsletters-by-address"),
    path("stop/<str:token>", pages.stop, name="newsletters-stop"),
]

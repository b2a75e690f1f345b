"""URLs of the public ledger."""

from __future__ import annotations

from django.urls import path, re_path

from troth.service.core import pages

urlpatterns = [
    path("ledger/", pages.verify, name="ledger"),
    path("ledger/checkpoint", pages.checkpoint, name="checkpoint"),
    re_path(
        r"^ledger/(?P<path>tile/[0-9]{1,2}/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)$", pages.tile_of, name="tile"
    ),
]

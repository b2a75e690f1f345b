"""URLs of the console's pages about controls and about processing."""

from __future__ import annotations

from django.urls import path

from troth.service.assurance.console import processing, promises, waivers

urlpatterns = [
    path("controls/", promises.controls, name="controls"),
    path("promises/", promises.promises, name="promises"),
    path("waivers/", waivers.waivers, name="waivers"),
    path("waivers/approve", waivers.approve_statement, name="approve-statement"),
    path("processing/", processing.processing, name="processing"),
    path("processing/map.css", processing.map_css, name="map-css"),
    path("processing/evidence.zip", processing.evidence_archive, name="evidence-archive"),
    path("processing/<str:role>.<str:kind>", processing.record_file, name="record-file"),
]

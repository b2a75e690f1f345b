"""URLs of the console's pages about controls and about processing."""

from __future__ import annotations

from django.urls import path

from troth.service.assurance import console, processing_console, waivers_console

urlpatterns = [
    path("controls/", console.controls, name="controls"),
    path("promises/", console.promises, name="promises"),
    path("waivers/", waivers_console.waivers, name="waivers"),
    path("waivers/approve", waivers_console.approve_statement, name="approve-statement"),
    path("processing/", processing_console.processing, name="processing"),
    path("processing/map.css", processing_console.map_css, name="map-css"),
    path("processing/evidence.zip", processing_console.evidence_archive, name="evidence-archive"),
    path("processing/<str:role>.<str:kind>", processing_console.record_file, name="record-file"),
]

"""URLs of the console's pages about controls and about processing, and of probers' reports."""

from __future__ import annotations

from django.urls import path

from troth.service.assurance import prober_pages
from troth.service.assurance.console import processing, promises, waivers

urlpatterns = [
    path("console/controls/", promises.controls, name="controls"),
    path("console/promises/", promises.promises, name="promises"),
    path("console/waivers/", waivers.waivers, name="waivers"),
    path("console/waivers/approve", waivers.approve_statement, name="approve-statement"),
    path("console/processing/", processing.processing, name="processing"),
    path("console/processing/map.css", processing.map_css, name="map-css"),
    path("console/processing/evidence.zip", processing.evidence_archive, name="evidence-archive"),
    path("console/processing/<str:role>.<str:kind>", processing.record_file, name="record-file"),
    path("probes/<str:name>", prober_pages.report, name="probe-report"),
]

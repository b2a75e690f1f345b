"""URLs of newsletters: in the privacy centre and the console, and of what probers try."""

from __future__ import annotations

from django.urls import path

from troth.service.newsletters import pages
from troth.service.newsletters.console import editions, reports, stops
from troth.service.newsletters.reachability import probe_pages
from troth.service.newsletters.statistics import pages as statistics

urlpatterns = [
    path("your-data/newsletters/<slug:name>", pages.sign_up_page, name="newsletters-sign-up"),
    path("your-data/stop/", pages.by_address, name="newsletters-by-address"),
    path("your-data/stop/<str:token>", pages.stop, name="newsletters-stop"),
    path("your-data/read/<str:token>", statistics.read, name="newsletters-read"),
    path("your-data/tracking/", statistics.choose, name="newsletters-tracking"),
    path("your-data/tracking/<str:token>", statistics.withdraw, name="newsletters-withdraw-tracking"),
    path("probes/<str:name>/stops", probe_pages.report, name="probe-stops"),
    path("console/newsletters/", editions.editions, name="newsletters"),
    path("console/newsletters/write", editions.write, name="write-edition"),
    path("console/newsletters/preview", editions.preview, name="preview-edition"),
    path("console/newsletters/<int:pk>/", editions.edition, name="newsletter-edition"),
    path("console/newsletters/<int:pk>/message", editions.message, name="edition-message"),
    path("console/newsletters/<int:pk>/approve", editions.approve_edition, name="approve-edition"),
    path("console/newsletters/<int:pk>/<slug:what>", editions.change, name="change-edition"),
    path("console/stops/", stops.stops, name="stops"),
    path("console/stops/record", stops.record_stop, name="record-stop"),
    path("console/stops/lift", stops.lift, name="lift-stop"),
    path("console/reports/", reports.reports, name="reports"),
    path("console/reports/<int:pk>/<slug:answer>", reports.decide, name="decide-report"),
]

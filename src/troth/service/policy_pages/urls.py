"""URLs of the published policy and of its status."""

from __future__ import annotations

from django.urls import path

from troth.service.policy_pages import pages

urlpatterns = [
    path("policy/", pages.notice, name="notice"),
    path("policy/versions/", pages.versions, name="versions"),
    path("policy/status/", pages.status, name="status"),
    path("policy/status.json", pages.status_json, name="status-json"),
    path("policy/status/<slug:name>/", pages.promise, name="promise"),
    path("policy/status/<slug:name>.json", pages.promise_json, name="promise-json"),
    path("policy/principles/", pages.principles, name="principles"),
    path("ledger/receipt/<int:leaf>", pages.receipt_of, name="receipt"),
    path("ledger/receipt/<int:leaf>.tlog-proof", pages.receipt_text, name="receipt-text"),
]

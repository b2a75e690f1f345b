"""All URLs of the service."""

from django.urls import include, path, re_path

from troth.service import pages
from troth.service.api.framework import api, ruled
from troth.service.assurance import api as board_api
from troth.service.assurance import console as board_console
from troth.service.assurance import processing_console
from troth.service.core import pages as record
from troth.service.disclosures import api as disclosure_api
from troth.service.policy_pages import pages as board
from troth.service.policy_pages import versions
from troth.service.requests import api as cases_api

api.add_router("", cases_api.router, tags=["requests"])
api.add_router("", disclosure_api.router, tags=["disclosures"])
api.add_router("", board_api.router, tags=["evidence"])

urlpatterns = [
    path("policy/", board.notice, name="notice"),
    path("policy/versions/", versions.versions, name="versions"),
    path("policy/logo", pages.logo, name="logo"),
    path("policy/status/", board.status, name="status"),
    path("policy/status.json", board.status_json, name="status-json"),
    path("policy/status/<slug:name>/", board.promise, name="promise"),
    path("policy/status/<slug:name>.json", board.promise_json, name="promise-json"),
    path("policy/principles/", board.principles, name="principles"),
    path("ledger/", record.verify, name="ledger"),
    path("ledger/checkpoint", record.checkpoint, name="checkpoint"),
    re_path(
        r"^ledger/(?P<path>tile/[0-9]{1,2}/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)$", record.tile_of, name="tile"
    ),
    path("ledger/receipt/<int:leaf>", board.receipt_of, name="receipt"),
    path("ledger/receipt/<int:leaf>.tlog-proof", board.receipt_text, name="receipt-text"),
    path("api/v1/", (ruled(api.urls[0]), *api.urls[1:])),
    path("your-data/", include("troth.service.requests.pages.urls")),
    path("console/", include("troth.service.requests.console.urls")),
    path("console/controls/", board_console.controls, name="controls"),
    path("console/promises/", board_console.statements, name="statements"),
    path("console/promises/approve", board_console.approve_statement, name="approve-statement"),
    path("console/processing/", processing_console.processing, name="processing"),
    path("console/processing/map.css", processing_console.map_css, name="map-css"),
    path("console/processing/evidence.zip", processing_console.evidence_archive, name="evidence-archive"),
    path("console/processing/<str:role>.<str:kind>", processing_console.record_file, name="record-file"),
    path("console/tokens/", include("troth.service.api.urls")),
    path("", include("troth.service.staff.urls")),
    path("health/live", pages.live, name="live"),
    path("health/ready", pages.ready, name="ready"),
    path(".well-known/security.txt", pages.security_txt, name="security-txt"),
    path(".well-known/gpc.json", pages.gpc, name="gpc"),
]

handler400 = "troth.service.pages.bad_request"
handler403 = "troth.service.pages.forbidden"
handler404 = "troth.service.pages.not_found"
handler500 = "troth.service.pages.server_error"

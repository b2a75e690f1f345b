"""``/console/processing/``: data map, record of processing, and evidence archive."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from troth.ledger import LedgerError
from troth.reports import (
    as_csv,
    as_data,
    as_html,
    as_markdown,
    as_svg,
    map_style,
    picture_of,
    picture_words,
    record_of,
    screen,
)
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.assurance.evidence import ArchiveScope, export_evidence
from troth.service.core.deployment import current
from troth.service.core.keys import keyring, ledger_signer
from troth.service.core.own_tables import without_own
from troth.service.staff.permissions import needs

_KINDS = {"md": "text/markdown", "html": "text/html", "csv": "text/csv", "json": "application/json"}


@needs(EVIDENCE_READ)
@require_safe
def processing(request: HttpRequest) -> HttpResponse:
    """Data map, purposes that need an assessment, and gaps in the record."""
    declaration = current().declaration
    picture = picture_of(declaration)
    shown = {
        "here": "processing",
        "map": mark_safe(as_svg(picture, styled=False)),  # noqa: S308 - every text in it is escaped
        "words": list(picture_words(picture)),
        "screened": screen(without_own(declaration), on=timezone.now().date()),
        "records": [record_of(declaration, "controller"), record_of(declaration, "processor")],
    }
    return render(request, "assurance/console/processing.html", shown)


@needs(EVIDENCE_READ)
@require_safe
def map_css(request: HttpRequest) -> HttpResponse:
    """Style sheet of the map: pages have no inline styles."""
    return HttpResponse(map_style(), content_type="text/css; charset=utf-8")


@needs(EVIDENCE_READ)
@require_safe
def record_file(request: HttpRequest, role: str, kind: str) -> HttpResponse:
    """The record of processing as a file."""
    if role not in ("controller", "processor") or kind not in _KINDS:
        raise Http404
    record = record_of(current().declaration, "controller" if role == "controller" else "processor")
    write = {"md": as_markdown, "html": as_html, "csv": as_csv}.get(kind)
    text = write(record) if write else json.dumps(as_data(record), indent=2, ensure_ascii=False)
    told = {"Content-Disposition": f'attachment; filename="record-{role}.{kind}"'}
    return HttpResponse(text, content_type=f"{_KINDS[kind]}; charset=utf-8", headers=told)


@needs(EVIDENCE_READ)
@require_safe
def evidence_archive(request: HttpRequest) -> HttpResponseBase:
    """The full evidence archive, written to TROTH_HOME first and sent from there."""
    deployment, home = current(), settings.TROTH.home
    signer = ledger_signer(keyring(home), deployment.declaration.organisation)
    with tempfile.TemporaryDirectory(dir=home, prefix=".evidence-") as folder:
        path = Path(folder) / "evidence.zip"
        try:
            export_evidence(deployment, signer, path, ArchiveScope())
        except LedgerError as broken:
            return HttpResponse(f"{broken}\n", status=503, content_type="text/plain; charset=utf-8")
        size = path.stat().st_size
        response = FileResponse(_Open(path), as_attachment=True, filename="evidence.zip")
    response.headers["Content-Length"] = str(size)
    return response


class _Open:
    """An unlinked file that is read once; closed when released."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)

    def read(self, size: int) -> bytes:
        return os.read(self._file, size)

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    __del__ = close

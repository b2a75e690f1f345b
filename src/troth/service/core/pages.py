"""The public ledger, as C2SP tlog-tiles: a checkpoint, tiles of hashes, and how to verify them.

Hashes reveal nothing about their content. Entries are not published; a receipt shows one of them
(`policy_pages.pages`).
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from troth.service.access_rules import public
from troth.service.core.ledger import tile, tree
from troth.service.pages import the_log

_TEXT = "text/plain; charset=utf-8"
_YEAR_S = 31_536_000


@public
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """``/ledger/``: the last checkpoint, the key, and how to verify without trusting us."""
    return render(request, "core/ledger.html", {"verifier": str(the_log().verifier)})


@public
@require_safe
@cache_control(public=True, max_age=5)
def checkpoint(request: HttpRequest) -> HttpResponse:
    """``/ledger/checkpoint``: the signed size and root, a C2SP tlog-checkpoint."""
    if not tree().checkpoint:
        raise Http404
    return HttpResponse(tree().checkpoint, content_type=_TEXT)


@public
@require_safe
@cache_control(public=True, max_age=_YEAR_S, immutable=True)
def tile_of(request: HttpRequest, path: str) -> HttpResponse:
    """``/ledger/tile/<L>/<N>[.p/<W>]``: a tile of hashes, immutable."""
    data = tile(path)
    if data is None:
        raise Http404
    return HttpResponse(data, content_type="application/octet-stream")

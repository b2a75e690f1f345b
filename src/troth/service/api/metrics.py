"""``/metrics``: figures about the service in Prometheus' text format. Counts and times alone; no personal data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from troth.service.api.duty import METRICS_READ
from troth.service.api.framework import page_by_token
from troth.service.duty import named

if TYPE_CHECKING:
    from prometheus_client import Metric


class _Figures:
    """Collector of what every duty registers."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        for figures in named("metrics"):
            yield from figures(now)


@page_by_token(METRICS_READ)
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of all duties, read now."""
    from prometheus_client import exposition  # deferred: nothing else needs it

    return HttpResponse(exposition.generate_latest(_Figures()), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)

"""How many notes there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notes.models import Note


def figures(now: dt.datetime) -> Iterator[Metric]:
    yield GaugeMetricFamily("notes", "Notes", value=Note.objects.count())

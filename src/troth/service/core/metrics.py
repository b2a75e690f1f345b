"""Figures for monitoring: jobs, workers, and the size of the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from troth.service.core.jobs.queue import health_by_kind, workers
from troth.service.core.ledger import tree


def figures(now: dt.datetime) -> Iterator[Metric]:
    """Figures at *now*, in three statements."""
    jobs = GaugeMetricFamily("troth_jobs", "Jobs that are not done; queued ones are due", labels=["kind", "state"])
    late = GaugeMetricFamily("troth_jobs_late", "Jobs that no worker has claimed in time", labels=["kind"])
    oldest = GaugeMetricFamily(
        "troth_jobs_oldest_due_seconds", "Time since the oldest due job was due; 0 if none is", labels=["kind"]
    )
    for kind in health_by_kind(now):
        for state, number in kind.states.items():
            jobs.add_metric([kind.kind, state], number)
        late.add_metric([kind.kind], kind.late)
        oldest.add_metric([kind.kind], (now - (kind.due_since or now)).total_seconds())
    yield from (jobs, late, oldest)
    yield GaugeMetricFamily("troth_workers", "Workers that are alive", value=workers(now).count())
    yield GaugeMetricFamily("troth_ledger_entries", "Numbered entries of the ledger", value=tree().size)

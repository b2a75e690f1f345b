"""Figures for monitoring: jobs, workers, and the size of the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from troth.service.core.jobs.queue import health_by_kind, workers
from troth.service.core.ledger import tree


def figures(now: dt.datetime) -> Iterator[Metric]:
    """Figures at *now*, in three statements."""
    jobs = GaugeMetricFamily("troth_jobs", "Jobs that are not done; queued ones are due", labels=["kind", "state"])
    kinds = {health.kind: health for health in health_by_kind(now)}
    for kind, health in kinds.items():
        for state, number in health.states.items():
            jobs.add_metric([kind, state], number)
    yield jobs
    late = {kind: health.late for kind, health in kinds.items()}
    yield gauge("troth_jobs_late", "Jobs that no worker has claimed in time", "kind", late)
    oldest = {kind: (now - (health.due_since or now)).total_seconds() for kind, health in kinds.items()}
    text = "Time since the oldest due job was due; 0 if none is"
    yield gauge("troth_jobs_oldest_due_seconds", text, "kind", oldest)
    yield GaugeMetricFamily("troth_workers", "Workers that are alive", value=workers(now).count())
    yield GaugeMetricFamily("troth_ledger_entries", "Numbered entries of the ledger", value=tree().size)


def gauge(name: str, text: str, label: str, numbers: Mapping[str, float]) -> Metric:
    """The gauge *name* with one *label*: a number for each of its values."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in numbers.items():
        family.add_metric([value], number)
    return family

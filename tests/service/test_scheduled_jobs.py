"""What is due is done by exactly one, and what a dead process held comes back."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter

import pytest
from tests.service.conftest import Start

from troth.service.core import scheduled_jobs

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def test_a_claimed_row_is_nobody_elses(database: str) -> None:
    scheduled_jobs.schedule(["a", "b"], at=NOW)
    assert [claim.name for claim in scheduled_jobs.claim(NOW, lease_for=MINUTE, limit=9)] == ["a", "b"]
    assert scheduled_jobs.claim(NOW, lease_for=MINUTE) == []


@pytest.mark.sampled
def test_what_is_not_due_is_left_alone(database: str) -> None:
    scheduled_jobs.schedule(["later"], at=NOW + MINUTE)
    assert scheduled_jobs.claim(NOW, lease_for=MINUTE) == []
    assert scheduled_jobs.next_due(NOW) == NOW + MINUTE


def test_a_finished_row_is_due_again_when_it_says(database: str) -> None:
    scheduled_jobs.schedule(["a"], at=NOW)
    [held] = scheduled_jobs.claim(NOW, lease_for=MINUTE)
    scheduled_jobs.finish(held, next_due=NOW + 2 * MINUTE)
    assert scheduled_jobs.claim(NOW + MINUTE, lease_for=MINUTE) == []
    assert len(scheduled_jobs.claim(NOW + 2 * MINUTE, lease_for=MINUTE)) == 1


def test_a_lease_that_ran_out_is_claimed_again_and_cannot_be_finished(database: str) -> None:
    scheduled_jobs.schedule(["a"], at=NOW)
    [dead] = scheduled_jobs.claim(NOW, lease_for=MINUTE)
    [heir] = scheduled_jobs.claim(NOW + MINUTE, lease_for=MINUTE)
    with pytest.raises(scheduled_jobs.LeaseLost):
        scheduled_jobs.finish(dead, next_due=NOW)
    scheduled_jobs.release(dead)
    scheduled_jobs.finish(heir, next_due=NOW + 9 * MINUTE)


@pytest.mark.sampled
def test_scheduling_twice_keeps_the_first_date(database: str) -> None:
    assert scheduled_jobs.schedule(["a"], at=NOW) == 1
    assert scheduled_jobs.schedule(["a", "b"], at=NOW + MINUTE) == 1
    assert scheduled_jobs.next_due(NOW) == NOW


@pytest.mark.sampled
def test_what_is_no_longer_wanted_is_forgotten(database: str) -> None:
    scheduled_jobs.schedule(["control:a", "control:b", "other:c"], at=NOW)
    assert scheduled_jobs.forget("control:", keeping=["control:b"]) == 1
    assert {claim.name for claim in scheduled_jobs.claim(NOW, lease_for=MINUTE, limit=9)} == {"control:b", "other:c"}


@pytest.mark.few(1)
def test_eight_processes_never_claim_the_same_row(database: str, start: Start) -> None:
    names = [f"row-{number:03d}" for number in range(120)]
    scheduled_jobs.schedule(names, at=NOW)
    claimers = [start("claim") for _ in range(8)]
    claimed = Counter(line for process in claimers for line in process.communicate(timeout=120).split())
    assert [process.poll() for process in claimers] == [0] * len(claimers)
    assert claimed == Counter(names)


@pytest.mark.soak
def test_forty_processes_claim_ten_thousand_rows_once_each(
    database: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"row-{number:05d}" for number in range(10_000)]
    scheduled_jobs.schedule(names, at=NOW)
    began = time.monotonic()
    claimers = [start("claim") for _ in range(40)]
    claimed = [process.communicate(timeout=1_200).split() for process in claimers]
    seconds = time.monotonic() - began
    assert [process.poll() for process in claimers] == [0] * len(claimers)
    assert Counter(line for lines in claimed for line in lines) == Counter(names)
    assert scheduled_jobs.claim(NOW, lease_for=MINUTE) == []
    least, *_, most = sorted(map(len, claimed))
    kind = database.partition(":")[0]
    with capsys.disabled():
        told = f"{kind}: {len(names):,} claims by {len(claimers)} processes in {seconds:.1f} s, {least} to {most} each"
        print(f"\n{told}")  # noqa: T201 - figures are what it is run for

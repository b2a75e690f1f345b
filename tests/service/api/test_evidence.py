"""Programs send evidence for a company's own controls: numbers only, once, and no longer than it is fresh."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.service import team

from troth.service.api import tokens
from troth.service.api.models import ApiToken
from troth.service.assurance import jobs, pushed_evidence
from troth.service.assurance.duty import EVIDENCE_WRITE
from troth.service.assurance.models import PromiseRow, PushedRow
from troth.service.core.deployment import current
from troth.service.core.models import CheckRow
from troth.service.requests.duty import CASES_READ

pytestmark = pytest.mark.sampled

ID = "ours.doors_locked"
DECLARED = f"""{team.DECLARED}
controls:
  {ID}:
    question: Were the doors locked at night?
    pushed: {{figure: open doors, must: = 0}}
    fresh_for: 2 days
    cannot_see: Windows.
promises:
  - {{quote: We keep our word., owner: dpo@example.org, controls: [{ID}]}}
"""
SEEN = {"outcome": "pass", "figures": {"open doors": 0}, "population": 12, "tested": 12}
Send = Callable[..., Any]


@pytest.fixture
def send(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    laid = team.lay(tmp_path)
    monkeypatch.setattr(settings, "TROTH", laid)
    (tmp_path / "troth.yaml").write_text(DECLARED)
    now = timezone.now()

    def sent(seen: dict[str, Any], *, scope: str = EVIDENCE_WRITE, control: str = ID, **headers: str) -> Any:
        name = f"doorman{len(ApiToken.objects.all())}".replace("0", "a").replace("1", "b")
        secret = tokens.make(name, [scope], until=now + dt.timedelta(days=30), now=now)
        return Client(raise_request_exception=False).post(
            f"/api/v1/controls/{control}/evidence",
            data=json.dumps({"at": now.isoformat(), **seen}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", **headers},
        )

    return sent


def status() -> str:
    office = current()
    jobs.run_due(timezone.now(), deployment=office)
    return PromiseRow.objects.get().status


def ago(**time: float) -> str:
    return (timezone.now() - dt.timedelta(**time)).isoformat()


def test_evidence_that_is_sent_keeps_the_promise_and_worse_breaks_it_at_once(send: Send) -> None:
    assert status() == "unproven"
    assert send({**SEEN, "at": ago(seconds=1)}).json()["is_new"] is True
    assert status() == "kept"
    assert CheckRow.objects.latest("pk").evidence["tested"] == 12
    assert send({**SEEN, "figures": {"open doors": 1}, "at": ago()}).status_code == 200
    assert status() == "broken"


def test_a_pass_sent_right_behind_a_failure_hides_nothing(send: Send) -> None:
    for at, outcome in ((4, "pass"), (3, "fail"), (2, "fail"), (1, "pass")):
        assert send({**SEEN, "outcome": outcome, "at": ago(seconds=at)}).json()["is_new"] is True
    assert [status() for _ in range(4)] == ["kept", "broken", "broken", "kept"]
    assert list(CheckRow.objects.order_by("pk").values_list("outcome", flat=True)) == ["pass", "fail", "fail", "pass"]
    assert PushedRow.objects.get().judged_at is not None


def test_nobody_looked_in_the_future(send: Send) -> None:
    assert send({**SEEN, "at": ago(minutes=-1)}).status_code == 422


def test_passes_that_wait_give_way_to_the_latest(send: Send) -> None:
    for at in (3, 2, 1):
        send({**SEEN, "at": ago(seconds=at)})
    assert PushedRow.objects.count() == 1


def test_failures_that_wait_are_bounded(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_evidence, "_WAITING_MAX", 2)
    answers = [send({**SEEN, "outcome": "fail", "at": ago(seconds=at)}).status_code for at in (3, 2, 1)]
    assert answers == [200, 200, 422]


def test_a_control_takes_evidence_of_the_program_that_it_names(send: Send, tmp_path: Path) -> None:
    named = DECLARED.replace("pushed: {", "pushed: {by: doormana, ")
    (tmp_path / "troth.yaml").write_text(named)
    assert send(SEEN).status_code == 200
    assert send({**SEEN, "outcome": "fail"}).status_code == 403
    assert PushedRow.objects.count() == 1


def test_the_same_evidence_sent_twice_is_one_and_an_older_one_changes_nothing(send: Send) -> None:
    at = timezone.now()
    assert send({**SEEN, "at": at.isoformat()}).json()["is_new"] is True
    assert send({**SEEN, "at": at.isoformat()}).json()["is_new"] is False
    older = {**SEEN, "at": (at - dt.timedelta(hours=1)).isoformat(), "figures": {"open doors": 9}}
    assert send(older).json()["is_new"] is False
    assert PushedRow.objects.get().figures == {"open doors": 0}


def test_evidence_that_is_too_old_proves_nothing(send: Send) -> None:
    send({**SEEN, "at": (timezone.now() - dt.timedelta(days=2)).isoformat()})
    assert status() == "unproven"


@pytest.mark.parametrize(
    "wrong",
    [
        {"figures": {"open doors": "ann@example.org"}},
        {"figures": {"ann@example.org": 1}},
        {"figures": {"open doors": 1e300}},
        {"outcome": "error"},
        {"tested": 13},
        {"tested": 11},
        {"tested": 0},
        {"tested": 0, "population": 0},
        {"at": "2026-11-24T09:41:00"},
        {"at": "2100-01-01T00:00:00Z"},
        {"who": "ann@example.org"},
        {"figures": {f"figure {'x' * n}": 1 for n in range(1, 23)}},
    ],
)
def test_what_is_no_evidence_is_refused_and_not_repeated(send: Send, wrong: dict[str, Any]) -> None:
    refused = send({**SEEN, **wrong})
    assert refused.status_code == 422
    assert b"ann@example.org" not in refused.content
    assert not PushedRow.objects.exists()


def test_a_token_of_another_scope_and_a_control_that_waits_for_nothing_are_refused(send: Send) -> None:
    assert send(SEEN, scope=CASES_READ).status_code == 403
    refused = send(SEEN, control="ours.doors_lockd")
    assert (refused.status_code, ID in refused.json()["detail"]) == (404, True)
    assert send(SEEN, control="ledger.intact").status_code == 404

"""The figures for monitoring: what they say, who may read them, and what is never in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from tests.rig.databases import as_default
from tests.service.requests.conftest import Office
from tests.service.test_unavailable import NOWHERE

from troth.ledger import DeclaredName, Entry
from troth.service.api import tokens
from troth.service.api.duty import METRICS_READ
from troth.service.api.models import ApiToken
from troth.service.api.scopes import scopes
from troth.service.assurance.models import BindingRow, PromiseRow
from troth.service.cases.models import Case
from troth.service.core.jobs.models import HIGH, LOW, NORMAL, Job, WorkerRow
from troth.service.core.jobs.queue import State
from troth.service.core.ledger import record, tree
from troth.service.core.models import CheckRow, Retraction, Tree
from troth.service.mail.models import LetterRow

sampled = pytest.mark.sampled
STATEMENTS_MAX = 9
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
Figures = Mapping[tuple[str, ...], float]


@pytest.fixture
def secret(office: Office) -> str:
    now = office.now()
    return tokens.make("prometheus", [METRICS_READ], until=now + 30 * DAY, now=now)


def ask(secret: str, method: str = "GET") -> Any:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return client.generic(method, "/metrics", headers={"Authorization": f"Bearer {secret}"})


def figures(secret: str) -> Figures:
    """Each figure, by its name and its labels' values."""
    answer = ask(secret)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def named(name: str, of: Figures) -> dict[str, float]:
    """The figures of that name that are not 0, by their labels."""
    return {" ".join(labels): value for (its, *labels), value in of.items() if its == name and value}


def job(kind: str, state: str = "queued", due: dt.timedelta | None = None, *, key: str = "1", rank: int = HIGH) -> None:
    now = Office.now()
    Job.objects.create(
        kind=kind,
        key=key,
        state=state,
        priority=rank,
        due_at=None if due is None else now + due,
        worker="w1" if state == State.RUNNING else "",
        enqueued_at=now,
        changed_at=now,
    )


# --- what they say ----------------------------------------------------------------------------------------------------


def test_jobs_are_counted_by_kind_and_state(office: Office, secret: str) -> None:
    Job.objects.all().delete()
    job("mail.send", due=-MINUTE)
    job("mail.send", due=HOUR, key="2")
    for state in ("running", "stopped", "failed"):
        job("requests.batch", state, key=state)
    job("requests.follow", "waiting", due=HOUR)
    assert named("troth_jobs", figures(secret)) == {
        "mail.send queued": 1,
        "mail.send scheduled": 1,
        "requests.batch running": 1,
        "requests.batch stopped": 1,
        "requests.batch failed": 1,
        "requests.follow waiting": 1,
    }


def test_late_jobs_are_those_that_the_console_calls_late(office: Office, secret: str) -> None:
    Job.objects.all().delete()
    job("a.prompt", due=-3 * MINUTE)
    job("b.soon", due=-MINUTE)
    job("c.low", due=-3 * MINUTE, rank=LOW)
    job("d.recurring", due=-2 * HOUR, key="", rank=NORMAL)
    job("e.later", due=HOUR)
    found = figures(secret)
    assert named("troth_jobs_late", found) == {"a.prompt": 1, "d.recurring": 1}
    oldest = named("troth_jobs_oldest_due_seconds", found)
    assert {kind: round(seconds / 60) for kind, seconds in oldest.items()} == {
        "a.prompt": 3,
        "b.soon": 1,
        "c.low": 3,
        "d.recurring": 120,
    }
    assert found["troth_jobs_oldest_due_seconds", "e.later"] == 0


def test_workers_are_those_that_are_alive_and_run_jobs(office: Office, secret: str) -> None:
    now = office.now()
    for name, until, runs in (("w1", MINUTE, True), ("w2", -MINUTE, True), ("w3", MINUTE, False)):
        WorkerRow.objects.create(name=name, begun_at=now, lease_until=now + until, runs_jobs=runs)
    assert figures(secret)["troth_workers",] == 1


def test_the_size_of_the_ledger(office: Office, secret: str) -> None:
    assert figures(secret)["troth_ledger_entries",] == tree().size == 0
    Tree.objects.update_or_create(pk=1, defaults={"size": 7})
    assert figures(secret)["troth_ledger_entries",] == 7


def check(control: str, outcome: str, age: dt.timedelta, *, retraction: Retraction | None = None) -> None:
    at = Office.now() - age
    row = CheckRow(control=control, control_version=1, outcome=outcome, at=at, valid_until=at + DAY)
    row.retraction = retraction
    row.save()


def test_promises_by_status_and_controls_by_their_latest_check(office: Office, secret: str) -> None:
    now = office.now()
    [entry] = record(Entry("token.changed", now, {"token": DeclaredName("x"), "change": "ended"}))
    for number, status in enumerate(("kept", "kept", "broken")):
        PromiseRow.objects.create(promise=f"p{number}", status=status, since=now, entry=entry)
    bound = {"p0": ["passes"], "p1": ["passes", "failed_lately"], "p2": ["old", "never", "void"]}
    for promise, controls in bound.items():
        BindingRow.objects.bulk_create([BindingRow(promise=promise, control=control) for control in controls])
    retracted = Retraction.objects.create(
        control="void", since=now - DAY, until=now, reason="r", opening=b"", checks=1, at=now, entry=entry
    )
    check("passes", "fail", 3 * HOUR)
    check("passes", "pass", HOUR)
    check("failed_lately", "pass", 3 * HOUR)
    check("failed_lately", "fail", HOUR)
    check("old", "pass", 2 * DAY)
    check("void", "error", 2 * HOUR)
    check("void", "pass", HOUR, retraction=retracted)
    check("bound_no_more", "fail", HOUR)
    found = figures(secret)
    assert named("troth_promises", found) == {"kept": 2, "broken": 1}
    assert named("troth_controls", found) == {"pass": 1, "fail": 1, "stale": 1, "none": 1, "error": 1}


def test_emails_that_are_not_sent_by_state(office: Office, secret: str) -> None:
    for _ in range(3):
        office.ask("view")
    first, second, _ = LetterRow.objects.order_by("pk")
    LetterRow.objects.filter(pk=first.pk).update(state="failed", ended_at=office.now())
    LetterRow.objects.filter(pk=second.pk).update(state="sent", ended_at=office.now(), sealed=None)
    found = figures(secret)
    assert named("troth_emails", found) == {"queued": 1, "failed": 1}
    assert found["troth_emails", "handing_over"] == 0


def test_open_requests_by_what_is_left_of_their_clock(office: Office, secret: str) -> None:
    today = office.now().date()  # the company is in London
    for days in (-1, 0, 3, 4, None):
        case = office.ask("view")
        Case.objects.filter(pk=case.pk).update(due_on=None if days is None else today + dt.timedelta(days=days))
    closed = office.answered("erase", "ben@example.org")
    assert closed.state == "closed"
    assert named("troth_requests_open", figures(secret)) == {"overdue": 1, "due_soon": 2, "in_time": 1, "none": 1}


def test_they_are_there_while_the_declaration_cannot_be_read(office: Office, secret: str) -> None:
    (office.folder / "troth.yaml").write_text("troth: [")
    assert ("troth_requests_open", "overdue") in figures(secret)


def test_they_take_a_few_statements_however_much_there_is(office: Office, secret: str) -> None:
    for number in range(5):
        job(f"kind.n{number}", due=-HOUR)
        BindingRow.objects.create(promise="p", control=f"c{number}")
        check(f"c{number}", "pass", HOUR)
    ask(secret)  # which notes the day on which the token was used
    with CaptureQueriesContext(connection) as made:
        ask(secret)
    assert len(made) <= STATEMENTS_MAX


# --- who may read them ------------------------------------------------------------------------------------------------


@sampled
def test_they_are_text_that_nobody_stores(office: Office, secret: str) -> None:
    answer, head = ask(secret), ask(secret, "HEAD")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    assert (head.status_code, head["Content-Type"], head.content) == (200, answer["Content-Type"], b"")


@sampled
@pytest.mark.parametrize("wrong", ["", "troth_" + "x" * 43, "nonsense"])
def test_without_a_valid_token_they_are_refused_as_the_api_refuses(office: Office, wrong: str) -> None:
    answer = ask(wrong)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Not authenticated"
    assert Client().get("/metrics").status_code == 401


@sampled
def test_a_token_that_expired_or_was_revoked_is_refused(office: Office, secret: str) -> None:
    now = office.now()
    ApiToken.objects.update(made_at=now - 2 * DAY, until=now - DAY)
    assert ask(secret).status_code == 401
    other = tokens.make("other", [METRICS_READ], until=now + DAY, now=now)
    tokens.end("other", now=now)
    assert ask(other).status_code == 401


@sampled
def test_a_token_with_every_other_scope_is_refused(office: Office) -> None:
    now = office.now()
    others = [scope for scope in scopes() if scope != METRICS_READ]
    answer = ask(tokens.make("shop", others, until=now + DAY, now=now))
    assert answer.status_code == 403
    assert answer.json()["detail"] == "It needs the scope metrics.read."


@sampled
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_they_are_read_and_nothing_else(office: Office, secret: str, method: str) -> None:
    assert ask(secret, method).status_code == 405


@sampled
def test_while_the_database_is_away_they_say_so(office: Office, secret: str) -> None:
    with as_default(NOWHERE):
        answer = ask(secret)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "127.0.0.1" not in answer.content.decode()


# --- what is never in them --------------------------------------------------------------------------------------------


def test_nothing_in_them_is_about_a_person(office: Office, secret: str) -> None:
    ann, ben = "ann@example.org", "ben@example.org"
    cases = [office.answered("view"), office.ask("erase", ben), office.ask("object", "chloe@example.org")]
    LetterRow.objects.filter(about=cases[0].about).update(state="failed", ended_at=office.now(), reason=ann)
    Job.objects.update(reason=ann, step=ann)
    job("portal.resend_links", due=-HOUR, key=ann)
    text = ask(secret).content.decode()
    people = [str(value) for row in office.rows("select * from customer") for value in row[1:] if value]
    for value in (*people, *(case.reference for case in cases), *(case.subject for case in cases), "shop", "@"):
        assert value not in text

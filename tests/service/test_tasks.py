"""A task is opened once by a check that failed, told once, and closed by a check alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from tests.service.test_passes import HOUR, NOW, RUN, office, promising  # noqa: F401 - a fixture

from troth.controls import Check, CheckOutcome, Control, ControlFinding, Evidence, status_of
from troth.declaration import Attestation, Promise, Waiver
from troth.service.api import webhooks
from troth.service.api.duty import API_MANAGE
from troth.service.api.models import Delivery
from troth.service.assurance import jobs
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.assurance.models import ReminderRow
from troth.service.assurance.rules import broken_by
from troth.service.core import checks, tasks
from troth.service.core.deployment import Deployment
from troth.service.core.journal import DatabaseJournal
from troth.service.core.models import Task
from troth.service.core.tasks import TaskChange

from . import team

pytestmark = pytest.mark.sampled

SYSTEMS = frozenset({"shop", "logins"})
EVENTS = ("control.failing", "control.passing", "attestation.expiring")


def after(outcome: CheckOutcome, *places: str, hours: int = 0, observed: frozenset[str] = SYSTEMS) -> TaskChange:
    findings = tuple(ControlFinding(place, "is wrong") for place in places)
    at = NOW + hours * HOUR
    check = Check("c.d", 1, outcome, "", at, at, "", Evidence(SYSTEMS, observed), {}, findings)
    return tasks.follow(checks.keep(check))


def open_scopes() -> list[str]:
    return sorted(Task.objects.filter(closed_at=None).values_list("scope", flat=True))


def test_each_system_that_fails_has_one_task_however_often_it_fails(database: str) -> None:
    assert {task.scope for task in after(CheckOutcome.FAIL, "shop.customer", "shop.order", "logins").opened} == SYSTEMS
    assert after(CheckOutcome.FAIL, "shop.customer", "logins.login", hours=1) == TaskChange()
    assert open_scopes() == ["logins", "shop"]


def test_a_system_where_nothing_is_wrong_any_more_is_closed_by_the_check_that_looked(database: str) -> None:
    after(CheckOutcome.FAIL, "shop.customer", "logins.login")
    followed = after(CheckOutcome.FAIL, "shop.customer", hours=1)
    assert [task.scope for task in followed.closed] == ["logins"]
    assert open_scopes() == ["shop"]


def test_a_system_that_was_not_looked_at_stays_open(database: str) -> None:
    after(CheckOutcome.FAIL, "shop.customer", "logins.login")
    assert after(CheckOutcome.FAIL, "shop.customer", hours=1, observed=frozenset({"shop"})) == TaskChange()
    assert after(CheckOutcome.ERROR, hours=2) == TaskChange()
    assert open_scopes() == ["logins", "shop"]


def test_a_fault_of_the_whole_control_is_closed_by_a_pass_alone(database: str) -> None:
    after(CheckOutcome.FAIL, "leaf 3")
    after(CheckOutcome.FAIL, "shop.customer", hours=1)
    assert open_scopes() == ["", "shop"]
    assert len(after(CheckOutcome.PASS, hours=2).closed) == 2
    assert open_scopes() == []


def told() -> list[tuple[str, dict[str, Any]]]:
    return [(row.event, row.body["data"]) for row in Delivery.objects.order_by("id")]


def test_webhooks_are_told_once_of_a_failure_and_once_of_its_end(database: str, office: Deployment) -> None:  # noqa: F811
    webhooks.make("https://desk.example.org/", EVENTS, keys=office.keyring, now=NOW)
    DatabaseJournal().begin(RUN)
    jobs.run_due(NOW, deployment=office)
    jobs.run_due(NOW + HOUR, deployment=office)
    [(event, facts)] = told()
    assert (event, facts["control"], facts["severity"]) == ("control.failing", "core.runs_finished", "high")
    assert "dpo@example.org" not in str(facts)
    DatabaseJournal().finish(RUN.id, [])
    jobs.run_due(NOW + 2 * HOUR, deployment=office)
    assert [event for event, _ in told()] == ["control.failing", "control.passing"]


# --- which promises a task breaks -------------------------------------------------------------------------------------

CONTROL = Control("c.d", 1, "Is it so?", "GDPR Art. 5(2)", ("C01",), HOUR, 3 * HOUR, "Fix.", "Some.")
WAIVER = Waiver(reason="moving", approver="ann@example.org", until=NOW.date() + dt.timedelta(days=30))


def failed(*places: str, outcome: CheckOutcome = CheckOutcome.FAIL, hours: int = 0) -> Check:
    findings = tuple(ControlFinding(place, "is wrong") for place in places)
    at = NOW + hours * HOUR
    return Check("c.d", 1, outcome, "", at, at + 3 * HOUR, "h", Evidence(SYSTEMS, SYSTEMS), {}, findings)


def broken(scope: str, *checks: Check, approved: bool = True, **promise: Any) -> bool:
    """True if a task of the control in *scope* breaks that promise."""
    bound = Promise(quote="q", owner="dpo@example.org", **{"controls": ("c.d",), **promise})
    hashes = {bound.waiver_hash} if approved else set()
    judgement = status_of(
        bound,
        {"c.d": checks},
        now=NOW + 2 * HOUR,
        declaration_hash="h",
        controls={"c.d": CONTROL},
        approved={hash_ for hash_ in hashes if hash_},
    )
    return broken_by("c.d", scope, [judgement]) == (judgement,)


def test_a_task_breaks_the_promises_that_its_findings_concern() -> None:
    in_logins = failed("logins.login")
    assert broken("logins", in_logins)
    assert not broken("shop", in_logins)
    assert not broken("logins", in_logins, controls=("e.f",)), "another control checks it"
    assert broken("logins", in_logins, about=("logins.login",))
    assert not broken("logins", in_logins, about=("shop",)), "it is about another system"
    assert broken("", failed("somewhere"), about=("shop",)), "a fault outside of all systems concerns everything"
    assert broken("shop", in_logins, failed(outcome=CheckOutcome.ERROR, hours=1)), "where it is, is not known any more"
    assert not broken("logins", in_logins, failed(outcome=CheckOutcome.PASS, hours=1))


def test_a_task_breaks_no_promise_that_is_waived_or_waits_for_another_failure() -> None:
    in_logins = failed("logins.login")
    assert not broken("logins", in_logins, waive=WAIVER)
    assert broken("logins", in_logins, waive=WAIVER, approved=False), "nobody approved the waiver"
    assert broken("logins", in_logins, waive=WAIVER.model_copy(update={"scope": ("e.f",)}))
    assert not broken("logins", in_logins, failures=2)
    assert broken("logins", in_logins, failed("logins.login", hours=1), failures=2)


@pytest.fixture
def attested(office: Deployment) -> Any:  # noqa: F811
    def until(day: dt.date) -> Deployment:
        word = Attestation(by="ben@example.org", says="It is so.", on=dt.date(2026, 1, 1), until=day)
        return promising(office, Promise(quote="q", owner="dpo@example.org", attest=word))

    return until


def test_a_word_that_runs_out_soon_is_reminded_of_once(database: str, office: Deployment, attested: Any) -> None:  # noqa: F811
    webhooks.make("https://desk.example.org/", EVENTS, keys=office.keyring, now=NOW)
    jobs.run_due(NOW, deployment=attested(dt.date(2027, 6, 1)))
    assert not ReminderRow.objects.exists()
    for hour in range(2):
        jobs.run_due(NOW + hour * HOUR, deployment=attested(dt.date(2026, 12, 20)))
    assert [(event, facts["until"]) for event, facts in told()] == [("attestation.expiring", "2026-12-20")]
    jobs.run_due(NOW + 5 * HOUR, deployment=attested(dt.date(2027, 12, 20)))
    assert ReminderRow.objects.get().closed_at == NOW + 5 * HOUR


PROMISED = """
promises:
  - {quote: We keep our word., owner: dpo@example.org, controls: [core.runs_finished]}
  - {quote: We erase nothing., owner: dpo@example.org, controls: [core.runs_finished], failures: 9}
"""


def test_staff_see_what_fails_and_nothing_lets_them_close_it(
    database: str,
    staff_member: Any,
    office: Deployment,  # noqa: F811
    settings: Any,
    tmp_path: Any,
) -> None:
    settings.TROTH = team.lay(tmp_path)
    jobs.run_due(NOW, deployment=office)
    DatabaseJournal().begin(RUN)
    jobs.run_due(NOW + HOUR, deployment=office)
    client = staff_member(EVIDENCE_READ)
    page = client.get(reverse("controls"))
    assert page.status_code == 200
    assert b"core.runs_finished" in page.content
    assert b"It breaks no promise now." in page.content
    assert b'method="post"' not in page.content.partition(b"<main")[2]
    with (tmp_path / "troth.yaml").open("a") as declaration:
        declaration.write(PROMISED)
    assert b"It breaks no promise now." not in client.get(reverse("controls")).content
    for path in (reverse("controls"), reverse("promises") + "?status=broken"):
        shown = client.get(path).content.decode()
        assert "We keep our word." in shown
        assert "We erase nothing." not in shown, "it has not failed often enough"
    assert client.post(reverse("controls")).status_code == 405
    assert staff_member(API_MANAGE).get(reverse("controls")).status_code == 403

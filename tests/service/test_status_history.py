"""How a promise has stood: kept as it happens, told to each audience as it may be, and late where it has to be."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.service import team
from tests.service.conftest import Live
from tests.service.test_passes import HOUR, QUOTE, office, promising  # noqa: F401 - a fixture
from tests.service.test_passes import RUN as BEGUN

from troth.controls import Status, promise_name
from troth.declaration import Audience, Granularity, Period
from troth.ledger import DeclaredName, Entry
from troth.service.assurance import jobs, status_history
from troth.service.assurance.models import ChangeRow
from troth.service.assurance.status_reasons import reason_sentence
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import Job
from troth.service.core.journal import DatabaseJournal
from troth.service.core.models import EntryRow
from troth.service.policy_pages.status_page import page_for

pytestmark = pytest.mark.sampled

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC).replace(hour=9, microsecond=0) - 11 * DAY
"""The pages are of today, so what they show has just happened."""
TODAY = NOW + 10 * DAY + 3 * HOUR
RUN = replace(BEGUN, begun=NOW - HOUR)
NAME = DeclaredName.of(QUOTE).text


@pytest.fixture
def happened(live: Live, office: Deployment) -> Deployment:  # noqa: F811
    """Kept on the first day, broken on the fifth, kept again on the tenth."""

    def passes() -> None:
        jobs.run_due(NOW, deployment=office)
        for day in (5, 10):
            for early in range(1, 3):
                jobs.run_due(NOW + (day - early) * DAY + HOUR, deployment=office)
            if day == 5:
                DatabaseJournal().begin(RUN)
            else:
                DatabaseJournal().finish(RUN.id, [])
            jobs.run_due(NOW + day * DAY + 2 * HOUR, deployment=office)

    live("happened", passes)
    return office


def shown(office: Deployment, audience: Audience, now: dt.datetime, **promise: Any) -> Any:  # noqa: F811
    [promised] = office.declaration.promises
    changed = promising(office, promised.model_copy(update=promise))
    publish = changed.declaration.policy.publish.model_copy(update={"status": Audience.PUBLIC})
    policy = changed.declaration.policy.model_copy(update={"publish": publish})
    declaration = changed.declaration.model_copy(update={"policy": policy})
    [mark] = page_for(changed.but(declaration=declaration), audience, now).marks
    return mark


def test_each_change_is_kept_with_its_cause_its_control_and_its_entry(happened: Deployment) -> None:
    changes = status_history.changes_of(NAME, since=NOW - DAY, until=TODAY)
    turns = [(each.status, each.cause) for each in changes if each.cause in ("passed", "failed")]
    assert turns[0] == (Status.KEPT, "passed")
    assert (Status.BROKEN, "failed") in turns
    assert turns[-1] == (Status.KEPT, "passed")
    broken = next(each for each in changes if each.status == Status.BROKEN)
    assert broken.control == "core.runs_finished"
    assert broken.figures["left_half_done"] == 1
    entry = Entry.decode(bytes(EntryRow.objects.get(leaf=broken.entry.leaf).content))
    assert (entry.kind, entry.fields["after"]) == ("promise.changed", "broken")
    assert entry.fields["control"] == DeclaredName.of("core.runs_finished")


def test_a_status_that_time_alone_changed_says_so(database: str, office: Deployment) -> None:  # noqa: F811
    jobs.run_due(NOW, deployment=office)
    Job.objects.filter(kind="assurance.check").update(due_at=NOW + 99 * DAY)
    jobs.run_due(NOW + 9 * DAY, deployment=office)
    assert ChangeRow.objects.latest("pk").cause == "stale"


def test_outsiders_see_a_delayed_promise_as_it_was_and_staff_as_it_is(happened: Deployment) -> None:
    now, days = TODAY, Period(count=4, unit="day")
    late = shown(happened, Audience.PUBLIC, now, delay=days)
    assert (late.status, late.as_of) == (
        Status.BROKEN,
        dt.datetime.combine((TODAY - 4 * DAY).date(), dt.time(), dt.UTC),
    )
    assert late.since < late.as_of
    assert late.checks == ()
    assert shown(happened, Audience.STAFF, now, delay=days).status is Status.KEPT
    assert shown(happened, Audience.PUBLIC, now).status is Status.KEPT


def test_before_anybody_knew_a_delayed_promise_is_private(happened: Deployment) -> None:
    assert shown(happened, Audience.PUBLIC, TODAY, delay=Period(count=1, unit="year")).status is None


def test_the_picture_covers_the_time_without_gaps_and_says_the_same(happened: Deployment) -> None:
    until = TODAY
    changes = status_history.changes_of(NAME, since=NOW, until=until)
    segments = status_history.strip(changes, NOW, until)
    assert [one.word for one in segments] == [each.status for each in changes]
    assert segments[0].start == 0
    assert all(a.start + a.width == b.start for a, b in itertools.pairwise(segments))
    assert segments[-1].start + segments[-1].width == 1_000


def test_the_trend_counts_each_promise_once_on_every_day_that_it_was_known(happened: Deployment) -> None:
    trend = status_history.trend({NAME: Status.KEPT}, TODAY)
    assert sum(column.days for column in trend.columns) == trend.days == 90
    assert all(sum(column.counts.values()) <= 1 for column in trend.columns)
    assert sum(trend.columns[0].counts.values()) == 0, "nobody knew then"
    assert trend.columns[-1].counts[Status.KEPT] == 1
    assert any(column.counts[Status.BROKEN] for column in trend.columns)


@pytest.fixture
def served(happened: Deployment, tmp_path: Any, settings: Any) -> Mapping[str, Any]:
    settings.TROTH = team.lay(tmp_path)
    declared = team.DECLARED.replace("effective: 2026-11-01}", "effective: 2026-11-01, publish: {status: public}}")
    promise = f'promises:\n  - {{quote: "{QUOTE}", owner: dpo@example.org, controls: [core.runs_finished]}}\n'
    (tmp_path / "troth.yaml").write_text(declared + promise)
    (tmp_path / "policy.md").write_text(f"# Policy\n\n{QUOTE}\n")
    return {"name": NAME.removeprefix("~")}


def outside(path: str, **named: Any) -> Any:
    return Client(REMOTE_ADDR="203.0.113.7").get(reverse(path, kwargs=named))


def test_the_page_of_a_promise_tells_outsiders_why_without_names_or_exact_figures(served: Any) -> None:
    settled = outside("promise-json", **served).json()
    assert {each["status"] for each in settled["history"]} >= {"kept", "broken"}
    broken = next(each for each in settled["history"] if each["status"] == "broken")
    assert broken["why"].startswith("“Was every deletion")
    assert (broken["figures"]["left_half_done"], broken["summary"]) == ("1-9", None)
    page = outside("promise", **served)
    assert page.status_code == 200
    assert b"dpo@example.org" not in page.content
    assert page.content.count(b"<rect") == len(settled["history"])


def test_a_promise_that_is_not_shown_has_no_page(served: Any, tmp_path: Any) -> None:
    declared = (tmp_path / "troth.yaml").read_text()
    (tmp_path / "troth.yaml").write_text(declared.replace("owner: dpo", "audience: staff, owner: dpo"))
    assert outside("promise", **served).status_code == 404
    assert outside("promise", name="0" * 24).status_code == 404
    for name in (served["name"], "nope"):
        unknown = outside("promise-json", name=name)
        assert (unknown.status_code, "no such promise" in unknown.json()["error"]) == (404, True)


def test_the_principles_say_how_much_of_each_is_kept(served: Any) -> None:
    page = outside("principles")
    assert page.status_code == 200
    assert page.content.count(b'class="gap"') + page.content.count(b'data-sign="\xe2\x9c\x93"') == 13
    facts = outside("status-json").json()["principles"]
    assert facts["sets"]["oecd"] == {"principles": 8, "kept": 0, "broken": 0}
    row = next(each for each in facts["rows"] if each["id"] == "oecd.individual_participation")
    assert row["promises"] == 1


def test_the_page_counts_the_sentences_that_a_promise_with_a_check_quotes(served: Any, tmp_path: Any) -> None:
    (tmp_path / "policy.md").write_text(f"# Policy\n\n{QUOTE} We sell nothing.\n")
    assert b"1 of 2 sentences of the policy are bound" in outside("status").content
    declared = (tmp_path / "troth.yaml").read_text()
    (tmp_path / "troth.yaml").write_text(declared.replace(", controls: [core.runs_finished]", ""))
    assert b"0 of 2 sentences of the policy are bound" in outside("status").content


def test_machines_get_history_and_trend_and_only_staff_the_tasks(served: Any, happened: Deployment) -> None:
    facts = outside("status-json").json()
    assert facts["promises"][0]["history"]
    assert sum(each["days"] for each in facts["trend"]["counts"]) == 90
    assert "tasks" not in facts
    DatabaseJournal().begin(replace(RUN, id="r-2"))
    jobs.run_due(TODAY + HOUR, deployment=happened)
    [task] = Client(REMOTE_ADDR="127.0.0.1").get(reverse("status-json")).json()["tasks"]
    assert (task["control"], task["owners"]) == ("core.runs_finished", ["dpo@example.org"])


def test_no_figure_leaves_where_the_promise_shows_none(happened: Deployment) -> None:
    [promise] = happened.declaration.promises
    change = next(each for each in status_history.changes_of(NAME, since=NOW - DAY, until=TODAY) if each.figures)
    silent = promise.model_copy(update={"granularity": Granularity.NONE})
    controls = happened.controls
    assert reason_sentence(change, silent, controls, Audience.PUBLIC).figures == {}
    assert "“" not in reason_sentence(change, silent, controls, Audience.PUBLIC).why
    unbound = promise.model_copy(update={"controls": ("ledger.intact",)})
    assert "“" not in reason_sentence(change, unbound, controls, Audience.PUBLIC).why
    assert reason_sentence(change, silent, controls, Audience.STAFF).figures == change.figures
    assert promise_name(promise) == NAME

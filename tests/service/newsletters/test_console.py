"""Staff write, approve and send editions: nobody approves their own, and no page shows a recipient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone
from tests.rig.jobs import run_due
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, DECLARATION, TEXT, Publisher
from tests.service.team import StaffClient

from troth.ledger import Entry
from troth.service.core.models import EntryRow
from troth.service.mail.bulk.actions import EditionRefused
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters import actions
from troth.service.newsletters.duty import NEWSLETTERS_APPROVE, NEWSLETTERS_SEND
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.staff.approvals import ApprovalMissing, OwnPlan
from troth.service.staff.models import AccessRow, Approval
from troth.service.staff.rights import StaffRight

HOME = "/console/newsletters/"
Staff = Callable[..., StaffClient]
GIVEN = {"newsletter": "monthly", "subject": "News in June", "markdown": "Dear {{name}},\n\nwe have news."}

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def approving(publisher: Publisher) -> None:
    """The monthly newsletter asks for a second person."""
    text = DECLARATION.replace("    signup: true\n", "    signup: true\n    approve: true\n")
    (publisher.folder / "troth.yaml").write_text(text, encoding="utf-8")


def written(client: StaffClient, **other: str) -> Edition:
    """The edition that *client* plans."""
    answer = client.post(f"{HOME}write", {**GIVEN, **other})
    assert answer.status_code == 200, answer.content.decode()
    return Edition.objects.latest("pk")


def entries(kind: str) -> list[Any]:
    known = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("pk")]
    return [entry for entry in known if entry.kind == kind]


def work(publisher: Publisher) -> None:
    """What pages enqueued, at the time that they took from the clock."""
    publisher.clock[0] = timezone.now()
    publisher.work()


def approve(client: StaffClient, edition: Edition, plan: str = "") -> int:
    status: int = client.post(f"{HOME}{edition.pk}/approve", {"hash": plan or edition.plan_hash}).status_code
    return status


def change(client: StaffClient, edition: Edition, what: str) -> Any:
    return client.post(f"{HOME}{edition.pk}/{what}")


# --- the second person ------------------------------------------------------------------------------------------------


def test_an_edition_starts_after_somebody_else_approved_exactly_it(publisher: Publisher, staff_member: Staff) -> None:
    writer, second = staff_member(NEWSLETTERS_SEND, NEWSLETTERS_APPROVE), staff_member(NEWSLETTERS_APPROVE)
    edition = written(writer)
    assert change(writer, edition, "start").status_code == 409
    assert (approve(writer, edition), approve(second, edition, "dg1:" + "0" * 64)) == (403, 409)
    assert (Approval.objects.count(), entries("edition.approved")) == (0, [])
    assert approve(second, edition) == 302
    [entry] = entries("edition.approved")
    assert (str(entry.fields["plan"]), str(entry.fields["by"])) == (edition.plan_hash, second.member.pseudonym)
    other = written(writer, markdown="Another text.")
    assert change(writer, other, "start").status_code == 409, "the approval is of the first text"
    assert change(writer, edition, "start").status_code == 302
    work(publisher)
    assert sorted(publisher.got) == [ANN, BEN]
    assert approve(second, edition) == 409, "it does not wait any more"


def test_an_approval_counts_once_and_ends(publisher: Publisher, staff_member: Staff) -> None:
    second, edition = staff_member(NEWSLETTERS_APPROVE).member, publisher.plan().edition
    now, deployment = publisher.now(), publisher.deployment
    with pytest.raises(ApprovalMissing, match="not been approved"):
        actions.start(edition.plan_hash, deployment, now=now)
    assert actions.approve(edition.plan_hash, deployment, by=second, now=now)
    assert not actions.approve(edition.plan_hash, deployment, by=second, now=now)
    with pytest.raises(ApprovalMissing, match="expired"):
        actions.start(edition.plan_hash, deployment, now=now + dt.timedelta(days=31))
    assert actions.start(edition.plan_hash, deployment, now=now).state == "sending"


def test_who_planned_it_cannot_approve_it_however(publisher: Publisher, staff_member: Staff) -> None:
    member = staff_member(NEWSLETTERS_APPROVE).member
    edition = actions.plan(TEXT, "monthly", publisher.deployment, actor=member.pseudonym, now=publisher.now()).edition
    with pytest.raises(OwnPlan):
        actions.approve(edition.plan_hash, publisher.deployment, by=member, now=publisher.now())


def test_another_newsletter_needs_no_second_person(publisher: Publisher) -> None:
    edition = publisher.plan(name="offers").edition
    assert not actions.needs_approval(edition, publisher.deployment, now=publisher.now())
    assert actions.start(edition.plan_hash, publisher.deployment, now=publisher.now()).state == "sending"


def test_the_command_waits_for_the_second_person_too(
    publisher: Publisher, staff_member: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.cli import main
    from troth.cli import newsletter as cli

    monkeypatch.setattr(cli, "_set_up", lambda: publisher.deployment)
    monkeypatch.setenv("TROTH_DECLARATION", str(publisher.folder / "troth.yaml"))
    (publisher.folder / "june.md").write_text(TEXT, encoding="utf-8")
    command = ["newsletter", "send", str(publisher.folder / "june.md"), "--list", "monthly"]
    said = CliRunner().invoke(main, command)
    assert said.exit_code == 0, (said.output, said.exception)
    edition = Edition.objects.get()
    assert f"/console/newsletters/{edition.pk}/" in said.output
    refused = CliRunner().invoke(main, [*command, "--apply", edition.plan_hash])
    assert (refused.exit_code, EditionDelivery.objects.count()) == (1, 0)
    assert "not been approved" in refused.output
    assert approve(staff_member(NEWSLETTERS_APPROVE), edition) == 302
    sent = CliRunner().invoke(main, [*command, "--apply", edition.plan_hash])
    assert (sent.exit_code, EditionDelivery.objects.count()) == (0, 2)
    for what, state in [("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")]:
        assert CliRunner().invoke(main, ["newsletter", what, str(edition.pk)]).output == f"Edition 1 is {state}.\n"
    assert "monthly  cancelled: 2 stopped" in CliRunner().invoke(main, ["newsletter", "list"]).output


# --- the pages --------------------------------------------------------------------------------------------------------


def test_pages_show_figures_and_nobody_s_address(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    planned = client.post(f"{HOME}write", {**GIVEN, "newsletter": "monthly"}).content.decode()
    assert "The purpose needs consent, which is not recorded." in planned, "why somebody is left out"
    edition = Edition.objects.get()
    approve(staff_member(NEWSLETTERS_APPROVE), edition)
    change(client, edition, "start")
    EditionDelivery.objects.filter(pk=EditionDelivery.objects.latest("pk").pk).update(
        state="in_doubt", ended_at=timezone.now()
    )
    work(publisher)
    pages = [client.get(path).content.decode() for path in (HOME, f"{HOME}{edition.pk}/", f"{HOME}write?edition=1")]
    assert "1 sent" in pages[0]
    assert "1 in doubt" in pages[0]
    assert "not sent again" in pages[1]
    assert "we have news." in pages[2], "the text to begin with"
    for page in (planned, *pages):
        assert not any(address in page for address in (ANN, BEN, CHLOE))


def test_an_edition_is_paused_resumed_and_cancelled(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    edition = written(client, newsletter="offers")
    for what, state in [("start", "sending"), ("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")]:
        assert change(client, edition, what).status_code == 302
        edition.refresh_from_db()
        assert edition.state == state
    assert change(client, edition, "resume").status_code == 409
    assert change(client, edition, "no-such-thing").status_code == 404
    work(publisher)
    assert publisher.got == []
    assert client.get(HOME, {"state": "cancelled"}).context["list"].count == 1
    assert client.get(HOME, {"state": "sent to Ann"}).status_code == 400


def test_an_edition_that_waits_is_a_figure_of_who_may_approve_it(publisher: Publisher, staff_member: Staff) -> None:
    writer, second = staff_member(NEWSLETTERS_SEND), staff_member(NEWSLETTERS_APPROVE)
    edition = written(writer)
    written(writer, newsletter="offers")
    assert "Newsletters that wait for approval" in second.get("/console/").content.decode()
    assert "Newsletters that wait for approval" not in writer.get("/console/").content.decode()
    assert second.get(HOME, {"state": "waiting"}).context["list"].count == 1
    approve(second, edition)
    assert second.get(HOME, {"state": "waiting"}).context["list"].count == 0


def test_a_later_edition_says_when_its_people_are_chosen(publisher: Publisher, staff_member: Staff) -> None:
    client, at = staff_member(NEWSLETTERS_SEND), publisher.now() + dt.timedelta(hours=2)
    given = GIVEN | {"newsletter": "offers"}
    for more, is_later in (({}, False), ({"send_at": f"{at:%Y-%m-%dT%H:%M}"}, True)):
        page = client.post(f"{HOME}write", given | more).content.decode()
        assert ("is chosen when you start it, not when it leaves" in page) is is_later
    assert "is chosen when it is started, not when it leaves" in client.get(f"{HOME}write").content.decode()


def test_who_may_only_approve_sends_nothing_and_who_may_only_send_approves_nothing(
    publisher: Publisher, staff_member: Staff
) -> None:
    writer, second = staff_member(NEWSLETTERS_SEND), staff_member(NEWSLETTERS_APPROVE)
    edition = written(writer)
    assert approve(writer, edition) == 403
    assert {change(second, edition, what).status_code for what in ("start", "cancel", "test", "count")} == {403}
    assert second.post(f"{HOME}write", GIVEN).status_code == 403
    assert "Send it" not in second.get(f"{HOME}{edition.pk}/").content.decode()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"subject": ""}, "required"),
        ({"newsletter": "weekly"}, "valid choice"),
        ({"markdown": "Hi {{email}}"}, "does not name email"),
        ({"markdown": "x" * 200_001}, "at most 200"),
        ({"send_at": "tomorrow"}, "valid date"),
    ],
)
def test_a_text_that_cannot_be_sent_is_not_planned(
    publisher: Publisher, staff_member: Staff, other: dict[str, str], reason: str
) -> None:
    answer = staff_member(NEWSLETTERS_SEND).post(f"{HOME}write", {**GIVEN, **other})
    assert (answer.status_code, Edition.objects.count()) == (422, 0)
    assert reason in answer.content.decode()


def test_an_audience_that_cannot_be_read_is_said(publisher: Publisher, staff_member: Staff) -> None:
    publisher.do("drop table subscriber;")
    answer = staff_member(NEWSLETTERS_SEND).post(f"{HOME}write", GIVEN)
    assert (answer.status_code, Edition.objects.count()) == (422, 0)


def test_a_subject_is_one_line_and_cannot_begin_the_text(publisher: Publisher, staff_member: Staff) -> None:
    edition = written(staff_member(NEWSLETTERS_SEND), subject="# One\r\n\r\ntwo")
    assert edition.content["subject"] == "# One two"


HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(1)>

[press](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) [ok](https://example.org/)

![a picture](https://tracker.example.org/pixel.gif) ![](javascript:alert(1))

<iframe src="https://example.org"></iframe> &lt;b&gt; {{name}}
"""


def test_hostile_text_runs_nowhere(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    answers = [client.post(f"{HOME}preview", {**GIVEN, "markdown": HOSTILE, "subject": "<script>x</script>"})]
    publisher.plan(f"# <script>x</script>\n\n{HOSTILE.replace('![](javascript:alert(1))', '')}", name="offers")
    edition = Edition.objects.get()
    answers.append(client.get(f"{HOME}{edition.pk}/message"))
    for answer in answers:
        page = answer.content.decode()
        policy = answer.headers["Content-Security-Policy"]
        assert policy == "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "we send no" not in page
        for wrong in ("<script", "<iframe", "<img src=x", 'href="javascript', 'href="data', 'src="javascript'):
            assert wrong not in page, wrong
    for path in (f"{HOME}{edition.pk}/", HOME, f"{HOME}write?edition={edition.pk}"):
        page = client.get(path).content.decode()
        assert "<script" not in page
        assert "<img" not in page.partition("<main")[2]


def test_a_preview_stores_nothing_and_says_what_is_wrong(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    assert "[name]" in client.post(f"{HOME}preview", GIVEN).content.decode()
    assert "does not name" in client.post(f"{HOME}preview", {**GIVEN, "markdown": "{{email}}"}).content.decode()
    assert "first" in client.post(f"{HOME}preview", {}).content.decode()
    assert client.get(f"{HOME}preview").status_code == 405
    assert not Edition.objects.exists()


@pytest.mark.parametrize("unit", ["word ", "[", "*a_", "> "])
def test_a_long_text_is_shown_in_time(publisher: Publisher, staff_member: Staff, unit: str) -> None:
    """Text of 200 kB, also of signs that open something and never close it."""
    text = (unit * 200_000)[:199_000] if unit == "word " else (unit * 20_000)[:20_000]
    begun = dt.datetime.now(dt.UTC)
    answer = staff_member(NEWSLETTERS_SEND).post(f"{HOME}preview", {**GIVEN, "markdown": text})
    assert answer.status_code == 200
    assert dt.datetime.now(dt.UTC) - begun < dt.timedelta(seconds=10)


def test_a_test_goes_to_one_s_own_address_and_stops_nothing(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    edition = written(client)
    done = change(client, edition, "test")
    assert (done.status_code, "on its way" in done.content.decode()) == (200, True)
    publisher.clock[0] = timezone.now()
    sent: list[bytes] = []

    class Kept:
        def hand_over(self, letter: Any, leave: Callable[[], None]) -> None:
            leave()
            sent.append(letter.content)

    from troth.service.mail import sending as mail

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail, "way_out", lambda server: Kept())
        run_due(publisher.now(), "mail.send")
    [message] = [message_from_bytes(content, policy=SMTP) for content in sent]
    assert message["To"] == client.member.user.email
    assert message["Subject"] == "[Test] News in June"
    assert message["List-Unsubscribe"] is None
    body = message.get_body(preferencelist=("plain",))
    assert body is not None
    plain = body.get_content()
    assert "a test of an edition" in " ".join(plain.split())
    assert "Dear [name]," in plain
    assert client.get("/your-data/stop/test").status_code == 404
    assert client.post("/your-data/stop/test").status_code == 404
    assert not Choice.objects.exists()


# --- on the telephone -------------------------------------------------------------------------------------------------

STOPS = "/console/stops/"


def said(client: StaffClient, address: str = ANN, what: str = "monthly") -> Any:
    given = {"stop-email": address, "stop-list": what, "stop-channel": "telephone"}
    return client.post(f"{STOPS}record", given)


def lifted(client: StaffClient, address: str = ANN) -> Any:
    return client.post(f"{STOPS}lift", {"lift-email": address, "lift-reason": "mailbox_works"})


def undeliverable(publisher: Publisher) -> None:
    """What a report that Ann's mailbox is gone records."""
    from troth.service.mail.bounces import ReportKind
    from troth.service.mail.bounces.actions import note

    publisher.send(name="offers")
    row = EditionDelivery.objects.order_by("pk").first()
    assert row is not None
    note(row, ReportKind.GONE, publisher.deployment, now=publisher.now())


def test_a_stop_on_the_telephone_counts_and_says_who_recorded_it(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    done = said(client, "ANN@example.org")
    assert (done.status_code, "The stop is recorded." in done.content.decode()) == (200, True)
    assert "already" in said(client).content.decode()
    row = Choice.objects.get()
    assert (row.actor, row.state, row.act.partition("-")[0]) == ("staff", "withdrawn", "stop:telephone")
    assert AccessRow.objects.filter(subject=row.fingerprint, by=client.member.pseudonym).exists()
    assert ANN not in done.content.decode()
    assert publisher.plan().people == 1
    assert "recorded" in said(client, BEN, "*").content.decode()
    assert {choice.scope for choice in Choice.objects.exclude(pk=row.pk)} == {"purpose", "marketing"}


@pytest.mark.parametrize(("address", "what"), [("no address", "monthly"), ("", "*"), (ANN, "weekly"), (ANN, "")])
def test_a_stop_that_is_not_clear_is_not_recorded(
    publisher: Publisher, staff_member: Staff, address: str, what: str
) -> None:
    assert said(staff_member(StaffRight.CASES_HANDLE), address, what).status_code == 422
    assert not Choice.objects.exists()


def test_staff_lift_what_came_back_and_nothing_that_the_person_stopped(
    publisher: Publisher, staff_member: Staff
) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    undeliverable(publisher)
    said(client, ANN, "monthly")
    assert "not count as undeliverable any more" in lifted(client).content.decode()
    in_force = Choice.objects.filter(ended_at=None)
    assert [row.state for row in in_force] == [ChoiceState.WITHDRAWN]
    [entry] = entries("suppression.lifted")
    assert (entry.fields["reason"], str(entry.fields["by"])) == ("mailbox_works", client.member.pseudonym)
    assert sorted(publisher.got) == [ANN, BEN, CHLOE]
    publisher.send("# More\n\ntext", name="offers")
    assert sorted(publisher.got[3:]) == [ANN, BEN, CHLOE]
    assert publisher.plan().people == 1, "the newsletter that she stopped stays stopped"
    assert "Nothing was changed" in lifted(client).content.decode()
    assert len(entries("suppression.lifted")) == 1


@pytest.mark.parametrize("state", sorted(set(ChoiceState) - {ChoiceState.UNDELIVERABLE}))
def test_no_other_choice_is_lifted(publisher: Publisher, staff_member: Staff, state: str) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    said(client)
    Choice.objects.update(state=state)
    assert "Nothing was changed" in lifted(client).content.decode()
    assert Choice.objects.get().ended_at is None


def test_a_stop_after_a_report_is_the_person_s_own_and_recorded_once(publisher: Publisher) -> None:
    undeliverable(publisher)
    assert [stop(publisher, "", StopScope.ALL) for _ in range(2)] == [True, False]


def test_all_marketing_is_stopped_also_if_each_newsletter_was(publisher: Publisher) -> None:
    assert [stop(publisher, name, StopScope.LIST) for name in ("monthly", "offers")] == [True, True]
    assert [stop(publisher, "", StopScope.ALL) for _ in range(2)] == [True, False]
    assert Choice.objects.filter(scope="marketing").count() == 1


def stop(publisher: Publisher, name: str, scope: StopScope) -> bool:
    return actions.stop_by_address(ANN, name, scope, publisher.deployment, channel="centre", now=publisher.now())


def test_staff_do_neither_for_their_own_address(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    own = client.member.user.email
    assert (said(client, own).status_code, lifted(client, own).status_code) == (403, 403)
    assert not Choice.objects.exists()


def test_a_cancelled_draft_is_not_said_to_have_been_sent(publisher: Publisher, staff_member: Staff) -> None:
    client = staff_member(NEWSLETTERS_SEND)
    change(client, written(client), "cancel")
    with pytest.raises(EditionRefused, match="or cancelled"):
        publisher.plan(f"# {GIVEN['subject']}\n\n{GIVEN['markdown']}")

"""Four eyes: who may approve, for how long, how often it is used, and the waivers and attestations that need it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from selectolax.lexbor import LexborHTMLParser
from tests.service.team import StaffClient, bare_member

from troth.declaration import Attestation, Declaration, Promise, Waiver, load
from troth.ledger import Entry
from troth.service.assurance import statements
from troth.service.assurance.duty import EVIDENCE_READ, PROMISES_APPROVE
from troth.service.core.disposal import dispose
from troth.service.core.models import EntryRow
from troth.service.staff import approvals
from troth.service.staff.approvals import (
    ApprovalMissing,
    ApprovalPurpose,
    ApprovalRequest,
    ApprovalState,
    OwnPlan,
    approve,
    is_approved,
    state_of,
)
from troth.service.staff.models import Approval

NOW = dt.datetime(2026, 12, 1, 9, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ONE, TWO = ApprovalPurpose("test.one"), ApprovalPurpose("test.two", approvers=2, lasts=DAY)
PLAN = ApprovalRequest(ONE, "case:R-2026-0001", "sha256:" + 64 * "a")
OTHER = ApprovalRequest(ONE, "case:R-2026-0001", "sha256:" + 64 * "b")

pytestmark = pytest.mark.sampled


def given_by(name: str, until: dt.datetime, used_for: str = "") -> Approval:
    return Approval(by=name, until=until, used_for=used_for)


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ([], ApprovalState.MISSING),
        ([given_by("ann", NOW + DAY)], ApprovalState.MISSING),
        ([given_by("ann", NOW + DAY), given_by("ann", NOW + DAY)], ApprovalState.MISSING),
        ([given_by("ann", NOW + DAY), given_by("ben", NOW + DAY)], ApprovalState.APPROVED),
        ([given_by("ann", NOW + DAY), given_by("ben", NOW)], ApprovalState.EXPIRED),
        ([given_by("ann", NOW + DAY, "run:1"), given_by("ben", NOW + DAY, "run:1")], ApprovalState.USED),
        ([given_by("ann", NOW + DAY, "run:1"), given_by("ben", NOW + DAY)], ApprovalState.USED),
        ([given_by("ann", NOW - DAY, "run:2"), given_by("ben", NOW - DAY, "run:2")], ApprovalState.APPROVED),
    ],
)
def test_a_plan_needs_so_many_people_whose_approvals_hold(given: list[Approval], state: ApprovalState) -> None:
    assert state_of(TWO, given, now=NOW, use="run:2") is state


def test_an_unused_approval_is_not_taken_for_used_where_no_use_is_named() -> None:
    assert state_of(ONE, [given_by("ann", NOW - DAY)], now=NOW) is ApprovalState.EXPIRED


# --- giving and using -------------------------------------------------------------------------------------------------


def test_an_approval_is_for_one_plan_of_one_matter_and_purpose(database: str) -> None:
    assert approve(PLAN, by=bare_member("ben"), asked_by=(), now=NOW)
    assert is_approved(PLAN, now=NOW)
    elsewhere = ApprovalRequest(ONE, "case:R-2026-0002", PLAN.plan_hash)
    for another in (OTHER, elsewhere, ApprovalRequest(ApprovalPurpose("test.three"), PLAN.about, PLAN.plan_hash)):
        assert not is_approved(another, now=NOW)
        with pytest.raises(ApprovalMissing, match="has not been approved"):
            approvals.use(another, use="run:1", now=NOW)


@pytest.mark.parametrize("known_as", ["pseudonym", "address"])
def test_nobody_approves_what_they_asked_for(database: str, known_as: str) -> None:
    ben = bare_member("ben")
    asked_by = [ben.pseudonym if known_as == "pseudonym" else "Ben <BEN+work@example.org>"]
    with pytest.raises(OwnPlan, match="somebody else"):
        approve(PLAN, by=ben, asked_by=asked_by, now=NOW)
    assert not Approval.objects.exists()
    assert approve(PLAN, by=bare_member("chloe"), asked_by=asked_by, now=NOW)


def test_the_same_person_twice_is_one_person(database: str) -> None:
    wanted = ApprovalRequest(TWO, PLAN.about, PLAN.plan_hash)
    assert approve(wanted, by=bare_member("ben"), asked_by=(), now=NOW)
    assert not approve(wanted, by=bare_member("ben"), asked_by=(), now=NOW)
    assert not is_approved(wanted, now=NOW)
    assert approve(wanted, by=bare_member("chloe"), asked_by=(), now=NOW)
    assert is_approved(wanted, now=NOW)
    assert not is_approved(wanted, now=NOW + DAY)


def test_an_approval_expires_and_can_be_renewed(database: str) -> None:
    ben, later = bare_member("ben"), NOW + 30 * DAY
    approve(PLAN, by=ben, asked_by=(), now=NOW)
    assert is_approved(PLAN, now=later - dt.timedelta(seconds=1))
    with pytest.raises(ApprovalMissing, match="has expired"):
        approvals.use(PLAN, use="run:1", now=later)
    assert approve(PLAN, by=ben, asked_by=(), now=later)
    approvals.use(PLAN, use="run:1", now=later)


def test_what_is_over_already_is_not_approved(database: str) -> None:
    with pytest.raises(ApprovalMissing, match="last day is over"):
        approve(PLAN, by=bare_member("ben"), asked_by=(), now=NOW, until=NOW)


def test_an_approval_is_used_once_and_the_same_use_can_be_continued(database: str) -> None:
    ben = bare_member("ben")
    approve(PLAN, by=ben, asked_by=(), now=NOW)
    approvals.use(PLAN, use="run:1", now=NOW)
    approvals.use(PLAN, use="run:1", now=NOW + 90 * DAY)
    with pytest.raises(ApprovalMissing, match="was used already"):
        approvals.use(PLAN, use="run:2", now=NOW)
    assert is_approved(PLAN, now=NOW, use="run:1")
    assert not is_approved(PLAN, now=NOW)
    assert approve(PLAN, by=ben, asked_by=(), now=NOW)
    approvals.use(PLAN, use="run:2", now=NOW)


def _at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of *calls* returned or raised, all begun at the same time."""
    start, results = threading.Barrier(len(calls)), list[Any]()

    def run(call: Callable[[], Any]) -> None:
        start.wait(30)
        try:
            results.append(call())
        except ApprovalMissing as refused:
            results.append(refused)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_approvals_at_once_are_one(database: str) -> None:
    ben = bare_member("ben")
    results = _at_once(4 * [lambda: approve(PLAN, by=ben, asked_by=(), now=NOW)])
    assert sorted(results) == [False, False, False, True]
    assert Approval.objects.count() == 1


def test_of_two_uses_at_once_one_is_refused(database: str) -> None:
    approve(PLAN, by=bare_member("ben"), asked_by=(), now=NOW)
    calls = [lambda run=run: approvals.use(PLAN, use=f"run:{run}", now=NOW) for run in range(4)]
    results = _at_once(calls)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, ApprovalMissing) for result in results) == 3


def test_an_approval_is_deleted_three_years_after_its_end(database: str) -> None:
    approve(PLAN, by=bare_member("ben"), asked_by=(), now=NOW)
    assert dispose(NOW + 3 * 365 * DAY)["troth_approvals"] == 0
    assert dispose(NOW + 4 * 365 * DAY)["troth_approvals"] == 1


# --- waivers and attestations -----------------------------------------------------------------------------------------

WAIVER = Waiver(reason="moving house", approver="ann@example.org", until=dt.date(2027, 3, 1))
WORD = Attestation(by="ann@example.org", says="I looked.", on=dt.date(2026, 11, 1), until=dt.date(2027, 2, 1))
TLS, RUNS = "stores.transport_encrypted", "core.runs_finished"


def promise(**more: Any) -> Promise:
    return Promise(quote="We keep it.", owner="ben@example.org", controls=(TLS,), **more)


def declared(*promises: Promise) -> Declaration:
    head = "troth: 1\norganisation: {name: X, country: GB, address: X, email: x@example.org}\n"
    from troth.declaration import parse

    made = parse(f"{head}policy: {{file: policy.md, effective: 2026-11-01}}\n".encode(), file="troth.yaml")
    return made.model_copy(update={"promises": promises})


def waiting(*promises: Promise, now: dt.datetime = NOW) -> list[str]:
    return [each.kind for each in statements.waiting(declared(*promises), now)]


def second(*promises: Promise, name: str = "chloe", now: dt.datetime = NOW) -> int:
    found = statements.waiting(declared(*promises), now)
    return statements.approve(found, by=bare_member(name), actor="staff", now=now)


def given() -> list[tuple[str, dict[str, Any]]]:
    entries = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("pk")]
    return [(entry.kind, dict(entry.fields)) for entry in entries]


def test_a_second_person_approves_and_the_ledger_says_so(database: str) -> None:
    both = promise(waive=WAIVER, attest=WORD)
    assert waiting(both) == ["waiver", "attestation"]
    assert second(both) == 2
    assert waiting(both) == []
    assert statements.approved_statements(NOW) == {both.waiver_hash, both.attestation_hash}
    (first, fields), (other, _) = given()
    assert (first, other) == ("waiver.given", "attestation.given")
    assert (fields["content"].text, fields["until"], fields["actor"]) == (both.waiver_hash, WAIVER.until, "staff")
    assert fields["by"].text == bare_member("chloe").pseudonym


@pytest.mark.parametrize("name", ["ann", "ben"], ids=["first person", "owner"])
def test_neither_the_first_person_nor_the_owner_is_the_second(database: str, name: str) -> None:
    for bound in (promise(waive=WAIVER), promise(attest=WORD)):
        with pytest.raises(OwnPlan):
            second(bound, name=name)
    assert (given(), Approval.objects.count()) == ([], 0)


def test_all_are_approved_or_none(database: str) -> None:
    theirs = promise(attest=WORD).model_copy(update={"quote": "We tell you.", "owner": "chloe@example.org"})
    with pytest.raises(OwnPlan):
        second(promise(waive=WAIVER), theirs)
    assert (given(), Approval.objects.count()) == ([], 0)


def test_a_changed_text_waits_again(database: str) -> None:
    second(promise(waive=WAIVER, attest=WORD))
    for changed in (
        promise(waive=WAIVER.model_copy(update={"reason": "moving again"})),
        promise(waive=WAIVER.model_copy(update={"until": dt.date(2027, 4, 1)})),
        promise(waive=WAIVER.model_copy(update={"scope": (RUNS,)})),
        promise(waive=WAIVER).model_copy(update={"controls": (TLS, RUNS)}),
        promise(attest=WORD.model_copy(update={"says": "I did not look."})),
        promise(attest=WORD).model_copy(update={"quote": "We keep everything."}),
    ):
        assert len(waiting(changed)) == 1, changed
    assert waiting(promise(attest=WORD).model_copy(update={"controls": (TLS, RUNS)})) == []


def test_an_approval_ends_with_the_last_day_and_what_is_over_does_not_wait(database: str) -> None:
    bound, last = promise(attest=WORD), dt.datetime(2027, 2, 1, 23, 59, tzinfo=dt.UTC)
    second(bound)
    assert bound.attestation_hash in statements.approved_statements(last)
    assert not statements.approved_statements(last + dt.timedelta(minutes=1))
    assert waiting(bound, now=last + dt.timedelta(minutes=1)) == []
    assert waiting(promise(attest=WORD.model_copy(update={"until": dt.date(2028, 2, 1)}))) == [], "it is for too long"


@pytest.mark.parametrize(
    ("bound", "before", "after"),
    [
        (promise(waive=WAIVER), "waiting", "in_force"),
        (promise(attest=WORD), "waiting", "in_force"),
        (promise(waive=WAIVER.model_copy(update={"until": dt.date(2026, 11, 30)})), "expired", "expired"),
        (promise(attest=WORD.model_copy(update={"until": dt.date(2028, 2, 1)})), "too_long", "too_long"),
        (promise(waive=WAIVER.model_copy(update={"until": dt.date(2028, 3, 1)})), "waiting", "early"),
        (promise(attest=WORD.model_copy(update={"on": dt.date(2026, 12, 2)})), "waiting", "early"),
    ],
)
def test_each_statement_has_its_state_and_those_who_approved_it(
    bound: Promise, before: str, after: str, database: str
) -> None:
    [row] = statements.states(declared(bound), NOW)
    assert (row.state, row.approved_by) == (before, ())
    count = second(bound)
    [row] = statements.states(declared(bound), NOW)
    assert (row.state, len(row.approved_by)) == (after, count)
    assert set(row.approved_by) <= {bare_member("chloe").pseudonym}


def test_what_was_approved_later_did_not_count_before(database: str) -> None:
    bound = promise(attest=WORD)
    second(bound)
    assert not statements.approved_statements(NOW - dt.timedelta(seconds=1))


def test_a_second_approval_by_the_same_person_is_no_other_entry(database: str) -> None:
    found = statements.waiting(declared(promise(waive=WAIVER)), NOW)
    for count in (1, 0):
        assert statements.approve(found, by=bare_member("chloe"), actor="staff", now=NOW) == count
    assert len(given()) == 1


# --- the console ------------------------------------------------------------------------------------------------------

PROMISES = """
promises:
  - quote: We keep our word.
    owner: ben@example.org
    controls: [stores.transport_encrypted]
    waive: {reason: moving house, approver: OFFICER, until: 2027-03-01}
"""
SEVERAL = """
promises:
  - quote: We keep our word.
    owner: ben@example.org
    controls: [stores.transport_encrypted]
    waive: {reason: moving house, approver: dpo@example.org, until: 2026-01-31}
  - quote: We ask you.
    owner: ben@example.org
    attest: {by: dpo@example.org, says: I looked., on: 2026-11-01, until: 2027-10-31}
  - quote: We tell you.
    owner: ben@example.org
    attest: {by: READER, says: I looked., on: 2026-11-01, until: 2027-10-01}
"""


@pytest.fixture
def company(office: Path, settings: Any) -> Callable[[str], str]:
    """Writes who approved the waiver into the declaration; the hash of what waits."""

    def named(approver: str) -> str:
        text = (office / "troth.yaml").read_text().partition("promises:")[0]
        (office / "troth.yaml").write_text(text + PROMISES.replace("OFFICER", approver))
        [bound] = load(office / "troth.yaml").promises
        assert bound.waiver_hash is not None
        return bound.waiver_hash

    return named


def page(client: StaffClient, status: int = 200, **sent: str) -> str:
    path = "/console/waivers/"
    response = client.post(f"{path}approve", sent, follow=status == 200) if sent else client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_somebody_with_the_right_approves_what_the_page_shows(company: Any, staff_member: Any) -> None:
    hash_, client = company("dpo@example.org"), staff_member(PROMISES_APPROVE)
    shown = page(client)
    for told in ("We keep our word.", "moving house", "dpo@example.org", "stores.transport_encrypted", hash_):
        assert told in shown
    before = len(given())
    approved = page(client, hash=hash_)
    assert "Approve exactly this text" not in approved
    assert client.member.user.get_username() in approved.partition("<tbody>")[2], "who approved it"
    [(kind, fields)] = given()[before:]
    assert (kind, fields["by"].text, fields["actor"]) == ("waiver.given", client.member.pseudonym, "staff")


def test_who_gave_it_is_told_that_somebody_else_has_to(company: Any, staff_member: Any) -> None:
    client = staff_member(PROMISES_APPROVE)
    hash_ = company(client.member.user.email)
    assert "Approve exactly this text" not in page(client)
    assert "Somebody else has to approve this." in page(client, 403, hash=hash_)
    assert not Approval.objects.exists()


def test_a_text_that_has_changed_since_it_was_shown_is_not_approved(company: Any, staff_member: Any) -> None:
    client, seen = staff_member(PROMISES_APPROVE), company("dpo@example.org")
    company("deputy@example.org")
    for wrong in (seen, "sha256:nonsense"):
        assert "Read it again." in page(client, 409, hash=wrong)
    assert not Approval.objects.exists()


def rows(client: StaffClient, query: str = "") -> list[list[str]]:
    tree = LexborHTMLParser(client.get(f"/console/waivers/{query}").content.decode())
    return [[cell.text(separator=" ", strip=True) for cell in row.css("th, td")] for row in tree.css("tbody tr")]


def test_the_page_lists_all_those_that_wait_first_and_marks_what_has_expired(office: Path, staff_member: Any) -> None:
    ann, auditor = staff_member(PROMISES_APPROVE), staff_member(EVIDENCE_READ)
    with (office / "troth.yaml").open("a") as declaration:
        declaration.write(SEVERAL.replace("READER", ann.member.user.email))
    shown = rows(ann)
    assert [(row[0].split(".")[0], row[1]) for row in shown] == [
        ("We tell you", "waits for approval"),
        ("We ask you", "waits for approval"),
        ("We keep our word", "expired"),
    ]
    assert [row[3] for row in shown] == [
        "Somebody else has to approve this.",
        "Approve exactly this text : We ask you.",
        "–",
    ]
    assert "ben@example.org" in shown[1][2]
    assert [row[0].split(".")[0] for row in rows(ann, "?state=mine")] == ["We ask you"]
    assert [row[0].split(".")[0] for row in rows(ann, "?state=expired&kind=waiver")] == ["We keep our word"]
    assert rows(ann, "?kind=attestation&state=expired") == []
    assert len(rows(auditor)) == 3
    assert "Approve exactly" not in page(auditor)


def test_without_the_right_nobody_approves(company: Any, staff_member: Any) -> None:
    hash_ = company("dpo@example.org")
    page(staff_member(EVIDENCE_READ), 403, hash=hash_)
    assert not Approval.objects.exists()


def test_nobody_can_be_shown_to_be_a_second_person_where_somebody_is_named_without_address(
    company: Any, staff_member: Any
) -> None:
    hash_, client = company("Ann Example"), staff_member(PROMISES_APPROVE)
    before = len(given())
    assert "Somebody else has to approve this." in page(client, 403, hash=hash_)
    assert len(given()) == before


def test_an_approval_is_for_the_owner_of_that_day_too() -> None:
    mine = promise(waive=WAIVER)
    assert mine.waiver_hash != mine.model_copy(update={"owner": "chloe@example.org"}).waiver_hash

"""Recipients are told of what was corrected, erased or restricted (GDPR Art. 19)."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.service.cases.conftest import Office

from troth.promises import Check, Outcome, run
from troth.service.cases import controls  # noqa: F401 - registers the answer
from troth.service.cases.models import Case
from troth.service.disclosure.models import Disclosure, Kind, Notice
from troth.service.disclosure.run import disclose, names_of, received
from troth.service.disclosure.telling import Changed, NoticeEnded, State, end, notices, tell, untold
from troth.service.mail.models import LetterRow
from troth.subjects import Identity

pytestmark = pytest.mark.sampled

ANN = Identity.of(email="ann@example.org")
PRINTS = "  print: {role: processor, country: GB, receives: [user.name, user.contact.address]}\n"


def add_print(office: Office) -> None:
    """A recipient without an address."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("recipients:\n", f"recipients:\n{PRINTS}"))


def states(case: Case) -> dict[str, State]:
    return {one.recipient: one.state for one in notices(case.reference)}


def asked(office: Office, later: dt.timedelta = dt.timedelta()) -> Check:
    looking = {"declaration": office.desk.declaration, "now": office.now() + later}
    return run("cases.recipients_told", looking)


def send(case: Case, office: Office) -> None:
    """The letters of the case leave."""
    LetterRow.objects.filter(about=case.about).update(state="sent", sealed=None, ended_at=office.now())


def test_a_notice_is_on_record_as_the_disclosure_that_it_is(office: Office) -> None:
    case = office.answered("erase")
    assert states(case) == {"post": State.OWED}
    [told] = received(names_of(ANN, office.desk.keyring))
    assert (told.recipient, told.kind, told.categories, told.case) == (
        "post",
        Kind.NOTICE,
        ("user.contact.email",),
        case.reference,
    )
    send(case, office)
    assert states(case) == {"post": State.SENT}


def test_a_recipient_without_an_address_waits_for_staff(office: Office) -> None:
    add_print(office)
    case = office.answered("erase")
    assert states(case) == {"print": State.UNTOLD, "post": State.OWED}
    [waiting] = untold()
    assert (waiting.case, waiting.recipient, waiting.right) == (case.reference, "print", "erase")
    end(waiting.id, Notice.Ended.TOLD, by="ps1:" + "0" * 32, now=office.now())
    assert (states(case)["print"], untold()) == (State.TOLD, [])
    with pytest.raises(NoticeEnded):
        end(waiting.id, Notice.Ended.IMPOSSIBLE, by="ps1:" + "0" * 32, now=office.now())


@pytest.mark.parametrize(("name", "state"), [("A" * 310, State.OWED), ("two\nlines", State.UNTOLD)])
def test_a_value_that_is_long_or_no_line_undoes_no_answer(office: Office, name: str, state: State) -> None:
    """Where no letter can say what was amended, staff do."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("receives: [user.contact.email]", "receives: [user.name]"))
    case = office.answered("amend", changes={"user.name": name})
    assert (case.state, office.rows("select name from customer where id = 1")) == ("closed", [(name,)])
    assert states(case) == {"post": state}


def test_a_letter_that_failed_leaves_its_recipient_to_staff(office: Office) -> None:
    case = office.answered("erase")
    LetterRow.objects.filter(about=case.about, kind="recipient_notice").update(state="failed", ended_at=office.now())
    assert [one.recipient for one in untold()] == ["post"]


def test_whom_the_register_does_not_name_learns_nothing(office: Office) -> None:
    desk, now = office.desk, office.now()
    sent = {"to": "post", "categories": ["user.contact.email"], "purpose": "news", "kind": Kind.PROCESSOR}
    disclose([ANN], **sent, declaration=desk.declaration, keyring=desk.keyring, now=now)  # type: ignore[arg-type]
    ann, ben = office.answered("restrict"), office.answered("restrict", "ben@example.org")
    assert (list(states(ann)), list(states(ben))) == (["post"], [])


def test_an_amendment_tells_those_who_have_what_changed(office: Office) -> None:
    add_print(office)
    case = office.answered("amend", changes={"shop.customer.postcode": "M1 1AF"})
    assert list(states(case)) == ["print"]


def test_of_whoever_gave_no_address_staff_have_to_tell(office: Office) -> None:
    desk = office.desk
    changed = Changed("R-1", "erase", Identity.of(ids=["shop.customer=1"]), (), office.now().date())
    told = tell(changed, desk.declaration, desk.keyring, now=office.now())
    assert (told.told, told.untold, LetterRow.objects.count()) == ((), ("post",), 0)


def test_looking_is_nobodys_business(office: Office) -> None:
    case = office.answered("view")
    assert (states(case), Disclosure.objects.count()) == ({}, 0)


@pytest.mark.mutation("cases.recipients_told")
def test_a_notice_that_is_dropped_is_found(office: Office) -> None:
    case = office.answered("erase")
    send(case, office)
    check = asked(office)
    assert (check.outcome, check.figures["owed"], check.figures["given"]) == (Outcome.PASS, 1, 1)

    Notice.objects.all().delete()
    check = asked(office)
    assert (check.outcome, check.figures["lost"]) == (Outcome.FAIL, 1)


def test_letters_that_do_not_leave_and_tasks_that_nobody_does_are_found(office: Office) -> None:
    add_print(office)
    office.answered("erase")
    assert asked(office).outcome is Outcome.PASS
    for later, late in ((dt.timedelta(days=4), 1), (dt.timedelta(days=15), 2)):
        check = asked(office, later)
        assert (check.outcome, check.figures["late"]) == (Outcome.FAIL, late)


def test_where_nobody_is_owed_a_notice_there_is_nothing_to_ask(office: Office) -> None:
    assert asked(office).outcome is Outcome.NOT_APPLICABLE

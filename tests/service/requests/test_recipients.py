"""Recipients are told of what was corrected, erased or restricted (GDPR Art. 19)."""

from __future__ import annotations

import datetime as dt
import re
from email import policy
from email.parser import BytesParser

import pytest
from tests.rig.disclosing import disclose
from tests.service.requests.conftest import Office

from troth.controls import Check, CheckOutcome, run
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, Channel
from troth.service.cases.models import CaseKind as Kind_
from troth.service.cases.pages.case_status import show
from troth.service.core.deployment import current
from troth.service.core.holds import place
from troth.service.core.models import RunRow
from troth.service.disclosures.actions import names_of, received
from troth.service.disclosures.models import Disclosure, DisclosureKind, RecipientNotification
from troth.service.disclosures.notifications import (
    Changed,
    NotificationEnded,
    NotificationState,
    end,
    notices,
    tell,
    untold,
)
from troth.service.disclosures.rules import DisclosureEvidence, Went
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.requests import controls  # noqa: F401 - registers the answer
from troth.service.requests.fulfilment.recipient_evidence import note_evidence
from troth.subjects import Fed, Identity
from troth.subjects import RecipientEvidence as Located

pytestmark = pytest.mark.sampled

EMAIL = ("user.contact.email",)
ANN = Identity.of(email="ann@example.org")
PRINTS = """\
  print: {role: processor, country: GB, receives: [user.name, user.contact.address], feed: {table: shop.customer}}
"""
FEED = '         feed: {table: shop.customer, where: {mailing: "yes"}},\n'


def add_print(office: Office) -> None:
    """A recipient without an address."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("recipients:\n", f"recipients:\n{PRINTS}"))


def without_feed(office: Office, *, purposes: str = "[]") -> None:
    """Nothing but the register shows what goes to the post."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace(FEED, f"         purposes: {purposes},\n"))


def feed(office: Office, text: str) -> None:
    """Declare a recipient."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("recipients:\n", f"recipients:\n  {text}\n"))


def named(case: Case, recipient: str) -> tuple[list[str], list[str]]:
    """What the message to a recipient names: the categories, and by what the person is found again."""
    people, _, what = message_to(case, recipient).partition("Which data:")
    items = [re.findall(r"^- (.+)$", part, re.MULTILINE) for part in (what, people)]
    return items[0], items[1]


def message_to(case: Case, recipient: str) -> str:
    row = RecipientNotification.objects.get(case=case.reference, recipient=recipient).letter
    assert row is not None
    packed = current().without_own.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))
    text = BytesParser(policy=policy.default).parsebytes(packed.partition(b"\n")[2]).get_body(("plain",))
    assert text is not None
    return str(text.get_content()).replace("\r\n", "\n")


def decided(case: Case) -> dict[str, list[str]]:
    """What the case's event says of recipients."""
    return dict(case.events.get(what="recipients_told").facts)


def states(case: Case) -> dict[str, NotificationState]:
    return {one.recipient: one.state for one in notices(case.reference)}


def asked(office: Office, later: dt.timedelta = dt.timedelta()) -> Check:
    looking = {"declaration": office.deployment.declaration, "now": office.now() + later}
    return run("requests.recipients_told", looking)


def send(case: Case, office: Office) -> None:
    """The letters of the case leave."""
    LetterRow.objects.filter(about=case.about).update(state="sent", sealed=None, ended_at=office.now())


def test_a_notice_is_on_record_as_the_disclosure_that_it_is(office: Office) -> None:
    case = office.answered("erase")
    assert states(case) == {"post": NotificationState.OWED}
    [told] = received(names_of(ANN, office.deployment.keyring))
    assert (told.recipient, told.kind, told.categories, told.case) == (
        "post",
        DisclosureKind.NOTICE,
        ["user.contact.email"],
        case.reference,
    )
    send(case, office)
    assert states(case) == {"post": NotificationState.SENT}


def test_the_register_has_what_a_notice_of_a_correction_says(office: Office) -> None:
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("receives: [user.contact.email]", "receives: [user]"))
    case = office.answered("amend", changes={"user.name": "Anna"})
    assert "Name (key: user.name): Anna" in message_to(case, "post")
    assert Disclosure.objects.get().categories == ["user.contact.email", "user.name"]


def test_of_a_correction_that_changed_nothing_nobody_is_told(office: Office) -> None:
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("receives: [user.contact.email]", "receives: [user]"))
    desk = office.deployment
    sent = {
        "to": "post",
        "categories": ["user.name"],
        "purpose": "news",
        "kind": DisclosureKind.PROCESSOR,
        "now": office.now(),
    }
    disclose([ANN], **sent, declaration=desk.declaration, keyring=desk.keyring)  # type: ignore[arg-type]
    assert states(office.answered("amend", changes={"user.name": "Ann"})) == {}
    assert states(office.answered("amend", changes={"user.name": "Anna"})) == {"post": NotificationState.OWED}


def test_of_what_a_feed_does_not_show_somebody_has_to_find_out(office: Office) -> None:
    feed(office, "vault: {role: processor, country: GB, receives: [user.contact], feed: {table: shop.login}}")
    case = office.answered("amend", changes={"user.contact.phone_number": "+44 1632 960009"})
    assert states(case) == {"vault": NotificationState.UNSHOWN}


def test_a_recipient_without_an_address_waits_for_staff(office: Office) -> None:
    add_print(office)
    case = office.answered("erase")
    assert states(case) == {"print": NotificationState.UNTOLD, "post": NotificationState.OWED}
    [waiting] = untold()
    assert (waiting.case, waiting.recipient, waiting.right) == (case.reference, "print", "erase")
    end(waiting.id, RecipientNotification.Ended.TOLD, by="ps1:" + "0" * 32, now=office.now())
    assert (states(case)["print"], untold()) == (NotificationState.TOLD, [])
    with pytest.raises(NotificationEnded):
        end(waiting.id, RecipientNotification.Ended.IMPOSSIBLE, by="ps1:" + "0" * 32, now=office.now())


@pytest.mark.parametrize(
    ("name", "state"), [("A" * 310, NotificationState.OWED), ("two\nlines", NotificationState.UNTOLD)]
)
def test_a_value_that_is_long_or_no_line_undoes_no_answer(office: Office, name: str, state: NotificationState) -> None:
    """Where no letter can say what was amended, staff do."""
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("receives: [user.contact.email]", "receives: [user]"))
    case = office.answered("amend", changes={"user.name": name})
    assert (case.state, office.rows("select name from customer where id = 1")) == ("closed", [(name,)])
    assert states(case) == {"post": state}


def test_a_letter_that_failed_leaves_its_recipient_to_staff(office: Office) -> None:
    case = office.answered("erase")
    LetterRow.objects.filter(about=case.about, kind="recipient_notice").update(state="failed", ended_at=office.now())
    assert [one.recipient for one in untold()] == ["post"]


def went_to_pay(office: Office, who: Identity = ANN, *what: str) -> None:
    """The register has it that data of somebody went to a controller."""
    feed(office, "pay: {role: controller, country: GB, receives: [user], contact: pay@example.org}")
    disclose(
        [who],
        to="pay",
        categories=what or EMAIL,
        purpose="orders",
        kind=DisclosureKind.PROCESSOR,
        declaration=office.deployment.declaration,
        keyring=office.deployment.keyring,
        now=office.now(),
    )


def test_nobody_is_told_of_an_erasure_that_found_nothing_and_staff_look(office: Office) -> None:
    went_to_pay(office, Identity.of(email="nobody@example.org"))
    assert states(office.answered("erase", "nobody@example.org")) == {"pay": NotificationState.UNTOLD}


def test_nobody_is_told_of_a_correction_that_changed_nothing(office: Office) -> None:
    went_to_pay(office)
    case = office.answered("amend", changes={"user.contact.email": "ann@example.org"})
    assert (case.state, states(case)) == ("closed", {})


def test_what_a_correction_did_not_change_is_not_named(office: Office) -> None:
    went_to_pay(office, ANN, "user.name", "user.contact.email", "user.contact.phone_number")
    changes = {"user.name": "Ann", "user.contact.phone_number": "+44 1632 960009"}
    said = message_to(office.answered("amend", changes=changes), "pay")
    assert ("+44 1632 960009" in said, "user.name" in said) == (True, False)


def test_of_two_new_values_of_one_category_staff_tell(office: Office) -> None:
    """No letter can say which of them the recipient has."""
    went_to_pay(office)
    changes = {"shop.customer.email": "ann.new@example.org", "shop.invoice.email": "ann.bills@example.org"}
    assert states(office.answered("amend", changes=changes))["pay"] == NotificationState.UNTOLD


def test_whom_the_register_does_not_name_learns_nothing(office: Office) -> None:
    without_feed(office)
    desk, now = office.deployment, office.now()
    sent = {"to": "post", "categories": ["user.contact.email"], "purpose": "news", "kind": DisclosureKind.PROCESSOR}
    disclose([ANN], **sent, declaration=desk.declaration, keyring=desk.keyring, now=now)  # type: ignore[arg-type]
    ann, ben = office.answered("restrict"), office.answered("restrict", "ben@example.org")
    assert (list(states(ann)), list(states(ben))) == (["post"], [])


def test_an_amendment_tells_those_who_have_what_changed(office: Office) -> None:
    add_print(office)
    case = office.answered("amend", changes={"shop.customer.postcode": "M1 1AF"})
    assert list(states(case)) == ["print"]


PAY = (
    "pay: {role: controller, country: GB, receives: [user.contact.email], contact: pay@example.org, "
    "feed: {table: shop.customer}}"
)


@pytest.mark.parametrize("right", ["erase", "restrict"])
def test_a_controller_is_not_said_to_have_had_from_us_what_nothing_shows_to_have_gone_there(
    office: Office, right: str
) -> None:
    feed(office, PAY)
    case = office.answered(right)
    said = " ".join(message_to(case, "pay").split())
    assert "from us" not in said
    assert "Our records show that you hold data about them in connection with us" in said
    assert named(case, "pay") == (["E-mail address (key: user.contact.email)"], ["ann@example.org"])
    assert "You received it from us" in " ".join(message_to(case, "post").split())
    assert "only that" not in message_to(case, "post")


def test_a_controller_that_the_register_names_had_the_data_from_us(office: Office) -> None:
    feed(office, PAY)
    desk, now = office.deployment, office.now()
    sent = {"to": "pay", "categories": EMAIL, "purpose": "orders", "kind": DisclosureKind.PROCESSOR}
    disclose([ANN], **sent, declaration=desk.declaration, keyring=desk.keyring, now=now)  # type: ignore[arg-type]
    assert "You received it from us" in " ".join(message_to(office.answered("erase"), "pay").split())


def test_of_whoever_gave_no_address_staff_have_to_tell(office: Office) -> None:
    desk = office.deployment
    went = DisclosureEvidence(fed={"post": Went(*[frozenset({"user.contact.email"})] * 2)})
    changed = Changed("R-1", "erase", Identity.of(ids=["shop.customer=1"]), (), office.now().date(), evidence=went)
    told = tell(changed, desk.declaration, desk.keyring, now=office.now())
    assert (told.told, told.untold, LetterRow.objects.count()) == ((), ("post",), 0)


# --- nobody is told of whom nothing shows that they went there -------------------------------------------------------


@pytest.mark.parametrize("right", ["erase", "restrict"])
def test_where_nothing_shows_it_nobody_is_told_and_somebody_finds_out(office: Office, right: str) -> None:
    without_feed(office)
    case = office.answered(right)
    assert (states(case), decided(case)["told"]) == ({"post": NotificationState.UNSHOWN}, [])
    assert ("recipient_notice" in office.letters(case), Disclosure.objects.count()) == (False, 0)
    [waiting] = untold()
    end(waiting.id, RecipientNotification.Ended.NOTHING_SENT, by="ps1:" + "0" * 32, now=office.now())
    assert states(case) == {"post": NotificationState.NOTHING_SENT}
    assert asked(office).figures["given"] == 1


def test_a_row_that_its_feed_does_not_name_shows_nothing(office: Office) -> None:
    office.do("update customer set mailing = 'stopped' where id = 1")
    assert states(office.answered("erase")) == {"post": NotificationState.UNSHOWN}
    assert states(office.answered("erase", "ben@example.org")) == {"post": NotificationState.OWED}


def test_a_row_of_the_purpose_alone_shows_nothing(office: Office) -> None:
    """Purposes are declared for whole systems: that data is held for one does not show that it has left."""
    without_feed(office, purposes="[orders]")
    assert states(office.answered("erase")) == {"post": NotificationState.UNSHOWN}


@pytest.mark.parametrize("who", ["nobody@example.org", "ann@example.org"])
def test_of_whom_nothing_is_held_for_its_purposes_nobody_has_to_ask(office: Office, who: str) -> None:
    without_feed(office, purposes="[news]")
    file = office.folder / "troth.yaml"
    file.write_text(file.read_text().replace("    store: ${SHOP", "    purposes: [orders]\n    store: ${SHOP"))
    case = office.answered("erase", who)
    assert (states(case), untold()) == ({}, [])


def test_the_rows_that_show_it_may_be_gone_by_the_time_that_recipients_are_told(office: Office) -> None:
    """A run that changed rows and was then closed unfinished leaves no receipt; the next one no longer finds them."""
    case = office.ask("erase")
    office.prove(case)
    note_evidence(
        "cases:7", [case], [Located({"shop.customer": ()}, {"post": Fed(1, EMAIL, EMAIL, ())})], at=office.now()
    )
    office.do("delete from customer where id = 1")
    RunRow.objects.create(
        run_id="cases:7",
        action="erase",
        plan_hash="",
        declaration_hash="",
        begun_at=office.now(),
        finished_at=office.now(),
    )
    office.work()
    assert states(case) == {"post": NotificationState.OWED}


def test_a_plan_that_was_never_carried_out_shows_nothing(office: Office) -> None:
    without_feed(office)
    case = office.ask("erase")
    note_evidence("cases:9", [case], [Located({}, {"post": Fed(1, EMAIL, EMAIL, ())})], at=office.now())
    office.prove(case)
    office.work()
    assert states(case) == {"post": NotificationState.UNSHOWN}


# --- a message names what went and was erased, and nothing that the case keeps ---------------------------------------

INVOICES = "contact: books@example.org, feed: {table: shop.invoice}"


def test_of_what_a_law_keeps_in_part_the_rest_is_named(office: Office) -> None:
    feed(office, f"books: {{role: processor, country: GB, receives: [user.contact], {INVOICES}}}")
    case = office.answered("erase")
    assert named(case, "books") == (["E-mail address (key: user.contact.email)"], ["ann@example.org"])


def test_of_what_a_law_keeps_as_a_whole_nobody_is_told_and_the_case_says_so(office: Office) -> None:
    feed(office, f"books: {{role: processor, country: GB, receives: [user.contact.address], {INVOICES}}}")
    case = office.answered("erase")
    assert list(states(case)) == ["post"]
    assert decided(case) == {"told": ["post"], "untold": [], "not_told_as_kept": ["books"]}


def test_what_the_register_has_and_a_law_keeps_is_not_to_be_deleted(office: Office) -> None:
    feed(office, "books: {role: processor, country: GB, receives: [user.contact], contact: books@example.org}")
    desk, what = office.deployment, ["user.contact.email", "user.contact.address"]
    sent = {"to": "books", "categories": what, "purpose": "orders", "kind": DisclosureKind.PROCESSOR}
    disclose([ANN], **sent, declaration=desk.declaration, keyring=desk.keyring, now=office.now())  # type: ignore[arg-type]
    assert named(office.answered("erase"), "books")[0] == ["E-mail address (key: user.contact.email)"]


def test_a_legal_hold_keeps_what_went_there(office: Office) -> None:
    at = office.now()
    by, until = "ps1:" + "0" * 32, at.date() + dt.timedelta(days=90)
    place("2026-7", "CPR Part 31", scope="shop", review_on=until, keyring=office.deployment.keyring, by=by, now=at)
    case = office.answered("erase")
    assert (states(case), decided(case)["not_told_as_kept"]) == ({}, ["post"])


def test_a_recipient_is_given_no_identifier_that_it_never_had(office: Office) -> None:
    identifiers = (("email", "ann@example.org"), ("phone", "+44 1632 960001"))
    asked = CaseContent(address="ann@example.org", identifiers=identifiers)
    intake = receive.Intake(Kind_.REQUEST, asked, Channel.CENTRE, right="erase")
    case = office.prove(receive.receive(intake, office.deployment, now=office.now()))
    office.work()
    assert named(case, "post") == (["E-mail address (key: user.contact.email)"], ["ann@example.org"])


def test_a_recipient_that_had_none_of_the_identifiers_is_told_by_staff(office: Office) -> None:
    feed(
        office,
        "street: {role: processor, country: GB, receives: [user.contact.address], contact: s@example.org,"
        " feed: {table: shop.customer}}",
    )
    assert states(office.answered("erase", "ben@example.org"))["street"] is NotificationState.UNTOLD


def test_the_page_says_who_was_told_once_they_were(office: Office) -> None:
    case = office.answered("erase")
    said = "We told 1 recipient of your data"
    assert said not in [one.text for one in show(case, office.deployment, inside=True, now=office.now()).happened]
    send(case, office)
    assert said in [one.text for one in show(case, office.deployment, inside=True, now=office.now()).happened]


def test_the_page_says_where_it_is_open_whether_others_have_to_be_told(office: Office) -> None:
    add_print(office)
    case = office.answered("erase")
    send(case, office)
    said = "We told 1 recipient of your data. Whether others have to be told is still open"
    assert said in [one.text for one in show(case, office.deployment, inside=True, now=office.now()).happened]


def test_looking_is_nobodys_business(office: Office) -> None:
    case = office.answered("view")
    assert (states(case), Disclosure.objects.count()) == ({}, 0)


def test_a_notice_that_is_dropped_is_found(office: Office) -> None:
    case = office.answered("erase")
    send(case, office)
    check = asked(office)
    assert (check.outcome, check.figures["owed"], check.figures["given"]) == (CheckOutcome.PASS, 1, 1)

    RecipientNotification.objects.all().delete()
    check = asked(office)
    assert (check.outcome, check.figures["lost"]) == (CheckOutcome.FAIL, 1)


def test_it_does_not_see_whether_a_reason_not_to_tell_is_true(office: Office) -> None:
    office.answered("erase")
    RecipientNotification.objects.update(ended="impossible", ended_at=office.now())
    assert asked(office).outcome is CheckOutcome.PASS


def test_letters_that_do_not_leave_and_tasks_that_nobody_does_are_found(office: Office) -> None:
    add_print(office)
    office.answered("erase")
    for later, late in ((dt.timedelta(days=4), 1), (dt.timedelta(days=15), 2)):
        check = asked(office, later)
        assert (check.outcome, check.figures["late"]) == (CheckOutcome.FAIL, late)


def test_a_notice_that_is_still_open_is_no_pass(office: Office) -> None:
    add_print(office)
    case = office.answered("erase")
    check = asked(office)
    assert (check.outcome, check.figures["waiting"]) == (CheckOutcome.NOT_APPLICABLE, 2)
    send(case, office)
    check = asked(office)
    assert check.outcome is CheckOutcome.NOT_APPLICABLE
    assert check.summary == "1 of 2 notices to recipients given, 0 late or lost, 1 still within their time."
    [waiting] = untold()
    end(waiting.id, RecipientNotification.Ended.TOLD, by="ps1:" + "0" * 32, now=office.now())
    assert asked(office).outcome is CheckOutcome.PASS


def test_where_nobody_is_owed_a_notice_there_is_nothing_to_ask(office: Office) -> None:
    assert asked(office).outcome is CheckOutcome.NOT_APPLICABLE

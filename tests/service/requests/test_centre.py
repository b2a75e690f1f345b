"""The privacy centre as its pages answer: what a person may do there, and what nobody else learns from it."""

from __future__ import annotations

import datetime as dt
import logging
import re
import statistics
import time
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import jwt
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.rig.jobs import run_due
from tests.service.requests.conftest import Office

from troth.service.cases import actions as case_actions
from troth.service.cases import case_links, lifecycle, resend_links
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.duty import PROVE_LINK, STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseEvent, CaseKind, Channel, Right
from troth.service.cases.pages.case_status import show
from troth.service.complaints import actions
from troth.service.core.models import EntryRow
from troth.service.labels import day as day_words
from troth.service.mail.models import LetterRow
from troth.service.networks import Networks
from troth.service.portal import handover, links
from troth.service.portal.models import MailedLink
from troth.service.portal.throttle import NETWORK_MAX
from troth.service.requests.pages.views import within_a_day
from troth.service.requests.verification import proof

RIGHTS = ("view", "amend", "erase", "port", "restrict", "object", "withdraw")
FORMS = (*(f"/your-data/{right}/" for right in RIGHTS), "/your-data/complain/", "/your-data/ask/", "/your-data/again/")
HOST = "localhost"
ANN = "ann@example.org"


# What the engines do differently is tried in test_fulfilment and test_throttle.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def quiet_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sends too much because of the one before it."""
    from troth.service.portal import throttle

    monkeypatch.setattr(throttle, "networks", Networks(NETWORK_MAX))


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": HOST}, REMOTE_ADDR="203.0.113.7")


@pytest.fixture
def letters(office: Office) -> Callable[[str], list[EmailMessage]]:
    """``letters(address)``: what has been mailed there and was not read yet, the oldest first."""
    read: set[str] = set()

    def fetch(to: str) -> list[EmailMessage]:
        run_due(None, "mail")
        found = []
        for file in sorted((office.settings.home / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns):
            letter = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
            assert isinstance(letter, EmailMessage)
            if file.name not in read and letter["To"] == to:
                read.add(file.name)
                found.append(letter)
        return found

    return fetch


def link_in(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/]+(/your-data/link/\S+)", body.get_content())
    assert found is not None
    return found[1]


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def ask(client: Client, right: str, who: str = ANN, **more: Any) -> Any:
    return client.post(f"/your-data/{right}/", {"email": who, **more})


def walked_in(office: Office, letters: Any, visitor: Client, right: str = "view") -> Case:
    """Ann has asked and pressed the button behind the link."""
    assert ask(visitor, right).status_code == 302
    assert visitor.post(link_in(letters(ANN)[-1])).status_code == 302
    return Case.objects.latest("pk")


# --- asking ----------------------------------------------------------------------------------------------------------


def test_every_right_is_one_click_from_home(office: Office, visitor: Client) -> None:
    home = text(visitor, "/your-data/")
    for path in (*FORMS, "/your-data/choices/"):
        assert f'href="{path}"' in home
        assert "<h1>" in text(visitor, path)


def test_the_first_page_is_made_anew_when_the_declaration_changes(office: Office, visitor: Client) -> None:
    before = text(visitor, "/your-data/")
    with CaptureQueriesContext(connection) as queries:
        assert text(visitor, "/your-data/") == before
    assert len(queries) == 0
    declared = (office.folder / "troth.yaml").read_text()
    (office.folder / "troth.yaml").write_text(declared.replace("Example Shop Ltd", "Example Shops and Daughters Ltd"))
    assert "Example Shops and Daughters Ltd" in text(visitor, "/your-data/")


@pytest.mark.parametrize("right", ["view", "erase", "port", "restrict"])
def test_asking_mails_a_link_and_nothing_happens_before_it_is_used(
    office: Office, visitor: Client, letters: Any, right: str
) -> None:
    response = ask(visitor, right)
    assert (response.status_code, response["Location"]) == (302, f"/your-data/sent/?what={right}")
    assert "look into your mail" in text(visitor, response["Location"])
    office.work()
    case = Case.objects.get()
    assert (case.state, case.channel, case.right) == ("verifying", "centre", right)
    [letter] = letters(ANN)
    assert letter["Subject"] == "Please confirm that it was you"


def test_an_objection_to_marketing_takes_effect_without_a_link(office: Office, visitor: Client, letters: Any) -> None:
    assert "checked" not in text(visitor, "/your-data/object/")
    assert "need not do anything more" in text(visitor, ask(visitor, "object", purposes="news")["Location"])
    office.work()
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]
    assert [letter["Subject"] for letter in letters(ANN)][-1] == "Your objection: what we did"


def with_care(office: Office, basis: str = "legitimate_interests") -> None:
    """Declare a use that rests on a legitimate interest."""
    path = office.folder / "troth.yaml"
    care = f"  care: {{title: Care calls, basis: {basis}, interests: to help, use: essential.service, data: [user]}}\n"
    path.write_text(path.read_text("utf-8").replace("recipients:\n", f"{care}recipients:\n"), "utf-8")


def test_page_and_message_agree_on_whether_a_link_is_needed(office: Office, visitor: Client, letters: Any) -> None:
    with_care(office)
    page = text(visitor, "/your-data/object/")
    assert "Direct marketing: we record your choice, and no link has to be opened." in page
    assert "A person weighs an objection" in page
    after = text(visitor, ask(visitor, "object", purposes="care")["Location"])
    assert "look into your mail" in after
    assert "recorded already" not in after
    office.work()
    assert [letter["Subject"] for letter in letters(ANN)] == ["Please confirm that it was you"]


def test_an_objection_to_marketing_and_more_is_two_cases(office: Office, visitor: Client, letters: Any) -> None:
    with_care(office)
    after = text(visitor, ask(visitor, "object", purposes=["news", "care"])["Location"])
    assert "look into your mail" in after
    assert "Your objection to direct marketing is recorded already" in after
    office.work()
    assert office.rows("select mailing from customer where id = 1") == [("stopped",)]
    assert sorted(Case.objects.values_list("state", flat=True)) == ["closed", "verifying"]


def test_an_objection_says_what_should_stop(office: Office, visitor: Client) -> None:
    response = ask(visitor, "object")
    assert response.status_code == 422
    assert "Choose at least one." in response.content.decode()
    assert ask(visitor, "object", purposes="orders").status_code == 422  # that one rests on the contract
    assert not Case.objects.exists()


def test_corrections_grow_row_by_row_without_a_script(office: Office, visitor: Client) -> None:
    grown = visitor.post(
        "/your-data/amend/", {"email": ANN, "rows": "1", "what-0": "user.name", "new-0": "Anne", "more": "1"}
    ).content.decode()
    assert 'name="what-1"' in grown
    assert 'value="Anne"' in grown
    assert f'value="{ANN}"' in grown
    assert "Please look at this again" not in grown
    sent = {"rows": "2", "what-0": "user.name", "new-0": "Anne", "what-1": "user.contact.phone_number", "new-1": ""}
    assert ask(visitor, "amend", **sent).status_code == 302
    content = SealedContent(office.deployment.keyring).content(Case.objects.select_related("key").get())
    assert content.changes == {"user.name": "Anne", "user.contact.phone_number": ""}


def test_a_correction_of_nothing_is_asked_about(office: Office, visitor: Client) -> None:
    page = ask(visitor, "amend", rows="1").content.decode()
    assert "Choose what is wrong, or describe it below." in page
    page = ask(visitor, "amend", rows="1", **{"new-0": "Anne"}).content.decode()
    assert "Choose what this is about." in page
    sent = {"what-0": "user.name", "new-0": "two\nlines"}
    assert "Write it on one line." in ask(visitor, "amend", rows="1", **sent).content.decode()
    assert ask(visitor, "amend", rows="x" * 9, message="My name is wrong in the last letter").status_code == 302


@pytest.mark.parametrize("address", ["", "ann", "ann@", "ann@example.org\nBcc: ben@example.org", "a" * 250 + "@b.org"])
def test_an_address_that_cannot_be_mailed_is_asked_for_again(office: Office, visitor: Client, address: str) -> None:
    response = ask(visitor, "view", address)
    assert response.status_code == 422
    assert "Please look at this again" in response.content.decode()
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("mi\u212ae@example.org", None),  # the sign for kelvin, whose small letter is a k
        ("ann@exam\u017fle.org", "ann@examsle.org"),  # a long s: mail for it goes to the plain one
        ("ann@stra\xdfe.example", "ann@strasse.example"),
        ("ann@b\xfccher.example", "ann@b\xfccher.example"),
        ("Ann@Example.org", "Ann@Example.org"),
    ],
)
def test_who_gets_the_letter_is_who_is_looked_for(
    office: Office, visitor: Client, typed: str, becomes: str | None
) -> None:
    response = ask(visitor, "view", typed)
    if becomes is None:
        assert response.status_code == 422
        return
    content = SealedContent(office.deployment.keyring).content(Case.objects.select_related("key").get())
    assert content.identifiers == (("email", becomes),)
    assert content.address == becomes


def test_a_complaint_and_a_question_are_confirmed_by_letter(office: Office, visitor: Client, letters: Any) -> None:
    assert visitor.post("/your-data/complain/", {"email": ANN, "message": "You are slow."}).status_code == 302
    [confirmed] = letters(ANN)
    assert confirmed["Subject"]
    question = text(visitor, "/your-data/ask/")
    found = re.search(r'<option value="([^"]+)">We answer\.', question)
    assert found is not None
    sent = {"email": ANN, "message": "When?", "clause": found[1]}
    assert visitor.post(f"/your-data/ask/?clause={found[1]}", sent).status_code == 302
    asked = Case.objects.get(kind=CaseKind.QUESTION)
    assert (asked.clause, asked.needs) == (found[1], "answer")
    assert len(letters(ANN)) == 1


def test_a_sentence_of_the_policy_is_chosen_by_its_address(office: Office, visitor: Client) -> None:
    [clause] = re.findall(r'<option value="([^"]+)">We answer\.', text(visitor, "/your-data/ask/"))
    assert "<blockquote>We answer.</blockquote>" in text(visitor, f"/your-data/ask/?clause={clause}")
    assert "blockquote" not in text(visitor, "/your-data/ask/?clause=nothing-of-ours")


# --- for somebody else -----------------------------------------------------------------------------------------------


def test_an_agent_gets_nothing_before_the_person_agrees(office: Office, visitor: Client, letters: Any) -> None:
    sent = {"agent_name": "Ben Example", "agent_email": "ben@example.org"}
    assert ask(visitor, "erase", **sent).status_code == 302
    office.work()
    assert letters("ben@example.org") == []
    [letter] = letters(ANN)
    assert letter["Subject"] == "May somebody ask in your name?"
    link = link_in(letter)
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Ben" not in letter.as_string()
    assert "We do not know who they are." in body.get_content()
    page = text(visitor, link)
    assert "Yes, they ask for me" in page
    assert "typed this name: <q>Ben Example</q>" in " ".join(page.split())
    assert Case.objects.get().state == "verifying"
    visitor.post(link, {"yes": "1"})
    office.work()
    assert Case.objects.get().state == "closed"
    assert office.rows("select count(*) from customer where id = 1") == [(0,)]
    assert letters("ben@example.org") == []


def test_a_person_who_sent_nobody_ends_it(office: Office, visitor: Client, letters: Any) -> None:
    ask(visitor, "erase", agent_name="Ben", agent_email="ben@example.org")
    link = link_in(letters(ANN)[0])
    assert "It ends here" in visitor.post(link, {"no": "1"}).content.decode()
    assert Case.objects.get().outcome == "withdrawn"
    assert text(visitor, link, 410)
    assert text(visitor, "/your-data/case/", 403)
    assert office.rows("select count(*) from customer where id = 1") == [(1,)]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"agent_email": "ben@example.org"}, "Enter your name"),
        ({"agent_name": "Ben"}, "Enter your own address"),
        ({"agent_name": "Ben", "agent_email": ANN}, "same address twice"),
        ({"agent_name": "see www.example.org", "agent_email": "ben@example.org"}, "the name alone"),
        ({"agent_name": "Blocked! Call +44 1632 960001", "agent_email": "ben@example.org"}, "the name alone"),
        ({"agent_name": "<b>Ben</b>", "agent_email": "ben@example.org"}, "the name alone"),
        ({"agent_name": "Ben " * 16, "agent_email": "ben@example.org"}, "60"),
    ],
)
def test_an_agent_says_who_they_are(office: Office, visitor: Client, sent: dict[str, str], said: str) -> None:
    page = ask(visitor, "view", **sent).content.decode()
    assert said in page
    assert '<details class="more" open>' in page


@pytest.mark.parametrize("name", ["Anne-Marie O’Neil, Jr.", "Владимир", "राम", "José"])
def test_names_of_many_scripts_are_names(office: Office, visitor: Client, name: str) -> None:
    assert ask(visitor, "view", agent_name=name, agent_email="ben@example.org").status_code == 302


def test_nothing_that_a_stranger_typed_is_mailed(office: Office, visitor: Client, letters: Any) -> None:
    """Whoever knows Ann's address has us write to her, in our words alone."""
    scam = "Your account is blocked, call 01632 960001"
    ask(visitor, "view", agent_name="Blocked call us", agent_email="ben@example.org", message=scam)
    for path in ("ask", "complain"):
        assert visitor.post(f"/your-data/{path}/", {"email": ANN, "message": scam}).status_code == 302
    for case in Case.objects.exclude(kind="request"):
        actions.answer(case.pk, "We do not.", office.deployment, who=lifecycle.Actor("staff"), now=office.now())
    found = letters(ANN)
    assert len(found) == 5
    for letter in found:
        assert not any(word in letter.as_string() for word in ("Blocked", "blocked", "960001")), letter["Subject"]


# --- what nobody learns ----------------------------------------------------------------------------------------------


def test_known_and_unknown_addresses_get_the_same_answer_from_the_same_work(office: Office, visitor: Client) -> None:
    office.answered("view")  # Ann is a customer, and has asked before
    for path in FORMS:
        answers = []
        for who in ("warm@example.org", ANN, "nobody@example.org"):
            with CaptureQueriesContext(connection) as queries:
                response = visitor.post(path, {"email": who, "purposes": "news", "message": "Why?"})
            shown = visitor.get(response["Location"]).content
            answers.append((response.status_code, dict(response.headers), shown, len(queries)))
        assert answers[1] == answers[2], path


@pytest.mark.parametrize("path", ["/your-data/view/", "/your-data/again/"])
def test_known_and_unknown_addresses_are_answered_in_the_same_time(
    office: Office, visitor: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Half of these people are customers who have asked before. The computing times of the fastest quarter of each
    half, taken in turns, lie within 7 % of each other in one of three rounds. They differ by 1 %; one look at what is
    held of somebody, or one case of theirs that is opened, adds 9 % and more. A busy machine adds time, too."""
    from troth.service.portal import throttle

    monkeypatch.setattr(throttle, "networks", Networks(most=1_000))
    known = [f"ann{number}@example.org" for number in range(120)]
    office.do("".join(f"insert into customer (email) values ('{who}');" for who in known))
    asked = [
        receive.Intake(
            CaseKind.REQUEST, CaseContent(address=who, identifiers=(("email", who),)), Channel.CENTRE, right="view"
        )
        for who in known
    ]
    receive.receive_all(asked, office.deployment, now=office.now())
    ratios = []
    for begins in (0, 40, 80):
        taken: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(begins, begins + 40):
            for kind, address in (("known", known[number]), ("unknown", f"ben{number}@example.org")):
                begun = time.thread_time()
                assert visitor.post(path, {"email": address}).status_code == 302
                taken[kind].append(time.thread_time() - begun)
        one, other = (statistics.quantiles(times)[0] for times in taken.values())
        ratios.append(one / other)
        if 0.93 < ratios[-1] < 1.07:
            return
    raise AssertionError(ratios)


def test_a_program_that_fills_in_everything_opens_nothing(office: Office, visitor: Client) -> None:
    page = text(visitor, "/your-data/view/")
    trap = re.search(r'class="trap".*?name="([^"]+)"', page, re.DOTALL)
    assert trap is not None
    assert ask(visitor, "view", **{trap[1]: "yes"})["Location"] == ask(visitor, "view", "ben@example.org")["Location"]
    assert Case.objects.count() == 1


def test_a_network_that_sends_too_much_is_told_when_to_come_back(
    office: Office, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from troth.service.portal import throttle

    monkeypatch.setattr(throttle, "networks", Networks(most=2))
    for who in ("ann@example.org", "ben@example.org"):
        assert ask(visitor, "view", who).status_code == 302
    refused = ask(visitor, "view", "chloe@example.org")
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert (
        ask(Client(headers={"host": HOST}, REMOTE_ADDR="198.51.100.7"), "view", "chloe@example.org").status_code == 302
    )


# --- links -----------------------------------------------------------------------------------------------------------


def rows() -> list[Any]:
    """Everything that a look at a link could change."""
    models = (Case, MailedLink, CaseEvent, LetterRow, Session)
    return [*(list(model.objects.order_by("pk").values()) for model in models), EntryRow.objects.count()]


@pytest.mark.parametrize("times", [30, pytest.param(1_000, marks=pytest.mark.soak)])
def test_fetching_a_link_many_times_changes_nothing(office: Office, visitor: Client, letters: Any, times: int) -> None:
    ask(visitor, "erase")
    link, before = link_in(letters(ANN)[0]), rows()
    for _ in range(times - 2):
        assert visitor.get(link).status_code == 200
    assert visitor.head(link).status_code == 200
    assert visitor.options(link).status_code == 405
    assert rows() == before


def test_pressing_the_button_opens_a_window_that_can_be_come_back_to(
    office: Office, visitor: Client, letters: Any
) -> None:
    ask(visitor, "view")
    link = link_in(letters(ANN)[0])
    assert visitor.post(link)["Location"] == "/your-data/case/"
    assert Case.objects.get().state == "in_progress"
    assert ANN in text(visitor, "/your-data/case/")
    elsewhere = Client(headers={"host": HOST})
    assert "Open it once more" in text(elsewhere, link)
    assert elsewhere.post(link).status_code == 302
    assert ANN in text(elsewhere, "/your-data/case/")
    MailedLink.objects.update(open_until=office.now())
    assert text(elsewhere, link, 410)
    for client in (visitor, elsewhere):
        assert ANN not in text(client, "/your-data/case/", 403)


def test_dead_links_all_answer_alike(office: Office, visitor: Client) -> None:
    case, now = office.ask("view"), office.now()
    over = case_links.make(case, PROVE_LINK, now=now - dt.timedelta(days=2))
    used = case_links.make(case, PROVE_LINK, now=now)
    links.use(used, now=now)
    MailedLink.objects.filter(used_at__isnull=False).update(open_until=now)
    dead = [text(visitor, f"/your-data/link/{secret}", 410) for secret in (over, used, "A" * 43, "x", "{{7*7}}")]
    assert len(set(dead)) == 1
    assert "/your-data/again/" in dead[0]
    posted = {visitor.post(f"/your-data/link/{secret}").status_code for secret in (over, used, "A" * 43)}
    assert posted == {410}


def test_a_session_that_was_planted_opens_nothing(office: Office, letters: Any) -> None:
    planted = Client(headers={"host": HOST})
    session = planted.session
    session["planted"] = "yes"
    session.save()
    key = session.session_key
    assert key is not None
    victim = Client(headers={"host": HOST})
    victim.cookies["troth-session"] = key
    ask(victim, "view")
    victim.post(link_in(letters(ANN)[0]))
    assert victim.cookies["troth-session"].value != key
    planted.cookies["troth-session"] = key
    assert text(planted, "/your-data/case/", 403)


def test_a_status_link_shows_nothing_personal_and_lets_nobody_act(office: Office, visitor: Client) -> None:
    case = office.ask("amend", changes={"user.name": "Anne Secret"}, message="between us")
    office.prove(case)
    secret = case_links.make(case, STATUS_LINK, now=office.now())
    assert visitor.post(f"/your-data/link/{secret}").status_code == 302
    page = text(visitor, "/your-data/case/")
    assert case.reference in page
    for value in (ANN, "Anne Secret", "between us", "/your-data/case/withdraw"):
        assert value not in page
    visitor.post("/your-data/case/withdraw")
    assert Case.objects.get().outcome == ""
    assert visitor.post("/your-data/case/package").status_code == 410


def test_who_sees_more_goes_on_seeing_it_after_a_status_link(office: Office, visitor: Client, letters: Any) -> None:
    case = walked_in(office, letters, visitor)
    visitor.post(f"/your-data/link/{case_links.make(case, STATUS_LINK, now=office.now())}")
    assert ANN in text(visitor, "/your-data/case/")


# --- the case --------------------------------------------------------------------------------------------------------


def test_the_package_is_downloaded_inside_the_window(office: Office, visitor: Client, letters: Any) -> None:
    walked_in(office, letters, visitor)
    assert visitor.post("/your-data/case/package").status_code == 410
    office.work()
    letter = letters(ANN)[-1]
    assert letter["Subject"] == "Your data are ready"
    browser = Client(headers={"host": HOST})
    browser.post(link_in(letter))
    assert "/your-data/case/package" in text(browser, "/your-data/case/")
    for _ in range(2):
        response = browser.post("/your-data/case/package")
        assert response["Content-Disposition"] == 'attachment; filename="R-2026-0001.zip"'
        assert response["Cache-Control"] == "no-store"
        assert b"".join(response.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]


def test_what_was_done_and_what_had_to_stay_is_shown_with_its_receipts(
    office: Office, visitor: Client, letters: Any
) -> None:
    walked_in(office, letters, visitor, "erase")
    office.work()
    response = visitor.get("/your-data/case/")
    page = response.content.decode()
    assert "Done as far as possible" in page
    assert "Emptied in part, the rest kept: tax law wants invoices" in page
    assert "What was done in our systems" in page
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ("view", "Put into your file"),
        ("amend", "Corrected"),
        ("restrict", "Marked as restricted"),
        ("object", "Marked: this use has to stop"),
    ],
)
def test_what_was_done_is_said_in_plain_words(office: Office, visitor: Client, right: str, said: str) -> None:
    case = office.answered(right, changes={"user.name": "Anne"} if right == "amend" else {})
    visitor.post(f"/your-data/link/{case_links.make(case, STATUS_LINK, now=office.now())}")
    assert said in text(visitor, "/your-data/case/")


def test_a_system_without_a_row_is_not_called_done(office: Office) -> None:
    known, unknown = office.answered("erase"), office.answered("erase", "nobody@example.org")
    texts = [
        [part.text for part in show(case, office.deployment, inside=False, now=office.now()).details.parts]
        for case in (known, unknown)
    ]
    assert texts == [["done"], ["nothing found there"]]


def test_of_a_request_that_was_refused_no_system_is_called_done(office: Office) -> None:
    case = office.prove(office.ask("erase"))
    case_actions.refuse(case.pk, "Because.", "GDPR Art. 17(3)", office.deployment, who=lifecycle.RULE, now=office.now())
    case.refresh_from_db()
    assert show(case, office.deployment, inside=False, now=office.now()).details.parts == ()


def test_a_receipt_is_shown_to_whom_it_belongs(office: Office, visitor: Client, letters: Any) -> None:
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import sequence

    walked_in(office, letters, visitor, "erase")
    office.work()
    sequence(ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation), now=office.now())
    page = text(visitor, "/your-data/case/")
    leaves = {int(leaf) for leaf in re.findall(r"/your-data/case/receipt/(\d+)", page)}
    assert len(leaves) == 2
    for leaf in leaves:
        assert "The proof" in text(visitor, f"/your-data/case/receipt/{leaf}")
        assert "index " in text(visitor, f"/your-data/case/receipt/{leaf}.tlog-proof")
    for other in {0, 1, 2, 10**6} - leaves:
        assert text(visitor, f"/your-data/case/receipt/{other}", 404)
    assert text(Client(headers={"host": HOST}), f"/your-data/case/receipt/{min(leaves)}", 403)


def test_a_day_of_our_own_is_called_our_own_promise(office: Office, visitor: Client) -> None:
    assert "our own promise" in text(visitor, "/your-data/sent/?what=question&language=en")
    assert "standard questions" not in text(visitor, "/your-data/sent/?what=question&language=de")


def test_the_answer_to_our_question_lets_the_case_go_on(office: Office, visitor: Client, letters: Any) -> None:
    case = walked_in(office, letters, visitor)
    case_actions.pause(
        case.pk, "Which of the two shops?", office.deployment, who=lifecycle.Actor("staff"), now=office.now()
    )
    assert "Which of the two shops?" in text(visitor, "/your-data/case/")
    assert visitor.post("/your-data/case/answer", {"answer": ""}).status_code == 422
    assert visitor.post("/your-data/case/answer", {"answer": "The one in York"}).status_code == 302
    case = Case.objects.select_related("key").get(pk=case.pk)
    assert case.state == "in_progress"
    assert "The one in York" in SealedContent(office.deployment.keyring).content(case).message
    assert visitor.post("/your-data/case/answer", {"answer": "twice"}).status_code == 302


def test_the_letter_that_asks_leads_to_where_it_is_answered(office: Office, visitor: Client, letters: Any) -> None:
    case = office.prove(office.ask("view"))
    case_actions.pause(
        case.pk, "Which of the two shops?", office.deployment, who=lifecycle.Actor("staff"), now=office.now()
    )
    visitor.post(link_in(letters(ANN)[-1]))
    page = text(visitor, "/your-data/case/")
    assert "Which of the two shops?" not in page  # it stands in the letter, and the link may be old
    assert visitor.post("/your-data/case/answer", {"answer": "York"}).status_code == 302
    assert Case.objects.get().state == "in_progress"


def test_a_request_is_taken_back_after_asking_once_more(office: Office, visitor: Client, letters: Any) -> None:
    walked_in(office, letters, visitor, "erase")
    assert "Take it back?" in text(visitor, "/your-data/case/withdraw")
    assert Case.objects.get().outcome == ""
    assert visitor.post("/your-data/case/withdraw").status_code == 302
    assert Case.objects.get().outcome == "withdrawn"
    assert "You took it back" in text(visitor, "/your-data/case/")
    assert office.rows("select count(*) from customer where id = 1") == [(1,)]


def test_sensitive_data_need_two_things_that_we_hold(office: Office, visitor: Client, letters: Any) -> None:
    office.declare(requests="{verify: {view: points}}")
    walked_in(office, letters, visitor)
    assert "One more proof" in text(visitor, "/your-data/case/")
    few = visitor.post("/your-data/case/prove", {"postcode": "SW1A 1AA"})
    assert "Fill in at least 2" in few.content.decode()
    wrong = visitor.post("/your-data/case/prove", {"postcode": "SW1A 1AA", "name": "Ben"})
    assert (wrong.status_code, Case.objects.get().state) == (422, "verifying")
    right = visitor.post("/your-data/case/prove", {"postcode": "sw1a 1aa", "name": "ann"})
    assert (right.status_code, Case.objects.get().state) == (302, "in_progress")


def test_guessing_ends(office: Office, visitor: Client, letters: Any) -> None:
    office.declare(requests="{verify: {view: points}}")
    walked_in(office, letters, visitor)
    for _ in range(6):
        visitor.post("/your-data/case/prove", {"postcode": "M1 1AE", "name": "Ben"})
    assert "tried several times" in text(visitor, "/your-data/case/")
    visitor.post("/your-data/case/prove", {"postcode": "SW1A 1AA", "name": "Ann"})
    assert Case.objects.get().state == "verifying"


def test_guessing_ends_for_a_person_whatever_link_or_case_it_goes_on_with(office: Office) -> None:
    office.declare(requests="{verify: {view: points, port: points}}")
    wrong, right = {"postcode": "M1 1AE", "name": "Ben"}, {"postcode": "SW1A 1AA", "name": "Ann"}

    def offered(case: Case, answers: dict[str, str]) -> int:
        link = links.use(case_links.make(case, PROVE_LINK, now=office.now()), now=office.now())
        receive.prove(case.pk, office.deployment, now=office.now())
        return proof.proven_tier(
            case_links.opened_by(link), answers, declares=False, deployment=office.deployment, now=office.now()
        )

    assert offered(office.ask("view"), right) == 2  # what was right counts as no guess
    first, second, bens = office.ask("view"), office.ask("port"), office.ask("view", "ben@example.org")
    assert not any(offered(case, wrong) for case in (first, first, first, second, second))
    assert not offered(first, right)
    assert not offered(second, right)
    assert not offered(office.ask("view"), right)
    assert offered(bens, wrong)
    MailedLink.objects.update(made_at=office.now() - proof.GUESSES_COUNT - dt.timedelta(hours=1))
    assert offered(first, right)


def test_leaving_forgets_on_this_device(office: Office, visitor: Client, letters: Any) -> None:
    walked_in(office, letters, visitor)
    response = visitor.post("/your-data/case/leave")
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert not Session.objects.exists()
    assert text(visitor, "/your-data/case/", 403)


# --- the company's own login -----------------------------------------------------------------------------------------

SECRET = "a secret of the company and us, long enough"


def token(office: Office, *, secret: str = SECRET, **more: Any) -> str:
    now = office.now()
    claims = {
        "aud": "http://localhost:8000",
        "iat": now,
        "exp": now + dt.timedelta(minutes=5),
        "jti": str(now.timestamp()),
        "email": ANN,
        **more,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


@pytest.fixture
def handing(office: Office, settings: Any) -> Office:
    import dataclasses

    settings.TROTH = dataclasses.replace(office.settings, handover_secret=SECRET)
    return office


def test_somebody_whom_the_company_signed_in_needs_no_link(handing: Office, visitor: Client, letters: Any) -> None:
    handed = visitor.post("/your-data/signed-in", {"token": token(handing, right="view", amr=["pwd", "mfa"])})
    assert handed["Location"] == "/your-data/view/"
    assert 'name="email"' not in text(visitor, "/your-data/view/")
    assert visitor.post("/your-data/view/", {})["Location"] == "/your-data/case/"
    case = Case.objects.get()
    assert (case.tier, case.state) == (3, "in_progress")
    assert ANN in text(visitor, "/your-data/case/")
    stored = " ".join(Session.objects.values_list("session_data", flat=True))
    decoded = str(Session.objects.get().get_decoded())
    assert ANN not in stored + decoded


@pytest.mark.parametrize(("amr", "tier"), [(None, 2), (["pwd"], 2), ("mfa", 2), (["pwd", "mfa"], 3)])
def test_a_hand_over_proves_the_most_where_a_second_factor_was_used(handing: Office, amr: Any, tier: int) -> None:
    more = {} if amr is None else {"amr": amr}
    assert handover.accept(token(handing, **more), SECRET, handing.deployment, now=handing.now()).tier == tier


@pytest.mark.parametrize(
    ("right", "page"),
    [("erase", "erase/"), ("choices", "choices/"), ("", ""), ("nothing", ""), ("../console", ""), ("appeal", "")],
)
def test_who_was_signed_in_gets_to_the_page_that_was_asked_for_or_to_the_first(
    handing: Office, visitor: Client, right: str, page: str
) -> None:
    handed = visitor.post("/your-data/signed-in", {"token": token(handing, right=right, locale="de")})
    assert handed["Location"].partition("?")[0] == f"/your-data/{page}"


@pytest.mark.parametrize("secret", ["another secret, which is long enough too", SECRET])
def test_a_hand_over_counts_once_and_from_the_company_alone(handing: Office, visitor: Client, secret: str) -> None:
    first = token(handing, secret=secret)
    statuses = [visitor.post("/your-data/signed-in", {"token": first}).status_code for _ in range(2)]
    assert statuses == ([302, 403] if secret == SECRET else [403, 403])
    assert visitor.post("/your-data/signed-in", {}).status_code == 403
    assert visitor.get("/your-data/signed-in").status_code == 405


# --- languages -------------------------------------------------------------------------------------------------------


def test_a_language_is_kept_by_the_page_and_by_the_case(office: Office, visitor: Client, letters: Any) -> None:
    page = visitor.get("/your-data/view/?language=de")
    assert page["Content-Language"] == "de"
    assert '<html lang="de">' in page.content.decode()
    assert 'href="/your-data/?language=de"' in page.content.decode()
    sent = visitor.post("/your-data/view/?language=de", {"email": ANN})
    assert sent["Location"] == "/your-data/sent/?what=view&language=de"
    assert Case.objects.get().language == "de"
    link = link_in(letters(ANN)[0])
    assert visitor.get(link)["Content-Language"] == "de"
    visitor.post(link)
    assert visitor.get("/your-data/case/")["Content-Language"] == "de"
    assert visitor.get("/your-data/case/?language=fr")["Content-Language"] == "fr"


def test_languages_lead_to_pages_that_can_be_fetched(office: Office, visitor: Client, letters: Any) -> None:
    case = walked_in(office, letters, visitor)
    case_actions.pause(
        case.pk, "Which of the two shops?", office.deployment, who=lifecycle.Actor("staff"), now=office.now()
    )
    for path, status in (("answer", 422), ("package", 410), ("leave", 200), ("answer", 403)):
        response = visitor.post(f"/your-data/case/{path}")
        assert response.status_code == status
        [german] = re.findall(r'href="([^"]*language=de)"', response.content.decode())
        assert visitor.get(german).status_code == 200


def test_the_browser_counts_where_nothing_was_chosen(office: Office, visitor: Client) -> None:
    office.declare(requests="{languages: [es, de]}")
    for asked, answered in (("fr, de;q=0.5", "de"), ("", "es"), ("it", "es"), ("x" * 5_000, "es")):
        response = visitor.get("/your-data/", headers={"accept-language": asked})
        assert (response["Content-Language"], "Accept-Language" in response["Vary"]) == (answered, True)
    assert visitor.get("/your-data/?language=fr")["Content-Language"] == "es"
    assert "hreflang" in text(visitor, "/your-data/")


# --- safety ----------------------------------------------------------------------------------------------------------


def test_no_form_is_taken_without_its_token(office: Office) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": HOST})
    secret = case_links.make(office.ask("view"), PROVE_LINK, now=office.now())
    inside = ("prove", "answer", "withdraw", "package", "leave")
    for path in (*FORMS, f"/your-data/link/{secret}", *(f"/your-data/case/{action}" for action in inside)):
        assert strict.post(path, {"email": ANN}).status_code == 403, path
    assert Case.objects.get().state == "verifying"


def test_browsers_may_say_where_a_form_comes_from_and_never_its_secret(office: Office, visitor: Client) -> None:
    assert visitor.get("/your-data/")["Referrer-Policy"] == "no-referrer"
    assert visitor.get("/your-data/view/")["Referrer-Policy"] == "same-origin"
    secret = case_links.make(office.ask("view"), PROVE_LINK, now=office.now())
    assert visitor.get(f"/your-data/link/{secret}")["Referrer-Policy"] == "strict-origin"


def test_pages_lead_nowhere_else(office: Office, visitor: Client) -> None:
    for query in ("next=//evil.example", "language=//evil.example", "language=de%0d%0aX:1", "what=//evil.example"):
        response = visitor.post(f"/your-data/view/?{query}", {"email": ANN})
        assert response["Location"] == "/your-data/sent/?what=view"
    assert visitor.get("/your-data/", headers={"host": "evil.example"}).status_code == 400


def test_a_forged_host_reaches_no_letter(office: Office, letters: Any) -> None:
    forged = Client(headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    assert ask(forged, "view").status_code == 400
    ask(Client(headers={"host": HOST, "x-forwarded-host": "evil.example"}), "view")
    [letter] = letters(ANN)
    assert "http://localhost:8000/your-data/link/" in letter.as_string()
    assert "evil" not in letter.as_string()


def test_no_path_leads_out(office: Office, visitor: Client) -> None:
    below = ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "link/../../policy", "case/receipt/-1", "case/receipt/1e3")
    for path in (*below, "appeal/", "link/../../../etc/passwd"):
        assert visitor.get(f"/your-data/{path}").status_code in (403, 404, 410), path


def test_what_people_write_stays_text(office: Office, visitor: Client, letters: Any) -> None:
    hostile = "{{ settings.SECRET_KEY }}{% debug %}<script>alert(1)</script>"
    sent = {"message": hostile, "rows": "1", "what-0": "user.name", "new-0": hostile}
    shown = ask(visitor, "amend", "not an address", **sent).content.decode()
    assert "{{ settings.SECRET_KEY }}{% debug %}&lt;script&gt;" in shown
    ask(visitor, "amend", **sent)
    visitor.post(link_in(letters(ANN)[-1]))
    page = text(visitor, "/your-data/case/")
    assert page.count("{{ settings.SECRET_KEY }}{% debug %}&lt;script&gt;alert(1)") == 2
    assert "<script" not in page


def test_control_characters_and_hidden_turns_are_left_out(office: Office, visitor: Client) -> None:
    ask(visitor, "object", purposes="news", message="a\x07b\u202ec\r\nd\u200d")
    assert (
        SealedContent(office.deployment.keyring).content(Case.objects.select_related("key").get()).message
        == "abc\nd\u200d"
    )


def test_nothing_personal_is_in_addresses_titles_or_logs(
    office: Office, visitor: Client, letters: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="troth")
    walked_in(office, letters, visitor)
    pages = [
        text(visitor, path) for path in ("/your-data/case/", "/your-data/sent/?what=view", "/your-data/case/withdraw")
    ]
    for page in pages:
        title = re.search(r"<title>(.*?)</title>", page)
        assert title is not None
        assert "ann" not in title[1].lower()
        assert not re.search(r'(href|action)="[^"]*ann', page)
    assert ANN not in caplog.text


def test_personal_pages_are_stored_nowhere(office: Office, visitor: Client, letters: Any) -> None:
    assert "max-age=60" in visitor.get("/your-data/")["Cache-Control"]
    walked_in(office, letters, visitor)
    for path in ("/your-data/case/", "/your-data/case/withdraw", "/your-data/view/", "/your-data/sent/?what=view"):
        assert visitor.get(path)["Cache-Control"] == "no-store", path


def test_the_company_hears_of_looks_and_tells_them(office: Office, visitor: Client, letters: Any) -> None:
    from troth.service.staff.models import AccessRow

    case = walked_in(office, letters, visitor)
    assert "No look at your data by a member of our staff is on record." in text(visitor, "/your-data/case/")
    entry = EntryRow.objects.latest("pk")
    AccessRow.objects.create(
        subject=case.subject,
        by="ps1:" + "0" * 32,
        role="handler",
        purpose="orders",
        about="",
        at=office.now(),
        entry=entry,
    )
    page = text(visitor, "/your-data/case/")
    assert "To take orders" in page
    assert "is on record." not in page


def test_every_right_has_words(office: Office) -> None:
    from troth.service.cases.pages.case_status import title_of

    assert len(set(map(title_of, Right.values))) == len(Right.values)


def closed(office: Office, count: int, hours: float) -> None:
    """So many requests that were answered within so many hours."""
    case, now = office.answered("object"), office.now()
    for number in range(count):
        case.pk, case.reference = None, f"R-2000-{hours}-{number}"
        case.received_at, case.closed_at = now - dt.timedelta(hours=hours), now
        case.save()


@pytest.mark.parametrize(("quick", "slow", "share"), [(18, 2, 90), (10, 9, None), (5, 30, None), (30, 0, 100)])
def test_how_quick_we_are_is_counted_or_not_said(
    office: Office, visitor: Client, quick: int, slow: int, share: int | None
) -> None:
    closed(office, quick, 2)
    if slow:
        closed(office, slow, 49)
    Case.objects.exclude(reference__startswith="R-2000").delete()
    assert within_a_day(now=office.now()) == share
    assert ("were answered within 24 hours" in text(visitor, "/your-data/")) is (share is not None)


def test_the_receipt_of_a_person_has_words_for_what_is_recorded(office: Office, visitor: Client, letters: Any) -> None:
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import sequence

    walked_in(office, letters, visitor, "erase")
    office.work()
    sequence(ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation), now=office.now())
    leaves = re.findall(r"/your-data/case/receipt/(\d+)", text(visitor, "/your-data/case/"))
    shown = [text(visitor, f"/your-data/case/receipt/{leaf}").partition("<pre>")[0] for leaf in leaves]
    assert any("Data of a person was deleted, as far as it could be" in page for page in shown)
    assert any("found no record that should have been deleted" in page for page in shown)
    assert not any("subject.erased" in page or "case.closed" in page or "partly_fulfilled" in page for page in shown)


def test_new_links_go_to_the_latest_requests_that_are_open_or_ended_of_late(office: Office, visitor: Client) -> None:
    for _ in range(7):
        office.ask("view")
    Case.objects.filter(pk__in=list(Case.objects.values_list("pk", flat=True)[:1])).delete()
    MailedLink.objects.all().delete()
    Case.objects.update(tier=1)  # an address that nobody has proved gets fewer
    assert "5 at most" in text(visitor, "/your-data/again/")
    subject = Case.objects.latest("pk").subject
    assert resend_links.resend_links(subject, now=office.now()) == 5
    assert resend_links.resend_links(subject, now=office.now() + dt.timedelta(minutes=1)) <= 1, "not again so soon"
    closed = Case.objects.all()
    closed.update(state="closed", outcome="refused", closed_at=office.now() - dt.timedelta(days=93))
    assert resend_links.resend_links(subject, now=office.now() + dt.timedelta(hours=1)) == 0


# --- what is said is so ----------------------------------------------------------------------------------------------


def test_the_languages_of_a_receipt_lead_to_the_same_page(office: Office, visitor: Client, letters: Any) -> None:
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import sequence

    office.declare(requests="{languages: [en, de]}")
    walked_in(office, letters, visitor)
    office.work()
    sequence(ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation), now=office.now())
    path = re.findall(r"/your-data/case/receipt/\d+", text(visitor, "/your-data/case/"))[0]
    assert 'href="?language=de"' in text(visitor, path)


def test_of_what_was_taken_back_no_receipt_says_that_it_was_answered(
    office: Office, visitor: Client, letters: Any
) -> None:
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import sequence

    walked_in(office, letters, visitor)
    visitor.post("/your-data/case/withdraw")
    sequence(ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation), now=office.now())
    page = text(visitor, "/your-data/case/")
    assert "That it was closed, and when" in page
    [leaf] = re.findall(r"/your-data/case/receipt/(\d+)", page)
    assert "answered" not in text(visitor, f"/your-data/case/receipt/{leaf}").partition("<pre>")[0]


def test_the_receipt_of_a_look_that_found_nothing_counts_no_systems(
    office: Office, visitor: Client, letters: Any
) -> None:
    ask(visitor, "view", "nobody@example.org")
    visitor.post(link_in(letters("nobody@example.org")[0]))
    office.work()
    page = text(visitor, "/your-data/case/")
    shown = [text(visitor, f"/your-data/case/receipt/{leaf}") for leaf in re.findall(r"case/receipt/(\d+)", page)]
    [looked] = [one for one in shown if "and found none" in one]
    assert "Systems" not in looked.partition("<pre>")[0]


def test_a_link_that_never_was_is_not_said_to_have_ended(office: Office, visitor: Client) -> None:
    page = text(visitor, f"/your-data/link/{'A' * 43}", 410)
    assert "This link does not work" in page
    assert "not lost" not in page


def test_who_asks_for_somebody_is_not_told_that_they_get_a_link(office: Office, visitor: Client) -> None:
    there = ask(visitor, "erase", agent_name="Ben", agent_email="ben@example.org").headers["Location"]
    page = text(visitor, there)
    assert "We write to the person for whom you asked, with a link." in page
    assert "to your address" not in page
    assert "by=agent&amp;" in page, "also in another language"
    assert "to your address" in text(visitor, ask(visitor, "erase").headers["Location"])


@pytest.mark.parametrize("kind", ["complain", "ask", "withdraw"])
def test_the_day_of_the_page_is_that_of_the_letter(office: Office, visitor: Client, kind: str) -> None:
    office.declare(requests="{serves: [GB, US, DE]}")
    given = {"purposes": "news"} if kind == "withdraw" else {"message": "Why?"}
    there = visitor.post(f"/your-data/{kind}/", {"email": ANN, **given}).headers["Location"]
    due = Case.objects.get().due_on
    assert due is not None
    assert f"<dd>{day_words(due)}</dd>" in text(visitor, there)
    assert "confirmed" not in text(visitor, there).partition("<h2>")[0]


def test_the_day_of_an_appeal_is_that_of_its_form(office: Office, visitor: Client, letters: Any) -> None:
    case = walked_in(office, letters, visitor, "erase")
    case_actions.refuse(case.pk, "Because.", "GDPR Art. 17(3)", office.deployment, who=lifecycle.RULE, now=office.now())
    form = text(visitor, "/your-data/case/appeal")
    visitor.post("/your-data/case/appeal", {"answer": "No."})
    due = Case.objects.get(right="appeal").due_on
    assert due is not None
    assert f"due by {day_words(due)}" in form


def test_what_waits_for_people_is_not_said_to_be_done_at_this_moment(
    office: Office, visitor: Client, letters: Any
) -> None:
    office.declare(systems="  archive: {title: The archive, store: task, owner: archive@example.org}")
    walked_in(office, letters, visitor, "erase")
    office.work()
    assert "from a person who sees to it there" in text(visitor, "/your-data/case/")
    page = text(visitor, "/your-data/case/withdraw", 409)
    assert "We have begun to carry it out" in page
    assert "<button>Take it back</button>" not in page
    assert visitor.post("/your-data/case/withdraw").status_code == 409

"""How a newsletter is read is counted of people who consented to that apart from the newsletter, and of no others."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from tests.rig.jobs import run_due
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, DECLARATION, Publisher

from troth.controls import Check, CheckOutcome, run
from troth.declaration import check, load
from troth.declaration.problems import DeclarationErrors
from troth.service.assurance.control_inputs import FIELDS
from troth.service.mail.bulk import delivery
from troth.service.mail.models import Edition, EditionDelivery, LetterRow
from troth.service.mail.signatures.keys import activate, make_domain_key
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import stop_by_address
from troth.service.newsletters.editions import kind
from troth.service.newsletters.editions.text import compose
from troth.service.newsletters.models import ReadCount, SignUp
from troth.service.newsletters.statistics.controls import TrackingFigures, tracking
from troth.service.newsletters.statistics.counting import K, figures
from troth.service.portal import links as mailed_links
from troth.service.preferences.actions import hold_choices, record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import OWN_ACT, Scope, Source, fingerprints

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TEXT = "# News in June\n\nWe have [news](https://example.org/june?a=1&b=2), and <https://example.org/more>.\n"
NEW = "ann.new@example.org"
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
DAY = dt.timedelta(days=1)
COUNTED = "/your-data/read/"
PURPOSE = "reading: {title: To see how newsletters are read, basis: consent, use: analytics.reporting, data: [user]}"


def with_statistics(more: str = "statistics: aggregate, tracking_purpose: reading") -> str:
    text = DECLARATION.replace("    signup: true", "    signup: true\n    " + more.replace(", ", "\n    "))
    return text.replace("systems:\n", f"  {PURPOSE}\nsystems:\n")


@pytest.fixture
def counting_list(publisher: Publisher) -> Publisher:
    (publisher.folder / "troth.yaml").write_text(with_statistics(), encoding="utf-8")
    publisher.do("update subscriber set confirmed_at = '2026-01-03 10:00:00'")
    return publisher


def choose(publisher: Publisher, state: ChoiceState, *addresses: str) -> None:
    keyring, now = publisher.deployment.keyring, publisher.now()
    names = fingerprints([("email", address) for address in addresses], keyring)
    source = Source("newsletters", f"test:{state}-{now.timestamp()}", OWN_ACT)
    record_named(names, state, [Scope.of("reading")], source, keyring, now=now)


def sent_to(publisher: Publisher, address: str) -> bytes:
    """The latest message to *address*."""
    [*_, envelope] = [it for it in publisher.sink.taken if it.rcpt_tos == [address]]
    assert isinstance(envelope.content, bytes)
    return envelope.content


def page_of(content: bytes, part: str = "html") -> str:
    body = message_from_bytes(content, policy=policy.default).get_body((part,))
    assert body is not None
    return str(body.get_content())


def counted_urls(content: bytes) -> list[str]:
    """The addresses that count, without their site: the links, and the image last."""
    found = re.findall(r'(?:href|src)="([^"]*' + COUNTED + '[^"]*)"', page_of(content))
    return [html.unescape(url)[url.index(COUNTED) :] for url in found]


def count(publisher: Publisher) -> dict[int, int]:
    return dict(ReadCount.objects.values_list("number", "count"))


def without_own(content: bytes, address: str) -> bytes:
    """A message without address, ids, stop token and signature: what must be the same for two people."""
    content = re.sub(rb"(?m)^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*", b"", content).replace(b"=\r\n", b"")
    content = re.sub(rb"(?m)^To: .*\r\n", b"", content).replace(address.encode(), b"")
    return re.sub(rb"(?m)^Message-ID: .*\r\n|(?<=stop/)[a-z2-7]{53}|(?<=stop%20)[a-z2-7]{53}", b"", content)


# --- who is counted ---------------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize("has_key", [False, True])
def test_without_consent_two_messages_differ_in_address_ids_token_and_signature_only(
    counting_list: Publisher, has_key: bool
) -> None:
    publisher = counting_list
    if has_key:
        made = make_domain_key("example.org", "ed25519-sha256", publisher.deployment.keyring, now=publisher.now())
        activate(made.selector, publisher.deployment.keyring, None, now=publisher.now())
    choose(publisher, ChoiceState.REFUSED, BEN)
    choose(publisher, ChoiceState.GIVEN, CHLOE)
    edition = publisher.send(TEXT)
    ann, ben, chloe = (without_own(sent_to(publisher, who), who) for who in (ANN, BEN, CHLOE))
    assert ann == ben, "unknown, and denied"
    assert b"Date: " in ann
    assert b"boundary=" in ann
    assert ann != chloe, "granted: so that this would show"
    # As another process makes it, an hour later.
    elsewhere = publisher.deployment.but(clock=lambda: publisher.now() + dt.timedelta(hours=1))
    [later] = kind.EDITIONS.recipients(edition, [(2,)], elsewhere)
    assert later is not None
    remade = kind.EDITIONS.template(edition, elsewhere).message(later, EditionDelivery(pk=99)).message
    assert without_own(remade.content, BEN) == ben
    assert b"example.org/june" in ann
    assert COUNTED.encode() not in ann
    assert b"<img" not in ann


@on_sqlite
def test_who_consented_gets_links_and_an_image_that_are_the_same_for_all(counting_list: Publisher) -> None:
    choose(counting_list, ChoiceState.GIVEN, ANN, BEN)
    edition = counting_list.send(TEXT)
    ann, ben, chloe = (sent_to(counting_list, who) for who in (ANN, BEN, CHLOE))
    assert counted_urls(ann) == counted_urls(ben)
    assert (len(counted_urls(ann)), counted_urls(chloe)) == (3, [])
    assert page_of(ann, "plain").count(COUNTED) == 2
    assert "/your-data/tracking/" in page_of(ann)
    assert "/your-data/tracking/" not in page_of(chloe)
    counted = edition.deliveries.filter(is_counted=True).values_list("fingerprint", flat=True)
    assert set(counted) == set(fingerprints([("email", ANN), ("email", BEN)], counting_list.deployment.keyring))


@on_sqlite
@pytest.mark.parametrize("scope", [StopScope.LIST, StopScope.ALL])
def test_who_withdrew_is_counted_no_more_and_gets_the_newsletter(counting_list: Publisher, scope: StopScope) -> None:
    choose(counting_list, ChoiceState.GIVEN, ANN)
    name = "purpose:reading" if scope is StopScope.LIST else ""
    now = counting_list.now()
    stop_by_address(ANN, name, scope, counting_list.deployment, channel="link", now=now)
    if scope is StopScope.ALL:  # and comes back
        [ann] = fingerprints([("email", ANN)], counting_list.deployment.keyring)
        Choice.objects.filter(fingerprint=ann).exclude(purpose="reading").delete()
    counting_list.send(TEXT)
    assert counted_urls(sent_to(counting_list, ANN)) == []


def test_who_withdraws_while_the_edition_leaves_is_not_counted(
    counting_list: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(counting_list, ChoiceState.GIVEN, ANN, BEN)
    edition, real = counting_list.start(TEXT), hold_choices

    def withdraw_first(names: Any) -> None:
        monkeypatch.setattr(delivery, "hold_choices", real)
        choose(counting_list, ChoiceState.WITHDRAWN, ANN)
        real(names)

    monkeypatch.setattr(delivery, "hold_choices", withdraw_first)
    counting_list.work()
    counting_list.work()
    assert counting_list.outcomes(edition) == {"sent": 3}
    assert (len(counted_urls(sent_to(counting_list, BEN))), counted_urls(sent_to(counting_list, ANN))) == (3, [])


@on_sqlite
@pytest.mark.parametrize("planned", [with_statistics(), DECLARATION])
def test_an_edition_counts_only_if_it_was_planned_so_and_the_newsletter_still_does(
    counting_list: Publisher, planned: str
) -> None:
    choose(counting_list, ChoiceState.GIVEN, ANN)
    declared = counting_list.folder / "troth.yaml"
    declared.write_text(planned if planned != DECLARATION else with_statistics("statistics: none"), encoding="utf-8")
    edition = counting_list.start(TEXT)
    later = with_statistics("statistics: none") if planned != DECLARATION else with_statistics()
    declared.write_text(later, encoding="utf-8")
    counting_list.work()
    assert counting_list.outcomes(edition) == {"sent": 3}
    assert counted_urls(sent_to(counting_list, ANN)) == []


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def urls(counting_list: Publisher) -> list[str]:
    choose(counting_list, ChoiceState.GIVEN, ANN)
    counting_list.send(TEXT)
    return counted_urls(sent_to(counting_list, ANN))


def test_a_link_leads_on_without_a_cookie_and_is_counted(counting_list: Publisher, urls: list[str]) -> None:
    first, second, image = urls
    answer = Client(enforce_csrf_checks=True).get(first, headers=PERSON)
    assert (answer.status_code, answer["Location"]) == (302, "https://example.org/june?a=1&b=2")
    assert (answer.cookies.output(), answer["Referrer-Policy"], answer["Cache-Control"]) == (
        "",
        "no-referrer",
        "no-store",
    )
    assert Client().get(second, headers=PERSON)["Location"] == "https://example.org/more"
    picture = Client().get(image, headers=PERSON)
    assert (picture["Content-Type"], picture.content[:6]) == ("image/gif", b"GIF89a")
    assert (picture.cookies.output(), picture["Cross-Origin-Resource-Policy"]) == ("", "cross-origin")
    assert count(counting_list) == {0: 1, 1: 1, 2: 1}
    fields = {field.name for field in ReadCount._meta.get_fields()}
    assert fields == {"id", "edition", "number", "count"}, "no time, address or browser"


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Mozilla/5.0 (compatible; Examplebot/2.1)"},
        {"User-Agent": "python-requests/2.32"},
        {**PERSON, "Sec-Purpose": "prefetch;prerender"},
        {**PERSON, "X-Moz": "prefetch"},
    ],
)
def test_programs_are_led_on_and_not_counted(
    counting_list: Publisher, urls: list[str], headers: dict[str, str]
) -> None:
    assert Client().get(urls[0], headers=headers).status_code == 302
    assert Client().head(urls[0], headers=PERSON).status_code == 302
    assert Client().post(urls[0], headers=PERSON).status_code == 405
    assert count(counting_list) == {}


@on_sqlite
def test_nobody_can_make_a_link_that_leads_elsewhere(counting_list: Publisher, urls: list[str]) -> None:
    token = urls[0].partition("?")[0]
    other = urls[1].partition("?")[0]
    june = "https%3A%2F%2Fexample.org%2Fjune%3Fa%3D1%26b%3D2"
    for forged in (
        f"{token}?to=https%3A%2F%2Fexample.net%2F",
        f"{token}?to={june}&to=https%3A%2F%2Fexample.net",
        f"{other}?to={june}",
        token,
        f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}?to={june}",
        f"{COUNTED}x?to={june}",
        f"{COUNTED}%00?to=javascript%3Aalert(1)",
    ):
        answer = Client().get(forged, headers=PERSON)
        assert (answer.status_code in (400, 404), answer.has_header("Location")) == (True, False), forged
    assert count(counting_list) == {}


def test_links_of_old_mail_lead_on_whatever_becomes_of_the_edition(
    counting_list: Publisher, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*of: Any) -> None:
        raise DatabaseError

    stop_by_address(
        ANN, "purpose:reading", StopScope.LIST, counting_list.deployment, channel="link", now=counting_list.now()
    )
    assert Client().get(urls[0], headers=PERSON).status_code == 302
    with monkeypatch.context() as patch:
        patch.setattr("troth.service.newsletters.statistics.pages.note", away)
        assert Client().get(urls[0], headers=PERSON).status_code == 302
    before = count(counting_list)
    (counting_list.folder / "troth.yaml").write_text(with_statistics("statistics: none"), encoding="utf-8")
    assert Client().get(urls[0], headers=PERSON).status_code == 302
    assert count(counting_list) == before, "the newsletter counts no more"
    Edition.objects.all().delete()
    assert Client().get(urls[0], headers=PERSON)["Location"] == "https://example.org/june?a=1&b=2"


@on_sqlite
def test_figures_are_tens_of_at_least_ten_people(counting_list: Publisher, urls: list[str]) -> None:
    edition = Edition.objects.get()
    ReadCount.objects.create(edition=edition, number=1, count=500)
    assert figures(edition) == [], "one person may have followed it 500 times"
    group = edition.groups.get()
    people = [
        EditionDelivery(
            edition=edition, group=group, position=at, fingerprint=f"ps1:{at}", state="sent", is_counted=True
        )
        for at in range(K)
    ]
    for row in people:
        row.ended_at = counting_list.now()
    EditionDelivery.objects.bulk_create(people)
    ReadCount.objects.create(edition=edition, number=0, count=9)
    ReadCount.objects.filter(number=1).update(count=19)
    assert [(it.url, it.at_least) for it in figures(edition)] == [
        ("", None),
        ("https://example.org/june?a=1&b=2", 10),
        ("https://example.org/more", None),
    ]


# --- where it is chosen -----------------------------------------------------------------------------------------------


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made, real = list[str](), mailed_links.make

    def make(*given: Any, **named: Any) -> str:
        made.append(real(*given, **named))
        return made[-1]

    monkeypatch.setattr(mailed_links, "make", make)
    return made


def press(secret: str, **form: str) -> int:
    assert Client().get(f"/your-data/link/{secret}").status_code == 200
    return Client().post(f"/your-data/link/{secret}", form).status_code


def states() -> dict[str, str]:
    return dict(Choice.objects.filter(ended_at=None).order_by("pk").values_list("purpose", "state"))


def test_who_allowed_it_at_sign_up_is_counted_and_withdraws_by_a_link(
    counting_list: Publisher, secrets: list[str]
) -> None:
    page = Client().get("/your-data/newsletters/monthly").content.decode()
    assert re.search(r'<input type="checkbox" name="troth_tracking"[^>]*>', page)
    assert "checked" not in page
    Client().post("/your-data/newsletters/monthly", {"email": NEW, "troth_tracking": "on"})
    assert states() == {}
    assert press(secrets[0], yes="1") == 200
    assert states() == {"news": "given", "reading": "given"}
    texts = Choice.objects.values_list("shown", flat=True)
    assert len(set(texts) - {""}) == 2, "each by the text that was shown"
    run_due(None, "newsletters")
    counting_list.send(TEXT)
    content = sent_to(counting_list, NEW)
    assert len(counted_urls(content)) == 3
    [link] = set(re.findall(r"/your-data/tracking/[a-z2-7]{53}", page_of(content)))
    assert "button" in Client().get(link).content.decode()
    assert states()["reading"] == "given", "a scanner that fetches the link changes nothing"
    assert Client().post(link).status_code == 200
    assert states() == {"news": "given", "reading": "withdrawn"}
    counting_list.send(TEXT.replace("June", "July"))
    assert counted_urls(sent_to(counting_list, NEW)) == []


@on_sqlite
@pytest.mark.parametrize(("ticked", "pressed"), [({}, "yes"), ({"troth_tracking": "on"}, "no")])
def test_without_the_box_or_with_the_other_button_nothing_is_allowed(
    counting_list: Publisher, secrets: list[str], ticked: dict[str, str], pressed: str
) -> None:
    Client().post("/your-data/newsletters/monthly", {"email": NEW, **ticked})
    press(secrets[0], **{pressed: "1"})
    assert states() in ({"news": "given"}, {"news": "given", "reading": "withdrawn"})


@on_sqlite
def test_the_other_button_ends_an_earlier_consent_to_be_counted(counting_list: Publisher, secrets: list[str]) -> None:
    choose(counting_list, ChoiceState.GIVEN, NEW)
    Client().post("/your-data/newsletters/monthly", {"email": NEW, "troth_tracking": "on"})
    press(secrets[0], no="1")
    assert states() == {"news": "given", "reading": "withdrawn"}


@on_sqlite
def test_a_newsletter_without_statistics_has_no_box_and_takes_none(publisher: Publisher, secrets: list[str]) -> None:
    assert "troth_tracking" not in Client().get("/your-data/newsletters/monthly").content.decode()
    Client().post("/your-data/newsletters/monthly", {"email": NEW, "troth_tracking": "on"})
    press(secrets[0], yes="1")
    assert states() == {"news": "given"}
    assert "/your-data/tracking/" not in Client().get("/your-data/choices/").content.decode()


@on_sqlite
@pytest.mark.parametrize(("pressed", "state"), [("yes", "given"), ("no", "withdrawn")])
def test_to_allow_it_in_the_privacy_centre_takes_a_link_to_the_address(
    counting_list: Publisher, secrets: list[str], pressed: str, state: str | None
) -> None:
    assert "/your-data/tracking/" in Client().get("/your-data/choices/").content.decode()
    page = Client().get("/your-data/tracking/").content.decode()
    assert set(re.findall(r'name="([^"]+)"', page)) - {"viewport", "color-scheme", "form-token"} <= FIELDS
    assert Client().post("/your-data/tracking/", {"email": ANN}).status_code == 422, "nothing is chosen beforehand"
    assert Client().post("/your-data/tracking/", {"email": ANN, "choice": "allow"}).status_code == 200
    assert (states(), LetterRow.objects.get().kind) == ({}, "newsletter_tracking")
    assert press(secrets[0], **{pressed: "1"}) == 200
    assert states().get("reading") == state
    assert SignUp.objects.get().confirmed_at is not None


@on_sqlite
def test_to_refuse_it_takes_effect_at_once_and_needs_nothing(counting_list: Publisher) -> None:
    choose(counting_list, ChoiceState.GIVEN, ANN)
    for _ in range(2):
        assert Client().post("/your-data/tracking/", {"email": ANN.upper(), "choice": "refuse"}).status_code == 200
    assert states() == {"reading": "withdrawn"}
    assert not LetterRow.objects.exists()


@on_sqlite
def test_links_of_old_mail_count_after_a_withdrawal_as_people_are_told(counting_list: Publisher) -> None:
    assert "e-mails that I have by then still count" in Client().get("/your-data/tracking/").content.decode()
    choose(counting_list, ChoiceState.GIVEN, ANN)
    counting_list.send(TEXT)
    [link, *_] = counted_urls(sent_to(counting_list, ANN))
    page = Client().post("/your-data/tracking/", {"email": ANN, "choice": "refuse"}).content.decode()
    assert "they still count, without your name, and the links lead on" in page
    assert Client().get(link, headers=PERSON).status_code == 302
    assert (count(counting_list), states()) == ({1: 1}, {"reading": "withdrawn"})


@on_sqlite
def test_a_stop_link_of_a_newsletter_is_none_that_withdraws(counting_list: Publisher) -> None:
    counting_list.send(TEXT)
    [link] = set(re.findall(r"/your-data/stop/([a-z2-7]{53})", page_of(sent_to(counting_list, ANN))))
    for token in (link, "x", "a" * 53):
        assert Client().post(f"/your-data/tracking/{token}").status_code == 404
    assert states() == {}


# --- the declaration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("statistics: individual", "no statistics about single people"),
        ("statistics: aggregate", "a purpose of their own"),
        ("statistics: aggregate, tracking_purpose: readings", "no purpose 'readings'"),
        ("statistics: aggregate, tracking_purpose: offers", "does not rest on consent"),
        ("statistics: aggregate, tracking_purpose: news", "has not agreed to be counted"),
    ],
)
def test_statistics_need_a_consent_of_their_own(tmp_path: Any, monkeypatch: Any, more: str, said: str) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    (tmp_path / "policy.md").write_text("We send news.\n", encoding="utf-8")
    (tmp_path / "troth.yaml").write_text(with_statistics(more), encoding="utf-8")
    try:
        problems = check(load(tmp_path / "troth.yaml"))
    except DeclarationErrors as refused:
        problems = list(refused.problems)
    assert [said in problem.message for problem in problems] == [True]


# --- what shows it ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(counting_list: Publisher) -> Callable[[], Check]:
    def asked() -> Check:
        now, deployment = counting_list.now(), counting_list.deployment
        looking = {"declaration": deployment.declaration, "now": now, "tracking": tracking(deployment, now)}
        return run("mail.tracking_consented", looking)

    return asked


@on_sqlite
def test_counting_with_consent_is_no_fault_also_after_it_ended(
    counting_list: Publisher, ask: Callable[[], Check]
) -> None:
    assert ask().outcome is CheckOutcome.PASS
    choose(counting_list, ChoiceState.GIVEN, ANN)
    counting_list.send(TEXT)
    assert (ask().outcome, ask().figures["counted"]) == (CheckOutcome.PASS, 1)
    choose(counting_list, ChoiceState.WITHDRAWN, ANN)
    Choice.objects.filter(state="withdrawn").update(since=counting_list.now() + DAY)
    assert ask().outcome is CheckOutcome.PASS


@on_sqlite
def test_links_for_everybody_are_found_though_the_sender_believes_in_them(
    counting_list: Publisher, ask: Callable[[], Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    def everybody(recipients: Any, tracking: str, deployment: Any) -> Any:
        return [replace(it, tracking=tracking) for it in recipients]

    monkeypatch.setattr(kind, "with_consent", everybody)
    monkeypatch.setattr(delivery, "_countable", lambda candidates, deployment: list(candidates))
    counting_list.send(TEXT)
    seen = ask()
    assert (seen.outcome, seen.figures["without consent"]) == (CheckOutcome.FAIL, 3)
    assert "example.org" not in repr(seen)


@on_sqlite
def test_a_trace_in_other_e_mails_is_not_counted_as_one_of_a_newsletter(publisher: Publisher) -> None:
    seen_so = TrackingFigures(lists=2, made=2, faults={"newsletter monthly": ("-",), "other e-mails": ("-",)})
    looking = {"declaration": publisher.deployment.declaration, "now": publisher.now(), "tracking": seen_so}
    seen = run("mail.tracking_consented", looking)
    assert "1 newsletter with a trace in it; other e-mails have one, too." in seen.summary
    assert {finding.place for finding in seen.findings} == {"newsletter monthly", "other e-mails"}


MUTATIONS: dict[str, tuple[str, str]] = {
    "pixel": ("</body>", '<img src="https://statistics.example.net/p.gif" width="1" height="1"></body>'),
    "own picture": ("</body>", '<img src="https://shop.example.org/{{troth_stop_link}}/logo.png"></body>'),
    "background": ("<body style=", '<body background="//statistics.example.net/b" style='),
    "style": ("margin:0;padding", "background:url(https://statistics.example.net/b);margin:0;padding"),
    "decorated": ("https://example.org/june", "https://example.org/june?reader={{troth_stop_link}}&amp;x="),
    "entity": ("</body>", '<img src="&#104;ttps://statistics.example.net/p.png" alt=""></body>'),
    "unsubscribe": ("</body>", '<a href="https://example.org/unsubscribe/{{troth_stop_link}}">Unsubscribe</a></body>'),
    "by value": ("https://example.org/more", "https://example.org/more/{{name}}"),
    "counted": ("https://example.org/more", "https://shop.example.org/your-data/read/" + "a" * 32),
}


@on_sqlite
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_trace_in_the_template_is_found(
    counting_list: Publisher, ask: Callable[[], Check], monkeypatch: pytest.MonkeyPatch, mutation: str
) -> None:
    counting_list.send(TEXT)
    old, new = MUTATIONS[mutation]
    real = compose

    def composed(*given: Any) -> Any:
        text = real(*given)
        return type(text)(text.subject, text.plain, text.html.replace(old, new))

    monkeypatch.setattr(kind, "compose", composed)
    seen = ask()
    assert seen.outcome in (CheckOutcome.FAIL, CheckOutcome.ERROR)
    if mutation != "counted":  # which no message leaves with, so that none can be made
        assert (seen.outcome, seen.findings[0].place) == (CheckOutcome.FAIL, "newsletter monthly")

"""An edition goes to those who want it, once, and to nobody after a stop."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from email import message_from_bytes
from email.policy import SMTP
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope
from django.test import Client
from tests.service.newsletters.conftest import ANN, BEN, CHLOE, TEXT, Publisher

from troth.service.core.jobs.models import Job
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk import delivery
from troth.service.mail.message import Message
from troth.service.mail.models import DeliveryGroup, Edition, EditionDelivery
from troth.service.mail.signatures.keys import activate, make_domain_key
from troth.service.mail.smtp import Smtp
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.mail.transports import MessageRefused
from troth.service.newsletters.actions import stop_by_address
from troth.service.newsletters.editions.kind import NewsletterEditions
from troth.service.preferences.models import Choice


def stop(publisher: Publisher, address: str, name: str = "monthly", scope: StopScope = StopScope.LIST) -> bool:
    return stop_by_address(address, name, scope, publisher.deployment, channel="centre", now=publisher.now())


def message(publisher: Publisher, at: int = 0) -> Any:
    content = publisher.sink.taken[at].content
    assert isinstance(content, bytes)
    return message_from_bytes(content, policy=SMTP)


def test_it_goes_to_those_who_consented_and_each_has_an_outcome(publisher: Publisher) -> None:
    planned = publisher.plan()
    assert (planned.people, dict(planned.left_out)) == (2, {"no_consent": 1})
    edition = publisher.send()
    assert sorted(publisher.got) == [ANN, BEN]
    assert (edition.state, publisher.outcomes(edition)) == ("finished", {"sent": 2})
    assert not DeliveryGroup.objects.exclude(keys=None).exists(), "whose rows they were is no longer needed"


def test_a_message_says_who_sends_it_and_how_to_stop_it(publisher: Publisher) -> None:
    publisher.send()
    sent = message(publisher)
    assert sent["From"] == "Example Shop Ltd <privacy@example.org>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["List-Id"] == "<monthly.example.org>"
    link, mailto = sent["List-Unsubscribe"].split(", ")
    assert link.startswith("<https://shop.example.org/your-data/stop/")
    assert mailto.startswith("<mailto:privacy@example.org?subject=stop%20")
    for part in ("plain", "html"):
        text = sent.get_body(preferencelist=(part,)).get_content()
        assert link.strip("<>") in text
        assert "1 High Street" in text
        assert "Dear Ann," in text or "Dear Ben," in text


def test_who_stopped_before_it_began_is_left_out(publisher: Publisher) -> None:
    assert stop(publisher, "ANN@example.org")
    assert not stop(publisher, ANN), "it is stopped already"
    publisher.send()
    assert publisher.got == [BEN]


def test_who_stops_while_it_goes_out_gets_nothing(publisher: Publisher) -> None:
    edition = publisher.start()
    stop(publisher, BEN)
    publisher.work()
    assert (publisher.got, publisher.outcomes(edition)) == ([ANN], {"sent": 1, "stopped": 1})
    assert EditionDelivery.objects.get(state="stopped").reason == "withdrawn"


def test_a_stop_of_one_list_leaves_the_other_and_one_of_all_leaves_none(publisher: Publisher) -> None:
    stop(publisher, ANN)
    publisher.send(name="offers")
    assert sorted(publisher.got) == [ANN, BEN, CHLOE]
    stop(publisher, CHLOE, scope=StopScope.ALL)
    publisher.send("# More\n\ntext", name="offers")
    assert sorted(publisher.got[3:]) == [ANN, BEN]


def test_who_stopped_each_list_and_then_all_marketing_has_stopped_all(publisher: Publisher) -> None:
    assert stop(publisher, ANN)
    assert stop(publisher, ANN, "offers")
    assert stop(publisher, ANN, scope=StopScope.ALL)
    assert not stop(publisher, ANN, scope=StopScope.ALL)
    assert Choice.objects.filter(scope="marketing").count() == 1


def test_an_address_imported_again_stays_stopped(publisher: Publisher) -> None:
    stop(publisher, ANN)
    publisher.do("insert into subscriber values (9, 'Ann@Example.org', 'Ann', 'active', '2030-01-01 00:00:00');")
    publisher.send()
    assert publisher.got == [BEN]


def test_a_row_that_went_or_changed_since_gets_nothing(publisher: Publisher) -> None:
    edition = publisher.start()
    publisher.do("delete from subscriber where id = 1; update subscriber set state = 'asleep' where id = 2;")
    publisher.work()
    assert (publisher.got, publisher.outcomes(edition)) == ([], {"stopped": 2})


def test_an_amended_address_gets_it_and_the_old_one_does_not(publisher: Publisher) -> None:
    publisher.start()
    publisher.do("update subscriber set email = 'ann.new@example.org' where id = 1;")
    publisher.work()
    assert sorted(publisher.got) == ["ann.new@example.org", BEN]


def test_the_same_address_twice_gets_it_once(publisher: Publisher) -> None:
    publisher.do("insert into subscriber values (7, 'ANN@example.org', 'A', 'active', '2026-01-01 00:00:00');")
    assert publisher.plan().left_out["same address twice"] == 1
    publisher.send()
    assert sorted(publisher.got) == [ANN, BEN]


def test_a_row_without_an_address_is_counted_and_left_out(publisher: Publisher) -> None:
    rows = "(7, 'ann at example', 'A', 'active', '2026-01-01'), (8, null, '', 'active', '2026-01-01')"
    publisher.do(f"insert into subscriber values {rows};")
    assert publisher.plan().left_out["no valid address"] == 2


@pytest.mark.parametrize("text", ["no subject", "# Subject only", "# Hi {{secret}}\n\ntext", "# Hi\n\n{{email}}"])
def test_a_text_that_cannot_be_sent_is_refused(publisher: Publisher, text: str) -> None:
    with pytest.raises(Exception, match=r"subject|does not name|no text"):
        publisher.plan(text)
    assert not Edition.objects.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# Re: your order\n\nNews.", "Subject"),
        ("# News\n\nNews. [look](http://insecure.example.net/)", "http"),
    ],
)
def test_an_edition_that_deceives_is_refused_with_the_place_and_the_fix(
    publisher: Publisher, text: str, why: str
) -> None:
    with pytest.raises(bulk.EditionRefused, match=why) as refused:
        publisher.plan(text)
    assert ANN not in str(refused.value)
    assert not Edition.objects.exists()


def test_messages_are_signed_once_there_is_a_key_and_none_leaves_with_the_token_of_another(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = publisher.deployment.keyring
    made = make_domain_key("example.org", "ed25519-sha256", keyring, now=publisher.now())
    activate(made.selector, keyring, None, now=publisher.now())
    publisher.send()
    assert "DKIM-Signature" in message(publisher)
    covered = message(publisher)["DKIM-Signature"].lower().replace(" ", "").replace("\t", "")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(covered.partition("h=")[2].partition(";")[0].split(":"))
    edition = publisher.start("# Next\n\nWhat is next.")
    of_another = tokens.make("monthly", "ps1:" + "0" * 32, keyring)
    monkeypatch.setattr(tokens, "make", lambda *of: of_another)
    publisher.work()
    assert (len(publisher.got), publisher.outcomes(edition)) == (2, {"refused": 2})
    with pytest.raises(bulk.EditionRefused, match="not this person's"):
        publisher.plan("# The last\n\nWhat is last.")


def test_a_plan_is_started_once_and_for_the_text_that_was_seen(publisher: Publisher) -> None:
    planned = publisher.plan()
    edition = bulk.start(planned.edition.plan_hash, publisher.deployment, now=publisher.now())
    again = bulk.start(planned.edition.plan_hash, publisher.deployment, now=publisher.now())
    assert edition == again
    assert EditionDelivery.objects.count() == 2
    with pytest.raises(bulk.EditionRefused, match="plan it again"):
        bulk.start("dg1:" + "0" * 64, publisher.deployment, now=publisher.now())
    with pytest.raises(bulk.EditionRefused, match="sent already"):
        publisher.plan()


def test_an_audience_that_has_grown_is_planned_again(publisher: Publisher) -> None:
    planned = publisher.plan()
    publisher.do(
        "with recursive n(i) as (select 100 union all select i + 1 from n where i < 200) "
        "insert into subscriber select i, 'a' || i || '@example.org', '', 'active', '2026-01-01' from n;"
    )
    with pytest.raises(bulk.EditionRefused, match="would go to 103 now"):
        bulk.start(planned.edition.plan_hash, publisher.deployment, now=publisher.now())


def test_a_paused_edition_waits_and_a_cancelled_one_ends(publisher: Publisher) -> None:
    edition = publisher.start()
    bulk.pause(edition, publisher.deployment, now=publisher.now())
    publisher.work()
    assert publisher.got == []
    bulk.resume(edition, publisher.deployment, now=publisher.now())
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]
    other = publisher.start(TEXT.replace("June", "July"))
    bulk.cancel(other, publisher.deployment, now=publisher.now())
    publisher.work()
    assert (len(publisher.got), publisher.outcomes(other)) == (2, {"stopped": 2})
    with pytest.raises(bulk.EditionRefused, match="has ended"):
        bulk.cancel(other, publisher.deployment, now=publisher.now())


def test_it_waits_until_its_time(publisher: Publisher) -> None:
    publisher.start(send_at=publisher.now() + dt.timedelta(hours=2))
    publisher.work()
    assert publisher.got == []
    publisher.clock[0] += dt.timedelta(hours=2, minutes=1)
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]


def test_a_refused_message_is_refused_and_one_put_off_comes_later(publisher: Publisher) -> None:
    publisher.sink.to = lambda envelope: {ANN: "550 5.1.1 no such user", BEN: "451 4.3.0 later"}.get(
        envelope.rcpt_tos[-1] if envelope.rcpt_tos else ""
    )
    edition = publisher.start()
    publisher.work()
    assert publisher.outcomes(edition) == {"queued": 1, "refused": 1}
    publisher.sink.to = lambda envelope: None
    publisher.clock[0] += dt.timedelta(minutes=2)
    publisher.work()
    edition.refresh_from_db()
    assert (publisher.got, edition.state) == ([BEN], "finished")


def test_a_message_at_which_the_server_breaks_off_does_not_hold_up_the_others(publisher: Publisher) -> None:
    publisher.sink.to = lambda envelope: "421 4.3.0 closing" if envelope.rcpt_tos == [ANN] else None
    edition = publisher.start()
    for _ in range(3):
        publisher.work()
        publisher.clock[0] += dt.timedelta(minutes=1, seconds=1)
    assert (publisher.got, publisher.outcomes(edition)) == ([BEN], {"queued": 1, "sent": 1})


def test_a_pause_from_a_clock_that_was_years_ahead_does_not_last_for_years(publisher: Publisher) -> None:
    edition = publisher.start()
    edition.deliveries.update(not_before=publisher.now() + dt.timedelta(days=700))
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]


def test_what_is_repeated_in_doubt_is_repeated_after_a_pause(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NewsletterEditions, "doubt", "repeat")
    publisher.sink.at_end = lambda server: server.transport.abort()
    publisher.start()
    for _ in range(3):
        publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]
    publisher.clock[0] += dt.timedelta(minutes=2)
    publisher.work()
    assert sorted(publisher.got) == [ANN, ANN, BEN, BEN]


def test_an_edition_whose_last_messages_left_while_it_was_paused_ends_when_it_goes_on(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition, hand_over = publisher.start(), Smtp.hand_over

    def pause_and_hand_over(*of: Any) -> None:
        if not publisher.got:
            bulk.pause(edition, publisher.deployment, now=publisher.now())
        hand_over(*of)

    monkeypatch.setattr(Smtp, "hand_over", pause_and_hand_over)
    publisher.work()
    edition.refresh_from_db()
    assert (publisher.outcomes(edition), edition.state) == ({"sent": 2}, "paused")
    bulk.resume(edition, publisher.deployment, now=publisher.now())
    edition.refresh_from_db()
    assert edition.state == "finished"


def test_a_sender_that_was_taken_for_dead_reopens_nothing(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one takes over while it hands the first message over, shows both as in doubt, and ends the edition."""
    edition, hand_over, calls = publisher.start(), Smtp.hand_over, itertools.count()

    def lose_the_job_and_hand_over(*of: Any) -> None:
        if next(calls):
            raise MessageRefused("451 4.3.0", for_good=False)
        Job.objects.filter(kind="mail.deliver").update(state="queued", worker="", due_at=publisher.now())
        publisher.work()
        while edition.state != Edition.State.FINISHED:  # the first worker may be the other one too
            edition.refresh_from_db()
        hand_over(*of)

    monkeypatch.setattr(Smtp, "hand_over", lose_the_job_and_hand_over)
    publisher.work()
    assert publisher.outcomes(edition) == {"in_doubt": 1, "sent": 1}
    assert len(publisher.got) == 1


def test_the_link_stops_by_post_alone(publisher: Publisher) -> None:
    publisher.send()
    link = message(publisher)["List-Unsubscribe"].split(", ")[0].strip("<>").removeprefix("https://shop.example.org")
    visitor = Client(enforce_csrf_checks=True)
    for _ in range(5):
        page = visitor.get(link)
        assert (page.status_code, b"Our monthly news" in page.content) == (200, True)
    publisher.send("# Second\n\ntext")
    assert len(publisher.got) == 4
    done = visitor.post(link, b"", content_type="")
    assert (done.status_code, done.cookies.output()) == (200, "")
    first = publisher.got[0]
    publisher.send("# Third\n\ntext")
    assert publisher.got[4:] == [address for address in (ANN, BEN) if address != first]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"", ""),
        (b"\xff" * 2_000, "multipart/form-data"),
    ],
)
def test_a_one_click_post_may_have_any_body(publisher: Publisher, body: bytes, kind: str) -> None:
    publisher.send()
    link = message(publisher)["List-Unsubscribe"].split(", ")[0].strip("<>").removeprefix("https://shop.example.org")
    done = Client(enforce_csrf_checks=True).post(
        link, body, content_type=kind, headers={"Origin": "https://mail.example.org"}
    )
    assert done.status_code == 200
    assert publisher.plan("# Second\n\ntext").people == 1


def test_a_token_that_was_changed_stops_nothing(publisher: Publisher) -> None:
    publisher.send()
    link = message(publisher)["List-Unsubscribe"].split(", ")[0].strip("<>").removeprefix("https://shop.example.org")
    for wrong in (
        link[:-1],
        link[:-1] + ("a" if link[-1] != "a" else "b"),
        "/your-data/stop/" + "a" * 53,
        "/your-data/stop/ä",
    ):
        assert Client().post(wrong).status_code == 404
    assert publisher.plan("# Second\n\ntext").people == 2


def test_an_address_typed_in_stops(publisher: Publisher) -> None:
    visitor = Client()
    assert visitor.get("/your-data/stop/").status_code == 200
    done = visitor.post("/your-data/stop/", {"email": ANN, "list": "monthly"})
    assert (done.status_code, b"noted" in done.content) == (200, True)
    publisher.send()
    assert publisher.got == [BEN]
    assert visitor.post("/your-data/stop/", {"email": "no address", "list": "monthly"}).status_code == 422


def test_the_page_of_a_stop_says_what_still_comes_and_by_which_law(publisher: Publisher) -> None:
    laws = "a request (UK GDPR Art. 12(3), Art. 12A) or a message about a breach of your data (UK GDPR Art. 34)"
    typed = {"email": ANN, "list": "monthly"}
    assert laws in Client().post("/your-data/stop/", typed).content.decode()
    publisher.send()
    link = message(publisher)["List-Unsubscribe"].split(", ")[0].strip("<>").removeprefix("https://shop.example.org")
    assert laws not in Client().get(link).content.decode(), "nothing is stopped yet"
    assert laws in Client().post(link).content.decode()


@pytest.mark.parametrize("country", ["US", "CH"])
def test_the_page_of_a_stop_names_no_law_that_depends_on_where_the_person_lives(
    publisher: Publisher, country: str
) -> None:
    declared = (publisher.folder / "troth.yaml").read_text(encoding="utf-8")
    (publisher.folder / "troth.yaml").write_text(
        declared.replace("country: GB", f"country: {country}"), encoding="utf-8"
    )
    page = Client().post("/your-data/stop/", {"email": ANN, "list": "monthly"}).content.decode()
    assert "such as the answer to a request, may still come" in page
    assert "GDPR" not in page


@pytest.mark.parametrize("where", ["newsletter", "domain"])
def test_a_slow_rate_is_slow_and_no_standstill(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "newsletter":
        monkeypatch.setattr(NewsletterEditions, "per_second", lambda *of: 1)
    else:
        monkeypatch.setenv("TROTH_MAIL_RATES", "example.org=0.5 *=20")
    publisher.start()
    for _ in range(10):
        publisher.work()
        publisher.clock[0] += dt.timedelta(seconds=1)
    assert sorted(publisher.got) == [ANN, BEN]


def test_no_second_has_more_messages_than_the_rate(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    moments, server = list[float](), SimpleNamespace(now=0.0)
    monkeypatch.setattr(NewsletterEditions, "per_second", lambda *of: 20)
    monkeypatch.setattr(delivery, "uptime_s", lambda: server.now)
    sleep = SimpleNamespace(sleep=lambda seconds: setattr(server, "now", server.now + seconds))
    monkeypatch.setattr(delivery, "time", sleep)

    def hand_over(message: Message, leave: Callable[[], None]) -> None:
        leave()
        moments.append(server.now)

    monkeypatch.setattr(delivery, "way_out", lambda settings: SimpleNamespace(hand_over=hand_over))
    values = ", ".join(f"({n}, 'ann{n}@example.org', 'Ann', 'active', '2026-01-01')" for n in range(100, 170))
    publisher.do(f"INSERT INTO subscriber VALUES {values};")
    publisher.start()
    begun = publisher.clock[0]
    for step in range(20):
        server.now = max(server.now, step * 0.35)
        publisher.clock[0] = begun + dt.timedelta(seconds=server.now)
        publisher.work()
    assert len(moments) == 72
    assert max(sum(at <= other < at + 1 for other in moments) for at in moments) <= 21
    assert moments[-1] < 2 * 72 / 20


def test_a_slow_domain_holds_up_no_other(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_MAIL_RATES", "slow.example.org=0.1 *=1000")
    values = ", ".join(f"({n}, 'ann{n}@slow.example.org', 'Ann', 'active', '2026-01-01')" for n in range(100, 110))
    publisher.do(f"INSERT INTO subscriber VALUES {values};")
    publisher.start()
    publisher.work()
    assert ANN in publisher.got
    assert BEN in publisher.got
    assert len(publisher.got) == 3
    for _ in range(10):
        publisher.clock[0] += dt.timedelta(seconds=10)
        publisher.work()
    assert len(publisher.got) == 12


def test_a_busy_domain_gets_nothing_for_a_while_and_holds_up_no_other(publisher: Publisher) -> None:
    tried = []

    def answer(envelope: Envelope) -> str | None:
        tried.extend(envelope.rcpt_tos[-1:])
        return "451 4.3.2 busy" if envelope.rcpt_tos[-1].endswith("@busy.example.org") else None

    publisher.sink.to = answer
    values = ", ".join(f"({n}, 'ann{n}@busy.example.org', 'Ann', 'active', '2026-01-01')" for n in range(100, 120))
    publisher.do(f"INSERT INTO subscriber VALUES {values};")
    publisher.start()
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]
    assert len(tried) == 3
    publisher.clock[0] += dt.timedelta(seconds=31)
    publisher.work()
    assert len(tried) == 4
    publisher.sink.to = lambda envelope: None
    publisher.clock[0] += dt.timedelta(minutes=2)
    publisher.work()
    assert len(publisher.got) == 22


def test_of_two_rows_with_one_address_the_confirmed_one_counts(publisher: Publisher) -> None:
    assert publisher.plan().people == 2
    publisher.do("INSERT INTO subscriber VALUES (9, 'chloe@example.org', 'Chloe', 'active', '2026-02-01 10:00:00');")
    planned = publisher.plan()
    assert (planned.people, planned.left_out["same address twice"]) == (3, 1)

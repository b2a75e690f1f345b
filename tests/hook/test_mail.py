"""An application's mail asks Troth first: where Troth does not decide, nothing leaves but what is owed."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from email.message import EmailMessage as Mail
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail
from tests.hook.servers import served

from troth.hook.mail import ASKED_MAX, OWED, MailGuard, MailRefused, MailUndecided, NotWanted

PAGE = (Path(__file__).parents[2] / "docs/howto/ask-before-the-application-mails.md").read_text("utf-8")
ANN, BEN, CHLOE = "ann@example.org", "ben@example.org", "chloe@example.org"
LINK = "https://privacy.example.org/your-data/stop/" + "a" * 53
HEADERS = {
    "List-Unsubscribe": f"<{LINK}>, <mailto:privacy@example.org?subject=stop%20{'a' * 53}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Id": "<news.example.org>",
}
YES = {"allowed": True, "reason": "given", "stop": LINK, "headers": HEADERS}
NO = {"allowed": False, "reason": "objected", "stop": "", "headers": {}}


class FakeTroth:
    """Answers as a test says; by default Ben wants nothing, and others everything."""

    def __init__(self) -> None:
        self.url, self.asked = "", list[list[dict[str, str]]]()
        self.answer: Callable[[dict[str, str]], Any] = lambda it: NO if it["address"] == BEN else YES
        self.status, self.body, self.pieces = "200 OK", b"", 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        assert (environ["PATH_INFO"], environ["HTTP_AUTHORIZATION"]) == ("/api/v1/mail/ask", "Bearer troth_x")
        mails = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["mails"]
        self.asked.append(mails)
        body = self.body or json.dumps({"mails": [self.answer(it) for it in mails]}).encode()
        start(self.status, [("Content-Type", "application/json"), ("Location", f"{self.url}/elsewhere")])
        for _ in range(self.pieces):
            time.sleep(0.02)
            yield b" "
        yield body


@pytest.fixture
def troth() -> Iterator[FakeTroth]:
    fake = FakeTroth()
    with served(fake) as fake.url:
        yield fake


@pytest.fixture
def guard(troth: FakeTroth) -> MailGuard:
    return MailGuard(troth.url, "troth_x")


@pytest.fixture
def site(troth: FakeTroth, settings: Any) -> Any:
    settings.EMAIL_BACKEND = "troth.hook.django.mail.Backend"
    settings.TROTH_MAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.TROTH_MAIL_URL, settings.TROTH_MAIL_TOKEN = troth.url, "troth_x"
    mail.outbox = []
    return settings


def to(*people: str, purpose: str = "news", **more: Any) -> EmailMessage:
    return EmailMessage("News", "Hello", "shop@example.org", list(people), headers={"X-Troth-Purpose": purpose}, **more)


def written(*people: str) -> Mail:
    message = Mail()
    message["To"], message["Subject"] = ", ".join(people), "News"
    message.set_content("Hello")
    return message


# --- the guard -------------------------------------------------------------------------------------------------------


def test_a_message_gets_its_headers_in_a_copy(guard: MailGuard) -> None:
    message = written(f"Ann <{ANN}>")
    message["List-Unsubscribe"] = "<https://example.org/old>"
    prepared = guard.prepared(message, "news")
    assert {name: prepared.get_all(name) for name in HEADERS} == {name: [value] for name, value in HEADERS.items()}
    assert message["List-Unsubscribe"] == "<https://example.org/old>"


def test_who_wants_none_gets_none_and_the_reason_is_a_code(guard: MailGuard) -> None:
    with pytest.raises(NotWanted) as refused:
        guard.prepared(written(BEN), "news")
    assert refused.value.reason == "objected"


@pytest.mark.parametrize("people", [[], [ANN, BEN], ["nobody"], ["=?x", "<@>"]])
def test_a_message_has_one_recipient(guard: MailGuard, troth: FakeTroth, people: list[str]) -> None:
    with pytest.raises(MailRefused, match="not exactly one address"):
        guard.prepared(written(*people), "news")
    assert troth.asked == []


def test_recipients_that_a_server_would_read_count_too(guard: MailGuard) -> None:
    for name in ("Cc", "Bcc", "Resent-To"):
        message = written(ANN)
        message[name] = BEN
        with pytest.raises(MailRefused, match="not exactly one address"):
            guard.prepared(message, "news")


def test_what_is_owed_is_not_asked_about(troth: FakeTroth) -> None:
    nobody = MailGuard("http://127.0.0.1:9", "troth_x")
    message = written(ANN, BEN)
    assert nobody.prepared(message, OWED) is message
    assert [decision.allowed for decision in nobody.ask([ANN], OWED)] == [True]


def test_many_are_asked_about_in_few_calls_and_each_once(guard: MailGuard, troth: FakeTroth) -> None:
    people = [f"ann+{number % 1_500}@example.org" for number in range(3_000)]
    decisions = guard.ask([*people, BEN], "news")
    assert [len(asked) for asked in troth.asked] == [ASKED_MAX, 501]
    assert [decision.allowed for decision in decisions] == [*[True] * 3_000, False]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "422 X", "302 Found", "500 X", "503 X"])
def test_a_refusal_is_no_decision(guard: MailGuard, troth: FakeTroth, status: str) -> None:
    troth.status = status
    with pytest.raises(MailUndecided, match=f"status {status[:3]}"):
        guard.ask([ANN], "news")
    assert len(troth.asked) == 1, "no redirect is followed"


MALFORMED: list[Any] = [
    b"<html>",
    b"[" * 100_000,
    b"\xff",
    b"null",
    b'{"mails": [1]}',
    b'{"mails": []}',
    {**YES, "allowed": "no"},
    {**YES, "allowed": 1},
    {"allowed": True},
    {**YES, "reason": f"given to {ANN}"},
    {**YES, "stop": "javascript:alert(1)"},
    {**YES, "stop": f'{LINK}"><script>'},
    {**YES, "headers": {"Bcc": ANN}},
    {**YES, "headers": {"List-Id": "<news.example.org>\r\nBcc: ann@example.org"}},
    {**YES, "headers": {**HEADERS, "List-Unsubscribe": f"<{LINK}>\n"}},
    {**YES, "headers": {"List-Id": 5}},
    {**YES, "headers": [1]},
]


@pytest.mark.parametrize("answer", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_answer_is_no_decision(guard: MailGuard, troth: FakeTroth, answer: Any) -> None:
    troth.body = answer if isinstance(answer, bytes) else json.dumps({"mails": [answer]}).encode()
    with pytest.raises(MailUndecided, match="malformed answer"):
        guard.ask([ANN], "news")


def test_an_answer_for_others_is_no_decision(guard: MailGuard, troth: FakeTroth) -> None:
    troth.body = json.dumps({"mails": [YES]}).encode()
    with pytest.raises(MailUndecided, match="malformed answer"):
        guard.ask([ANN, BEN], "news")


def test_a_slow_answer_ends_after_the_whole_time(troth: FakeTroth) -> None:
    troth.pieces = 500  # ten seconds, in pieces that each come in time
    begun = time.monotonic()
    with pytest.raises(MailUndecided):
        MailGuard(troth.url, "troth_x", timeout_s=0.2).ask([ANN], "news")
    assert time.monotonic() - begun < 5


def test_nobody_who_answers_is_no_decision() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (9, silent.getsockname()[1]):
            with pytest.raises(MailUndecided):
                MailGuard(f"http://127.0.0.1:{port}", "troth_x", timeout_s=0.1).ask([ANN], "news")


@pytest.mark.parametrize("url", ["http://privacy.example.org", "privacy.example.org", "", "https://[", "https://x:y"])
def test_addresses_and_tokens_do_not_travel_in_clear(url: str) -> None:
    with pytest.raises(MailRefused, match="https"):
        MailGuard(url, "troth_x")
    with pytest.raises(MailRefused, match="no token"):
        MailGuard("https://privacy.example.org", "")


def test_no_failure_tells_an_address(guard: MailGuard, troth: FakeTroth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    troth.body = json.dumps({"mails": [{**YES, "reason": ANN}]}).encode()
    calls: list[Callable[[], object]] = [
        lambda: guard.ask([ANN], "news"),
        lambda: guard.ask([ANN], f"{ANN}\r\n"),
        lambda: guard.prepared(written(ANN, BEN), "news"),
        lambda: MailGuard("http://127.0.0.1:9", "troth_x").ask([ANN], "news"),
    ]
    for call in calls:
        with pytest.raises((MailRefused, MailUndecided)) as failed:
            call()
        # Tracebacks quote the lines of the test, which name no address.
        assert "ann@" not in "".join(traceback.format_exception(failed.value))
    assert "ann@" not in caplog.text
    assert "troth_x" not in repr(guard)
    assert LINK not in repr(MailGuard(troth.url, "troth_x"))


def test_it_needs_the_standard_library_alone() -> None:
    program = "import sys, troth.hook.mail; print(sorted({'django', 'httpx', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- the page --------------------------------------------------------------------------------------------------------


def shown(label: str) -> str:
    (found,) = re.findall(rf"^```python {label}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_programs_shown_ask_and_send(
    site: Any, troth: FakeTroth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TROTH_MAIL_TOKEN", "troth_x")
    names: dict[str, Any] = {"os": os}
    exec(shown("settings"), names)
    assert (names["EMAIL_BACKEND"], names["TROTH_MAIL_TOKEN"]) == (site.EMAIL_BACKEND, "troth_x")
    exec(shown("django"), {"EmailMessage": EmailMessage})
    [sent] = mail.outbox
    assert (sent.to, sent.body.splitlines()[-1]) == ([ANN], f"Stop these e-mails: {LINK}")

    left = list[Any]()
    names = {"token": "troth_x", "message": written(BEN), "server": SimpleNamespace(send_message=left.append)}
    exec(shown("anywhere").replace("https://privacy.example.org", troth.url), names)
    assert (left, capsys.readouterr().out) == ([], "objected\n")
    names |= {"addresses": [ANN, BEN], "send": lambda *given: left.append(given)}
    exec(shown("link"), names)
    [(address, text, headers)] = left
    assert (address, text.splitlines()[-1], headers) == (ANN, f"Stop these e-mails: {LINK}", HEADERS)


# --- the backend -----------------------------------------------------------------------------------------------------


def test_each_recipient_gets_a_message_that_shows_no_other(site: Any, troth: FakeTroth) -> None:
    message = to(f"Ann <{ANN}>", BEN, cc=[CHLOE], bcc=["ann@EXAMPLE.org"])
    message.extra_headers |= {"To": "list@example.org", "cc": BEN, "list-unsubscribe": "<https://example.org/old>"}
    assert message.send() == 1
    assert [sent.recipients() for sent in mail.outbox] == [[f"Ann <{ANN}>"], [CHLOE], ["ann@EXAMPLE.org"]]
    for sent in mail.outbox:
        content = sent.message()
        assert content.get_all("To") == sent.to
        assert (content["Cc"], content["X-Troth-Purpose"]) == (None, None)
        assert {name: content.get_all(name) for name in HEADERS} == {name: [value] for name, value in HEADERS.items()}
    assert [[it["address"] for it in asked] for asked in troth.asked] == [[ANN, BEN, CHLOE, "ann@EXAMPLE.org"]]
    assert message.extra_headers["X-Troth-Purpose"] == "news", "the message itself is as it was"


def test_messages_are_counted_as_django_does_and_asked_about_together(site: Any, troth: FakeTroth) -> None:
    messages = [to(ANN), to(BEN), to(), to(CHLOE, BEN, purpose="offers"), to(ANN, BEN, purpose=OWED)]
    assert get_connection().send_messages(messages) == 3
    assert sorted(sent.recipients() for sent in mail.outbox) == [[ANN], [ANN, BEN], [CHLOE]]
    assert len(troth.asked) == 1
    assert get_connection().send_messages([]) == to().send() == 0


def test_a_message_without_a_purpose_is_refused_before_anything_is_sent(site: Any, troth: FakeTroth) -> None:
    with pytest.raises(MailRefused, match=r"X-Troth-Purpose.*TROTH_MAIL_PURPOSE"):
        get_connection(fail_silently=True).send_messages([to(ANN, purpose=OWED), to(ANN, purpose="")])
    with pytest.raises(MailRefused, match="several"):
        EmailMessage("", "", "", [ANN], headers={"X-Troth-Purpose": "news", "x-troth-purpose": OWED}).send()
    assert (mail.outbox, troth.asked) == ([], [])
    site.TROTH_MAIL_PURPOSE = OWED
    assert send_mail("Password", "…", None, [ANN, BEN]) == 1
    site.TROTH_MAIL_PURPOSE = "news"
    assert send_mail("News", "…", None, [ANN, BEN]) == 1
    assert [sent.to for sent in mail.outbox] == [[ANN, BEN], [ANN]]


@pytest.mark.parametrize("purpose", ["news\r\nBcc: ann@example.org", "Ann", "ann@example.org", "x" * 200])
def test_a_purpose_that_is_no_name_is_refused_without_its_value(site: Any, troth: FakeTroth, purpose: str) -> None:
    with pytest.raises(MailRefused) as refused:
        to(ANN, purpose=purpose).send()
    assert purpose not in str(refused.value)
    assert (mail.outbox, troth.asked) == ([], [])


@pytest.mark.parametrize(
    "person", [f"{ANN}, {BEN}", f"{ANN}\r\nBcc: {BEN}", "Ann", f"{ANN};{BEN}", f"Ann <{ANN}> {BEN}"]
)
def test_a_recipient_that_hides_another_is_refused(site: Any, troth: FakeTroth, person: str) -> None:
    with pytest.raises(MailRefused, match="not exactly one address"):
        to(person).send()
    assert (mail.outbox, troth.asked) == ([], [])


def test_names_and_other_scripts_beside_an_address_are_kept(site: Any, troth: FakeTroth) -> None:
    people = [f"Dr. A. <{ANN}>", f'"Ann, A" <{ANN}>', f"J\u00f6rg <{CHLOE}>", "ann@b\u00fccher.example"]
    assert to(*people).send() == 1
    assert [sent.to for sent in mail.outbox] == [[person] for person in people]
    assert [it["address"] for it in troth.asked[0]] == [ANN, CHLOE, "ann@b\u00fccher.example"]


def test_while_troth_is_away_only_what_is_owed_leaves(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.TROTH_MAIL_URL = "http://127.0.0.1:9"
    messages = [to(ANN), to(BEN, purpose=OWED)]
    with pytest.raises(MailUndecided):
        get_connection().send_messages(messages)
    assert [sent.to for sent in mail.outbox] == [[BEN]]
    assert get_connection(fail_silently=True).send_messages(messages) == 1
    assert [sent.to for sent in mail.outbox] == [[BEN], [BEN]]
    assert "messages not sent: 1 (Troth did not decide" in caplog.text
    assert "@" not in caplog.text


def test_an_undeclared_purpose_is_an_error_and_not_a_silence(site: Any, troth: FakeTroth) -> None:
    troth.answer = lambda it: {**NO, "reason": "not_declared"}
    with pytest.raises(MailRefused, match=r"troth\.yaml declares no purpose nwes"):
        to(ANN, purpose="nwes").send()


def test_a_stop_counts_from_the_next_call(site: Any, troth: FakeTroth) -> None:
    assert to(ANN).send() == 1
    troth.answer = lambda it: NO
    assert to(ANN).send() == 0
    assert len(mail.outbox) == 1


def test_the_link_stands_where_the_text_wants_it(site: Any, troth: FakeTroth) -> None:
    message = EmailMultiAlternatives("News", "Stop: {{troth_stop_link}}", None, [ANN, CHLOE])
    message.attach_alternative('<a href="{{troth_stop_link}}">Stop</a>', "text/html")
    message.extra_headers = {"X-Troth-Purpose": "news"}
    assert message.send() == 1
    for sent in mail.outbox:
        assert sent.body == f"Stop: {LINK}"
        assert sent.alternatives[0].content == f'<a href="{LINK}">Stop</a>'  # type: ignore[attr-defined]
    assert "{{" in message.body
    troth.answer = lambda it: {**YES, "stop": "", "headers": {}}
    with pytest.raises(MailRefused, match="none that a link stops"):
        message.send()


def test_it_wraps_the_named_backend_and_passes_its_options_on(site: Any, tmp_path: Any) -> None:
    site.TROTH_MAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    with get_connection(file_path=str(tmp_path)) as connection:
        assert connection.send_messages([to(ANN)]) == 1
    [file] = tmp_path.iterdir()
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in file.read_text()
    site.TROTH_MAIL_BACKEND = "troth.hook.django.mail.Backend"
    with pytest.raises(MailRefused, match="names this backend again"):
        get_connection()

"""E-mail through a provider's own interface, against a fake of Postmark's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from tests.rig.postmark import TOKEN, Postmark, postmark

from troth.service.configuration import MailServer, Settings, SettingsError
from troth.service.mail.bounces import Judgement, ReportKind
from troth.service.mail.message import Address, message
from troth.service.mail.provider import Provider
from troth.service.mail.rules import Attachment, MessageText
from troth.service.mail.transports import Doubtful, MailError, MessageRefused, ServerUnreachable

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
STOP = "<https://shop.example.org/your-data/stop/x>"


@pytest.fixture
def service() -> Iterator[Postmark]:
    with postmark() as fake:
        yield fake


def hand_over(service: Postmark, *, token: str = TOKEN, provider: str = "postmark") -> list[str]:
    """Send one e-mail: what happened, in order."""
    made = message(
        MessageText("Größe", "In June: €5", "<p>In June: €5</p>"),
        name="Example Shop Ltd",
        sender=Address.read("news@example.org"),
        to=Address.read("ann@example.org"),
        language="en",
        now=NOW,
        headers={"List-Unsubscribe": STOP, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        attachments=[Attachment("receipt.json", "application/json", b"{}")],
        envelope=Address.read("bounces+one@example.org"),
    )
    happened = list[str]()
    options = (("server_token", token), ("api_url", service.url))
    transport = Provider(MailServer(provider=provider, options=options))
    try:
        transport.hand_over(made, lambda: happened.append("point of no return"))
    finally:
        transport.close()
    return happened


def test_the_provider_gets_the_texts_the_headers_and_the_attachments(service: Postmark) -> None:
    assert hand_over(service) == ["point of no return"]
    [got] = service.got
    assert (got["From"], got["To"], got["Subject"]) == (
        "Example Shop Ltd <news@example.org>",
        "ann@example.org",
        "Größe",
    )
    assert got["TextBody"].strip() == "In June: €5"
    assert got["HtmlBody"].strip() == "<p>In June: €5</p>"
    headers = {one["Name"]: one["Value"] for one in got["Headers"]}
    assert headers["List-Unsubscribe"] == STOP
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert [one["Name"] for one in got["Attachments"]] == ["receipt.json"]


@pytest.mark.parametrize(
    ("answer", "error", "for_good"),
    [
        (422, MessageRefused, True),  # the recipient is inactive there
        (400, MessageRefused, False),
        (413, MessageRefused, True),
        (429, ServerUnreachable, None),
        (500, Doubtful, None),
        ("drop", Doubtful, None),
    ],
)
def test_what_the_provider_answers_is_what_became_of_the_message(
    service: Postmark, answer: int | str, error: type[MailError], for_good: bool | None
) -> None:
    service.answer = answer
    with pytest.raises(error) as raised:
        hand_over(service)
    assert getattr(raised.value, "for_good", None) == for_good
    assert "ann" not in str(raised.value)


def test_a_refused_recipient_is_gone_perhaps(service: Postmark) -> None:
    service.answer = 422
    with pytest.raises(MessageRefused) as raised:
        hand_over(service)
    assert raised.value.judged == Judgement(ReportKind.GONE, is_unsure=True)


def test_a_wrong_token_a_wrong_name_and_a_server_that_is_away_send_nothing(service: Postmark) -> None:
    with pytest.raises(ServerUnreachable, match="401"):
        hand_over(service, token="wrong")
    with pytest.raises(ServerUnreachable, match="unknown"):
        hand_over(service, provider="nobody")
    with pytest.raises(ServerUnreachable, match="unreachable"):
        hand_over(Postmark("http://127.0.0.1:1/"))
    assert service.got == []


def test_the_setting_names_the_provider_and_its_options_and_hides_them() -> None:
    environment = {"TROTH_MAIL_URL": f"anymail://postmark?server_token={TOKEN}", "TROTH_HOME": "/tmp/home"}
    read = Settings.read(environment).mail
    assert read is not None
    assert (read.provider, dict(read.options)) == ("postmark", {"server_token": TOKEN})
    assert TOKEN not in repr(read)
    for wrong in ("anymail://postmark", "anymail://?server_token=x", "anymail://../x?y=z"):
        with pytest.raises(SettingsError, match="names no provider"):
            Settings.read({**environment, "TROTH_MAIL_URL": wrong})

"""A message that is prepared once and finished for each person, with headers and an envelope of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.mailing import Sink, read

from troth.service.mail.message import Address, PreparedMessage, author_domain
from troth.service.mail.rules import Attachment, LetterRefused, MessageText
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import MessageRefused

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
ANN, NEWS = Address.read("ann@example.org"), Address.read("news@example.org")


def prepared(
    subject: str = "News for {{name}}", plain: str = "Hello {{name}}", html: str = "<p>{{name}}</p>", **more: Any
) -> PreparedMessage:
    given = {"name": "Example Ltd", "sender": NEWS, "language": "en", "placeholders": ["name"], **more}
    return PreparedMessage(MessageText(subject, plain, html), **given)


def parts(message: PreparedMessage, **values: str) -> tuple[str, str, str]:
    """Subject, text and page of a copy as a mail program reads them, their last line end removed."""
    mail = read(message.message(to=ANN, now=NOW, values=values).content)
    plain, html = (mail.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    texts = [part.get_content().replace("\r\n", "\n").removesuffix("\n") for part in (plain, html)]
    return mail["Subject"], texts[0], texts[1]


def test_a_value_stands_in_every_part_and_is_escaped_in_html() -> None:
    assert parts(prepared(), name='Ann <b> & "Co"') == (
        'News for Ann <b> & "Co"',
        'Hello Ann <b> & "Co"',
        "<p>Ann &lt;b&gt; &amp; &quot;Co&quot;</p>",
    )


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n =.\t"), max_size=200)


@given(WORDS, WORDS, WORDS)
def test_texts_and_values_arrive_as_they_are(before: str, value: str, after: str) -> None:
    template = f"{before}{{{{name}}}}{after}"
    _, plain, _ = parts(prepared("News", template), name=value)
    assert plain == template.replace("{{name}}", value).removesuffix("\n")
    content = prepared("News", template).message(to=ANN, now=NOW, values={"name": value}).content
    assert max(map(len, content.split(b"\r\n"))) <= 78


def test_nothing_else_in_braces_is_replaced() -> None:
    assert parts(prepared("{{name}}", "{{other}} {{ name }}", "{{{name}}}"), name="{{name}}") == (
        "{{name}}",
        "{{other}} {{ name }}",
        "{{{name}}}",
    )


@pytest.mark.parametrize("values", [{}, {"name": "Ann", "nmae": "Ann"}, {"nmae": "Ann"}])
def test_a_value_that_is_missing_or_unknown_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(LetterRefused, match=r"look at: n(ame|mae)") as refused:
        prepared().message(to=ANN, now=NOW, values=values)
    assert "Ann" not in str(refused.value)


def test_a_value_adds_no_header() -> None:
    with pytest.raises(LetterRefused, match="the Subject of an e-mail is one line"):
        prepared().message(to=ANN, now=NOW, values={"name": "Ann\r\nBcc: ben@example.org"})


def test_bounces_go_to_the_envelope_and_answers_to_the_sender() -> None:
    bounces = Address.read("bounce+token@bounce.example.org")
    made = prepared("News", "Hello", "Hello", placeholders=()).message(to=ANN, now=NOW, envelope=bounces)
    assert (made.sender, made.to) == ("bounce+token@bounce.example.org", "ann@example.org")
    assert read(made.content)["From"] == "Example Ltd <news@example.org>"
    assert b"bounce" not in made.content
    assert prepared().message(to=ANN, now=NOW, values={"name": ""}).sender == "news@example.org"


def test_headers_are_added_and_folded_between_addresses_only() -> None:
    web, mail = f"<https://example.org/stop/{'t' * 90}>", f"<mailto:stop+{'t' * 40}@example.org>"
    common = prepared(headers={"List-Id": "<news.example.org>"})
    made = common.message(to=ANN, now=NOW, values={"name": "Ann"}, headers={"List-Unsubscribe": f"{web}, {mail}"})
    assert f"\r\nList-Unsubscribe: {web},\r\n {mail}\r\n".encode() in made.content
    read_back = read(made.content)
    assert (read_back["List-Id"], read_back["List-Unsubscribe"]) == ("<news.example.org>", f"{web}, {mail}")
    with pytest.raises(LetterRefused, match="every copy"):
        common.message(to=ANN, now=NOW, values={"name": "Ann"}, headers={"list-id": "<other.example.org>"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Id", "a\r\nBcc: ben@example.org"),
        ("List-Id", "a\nb"),
        ("List-Id", "a\tb"),
        ("List-Id", "ä"),
        ("List-Id", ""),
        ("List-Id", " a"),
        ("List-Id", "a" * 999),
        ("Bcc", "ben@example.org"),
        ("From", "ben@example.org"),
        ("DKIM-Signature", "v=1"),
        ("Content-Type", "text/plain"),
        ("Resent-To", "ben@example.org"),
        ("X: Y", "a"),
        ("X\r\nBcc", "a"),
        ("", "a"),
    ],
)
def test_a_header_that_could_be_another_is_refused(name: str, value: str) -> None:
    with pytest.raises(LetterRefused) as refused:
        prepared().message(to=ANN, now=NOW, values={"name": "Ann"}, headers={name: value})
    assert "ben@" not in str(refused.value)


def test_attachments_follow_both_texts() -> None:
    file = Attachment("terms.pdf", "application/pdf", b"%PDF" * 100)
    made = prepared(attachments=[file]).message(to=ANN, now=NOW, values={"name": "Ann"})
    [attached] = read(made.content).iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("terms.pdf", b"%PDF" * 100)


@pytest.mark.parametrize("name", ["", "Example Ltd", 'A "b" c@d.example', "Ä" * 80])
def test_the_domain_of_the_author_is_that_of_the_address(name: str) -> None:
    sender = Address.read("News@Mail.Example.org")
    text = MessageText("From: x@other.example", "From: y@other.example", "")
    made = PreparedMessage(text, name=name, sender=sender, language="en").message(to=ANN, now=NOW)
    assert author_domain(made.content) == "mail.example.org"


def test_an_address_in_a_header_asks_for_smtputf8_whatever_the_envelope() -> None:
    author = Address.read("nachrichten-ä@example.org")
    with Sink(enable_SMTPUTF8=False) as sink:
        smtp = Smtp(sink.server)
        text = MessageText("News", "Hello", "Hello")
        made = PreparedMessage(text, name="", sender=author, language="en").message(to=ANN, now=NOW, envelope=NEWS)
        with pytest.raises(MessageRefused, match="no SMTPUTF8"):
            smtp.hand_over(made, lambda: None)
        plain = prepared().message(to=ANN, now=NOW, values={"name": "Ä"}, envelope=Address.read("b+1@example.org"))
        smtp.hand_over(plain, lambda: None)
        smtp.close()
    assert [(it.mail_from, it.rcpt_tos) for it in sink.taken] == [("b+1@example.org", ["ann@example.org"])]

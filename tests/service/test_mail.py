"""Letters are queued with the change that asks for them, in nobody's plain sight, and sent once."""

from __future__ import annotations

import datetime as dt
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from django.db import transaction

from troth.declaration import Organisation
from troth.ledger import Entry
from troth.protect import Keyring
from troth.service.mail.models import LetterRow
from troth.service.mail.plan import Letter
from troth.service.mail.run import post, send_due, was_sent
from troth.service.mail.transports import Folder
from troth.service.record.models import EntryRow

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
COMPANY = Organisation(
    name="Example Ltd", country="GB", address="1 Example Street", email="privacy@example.org", regulator="ICO"
)
KEYS = Keyring(b"\x01" * 32)
ANN = "ann@example.org"


def letter(once: str = "case:R-2026-0187/link", to: str = ANN, language: str = "en") -> Letter:
    facts = {"link": "https://example.org/mine/x", "until": NOW + DAY, "what": "erase"}
    return Letter("link", to, language, "case:R-2026-0187", facts, once)


def posted(one: Letter, *, now: dt.datetime = NOW) -> LetterRow:
    return post(one, keyring=KEYS, organisation=COMPANY, now=now)


def read(file: Path) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_is_queued_and_sent_with_its_entry(database: str, tmp_path: Path) -> None:
    row = posted(letter())
    assert send_due(NOW, keyring=KEYS, transport=Folder(tmp_path)) == 1
    (file,) = tmp_path.glob("*.eml")
    message = read(file)
    assert (message["To"], message["Message-ID"]) == (ANN, row.message_id)
    (stored,) = EntryRow.objects.all()
    entry = Entry.decode(bytes(stored.content))
    assert entry.kind == "letter.sent"
    assert entry.fields["case"] == KEYS.pseudonym("case", "R-2026-0187")
    assert was_sent(row.once)
    assert LetterRow.objects.get().sealed is None


def test_a_letter_commits_with_what_asks_for_it(database: str) -> None:
    def change_that_fails() -> None:
        with transaction.atomic():
            posted(letter())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    assert not LetterRow.objects.exists()


def test_the_same_key_is_queued_once_ever(database: str, tmp_path: Path) -> None:
    assert posted(letter()).pk == posted(letter()).pk
    assert send_due(NOW, keyring=KEYS, transport=Folder(tmp_path)) == 1
    assert posted(letter()).state == "sent"
    assert send_due(NOW, keyring=KEYS, transport=Folder(tmp_path)) == 0

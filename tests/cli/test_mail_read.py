"""``troth mail read``: what bounces and complaints say, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Ask
from tests.service import mail_reports as made


def test_the_command_shows_each_file_and_recipient(ask: Ask, tmp_path: Path) -> None:
    ten, mail = tmp_path / "ten.eml", tmp_path / "mail.eml"
    ten.write_bytes(made.ten_recipients().raw)
    mail.write_bytes(b"From: ann@example.org\nSubject: Hello\n\nHello.\n")
    answer = ask("mail", "read", str(ten), str(mail), "--json")
    rows = json.loads(answer.out)
    assert (answer.code, len(rows)) == (0, 11)
    assert rows[0] == {
        "file": str(ten),
        "class": "gone",
        "address": "ann0@example.org",
        "message_id": "<ten0@shop.example.org>",
    }
    assert rows[-1] == {"file": str(mail), "class": "none", "address": "", "message_id": ""}
    table = ask("mail", "read", str(ten), str(mail)).out.splitlines()
    assert table[0].split() == ["File", "Class", "Address", "Message", "id"]
    assert len(table) == 12


def test_the_command_names_a_file_that_is_not_there(ask: Ask, tmp_path: Path) -> None:
    answer = ask("mail", "read", str(tmp_path / "none.eml"))
    assert answer.code == 2
    assert "none.eml" in answer.err

"""``troth mail check`` and ``troth mail dns``: what they print, ask and refuse, with a name server of ours."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.service.mail_samples import HTML, Records, copy
from tests.service.test_mail import rows  # noqa: F401 - a fixture

from troth.cli import deployment, main
from troth.protect import create_home
from troth.service.mail.signatures import records


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Records:
    server = Records()
    monkeypatch.setattr(records, "Dns", lambda: server)
    return server


@pytest.fixture
def company(dns: Records, rows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    create_home(tmp_path / "keys")
    monkeypatch.setenv("TROTH_HOME", str(tmp_path / "keys"))
    monkeypatch.setenv("TROTH_MAIL_FROM", "privacy@example.org")
    monkeypatch.setattr(deployment, "use_database", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def troth(*command: str) -> Result:
    return CliRunner().invoke(main, ["mail", *command], catch_exceptions=False)


def document(result: Result) -> Any:
    return json.loads(result.stdout)


# --- check ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "news.eml"
    path.write_bytes(copy().content)
    return path


def test_a_message_without_a_fault_passes_and_the_rest_is_said(dns: Records, file: Path) -> None:
    dns.texts["mail.example.org"] = ["v=spf1 mx -all"]
    answer = troth("check", str(file), "--json")
    facts = document(answer)
    assert (answer.exit_code, facts["faults"]) == (0, [])
    assert [it.partition(":")[0] for it in facts["not_looked_at"]] == [
        "the envelope sender",
        "whether the opt-out is this recipient's",
        "whether pages answer",
    ]


def test_each_fault_has_place_fix_and_law(dns: Records, file: Path) -> None:
    dns.texts["mail.example.org"] = ["v=spf1 mx -all"]
    pixel = HTML.replace("</body>", '<img src="https://example.org/i.gif" width="1" height="1"></body>')
    file.write_bytes(copy(html=pixel).content)
    answer = troth("check", str(file))
    assert answer.exit_code == 1
    assert "1 fault; 1 to fix before it is sent.\nblocks: pixel (text/html)\n" in answer.stdout
    assert "CNIL deliberation 2026-042" in answer.stdout
    assert "ann@example.org" not in answer.stdout


def test_without_a_name_server_that_is_said(dns: Records, file: Path) -> None:
    dns.is_away = True
    answer = troth("check", str(file))
    assert answer.exit_code == 0
    assert "not looked at: whether the signatures verify, and the records of SPF and DMARC: no name" in answer.stdout
    assert "DNS was not asked" in troth("check", str(file), "--offline").stdout


def test_an_owed_message_needs_no_opt_out(dns: Records, file: Path) -> None:
    file.write_bytes(copy(headers={"List-Unsubscribe": None, "List-Unsubscribe-Post": None}).content)
    assert "optout_missing" in troth("check", str(file), "--offline").stdout
    assert troth("check", str(file), "--offline", "--class", "owed").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\0\1\2", b"Subject: no author\r\n\r\n", b"x" * 6_000_000])
def test_what_is_no_message_is_asked_wrongly(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    answer = troth("check", str(file), "--offline")
    assert answer.exit_code == 2
    assert "e-mail" in answer.output


# --- dns ------------------------------------------------------------------------------------------------------------


def test_without_keys_the_other_records_are_printed(company: Path, dns: Records) -> None:
    answer = troth("dns", "--json", "--bounces", "bounce.example.org")
    assert [(it["name"], it["type"], it["published"]) for it in document(answer)["records"]] == [
        ("bounce.example.org", "TXT", True),
        ("_dmarc.example.org", "TXT", True),
        ("bounce.example.org", "MX", True),
    ]
    assert answer.exit_code == 0
    assert troth("dns").exit_code == 1  # the domain itself has no SPF record


def test_a_key_is_made_published_and_used(company: Path, dns: Records) -> None:
    made = document(troth("dns", "--new-key", "example.org", "--bounces", "bounce.example.org", "--json"))["records"][0]
    selector = f"troth-{dt.datetime.now(dt.UTC):%Y-%m}a"
    assert (made["name"], made["published"], made["needed"]) == (f"{selector}._domainkey.example.org", False, False)
    assert made["use"].startswith("waits: publish its record")
    refused = troth("dns", "--activate", selector)
    assert (refused.exit_code, "publish it first" in refused.output) == (1, True)
    dns.texts[made["name"]] = [made["value"]]
    used = document(troth("dns", "--activate", selector, "--bounces", "bounce.example.org", "--json"))["records"][0]
    assert (used["use"], used["published"], used["needed"]) == ("signs", True, True)
    del dns.texts[made["name"]]
    gone = troth("dns", "--bounces", "bounce.example.org")
    assert (gone.exit_code, "DKIM: NOT published; signs" in gone.stdout) == (1, True)


def test_a_replaced_key_keeps_its_record(company: Path, dns: Records) -> None:
    for _ in range(2):
        [*_, newest] = [
            it for it in document(troth("dns", "--new-key", "example.org", "--json"))["records"] if it["for"] == "DKIM"
        ]
        troth("dns", "--published", "--activate", newest["name"])
    old, new, *_ = document(troth("dns", "--json"))["records"]
    assert (old["needed"], new["needed"], new["use"]) == (True, True, "signs")
    assert "may leave DNS after" in old["use"]


def test_without_a_name_server_nothing_is_said_to_be_missing(company: Path, dns: Records) -> None:
    dns.is_away = True
    answer = troth("dns")
    assert answer.exit_code == 0
    assert "DMARC: not looked at: no name server answers" in answer.stdout


def test_a_key_for_no_domain_is_asked_wrongly(company: Path) -> None:
    answer = troth("dns", "--new-key", "Example Ltd")
    assert (answer.exit_code, "such as example.org" in answer.output) == (2, True)

"""Reports of probers: signed, once, and from outside; and what the control makes of them."""

from __future__ import annotations

import datetime as dt
import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.service import team

from troth.controls import Check, CheckOutcome, run
from troth.ledger import Entry
from troth.service.assurance import probers
from troth.service.assurance.control_inputs import register_answers
from troth.service.assurance.models import ProberRow
from troth.service.core.deployment import current
from troth.service.core.models import EntryRow
from troth.site import prober as program
from troth.site.prober import Config, signed

pytestmark = pytest.mark.sampled

OUTSIDE, OWN = "9.9.9.9", "8.8.4.4"
SITE = "https://voice.example.org/"
DECLARED = team.DECLARED.replace("http://localhost:8000", SITE) + (
    "systems:\n  shop: {title: Shop, store: 'postgresql://reader@127.0.0.1/shop', tables: {}}\n"
)


@pytest.fixture
def company(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "TROTH", team.lay(tmp_path))
    (tmp_path / "troth.yaml").write_text(DECLARED)
    monkeypatch.setattr(probers, "own_addresses", lambda host: frozenset({ip_address(OWN)}))
    monkeypatch.setattr(program, "_BOOT", tmp_path / "boot")  # another machine for the reports than for Troth
    return tmp_path


@pytest.fixture
def office(company: Path) -> Config:
    return made("office")


def made(name: str, **more: Any) -> Config:
    given = probers.make(name, deployment=current(), now=timezone.now(), **more)
    return Config.read(json.dumps(given))


def seen(config: Config, **changes: str) -> dict[str, Any]:
    """What a prober sees of a company whose firewall drops everything else."""
    ports = [(host, port) for host, port in config.targets]
    hosts = dict.fromkeys(host for host, _ in config.targets)
    states = {f"{host}:{port}": "silent" for host, port in [*ports, *((host, 1) for host in hosts)]} | changes
    return {
        "version": 1,
        "at": 0,
        "endpoints": [[*where.rsplit(":", 1), state] for where, state in states.items()],
        "reference": [],
        "tls": {"version": "TLSv1.3", "state": "valid", "days_left": 60},
        "pages": {name: {"status": 200, "sha256": "0" * 64, "has_form": True} for name, _ in config.pages},
        "machine": "",
    }


def send(
    config: Config,
    report: dict[str, Any],
    *,
    at: dt.datetime | None = None,
    peer: str = OUTSIDE,
    name: str = "",
    headers: dict[str, str] | None = None,
) -> Any:
    report["endpoints"] = [[host, int(port), state] for host, port, state in report["endpoints"]]
    body = json.dumps(report).encode()
    signature = headers or signed(config, body, now=(at or timezone.now()).timestamp())
    return Client(REMOTE_ADDR=peer).post(
        f"/probes/{name or config.name}", data=body, content_type="application/json", headers=signature
    )


def check() -> Check:
    register_answers()
    now, deployment = timezone.now(), current()
    given = {"declaration": deployment.declaration, "now": now}
    return run("site.not_exposed", {**given, "exposure": probers.exposure(deployment, now)})


def test_an_open_port_in_a_report_from_outside_fails(office: Config) -> None:
    assert check().outcome is CheckOutcome.ERROR
    assert send(office, seen(office)).status_code == 200
    assert check().outcome is CheckOutcome.PASS
    assert send(office, seen(office, **{"voice.example.org:5432": "open"})).status_code == 200
    failed = check()
    assert (failed.outcome, "shop" in {it.place for it in failed.findings}) == (CheckOutcome.FAIL, True)


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.7", OWN, "8.8.4.77", "::1"])
def test_a_report_from_our_own_machine_or_network_shows_nothing(office: Config, peer: str) -> None:
    assert send(office, seen(office), peer=peer).status_code == 200
    answer = check()
    assert (answer.outcome, "from inside" in answer.summary) == (CheckOutcome.ERROR, True)


def test_a_prober_on_the_same_machine_shows_nothing_whatever_its_address(office: Config, company: Path) -> None:
    (company / "boot").write_text("the kernel's own id")
    report = seen(office) | {"machine": program.machine(office.key)}
    assert send(office, report).status_code == 200
    assert "same machine" in check().summary


def test_behind_our_own_proxy_the_address_that_it_saw_counts(office: Config) -> None:
    body = json.dumps(seen(office) | {"endpoints": []}).encode()
    headers = signed(office, body, now=timezone.now().timestamp()) | {"x-forwarded-for": f"{OUTSIDE}, {OWN}"}
    Client(REMOTE_ADDR="127.0.0.1").post("/probes/office", data=body, content_type="application/json", headers=headers)
    assert ProberRow.objects.get().seen_from == "same_machine"


def test_a_report_that_is_sent_again_is_refused(office: Config) -> None:
    good, now = seen(office), timezone.now()
    assert send(office, good, at=now).status_code == 200
    assert send(office, good, at=now).status_code == 401
    assert send(office, seen(office), at=now - dt.timedelta(seconds=9)).status_code == 401, (
        "captured before, sent later"
    )


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_report_of_a_wrong_clock_is_refused(office: Config, minutes: int) -> None:
    assert send(office, seen(office), at=timezone.now() + dt.timedelta(minutes=minutes)).status_code == 401
    assert check().outcome is CheckOutcome.ERROR


def test_whatever_is_wrong_with_a_signature_the_answer_is_the_same(office: Config) -> None:
    other, now = made("home"), timezone.now()
    body = json.dumps(seen(office) | {"endpoints": []}).encode()
    good = signed(office, body, now=now.timestamp())
    forged = [
        send(office, seen(office), headers={**good, "webhook-signature": "v1,AAAA"}),
        send(office, seen(office), headers=good),  # of another body
        send(office, seen(office), headers={"x": "y"}),
        send(office, seen(office), headers={**good, "webhook-signature": "v1,\xe9"}),
        send(other, seen(other), name="office"),  # of another prober
        send(office, seen(office), name="nobody"),
        send(office, seen(office), name="Not a name"),
        send(office, seen(office) | {"padding": "x" * probers.BODY_BYTES_MAX}),
    ]
    answers = {(answer.status_code, answer.content) for answer in forged}
    assert {status for status, _ in answers} == {401}
    assert len(answers) == 1


def test_a_prober_whose_key_does_not_open_is_answered_like_an_unknown_one(
    office: Config, caplog: pytest.LogCaptureFixture
) -> None:
    ProberRow.objects.update(secret=b"sealed under another key")
    known, unknown = send(office, seen(office)), send(office, seen(office), name="nobody")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 401
    [logged] = [it.getMessage() for it in caplog.records if it.name == "troth.probers"]
    assert ("make it again" in logged, "office" in logged) == (True, False)


def test_a_prober_that_was_ended_or_made_again_no_longer_counts(office: Config) -> None:
    assert send(office, seen(office)).status_code == 200
    again = made("office")
    assert check().outcome is CheckOutcome.ERROR, "its former report is dropped"
    assert send(office, seen(office)).status_code == 401, "its former key is dropped"
    assert send(again, seen(again)).status_code == 200
    assert probers.end("office", now=timezone.now())
    assert not probers.end("office", now=timezone.now())
    assert check().outcome is CheckOutcome.ERROR
    assert send(again, seen(again)).status_code == 401


def test_a_prober_that_was_told_fewer_ports_than_the_stores_have_shows_nothing(office: Config, company: Path) -> None:
    assert send(office, seen(office)).status_code == 200
    (company / "troth.yaml").write_text(DECLARED.replace("127.0.0.1/shop", "127.0.0.1:6543/shop"))
    answer = check()
    assert (answer.outcome, "not told to try voice.example.org:6543" in answer.summary) == (CheckOutcome.ERROR, True)


def test_only_what_the_prober_was_given_is_stored(office: Config) -> None:
    report = seen(office, **{"ann.example.org:5432": "open"})
    assert send(office, report).status_code == 200
    assert "ann" not in json.dumps(ProberRow.objects.get().report)
    invalid: tuple[dict[str, Any], ...] = (
        {"more": "ann@example.org"},
        {"tls": {}},
        {"endpoints": [["h", "99999", "open"]]},
        {"version": 2},
    )
    for wrong in invalid:
        answer = send(office, seen(office) | wrong)
        assert (answer.status_code, b"ann" in answer.content) == (422, False)


@pytest.mark.parametrize(
    ("name", "hosts"), [("Office", ()), ("office", ("10.0.0.1",)), ("office", ("https://x.example.org",))]
)
def test_a_prober_that_makes_no_sense_is_refused(company: Path, name: str, hosts: tuple[str, ...]) -> None:
    with pytest.raises(probers.ProberRefused):
        made(name, hosts=hosts)


def test_the_configuration_names_public_hosts_and_no_credentials(company: Path) -> None:
    given = probers.make("office", deployment=current(), now=timezone.now(), hosts=["db.example.org"])
    assert {host for host, _ in given["targets"]} == {"voice.example.org", "db.example.org"}
    assert given["url"] == "https://voice.example.org/probes/office"
    assert "reader" not in json.dumps(given)
    assert [Entry.decode(bytes(row.content)).kind for row in EntryRow.objects.all()] == ["prober.changed"]
    assert bytes(ProberRow.objects.get().secret) != given["key"].encode()


def test_our_own_addresses_are_known_without_a_name_server() -> None:
    assert ip_address("127.0.0.1") in probers.own_addresses("localhost")

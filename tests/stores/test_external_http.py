"""Systems that are asked over HTTP: a vendor on localhost, first an honest one and then in every known way not."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.rig.vendor import FakeVendor, Trap
from tests.tables import each_row

from troth.declaration import System
from troth.hook import Answer, AnswerState, Right
from troth.stores import AskedLater, ExternalSystem, StoreRefused, StoreUnreachable, open_asked
from troth.stores.external import http
from troth.testing.external_systems import ANN, SECRET, AskedContract, asking, make_ask


class VendorPlace:
    """The vendor as a place of the contract."""

    def __init__(self, vendor: FakeVendor) -> None:
        self.vendor = vendor
        self._opened: list[ExternalSystem] = []

    def open(self, **changes: Any) -> ExternalSystem:
        self._opened.append(http.connect("desk", self.vendor.url, asking(**changes), SECRET, sleep=lambda _: None))
        return self._opened[-1]

    def close(self) -> None:
        for asked in self._opened:
            asked.close()

    def holds(self, email: str) -> int:
        return sum(row["email"] == email for table in self.vendor.tables.values() for row in table)

    def name(self, email: str) -> str | None:
        return next((row["name"] for row in self.vendor.tables["contact"] if row["email"] == email), None)

    def times(self) -> int:
        return self.vendor.times

    def break_down(self) -> None:
        self.vendor.is_broken = True


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as vendor:
        yield vendor


@pytest.fixture
def place(vendor: FakeVendor) -> Iterator[VendorPlace]:
    place = VendorPlace(vendor)
    yield place
    place.close()


class TestHttp(AskedContract):
    """The honest vendor."""


Trapped = Callable[..., ExternalSystem]


@pytest.fixture
def trapped(vendor: FakeVendor, place: VendorPlace) -> Trapped:
    def fall(trap: Trap, **changes: Any) -> ExternalSystem:
        vendor.trap = trap
        return place.open(**changes)

    return fall


# --- vendors who do not do what they say -----------------------------------------------------------------------------


def test_accepted_is_not_done(trapped: Trapped, place: VendorPlace) -> None:
    desk, erase = trapped(Trap.FORGETS), make_ask(Right.ERASE)
    assert desk.ask(erase).state is AnswerState.ACCEPTED
    assert [desk.poll(erase.id).state for _ in range(5)] == [AnswerState.ACCEPTED] * 5
    assert desk.verify(erase).detail == "still_there"


def test_done_is_not_believed_even_where_the_vendor_verifies_itself(trapped: Trapped) -> None:
    desk, erase = trapped(Trap.LIES), make_ask(Right.ERASE)
    assert desk.ask(erase).state is AnswerState.DONE
    seen = desk.verify(erase)
    assert (seen.state, seen.detail, dict(seen.counts)) == (AnswerState.FAILED, "still_there", {"rows": 4})


def test_without_a_view_the_vendors_word_is_all_there_is(trapped: Trapped) -> None:
    desk = trapped(Trap.LIES, answers=("erase",))
    assert desk.verify(make_ask(Right.ERASE)).state is AnswerState.DONE


# --- vendors who are away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trap", "seconds"), [(Trap.BUSY, 90), (Trap.UNAVAILABLE, 3600)])
def test_a_busy_vendor_says_when_to_come_again(trapped: Trapped, vendor: FakeVendor, trap: Trap, seconds: int) -> None:
    with pytest.raises(AskedLater) as busy:
        trapped(trap).ask(make_ask(Right.ERASE))
    assert (busy.value.retryable, busy.value.retry_after_s) == (True, seconds)
    assert len(vendor.received) == 1  # we do not hammer


@pytest.mark.parametrize("trap", [Trap.FAILS_ONCE, Trap.LOST_ANSWER])
def test_a_moment_of_trouble_is_not_told(trapped: Trapped, vendor: FakeVendor, place: VendorPlace, trap: Trap) -> None:
    answer = trapped(trap).ask(make_ask(Right.ERASE))
    assert (answer.state, dict(answer.counts)) == (AnswerState.DONE, {"erased": 3})
    assert (len(vendor.received), vendor.times, place.holds(ANN)) == (2, 1, 1)


@pytest.mark.parametrize(("trap", "tries"), [(Trap.FAILS, 3), (Trap.DEAF, 0)])
def test_lasting_trouble_may_be_tried_again_later(trapped: Trapped, vendor: FakeVendor, trap: Trap, tries: int) -> None:
    with pytest.raises(StoreUnreachable) as away:
        trapped(trap).ask(make_ask(Right.ERASE))
    assert away.value.retryable
    assert len(vendor.received) == tries


@pytest.mark.parametrize("trap", [Trap.SLOW, Trap.DRIPS])
def test_nobody_waits_longer_than_declared(trapped: Trapped, trap: Trap) -> None:
    with pytest.raises(StoreUnreachable):
        trapped(trap, timeout_s=1).ask(make_ask(Right.ERASE))


# --- answers that are none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        (Trap.UNSIGNED, "does it support the protocol"),
        (Trap.WRONG_SIGNATURE, "compare the secrets"),
        (Trap.OLD_TIMESTAMP, "the clocks differ"),
        (Trap.OTHER_ASK, "it answers another message"),
        (Trap.REDIRECTS, "redirects"),
        (Trap.HUGE, "more than 32 MiB"),
        (Trap.COMPRESSED, "compressed"),
        (Trap.NONSENSE, "does not follow the protocol"),
        (Trap.UNASKED_ROWS, "rows that were not asked for"),
    ],
)
def test_what_is_no_answer_of_the_vendor_is_refused(trapped: Trapped, trap: Trap, said: str) -> None:
    with pytest.raises(StoreRefused, match=said) as refused:
        trapped(trap).ask(make_ask(Right.ERASE))
    assert not refused.value.retryable


def test_rows_in_the_answer_to_a_second_look_are_refused(trapped: Trapped) -> None:
    with pytest.raises(StoreRefused, match="rows that were not asked for"):
        trapped(Trap.UNASKED_ROWS, answers=("erase",)).verify(make_ask(Right.ERASE))


def test_an_earlier_answer_is_not_taken_for_this_one(trapped: Trapped, place: VendorPlace) -> None:
    place.open().ask(make_ask(Right.ERASE))
    with pytest.raises(StoreRefused, match="it answers another message"):
        trapped(Trap.REPLAYS).ask(make_ask(Right.ERASE, "ben@example.org"))


def test_a_second_answer_on_the_line_is_not_taken_for_the_next(trapped: Trapped) -> None:
    desk = trapped(Trap.ANSWERS_TWICE)
    for email, tickets in ((ANN, 2), ("ben@example.org", 1)) * 3:
        assert len(desk.ask(make_ask(Right.VIEW, email)).rows["ticket"]) == tickets


# --- what goes out ---------------------------------------------------------------------------------------------------


def test_only_the_declared_identifiers_leave_and_none_in_an_address(
    place: VendorPlace, vendor: FakeVendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place.open().ask(make_ask(Right.ERASE))
    place.open(by=("phone", "email")).ask(make_ask(Right.VIEW))
    sent = [said["identifiers"] for _, said in vendor.received]
    assert sent == [[["email", ANN]], [["email", ANN], ["phone", "+44 1632 960001"]]]
    assert not [it for it in ("ann", "960001", vendor.url, "/privacy") if it in caplog.text.lower()]


def test_a_wrong_secret_is_told_by_the_vendor_and_holds_no_secret(vendor: FakeVendor) -> None:
    other = "another secret of at least 32 characters".replace(" ", "-")
    desk = http.connect("desk", vendor.url, asking(), other)
    with pytest.raises(StoreRefused, match="compare the secrets of both sides") as refused:
        desk.ask(make_ask(Right.VIEW))
    assert other not in str(refused.value)
    assert vendor.received == []


def test_a_secret_is_changed_without_a_pause() -> None:
    new = "n" * 40
    with FakeVendor(new) as changed:
        desk = http.connect("desk", changed.url, asking(), f"{new}\n{SECRET}")
        assert Right.VIEW in desk.offers()
        desk.close()


@each_row(
    ("url", "said"),
    [
        ("http://desk.example.org/privacy", "is not encrypted"),
        ("http://127.0.0.1.example.org", "is not encrypted"),
        ("https://ann:hunter2@desk.example.org", "contains a password"),
        ("https://desk.example.org/?key=hunter2", "not a plain https"),
        ("https://desk.example.org/#hunter2", "not a plain https"),
        ("https://desk.example.org/hunter2%41", "has a path"),
        ("https://desk.example.org:port/hunter2", "not a plain https"),
        ("https:///hunter2", "not a plain https"),
    ],
)
def test_an_address_that_will_not_do_is_refused_and_not_repeated(url: str, said: str) -> None:
    with pytest.raises(StoreRefused, match=said) as refused:
        http.connect("desk", url, asking(), SECRET)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1/x", "http://127.9.9.9:1", "http://[::1]:1", "hook+http://localhost:1"]
)
def test_localhost_may_do_without_encryption(url: str) -> None:
    assert repr(http.connect("desk", url, asking(), SECRET)) == "Questioner(desk)"


@pytest.mark.parametrize(
    "secret", [None, "", "short", f"{SECRET} short"], ids=["none", "empty", "short", "with a space"]
)
def test_a_secret_that_is_none_is_refused(secret: str | None) -> None:
    with pytest.raises(StoreRefused, match="secret"):
        http.connect("desk", "https://desk.example.org", asking(), secret)


def test_it_is_opened_from_the_declaration(vendor: FakeVendor) -> None:
    system = System(store="${DESK}", asked=asking(secret="${DESK_SECRET}"))
    desk = open_asked("desk", system, {"DESK": vendor.url, "DESK_SECRET": SECRET})
    assert desk.ask(make_ask(Right.OBJECT)) == Answer.refused("right_not_answered")
    assert Right.ERASE in desk.offers()
    desk.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of this machine, signed by itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "desk.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def test_a_certificate_is_looked_at(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FakeVendor(tls=tls) as vendor:
        stranger = http.connect("desk", vendor.url, asking(), SECRET, sleep=lambda _: None)
        with pytest.raises(StoreUnreachable, match="ConnectError"):
            stranger.offers()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = http.connect("desk", vendor.url, asking(), SECRET, sleep=lambda _: None)
        assert trusted.ask(make_ask(Right.VIEW)).rows
        trusted.close()


def test_the_way_out_is_by_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "near.example.org")
    assert http.proxy_of("https://far.example.org/privacy") == "http://127.0.0.1:1"
    assert http.proxy_of("https://near.example.org/privacy") is None

"""Which protocols a server offers is found out by asking for each."""

import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.site.conftest import fetch

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration
from troth.site import FetchLimits, Site, SiteSnapshot, SiteUnreachable, Tls

NOW = dt.datetime.now(dt.UTC)
STRICT = ("Strict-Transport-Security", "max-age=31536000")


@pytest.fixture
def strict(world: Any) -> Any:
    for path in world.pages:
        world.add_header(path, *STRICT)
    return world


def obsolete(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let the server speak what no server should any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.fixture
def ask(company: dict[str, Any]) -> Callable[..., Check]:
    def made(secure: Any, ca_file: str) -> Check:
        site = Site(f"https://localhost:{secure.port}/", ("/register/",), FetchLimits(seconds=5), ca_file=ca_file)
        looking = {"declaration": Declaration.model_validate(company), "site": SiteSnapshot(site, now=NOW), "now": NOW}
        return run("site.transport_encrypted", looking)

    return made


def tls(host: str, port: int, ca_file: str | None = None) -> Tls:
    return SiteSnapshot(Site(f"https://{host}:{port}/", limits=FetchLimits(seconds=5), ca_file=ca_file), now=NOW).tls()


def test_a_current_server_is_seen_as_it_is(certify: Any, serve_tls: Any, world: Any) -> None:
    certified = certify(days=90)
    secure = serve_tls(world, certified.context())
    found = tls("localhost", secure.port, str(certified.chain))

    assert found.accepts == {"TLSv1.2", "TLSv1.3"}
    assert (found.days_left, found.trusted, found.why_not) == (90, True, "")


def test_a_certificate_of_nobody_we_trust_is_told(certify: Any, serve_tls: Any, world: Any) -> None:
    secure = serve_tls(world, certify().context())
    found = tls("localhost", secure.port)

    assert not found.trusted
    assert "self-signed" in found.why_not


def test_a_server_that_still_speaks_the_obsolete_is_caught(certify: Any, serve_tls: Any, world: Any) -> None:
    secure = serve_tls(world, obsolete(certify(rsa_key=True).context()))
    assert tls("localhost", secure.port).accepts == {"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}


@contextlib.contextmanager
def answering(reply: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers every greeting with *reply* and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        with contextlib.suppress(OSError):
            while True:
                with listening.accept()[0] as connection:
                    connection.sendall(reply(connection.recv(4096)))

    threading.Thread(target=work, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@pytest.mark.parametrize(("version", "name"), [(0x0301, "TLSv1.0"), (0x0302, "TLSv1.1")])
def test_the_greeting_asks_for_exactly_one_version(version: int, name: str) -> None:
    def reply(greeting: bytes) -> bytes:
        asked = struct.unpack("!H", greeting[9:11])[0]
        hello = b"\x16" + struct.pack("!HH", asked, 42) + b"\x02\x00\x00\x26" + struct.pack("!H", asked) + bytes(36)
        return hello if asked == version else b"\x15\x03\x01\x00\x02\x02\x46"  # alert: protocol version

    with answering(reply) as port:
        found = tls("127.0.0.1", port)
    assert found.accepts == {name}
    assert not found.trusted


def test_an_answer_in_another_version_is_not_counted() -> None:
    hello = b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(36)
    with answering(lambda _: hello) as port, pytest.raises(SiteUnreachable):
        tls("127.0.0.1", port)


def test_what_does_not_speak_tls_cannot_be_looked_at() -> None:
    with (
        answering(lambda _: b"HTTP/1.0 400 no\r\n\r\n") as port,
        pytest.raises(SiteUnreachable, match="does not speak TLS"),
    ):
        tls("127.0.0.1", port)


def test_nothing_listening_cannot_be_looked_at() -> None:
    with pytest.raises(SiteUnreachable, match="port 1 does not answer"):
        tls("127.0.0.1", 1)


# --- the control ------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_order(ask: Any, certify: Any, serve_tls: Any, strict: Any) -> Any:
    """The check of the site as it should be."""

    def made() -> Any:
        certified = certify()
        return ask(serve_tls(strict, certified.context()), str(certified.chain))

    return made


def test_a_site_in_order_passes(in_order: Any) -> None:
    check = in_order()

    assert check.outcome is CheckOutcome.PASS
    assert check.figures == {"pages": 3, "pages in clear": 0, "certificate days": 90}


@pytest.mark.mutation("site.transport_encrypted")
def test_an_obsolete_protocol_is_found(ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(rsa_key=True)
    check = ask(serve_tls(strict, obsolete(certified.context())), str(certified.chain))

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.message for finding in check.findings] == ["offers TLSv1.0", "offers TLSv1.1"]


@pytest.mark.mutation("site.transport_encrypted")
def test_a_certificate_about_to_end_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(days=6)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))
    assert [finding.message for finding in check.findings] == ["the certificate has 6 days left"]


@pytest.mark.mutation("site.transport_encrypted")
def test_a_certificate_that_has_ended_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(days=-1)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))

    assert check.outcome is CheckOutcome.FAIL
    assert "certificate has expired" in check.findings[0].message


@pytest.mark.mutation("site.transport_encrypted")
def test_a_page_without_strict_transport_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify()
    strict.pages["/register/"][1].remove(STRICT)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))
    assert [finding.place for finding in check.findings] == ["/register/"]


@pytest.mark.mutation("site.transport_encrypted")
def test_a_plain_page_is_found_even_on_this_machine(company: dict[str, Any], in_order: Any, strict: Any) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    looking: dict[str, object] = {"declaration": Declaration.model_validate(company), "now": NOW}
    looking["site"] = SiteSnapshot(Site(strict.home), now=NOW)
    check = run("site.transport_encrypted", looking)

    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["pages in clear"] == 3
    assert [it.place for it in check.findings] == ["organisation.site", "/", "/policy/", "/register/"]


def test_a_page_that_nobody_saw_is_not_told_to_be_in_clear(company: dict[str, Any]) -> None:
    looking: dict[str, object] = {"declaration": Declaration.model_validate(company), "now": NOW}
    looking["site"] = SiteSnapshot(Site("http://127.0.0.1:1/"), now=NOW)
    check = run("site.transport_encrypted", looking)
    assert check.figures["pages in clear"] == 0
    assert [it.message for it in check.findings] == ["the declared address is not https"]


def test_a_page_is_fetched_only_from_whom_we_trust(certify: Any, serve_tls: Any, world: Any) -> None:
    secure = serve_tls(world, certify().context())
    with pytest.raises(SiteUnreachable):
        fetch(Site(f"https://localhost:{secure.port}/"), "/")

"""Which protocols a server offers is found out by asking for each."""

import contextlib
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.site.conftest import NOW, World, fetch, serve

from troth.controls import Check, CheckOutcome, catalogue, run
from troth.declaration import Declaration
from troth.site import FetchLimits, Site, SiteSnapshot, SiteUnreachable, Tls

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


def test_an_obsolete_protocol_is_found(ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(rsa_key=True)
    check = ask(serve_tls(strict, obsolete(certified.context())), str(certified.chain))

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.message for finding in check.findings] == ["offers TLSv1.0", "offers TLSv1.1"]


def test_a_certificate_about_to_end_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(days=6)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))
    assert [finding.message for finding in check.findings] == ["the certificate has 6 days left"]


def test_a_certificate_that_has_ended_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify(days=-1)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))

    assert check.outcome is CheckOutcome.FAIL
    assert "certificate has expired" in check.findings[0].message


def test_a_page_without_strict_transport_is_found(
    ask: Any, in_order: Any, certify: Any, serve_tls: Any, strict: Any
) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    certified = certify()
    strict.pages["/register/"][1].remove(STRICT)
    check = ask(serve_tls(strict, certified.context()), str(certified.chain))
    assert [finding.place for finding in check.findings] == ["/register/"]


def test_a_plain_page_is_found_even_on_this_machine(company: dict[str, Any], in_order: Any, strict: Any) -> None:
    assert in_order().outcome is CheckOutcome.PASS
    looking: dict[str, object] = {"declaration": Declaration.model_validate(company), "now": NOW}
    looking["site"] = SiteSnapshot(Site(strict.home), now=NOW)
    check = run("site.transport_encrypted", looking)

    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["pages in clear"] == 3
    assert [it.place for it in check.findings] == ["organisation.site", "/", "/policy/", "/register/"]


@pytest.fixture
def both(company: dict[str, Any], certify: Any, serve_tls: Any, strict: Any) -> Callable[[], Check]:
    """The check of a site that also answers without encryption, by a server of its own."""
    certified = certify()
    secure = serve_tls(strict, certified.context())

    def made(clear: str = "") -> Check:
        home = f"https://localhost:{secure.port}/"
        site = Site(home, ("/register/",), FetchLimits(seconds=5), ca_file=str(certified.chain), in_clear=clear)
        looking = {"declaration": Declaration.model_validate(company), "site": SiteSnapshot(site, now=NOW), "now": NOW}
        return run("site.transport_encrypted", looking)

    return made


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ([("Location", "https://localhost/"), ("Set-Cookie", "id=1")], 301, "sets the cookie 'id'"),
        ([("Location", "/start/")], 302, "does not lead to https"),
        ([], 200, "shows a page"),
    ],
)
def test_an_address_in_clear_that_does_more_than_redirect_is_found(
    both: Callable[..., Check], headers: list[tuple[str, str]], status: int, message: str
) -> None:
    plain = World()
    server = serve(plain)
    clear = plain.home.replace("127.0.0.1", "localhost")
    plain.put("/", "", ("Location", "https://localhost/"), status=308)
    assert both(clear).outcome is CheckOutcome.PASS
    plain.put("/", "", *headers, status=status)
    check = both(clear)
    server.shutdown()
    server.server_close()
    place = "the address without encryption"
    assert [(it.place, it.message) for it in check.findings] == [(place, message)]


def test_the_address_in_clear_is_that_of_the_host() -> None:
    assert Site("https://example.org/shop/").in_clear == "http://example.org/shop/"
    assert Site("https://example.org:8443/").in_clear == Site("http://example.org/").in_clear == ""


def test_nothing_that_answers_in_clear_is_no_fault(both: Callable[..., Check]) -> None:
    assert both("http://localhost:1/").outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("max-age=1", ""), "sends Strict-Transport-Security for 1 second only"),
        (("", '<img src="http://localhost/a.png">'), "loads from or sends to localhost unencrypted"),
        (("", '<link rel="stylesheet" href="http://cdn.example.net/a.css">'), "loads from or sends to cdn.example.net"),
        (("", '<form action="http://localhost/x"></form>'), "loads from or sends to localhost unencrypted"),
    ],
)
def test_weak_protection_of_one_page_is_found(
    both: Callable[..., Check], strict: Any, change: tuple[str, str], message: str
) -> None:
    assert both().outcome is CheckOutcome.PASS
    age, tag = change
    strict.edit("/register/", "</main>", f"{tag}</main>")
    if age:
        strict.pages["/register/"][1].remove(STRICT)
        strict.add_header("/register/", STRICT[0], age)
    check = both()
    assert [it.place for it in check.findings] == ["/register/"]
    assert message in check.findings[0].message


def test_what_a_browser_encrypts_by_itself_is_no_fault(both: Callable[..., Check], strict: Any) -> None:
    strict.edit("/register/", "</main>", '<img src="http://localhost/a.png"></main>')
    strict.add_header("/register/", "Content-Security-Policy", "upgrade-insecure-requests")
    assert both().outcome is CheckOutcome.PASS


def test_a_page_that_is_only_linked_is_strict_too(both: Callable[..., Check], strict: Any) -> None:
    strict.put("/about/", "<main>Text</main>", STRICT)
    strict.edit("/", "</main>", '<a href="/about/">About</a></main>')
    assert both().figures["pages"] == 4
    strict.put("/about/", "<main>Text</main>")
    assert [it.place for it in both().findings] == ["/about/"]


@pytest.mark.parametrize(
    ("tag", "limit"),
    [
        ('<a href="http://shop.localhost/">Shop</a>', "other hosts, also subdomains"),
        ("<script>load('http://localhost/')</script>", "what scripts and style sheets load"),
    ],
)
def test_what_is_not_seen_of_the_transport(both: Callable[..., Check], strict: Any, tag: str, limit: str) -> None:
    strict.edit("/register/", "</main>", f"{tag}</main>")
    assert both().outcome is CheckOutcome.PASS
    assert limit in catalogue()["site.transport_encrypted"].cannot_see


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

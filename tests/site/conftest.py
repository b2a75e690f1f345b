"""A real web server on this machine, whose pages a test writes and spoils."""

import contextlib
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

import troth.site.controls  # noqa: F401 - registers them
from troth.controls import Check, run
from troth.declaration import Declaration
from troth.site import FetchLimits, Site, SitePage, SiteSnapshot

NOW = dt.datetime.now(dt.UTC)

HOME = """<!doctype html><html><head><title>Example Voice</title><style>footer { font-size: 14px }</style></head>
<body><main><p>We write down what you say. <a href="/register/">Register</a></p></main>
<footer><a href="/policy/">Privacy policy</a> <a href="mailto:privacy@example.org">Mail</a></footer></body></html>"""
POLICY = """<!doctype html><html><body><header><a href="/">Home</a></header><main><h1>Privacy policy</h1>
<p>We <b>never</b> sell your data. You may ask us to delete it.</p></main>
<footer>Example Voice</footer></body></html>"""
POLICY_TEXT = "Privacy policy We never sell your data. You may ask us to delete it."
REGISTER = """<!doctype html><html><body><main><form method="post" action="/register/">
<input type="hidden" name="token">
<input name="email" required><input name="phone"><button name="go">Register</button></form></main>
<footer><a href="/policy/">Privacy policy</a></footer></body></html>"""


@dataclass
class World:
    """What the server serves: path to status, headers and body; and what it was asked."""

    pages: dict[str, tuple[int, list[tuple[str, str]], str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, str]], tuple[list[tuple[str, str]], str]]] = field(default_factory=dict)
    """Pages that look at what is sent: headers and body for these headers."""
    port: int = 0

    def put(self, path: str, body: str = "", *headers: tuple[str, str], status: int = 200) -> None:
        self.pages[path] = (status, [("Content-Type", "text/html; charset=utf-8"), *headers], body)

    def edit(self, path: str, old: str, new: str) -> None:
        status, headers, body = self.pages[path]
        assert old in body
        self.pages[path] = (status, headers, body.replace(old, new))

    def add_header(self, path: str, name: str, value: str) -> None:
        self.pages[path][1].append((name, value))

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def serve(world: World, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            world.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = world.pages.get(self.path, (404, [], "no"))
            if self.path in world.answers:
                headers, body = world.answers[self.path](world.asked[-1][1])
            content = body.encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with contextlib.suppress(OSError):  # a probe hangs up in the middle of a handshake
                if context is None:
                    super().finish_request(request, client_address)
                else:
                    with context.wrap_socket(request, server_side=True) as secured:
                        super().finish_request(secured, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    world.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@pytest.fixture
def world() -> Iterator[World]:
    """A company's site as it should be, on plain http."""
    world = World()
    world.put("/", HOME)
    world.put("/policy/", POLICY)
    world.put("/register/", REGISTER, ("Set-Cookie", "cart=1; Path=/; HttpOnly"))
    server = serve(world)
    yield world
    server.shutdown()
    server.server_close()


@pytest.fixture
def company() -> dict[str, Any]:
    return {
        "troth": 1,
        "organisation": {
            "name": "Example Voice Ltd",
            "country": "GB",
            "address": "1 High Street, Cambridge CB1 1AA",
            "email": "privacy@example.org",
            "officer": {"email": "dpo@example.org", "deputy": "deputy@example.org"},
        },
        "policy": {"file": "policy.md", "effective": "2026-11-01"},
        "recipients": {
            "statistics": {"role": "processor", "country": "GB", "receives": [], "hosts": ["stats.example.org"]},
        },
        "collection_points": {
            "register": {
                "page": "/register/",
                "fields": {"email": "required", "phone": "optional"},
                "purposes": ["account"],
            },
        },
        "cookies": {
            "cart": {"purpose": "necessary", "lifetime": "session"},
            "visit": {"purpose": "statistics", "lifetime": "30 days"},
        },
    }


Ask = Callable[..., Check]


def fetch(site: Site, path: str) -> SitePage:
    """A page as a new look at the site sees it."""
    return SiteSnapshot(site, now=NOW).page(path)


@pytest.fixture
def ask(company: dict[str, Any], world: World) -> Ask:
    """Run a control against the world as it is now."""

    def made(control: str, *, home: str = "", **looking: object) -> Check:
        site = Site(home or world.home, ("/register/",), FetchLimits(seconds=5))
        given = {"declaration": Declaration.model_validate(company), "now": NOW, "site": SiteSnapshot(site, now=NOW)}
        return run(control, {**given, "policy_text": POLICY_TEXT, **looking})

    return made


# --- TLS --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certified:
    """A self-signed certificate for this machine, in files."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


@pytest.fixture
def certify(tmp_path: Path) -> Callable[..., Certified]:
    def made(*, days: int = 90, rsa_key: bool = False) -> Certified:
        key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        own = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(days=100))
            .not_valid_after(NOW + dt.timedelta(days=days, minutes=1))
            .add_extension(own, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        chain, file = tmp_path / f"chain{days}.pem", tmp_path / f"key{days}.pem"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Certified(chain, file)

    return made


@pytest.fixture
def serve_tls() -> Iterator[Callable[[World, ssl.SSLContext], World]]:
    servers = []

    def made(world: World, context: ssl.SSLContext) -> World:
        secure = World(world.pages)
        servers.append(serve(secure, context))
        return secure

    yield made
    for server in servers:
        server.shutdown()
        server.server_close()

"""The prober against real sockets and a real web server on this machine."""

from __future__ import annotations

import base64
import dataclasses
import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.site.conftest import Certified, World

from troth.site import prober
from troth.site.prober import CLOSED, DECOY_PORT, NO_ADDRESS, OPEN, PRIVATE, SILENT, Config, ConfigError

KEY = bytes(range(32))
HOWTO = Path(__file__).parents[2] / "docs/howto/probe-from-outside.md"


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def taken() -> Iterator[tuple[str, list[Any]]]:
    """An address that takes reports, and those that it took: headers and body."""
    reports: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reports.append((dict(self.headers), body))
            self.send_response(401 if len(reports) > 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/probes/office", reports
    server.shutdown()
    server.server_close()


def config(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "office",
        "key": "whsec_" + base64.b64encode(KEY).decode(),
        "url": "http://127.0.0.1:1/probes/office",
        "site": world.home,
        "targets": [],
        "pages": {"policy": world.home + "policy/", "contact": world.home + "register/", "choices": world.home + "no"},
        **changes,
    }


def read(**changes: Any) -> Config:
    given = json.dumps(config(World(port=9), **changes))
    return Config.read(given)


def test_a_listening_port_is_open_and_another_is_closed(listener: int) -> None:
    assert prober.state_of("127.0.0.1", listener, may_be_private=True) == OPEN
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert prober.state_of("127.0.0.1", free, may_be_private=True) == CLOSED


def test_a_private_address_is_not_tried_because_another_machine_is_behind_it_here(listener: int) -> None:
    assert prober.state_of("127.0.0.1", listener) == PRIVATE
    assert prober.state_of("10.0.0.5", 5432) == PRIVATE


def test_a_name_without_an_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unresolved(*given: Any, **named: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    assert prober.state_of("db.example.org", 5432) == NO_ADDRESS


def test_of_several_addresses_the_one_that_answers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1)) for address in ("9.9.9.9", "9.9.9.10")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: entries)
    states = {"9.9.9.9": SILENT, "9.9.9.10": OPEN}
    monkeypatch.setattr(prober, "_connected", lambda family, kind, protocol, address: states[address[0]])
    assert prober.state_of("db.example.org", 1) == OPEN
    states["9.9.9.10"] = prober.NO_ROUTE  # such as IPv6 where this network has none
    assert prober.state_of("db.example.org", 1) == prober.NO_ROUTE


def test_every_host_is_tried_at_a_port_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "state_of", lambda host, port, private: CLOSED)
    tried = prober.probe(read(targets=[["a.example.org", 5432], ["a.example.org", 3306], ["b.example.org", 3306]]))
    assert [item[:2] for item in tried[-2:]] == [("a.example.org", DECOY_PORT), ("b.example.org", DECOY_PORT)]
    assert len(tried) == 5


def test_the_time_for_all_ports_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "PROBES_S_MAX", -1.0)
    assert {state for *_, state in prober.probe(read(targets=[["db.example.org", 5432]]))} == {prober.UNKNOWN}


def test_pages_are_seen_with_their_status_hash_and_form(world: World) -> None:
    told = Config.read(json.dumps(config(world)))
    policy, contact, choices = (prober.page(url, told) for _, url in told.pages)
    assert (policy["status"], len(policy["sha256"]), policy["has_form"]) == (200, 64, False)
    assert (contact["status"], contact["has_form"], choices["status"]) == (200, True, 404)
    assert prober.page("http://127.0.0.1:1/", told)["status"] == 0


STOP = {"id": 7, "turn": 2, "url": "https://example.org/your-data/stop/abc"}


@pytest.mark.parametrize(
    ("page", "has_button"),
    [
        (b"<form method=post><button name=scope value=list>Stop</button></form>", True),
        (b"<form method=POST action=/your-data/stop/abc><input type=submit></form>", True),
        (b"<form method=post><input type=hidden name=a><button>Stop</button></form>", True),
        (b"<form method=get><button>Stop</button></form>", False),
        (b"<form method=post action=/login><button>Go on</button></form>", False),
        (b"<form method=post action=https://example.com/your-data/stop/abc><button>Go on</button></form>", False),
        (b"<form method=post><input name=user><button>Sign in</button></form>", False),
        (b"<form method=post><button>Stop</button><textarea name=why></textarea></form>", False),
        (b"<form method=post></form><button>Stop</button>", False),
        (b"<a href=/login>Sign in</a>", False),
        (b"\xff<form", False),
        (b"", False),
    ],
)
def test_a_page_that_stops_has_a_form_with_nothing_but_a_button(page: bytes, has_button: bool) -> None:
    seen = prober.try_stop({**STOP, "kind": "look"}, lambda url, form: (200, page))
    assert (seen["id"], seen["turn"], seen["status"], seen["has_button"]) == (7, 2, 200, has_button)


def test_a_form_is_filled_in_with_what_it_hides_and_only_if_it_is_there() -> None:
    asked = list[bytes]()

    def fetch(url: str, form: bytes) -> tuple[int, bytes]:
        asked.append(form)
        return 404 if form else 200, b"<form method=post><input type=hidden name=form-token value='a&amp;b'></form>"

    wanted = {**STOP, "kind": "form", "fields": {"email": "canary-1@canary.invalid"}}
    assert prober.try_stop(wanted, fetch)["status"] == 404
    assert asked == [b"", b"form-token=a%26b&email=canary-1%40canary.invalid"]
    assert prober.try_stop(wanted, lambda url, form: (410, b""))["status"] == 410


class Shop:
    """A site that stops, and a Troth that names what to try; each answers as a test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.troth, self.stop = 200, 200
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.requests.append((self.command, self.path, body, dict(self.headers)))
                is_troth = self.path.endswith("/stops")
                content = json.dumps({"stops": [{**STOP, "kind": "post", "url": site.url + "/stop"}]}).encode()
                self.send_response(site.troth if is_troth else site.stop)
                self.send_header("Location", site.url + "/elsewhere")
                self.send_header("Set-Cookie", "a=b")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def told(self) -> list[int]:
        """The statuses that Troth was told last."""
        reports = [json.loads(body) for _, path, body, _ in self.requests if path.endswith("/stops")]
        return [stop["status"] for stop in reports[-1]["stops"]]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.server.shutdown()
    made.server.server_close()


def stops(shop: Shop, **changes: Any) -> prober.Stops:
    made = read(url=shop.url + "/probes/office")
    return prober.Stops(dataclasses.replace(made, **{"may_be_private": True, **changes}))


def test_a_stop_is_tried_without_cookies_and_its_redirect_is_not_followed(shop: Shop) -> None:
    robot, shop.stop = stops(shop), 302
    assert (robot.look(), robot.look(), shop.told()) == ("", "", [302])
    assert not [path for _, path, *_ in shop.requests if path == "/elsewhere"]
    assert not any("Cookie" in headers for *_, headers in shop.requests)


def test_while_troth_does_not_answer_what_is_tried_waits(shop: Shop) -> None:
    robot = stops(shop)
    assert robot.look() == ""
    shop.troth = shop.stop = 502
    assert [bool(robot.look()), bool(robot.look())] == [True, True]
    shop.troth = shop.stop = 200
    assert (robot.look(), shop.told()) == ("", [502, 502, 200])
    shop.troth = 422  # a Troth that does not understand it is not asked for ever
    assert robot.look()
    shop.troth = 200
    assert (robot.look(), shop.told()) == ("", [200])


def test_links_to_private_addresses_are_not_followed(shop: Shop) -> None:
    robot = stops(shop, may_be_private=False)
    assert (robot.look(), shop.told()) == ("", [0])
    assert not [path for _, path, *_ in shop.requests if path == "/stop"]


def test_the_certificate_and_the_version_are_seen(
    world: World, certify: Callable[..., Certified], serve_tls: Callable[[World, ssl.SSLContext], World]
) -> None:
    for days, state in ((60, "valid"), (-1, "expired")):
        certificate = certify(days=days)
        served = serve_tls(world, certificate.context())
        site = f"https://localhost:{served.port}/"
        seen = prober.tls(read(site=site, ca_file=str(certificate.chain)))
        assert seen["state"] == state
        if state == "valid":
            assert (seen["version"], 60 - seen["days_left"]) in {("TLSv1.3", 0), ("TLSv1.3", 1)}
            assert prober.tls(read(site=site))["state"] == "untrusted"
    assert prober.tls(read(site="http://localhost/"))["state"] == "none"


@pytest.mark.parametrize(
    "changes",
    [{"key": "none"}, {"targets": [["h"]]}, {"url": "file:///etc/passwd"}, {"targets": [["h", 1]] * 501}, {"pages": 1}],
)
def test_a_wrong_configuration_is_refused_without_quoting_it(
    changes: dict[str, Any], tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prober.json").write_text(json.dumps(config(world, **changes)))
    assert prober.main(["--config", str(tmp_path / "prober.json"), "--once"]) == 2
    assert "whsec_" not in capsys.readouterr().err
    with pytest.raises(ConfigError):
        Config.read("{")


@pytest.mark.parametrize("file", ["gone.pem", "prober.json"])
def test_certificates_that_cannot_be_read_are_a_wrong_configuration(
    file: str, tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prober.json").write_text(json.dumps(config(world, ca_file=str(tmp_path / file))))
    assert prober.main(["--config", str(tmp_path / "prober.json"), "--once"]) == 2
    assert "name a PEM file, or none" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<", b""])
def test_an_answer_that_is_no_http_is_reported_as_none(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            for _ in range(2):
                with server.accept()[0] as connection:
                    connection.recv(65_536)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):  # closing before all is read would reset the connection
                        pass

        threading.Thread(target=work, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert prober.page(address, read())["status"] == 0
        is_cut_off = answer.startswith(b"HTTP")  # after its status, which is enough for a report
        assert ("Troth was not reached" in prober.send(read(url=address), {})) is not is_cut_off


def test_after_a_look_that_fails_comes_the_next(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prober.json").write_text(json.dumps(config(world)))
    looks = iter([RuntimeError("ann@example.org"), OverflowError("ann@example.org"), KeyboardInterrupt()])

    def failing(config: Config) -> Any:
        raise next(looks)

    monkeypatch.setattr(prober, "report", failing)
    monkeypatch.setattr(prober, "EVERY_S", 0)
    monkeypatch.setattr(prober, "STOPS_EVERY_S", 0)
    with pytest.raises(KeyboardInterrupt):
        prober.main(["--config", str(tmp_path / "prober.json")])
    failed = capsys.readouterr().err
    assert (failed.count("\n"), "(RuntimeError)" in failed, "(OverflowError)" in failed) == (2, True, True)
    assert "ann" not in failed


def test_every_open_port_but_the_usual_ones_counts_as_the_how_to_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def code(port: int) -> int:
        seen = {"endpoints": [("h", port, OPEN)], "tls": {"version": "", "state": "none", "days_left": 0}, "pages": {}}
        monkeypatch.setattr(prober, "report", lambda config: seen)
        return prober._look(read(), as_json=False, sends=False)

    assert [code(port) for port in (22, 80, 443, 8000, 5432, 8443, DECOY_PORT)] == [0, 0, 0, 0, 1, 1, 1]
    for text in (prober.__doc__ or "", HOWTO.read_text(encoding="utf-8")):
        assert "0 if no port answered but 22, 80, 443 and 8000" in text.replace("when", "if")


def test_the_how_to_lets_nobody_else_read_the_key() -> None:
    _, before, made = HOWTO.read_text(encoding="utf-8").partition("$ umask 077\n")
    assert before, "it sets the umask"
    assert made.partition("\n")[0].endswith("> prober.json")


def test_the_file_alone_looks_reports_and_says_when_it_is_refused(
    tmp_path: Path, world: World, taken: tuple[str, list[Any]]
) -> None:
    """It runs without Troth: another Python process, isolated, from a copy."""
    url, reports = taken
    copy, told = tmp_path / "prober.py", tmp_path / "prober.json"
    copy.write_bytes(Path(prober.__file__).read_bytes())
    told.write_text(json.dumps(config(world, url=url, targets=[["127.0.0.1", 5432]])))
    command = [sys.executable, "-I", str(copy), "--config", str(told), "--once", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    headers, body = reports[0]
    assert (
        json.loads(done.stdout)["endpoints"]
        == json.loads(body)["endpoints"]
        == [
            ["127.0.0.1", 5432, PRIVATE],
            ["127.0.0.1", DECOY_PORT, PRIVATE],
        ]
    )
    assert headers["Webhook-Signature"].startswith("v1,")
    assert prober.main(["--config", str(told), "--once"]) == 1  # the second one is refused


def test_it_has_no_syntax_that_python_3_9_does_not_know() -> None:
    import ast

    ast.parse(Path(prober.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))

"""The example company in this process, at a fixed time: its website with Troth beside it, its mail, the commands."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import pkgutil
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from importlib import import_module
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from click.testing import CliRunner
from tests import forks
from tests.pinned import fixed

import troth

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
HOOK = "/pinned-hook"
"""Where a program listens that webhooks tell of events."""
_NOT_IMPORTED = (
    "troth.testing",
    "troth.service.wsgi",
    "troth.cli.demo_site",
    "troth.hook.django",
    "troth.protect.anonymity",
)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


class Company:
    """The company that ``troth demo`` makes in *folder*. One to a process: it takes the clock and the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hooks, self.labels = folder, list[Any](), set[str]()
        """Its folder, what webhooks told, and what keys were derived for."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._set_environment()
        _import_everything()
        import_module("troth.protect.hazmat.scrypt")._COST = forks.SCRYPT_COST  # type: ignore[attr-defined]
        self._note_labels(import_module("troth.protect.keyring"))
        # How long a wave of messages took is no part of what is pinned.
        import_module("troth.service.mail.bulk.delivery").uptime_s = lambda: 0.0  # type: ignore[attr-defined]
        fixed.hold(NOW, seed=9)
        self.made = self.run("demo", "--folder", str(folder), "--people", "50", "--no-serve", "--port", str(self.port))

    def _set_environment(self) -> None:
        for name in [name for name in os.environ if name.startswith(("TROTH_", "DJANGO_"))]:
            del os.environ[name]
        os.environ.update(
            COLUMNS="120",
            DJANGO_SETTINGS_MODULE="troth.service.settings",
            LOGNAME="root",  # whose name stands among the accounts of each store
            TROTH_DECLARATION=str(self.folder / "troth.yaml"),
            TROTH_HOME=str(self.folder / "home"),
            TROTH_MAIL_RATES="*=1000",  # the whole edition leaves at once
            TROTH_MAIL_URL=f"folder://{self.folder}/mail",
            TROTH_PROFILE="development",
            TROTH_SECRET_KEY="0123456789" * 6,
            TROTH_WEBHOOKS_PRIVATE="localhost",
        )

    def _note_labels(self, module: Any) -> None:
        derive = module.derive

        def noted(secret: bytes, info: bytes, *more: Any) -> Any:
            self.labels.add(" ".join(_words_in(info)))
            return derive(secret, info, *more)

        module.derive = noted

    def run(self, *command: str, **environment: str) -> tuple[int, Any, str]:
        """Run ``troth … --json``: its exit code, the document that it prints, and what it says besides."""
        from troth.cli import main

        done = CliRunner().invoke(main, [*command, "--json"], env=environment, catch_exceptions=False)
        return done.exit_code, json.loads(done.stdout) if done.stdout else None, done.stderr

    def serve(self) -> None:
        """Serve the website, with Troth at its own paths, as ``troth demo`` does."""
        from troth.cli.demo_site import application

        logging.disable()
        server = make_server("127.0.0.1", self.port, self._hooked(application), _Server, _Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _hooked(self, site: Wsgi) -> Wsgi:
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"] != HOOK:
                return site(environ, start)
            self.hooks.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
            start("204 No Content", [])
            return []

        return answer

    def mail(self) -> list[tuple[str, str, str]]:
        """What was mailed so far, the oldest first: subject, address, text. Of an edition, one copy."""
        found, editions = list[tuple[str, str, str]](), set[str]()
        for file in sorted((self.folder / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns):
            letter = message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default)
            body = letter.get_body(("plain",))
            assert body is not None
            if letter["List-Id"] is None or letter["Subject"] not in editions:
                found.append((letter["Subject"], letter["To"], body.get_content()))
            if letter["List-Id"] is not None:
                editions.add(letter["Subject"])
        return found

    def link(self, to: str) -> str:
        """The path of the first link in the newest message to an address."""
        text = [text for _, address, text in self.mail() if address == to][-1]
        return re.findall(r"http://[^/\s]+(/\S+)", text)[0]  # type: ignore[no-any-return]


def _words_in(info: bytes) -> Iterator[str]:
    """The texts in *info*, each of which stands after its length; one may hold texts itself."""
    while info:
        size = 4 + int.from_bytes(info[:4], "big")
        text, info = info[4:size], info[size:]
        yield "/".join(_words_in(text)) if text[:1] == b"\0" else text.decode()


def _import_everything() -> None:
    """What is imported while the clock is held takes its class for that of datetimes."""
    django.setup()
    for found in pkgutil.walk_packages(troth.__path__, "troth."):
        if not found.name.startswith(_NOT_IMPORTED) and ".migrations" not in found.name:
            import_module(found.name)

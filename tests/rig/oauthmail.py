"""Mail as Microsoft 365 and Google offer it: a token endpoint, and IMAP and SMTP servers that take its tokens.

Written after their documentation and after what others report of them: bodies of refusals, challenges and lines are in
their form, with invented ids. What a test wants to be wrong, it sets.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

from troth.service.configuration import Mailbox, MailOAuth, MailServer, MailTls

ACCOUNT = "privacy@example.org"
SECRET = "the-secret-of-the-app"  # invented


def entra(error: str, code: int, text: str, **more: str) -> tuple[int, dict[str, Any]]:
    """A refusal in the form of Microsoft's token endpoint."""
    trace = {
        "trace_id": "00000000-0000-0000-0000-000000000001",
        "correlation_id": "00000000-0000-0000-0000-000000000002",
    }
    body = {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code], **trace, **more}
    return (401 if error == "invalid_client" else 400), body


MICROSOFT = {
    "wrong secret": entra("invalid_client", 7000215, "Invalid client secret provided."),
    "expired secret": entra("invalid_client", 7000222, "The provided client secret keys for app are expired."),
    "unknown app": entra("unauthorized_client", 700016, "Application was not found in the directory."),
    "unused for 90 days": entra("invalid_grant", 700082, "The refresh token has expired due to inactivity."),
    "password changed": entra("invalid_grant", 50173, "The provided grant has expired due to it being revoked."),
    "no consent": entra("invalid_grant", 65001, "The user has not consented.", suberror="consent_required"),
    "unknown tenant": entra("invalid_request", 90002, "Tenant not found."),
    "wrong scope": entra("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid."),
}
GOOGLE = {
    "revoked": (400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
    "unknown client": (401, {"error": "invalid_client", "error_description": "The OAuth client was not found."}),
    "wrong client": (401, {"error": "unauthorized_client", "error_description": "Unauthorized"}),
}


@dataclass
class Provider:
    """Use it in a ``with`` block. *answer* replaces what the token endpoint answers: status, body and headers."""

    style: str = "microsoft"
    rotates: bool = False
    lasts_s: object = 3599
    answer: tuple[int, object, dict[str, str]] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=lambda: {"refresh-0"})
    letters: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    epoch: int = 1
    is_read_only: bool = False
    says: dict[str, str] = field(default_factory=dict)
    """What IMAP answers a command with, such as ``{"SELECT": "BAD User is authenticated but not connected."}``."""
    breaks_at: str = ""
    """Command at which IMAP breaks the connection off, once."""
    silent_at: str = ""
    """Command that IMAP never answers, once, nor any after it."""
    smtp_says: str = ""
    """What SMTP answers each sign-in with."""
    password: str = ""
    """Takes this too, if it is set."""
    tls: ssl.SSLContext | None = None
    """How IMAP is encrypted, if it is."""

    def __enter__(self) -> Self:
        provider = self

        class Http(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                status, body, headers = provider.answer or (*provider.token(form), {})
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked holds secrets."""

        self._servers: list[ThreadingHTTPServer | socketserver.ThreadingTCPServer] = [
            ThreadingHTTPServer(("127.0.0.1", 0), Http),
            _server(self._imap),
            _server(self._smtp),
        ]
        if self.tls is not None:
            imap = self._servers[1]
            imap.socket = self.tls.wrap_socket(imap.socket, server_side=True, do_handshake_on_connect=False)
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    # --- how our settings describe it ------------------------------------------------------------------------------

    def oauth(self, **more: str) -> MailOAuth:
        given = {"client": "the-app", "secret": SECRET, **more}
        return MailOAuth(f"http://127.0.0.1:{self._servers[0].server_address[1]}/token", **given)

    def mailbox(self, oauth: MailOAuth | None = None, **more: Any) -> Mailbox:
        port = self._servers[1].server_address[1]
        return Mailbox(host="127.0.0.1", port=port, user=ACCOUNT, is_encrypted=bool(self.tls), oauth=oauth, **more)

    def server(self, oauth: MailOAuth | None = None, **more: Any) -> MailServer:
        port = self._servers[2].server_address[1]
        return MailServer(host="127.0.0.1", port=port, user=ACCOUNT, tls=MailTls.NONE, oauth=oauth, **more)

    def add(self, uid: int, text: str = "Hello", *, size: int = 0) -> bytes:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "ann@example.org", ACCOUNT, f"number {uid}"
        message.set_content(text)
        self.letters[uid] = message.as_bytes().replace(b"\n", b"\r\n") + b"a" * size
        return self.letters[uid]

    # --- what it answers -------------------------------------------------------------------------------------------

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if form.get("client_secret") != SECRET:
            return MICROSOFT["wrong secret"] if self.style == "microsoft" else GOOGLE["wrong client"]
        token = f"token-{len(self.asked)}-" + "x" * 1500
        body = {"token_type": "Bearer", "expires_in": self.lasts_s, "access_token": token}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return MICROSOFT["unused for 90 days"] if self.style == "microsoft" else GOOGLE["revoked"]
            if self.rotates:
                self.refresh_tokens = {f"refresh-{len(self.asked)}"}
                [body["refresh_token"]] = self.refresh_tokens
        elif self.style == "microsoft" and form.get("scope") != "https://outlook.office365.com/.default":
            return MICROSOFT["wrong scope"]
        self.valid.add(token)
        return 200, body

    def _is_signed_in(self, response: bytes) -> bool:
        found = re.fullmatch(r"user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01", base64.b64decode(response).decode())
        return found is not None and found[1] == ACCOUNT and found[2] in self.valid

    def _challenge(self) -> bytes:
        said = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}
        return base64.b64encode(json.dumps(said, separators=(",", ":")).encode())

    def _imap(self, talk: _Talk) -> None:
        self.connections += 1
        talk.say(
            "* OK The Microsoft Exchange IMAP4 service is ready." if self.style == "microsoft" else "* OK Gimap ready"
        )
        told = -1
        while line := talk.hear():
            tag, _, command = line.decode().strip().partition(" ")
            words = command.split()
            name = " ".join(words[:2]) if words[0] == "UID" else words[0]
            self.commands.append(name)
            if name == self.breaks_at:
                self.breaks_at = ""
                return
            if name == self.silent_at:
                self.silent_at = ""
                while talk.hear():
                    pass
                return
            if name in self.says:
                talk.say(f"{tag} {self.says[name]}")
                continue
            match name:
                case "CAPABILITY":
                    talk.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS IDLE")
                case "AUTHENTICATE":
                    talk.say("+ ")
                    if not self._is_signed_in(talk.hear().strip()):
                        if self.style == "google":
                            talk.say("+ " + self._challenge().decode())
                            self.commands.append(f"answer {talk.hear().strip().decode()!r}")
                            talk.say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
                        else:
                            talk.say(f"{tag} NO AUTHENTICATE failed.")
                        continue
                case "LOGIN":
                    if not self.password or words[2] != f'"{self.password}"':
                        talk.say(f"{tag} NO LOGIN failed.")
                        continue
                case "SELECT" | "EXAMINE":
                    told = len(self.letters)
                    talk.say(f"* {told} EXISTS\r\n* OK [UIDVALIDITY {self.epoch}] UIDs valid")
                    read_only = self.is_read_only or name == "EXAMINE"
                    talk.say(f"{tag} OK [READ-{'ONLY' if read_only else 'WRITE'}] {name} completed.")
                    continue
                case "UID SEARCH":
                    fresh = [str(uid) for uid in sorted(self.letters) if uid not in self.seen]
                    talk.say(" ".join(["* SEARCH", *fresh]))
                case "UID FETCH":
                    self._fetch(talk, int(words[2]), command)
                case "UID STORE":
                    if self.is_read_only:
                        talk.say(f"{tag} NO Command received in Invalid state.")
                        continue
                    self.seen.add(int(words[2]))
                case "GETQUOTAROOT":
                    talk.say(f'* QUOTAROOT "INBOX" ""\r\n* QUOTA "" (STORAGE {self.says.get("quota", "1 100")})')
                case "LOGOUT":
                    talk.say(f"* BYE\r\n{tag} OK LOGOUT completed.")
                    return
            if told not in (-1, len(self.letters)):
                told = len(self.letters)
                talk.say(f"* {told} EXISTS")
            talk.say(f"{tag} OK {name} completed.")

    def _fetch(self, talk: _Talk, uid: int, command: str) -> None:
        if uid not in self.letters:
            return
        found = re.search(r"BODY\.PEEK\[\]<(\d+)\.(\d+)>", command)
        assert found is not None, "a message may be large"
        start = int(found[1])
        raw = self.letters[uid][start : start + int(found[2])]
        talk.say(f'* {uid} FETCH (UID {uid} INTERNALDATE " 1-Jan-2026 10:00:00 +0000" BODY[]<{start}> {{{len(raw)}}}')
        talk.say(raw.decode("latin-1") + ")")

    def _smtp(self, talk: _Talk) -> None:
        talk.say("220 mail.example.org Microsoft ESMTP MAIL Service ready")
        while line := talk.hear():
            words = line.decode().split()
            match words[0].upper():
                case "EHLO":
                    talk.say("250-mail.example.org\r\n250-SIZE 157286400\r\n250 AUTH LOGIN XOAUTH2")
                case "AUTH":
                    if self.smtp_says:
                        talk.say(self.smtp_says)
                    elif words[1] == "XOAUTH2" and self._is_signed_in(words[2].encode()):
                        talk.say("235 2.7.0 Authentication successful")
                    elif self.style == "google":
                        talk.say("334 " + self._challenge().decode())
                        self.commands.append(f"answer {talk.hear().strip().decode()!r}")
                        talk.say("535-5.7.8 Username and Password not accepted. See\r\n535 5.7.8 the page")
                    else:
                        talk.say("535 5.7.3 Authentication unsuccessful [AM0PR00CA0001.eurprd00.prod.outlook.com]")
                case "QUIT":
                    talk.say("221 2.0.0 Service closing transmission channel")
                    return
                case _:
                    talk.say("250 2.0.0 OK")


@dataclass
class _Talk:
    file: Any

    def say(self, line: str) -> None:
        self.file.write(line.encode("latin-1") + b"\r\n")
        self.file.flush()

    def hear(self) -> bytes:
        line: bytes = self.file.readline()
        return line


def _server(serve: Callable[[_Talk], None]) -> socketserver.ThreadingTCPServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.request.makefile("rwb") as file:
                try:
                    serve(_Talk(file))
                except (OSError, ValueError):
                    time.sleep(0)  # the client has gone

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server

"""A witness (C2SP tlog-witness) and a timestamp authority (RFC 3161) to test against, over real HTTP on this machine.

The witness is faithful: it refuses what the protocol says it has to, and keeps its one record for each ledger.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.declaration import Declaration, Ledger
from troth.ledger import (
    Checkpoint,
    Log,
    NoteRefused,
    ProofRefused,
    Verifier,
    Witness,
    cosign,
    cosigned_message,
    verify_consistency,
)

Answer = tuple[int, str, bytes]
"""Status, content type, body."""

_BODY = re.compile(r"old (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.*)", re.DOTALL)
_BODY_BYTES_MAX = 1_000_000


@dataclass
class FakeWitness:
    """A witness called *name* that knows the ledgers whose keys it is given. *clock* is what it calls now."""

    name: str
    knows: tuple[Verifier, ...] = ()
    clock: Callable[[], float] = time.time
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Size and root of the last checkpoint that it cosigned, by the ledger's name."""

    def __post_init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._mutex = threading.Lock()

    @property
    def key(self) -> Witness:
        """Its public key."""
        return Witness(self.name, self._key.public_key().public_bytes_raw())

    def add_checkpoint(self, body: bytes) -> Answer:
        """``POST /add-checkpoint``."""
        found = _BODY.fullmatch(body.decode("utf-8", "replace"))
        if found is None:
            return _says(400, "not a request")
        old, note = int(found[1]), found[3]
        proof = [base64.b64decode(line) for line in found[2].split()]
        known = [verifier for verifier in self.knows if verifier.name == note.partition("\n")[0]]
        if not known:
            return _says(404, "unknown ledger")
        try:
            signed = Checkpoint.open(note, known[0])
        except NoteRefused:
            return _says(403, "no valid signature")
        if old > signed.size:
            return _says(400, "older than it says")
        with self._mutex:  # what is compared and what is kept has to be one and the same
            return self._cosign(signed, note, old, proof)

    def _cosign(self, signed: Checkpoint, note: str, old: int, proof: list[bytes]) -> Answer:
        size, root = self.seen.get(signed.origin, (0, b""))
        if old != size:
            return 409, "text/x.tlog.size", b"%d\n" % size
        if size == signed.size and size and root != signed.root:
            return _says(409, "another root of this size")
        try:
            if size:
                verify_consistency(size, signed.size, root, signed.root, proof)
            elif proof:
                raise ProofRefused("a proof from nothing")
        except ProofRefused:
            return _says(422, "not consistent")
        self.seen[signed.origin] = (signed.size, signed.root)
        return 200, "text/plain; charset=utf-8", f"{self.cosignature(note)}\n".encode()

    def cosignature(self, note: str, at: int | None = None) -> str:
        """The signature line that it puts under *note*, whatever that is."""
        moment = int(self.clock()) if at is None else at
        text = note.rpartition("\n\n")[0] + "\n"
        signature = moment.to_bytes(8, "big") + self._key.sign(cosigned_message(text, moment))
        return f"— {self.name} {base64.b64encode(self.key.id + signature).decode()}"


def witnessed(declaration: Declaration, log: Log, *, now: dt.datetime) -> Declaration:
    """*declaration* with a witness, which has cosigned *log* at *now*."""
    witness = FakeWitness("witness.example.org/w1", (log.verifier,), clock=now.timestamp)

    def answer(request: httpx.Request) -> httpx.Response:
        status, kind, body = witness.add_checkpoint(request.content)
        return httpx.Response(status, headers={"content-type": kind}, content=body)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert cosign(log, {witness.key: "https://witness.example.org"}, client) == []
    listed = [{"key": str(witness.key), "url": "https://witness.example.org"}]
    return declaration.model_copy(update={"ledger": Ledger.model_validate({"witnesses": listed})})


def _says(status: int, text: str) -> Answer:
    return status, "text/plain; charset=utf-8", f"{text}\n".encode()


@contextlib.contextmanager
def serving(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """Answer every POST on this machine by its path and body; the URL to post to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _BODY_BYTES_MAX)
            status, kind, body = answer(self.path, self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name that it overrides
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# --- timestamps -------------------------------------------------------------------------------------------------------

_CONFIGURATION = """\
[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
_EXTENSIONS = "extendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n"


@dataclass(frozen=True)
class Authority:
    """A timestamp authority of ``openssl ts``: where it answers, and the certificate of its root in PEM."""

    url: str
    root: Path


@contextlib.contextmanager
def authority() -> Iterator[Authority]:
    """A timestamp authority with a root of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tsa.cnf").write_text(_CONFIGURATION)
        (folder / "extensions").write_text(_EXTENSIONS)
        new = ["req", "-newkey", "rsa:2048", "-nodes"]
        _openssl(folder, *new, "-x509", "-days", "30", "-subj", "/CN=Root", "-keyout", "root.key", "-out", "root.pem")
        _openssl(folder, *new, "-subj", "/CN=Timestamps", "-keyout", "tsa.key", "-out", "tsa.csr")
        by = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30", "-extfile", "extensions"]
        _openssl(folder, "x509", "-req", "-in", "tsa.csr", *by, "-out", "tsa.pem")

        def answer(_: str, query: bytes) -> Answer:
            (folder / "query").write_bytes(query)
            _openssl(folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
            return 200, "application/timestamp-reply", (folder / "reply").read_bytes()

        with serving(answer) as url:
            yield Authority(url, folder / "root.pem")


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)

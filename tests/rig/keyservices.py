"""What root keys are wrapped by, for tests: AWS KMS and Vault's Transit as fakes over HTTP, and a real SoftHSM token.

The fakes keep to what their models answer, errors and all, as far as wrapping a key goes. `FakeKms` refuses keys that
are disabled or pending deletion, which other fakes of KMS let pass.
"""

from __future__ import annotations

import base64
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.testing.servers import ServerUnavailable

Answer = tuple[int, Mapping[str, Any]]


class _Served:
    """An HTTP server on localhost that answers JSON with JSON, for as long as the ``with`` block lasts."""

    def __enter__(self) -> Any:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
                status, answer = fake.answer(self.path, self.headers, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", fake.content_type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked holds secrets."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    content_type = "application/json"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, headers: Message, body: Mapping[str, Any]) -> Answer:
        raise NotImplementedError


# --- AWS KMS ----------------------------------------------------------------------------------------------------------


@dataclass
class _KmsKey:
    cipher: AESGCM = field(default_factory=lambda: AESGCM(os.urandom(32)), repr=False)
    state: str = "Enabled"
    denied: set[str] = field(default_factory=set)


class FakeKms(_Served):
    """Encrypt and Decrypt of AWS KMS with symmetric keys, spoken to as boto3 does. Signatures are not checked.

    Set ``keys[arn].state`` to ``Disabled`` or ``PendingDeletion``, ``keys[arn].denied`` to names of operations, or
    remove the key. *deletion_code* is the code for keys that are pending deletion: KMS says either of two.
    """

    content_type = "application/x-amz-json-1.1"
    access_key = "AKIATROTHTESTING"

    def __init__(self) -> None:
        self.keys: dict[str, _KmsKey] = {}
        self.deletion_code = "KMSInvalidStateException"

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be told to come here."""
        return {
            "AWS_ENDPOINT_URL_KMS": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def make_key(self) -> str:
        """A new key's ARN."""
        arn = f"arn:aws:kms:eu-west-1:111122223333:key/{uuid.uuid4()}"
        self.keys[arn] = _KmsKey()
        return arn

    def answer(self, path: str, headers: Message, body: Mapping[str, Any]) -> Answer:
        operation = headers["X-Amz-Target"].removeprefix("TrentService.")
        if f"Credential={self.access_key}/" not in headers.get("Authorization", ""):
            return _kms_fault("UnrecognizedClientException", "The security token included in the request is invalid.")
        arn = body["KeyId"]
        key = self.keys.get(arn)
        if key is None:
            return _kms_fault("NotFoundException", f"Key '{arn}' does not exist")
        if operation in key.denied:
            return _kms_fault(
                "AccessDeniedException",
                f"User: arn:aws:iam::111122223333:user/ann is not authorized to perform: kms:{operation} on this "
                "resource because no identity-based policy allows the action",
            )
        context = json.dumps(body.get("EncryptionContext", {}), sort_keys=True).encode()
        return self._encrypt(arn, key, body, context) if operation == "Encrypt" else self._decrypt(arn, body, context)

    def _encrypt(self, arn: str, key: _KmsKey, body: Mapping[str, Any], context: bytes) -> Answer:
        if refused := self._refusal(arn, key):
            return refused
        nonce = os.urandom(12)
        sealed = nonce + key.cipher.encrypt(nonce, base64.b64decode(body["Plaintext"]), context)
        blob = json.dumps([arn, base64.b64encode(sealed).decode()]).encode()
        return 200, {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": arn}

    def _decrypt(self, arn: str, body: Mapping[str, Any], context: bytes) -> Answer:
        try:
            wrapped_by, text = json.loads(base64.b64decode(body["CiphertextBlob"]))
            sealed = base64.b64decode(text)
        except ValueError:
            return _kms_fault("InvalidCiphertextException")
        if wrapped_by != arn:
            return _kms_fault(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
        if refused := self._refusal(arn, self.keys[arn]):
            return refused
        try:
            plaintext = self.keys[arn].cipher.decrypt(sealed[:12], sealed[12:], context)
        except InvalidTag:
            return _kms_fault("InvalidCiphertextException")
        return 200, {"Plaintext": base64.b64encode(plaintext).decode(), "KeyId": arn}

    def _refusal(self, arn: str, key: _KmsKey) -> Answer | None:
        match key.state:
            case "Enabled":
                return None
            case "Disabled":
                return _kms_fault("DisabledException", f"{arn} is disabled.")
            case "PendingDeletion":
                return _kms_fault(self.deletion_code, f"{arn} is pending deletion.")
        raise AssertionError(f"no state of a key: {key.state}")


def _kms_fault(code: str, message: str | None = None) -> Answer:
    return 400, {"__type": code} | ({"message": message} if message else {})


# --- Vault's Transit --------------------------------------------------------------------------------------------------


@dataclass
class _TransitKey:
    derived: bool
    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)], repr=False)
    min_decryption_version: int = 1

    def cipher(self, version: int, context: bytes) -> AESGCM:
        secret = self.versions[version - 1]
        if self.derived:
            secret = HKDF(algorithm=SHA256(), length=32, salt=None, info=context).derive(secret)
        return AESGCM(secret)


class FakeTransit(_Served):
    """The Transit engine of Vault and OpenBao: encrypt and decrypt with aes256-gcm96 keys, plain or derived.

    Seal it with ``sealed``; add to ``denied`` (``encrypt/troth``) what the policy of the token leaves out; append to a
    key's ``versions`` to rotate it, and raise its ``min_decryption_version``; remove it from ``keys`` to delete it.
    """

    token = "hvs.troth-testing"

    def __init__(self, mount: str = "transit") -> None:
        self.mount = mount
        self.keys: dict[str, _TransitKey] = {}
        self.denied: set[str] = set()
        self.sealed = False

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be told to come here."""
        return {"VAULT_ADDR": self.url, "VAULT_TOKEN": self.token}

    def make_key(self, name: str, *, derived: bool = False) -> str:
        """A new key's name."""
        self.keys[name] = _TransitKey(derived)
        return name

    def answer(self, path: str, headers: Message, body: Mapping[str, Any]) -> Answer:
        if self.sealed:
            return _vault_fault(503, "Vault is sealed")
        if headers.get("X-Vault-Token") != self.token:
            return _vault_fault(403, "permission denied")
        asked = re.fullmatch(rf"/v1/{re.escape(self.mount)}/(encrypt|decrypt)/([\w.-]+)", path)
        if asked is None:
            return _vault_fault(404, f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.')
        operation, name = asked.groups()
        if f"{operation}/{name}" in self.denied:
            return _vault_fault(403, "1 error occurred:\n\t* permission denied\n\n")
        key = self.keys.get(name)
        if key is None:
            return _vault_fault(400, "encryption key not found")
        context = base64.b64decode(body.get("context", ""))
        if key.derived and not context:
            return _vault_fault(400, "missing 'context' for key derivation; the key was created using a derived key")
        return _encrypted(key, body, context) if operation == "encrypt" else _decrypted(key, body, context)


def _encrypted(key: _TransitKey, body: Mapping[str, Any], context: bytes) -> Answer:
    latest, nonce = len(key.versions), os.urandom(12)
    sealed = nonce + key.cipher(latest, context).encrypt(nonce, base64.b64decode(body["plaintext"]), None)
    return 200, {"data": {"ciphertext": f"vault:v{latest}:{base64.b64encode(sealed).decode()}", "key_version": latest}}


def _decrypted(key: _TransitKey, body: Mapping[str, Any], context: bytes) -> Answer:
    given = re.fullmatch(r"vault:v([0-9]+):(.*)", body["ciphertext"])
    if given is None:
        return _vault_fault(400, "invalid ciphertext: no prefix")
    version, sealed = int(given[1]), base64.b64decode(given[2])
    if version > len(key.versions):
        return _vault_fault(400, "invalid ciphertext: version is too new")
    if version < key.min_decryption_version:
        return _vault_fault(400, "ciphertext or signature version is disallowed by policy (too old)")
    try:
        plaintext = key.cipher(version, context).decrypt(sealed[:12], sealed[12:], None)
    except InvalidTag:
        return _vault_fault(400, "invalid ciphertext: unable to decrypt")
    return 200, {"data": {"plaintext": base64.b64encode(plaintext).decode()}}


def _vault_fault(status: int, *errors: str) -> Answer:
    return status, {"errors": list(errors)}


# --- PKCS #11 ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """A token of SoftHSM with one AES key, in a folder of its own."""

    module: Path
    folder: Path
    token: str = "Troth testing"
    key: str = "root"
    pin: str = "2580-1470"

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be told to find it. SoftHSM reads its own variable when the library is first used."""
        return {
            "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf"),
            "TROTH_PKCS11_MODULE": str(self.module),
            "TROTH_PKCS11_PIN": self.pin,
        }

    def run(self, script: str) -> None:
        """Run a Python script on the token, with ``pkcs11`` and an open ``session``, in a process of its own."""
        whole = (
            "import pkcs11, sys\n"
            "session = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2]).open(rw=True, user_pin=sys.argv[3])\n"
        ) + script
        _run([sys.executable, "-c", whole, str(self.module), self.token, self.pin], os.environ | self.environment)


_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def soft_hsm(folder: Path) -> SoftHsm:
    """A fresh token in the empty *folder*. Raises `ServerUnavailable` where SoftHSM is not installed."""
    modules = [path for pattern in _MODULES for path in sorted(glob.glob(pattern))]
    if not modules or shutil.which("softhsm2-util") is None:
        raise ServerUnavailable("SoftHSM is not installed: apt-get install softhsm2")
    hsm = SoftHsm(Path(modules[0]), folder)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    pins = ["--so-pin", "so-of-the-test", "--pin", hsm.pin]
    _run(["softhsm2-util", "--init-token", "--free", "--label", hsm.token, *pins], os.environ | hsm.environment)
    hsm.run(f"session.generate_key(pkcs11.KeyType.AES, 256, label={hsm.key!r}, store=True)")
    return hsm


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerUnavailable(f"{command[0]} failed: {done.stderr[-2000:]}")

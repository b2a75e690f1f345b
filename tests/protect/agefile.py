"""Files of age (C2SP ``age`` specification, the scrypt recipient), written without the library that reads them.

Little work goes into them: what age itself writes takes seconds and a gigabyte to open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def age_file(secret: bytes, passphrase: str, *, log_n: int = 4, said: int | None = None) -> bytes:
    """*secret* for whoever knows *passphrase*, stretched by ``2**log_n``; the file may *say* that it is another."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    labelled = b"age-encryption.org/v1/scrypt" + salt
    stretched = hashlib.scrypt(passphrase.encode(), salt=labelled, n=2**log_n, r=8, p=1, dklen=32)
    body = ChaCha20Poly1305(stretched).encrypt(bytes(12), file_key, None)
    header = f"age-encryption.org/v1\n-> scrypt {_text(salt)} {said or log_n}\n{_text(body)}\n---".encode()
    mac = hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")
    last_chunk = bytes(11) + b"\x01"
    payload = ChaCha20Poly1305(_derived(file_key, nonce, b"payload")).encrypt(last_chunk, secret, None)
    return header + f" {_text(mac)}\n".encode() + nonce + payload


def _derived(secret: bytes, salt: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=label).derive(secret)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")

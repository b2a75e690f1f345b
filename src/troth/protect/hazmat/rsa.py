"""RSA-2048 signatures: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017)."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

_PADDING = padding.PKCS1v15()
_OF_DIGEST = utils.Prehashed(hashes.SHA256())


class RsaKey:
    """The signing key in a PKCS #8 document. Raises `ValueError` for anything else."""

    __slots__ = ("_key",)

    def __init__(self, document: bytes) -> None:
        key = load_der_private_key(document, None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("no RSA key")
        self._key = key

    @staticmethod
    def generate() -> bytes:
        """The PKCS #8 document of a new key of 2,048 bits."""
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_key(self) -> bytes:
        """The public key as a SubjectPublicKeyInfo document."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature over the message that has this SHA-256 *digest*."""
        return self._key.sign(digest, _PADDING, _OF_DIGEST)

"""``pkcs11``: wrapped by an AES key in a hardware security module, or in anything that speaks PKCS #11.

The token encrypts with AES-GCM (CKM_AES_GCM), with our nonce and the root key's id authenticated. TROTH_PKCS11_MODULE
names the vendor's library: it is code, so the key file cannot choose it. The PIN comes from TROTH_PKCS11_PIN_FILE or
TROTH_PKCS11_PIN.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from troth.errors import needs
from troth.ledger import KeyId
from troth.protect.errors import WrapRefused
from troth.protect.hazmat import NONCE_BYTES, TAG_BYTES
from troth.protect.wraps.given import given
from troth.protect.wraps.text import decoded, encoded

_LOGGED_IN = threading.Lock()
"""A process, not a thread, logs in to a token, so sessions are serialised."""


@dataclass(frozen=True, slots=True)
class Pkcs11:
    name: ClassVar[str] = "pkcs11"
    token: str
    """The token's label."""
    key: str
    """The label of an AES key in it that may encrypt and decrypt."""

    def wrap(self, secret: bytes, key: KeyId) -> str:
        nonce = os.urandom(NONCE_BYTES)
        with self._aes_key() as aes:
            sealed: bytes = aes.encrypt(secret, **_gcm(nonce, key))
        return encoded(nonce + sealed)

    def unwrap(self, text: str, key: KeyId) -> bytes:
        sealed = decoded(text)
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise WrapRefused(f"the wrapped root key {key} is damaged: it is too short; restore your copy of the file")
        pkcs11 = _pkcs11()
        with self._aes_key() as aes:
            try:
                secret: bytes = aes.decrypt(sealed[NONCE_BYTES:], **_gcm(sealed[:NONCE_BYTES], key))
            except (pkcs11.GeneralError, pkcs11.EncryptedDataInvalid, pkcs11.EncryptedDataLenRange):
                raise WrapRefused(
                    f"the key {self.key!r} in the token {self.token!r} cannot unwrap it: another key with that name "
                    "wrapped it, or it was changed; restore your copy of the file"
                ) from None
        return secret

    @contextmanager
    def _aes_key(self) -> Iterator[Any]:
        """The key, in a session that is closed right after use."""
        pkcs11 = _pkcs11()
        try:
            with _LOGGED_IN, _token(self.token).open(user_pin=_pin()) as session:
                yield self._found(session)
        except pkcs11.PKCS11Error as fault:
            raise WrapRefused(self._refusal(type(fault).__name__)) from None

    def _found(self, session: Any) -> Any:
        pkcs11 = _pkcs11()
        wanted = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
            pkcs11.Attribute.LABEL: self.key,
        }
        found = list(session.get_objects(wanted))  # `get_key` would leave the search open if it finds two
        if not found:
            raise WrapRefused(
                f"the token {self.token!r} has no AES key {self.key!r}, or no longer; without it this file cannot be "
                "opened: restore a copy that was wrapped another way"
            )
        if len(found) > 1:
            raise WrapRefused(
                f"the token {self.token!r} has several keys {self.key!r}; give the one to use a label of its own"
            )
        if not (hasattr(found[0], "encrypt") and hasattr(found[0], "decrypt")):  # its attributes decide which it has
            raise WrapRefused(self._refusal("KeyFunctionNotPermitted"))
        return found[0]

    def _refusal(self, kind: str) -> str:
        token = f"the token {self.token!r}"
        match kind:
            case "PinIncorrect" | "PinInvalid" | "PinLenRange":
                return f"the PIN of {token} is wrong; fix it before you try again, as many tokens lock after a few"
            case "PinLocked" | "PinExpired" | "UserPinNotInitialized":
                return f"the PIN of {token} is locked, expired or not set; its security officer sets a new one"
            case "MechanismInvalid" | "FunctionNotSupported" | "KeyFunctionNotPermitted" | "KeyTypeInconsistent":
                return f"the key {self.key!r} in {token} may not encrypt and decrypt with AES-GCM; create one that may"
        return f"{token} cannot be used ({kind}); check that it is connected, and the log of its library"


def _token(label: str) -> Any:
    pkcs11 = _pkcs11()
    module = os.environ.get("TROTH_PKCS11_MODULE")
    if not module:
        raise WrapRefused(
            "the root key is in a PKCS #11 token; give its vendor's library in TROTH_PKCS11_MODULE, such as "
            "/usr/lib/softhsm/libsofthsm2.so"
        )
    try:
        library = pkcs11.lib(module)
    except pkcs11.PKCS11Error:
        raise WrapRefused(
            f"TROTH_PKCS11_MODULE names {module}, which is not a PKCS #11 library or does not start; check the path "
            "and the library's own settings"
        ) from None
    try:
        return library.get_token(token_label=label)
    except pkcs11.NoSuchToken:
        raise WrapRefused(
            f"there is no token {label!r} behind {module}; check that it is plugged in or reachable, and its label"
        ) from None
    except pkcs11.MultipleTokensReturned:
        raise WrapRefused(f"there are several tokens {label!r} behind {module}; give the one to use its own") from None


def _pin() -> str:
    pin = given("TROTH_PKCS11_PIN")
    if pin is None:
        raise WrapRefused("there is no PIN for the token; name a file that holds it in TROTH_PKCS11_PIN_FILE")
    return pin


def _gcm(nonce: bytes, key: KeyId) -> dict[str, Any]:
    pkcs11 = _pkcs11()
    associated = f"troth {key}".encode()
    return {
        "mechanism": pkcs11.Mechanism.AES_GCM,
        "mechanism_param": pkcs11.GCMParams(nonce, associated, TAG_BYTES * 8),
    }


def _pkcs11() -> Any:
    with needs("pkcs11", WrapRefused, "the root key is in a PKCS #11 token, whose client is not installed"):
        import pkcs11
    return pkcs11

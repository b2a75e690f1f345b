"""Raw primitives: key bytes, ciphers, keyed hashes. Only the rest of `protect` and `troth.testing.vectors`, which tests
them, may use them.

Nothing here decides anything; the layer above decides what is safe. Python cannot promise to wipe a key from memory, so
nothing here claims to.
"""

from troth.protect.hazmat.aead import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Aead, AeadFailed
from troth.protect.hazmat.ed25519 import SigningKey
from troth.protect.hazmat.ff1 import Ff1
from troth.protect.hazmat.gcm_siv import GcmSiv
from troth.protect.hazmat.hkdf import derive
from troth.protect.hazmat.keywrap import KeyWrap, UnwrapFailed
from troth.protect.hazmat.mac import Mac
from troth.protect.hazmat.rsa import RsaKey
from troth.protect.hazmat.scrypt import stretch
from troth.protect.hazmat.siv import SIV_KEY_BYTES, Siv

__all__ = [
    "KEY_BYTES",
    "NONCE_BYTES",
    "SIV_KEY_BYTES",
    "TAG_BYTES",
    "Aead",
    "AeadFailed",
    "Ff1",
    "GcmSiv",
    "KeyWrap",
    "Mac",
    "RsaKey",
    "SigningKey",
    "Siv",
    "UnwrapFailed",
    "derive",
    "stretch",
]

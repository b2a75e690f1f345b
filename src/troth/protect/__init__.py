"""Protection: keys, sealed values, pseudonyms, commitments and masks.

It promises that
- the root key is made once, is readable by its owner alone, and is never overwritten, printed or handed out;
- what is sealed opens in exactly the place and for exactly the subject it was sealed for, or not at all, with one error
  that does not say why; equal values look different, unless somebody asked for `Keyring.seal_deterministic`;
- a pseudonym, a digest and a mask say nothing to someone without the key, and are the same every time to us;
- every sealed value and every derived text starts with its version, so that it can be read after we change our minds.

Raw ciphers and key bytes stay in `troth.protect.hazmat`.
"""

from troth.protect.commit import commit
from troth.protect.errors import (
    HomeRefused,
    KeyRefused,
    KeysMissing,
    MaskRefused,
    MaskTooNarrow,
    OpenError,
    ProtectError,
)
from troth.protect.home import KEY_FILE, create_home
from troth.protect.keychain import KEYS_FILE, Keychain, KeyInfo
from troth.protect.keyring import Keyring
from troth.protect.masks import Masker, MaskFit, MaskKind
from troth.protect.pack import Part
from troth.protect.seal import Context, is_deterministic, is_sealed
from troth.protect.sealed import Sealed
from troth.protect.signing import Ed25519Signer
from troth.protect.states import KeyState
from troth.protect.wrapped import epoch_of

__all__ = [
    "KEYS_FILE",
    "KEY_FILE",
    "Context",
    "Ed25519Signer",
    "HomeRefused",
    "KeyInfo",
    "KeyRefused",
    "KeyState",
    "Keychain",
    "Keyring",
    "KeysMissing",
    "MaskFit",
    "MaskKind",
    "MaskRefused",
    "MaskTooNarrow",
    "Masker",
    "OpenError",
    "Part",
    "ProtectError",
    "Sealed",
    "commit",
    "create_home",
    "epoch_of",
    "is_deterministic",
    "is_sealed",
]

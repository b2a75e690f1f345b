"""Protection: keys, sealed values, pseudonyms, commitments, masks and tokens.

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
    DomainTooSmall,
    HomeRefused,
    KeyRefused,
    KeysMissing,
    MaskRefused,
    MaskTooNarrow,
    OpenError,
    ProtectError,
    TokenRefused,
    WayRefused,
    WrapRefused,
)
from troth.protect.home import KEY_FILE, create_home, read_key_file
from troth.protect.keychain import KEYS_FILE, Keychain, KeyInfo
from troth.protect.keyring import Keyring
from troth.protect.masks import Masker, MaskFit, MaskKind
from troth.protect.pack import Part
from troth.protect.rewrap import RewrapPlan, plan_rewrap, rewrap
from troth.protect.seal import Context, is_deterministic, is_sealed
from troth.protect.sealed import Sealed
from troth.protect.signing import Ed25519Signer
from troth.protect.states import KeyState
from troth.protect.tokens import (
    OPAQUE_PATTERN,
    Pan,
    TokenFormat,
    Tokeniser,
    draw_token,
    is_opaque_token,
)
from troth.protect.wrapped import WRAPPED_BYTES, epoch_of
from troth.protect.wraps import WAYS, Wrap, options, way

__all__ = [
    "KEYS_FILE",
    "KEY_FILE",
    "OPAQUE_PATTERN",
    "WAYS",
    "WRAPPED_BYTES",
    "Context",
    "DomainTooSmall",
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
    "Pan",
    "Part",
    "ProtectError",
    "RewrapPlan",
    "Sealed",
    "TokenFormat",
    "TokenRefused",
    "Tokeniser",
    "WayRefused",
    "Wrap",
    "WrapRefused",
    "commit",
    "create_home",
    "draw_token",
    "epoch_of",
    "is_deterministic",
    "is_opaque_token",
    "is_sealed",
    "options",
    "plan_rewrap",
    "read_key_file",
    "rewrap",
    "way",
]

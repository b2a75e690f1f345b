"""Protection: keys, sealed values, pseudonyms, commitments, masks and tokens.

It promises that
- the root key is generated once, is readable by its owner only, and is never overwritten, printed or exposed;
- a sealed value opens only in the place and for the subject that it was sealed for; every other attempt fails with one
  error that does not say why; equal values look different, except with `Keyring.seal_deterministic`;
- a pseudonym, a digest and a mask reveal nothing without the key, and are the same every time with it;
- every sealed value and every derived text starts with its version, so that it stays readable after a format change.

Raw ciphers and key bytes stay in `troth.protect.hazmat`.
"""

from troth.protect.approvals import APPROVAL_LASTS, APPROVALS_FILE, Approvals
from troth.protect.approvers import (
    APPROVERS_FILE,
    Approver,
    ApproversPlan,
    plan_approver,
    plan_no_approver,
    read_approvers,
    write_approvers,
)
from troth.protect.commit import commit
from troth.protect.cryptoperiods import (
    EPOCH_GRACE,
    EPOCH_LASTS,
    FIELD_LASTS,
    MAIL_RECORD_KEPT,
    KeyCondition,
    field_zero,
    opened_until,
    rotate_command,
    seals_until,
    standing,
)
from troth.protect.errors import (
    ApprovalRefused,
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
from troth.protect.home import KEY_FILE, KEYS_FILE, begin_keys, create_home, make_folder, read_key_file
from troth.protect.inventory import Inventory, KeyStanding, take_inventory
from troth.protect.keychain import Keychain, KeyInfo, Purpose
from troth.protect.keyring import Keyring
from troth.protect.masks import Masker, MaskFit, MaskKind
from troth.protect.pack import Part
from troth.protect.passphrase import ask_passphrase
from troth.protect.rewrap import RewrapPlan, plan_rewrap, rewrap
from troth.protect.seal import NUMBER_AT, ROOT_AT, SealingContext, is_deterministic, is_sealed, sealed_under
from troth.protect.sealed import Sealed
from troth.protect.signing import Ed25519Signer, MailAlgorithm, MailSigningKey
from troth.protect.states import KeyState
from troth.protect.tokens import OPAQUE_PATTERN, Pan, TokenFormat, Tokeniser, draw_token, is_opaque_token
from troth.protect.transport import ExportPlan, KeyExport, open_export, plan_export, require_free, write_export
from troth.protect.wrapped import WRAPPED_BYTES, epoch_of
from troth.protect.wraps import WAYS, Wrap, options, way

__all__ = [
    "APPROVALS_FILE",
    "APPROVAL_LASTS",
    "APPROVERS_FILE",
    "EPOCH_GRACE",
    "EPOCH_LASTS",
    "FIELD_LASTS",
    "KEYS_FILE",
    "KEY_FILE",
    "MAIL_RECORD_KEPT",
    "NUMBER_AT",
    "OPAQUE_PATTERN",
    "ROOT_AT",
    "WAYS",
    "WRAPPED_BYTES",
    "ApprovalRefused",
    "Approvals",
    "Approver",
    "ApproversPlan",
    "DomainTooSmall",
    "Ed25519Signer",
    "ExportPlan",
    "HomeRefused",
    "Inventory",
    "KeyCondition",
    "KeyExport",
    "KeyInfo",
    "KeyRefused",
    "KeyStanding",
    "KeyState",
    "Keychain",
    "Keyring",
    "KeysMissing",
    "MailAlgorithm",
    "MailSigningKey",
    "MaskFit",
    "MaskKind",
    "MaskRefused",
    "MaskTooNarrow",
    "Masker",
    "OpenError",
    "Pan",
    "Part",
    "ProtectError",
    "Purpose",
    "RewrapPlan",
    "Sealed",
    "SealingContext",
    "TokenFormat",
    "TokenRefused",
    "Tokeniser",
    "WayRefused",
    "Wrap",
    "WrapRefused",
    "ask_passphrase",
    "begin_keys",
    "commit",
    "create_home",
    "draw_token",
    "epoch_of",
    "field_zero",
    "is_deterministic",
    "is_opaque_token",
    "is_sealed",
    "make_folder",
    "open_export",
    "opened_until",
    "options",
    "plan_approver",
    "plan_export",
    "plan_no_approver",
    "plan_rewrap",
    "read_approvers",
    "read_key_file",
    "require_free",
    "rewrap",
    "rotate_command",
    "sealed_under",
    "seals_until",
    "standing",
    "take_inventory",
    "way",
    "write_approvers",
    "write_export",
]

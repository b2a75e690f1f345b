"""Tokens: stand-ins for values, which a system may hold where it must not hold the value.

It promises that
- a token of a card never passes Luhn, so that it is never taken for a card;
- a token says nothing to someone without the key or the store beyond what its format keeps;
- a token read in a domain that did not make it is refused wherever the format can tell, and `Tokeniser` says where not;
- no format exists for what may never be kept after authorisation (PCI DSS 4.0.1, 3.3.1): codes, stripes and numbers
  that only the holder knows.

Nothing here stores anything. ``batch`` needs numpy and is imported by its users alone.
"""

from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.pan import Pan
from troth.protect.tokens.stored import OPAQUE_PATTERN, draw_token, is_opaque_token
from troth.protect.tokens.tokeniser import Tokeniser

__all__ = [
    "OPAQUE_PATTERN",
    "Pan",
    "TokenFormat",
    "Tokeniser",
    "draw_token",
    "is_opaque_token",
]

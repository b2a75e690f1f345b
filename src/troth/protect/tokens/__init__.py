"""Tokens: substitutes for values, for systems that must not hold the value.

It promises that
- a token of a card never passes Luhn, so that it is never mistaken for a card;
- without the key or the store, a token reveals nothing beyond what its format keeps;
- a token read in another domain than its own is refused if the format can tell, and `Tokeniser` says which cannot;
- no format exists for data that must never be kept after authorisation (PCI DSS 4.0.1, 3.3.1): codes, stripes and
  numbers that only the holder knows.

Nothing here stores anything. ``batch`` needs numpy and is imported only by its users.
"""

from troth.protect.tokens.formats import TokenFormat
from troth.protect.tokens.pan import Pan
from troth.protect.tokens.stored import OPAQUE_PATTERN, draw_token, is_opaque_token
from troth.protect.tokens.tokeniser import Tokeniser

__all__ = ["OPAQUE_PATTERN", "Pan", "TokenFormat", "Tokeniser", "draw_token", "is_opaque_token"]

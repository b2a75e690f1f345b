"""What tells a number from one that only looks like it: check digits, and numbers that are never given out.

Every check takes the value as written, spaces and all, and answers for itself; none raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["CHECKS"]


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(letter) for letter in value if letter.isdecimal()]
    doubled = [digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(reversed(digits))]
    return len(digits) > 1 and sum(doubled) % 10 == 0


def nino(value: str) -> bool:
    """Prefixes that are never given out, https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110."""
    return value[:2].upper() not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


CHECKS: Final[dict[str, Callable[[str], bool]]] = {check.__name__: check for check in (luhn, nino)}

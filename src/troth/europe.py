"""Where the General Data Protection Regulation is law, and where data goes from there without a safeguard."""

from __future__ import annotations

from typing import Final

EEA: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO"),
    }
)
"""The European Union and the three other countries of the European Economic Area, as they are today. What they were on
another day, `troth.law` knows."""

FREE_FLOW: Final = EEA | {"GB"}
"""With the United Kingdom: between these no transfer under Chapter V takes place, or an adequacy decision covers it
(GDPR Art. 44-45)."""

"""Descriptions of the checks, for explaining why a value was found. The words are in ``titles.toml``."""

from __future__ import annotations

from troth.data_files import read_toml


def said(check: str, *, passes: bool) -> str:
    """What it means that a value passes or fails a check."""
    titles = read_toml(__package__, "titles.toml")
    if check in titles["digits"]:
        return f"its check digits {'agree' if passes else 'do not agree'} ({titles['digits'][check]})"
    return f"it {'has' if passes else 'does not have'} the form of {titles['forms'][check]}"

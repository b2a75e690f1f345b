"""Bytes as text in a key file: base64, in one line."""

from __future__ import annotations

import base64

from troth.protect.errors import WrapRefused


def encoded(data: bytes) -> str:
    """*data* in base64."""
    return base64.b64encode(data).decode("ascii")


def decoded(given: str) -> bytes:
    """Decode base64. Raises `WrapRefused` without quoting the text."""
    try:
        return base64.b64decode(given, validate=True)
    except ValueError:
        raise WrapRefused("the wrapped root key is damaged: it is not base64; restore your copy of the file") from None

"""Variable envelope return paths: each delivery has an envelope sender of its own, so that a report names it without
being understood."""

from __future__ import annotations

import re

_LOCAL_MAX = 64
"""RFC 5321, section 4.5.3.1.1."""
_TOKEN = re.compile(r"[a-z0-9]{1,48}")


def envelope_sender(base: str, delivery_token: str) -> str:
    """``bounces+TOKEN@example.org`` for the *base* ``bounces@example.org``. The token is of letters and digits, without
    regard to case, since some servers change it. Raises ValueError."""
    local, at, domain = base.rpartition("@")
    if not at or not local or not domain or "+" in local:
        raise ValueError("the address that reports go to is like bounces@example.org, without a plus")
    token = delivery_token.lower()
    if not _TOKEN.fullmatch(token):
        raise ValueError("a delivery token has 1 to 48 letters a to z and digits")
    if len(local) + 1 + len(token) > _LOCAL_MAX:
        raise ValueError(
            f"the address that reports go to has at most {_LOCAL_MAX - 1 - len(token)} characters before the @"
        )
    return f"{local}+{token}@{domain}"


def token_in(address: str) -> str | None:
    """The token of an address that `envelope_sender` made, in lower case; None if it has none."""
    local, at, domain = address.strip().strip("<>").rpartition("@")
    base, plus, token = local.strip('"').rpartition("+")
    token = token.lower()
    return token if at and domain and base and plus and _TOKEN.fullmatch(token) else None

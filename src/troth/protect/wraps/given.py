"""Credentials of a way: an environment variable, or the file that its ``_FILE`` twin names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from troth.protect.errors import WrapRefused

_BYTES_MAX = 65_536


def given(name: str) -> str | None:
    """The value of *name*, or the content of the file that *name*\\ ``_FILE`` names, without the line's end.

    None if neither is set. Raises `WrapRefused` if both are, and for a file that others can read.
    """
    value, path = os.environ.get(name) or None, os.environ.get(f"{name}_FILE") or None
    if path is None:
        return value
    if value is not None:
        raise WrapRefused(f"{name} and {name}_FILE are both set; keep one of them")
    return _content(f"{name}_FILE", Path(path))


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_BYTES_MAX + 1)
    except OSError as fault:
        raise WrapRefused(f"{name} names {path}, which cannot be read ({fault.strerror}); check the path") from None
    if stat.S_IMODE(mode) & 0o077:
        raise WrapRefused(f"{name} names {path}, which others can read; fix it with: chmod 600 {path}")
    try:
        value = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrapRefused(f"{name} names {path}, which is not text; check the path") from None
    if not value or len(data) > _BYTES_MAX or "\n" in value:
        raise WrapRefused(f"{name} names {path}, which does not consist of one line; write only the value into it")
    return value

"""Reading an approver's passphrase: from a file named in the environment, or the terminal; never from an argument."""

from __future__ import annotations

import getpass
import sys

from troth.protect.errors import ApprovalRefused
from troth.protect.wraps.given import given


def ask_passphrase(whose: str, variable: str, *, twice: bool = False) -> str:
    """The passphrase of *whose*: from the file that *variable*\\ ``_FILE`` names, from *variable*, or typed, *twice* if
    it is new. Raises `WrapRefused` for an unsafe file, `ApprovalRefused` without a terminal or if the two differ."""
    found = given(variable)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise ApprovalRefused(
            f"the passphrase of {whose} is needed, but there is no terminal to type it; put it into a file that only "
            f"you can read, and give its path in {variable}_FILE"
        )
    typed = getpass.getpass(f"Passphrase of {whose}: ")
    if twice and typed != getpass.getpass("Repeat it: "):
        raise ApprovalRefused("the two passphrases differ; nothing was written")
    return typed

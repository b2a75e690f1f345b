"""What no command does yet, done as the service does it: ``python -m tests.cli.own``, on the TROTH_HOME and the
database that the environment names."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from troth.protect import Keyring
from troth.protect.tokens import TokenFormat

if TYPE_CHECKING:
    from troth.service.vault.stored_tokens import Vault


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def tokens(count: str) -> None:
    """Put so many values into the vault, and print their tokens."""
    print(*_vault().tokenise_batch(TokenFormat.OPAQUE, [f"value {number}" for number in range(int(count))]))  # noqa: T201


def card(email: str) -> None:
    """Put a card of somebody's into the vault, and print its token; the keep loop comes by afterwards."""
    from troth.service.core.key_registry import note_keys
    from troth.subjects import Identity, references

    [whose] = references([Identity.of(email=email)], _keyring())
    print(_vault().tokenise(TokenFormat.PAN_BIN6_LAST4, "4111111111111111", subject=whose))  # noqa: T201
    note_keys(_keyring(), now=_now())


def values(*wanted: str) -> None:
    """Print what the tokens stand for."""
    for value in _vault().detokenise_batch(wanted, purpose="refund"):
        print(value.reveal())  # noqa: T201


def _vault() -> Vault:
    from troth.service.vault.stored_tokens import Vault

    return Vault(_keyring(), domain="shop", now=_now)


def subjects(*who: str) -> None:
    """Give each subject a key of its own; the keep loop comes by afterwards, and notes the keys."""
    from troth.service.core.key_registry import note_keys
    from troth.service.core.subject_keys import SubjectKeys

    for one in who:
        SubjectKeys(_keyring()).of(one, now=_now())
    note_keys(_keyring(), now=_now())


def erase(who: str, days: str) -> None:
    """Erase a subject, as if so many days ago."""
    from django.db import transaction

    from troth.service.core.subject_keys import SubjectKeys

    with transaction.atomic():
        assert SubjectKeys(_keyring()).erase([who], now=_now() - dt.timedelta(days=int(days))) == 1


def rotate() -> None:
    """Put another field key in use, and seal nothing anew."""
    chain = _keyring().chain
    assert chain is not None
    chain.rotate("field", now=_now())


def _keyring() -> Keyring:
    return Keyring.open(Path(os.environ["TROTH_HOME"]))


if __name__ == "__main__":
    from troth.service.server import catch_up, set_up

    set_up()
    catch_up()
    does, *given = sys.argv[1:]
    known: Mapping[str, Callable[..., None]] = {
        "tokens": tokens,
        "card": card,
        "values": values,
        "subjects": subjects,
        "erase": erase,
        "rotate": rotate,
    }
    known[does](*given)

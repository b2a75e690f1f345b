"""Shows the ledger's checkpoint to the outside parties in the declaration: witnesses, a timestamp authority.

Hashes and signatures leave, never an entry. Parties that are unreachable now are asked at the next pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from troth.declaration import Ledger, TimestampAuthority
from troth.ledger import (
    LedgerError,
    NoteRefused,
    Quorum,
    TimestampRefused,
    Witness,
    cosign,
    request_timestamp,
    signed_in,
    verify_timestamp,
)
from troth.service.core.ledger import DatabaseLog, keep_outside, outside
from troth.service.core.models import OutsideSignature

if TYPE_CHECKING:  # loaded when something is shown
    import httpx

refusals: list[str] = []
"""What parties refused in this process, until somebody clears it: ``troth keep`` says so."""
_ANSWER_S_MAX = 10.0
_AGAIN = dt.timedelta(hours=12)
"""An unchanged ledger is cosigned this often, so that no cosignature becomes old without reason."""
_TIMESTAMP_EVERY = dt.timedelta(days=1)


def show_outside(log: DatabaseLog, declared: Ledger, folder: Path, *, now: dt.datetime) -> Iterator[LedgerError]:
    """Have all parties in *declared* sign the current checkpoint; yields each refusal.

    Relative paths start at *folder*.
    """
    import httpx

    if not log.size:
        return
    with httpx.Client(timeout=_ANSWER_S_MAX) as client:
        witnesses = {Witness.parse(each.key): each.url for each in declared.witnesses}
        if _is_wanting(log, tuple(witnesses), now):
            yield from cosign(log, witnesses, client, needed=declared.quorum)
        if declared.timestamp is not None:
            try:
                _timestamp(log, declared.timestamp, folder, client, now)
            except TimestampRefused as refused:
                yield refused


def timestamp_files() -> dict[str, bytes]:
    """Last timestamp as files, for ``openssl ts -verify -data timestamped -in timestamped.tsr -CAfile …``."""
    note, token = outside("timestamped"), outside("timestamp")
    return {"timestamped": note, "timestamped.tsr": token} if note and token else {}


def _is_wanting(log: DatabaseLog, witnesses: tuple[Witness, ...], now: dt.datetime) -> bool:
    """True if some witness has not signed the current ledger, or not recently."""
    note = log.cosigned()
    if note is None:
        return bool(witnesses)
    try:
        signed, found = signed_in(note, log.verifier), Quorum(witnesses, len(witnesses)).require(note)
    except NoteRefused:
        return True
    return signed.size != log.size or any(now - cosignature.at >= _AGAIN for cosignature in found)


def _timestamp(
    log: DatabaseLog, authority: TimestampAuthority, folder: Path, client: httpx.Client, now: dt.datetime
) -> None:
    last = OutsideSignature.objects.filter(name="timestamp").values_list("at", flat=True).first()
    if last is not None and now - last < _TIMESTAMP_EVERY:
        return
    try:
        root = (folder / authority.certificate).read_bytes()
    except OSError as fault:
        raise TimestampRefused(
            f"the certificate of the timestamp authority cannot be read ({fault.strerror}): {authority.certificate}"
        ) from None
    note = log.checkpoint()
    token = request_timestamp(note, authority.url, client)
    verify_timestamp(note, token, [root])
    keep_outside(now, timestamped=note.encode(), timestamp=token)

"""Witnesses (C2SP tlog-witness, tlog-cosignature): outsiders who sign that the ledger only grew.

A witness remembers the last checkpoint that it cosigned and refuses any that does not continue it. So after a rewrite
or rollback nobody but the operator signs the ledger any more.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from troth.ledger.checkpoint import Checkpoint
from troth.ledger.errors import NoteRefused, WitnessRefused
from troth.ledger.log import Log
from troth.ledger.note import Verifier, signature_line, split_note

if TYPE_CHECKING:
    import httpx

_ATTEMPTS_MAX = 3  # the known size, the size in the answer, and once more after another submitter
_ANSWER_BYTES_MAX = 65_536
_OK, _CONFLICT = 200, 409
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class Witness(Verifier):
    """The public key of a witness. ``Witness.parse`` reads ``name+id+base64`` of type 4."""

    kind: ClassVar[bytes] = b"\x04"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A statement that *witness* saw this checkpoint at *at*, and none that it does not continue."""

    witness: Witness
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Quorum:
    """The accepted witnesses, and how many of them must cosign. Raises `NoteRefused` if that is impossible, or a key is
    listed twice."""

    witnesses: tuple[Witness, ...]
    needed: int

    def __post_init__(self) -> None:
        if len({witness.public_key for witness in self.witnesses}) < len(self.witnesses):
            raise NoteRefused("a witness is listed twice; each cosignature must come from a different one")
        if not 0 <= self.needed <= len(self.witnesses):
            raise NoteRefused(f"{self.needed} witnesses are needed, but only {len(self.witnesses)} are listed")

    def require(self, note: str) -> list[Cosignature]:
        """The cosignatures on the checkpoint *note*. Raises `NoteRefused` if they are too few, or one is wrong.

        It does not check the ledger's own signature; `Checkpoint.open` does.
        """
        found = self.found(note)
        if len(found) < self.needed:
            raise NoteRefused(f"{len(found)} of the witnesses cosigned the checkpoint, and {self.needed} are needed")
        return found

    def found(self, note: str) -> list[Cosignature]:
        """The cosignatures by these witnesses. Raises `NoteRefused` if one is wrong."""
        text, signatures = split_note(note)
        return [
            _cosignature(witness, text, own[0])
            for witness in self.witnesses
            if (own := [each for name, each in signatures if (name, each[:4]) == (witness.name, witness.id)])
        ]


def _cosignature(witness: Witness, text: str, signature: bytes) -> Cosignature:
    moment = int.from_bytes(signature[4:12], "big")
    witness.verify(cosigned_message(text, moment), signature[12:])
    try:
        return Cosignature(witness, dt.datetime.fromtimestamp(moment, dt.UTC))
    except (ValueError, OverflowError, OSError):
        raise NoteRefused(f"the cosignature of {witness.name} has a time outside the supported years") from None


def cosigned_message(text: str, moment: int) -> bytes:
    """The message that a witness signs: *moment*, in seconds since 1970, and the checkpoint's *text*."""
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


# --- requesting cosignatures ------------------------------------------------------------------------------------------


def cosign(
    log: Log, witnesses: Mapping[Witness, str], client: httpx.Client, *, needed: int | None = None
) -> list[WitnessRefused]:
    """Have *witnesses*, each at its submission prefix, cosign the same current checkpoint; returns their refusals.

    The log stores the checkpoint with their signatures, unless fewer signed than are *needed* (by default all) and
    fewer than signed the stored one. A refusal's *conflict* means that the witness has seen another ledger under our
    name.
    """
    note, lines, refused = log.checkpoint(), list[str](), list[WitnessRefused]()
    for witness, url in witnesses.items():
        try:
            lines.append(_ask(log, witness, url, client, note))
        except WitnessRefused as why:
            refused.append(why)
    if lines:
        text, _, signed = note.rpartition("\n\n")
        others = [line for line in signed.splitlines() if not any(_is_by(witness, line) for witness in witnesses)]
        fresh, kept = "\n".join([text, "", *others, *lines, ""]), log.cosigned()
        enough = min(len(witnesses) if needed is None else needed, _signers(witnesses, kept))
        if len(lines) >= enough:
            log.keep_cosigned(fresh)
    return refused


def _signers(witnesses: Iterable[Witness], note: str | None) -> int:
    """The number of *witnesses* that signed *note*."""
    try:
        return len(Quorum(tuple(witnesses), 0).found(note)) if note is not None else 0
    except NoteRefused:
        return 0


def _ask(log: Log, witness: Witness, url: str, client: httpx.Client, note: str) -> str:
    """The signature line of *witness* for the checkpoint *note*, verified. Raises `WitnessRefused`."""
    size = _size(log, note)
    known, status = _seen(log, witness), 0
    for _ in range(_ATTEMPTS_MAX):
        if known > size:
            raise WitnessRefused(
                f"{witness.name} has cosigned {known} entries of this ledger, which has {size}: it was rolled back; "
                "restore the newest copy",
                conflict=True,
            )
        proof = log.consistency(known, size) if known else []
        status, answer = _submit(witness, url, client, [f"old {known}", *map(_base64, proof), "", note])
        if status == _OK:
            return _line(witness, note, answer)
        told = _SIZE.fullmatch(answer) if status == _CONFLICT else None
        if told is None or int(told[1]) == known:
            break
        known = int(told[1])
    raise _refusal(witness, status)


def _seen(log: Log, witness: Witness) -> int:
    """The number of entries that *witness* had cosigned at the last request."""
    note = log.cosigned()
    return _size(log, note) if note is not None and _signers([witness], note) else 0


def _size(log: Log, note: str) -> int:
    return Checkpoint.open(note, log.verifier, origin=note.partition("\n")[0]).size


def _submit(witness: Witness, url: str, client: httpx.Client, lines: Sequence[str]) -> tuple[int, str]:
    """Status and text of the response."""
    import httpx

    answered = b""
    try:
        with client.stream("POST", f"{url.rstrip('/')}/add-checkpoint", content="\n".join(lines).encode()) as answer:
            for part in answer.iter_bytes():
                answered += part
                if len(answered) > _ANSWER_BYTES_MAX:
                    raise WitnessRefused(f"{witness.name} answered with more than a witness should; check its URL")
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise WitnessRefused(
            f"{witness.name} cannot be reached ({type(fault).__name__}); check its URL, or wait for the next pass"
        ) from None
    return answer.status_code, answered.decode("utf-8", "replace")


def _line(witness: Witness, note: str, answer: str) -> str:
    """The line of *answer* with this witness's valid cosignature on *note*; other lines are ignored."""
    try:
        line = next((line for line in answer.splitlines() if _is_by(witness, line)), "")
        Quorum((witness,), 1).require(f"{split_note(note)[0]}\n{line}\n")
    except NoteRefused as refused:
        raise WitnessRefused(f"{witness.name} answered without a valid cosignature: {refused}") from None
    return line


def _is_by(witness: Witness, line: str) -> bool:
    name, signature = signature_line(line)
    return (name, signature[:4]) == (witness.name, witness.id)


def _refusal(witness: Witness, status: int) -> WitnessRefused:
    says, conflict = {
        404: ("does not know this ledger; have its operator add our verifier key", False),
        403: ("does not accept our signature; have its operator add our verifier key", False),
        409: ("has cosigned another ledger of this size under our name: ours was rewritten", True),
        422: ("has cosigned a ledger that ours does not continue: ours was rewritten", True),
    }.get(status, (f"answered with status {status}; check its URL", False))
    return WitnessRefused(f"{witness.name} {says}", conflict=conflict)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

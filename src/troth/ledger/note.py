"""Signed notes (C2SP signed-note): a text, followed by its signatures. Ed25519 only.

`Signer` is the interface to the holder of the key; the key itself never comes here. `Verifier` is the public side, and
its text (``name+id+key``, as Go's ``note`` package writes it) is given to outsiders.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.ledger.errors import NoteRefused

_NOTE_CHARS_MAX = 1_000_000  # enough for 16 witnesses with post-quantum signatures
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signer(Protocol):
    """The holder of an Ed25519 key. *name* is the key's C2SP name, without spaces or plus."""

    @property
    def name(self) -> str:
        """The key's name, which is the ledger's origin."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key (RFC 8032)."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over *message*."""
        ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public side of a signing key. ``str(verifier)`` is the text to publish; `parse` reads it."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(char.isspace() or char < " " for char in self.name):
            raise NoteRefused(
                "the name of a key must not be empty or contain spaces or plus signs: write it like 'example.org/troth'"
            )
        if len(self.public_key) != 32:
            raise NoteRefused("an Ed25519 public key is 32 bytes long")

    kind: ClassVar[bytes] = b"\x01"
    """The type of its signatures (C2SP signed-note)."""

    @classmethod
    def of(cls, signer: Signer) -> Self:
        """The public side of *signer*."""
        return cls(signer.name, signer.public_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+id+key``. Raises `NoteRefused`."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _unbase64(encoded)
        if key[:1] != cls.kind:
            raise NoteRefused(
                f"this is not an Ed25519 key of type {cls.kind[0]}: name+id+base64, and the base64 begins with it"
            )
        verifier = cls(name, key[1:])
        if verifier.id.hex() != key_id:
            raise NoteRefused("the verifier key is damaged: its id does not match its name and key")
        return verifier

    @property
    def id(self) -> bytes:
        """Four bytes that distinguish keys of one name."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public_key).digest()[:4]

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises `NoteRefused` unless *signature* is this key's over *message*."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NoteRefused(f"the signature of {self.name} does not match the note") from None

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(self.kind + self.public_key)}"


def sign_note(text: str, signer: Signer) -> str:
    """*text*, which ends in a newline, with one signature line of *signer*."""
    assert text.endswith("\n"), "the text of a note must end with a newline"
    assert not _CONTROL.search(text), "a note must not contain control characters"
    verifier = Verifier.of(signer)
    return f"{text}\n— {verifier.name} {_base64(verifier.id + signer.sign(text.encode()))}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """The note's text, after checking that *verifier*'s key signed it; ignores lines of other keys.

    Raises `NoteRefused` if the note is malformed, that key has not signed, or any signature with its name and id is
    wrong.
    """
    text, signatures = split_note(note)
    own = [signature[4:] for name, signature in signatures if (name, signature[:4]) == (verifier.name, verifier.id)]
    if not own:
        raise NoteRefused(f"the note is not signed by the key {verifier.name}+{verifier.id.hex()}")
    for signature in set(own):
        verifier.verify(text.encode(), signature)
    return text


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The unverified text, and the signatures: the name of each, and its key's id with the rest.

    Raises `NoteRefused` if the note is malformed.
    """
    head, separator, lines = note.rpartition("\n\n")
    if len(note) > _NOTE_CHARS_MAX or not separator or not lines.endswith("\n") or _CONTROL.search(note):
        raise NoteRefused("this is not a signed note: a text, an empty line, then lines that start with a dash")
    return head + "\n", [signature_line(line) for line in lines.removesuffix("\n").split("\n")]


def signature_line(line: str) -> tuple[str, bytes]:
    """The name of a signature, and its key's id with the rest. Raises `NoteRefused`."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _unbase64(encoded)
    if dash != "—" or not name or len(signature) < 5:
        raise NoteRefused("a signature line of the note is not a dash, a key name and a base64 signature")
    return name, signature


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return b""
    return data if _base64(data) == text else b""

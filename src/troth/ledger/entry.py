"""One entry of the ledger, and its canonical encoding.

The bytes are ``troth1``, a space, and a JSON object with sorted keys, no white space and ASCII only. They are encoded
once and kept: the stored bytes are hashed and sent, and nothing is ever serialised a second time to verify it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from troth.ledger.errors import EntryRefused, EntryUnknown
from troth.ledger.fields import FieldShape, Json, Value, instant, instant_text
from troth.ledger.kinds import KINDS, EntryKind

ENTRY_BYTES_MAX = 0xFFFF
"""The longest entry that an entry bundle can carry (C2SP tlog-tiles: uint16 length)."""

_PREFIX = b"troth1 "
_VERSION = re.compile(rb"troth([1-9][0-9]{0,8}) ")


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the words of `KINDS`: no free text and no personal value fits into it.

    *at* is truncated to the millisecond and kept in UTC. Raises `EntryRefused` if a field is missing, unknown or
    invalid, and `EntryUnknown` for a kind that is not in `KINDS`. Two entries are equal if their bytes are.
    """

    kind: str
    at: dt.datetime
    fields: Mapping[str, Value] = field(compare=False, default_factory=dict)
    encoded: bytes = field(init=False, repr=False)
    """The canonical bytes."""

    def __post_init__(self) -> None:
        at = _moment(self.kind, self.at)
        written = _write(self.kind, self.fields)
        whole = {"kind": self.kind, "at": at, **written}
        encoded = _PREFIX + json.dumps(whole, sort_keys=True, separators=(",", ":")).encode("ascii")
        assert len(encoded) <= ENTRY_BYTES_MAX, "no kind has fields enough to reach the limit"
        object.__setattr__(self, "at", instant(at))
        object.__setattr__(self, "fields", MappingProxyType(_read(KINDS[self.kind], written)))
        object.__setattr__(self, "encoded", encoded)

    @classmethod
    def decode(cls, stored: bytes) -> Entry:
        """Decode an entry. Raises `EntryUnknown` for one of a later Troth, `EntryRefused` for anything else that is not
        exactly what `encoded` would be."""
        written = _parse(stored)
        kind, at = written.pop("kind", None), written.pop("at", None)
        if not isinstance(kind, str) or kind not in KINDS:
            raise EntryUnknown(
                "this version of Troth does not know the kind of the entry; read it with a later version"
            )
        try:
            entry = cls(kind, instant(at), _read(KINDS[kind], written))
        except ValueError:
            raise EntryRefused(f"the entry of kind {kind} is damaged: a field cannot be read") from None
        if entry.encoded != stored:
            raise EntryRefused(f"the entry of kind {kind} is not in its canonical form")
        return entry


def _parse(stored: bytes) -> dict[str, object]:
    version = _VERSION.match(stored)
    if version is None:
        raise EntryRefused("these bytes are not a ledger entry: they do not start with 'troth' and a version")
    if not stored.startswith(_PREFIX):
        raise EntryUnknown(f"the entry has version {int(version[1])}, and this version of Troth reads version 1")
    try:
        written = json.loads(stored[len(_PREFIX) :].decode("ascii"))
    except (ValueError, RecursionError):
        raise EntryRefused("the entry is damaged: it is not JSON") from None
    if not isinstance(written, dict):
        raise EntryRefused("the entry is damaged: it is not a JSON object")
    return written


def _moment(kind: str, at: object) -> str:
    if not isinstance(at, dt.datetime):
        raise EntryRefused(f"an entry of kind {kind} needs the time at which it happened, as an aware datetime")
    try:
        return instant_text(at)
    except (ValueError, OverflowError):
        raise EntryRefused(f"the time of an entry of kind {kind} has no time zone; give it in UTC") from None


def _write(name: str, values: Mapping[str, Value]) -> dict[str, Json]:
    kind = KINDS.get(name)
    if kind is None:
        raise EntryUnknown("no such kind of entry; troth.ledger.KINDS lists them")
    missing, unknown = kind.needs.keys() - values.keys(), values.keys() - kind.needs.keys() - kind.may.keys()
    if missing:
        raise EntryRefused(f"an entry of kind {name} needs {', '.join(sorted(missing))}")
    if unknown:
        raise EntryRefused(f"an entry of kind {name} allows only {', '.join(sorted({**kind.needs, **kind.may}))}")
    written = {}
    for field_name, value in values.items():
        try:
            written[field_name] = _shape(kind, field_name).write(value)
        except ValueError as fits:
            raise EntryRefused(f"{field_name} of {name} takes {fits}; something else was given") from None
    return written


def _read(kind: EntryKind, written: Mapping[str, object]) -> dict[str, Value]:
    return {name: _shape(kind, name).read(json) for name, json in written.items()}


def _shape(kind: EntryKind, name: str) -> FieldShape:
    shape = kind.needs.get(name) or kind.may.get(name)
    if shape is None:
        raise EntryUnknown(
            "the entry has a field that this version of Troth does not know; read it with a later version"
        )
    return shape

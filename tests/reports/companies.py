"""The companies that these tests speak of."""

from __future__ import annotations

from pathlib import Path

from troth.declaration import Declaration, load, parse

EXAMPLE = Path(__file__).parents[2] / "examples/voice-company/troth.yaml"

SMALL = """
troth: 1
organisation: {name: Example Choir, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  list:
    store: sqlite:///list.sqlite
    purposes: [singing]
    subjects: [singers]
    tables:
      singer:
        identity: {email: email}
        fields: {email: user.contact.email, name: user.name}
        erase: delete
      absence:
        belongs_to: {singer_id: singer.id}
        fields: {reason: user.health_and_medical}
        erase: delete
purposes:
  singing: {title: To sing together, basis: contract, use: essential.service, data: [user]}
retention:
  singers: {table: list.singer, for: 1 year, from: left_at}
security: [The list is encrypted.]
"""


def example() -> Declaration:
    return load(EXAMPLE)


def small(more: str = "", **changed: str) -> Declaration:
    """The choir, with *changed* pieces of text and *more* keys."""
    text = SMALL
    for old, new in changed.items():
        assert old in text, old
        text = text.replace(old, new)
    return parse(text + more)


def without(*pieces: str, more: str = "") -> Declaration:
    """The choir without *pieces* of its text."""
    text = SMALL
    for piece in pieces:
        assert piece in text, piece
        text = text.replace(piece, "")
    return parse(text + more)

"""Commitments to texts that the ledger must not hold."""

from __future__ import annotations

from troth.ledger import Commitment, Opening


def commit(about: str, text: str) -> tuple[Commitment, Opening]:
    """Commit to *text* under a fresh salt: the commitment goes into the entry, the opening is sealed elsewhere.

    *about* is the entry's kind and field, such as ``waiver.given/reason``. Needs no key: the salt hides the text, and
    destroying every copy of the opening hides it for ever.
    """
    opening = Opening(about, text)
    return opening.commitment, opening

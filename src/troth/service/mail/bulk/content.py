"""What is stored of an edition: the keys of its recipients' rows, sealed group by group."""

from __future__ import annotations

from collections.abc import Sequence

from troth.protect import Keyring, SealingContext
from troth.rows.operations_codec import rows_of, text, untagged
from troth.service.mail.models import DeliveryGroup
from troth.stores import Row


def group_context(edition_id: int) -> SealingContext:
    """Sealing context of the keys of an edition's groups."""
    return SealingContext(domain="mail", table="mail_delivery_group", field="keys", subject=str(edition_id))


def sealed_keys(keys: Sequence[Row], edition_id: int, keyring: Keyring) -> bytes:
    """The *keys* of one group's rows, to be stored."""
    return keyring.seal(text(keys).encode(), group_context(edition_id))


def opened_keys(group: DeliveryGroup, keyring: Keyring) -> list[Row]:
    """The keys of the rows of *group*, by position. Raises `OpenError`."""
    assert group.keys is not None, "its edition has not ended"
    return rows_of(untagged(keyring.unseal(bytes(group.keys), group_context(group.edition_id))))

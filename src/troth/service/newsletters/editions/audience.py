"""Who may get a newsletter: the rows of the declared table, read in the company's store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from troth.declaration import IdentityKind
from troth.declaration.newsletters import Newsletter, NewsletterAudience
from troth.rows import Node
from troth.rows.values import as_stored
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk.kinds import AudienceRows, EditionRecipient
from troth.service.mail.message import Address
from troth.service.mail.rules import LetterRefused
from troth.service.preferences.rules import fingerprints
from troth.stores import AllOf, AnyOf, ColumnKind, Condition, InsertingWriter, Match, Row, Scalar, Store, Undated
from troth.subjects import IdentityRefused


class AudienceUnreadable(ServiceError):
    """The table of an audience lacks a column, or a column can never hold the declared value."""


class AudienceTable:
    """The declared table of a newsletter's audience, with an open store."""

    def __init__(self, newsletter: Newsletter, deployment: Deployment, store: Store, node: Node) -> None:
        declared: NewsletterAudience = newsletter.audience
        self._declared, self._store, self._node = declared, store, node
        self._keyring = deployment.keyring
        self._consent = [declared.consent] if declared.consent else []
        self._columns = [*node.key, declared.email, *self._consent, *declared.values]
        missing = [name for name in (*self._columns, *declared.where) if node.schema.column(name) is None]
        if missing or not node.key:
            raise AudienceUnreadable(
                f"{declared.table} has no column {', '.join(missing)}" if missing else f"{declared.table} has no key"
            )

    def everybody(self) -> AudienceRows:
        """All rows of the audience."""
        rows = self._store.read(self._node.table, self._columns, self._where())
        keys, recipients = list[Row](), list[EditionRecipient]()
        read = self._recipients(rows)
        for row, recipient in zip(rows, read, strict=True):
            if recipient is not None:
                keys.append(row[: len(self._node.key)])
                recipients.append(recipient)
        return AudienceRows(keys, recipients, len(rows) - len(keys), self._declared.model_dump(mode="json"))

    def consents(self) -> dict[str, Scalar]:
        """For each fingerprint of the audience, what the column of consent says; the most that any of its rows says."""
        rows = self._store.read(self._node.table, self._columns, self._where())
        at, consents = len(self._node.key) + 1, dict[str, Scalar]()
        for row, recipient in zip(rows, self._recipients(rows), strict=True):
            if recipient is not None:
                consent = row[at] if self._consent else None
                if consents.setdefault(recipient.fingerprint, consent) is None:
                    consents[recipient.fingerprint] = consent
        return consents

    def of_keys(self, keys: Sequence[Row]) -> list[EditionRecipient | None]:
        """The recipients of the rows with these keys, in their order; None for one that is gone, or that belongs to the
        audience no more."""
        rows = self._store.read(
            self._node.table, self._columns, self._where(AnyOf((Match(self._node.key, tuple(keys)),)))
        )
        by_key = {row[: len(self._node.key)]: who for row, who in zip(rows, self._recipients(rows), strict=True)}
        return [by_key.get(tuple(key)) for key in keys]

    def holds(self, address: str) -> bool:
        """Whether a row of the audience has this *address*."""
        same = AnyOf((Match((self._declared.email,), ((address,),), fold=True),))
        return bool(self._store.read(self._node.table, self._node.key, self._where(same)))

    def consented(self, addresses: Iterable[str]) -> set[str]:
        """The fingerprints of those of *addresses* in whose rows the company itself recorded consent."""
        same = AnyOf((Match((self._declared.email,), tuple((address,) for address in addresses), fold=True),))
        rows = self._store.read(self._node.table, self._columns, self._where(same)) if self._consent else ()
        return {who.fingerprint for who in self._recipients(rows) if who is not None and who.has_consented}

    def add(self, address: str, values: Mapping[str, str], *, now: dt.datetime, notice: str) -> None:
        """Add somebody to the audience, who has confirmed it: their row, if there is none, what each row of the
        audience holds, and the time in the column of consent. Idempotent. Raises the store's errors."""
        declared, table, kind = self._declared, self._node.table, self._node.kind
        same = AnyOf((Match((declared.email,), ((address,),), fold=True),))
        own: dict[str, Scalar] = {
            column: as_stored(text, kind(column)) if text is not None else None
            for column, text in declared.where.items()
        }
        if declared.consent is not None:
            at = now if kind(declared.consent) is ColumnKind.DATETIME else f"{now.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
            own[declared.consent] = at
        keys = self._store.read(table, self._node.key, same)
        with self._store.writing() as writer:
            if keys and own:
                rows = [(*key, *own.values()) for key in keys]
                writer.amend(table, self._node.key, list(own), rows)
            elif not keys:
                assert isinstance(writer, InsertingWriter), "a database can insert"
                named = {column: values[column] or None for column in declared.values if column in values}
                if self._node.declared.notice is not None:
                    named[self._node.declared.notice] = notice
                writer.insert(table, {declared.email: address, **named, **own})

    def _where(self, *more: AnyOf) -> Condition | None:
        conditions: list[AnyOf | Undated] = [*more]
        for column, text in self._declared.where.items():
            if text is None:
                conditions.append(Undated(column, empty=True))
                continue
            value = as_stored(text, self._node.kind(column))
            if value is None:
                raise AudienceUnreadable(f"{column} of {self._declared.table} cannot hold the declared value")
            conditions.append(AnyOf((Match((column,), ((value,),)),)))
        if len(conditions) == 1:
            return conditions[0]
        return AllOf(tuple(conditions)) if conditions else None

    def _recipients(self, rows: Sequence[Row]) -> list[EditionRecipient | None]:
        """Recipients of *rows*; None where there is no address that a message can go to."""
        at, consent = len(self._node.key), len(self._consent)
        addresses = [_address(row[at]) for row in rows]
        named = iter(_fingerprints([address for address in addresses if address], self._keyring))
        recipients = list[EditionRecipient | None]()
        for row, address in zip(rows, addresses, strict=True):
            fingerprint = next(named) if address else ""
            if not fingerprint:
                recipients.append(None)
                continue
            values = dict(zip(self._declared.values, map(_text, row[at + 1 + consent :]), strict=True))
            has_consented = bool(consent) and consent_time(row[at + 1]) is not None
            recipients.append(EditionRecipient(address, fingerprint, has_consented, values))
        return recipients


def _address(stored: Scalar) -> str:
    with suppress(LetterRefused):
        return Address.read(str(stored)).text if stored is not None and len(str(stored)) <= 254 else ""
    return ""


def _fingerprints(addresses: Iterable[str], keyring: object) -> list[str]:
    """A fingerprint for each of *addresses*, empty for one that names nobody."""
    wanted = list(addresses)
    kind = IdentityKind.EMAIL
    try:
        return fingerprints([(kind, address) for address in wanted], keyring)  # type: ignore[arg-type]
    except IdentityRefused:
        if len(wanted) == 1:
            return [""]
    return [name for address in wanted for name in _fingerprints([address], keyring)]


def consent_time(value: Scalar) -> dt.datetime | None:
    """The time at which somebody consented, in UTC if it names no zone; None for anything else, such as 0 or “no”."""
    try:
        moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _text(value: Scalar) -> str:
    return "" if value is None else " ".join(str(value).split())

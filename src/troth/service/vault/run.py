"""Making tokens, reading them back and forgetting them: durable, on record, and for one domain at a time.

Rows and the ledger entry that counts them commit together, one entry for each call or, where many callers meet, for
each group of them. A value is returned only after the entry that says so is durable (PCI DSS 4.0.1, 10.2.1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from django.db import connection, transaction

from troth.ledger import Entry, Name
from troth.protect import Context, Keyring, Sealed
from troth.protect.errors import TokenRefused
from troth.protect.tokens import Pan, TokenFormat, draw_token
from troth.protect.tokens.stored import DRAWS_MAX
from troth.service.record.ledger import record
from troth.service.vault.group import Groups
from troth.service.vault.models import DomainRow, TokenRow

__all__ = ["VALUE_BYTES_MAX", "TokenUnknown", "Vault", "token_context"]

T = TypeVar("T")

VALUE_BYTES_MAX = 65_536
_AT_ONCE = 500
"""Values that one statement asks for."""


class TokenUnknown(TokenRefused):
    """The domain has no such token: never made, another domain's, or forgotten."""


class Vault:
    """The stored tokens of one domain, under *keyring*.

    *domain* is taken from the caller's credential, once; no call takes one. A token of another domain is unknown here,
    always. The same value has one token in a domain. Safe to use from several threads, each with its own connection.
    """

    def __init__(self, keyring: Keyring, *, domain: str, now: Callable[[], dt.datetime]) -> None:
        self._keyring, self._now, self._domain = keyring, now, domain
        self._name = Name.of(domain)
        self._row: int | None = None
        self._making = Groups(self._make_group)
        self._reading = Groups(self._read_group)

    # --- one value, sharing commits with whoever else asks ----------------------------------------------------------

    def tokenise(self, format_: TokenFormat, value: str | Pan) -> str:
        """The token of *value*, durable when it is returned. Raises `TokenRefused` for what the format does not
        take."""
        return self._making.ask((_stored(format_), _plain(format_, value)))

    def detokenise(self, token: str, *, purpose: str) -> Sealed[str]:
        """What the token stands for, a `Pan` for cards, after the entry of it is durable. Raises `TokenUnknown`."""
        return self._reading.ask((token, Name.of(purpose)))

    # --- many values, in one transaction ----------------------------------------------------------------------------

    def tokenise_batch(self, format_: TokenFormat, values: Sequence[str | Pan]) -> list[str]:
        """`tokenise` for each of *values*, all or none, with one entry; what is refused names its row."""
        _stored(format_)
        plain = [_plain(format_, value, row) for row, value in enumerate(values)]
        with transaction.atomic(durable=True):
            return self._made([(format_, value) for value in plain])

    def detokenise_batch(self, tokens: Sequence[str], *, purpose: str) -> list[Sealed[str]]:
        """`detokenise` for each of *tokens*, all or none, with one entry. Raises `TokenUnknown`, which names the
        row."""
        found = self._found(tokens)
        for row, token in enumerate(tokens):
            if token not in found:
                raise TokenUnknown("this domain has no such token", row=row)
        self._note_reading(Name.of(purpose), len(tokens))
        return [found[token] for token in tokens]

    def forget(self, tokens: Iterable[str]) -> int:
        """Delete tokens and what they stand for (PCI DSS 4.0.1, 3.2.1), with one entry. How many there were."""
        with transaction.atomic(durable=True):
            gone = sum(
                TokenRow.objects.filter(domain__name=self._domain, token__in=some).delete()[0]
                for some in _pieces(tokens, _AT_ONCE)
            )
            if gone:
                record(Entry("tokens.forgotten", self._now(), {"domain": self._name, "count": gone}))
        return gone

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_group(self, asked: Sequence[tuple[TokenFormat, str]]) -> Sequence[str | Exception]:
        with transaction.atomic(durable=True):
            return self._made(asked)

    def _made(self, values: Sequence[tuple[TokenFormat, str]]) -> list[str]:
        """The tokens of *values*, kept with their entry in the transaction that is open."""
        if not values:
            return []
        domain = self._domain_row()
        lookups = self._lookups(values)
        wanted = dict(zip(lookups, values, strict=True))
        known: dict[bytes, str] = {}
        for _ in range(DRAWS_MAX):
            missing = {lookup: value for lookup, value in wanted.items() if lookup not in known}
            if not missing:
                break
            drawn = {lookup: _drawn(*value) for lookup, value in missing.items()}
            if self._kept(domain, drawn, missing):
                known |= drawn
            else:  # some were there, or a draw was taken: ask which token each value has by now
                known |= self._known(domain, missing)
        else:
            raise TokenRefused(f"{DRAWS_MAX} draws in a row were taken; these tokens have no room left")
        record(Entry("tokens.made", self._now(), {"domain": self._name, "count": len(values)}))
        return [known[lookup] for lookup in lookups]

    def _kept(self, domain: int, drawn: Mapping[bytes, str], values: Mapping[bytes, tuple[TokenFormat, str]]) -> bool:
        """Whether every one of the drawn tokens is kept, none of them or their values having been there."""
        rows = [
            (domain, token, lookup, values[lookup][0].value, self._sealed(token, values[lookup][1]))
            for lookup, token in drawn.items()
        ]
        with connection.cursor() as cursor:
            return _insert(cursor, rows, self._now()) == len(rows)

    def _known(self, domain: int, lookups: Iterable[bytes]) -> dict[bytes, str]:
        return {
            bytes(lookup): token
            for some in _pieces(lookups, _AT_ONCE)
            for lookup, token in _rows("lookup, token", "lookup", domain, some)
        }

    def _sealed(self, token: str, value: str) -> bytes:
        return self._keyring.seal(value.encode(), self._context(token))

    def _lookups(self, values: Iterable[tuple[TokenFormat, str]]) -> list[bytes]:
        return self._keyring.fingerprints("vault " + self._domain, (f"{how.value}\x1f{value}" for how, value in values))

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_group(self, asked: Sequence[tuple[str, Name]]) -> Sequence[Sealed[str] | Exception]:
        found = self._found([token for token, _ in asked])
        counts: dict[Name, int] = {}
        for token, purpose in asked:
            counts[purpose] = counts.get(purpose, 0) + (token in found)
        for purpose, count in counts.items():
            self._note_reading(purpose, count)
        return [found.get(token) or TokenUnknown("this domain has no such token") for token, _ in asked]

    def _found(self, tokens: Sequence[str]) -> dict[str, Sealed[str]]:
        """What the tokens stand for; nothing of it leaves before its entry is durable."""
        domain = self._domain_row()
        rows = chain.from_iterable(
            _rows("token, sealed, format", "token", domain, some) for some in _pieces(dict.fromkeys(tokens), _AT_ONCE)
        )
        unseal, context, card = self._keyring.unseal, self._context, TokenFormat.PAN_BIN6_LAST4.value
        found: dict[str, Sealed[str]] = {}
        for token, sealed, format_ in rows:
            value = unseal(bytes(sealed), context(token)).decode()
            found[token] = Pan._known(value) if format_ == card else Sealed(value)
        return found

    def _note_reading(self, purpose: Name, count: int) -> None:
        if count:
            with transaction.atomic(durable=True):
                entry = Entry("tokens.read", self._now(), {"domain": self._name, "count": count, "purpose": purpose})
                record(entry)

    # --- both -------------------------------------------------------------------------------------------------------

    def _context(self, token: str) -> Context:
        return token_context(self._domain, token)

    def _domain_row(self) -> int:
        if self._row is None:
            self._row = DomainRow.objects.get_or_create(name=self._domain)[0].pk
        return self._row

    def __repr__(self) -> str:
        return f"Vault({self._domain!r})"


def _insert(cursor: Any, rows: Sequence[tuple[int, str, bytes, str, bytes]], now: dt.datetime) -> int:
    """Put in the rows whose token and value are new in their domain: how many they are."""
    made_at = connection.ops.adapt_datetimefield_value(now)
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)]
        new = (
            "SELECT new.*, %s::timestamptz FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::bytea[])"
        )
        cursor.execute(f"{_INSERT} {new} AS new {_IF_NEW}", [made_at, *columns])
    else:
        values = "VALUES (%s, %s, %s, %s, %s, %s)"
        cursor.executemany(f"{_INSERT} {values} {_IF_NEW}", [(*row, made_at) for row in rows])
    return int(cursor.rowcount)


def token_context(domain: str, token: str) -> Context:
    """What the value behind a token is sealed to."""
    return Context(domain="vault", table=domain, field="value", subject=token)


_INSERT = "INSERT INTO vault_token (domain_id, token, lookup, format, sealed, made_at)"
_IF_NEW = "ON CONFLICT DO NOTHING"


def _rows(columns: str, by: str, domain: int, values: Sequence[str | bytes]) -> list[tuple[Any, ...]]:
    """The named columns of a domain's rows in which *by* takes one of *values*."""
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM vault_token WHERE domain_id = %s AND {by} IN ({marks})",  # noqa: S608 - our words
            [domain, *values],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]


def _drawn(format_: TokenFormat, value: str) -> str:
    return draw_token(format_, Pan._known(value) if format_ is TokenFormat.PAN_BIN6_LAST4 else None)


def _stored(format_: TokenFormat) -> TokenFormat:
    if not format_.is_stored:
        raise TokenRefused(f"tokens of the format {str(format_)!r} are computed, not stored; use a Tokeniser")
    return format_


def _plain(format_: TokenFormat, value: str | Pan, row: int | None = None) -> str:
    """The text to keep. A card is a card: every other text is refused where its token keeps a card's digits."""
    if isinstance(value, Pan):
        return value.reveal()
    if format_ is TokenFormat.PAN_BIN6_LAST4:
        try:
            return Pan(value).reveal()
        except TokenRefused as refused:
            refused.row = row
            raise
    if not isinstance(value, str) or not value or len(value.encode("utf-8", "surrogatepass")) > VALUE_BYTES_MAX:
        raise TokenRefused(f"a value is a text of 1 to {VALUE_BYTES_MAX:,} bytes", row=row)
    return value


def _pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while piece := list(islice(left, size)):
        yield piece

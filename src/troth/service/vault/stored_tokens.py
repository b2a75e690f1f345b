"""Makes, reads and deletes tokens: durable, recorded, and within one domain.

Rows and the ledger entry that counts them commit together, one entry per call or per group of concurrent calls. A value
is returned only after its entry is durable (PCI DSS 4.0.1, 10.2.1).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar

from django.db import connection, transaction

from troth.ledger import DeclaredName, Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.protect import Keyring, OpenError, Sealed, SealingContext, Tokeniser
from troth.protect.errors import TokenRefused
from troth.protect.tokens import Pan, TokenFormat, draw_token
from troth.protect.tokens.pan import require_pan
from troth.protect.tokens.stored import DRAWS_MAX, require_hidden
from troth.service.core.group_commit import GroupCommit
from troth.service.core.ledger import record
from troth.service.core.subject_keys import sealing_keys
from troth.service.vault.models import DOMAIN_MAX, TOKEN_MAX, DomainRow, TokenRow

T = TypeVar("T")

_Whose = tuple[int | None, Keyring]
"""Row id of a subject, and the keyring for the values."""
_Row = tuple[int, str, bytes, str, bytes, int | None]

VALUE_BYTES_MAX = 65_536
_AT_ONCE = 2_000
"""Values per statement."""


class TokenUnknown(TokenRefused):
    """The domain has no such token: never made, another domain's, or deleted."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A value to tokenise."""

    format: TokenFormat
    value: str
    subject: Pseudonym | None
    by: Pseudonym | None

    def __repr__(self) -> str:
        return f"_Wish({self.format})"  # the value stays out of logs


@dataclass(frozen=True, slots=True)
class _Look:
    """A token to read."""

    token: str
    purpose: DeclaredName
    by: Pseudonym | None


class Vault:
    """Stored tokens of one domain, under *keyring*.

    *domain* comes from the caller's credential, once; no call takes one. A token of another domain is always unknown
    here. A value has one token per domain, and no token is in two domains. Entries name the caller given as *by* (PCI
    DSS 4.0.1, 10.2.2).

    A value of a *subject*, given by pseudonym, is sealed under that person's key. Their erasure destroys it, in backups
    too once the epoch is over; for another subject the same value has another token. Without a subject it is sealed
    under the field key.

    Safe for several threads, each with its own connection; only outside transactions, because a rollback would undo
    what was promised.
    """

    def __init__(self, keyring: Keyring, *, domain: str, now: Callable[[], dt.datetime]) -> None:
        if len(domain) > DOMAIN_MAX:
            raise TokenRefused(f"the name of a domain may have at most {DOMAIN_MAX} characters")
        self._keyring, self._now, self._domain = keyring, now, domain
        self._name = DeclaredName.of(domain)
        self._row: int | None = None
        self._making = GroupCommit(self._make_group)
        self._reading = GroupCommit(self._read_group)

    # --- one value, in a shared commit ------------------------------------------------------------------------------

    def tokenise(
        self, format_: TokenFormat, value: str | Pan, *, subject: Pseudonym | None = None, by: Pseudonym | None = None
    ) -> str:
        """Token of *value*, durable on return. Raises `TokenRefused` for values outside the format."""
        wish = _Wish(_stored(format_), _plain(format_, value), subject, by)
        self._ready()
        return self._making.run(wish)

    def detokenise(self, token: str, *, purpose: str, by: Pseudonym | None = None) -> Sealed[str]:
        """Value of the token, a `Pan` for cards, after its entry is durable. Raises `TokenUnknown`, and `OpenError` if
        the stored data was changed."""
        look = _Look(_token(token), DeclaredName.of(purpose), by)
        self._ready()
        return self._reading.run(look)

    # --- many values, in one transaction ----------------------------------------------------------------------------

    def tokenise_batch(
        self,
        format_: TokenFormat,
        values: Sequence[str | Pan],
        *,
        subjects: Sequence[Pseudonym | None] | None = None,
        by: Pseudonym | None = None,
    ) -> list[str]:
        """`tokenise` for all of *values* or none, with one entry per caller; refusals name the row. *subjects* are as
        many as the values."""
        _stored(format_)
        whose = [None] * len(values) if subjects is None else subjects
        plain = (_plain(format_, value, row) for row, value in enumerate(values))
        wishes = [_Wish(format_, value, subject, by) for value, subject in zip(plain, whose, strict=True)]
        self._ready()
        with transaction.atomic(durable=True):
            return self._made(wishes)

    def detokenise_batch(
        self, tokens: Sequence[str], *, purpose: str, by: Pseudonym | None = None
    ) -> list[Sealed[str]]:
        """`detokenise` for all of *tokens* or none, with one entry. Raises `TokenUnknown`, which names the row, and
        `OpenError`."""
        what_for = DeclaredName.of(purpose)
        self._ready()
        found = self._found([_token(token, row) for row, token in enumerate(tokens)])
        values = []
        for row, token in enumerate(tokens):
            value = found.get(token) or TokenUnknown("this domain has no such token", row=row)
            if isinstance(value, Exception):
                raise value
            values.append(value)
        self._note_reading({(what_for, by): len(values)})
        return values

    def detokenise_computed(
        self,
        tokeniser: Tokeniser,
        format_: TokenFormat,
        tokens: Sequence[str],
        *,
        purpose: str,
        by: Pseudonym | None = None,
    ) -> list[Sealed[str]]:
        """Values of computed tokens of this domain, all or none, after one entry is durable. Raises `TokenRefused` for
        a tokeniser of another domain, and as `Tokeniser.detokenise_batch` does."""
        if tokeniser.domain != self._domain:
            raise TokenRefused("this tokeniser belongs to another domain; use the domain of the caller's credential")
        what_for = DeclaredName.of(purpose)
        self._ready()
        values = tokeniser.detokenise_batch(format_, tokens)
        self._note_reading({(what_for, by): len(values)})
        return values

    def forget(self, tokens: Iterable[str], *, by: Pseudonym | None = None) -> int:
        """Delete tokens and their values (PCI DSS 4.0.1, 3.2.1), with one entry. Returns how many there were."""
        with transaction.atomic(durable=True):
            gone = sum(
                TokenRow.objects.filter(domain__name=self._domain, token__in=some).delete()[0]
                for some in _pieces(tokens, _AT_ONCE)
            )
            if gone:
                self._record("tokens.forgotten", gone, by)
        return gone

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_group(self, wishes: Sequence[_Wish]) -> Sequence[str | Exception]:
        with transaction.atomic(durable=True):
            return self._made(wishes)

    def _made(self, wishes: Sequence[_Wish]) -> list[str]:
        """Tokens of *wishes*, stored with their entries in the open transaction."""
        if not wishes:
            return []
        domain = self._ready_row()
        whose = sealing_keys(self._keyring, (wish.subject for wish in wishes), now=self._now())
        lookups = self._lookups(wishes, whose)
        # in one global order: concurrent writers of the same values wait, without deadlock
        wanted = dict(sorted(zip(lookups, wishes, strict=True), key=lambda item: item[0]))
        known: dict[bytes, str] = {}
        for _ in range(DRAWS_MAX):
            missing = {lookup: wish for lookup, wish in wanted.items() if lookup not in known}
            if not missing:
                break
            drawn = {lookup: _drawn(wish) for lookup, wish in missing.items()}
            if self._kept(domain, drawn, missing, whose):
                known |= drawn
            else:  # some existed, or a draw was taken: read each value's present token
                known |= self._known(domain, missing)
        else:
            raise TokenRefused(
                f"{DRAWS_MAX} random tokens in a row were taken; this format has too few unused tokens left"
            )
        for by, count in Counter(wish.by for wish in wishes).items():
            self._record("tokens.made", count, by)
        return [known[lookup] for lookup in lookups]

    def _kept(
        self,
        domain: int,
        drawn: Mapping[bytes, str],
        wishes: Mapping[bytes, _Wish],
        whose: Mapping[Pseudonym | None, _Whose],
    ) -> bool:
        """Store the drawn tokens; True if all were stored, as neither they nor their values existed."""
        rows = []
        for lookup, token in drawn.items():
            wish = wishes[lookup]
            subject, keyring = whose[wish.subject]
            sealed = keyring.seal(wish.value.encode(), token_context(self._domain, token))
            rows.append((domain, token, lookup, wish.format.value, sealed, subject))
        with connection.cursor() as cursor:
            return _insert(cursor, rows, self._now()) == len(rows)

    def _known(self, domain: int, lookups: Iterable[bytes]) -> dict[bytes, str]:
        return {
            bytes(lookup): token
            for some in _pieces(lookups, _AT_ONCE)
            for lookup, token in _rows("lookup, token", "lookup", domain, some)
        }

    def _lookups(self, wishes: Sequence[_Wish], whose: Mapping[Pseudonym | None, _Whose]) -> list[bytes]:
        """Lookup hashes, under the key of each value's subject, so that a backup reveals nothing either. Computed per
        subject, as nearly all values have none."""
        lookups: list[bytes] = [b""] * len(wishes)
        places: dict[Pseudonym | None, list[int]] = {}
        for place, wish in enumerate(wishes):
            places.setdefault(wish.subject, []).append(place)
        for subject, of_one in places.items():
            values = [f"{wishes[place].format.value}\x1f{wishes[place].value}" for place in of_one]
            made = whose[subject][1].fingerprints("vault " + self._domain, values)
            for place, lookup in zip(of_one, made, strict=True):
                lookups[place] = lookup
        return lookups

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_group(self, looks: Sequence[_Look]) -> Sequence[Sealed[str] | Exception]:
        found = self._found([look.token for look in looks])
        self._note_reading(Counter((it.purpose, it.by) for it in looks if isinstance(found.get(it.token), Sealed)))
        return [found.get(look.token) or TokenUnknown("this domain has no such token") for look in looks]

    def _found(self, tokens: Sequence[str]) -> dict[str, Sealed[str] | OpenError]:
        """Values of the tokens that exist; nothing is returned to callers before its entry is durable."""
        domain = self._ready_row()
        rows = chain.from_iterable(
            _rows("token, sealed, format, pseudonym, wrapped_key", "token", domain, some)
            for some in _pieces(dict.fromkeys(tokens), _AT_ONCE)
        )
        name, card, keyrings = self._domain, TokenFormat.PAN_BIN6_LAST4.value, {None: self._keyring}
        found: dict[str, Sealed[str] | OpenError] = {}
        for token, sealed, format_, subject, wrapped in rows:
            try:
                if subject not in keyrings:
                    keyrings[subject] = self._keyring.open_key(bytes(wrapped or b""), subject)
                value = keyrings[subject].unseal(bytes(sealed), token_context(name, token)).decode()
            except OpenError as closed:
                found[token] = closed
            else:
                found[token] = Pan._known(value) if format_ == card else Sealed(value)
        return found

    def _note_reading(self, counts: Mapping[tuple[DeclaredName, Pseudonym | None], int]) -> None:
        """Record durably how many values are read, by purpose and caller."""
        if any(counts.values()):
            with transaction.atomic(durable=True):
                for (purpose, by), count in counts.items():
                    self._record("tokens.read", count, by, purpose=purpose)

    # --- both -------------------------------------------------------------------------------------------------------

    def _record(self, kind: str, count: int, by: Pseudonym | None, **more: FieldValue) -> None:
        said: dict[str, FieldValue] = {"domain": self._name, "count": count, **more}
        record(Entry(kind, self._now(), said if by is None else {**said, "by": by}))

    def _ready(self) -> None:
        """Ensure that the domain's row is committed before anything refers to it."""
        if connection.in_atomic_block:
            raise RuntimeError("use a vault outside of transactions: its tokens must not be rolled back")
        if self._row is None:
            self._row = DomainRow.objects.get_or_create(name=self._domain)[0].pk

    def _ready_row(self) -> int:
        assert self._row is not None, "call _ready first"
        return self._row

    def __repr__(self) -> str:
        return f"Vault({self._domain!r})"


def _insert(cursor: Any, rows: Sequence[_Row], now: dt.datetime) -> int:
    """Insert the rows whose token and value are new; returns how many."""
    made_at = connection.ops.adapt_datetimefield_value(now)
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)]
        new = (
            "SELECT new.*, %s::timestamptz FROM unnest("
            "%s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::bytea[], %s::bigint[])"
        )
        cursor.execute(f"{_INSERT} {new} AS new {_IF_NEW}", [made_at, *columns])
    else:
        values = "VALUES (%s, %s, %s, %s, %s, %s, %s)"
        cursor.executemany(f"{_INSERT} {values} {_IF_NEW}", [(*row, made_at) for row in rows])
    return int(cursor.rowcount)


def token_context(domain: str, token: str) -> SealingContext:
    """Sealing context of the value behind a token."""
    return SealingContext(domain="vault", table=domain, field="value", subject=token)


_INSERT = "INSERT INTO vault_token (domain_id, token, lookup, format, sealed, subject_id, made_at)"
_IF_NEW = "ON CONFLICT DO NOTHING"


def _rows(columns: str, by: str, domain: int, values: Sequence[str | bytes]) -> list[tuple[Any, ...]]:
    """The named columns of the domain's rows where *by* is one of *values*."""
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM vault_token LEFT JOIN core_subject ON core_subject.id = subject_id"  # noqa: S608
            f" WHERE domain_id = %s AND {by} IN ({marks})",  # our own identifiers
            [domain, *values],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]


def _drawn(wish: _Wish) -> str:
    return draw_token(wish.format, Pan._known(wish.value) if wish.format is TokenFormat.PAN_BIN6_LAST4 else None)


def _stored(format_: TokenFormat) -> TokenFormat:
    if not format_.is_stored:
        raise TokenRefused(f"tokens of the format {str(format_)!r} are computed, not stored; use a Tokeniser")
    return format_


def _plain(format_: TokenFormat, value: str | Pan, row: int | None = None) -> str:
    """Text to store. Formats that keep a card's digits accept card numbers only."""
    if format_ is TokenFormat.PAN_BIN6_LAST4:
        digits = value.reveal() if isinstance(value, Pan) else value
        require_pan(digits, row=row)
        require_hidden(digits, row=row)
        return digits
    text = value.reveal() if isinstance(value, Pan) else value
    if not isinstance(text, str) or not text or _bytes(text) > VALUE_BYTES_MAX:
        raise TokenRefused(f"a value must be a text of 1 to {VALUE_BYTES_MAX:,} bytes", row=row)
    return text


def _bytes(text: str) -> int:
    """Length in UTF-8; above the limit for lone surrogates."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return VALUE_BYTES_MAX + 1


def _token(token: str, row: int | None = None) -> str:
    """*token*, if it is well-formed: a database would refuse some others together with the whole statement."""
    if not isinstance(token, str) or len(token) > TOKEN_MAX or not (token.isascii() and token.isprintable()):
        raise TokenUnknown("this domain has no such token", row=row)
    return token


def _pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while piece := list(islice(left, size)):
        yield piece

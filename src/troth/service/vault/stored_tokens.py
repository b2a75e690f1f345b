"""Making tokens, reading them back and forgetting them: durable, on record, and for one domain at a time.

Rows and the ledger entry that counts them commit together, one entry for each call or, where many callers meet, for
each group of them. A value is returned only after the entry that says so is durable (PCI DSS 4.0.1, 10.2.1).
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
from troth.service.core.ledger import record
from troth.service.core.subject_keys import SubjectKeys
from troth.service.vault.grouped_writes import Groups
from troth.service.vault.models import DOMAIN_MAX, TOKEN_MAX, DomainRow, TokenRow

T = TypeVar("T")

_Whose = tuple[int | None, Keyring]
"""The row of a subject, and the keyring that the values hang on."""
_Row = tuple[int, str, bytes, str, bytes, int | None]

VALUE_BYTES_MAX = 65_536
_AT_ONCE = 2_000
"""Values that one statement asks for."""


class TokenUnknown(TokenRefused):
    """The domain has no such token: never made, another domain's, or forgotten."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A value that somebody wants a token of."""

    format: TokenFormat
    value: str
    subject: Pseudonym | None
    by: Pseudonym | None

    def __repr__(self) -> str:
        return f"_Wish({self.format})"  # the value stays out of logs


@dataclass(frozen=True, slots=True)
class _Look:
    """A token that somebody wants to read."""

    token: str
    purpose: DeclaredName
    by: Pseudonym | None


class Vault:
    """The stored tokens of one domain, under *keyring*.

    *domain* is taken from the caller's credential, once; no call takes one. A token of another domain is unknown here,
    always. The same value has one token in a domain, and no token is in two domains. Entries name who asked where the
    call says *by* (PCI DSS 4.0.1, 10.2.2).

    A value of a *subject*, named by the pseudonym that entries have, is sealed under that person's key. Their erasure
    takes it along, in backups too once the epoch is over; for another subject the same value has another token. Without
    one it hangs on the field key.

    Safe to use from several threads, each with its own connection; outside of transactions alone, as one that is rolled
    back would take with it what was promised.
    """

    def __init__(self, keyring: Keyring, *, domain: str, now: Callable[[], dt.datetime]) -> None:
        if len(domain) > DOMAIN_MAX:
            raise TokenRefused(f"the name of a domain has {DOMAIN_MAX} characters at most")
        self._keyring, self._now, self._domain = keyring, now, domain
        self._name = DeclaredName.of(domain)
        self._row: int | None = None
        self._making = Groups(self._make_group)
        self._reading = Groups(self._read_group)

    # --- one value, sharing commits with whoever else asks ----------------------------------------------------------

    def tokenise(
        self,
        format_: TokenFormat,
        value: str | Pan,
        *,
        subject: Pseudonym | None = None,
        by: Pseudonym | None = None,
    ) -> str:
        """The token of *value*, durable when it is returned. Raises `TokenRefused` for what the format does not
        take."""
        wish = _Wish(_stored(format_), _plain(format_, value), subject, by)
        self._ready()
        return self._making.ask(wish)

    def detokenise(self, token: str, *, purpose: str, by: Pseudonym | None = None) -> Sealed[str]:
        """What the token stands for, a `Pan` for cards, after the entry of it is durable. Raises `TokenUnknown`, and
        `OpenError` where what is kept was changed."""
        look = _Look(_token(token), DeclaredName.of(purpose), by)
        self._ready()
        return self._reading.ask(look)

    # --- many values, in one transaction ----------------------------------------------------------------------------

    def tokenise_batch(
        self,
        format_: TokenFormat,
        values: Sequence[str | Pan],
        *,
        subjects: Sequence[Pseudonym | None] | None = None,
        by: Pseudonym | None = None,
    ) -> list[str]:
        """`tokenise` for each of *values*, all or none, with one entry; what is refused names its row. *subjects* are
        as many as the values."""
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
        """`detokenise` for each of *tokens*, all or none, with one entry. Raises `TokenUnknown`, which names the
        row, and `OpenError`."""
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
        """What computed tokens of this domain stand for, all or none, after one entry that says so is durable. Raises
        `TokenRefused` for a tokeniser of another domain, and as `Tokeniser.detokenise_batch` does."""
        if tokeniser.domain != self._domain:
            raise TokenRefused("this tokeniser is of another domain; the domain is that of the caller's credential")
        what_for = DeclaredName.of(purpose)
        self._ready()
        values = tokeniser.detokenise_batch(format_, tokens)
        self._note_reading({(what_for, by): len(values)})
        return values

    def forget(self, tokens: Iterable[str], *, by: Pseudonym | None = None) -> int:
        """Delete tokens and what they stand for (PCI DSS 4.0.1, 3.2.1), with one entry. How many there were."""
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
        """The tokens of *wishes*, kept with their entries in the transaction that is open."""
        if not wishes:
            return []
        domain, whose = self._ready_row(), self._whose(wishes)
        lookups = self._lookups(wishes, whose)
        # in one order everywhere: two who keep the same values at once wait for one another, and never in a circle
        wanted = dict(sorted(zip(lookups, wishes, strict=True), key=lambda item: item[0]))
        known: dict[bytes, str] = {}
        for _ in range(DRAWS_MAX):
            missing = {lookup: wish for lookup, wish in wanted.items() if lookup not in known}
            if not missing:
                break
            drawn = {lookup: _drawn(wish) for lookup, wish in missing.items()}
            if self._kept(domain, drawn, missing, whose):
                known |= drawn
            else:  # some were there, or a draw was taken: ask which token each value has by now
                known |= self._known(domain, missing)
        else:
            raise TokenRefused(f"{DRAWS_MAX} draws in a row were taken; these tokens have no room left")
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
        """Whether every one of the drawn tokens is kept, none of them or their values having been there."""
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

    def _whose(self, wishes: Iterable[_Wish]) -> Mapping[Pseudonym | None, _Whose]:
        """The row and the keyring that the values of each subject hang on; ours for values of nobody."""
        named = {str(wish.subject): wish.subject for wish in wishes if wish.subject is not None}
        found: dict[Pseudonym | None, _Whose] = {None: (None, self._keyring)}
        if named:
            held = SubjectKeys(self._keyring).each(named, now=self._now())
            found |= {named[name]: (row.pk, keyring) for name, (row, keyring) in held.items()}
        return found

    def _lookups(self, wishes: Sequence[_Wish], whose: Mapping[Pseudonym | None, _Whose]) -> list[bytes]:
        """By which the same value is found again: under the key of its subject, so that a backup tells nothing either.
        All values of one subject at once, as nearly all are of nobody."""
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
        """What the tokens stand for, as far as they are there; nothing of it leaves before its entry is durable."""
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
        """Put on record, durably, how much is read for which purpose and by whom."""
        if any(counts.values()):
            with transaction.atomic(durable=True):
                for (purpose, by), count in counts.items():
                    self._record("tokens.read", count, by, purpose=purpose)

    # --- both -------------------------------------------------------------------------------------------------------

    def _record(self, kind: str, count: int, by: Pseudonym | None, **more: FieldValue) -> None:
        said: dict[str, FieldValue] = {"domain": self._name, "count": count, **more}
        record(Entry(kind, self._now(), said if by is None else {**said, "by": by}))

    def _ready(self) -> None:
        """See to it that the row of the domain is there and committed, before anything refers to it."""
        if connection.in_atomic_block:
            raise RuntimeError("a vault is used outside of transactions: what it promises must not be rolled back")
        if self._row is None:
            self._row = DomainRow.objects.get_or_create(name=self._domain)[0].pk

    def _ready_row(self) -> int:
        assert self._row is not None, "_ready comes first"
        return self._row

    def __repr__(self) -> str:
        return f"Vault({self._domain!r})"


def _insert(cursor: Any, rows: Sequence[_Row], now: dt.datetime) -> int:
    """Put in the rows whose token and value are new: how many they are."""
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
    """What the value behind a token is sealed to."""
    return SealingContext(domain="vault", table=domain, field="value", subject=token)


_INSERT = "INSERT INTO vault_token (domain_id, token, lookup, format, sealed, subject_id, made_at)"
_IF_NEW = "ON CONFLICT DO NOTHING"


def _rows(columns: str, by: str, domain: int, values: Sequence[str | bytes]) -> list[tuple[Any, ...]]:
    """The named columns of a domain's rows in which *by* takes one of *values*."""
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM vault_token LEFT JOIN core_subject ON core_subject.id = subject_id"  # noqa: S608
            f" WHERE domain_id = %s AND {by} IN ({marks})",  # our own words
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
    """The text to keep. A card is a card: every other text is refused where its token keeps a card's digits."""
    if format_ is TokenFormat.PAN_BIN6_LAST4:
        digits = value.reveal() if isinstance(value, Pan) else value
        require_pan(digits, row=row)
        require_hidden(digits, row=row)
        return digits
    text = value.reveal() if isinstance(value, Pan) else value
    if not isinstance(text, str) or not text or _bytes(text) > VALUE_BYTES_MAX:
        raise TokenRefused(f"a value is a text of 1 to {VALUE_BYTES_MAX:,} bytes", row=row)
    return text


def _bytes(text: str) -> int:
    """How many bytes a text has in UTF-8; more than any may have where it holds half a character."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return VALUE_BYTES_MAX + 1


def _token(token: str, row: int | None = None) -> str:
    """What may be a token; a database would refuse some of the rest, with everybody else's in the same statement."""
    if not isinstance(token, str) or len(token) > TOKEN_MAX or not (token.isascii() and token.isprintable()):
        raise TokenUnknown("this domain has no such token", row=row)
    return token


def _pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while piece := list(islice(left, size)):
        yield piece

"""What the tables of an invented company hold in place of a value: really sealed values, and real tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from troth.declaration import Declaration, FieldUse, TokenUse
from troth.protect import Keyring, SealingContext, TokenFormat
from troth.protect.tokens import Pan, Tokeniser, draw_token

_CARD: Final = "4000001234567899"
_PLAIN: Final = {
    TokenFormat.PAN_LAST4: _CARD,
    TokenFormat.NUMERIC: "1632960000",
    TokenFormat.ALPHANUMERIC: "A1632960000",
    TokenFormat.EMAIL: "ann@example.org",
    TokenFormat.EMAIL_DOMAIN: "ann@example.org",
}
"""A value that each format accepts."""


@dataclass(frozen=True, slots=True)
class StoredForms:
    """Seals and tokenises for the fields of *declaration*, with *keyring*."""

    declaration: Declaration
    keyring: Keyring

    def __call__(self, place: str, column: str, use: FieldUse, text: str) -> bytes | str:
        """The form in which the column of the table *place* holds *text*."""
        if use.token is not None:
            return self.token(use.token, text)
        return self.sealed(place, column, text, is_alike=use.sealed == "deterministic")

    def sealed(self, place: str, column: str, text: str, *, is_alike: bool = False) -> bytes:
        """*text*, sealed for that column; deterministically if *is_alike*."""
        context = SealingContext(domain="fields", table=place.partition(".")[2], field=column)
        seal = self.keyring.seal_deterministic if is_alike else self.keyring.seal
        return seal(text.encode(), context)

    def token(self, use: TokenUse, text: str) -> str:
        """A token of that use, for *text* where its format accepts it, else for a value of the format."""
        format_ = TokenFormat(use.format)
        if format_.is_stored:
            return draw_token(format_, Pan(_CARD) if format_ is TokenFormat.PAN_BIN6_LAST4 else None)
        is_text = format_ is TokenFormat.ONE_WAY or ("@" in text and format_ in _MAILED)
        tokeniser = Tokeniser(self.keyring, self.declaration.token_domains, domain=use.domain)
        return tokeniser.tokenise(format_, text if is_text else _PLAIN[format_])


_MAILED: Final = frozenset({TokenFormat.EMAIL, TokenFormat.EMAIL_DOMAIN})


def make_token_keys(declaration: Declaration, keyring: Keyring, *, now: dt.datetime) -> None:
    """Make the keys that ``token_domains`` names."""
    assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
    for version in sorted({it for versions in declaration.token_domains.values() for it in versions}):
        if keyring.chain.state("token", version) is None:
            keyring.chain.rotate("token", now=now, above=version - 1)

"""Checks of the token fields in a declaration: what they leak, and which are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.declaration import Declaration, Problem, Severity, TokenUse
from troth.protect.errors import TokenRefused
from troth.protect.hazmat.ff1 import DOMAIN_MIN
from troth.protect.tokens.formats import TokenFormat, suggestion
from troth.protect.tokens.stateless import ALPHABETS

_KEPT: Final = re.compile(r"pan(?:\.bin(?P<first>\d))?(?:\.last(?P<last>\d))?")
"""Matches card formats as a writer might imagine them, whether they exist or not."""
_CARD: Final = 16
_SHOWN: Final = 40
_LEAKS: Final = {
    TokenFormat.PAN_BIN6_LAST4: "the first six and the last four digits, and how many there are",
    TokenFormat.PAN_LAST4: "the last four digits, how many there are, the key version, and which are of one card",
    TokenFormat.NUMERIC: "how many digits there are, and which tokens are of one value",
    TokenFormat.ALPHANUMERIC: "how many characters there are, and which tokens are of one value",
    TokenFormat.EMAIL: "the key version, about how long the address is, and which tokens are of one address",
    TokenFormat.EMAIL_DOMAIN: "the domain of the address, the key version, and which tokens are of one address",
    TokenFormat.OPAQUE: "nothing",
    TokenFormat.ONE_WAY: "the key version, and which tokens are of one value",
}


def token_fields(declaration: Declaration) -> Iterator[tuple[str, str, str, TokenUse]]:
    """System, table, column and use of every field declared to hold tokens."""
    for system, it in declaration.systems.items():
        for name, table in it.tables.items():
            for column, use in table.fields.items():
                if use.token is not None:
                    yield system, name, column, use.token


def check(declaration: Declaration) -> Iterator[Problem]:
    """A note for every token field, with what its tokens leak. An error instead if the format is unknown, if so few
    values would be left that all can be tried (NIST SP 800-38G r1, 2pd), if the domain or its keys are not declared, or
    if a token of one domain would be read as a wrong card in another."""
    domains = declaration.token_domains
    for system, table, column, use in token_fields(declaration):
        path = f"systems.{system}.tables.{table}.fields.{column}.token"
        for at, code, message, fix in _faults(use, domains):
            yield declaration.problem(code, f"{path}.{at}", message, fix)
            break
        else:
            told = f"anyone who holds the tokens and nothing else learns {_LEAKS[TokenFormat(use.format)]}"
            yield declaration.problem("token-leak", path, told, severity=Severity.NOTE)


def _faults(use: TokenUse, domains: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, str, str, str]]:
    """Place, code, message and fix of each fault."""
    try:
        format_ = TokenFormat.named(use.format)
    except TokenRefused as refused:
        if told := _too_few_cards(use.format):
            yield "format", "token-values", told, "use 'pan.bin6.last4', which is drawn at random, or 'pan.last4'"
        yield "format", "token-format", str(refused), "see docs/reference/tokens.md"
        return
    if use.domain not in domains:
        told = f"there is no token domain {use.domain[:_SHOWN]!r}{suggestion(use.domain, domains) if domains else ''}"
        yield "domain", "token-domain", told, "add it to 'token_domains', with its key versions"
        return
    if format_ in ALPHABETS:
        yield from _too_few_texts(use, len(ALPHABETS[format_]))
    versions = domains[use.domain]
    if not versions and not format_.is_stored:
        message = f"tokens of the format '{format_}' are computed, and '{use.domain[:_SHOWN]}' has no key version"
        yield "domain", "token-versions", message, "give it one under 'token_domains': troth keys rotate token makes it"
    if format_ is TokenFormat.PAN_LAST4:
        for other in sorted(domains.keys() - {use.domain}):
            if shared := sorted(set(versions) & set(domains[other])):
                message = (
                    f"'{use.domain[:_SHOWN]}' and '{other[:_SHOWN]}' share the key version {shared[0]}, so a token of"
                )
                fix = "give each domain its own versions, or use 'pan.bin6.last4'"
                yield "domain", "token-shared", f"{message} one would be read as a wrong card in the other", fix


def _too_few_texts(use: TokenUse, radix: int) -> Iterator[tuple[str, str, str, str]]:
    if use.length is None:
        message = f"the minimum length is not declared, and with fewer than {DOMAIN_MIN:,} values all can be tried"
        yield "format", "token-length", message, "add 'length: …', the minimum number of characters"
    elif radix ** min(use.length, 20) < DOMAIN_MIN:
        message = (
            f"there are {radix**use.length:,} values of {use.length} characters, and fewer than {DOMAIN_MIN:,} can"
        )
        yield "length", "token-values", f"{message} all be tried", "use 'opaque', which is drawn at random"


def _too_few_cards(name: str) -> str | None:
    """The message for a card format that leaves so few values that all can be tried; None for any other."""
    asked = _KEPT.fullmatch(name)
    if asked is None:
        return None
    left = _CARD - int(asked["first"] or 0) - int(asked["last"] or 0)
    if left > len(str(DOMAIN_MIN)):
        return None
    return (
        f"of a card of {_CARD} digits '{name}' leaves 10^{left} numbers, 10^{left - 1} of them with a fitting check "
        f"digit, and fewer than {DOMAIN_MIN:,} can all be tried"
    )

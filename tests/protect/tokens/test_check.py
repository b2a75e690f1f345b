"""``troth check`` refuses tokens of so few values that all can be tried, and says what the others leak."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.declaration import Declaration, Problem, Severity, load
from troth.protect import Keyring, TokenFormat, Tokeniser
from troth.protect.tokens.check import check, token_fields

TEXT = """\
troth: 1
organisation: {{name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}}
policy: {{file: policy.md, effective: 2026-11-01}}
systems:
  shop:
    store: ${{SHOP}}
    tables:
      payment:
        fields:
          card: {{category: user.financial, token: {token}}}
        erase: delete
token_domains: {domains}
"""
DOMAINS = "{shop: [2, 1], desk: [3], drawn: []}"


def declared(folder: Path, token: str, domains: str = DOMAINS) -> Declaration:
    file = folder / "troth.yaml"
    file.write_text(TEXT.format(token=token, domains=domains))
    return load(file)


def only(problems: list[Problem]) -> tuple[str, Severity, str]:
    [problem] = problems
    return problem.code, problem.severity, str(problem)


@pytest.mark.parametrize(
    ("token", "code", "says"),
    [
        # clause C46: what a BIN of eight and the last four leave is too few for encryption to hide
        ("{format: pan.bin8.last4, domain: shop}", "token-values", "leaves 10^4 numbers"),
        ("{format: pan.bin6.last6, domain: shop}", "token-values", "use 'pan.bin6.last4', which is drawn at random"),
        ("{format: pan.last5, domain: shop}", "token-format", "did you mean 'pan.last4'?"),
        ("{format: numeric, domain: shop, length: 5}", "token-values", "there are 100,000 values of 5 characters"),
        ("{format: alphanumeric, domain: shop, length: 3}", "token-values", "46,656 values of 3 characters"),
        ("{format: numeric, domain: shop}", "token-length", "add 'length: …', the minimum number of characters"),
        ("{format: opaque, domain: shpo}", "token-domain", "did you mean 'shop'?"),
        ("{format: email, domain: drawn}", "token-versions", "'drawn' has no key version"),
    ],
)
def test_what_hides_nothing_is_an_error_at_its_place(tmp_path: Path, token: str, code: str, says: str) -> None:
    told, severity, text = only(list(check(declared(tmp_path, token))))
    assert (told, severity) == (code, Severity.ERROR)
    assert says in text
    assert "troth.yaml:10:" in text


@pytest.mark.parametrize(
    ("token", "leaks"),
    [
        ("{format: pan.bin6.last4, domain: drawn}", "the first six and the last four digits"),
        ("{format: pan.last4, domain: shop}", "which are of one card"),
        ("{format: numeric, domain: shop, length: 6}", "which tokens are of one value"),
        ("{format: alphanumeric, domain: shop, length: 4}", "which tokens are of one value"),
        ("{format: opaque, domain: drawn}", "learns nothing"),
        ("{format: email.domain, domain: shop}", "the domain of the address"),
    ],
)
def test_every_other_is_a_note_of_what_it_leaks(tmp_path: Path, token: str, leaks: str) -> None:
    code, severity, text = only(list(check(declared(tmp_path, token))))
    assert (code, severity) == ("token-leak", Severity.NOTE)
    assert leaks in text


def test_every_format_says_what_it_leaks_or_is_refused(tmp_path: Path) -> None:
    for format_ in TokenFormat:
        problems = list(check(declared(tmp_path, f"{{format: {format_}, domain: shop, length: 8}}")))
        assert only(problems)[:2] == ("token-leak", Severity.NOTE)


def test_domains_that_share_a_version_cannot_have_stateless_cards(tmp_path: Path) -> None:
    shared = "{shop: [2, 1], desk: [1]}"
    code, _, text = only(list(check(declared(tmp_path, "{format: pan.last4, domain: shop}", shared))))
    assert code == "token-shared"
    assert "'shop' and 'desk' share the key version 1" in text
    assert only(list(check(declared(tmp_path, "{format: one_way, domain: shop}", shared))))[0] == "token-leak"


def test_a_tokeniser_takes_the_domains_as_they_are_declared(tmp_path: Path) -> None:
    declaration = declared(tmp_path, "{format: numeric, domain: shop, length: 6}")
    [(system, table, column, use)] = token_fields(declaration)
    assert (system, table, column) == ("shop", "payment", "card")
    tokeniser = Tokeniser(Keyring(bytes(32)), declaration.token_domains, domain=use.domain)
    token = tokeniser.tokenise(TokenFormat.named(use.format), "123456")
    assert tokeniser.detokenise(TokenFormat.NUMERIC, token, version=2).reveal() == "123456"

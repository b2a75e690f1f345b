"""The vault: tokens are unique, durable and counted in the ledger before anything is returned; domains do not meet."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from troth.ledger import Entry, Pseudonym
from troth.protect import EPOCH_LASTS, Keyring, OpenError, Tokeniser, create_home
from troth.protect.errors import TokenRefused
from troth.protect.tokens import Pan, TokenFormat
from troth.protect.tokens.cards import luhn
from troth.service.core.disposal import dispose
from troth.service.core.key_registry import note_destruction, note_keys
from troth.service.core.ledger import DatabaseLog, sequence
from troth.service.core.models import Subject
from troth.service.core.subject_keys import SubjectKeys
from troth.service.vault import stored_tokens
from troth.service.vault.models import TokenRow
from troth.service.vault.stored_tokens import TokenUnknown, Vault, _pieces

pytestmark = pytest.mark.sampled

CARD, OTHER = "4111111111111111", "5555555555554444"  # numbers that card schemes publish for tests
CARDS, OPAQUE = TokenFormat.PAN_BIN6_LAST4, TokenFormat.OPAQUE
NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_home(tmp_path / "keys")
    return Keyring.open(tmp_path / "keys")


@pytest.fixture
def vault(database: str, keyring: Keyring) -> Vault:
    return Vault(keyring, domain="shop", now=lambda: NOW)


def entries() -> list[Entry]:
    """All that is on record, the oldest first."""
    from troth.service.core.models import EntryRow

    return [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]


def counted(kind: str) -> list[tuple[str, int]]:
    """The domains and counts of all entries of a kind."""
    found: list[Mapping[str, Any]] = [entry.fields for entry in entries() if entry.kind == kind]
    return [(str(fields["domain"]), fields["count"]) for fields in found]


@pytest.mark.parametrize(("format_", "value"), [(CARDS, CARD), (OPAQUE, "a secret"), (OPAQUE, "Zoë \u2603")])
def test_a_token_stands_for_its_value(vault: Vault, format_: TokenFormat, value: str) -> None:
    token = vault.tokenise(format_, value)
    assert vault.detokenise(token, purpose="refund").reveal() == value
    assert value not in repr(vault.detokenise(token, purpose="refund"))
    assert counted("tokens.made") == [("shop", 1)]
    assert counted("tokens.read") == [("shop", 1)] * 2


def test_a_card_comes_back_as_a_card_and_its_token_is_none(vault: Vault) -> None:
    token = vault.tokenise(CARDS, Pan(CARD))
    assert (token[:6], token[-4:]) == (CARD[:6], CARD[-4:])
    with pytest.raises(TokenRefused, match="check digit"):
        Pan(token)
    assert str(vault.detokenise(token, purpose="refund")) == "••••••••••••1111"


def test_the_same_value_has_one_token_in_a_domain_and_another_in_the_next(vault: Vault, keyring: Keyring) -> None:
    first = vault.tokenise(OPAQUE, "x")
    assert vault.tokenise(OPAQUE, "x") == first
    assert vault.tokenise_batch(OPAQUE, ["x", "y", "x"])[::2] == [first, first]
    assert Vault(keyring, domain="desk", now=lambda: NOW).tokenise(OPAQUE, "x") != first
    assert TokenRow.objects.count() == 3


def test_a_token_of_another_domain_is_unknown(vault: Vault, keyring: Keyring) -> None:
    token = vault.tokenise(CARDS, CARD)
    desk = Vault(keyring, domain="desk", now=lambda: NOW)
    with pytest.raises(TokenUnknown, match="no such token"):
        desk.detokenise(token, purpose="refund")
    assert counted("tokens.read") == []


def test_no_token_is_in_two_domains(vault: Vault, keyring: Keyring) -> None:
    """14 digits with one BIN and last four: 2,000 tokens out of 9,000 would meet by chance."""
    values = [card for middle in range(10_000) if not luhn(card := f"305693{middle:04d}5904")]
    desk = Vault(keyring, domain="desk", now=lambda: NOW)
    ours, theirs = vault.tokenise_batch(CARDS, values), desk.tokenise_batch(CARDS, values)
    assert len({*ours, *theirs}) == 2 * len(values)


def test_a_domain_whose_first_call_is_refused_is_still_its_own(
    database: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, desk = (Vault(keyring, domain=name, now=lambda: NOW) for name in ("shop", "desk"))
    with pytest.raises(TokenRefused, match="give away the rest"):
        shop.tokenise(CARDS, "4222222222222")
    monkeypatch.setattr(stored_tokens, "DRAWS_MAX", 0)
    with pytest.raises(TokenRefused, match="too few unused tokens left"):
        shop.tokenise(OPAQUE, "x")
    monkeypatch.undo()
    of_desk, of_shop = desk.tokenise(OPAQUE, "x"), shop.tokenise(OPAQUE, "x")
    again = Vault(keyring, domain="shop", now=lambda: NOW)
    assert again.detokenise(of_shop, purpose="test").reveal() == "x"
    with pytest.raises(TokenUnknown):
        again.detokenise(of_desk, purpose="test")


def test_entries_say_who_asked(vault: Vault) -> None:
    token = vault.tokenise(OPAQUE, "x", by=ANN)
    vault.detokenise(token, purpose="refund", by=BEN)
    vault.detokenise_batch([token, token], purpose="refund", by=ANN)
    vault.forget([token], by=BEN)
    said = [(entry.kind, entry.fields["count"], entry.fields["by"]) for entry in entries()]
    made, read, batch, gone = said
    assert (made, read) == (("tokens.made", 1, ANN), ("tokens.read", 1, BEN))
    assert (batch, gone) == (("tokens.read", 2, ANN), ("tokens.forgotten", 1, BEN))


def test_computed_tokens_are_read_on_record_and_in_their_own_domain(vault: Vault, keyring: Keyring) -> None:
    assert keyring.chain is not None
    for _ in range(2):
        keyring.chain.rotate("token", now=NOW)
    domains = {"shop": [1], "desk": [2]}
    shop, desk = (Tokeniser(keyring, domains, domain=name) for name in domains)
    tokens = shop.tokenise_batch(TokenFormat.PAN_LAST4, [CARD, OTHER])
    values = vault.detokenise_computed(shop, TokenFormat.PAN_LAST4, tokens, purpose="refund", by=ANN)
    assert [value.reveal() for value in values] == [CARD, OTHER]
    assert counted("tokens.read") == [("shop", 2)]
    for tokeniser, given in ((desk, tokens), (shop, [*tokens, CARD])):
        with pytest.raises(TokenRefused):
            vault.detokenise_computed(tokeniser, TokenFormat.PAN_LAST4, given, purpose="refund")
    assert counted("tokens.read") == [("shop", 2)]


def test_a_vault_inside_of_a_transaction_is_refused(vault: Vault) -> None:
    token = vault.tokenise(OPAQUE, "x")
    with transaction.atomic():
        for call in (lambda: vault.tokenise(OPAQUE, "y"), lambda: vault.detokenise(token, purpose="test")):
            with pytest.raises(RuntimeError, match="outside of transactions"):
                call()
    assert vault.detokenise(token, purpose="test").reveal() == "x"


def test_a_batch_is_one_entry_and_all_or_nothing(vault: Vault) -> None:
    tokens = vault.tokenise_batch(OPAQUE, [f"value {number}" for number in range(1_200)])
    assert len(set(tokens)) == 1_200
    assert counted("tokens.made") == [("shop", 1_200)]
    values = vault.detokenise_batch(tokens[::-1], purpose="export")
    assert [value.reveal() for value in values] == [f"value {number}" for number in reversed(range(1_200))]
    assert counted("tokens.read") == [("shop", 1_200)]


def test_a_refused_row_is_named_and_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(TokenRefused) as refused:
        vault.tokenise_batch(CARDS, [CARD, CARD[:-1] + "2", OTHER])
    assert refused.value.row == 1
    assert CARD[:-1] not in str(refused.value)
    assert not TokenRow.objects.exists()
    assert counted("tokens.made") == []


def test_an_unknown_token_in_a_batch_gives_nothing_away(vault: Vault) -> None:
    token = vault.tokenise(OPAQUE, "x")
    with pytest.raises(TokenUnknown) as refused:
        vault.detokenise_batch([token, "trtk1_" + "a" * 32], purpose="export")
    assert refused.value.row == 1
    assert counted("tokens.read") == []


@pytest.mark.parametrize(
    ("format_", "value", "message"),
    [
        (OPAQUE, "", "a text of 1 to 65,536 bytes"),
        (OPAQUE, "x" * 65_537, "a text of 1 to 65,536 bytes"),
        (OPAQUE, "half a character: \ud800", "a text of 1 to 65,536 bytes"),
        (CARDS, "4222222222222", "of a card of 13 digits the first 6 and last 4 give away the rest"),
        (CARDS, "4111 1111 1111 1111", "only digits 0 to 9"),
        (TokenFormat.PAN_LAST4, CARD, "computed, not stored; use a Tokeniser"),
    ],
)
def test_what_cannot_be_kept_is_refused(vault: Vault, format_: TokenFormat, value: str, message: str) -> None:
    with pytest.raises(TokenRefused, match=message):
        vault.tokenise(format_, value)


@pytest.mark.parametrize("token", ["", "x\0", "x\ud800", "x" * 65, "é", None, {}])
def test_what_cannot_be_a_token_is_unknown(vault: Vault, token: Any) -> None:
    with pytest.raises(TokenUnknown, match="no such token"):
        vault.detokenise(token, purpose="test")
    with pytest.raises(TokenUnknown) as refused:
        vault.detokenise_batch([vault.tokenise(OPAQUE, "x"), token], purpose="test")
    assert refused.value.row == 1


def test_a_forgotten_value_is_gone_and_counted(vault: Vault) -> None:
    token, other = vault.tokenise_batch(OPAQUE, ["x", "y"])
    assert vault.forget([token, "unknown"]) == 1
    assert vault.forget([token]) == 0
    with pytest.raises(TokenUnknown):
        vault.detokenise(token, purpose="refund")
    assert vault.detokenise(other, purpose="refund").reveal() == "y"
    assert counted("tokens.forgotten") == [("shop", 1)]


def test_a_value_that_was_moved_behind_another_token_does_not_open(vault: Vault) -> None:
    first, second = vault.tokenise_batch(OPAQUE, ["x", "y"])
    sealed = bytes(TokenRow.objects.get(token=first).sealed)
    TokenRow.objects.filter(token=second).update(sealed=sealed)
    with pytest.raises(OpenError):
        vault.detokenise(second, purpose="refund")


def test_a_draw_that_is_taken_is_drawn_again(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["taken", "taken", "free", "other"])
    monkeypatch.setattr(stored_tokens, "_drawn", lambda *_: next(draws))
    assert vault.tokenise(OPAQUE, "x") == "taken"
    assert vault.tokenise(OPAQUE, "y") == "free"
    assert {vault.detokenise(token, purpose="test").reveal() for token in ("taken", "free")} == {"x", "y"}


def test_a_group_of_cards_fills_up_without_a_token_twice(vault: Vault) -> None:
    """14 digits with one BIN and last four: all 1,000 cards that can exist get a token of the 9,000 that there are."""
    cards = [card for middle in range(10_000) if not luhn(card := f"305693{middle:04d}5904")]
    tokens = vault.tokenise_batch(CARDS, cards)
    assert len(set(tokens)) == len(cards) == 1_000
    assert [value.reveal() for value in vault.detokenise_batch(tokens, purpose="test")] == cards


def test_a_domain_that_is_full_says_so(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_tokens, "_drawn", lambda *_: "always the same")
    vault.tokenise(OPAQUE, "x")
    with pytest.raises(TokenRefused, match="too few unused tokens left"):
        vault.tokenise(OPAQUE, "y")
    assert counted("tokens.made") == [("shop", 1)]


def test_values_open_after_the_keys_were_rotated(vault: Vault, keyring: Keyring) -> None:
    token = vault.tokenise(OPAQUE, "x")
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)
    assert vault.tokenise(OPAQUE, "x") == token
    assert vault.detokenise(token, purpose="refund").reveal() == "x"


# --- values of people ------------------------------------------------------------------------------------------------


ANN, BEN = Pseudonym("ps1:" + "a" * 32), Pseudonym("ps1:" + "b" * 32)


def erase(keyring: Keyring, who: Pseudonym) -> None:
    with transaction.atomic():
        SubjectKeys(keyring).erase([str(who)], now=NOW)


def test_the_values_of_the_erased_are_gone_and_all_others_stay(vault: Vault, keyring: Keyring) -> None:
    of_ann = vault.tokenise_batch(OPAQUE, ["x", "y"], subjects=[ANN, ANN])
    of_ben, of_nobody = vault.tokenise(OPAQUE, "x", subject=BEN), vault.tokenise(OPAQUE, "x")
    assert len({*of_ann, of_ben, of_nobody}) == 4
    assert vault.tokenise(OPAQUE, "x", subject=ANN) == of_ann[0]
    erase(keyring, ANN)
    for token in of_ann:
        with pytest.raises(TokenUnknown):
            vault.detokenise(token, purpose="refund")
    assert [it.reveal() for it in vault.detokenise_batch([of_ben, of_nobody], purpose="refund")] == ["x", "x"]
    assert TokenRow.objects.count() == 2


def test_what_a_backup_has_of_the_erased_opens_for_nobody(vault: Vault, keyring: Keyring) -> None:
    token = vault.tokenise(CARDS, CARD, subject=ANN)
    backup = (TokenRow.objects.get(), TokenRow.objects.get().subject)
    erase(keyring, ANN)
    SubjectKeys(keyring).roll(now=NOW + EPOCH_LASTS)
    SubjectKeys(keyring).roll(now=NOW + 2 * EPOCH_LASTS)
    row, subject = backup
    assert subject is not None
    Subject.objects.filter(pk=subject.pk).update(wrapped_key=subject.wrapped_key, erased_at=None)
    row.save(force_insert=True)
    with pytest.raises(OpenError):
        vault.detokenise(token, purpose="refund")
    fresh = Vault(keyring, domain="shop", now=lambda: NOW)
    assert bytes(row.lookup) not in fresh._keyring.fingerprints("vault shop", [f"{CARDS.value}\x1f{CARD}"])


def test_the_forced_end_of_an_epoch_takes_what_hangs_on_it(vault: Vault, keyring: Keyring) -> None:
    vault.tokenise(OPAQUE, "x", subject=ANN)
    assert keyring.chain is not None
    note_keys(keyring, now=NOW)
    note_destruction(keyring.chain.infos()[-1], now=NOW, crypto_erase=True)
    assert not TokenRow.objects.exists()
    assert dispose(NOW + dt.timedelta(days=99))["troth_subjects"] == 1


def test_somebody_who_comes_back_after_an_erasure_starts_anew(vault: Vault, keyring: Keyring) -> None:
    before = vault.tokenise(OPAQUE, "x", subject=ANN)
    erase(keyring, ANN)
    after = vault.tokenise(OPAQUE, "x", subject=ANN)
    assert after != before
    assert vault.detokenise(after, purpose="refund").reveal() == "x"


def test_nobody_is_erased_between_the_key_and_the_rows_that_hang_on_it(vault: Vault, keyring: Keyring) -> None:
    """Whoever is told a token can read it, or was erased since: never one that was born dead."""

    def work(number: int) -> None:
        for turn in range(12):
            if number % 4 == 0:
                erase(keyring, ANN)
                continue
            token = vault.tokenise(OPAQUE, f"{number} {turn}", subject=ANN)
            with contextlib.suppress(TokenUnknown):
                assert vault.detokenise(token, purpose="test").reveal() == f"{number} {turn}"

    _together(8, work)
    tokens = list(TokenRow.objects.values_list("token", flat=True))
    vault.detokenise_batch(tokens, purpose="test")


# --- many at once ---------------------------------------------------------------------------------------------------


def _together(threads: int, work: Callable[[int], None]) -> None:
    faults: list[BaseException] = []

    def one(number: int) -> None:
        try:
            work(number)
        except BaseException as fault:  # noqa: BLE001 - the test fails with it
            faults.append(fault)
        finally:
            connection.close()

    running = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert faults == []


def test_callers_share_commits_and_get_their_own_answers(vault: Vault) -> None:
    got: dict[str, str] = {}

    def work(number: int) -> None:
        for value in (f"value {number % 8}", f"own {number}"):
            token = vault.tokenise(OPAQUE, value)
            got[token] = vault.detokenise(token, purpose="test").reveal()
            assert got[token] == value

    _together(16, work)
    assert len(got) == 8 + 16
    assert sum(count for _, count in counted("tokens.made")) == 32
    assert sum(count for _, count in counted("tokens.read")) == 32


def test_one_caller_s_unknown_token_is_nobody_else_s_trouble(vault: Vault) -> None:
    token, damaged = vault.tokenise_batch(OPAQUE, ["x", "y"])
    TokenRow.objects.filter(token=damaged).update(sealed=b"something else")

    def work(number: int) -> None:
        if number % 3:
            assert vault.detokenise(token, purpose="test").reveal() == "x"
            return
        with pytest.raises(OpenError if number % 2 else TokenUnknown):
            vault.detokenise(damaged if number % 2 else "trtk1_" + "a" * 32, purpose="test")

    _together(12, work)
    assert sum(count for _, count in counted("tokens.read")) == 8


def test_two_batches_with_the_same_values_in_another_order_wait_for_one_another(vault: Vault) -> None:
    values = [f"value {number}" for number in range(2_000)]
    got: dict[int, list[str]] = {}

    def work(number: int) -> None:
        mine = values if number % 2 else values[::-1]
        tokens = vault.tokenise_batch(OPAQUE, mine)
        got[number] = tokens if number % 2 else tokens[::-1]

    _together(4, work)
    assert all(tokens == got[0] for tokens in got.values())


# --- power cuts ----------------------------------------------------------------------------------------------------


def test_nothing_acknowledged_is_lost_when_the_process_dies(vault: Vault) -> None:
    _kills(vault, 6, random.Random(20261124))


@pytest.mark.soak
def test_a_thousand_deaths_under_load(vault: Vault) -> None:
    _kills(vault, 1_000, random.Random())


def test_a_value_that_was_returned_without_its_entry_would_be_seen(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, turns = Vault._note_reading, itertools.count()
    monkeypatch.setattr(Vault, "_note_reading", lambda self, counts: next(turns) % 5 and noted(self, counts))
    with pytest.raises(AssertionError, match="without an entry"):
        _kills(vault, 4, random.Random(20261124))


THREADS = 4


def _kills(vault: Vault, deaths: int, chance: random.Random) -> None:
    """Kill a process that makes and reads tokens from several threads, with a sequencer beside them: all that it said
    is there, all that it returned is on record, and nothing else but what was on its way."""
    made: dict[str, str] = {}
    said: Counter[str] = Counter()
    for death in range(deaths):
        for line in _until_killed(vault, death, chance.uniform(0.02, 0.25)):
            kind, token, value = line.split("|")
            said[kind if kind == "made" else f"read-{death}-{value.split()[1]}"] += 1
            assert made.setdefault(token, value) == value
    assert said["made"], "no process lived long enough to make a token"
    on_record: Counter[str] = Counter()
    for entry in entries():
        if entry.kind.startswith("tokens."):
            count = entry.fields["count"]
            assert isinstance(count, int)
            on_record["made" if entry.kind == "tokens.made" else str(entry.fields["purpose"])] += count
    rows = set(TokenRow.objects.values_list("token", flat=True))
    assert made.keys() <= rows, "a token was acknowledged and is lost"
    assert said["made"] <= len(rows) == on_record["made"] <= said["made"] + deaths * THREADS
    for purpose in (said.keys() | on_record.keys()) - {"made"}:
        assert said[purpose] <= on_record[purpose], "a value was returned without an entry"
        assert on_record[purpose] <= said[purpose] + 1, "an entry was written twice"
    for some in _pieces(sorted(made), 5_000):
        values = vault.detokenise_batch(some, purpose="test")
        assert [value.reveal() for value in values] == [made[token] for token in some]
    signer = vault._keyring.signer()
    sequence(signer, now=NOW)
    DatabaseLog(signer).verify()


def _until_killed(vault: Vault, death: int, after_s: float) -> Iterator[str]:
    connection.close()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _load(vault, death, tell)
    os.close(tell)
    time.sleep(after_s)  # the moment is the experiment; no outcome depends on it
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(told, "rb") as lines:
        said = lines.read()
    yield from (line.decode() for line in said.split(b"\n")[:-1])  # what comes after the last line feed was cut off


def _load(vault: Vault, death: int, tell: int) -> None:
    """Never returns: threads that make tokens and read them back, and say so line by line; one that numbers entries."""
    fresh = Vault(vault._keyring, domain="shop", now=lambda: NOW)

    def work(number: int) -> None:
        for turn in range(10**9):
            value = f"{death} {number} {turn}"
            token = fresh.tokenise(OPAQUE, value)
            os.write(tell, f"made|{token}|{value}\n".encode())
            value = fresh.detokenise(token, purpose=f"read-{death}-{number}").reveal()
            os.write(tell, f"read|{token}|{value}\n".encode())

    def number_entries() -> None:
        while True:
            sequence(fresh._keyring.signer(), now=NOW)

    for number in range(THREADS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    threading.Thread(target=number_entries, daemon=True).start()
    signal.pause()

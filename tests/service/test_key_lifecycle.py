"""Keys, their registry and what hangs on them: kept in step, sealed anew while in use, destroyed by two."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from troth.controls import Check, CheckOutcome, run
from troth.declaration import parse
from troth.ledger import Entry, Hash
from troth.policy import read
from troth.protect import (
    EPOCH_GRACE,
    ApprovalRefused,
    Approvals,
    Keychain,
    KeyRefused,
    Keyring,
    KeyState,
    OpenError,
    SealingContext,
    create_home,
    plan_approver,
    plan_no_approver,
    read_approvers,
)
from troth.protect.tokens import TokenFormat
from troth.rows import run_context
from troth.service.assurance import jobs
from troth.service.assurance.control_inputs import look
from troth.service.core import recurring, resealing
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import Job
from troth.service.core.key_lifecycle import (
    change_approvers,
    destroy,
    look_at_keys,
    plan_destruction,
    rotate_field,
    sealed_places,
)
from troth.service.core.key_registry import make_key, note_destruction, note_keys, strays
from troth.service.core.models import EntryRow, KeyRow, RunRow, Subject
from troth.service.core.resealing import hanging, reseal
from troth.service.core.subject_keys import SubjectKeys
from troth.service.vault.models import TokenRow
from troth.service.vault.stored_tokens import Vault

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
LATER = NOW + EPOCH_GRACE
WORDS = {"custodian-a": "six words for a", "custodian-b": "six words for b", "custodian-c": "six words for c"}
VALUES = [f"value {number}" for number in range(7)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.hazmat.scrypt._COST", 2**8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "keys", now=NOW)
    return tmp_path / "keys"


@pytest.fixture
def keyring(home: Path, database: str) -> Keyring:
    return Keyring.open(home)


@pytest.fixture
def chain(keyring: Keyring) -> Keychain:
    assert keyring.chain is not None
    return keyring.chain


@pytest.fixture
def vault(keyring: Keyring) -> Vault:
    return Vault(keyring, domain="shop", now=lambda: NOW)


@pytest.fixture
def tokens(vault: Vault) -> list[str]:
    """Values under the key that is derived from the root, and a run that is under way."""
    RunRow.objects.create(
        run_id="r-1",
        action="erase",
        plan_hash="dg1:" + "0" * 64,
        declaration_hash="sha256:" + "0" * 64,
        begun_at=NOW,
        sealed_plan=vault._keyring.seal(b"a plan", run_context("r-1")),
    )
    return vault.tokenise_batch(TokenFormat.OPAQUE, VALUES)


def read_back(vault: Vault, tokens: list[str]) -> list[str]:
    return [value.reveal() for value in vault.detokenise_batch(tokens, purpose="refund")]


def entries(*kinds: str) -> list[Mapping[str, Any]]:
    found = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    return [entry.fields for entry in found if entry.kind in kinds]


def told(purpose: str) -> list[str]:
    return [
        str(fields.get("state", "created"))
        for fields in entries("keys.created", "keys.changed")
        if fields["purpose"] == purpose
    ]


def numbers() -> dict[int, int]:
    return {number: sum(places.values()) for number, places in hanging(sealed_places()).items()}


# --- the registry ---------------------------------------------------------------------------------------------------


def test_the_registry_follows_the_keys_and_says_everything_once(keyring: Keyring, chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    for _ in range(2):
        note_keys(keyring, now=NOW)
    chain.rotate("field", now=LATER)
    chain.move("field-1", KeyState.COMPROMISED, now=LATER)
    for _ in range(2):
        note_keys(keyring, now=LATER)
    assert (told("root"), told("field")) == (["created"], ["created", "compromised", "created"])
    first = KeyRow.objects.get(key_id=chain.infos()[0].id.text)
    assert (first.state, first.activated_at, first.protect_until) == ("compromised", NOW, LATER)
    assert strays(keyring) == []


def test_the_registry_is_right_whoever_notes_beside_us(keyring: Keyring, chain: Keychain) -> None:
    for _ in range(3):
        chain.rotate("epoch", now=NOW)
    noted = [threading.Thread(target=_note, args=(keyring,)) for _ in range(4)]
    for thread in noted:
        thread.start()
    for thread in noted:
        thread.join()
    note_keys(keyring, now=NOW)
    assert Counter(told("epoch")) == {"created": 3, "deactivated": 2}
    assert KeyRow.objects.count() == 4


def _note(keyring: Keyring) -> None:
    try:
        note_keys(keyring, now=NOW)
    finally:
        connection.close()


def test_an_older_copy_of_the_keys_is_noticed(keyring: Keyring, chain: Keychain, home: Path) -> None:
    chain.rotate("field", now=NOW)
    chain.rotate("field", now=NOW)
    copy = (home / "keys.toml").read_bytes()
    chain.rotate("epoch", now=NOW)
    note_keys(keyring, now=NOW)
    note_destruction(chain.infos()[0], now=NOW)
    chain.move("field-1", KeyState.DESTROYED, now=NOW)
    assert strays(keyring) == []
    (home / "keys.toml").write_bytes(copy)
    note_keys(keyring, now=LATER)
    missing, came_back = strays(keyring)
    assert "(epoch) is not in keys.toml; restore the newest copy" in missing
    assert came_back.startswith("field-1 is recorded as destroyed, but still in keys.toml: ")
    assert came_back.endswith("or an older copy was restored; destroy it again: troth keys destroy field-1")
    assert told("field") == ["created", "deactivated", "created", "destroyed"]


def test_no_field_key_is_made_beside_an_older_copy(keyring: Keyring, chain: Keychain, home: Path) -> None:
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    copy = (home / "keys.toml").read_bytes()
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    newest = (home / "keys.toml").read_bytes()
    (home / "keys.toml").write_bytes(copy)
    with pytest.raises(KeyRefused, match=r"is not in keys\.toml; restore the newest copy"):
        rotate_field(keyring, now=LATER, progress=lambda *_: None)
    assert (home / "keys.toml").read_bytes() == copy
    (home / "keys.toml").write_bytes(newest)
    made = rotate_field(keyring, now=LATER, progress=lambda *_: None).key
    assert made is not None
    assert made.name == "field-3"


def test_a_key_in_use_that_ended_on_record_shows_an_older_copy(keyring: Keyring, chain: Keychain, home: Path) -> None:
    chain.rotate("epoch", now=NOW)
    copy = (home / "keys.toml").read_bytes()
    SubjectKeys(keyring).roll(now=NOW, early=True)
    SubjectKeys(keyring).roll(now=LATER)
    KeyRow.objects.filter(key_id=chain.infos()[1].id.text).delete()  # a key that was never noted
    (home / "keys.toml").write_bytes(copy)
    [found] = strays(keyring)
    assert found == "epoch-1 is recorded as destroyed, but active in keys.toml; restore the newest copy"
    with pytest.raises(KeyRefused, match="restore the newest copy"):
        SubjectKeys(keyring).of("ps1:ann", now=LATER)


def test_no_number_is_used_again_whatever_became_of_the_file(keyring: Keyring, chain: Keychain, home: Path) -> None:
    """What the registry knows as destroyed, and what hangs on a key that was never noted, counts."""
    for _ in range(3):
        chain.rotate("epoch", now=NOW)
    note_keys(keyring, now=NOW)
    for info in chain.infos():
        note_destruction(info, now=NOW)
    (home / "keys.toml").write_text("version = 1\nkeys = 0\n")
    assert make_key(keyring, "epoch", now=NOW).name == "epoch-4"
    Subject.objects.create(pseudonym="ps1:ann", wrapped_key=b"\x00" * 68, epoch=7, created_at=NOW)
    assert make_key(keyring, "epoch", now=NOW).name == "epoch-8"
    assert make_key(keyring, "field", now=NOW, above=4).name == "field-5"


def test_a_database_of_another_root_key_is_noticed(keyring: Keyring) -> None:
    note_keys(Keyring(bytes(32)), now=NOW)
    [found] = strays(keyring)
    assert f"TROTH_HOME has {keyring.id}" in found
    with pytest.raises(KeyRefused, match="the database belongs to the root key k1:"):
        note_keys(keyring, now=NOW)
    assert told("root") == ["created"]


# --- sealing anew ---------------------------------------------------------------------------------------------------


def test_a_rotation_seals_everything_anew_and_all_stays_readable(
    keyring: Keyring, vault: Vault, tokens: list[str]
) -> None:
    assert numbers() == {0: 8}
    seen: list[tuple[int, int]] = []
    rotated = rotate_field(keyring, now=NOW, progress=lambda *news: seen.append(news))
    assert rotated.key is not None
    assert (rotated.key.name, rotated.resealed.done, rotated.resealed.finished) == ("field-1", 8, True)
    assert (seen[-1], numbers()) == ((8, 8), {1: 8})
    assert read_back(vault, tokens) == VALUES
    assert keyring.unseal(bytes(RunRow.objects.get().sealed_plan or b""), run_context("r-1")) == b"a plan"
    assert rotate_field(keyring, now=LATER, progress=lambda *_: None).resealed.done == 8
    assert (numbers(), read_back(vault, tokens)) == ({2: 8}, VALUES)
    assert told("field") == ["created", "deactivated", "created"]


def test_a_rotation_that_was_cut_short_is_finished_before_another_key_is_made(
    keyring: Keyring, vault: Vault, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "_BATCH", 3)
    swap, left = resealing._swap, iter(range(1))

    def break_off(*given: Any) -> int:
        if next(left, None) is None:
            raise OSError("power cut")
        return swap(*given)

    with monkeypatch.context() as broken:
        broken.setattr(resealing, "_swap", break_off)
        with pytest.raises(OSError, match="power"):
            rotate_field(keyring, now=NOW, progress=lambda *_: None)
    assert numbers() == {0: 7, 1: 1}
    assert read_back(vault, tokens) == VALUES
    rotated = rotate_field(keyring, now=NOW, progress=lambda *_: None)
    assert (rotated.key, rotated.resealed.done, numbers()) == (None, 7, {1: 8})


def test_a_process_that_is_killed_while_it_seals_anew_loses_nothing(
    keyring: Keyring, vault: Vault, monkeypatch: pytest.MonkeyPatch, chain: Keychain
) -> None:
    values = [f"value {number}" for number in range(600)]
    tokens = vault.tokenise_batch(TokenFormat.OPAQUE, values)
    monkeypatch.setattr(resealing, "_BATCH", 20)
    chain.rotate("field", now=NOW)
    swap = resealing._swap

    def slowly(*given: Any) -> int:
        time.sleep(0.05)  # so that it is killed before it ends
        return swap(*given)

    before = 0
    for _ in range(3):
        connection.close()
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(resealing, "_swap", slowly)
            try:
                reseal(keyring, sealed_places())
            finally:
                os._exit(1)
        while before + 20 > numbers().get(1, 0):
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "it ended before it was killed"
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        before = numbers().get(1, 0)
        assert sum(numbers().values()) == 600
        assert read_back(vault, tokens[:50]) == values[:50]
    assert reseal(keyring, sealed_places()).done == 600 - before
    assert (numbers(), read_back(vault, tokens)) == ({1: 600}, values)


def test_no_read_fails_while_values_are_sealed_anew(keyring: Keyring, vault: Vault, home: Path) -> None:
    tokens = vault.tokenise_batch(TokenFormat.OPAQUE, VALUES)
    failed, stop, rounds = list[BaseException](), threading.Event(), Counter[str]()

    def reading() -> None:
        mine = Vault(Keyring.open(home), domain="shop", now=lambda: NOW)
        try:
            while not stop.is_set() or not rounds["read"]:
                assert read_back(mine, tokens) == VALUES
                rounds["read"] += 1
        except BaseException as fault:  # noqa: BLE001 - told below
            failed.append(fault)
        finally:
            connection.close()

    reader = threading.Thread(target=reading)
    reader.start()
    for _ in range(4):
        rotate_field(keyring, now=NOW, progress=lambda *_: None)
    stop.set()
    reader.join()
    assert failed == []


def test_what_changed_meanwhile_is_not_overwritten(
    keyring: Keyring, vault: Vault, tokens: list[str], monkeypatch: pytest.MonkeyPatch, chain: Keychain
) -> None:
    chain.rotate("field", now=NOW)
    swap = resealing._swap

    def meanwhile(*given: Any) -> int:
        vault.forget(tokens[:1])
        RunRow.objects.update(sealed_plan=None, finished_at=NOW)
        return swap(*given)

    monkeypatch.setattr(resealing, "_swap", meanwhile)
    assert reseal(keyring, sealed_places()).done == 6
    assert (TokenRow.objects.count(), RunRow.objects.get().sealed_plan) == (6, None)


def test_a_damaged_value_is_counted_and_holds_nothing_up(keyring: Keyring, vault: Vault, tokens: list[str]) -> None:
    row = TokenRow.objects.get(token=tokens[0])
    row.sealed = bytes(row.sealed)[:-1] + bytes([bytes(row.sealed)[-1] ^ 1])
    row.save()
    resealed = rotate_field(keyring, now=NOW, progress=lambda *_: None).resealed
    assert (resealed.done, resealed.closed, numbers()) == (7, 1, {0: 1, 1: 7})
    made = rotate_field(keyring, now=LATER, progress=lambda *_: None).key
    assert made is not None
    assert (made.name, numbers()) == ("field-2", {0: 1, 2: 7}), "it is no rotation that was cut short"
    assert read_back(vault, tokens[1:]) == VALUES[1:]


def test_a_value_of_another_root_key_is_counted_although_its_number_is_in_use(
    keyring: Keyring, vault: Vault, tokens: list[str], tmp_path: Path
) -> None:
    create_home(tmp_path / "other", now=NOW)
    other = Keyring.open(tmp_path / "other")
    assert other.chain is not None
    other.chain.rotate("field", now=NOW)
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)
    RunRow.objects.update(sealed_plan=other.seal(b"a plan", run_context("r-1")))
    resealed = rotate_field(keyring, now=NOW, progress=lambda *_: None).resealed
    assert (resealed.done, resealed.closed, numbers()) == (7, 1, {1: 8})
    assert reseal(keyring, sealed_places()).closed == 1


# --- the keep loop --------------------------------------------------------------------------------------------------


@pytest.fixture
def office(keyring: Keyring) -> Deployment:
    text = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
cryptoperiods: {field: 90 days}
"""
    declaration = parse(text)
    company = Deployment(declaration, policy=read("# Policy\n\nWe keep it.\n"))
    return company.but(keyring=keyring, look=look)


def test_the_keep_loop_goes_on_with_what_is_left(
    office: Deployment, chain: Keychain, vault: Vault, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run_due(NOW, deployment=office)
    assert numbers() == {0: 8}, "nothing was rotated"
    monkeypatch.setattr(resealing, "_BATCH", 2)
    monkeypatch.setattr(recurring, "_RESEALED_AT_ONCE", 3)
    chain.rotate("field", now=NOW)
    for _ in range(4):
        jobs.run_due(NOW + dt.timedelta(seconds=5), deployment=office)
    assert (numbers(), read_back(vault, tokens)) == ({1: 8}, VALUES)
    row = KeyRow.objects.get(purpose="field")
    assert row.protect_until == NOW + dt.timedelta(days=90)


def test_the_keep_loop_comes_back_for_a_process_that_was_slow(
    office: Deployment, keyring: Keyring, home: Path, chain: Keychain, vault: Vault
) -> None:
    slow = keyring.seal(b"a plan", run_context("r-2"))
    chain.rotate("field", now=NOW)
    jobs.run_due(NOW, deployment=office)
    fields = {"plan_hash": "dg1:" + "0" * 64, "declaration_hash": "sha256:" + "0" * 64, "begun_at": NOW}
    RunRow.objects.create(run_id="r-2", action="erase", sealed_plan=slow, **fields)
    jobs.run_due(NOW + dt.timedelta(minutes=1), deployment=office)
    assert numbers() == {0: 1}
    jobs.run_due(LATER, deployment=office)
    assert numbers() == {1: 1}


def test_what_breaks_in_a_pass_takes_nothing_else_with_it(
    office: Deployment, chain: Keychain, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.rotate("field", now=NOW)
    with monkeypatch.context() as broken:
        broken.setattr(SubjectKeys, "roll", _break_off)
        broken.setattr(recurring, "dispose", _break_off)
        jobs.run_due(NOW, deployment=office)
    assert numbers() == {1: 8}
    retried = Job.objects.filter(kind__in=["core.epochs", "core.disposal"], due_at__lt=NOW + dt.timedelta(minutes=1))
    assert list(retried.values_list("state", "attempts")) == [("queued", 1)] * 2


def test_the_keep_loop_scrubs_what_a_reader_was_in_the_way_of(
    office: Deployment, keyring: Keyring, chain: Keychain, database: str
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no log of its own to scrub")
    keys = SubjectKeys(keyring)
    keys.of("ps1:ann", now=NOW)
    wrapped = bytes(Subject.objects.get().wrapped_key or b"")
    path = Path(str(connection.settings_dict["NAME"]))
    log = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM core_subject").fetchone()
        with transaction.atomic():
            keys.erase(["ps1:ann"], now=NOW)
        jobs.run_due(NOW, deployment=office)
        assert wrapped in path.read_bytes() + log.read_bytes()
    jobs.run_due(NOW + dt.timedelta(minutes=2), deployment=office)
    assert wrapped not in path.read_bytes() + log.read_bytes()


# --- how keys stand -------------------------------------------------------------------------------------------------


def test_what_hangs_on_each_key_is_counted(home: Path, keyring: Keyring, tokens: list[str], chain: Keychain) -> None:
    keys = SubjectKeys(keyring)
    for who in ("ps1:ann", "ps1:ben"):
        keys.of(who, now=NOW)
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    found = look_at_keys(home, keyring, now=NOW)
    assert {one.info.name: one.hanging for one in found.keys} == {"epoch-1": 2, "field-1": 8}
    assert found.is_current
    later = look_at_keys(home, keyring, now=NOW + dt.timedelta(days=400))
    assert {one.info.name for one in later.keys if one.standing.overdue} == {"field-1", "epoch-1"}
    assert not later.is_current


def test_keys_of_subjects_that_hang_on_a_lost_key_are_told(home: Path, keyring: Keyring) -> None:
    SubjectKeys(keyring).of("ps1:ann", now=NOW)
    note_keys(keyring, now=NOW)
    (home / "keys.toml").write_text("version = 1\nkeys = 0\n")
    found = look_at_keys(home, Keyring.open(home), now=NOW)
    assert any("epoch-1 is not in keys.toml, and what depends on it cannot be opened" in it for it in found.unsound)


def test_an_older_copy_of_the_keys_turns_the_control_red(
    office: Deployment, keyring: Keyring, chain: Keychain, home: Path
) -> None:
    chain.rotate("epoch", now=NOW)
    jobs.run_due(NOW, deployment=office)
    copy = (home / "keys.toml").read_bytes()

    def asked() -> Check:
        with look(office.but(home=home), NOW) as seen:
            return run("protect.keys_current", seen)

    assert asked().outcome is CheckOutcome.PASS
    SubjectKeys(keyring).roll(now=NOW, early=True)
    newest = (home / "keys.toml").read_bytes()
    (home / "keys.toml").write_bytes(copy)
    [finding] = asked().findings
    assert (finding.place, finding.fix) == ("keys", "restore the newest copy of it")
    (home / "keys.toml").write_bytes(newest)
    assert asked().outcome is CheckOutcome.PASS


# --- destroying -----------------------------------------------------------------------------------------------------


@pytest.fixture
def approvers(home: Path, keyring: Keyring) -> None:
    for role, words in list(WORDS.items())[:2]:
        plan = plan_approver(keyring, read_approvers(home, keyring), role, words, now=NOW)
        change_approvers(home, keyring, plan, now=NOW)


def approve(home: Path, keyring: Keyring, plan: Hash, *roles: str) -> None:
    for role in roles:
        Approvals(home, read_approvers(home, keyring)).approve(plan, role, WORDS[role], now=NOW)


def planned(keyring: Keyring, name: str, *, crypto_erase: bool = False, now: dt.datetime = LATER) -> Any:
    return plan_destruction(keyring, name, crypto_erase=crypto_erase, stores=(), in_stores={}, now=now)


def test_two_roles_destroy_a_key_and_stand_on_record(
    home: Path, keyring: Keyring, chain: Keychain, approvers: None, tokens: list[str]
) -> None:
    chain.rotate("field", now=NOW)
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    plan = planned(keyring, "field-1")
    approve(home, keyring, plan.hash, "custodian-a")
    with pytest.raises(ApprovalRefused, match="1 of 2"):
        destroy(home, keyring, plan, now=NOW)
    assert chain.infos()[0].state is KeyState.DEACTIVATED
    approve(home, keyring, plan.hash, "custodian-b")
    assert destroy(home, keyring, plan, now=NOW) == ("custodian-a", "custodian-b")
    assert chain.infos()[0].state is KeyState.DESTROYED
    [fields] = [fields for fields in entries("keys.changed") if fields["state"] == "destroyed"]
    by, and_by = (keyring.pseudonym("approver", role) for role in ("custodian-a", "custodian-b"))
    assert (fields["by"], fields["and_by"], fields["plan"]) == (by, and_by, plan.hash)
    with pytest.raises(ApprovalRefused, match="0 of 2"):
        Approvals(home, read_approvers(home, keyring)).require(plan.hash, now=NOW)


@pytest.mark.parametrize("cut", ["record", "move", "use_up"])
def test_a_destruction_that_was_cut_short_is_gone_on_with(
    home: Path, keyring: Keyring, chain: Keychain, approvers: None, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    chain.rotate("field", now=NOW)
    chain.rotate("field", now=NOW)
    plan = planned(keyring, "field-1")
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")

    def break_off(*_: Any, **__: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        where = {
            "record": "troth.service.core.key_lifecycle.note_destruction",
            "move": "troth.protect.keychain.Keychain.move",
            "use_up": "troth.protect.approvals.Approvals.use_up",
        }
        broken.setattr(where[cut], break_off)
        with pytest.raises(OSError, match="power"):
            destroy(home, keyring, plan, now=NOW)
    if cut != "use_up":
        again = planned(keyring, "field-1")
        assert again.hash == plan.hash
        destroy(home, keyring, again, now=NOW)
    assert chain.infos()[0].state is KeyState.DESTROYED
    assert told("field") == ["created", "deactivated", "created", "destroyed"]


def test_what_something_hangs_on_is_not_destroyed_unless_that_is_the_point(
    home: Path, keyring: Keyring, chain: Keychain, approvers: None, vault: Vault, tokens: list[str]
) -> None:
    rotate_field(keyring, now=NOW, progress=lambda *_: None)
    chain.rotate("field", now=NOW)
    with pytest.raises(KeyRefused, match=r"still needed: 1 in core_run.sealed_plan, 7 in vault_token.sealed; reseal"):
        planned(keyring, "field-1")
    plan = planned(keyring, "field-1", crypto_erase=True)
    assert plan.hanging == {"core_run.sealed_plan": 1, "vault_token.sealed": 7}
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")
    destroy(home, keyring, plan, now=NOW)
    assert reseal(keyring, sealed_places()).done == 0
    assert look_at_keys(home, keyring, now=NOW).unsound == ()


def test_an_epoch_is_destroyed_by_hand_only_to_erase_who_hangs_on_it(
    home: Path, keyring: Keyring, chain: Keychain, approvers: None
) -> None:
    keys, here = SubjectKeys(keyring), SealingContext(domain="test", field="note")
    value = keys.of("ps1:ann", now=NOW).seal(b"x", here)
    chain.rotate("epoch", now=NOW)
    with pytest.raises(KeyRefused, match=r"epoch-1 is still needed: 1 in core_subject.wrapped_key"):
        planned(keyring, "epoch-1")
    plan = planned(keyring, "epoch-1", crypto_erase=True)
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")
    destroy(home, keyring, plan, now=NOW)
    row = Subject.objects.get()
    assert (row.wrapped_key, row.erased_at) == (None, NOW)
    with pytest.raises(OpenError):
        keys.of("ps1:ann", now=NOW).unseal(value, here)  # who comes back has another key
    assert keys.roll(now=LATER).closed == 0


@pytest.mark.parametrize("crypto_erase", [True, False])
def test_what_is_destroyed_on_record_is_finished_as_it_was_approved(
    home: Path,
    keyring: Keyring,
    chain: Keychain,
    approvers: None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    crypto_erase: bool,
) -> None:
    """Killed after the entry is there: whatever hung on the key is gone, and the plan is still the approved one."""
    keys = SubjectKeys(keyring)
    for who in ("ps1:ann", "ps1:ben"):
        keys.of(who, now=NOW)
    make_key(keyring, "epoch", now=NOW)
    if not crypto_erase:
        Subject.objects.all().delete()
    plan = planned(keyring, "epoch-1", crypto_erase=crypto_erase)
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")
    with monkeypatch.context() as broken:
        broken.setattr(Keychain, "move", _break_off)
        with pytest.raises(OSError, match="power"):
            destroy(home, keyring, plan, now=NOW)
    assert "its destruction was interrupted" in strays(keyring)[0]
    again = planned(keyring, "epoch-1", crypto_erase=crypto_erase, now=LATER)
    assert (again.hash, dict(again.hanging)) == (plan.hash, {})
    assert destroy(home, keyring, again, now=LATER) == ("custodian-a", "custodian-b")
    assert chain.infos()[0].state is KeyState.DESTROYED
    assert strays(keyring) == []
    assert told("epoch") == ["created", "deactivated", "created", "destroyed"]


def test_the_keep_loop_ends_a_key_whose_destruction_was_cut_short(
    home: Path, keyring: Keyring, chain: Keychain, approvers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SubjectKeys(keyring)
    keys.of("ps1:ann", now=NOW)
    make_key(keyring, "epoch", now=NOW)
    plan = planned(keyring, "epoch-1", crypto_erase=True)
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")
    with monkeypatch.context() as broken:
        broken.setattr(Keychain, "move", _break_off)
        with pytest.raises(OSError, match="power"):
            destroy(home, keyring, plan, now=NOW)
    keys.roll(now=LATER)
    assert chain.infos()[0].state is KeyState.DESTROYED
    assert destroy(home, keyring, plan, now=LATER) == ("custodian-a", "custodian-b"), "somebody was faster"


def test_fields_of_the_company_count(keyring: Keyring, chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    chain.rotate("field", now=NOW)
    counted = {"shop.customer.card": Counter({(keyring.id, 1): 3, (keyring.id, 2): 4})}

    def plan(*, crypto_erase: bool = False) -> Any:
        return plan_destruction(
            keyring, "field-1", crypto_erase=crypto_erase, stores=["shop"], in_stores=counted, now=LATER
        )

    with pytest.raises(KeyRefused, match=r"field-1 is still needed: 3 in shop.customer.card"):
        plan()
    assert plan(crypto_erase=True).hanging == {"shop.customer.card": 3}
    assert plan(crypto_erase=True).hash != planned(keyring, "field-1", crypto_erase=True).hash


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("field-2", "field-2 is active and cannot be destroyed; rotate first: troth keys rotate field"),
        ("field-9", "there is no key 'field-9'; did you mean 'field-"),
        ("feild-1", "did you mean 'field-1'"),
        ("root", "cannot be destroyed: all pseudonyms and fingerprints depend on them"),
        ("field-0", "rewrap the root key instead"),
        ("epoch-1", "epoch-1 is destroyed and cannot be destroyed; it has been so since 2026-11-24"),
    ],
)
def test_a_key_that_cannot_be_destroyed_is_told_with_what_to_do(
    keyring: Keyring, chain: Keychain, name: str, message: str
) -> None:
    for purpose in ("field", "epoch"):
        chain.rotate(purpose, now=NOW)
        chain.rotate(purpose, now=NOW)
    chain.move("epoch-1", KeyState.DESTROYED, now=NOW)
    with pytest.raises(KeyRefused, match=message):
        planned(keyring, name)


def test_a_key_that_was_in_use_just_now_is_kept_for_who_is_slow(keyring: Keyring, chain: Keychain) -> None:
    chain.rotate("field", now=NOW)
    chain.rotate("field", now=NOW)
    with pytest.raises(KeyRefused, match="try again after 09:51 UTC"):
        planned(keyring, "field-1", now=NOW + EPOCH_GRACE / 2)
    assert planned(keyring, "field-1", now=LATER)


# --- approvers on record --------------------------------------------------------------------------------------------


def test_every_change_of_approvers_is_on_record(home: Path, keyring: Keyring, approvers: None) -> None:
    third = plan_approver(keyring, read_approvers(home, keyring), "custodian-c", WORDS["custodian-c"], now=NOW)
    with pytest.raises(ApprovalRefused, match="0 of 2"):
        change_approvers(home, keyring, third, now=NOW)
    approve(home, keyring, third.hash, "custodian-a", "custodian-b")
    assert change_approvers(home, keyring, third, now=NOW) == ("custodian-a", "custodian-b")
    gone = plan_no_approver(keyring, read_approvers(home, keyring), "custodian-a")
    approve(home, keyring, gone.hash, "custodian-a", "custodian-b")
    with pytest.raises(ApprovalRefused, match=r"1 of 2 approvals are given \(custodian-b\)"):
        change_approvers(home, keyring, gone, now=NOW)  # nobody approves that they go themselves
    approve(home, keyring, gone.hash, "custodian-c")
    change_approvers(home, keyring, gone, now=NOW)
    changes = [(str(it["change"]), "by" in it) for it in entries("approvers.changed")]
    assert changes == [("added", False), ("added", False), ("added", True), ("removed", True)]
    assert look_at_keys(home, keyring, now=NOW).approvers == ("custodian-b", "custodian-c")


def test_a_file_of_approvers_that_was_taken_away_is_noticed_and_told(
    home: Path, keyring: Keyring, approvers: None
) -> None:
    (home / "approvers.toml").unlink()
    [found] = look_at_keys(home, keyring, now=NOW).unsound
    assert found.startswith("approvers on record are custodian-a, custodian-b; approvers.toml has none")
    plan = plan_approver(keyring, (), "custodian-x", "six words for x", now=NOW)
    change_approvers(home, keyring, plan, now=NOW)
    assert [str(it["change"]) for it in entries("approvers.changed")] == [
        "added",
        "added",
        "removed",
        "removed",
        "added",
    ]


@pytest.mark.parametrize("cut", ["protect.files.put", "service.core.key_lifecycle.Approvals.use_up"])
def test_a_change_of_approvers_that_was_cut_short_is_gone_on_with(
    home: Path, keyring: Keyring, approvers: None, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    def third() -> Any:
        return plan_approver(keyring, read_approvers(home, keyring), "custodian-c", WORDS["custodian-c"], now=NOW)

    plan = third()
    approve(home, keyring, plan.hash, "custodian-a", "custodian-b")
    with monkeypatch.context() as broken:
        broken.setattr(f"troth.{cut}", _break_off)
        with pytest.raises(OSError, match="power"):
            change_approvers(home, keyring, plan, now=NOW)
    if cut == "protect.files.put":
        assert look_at_keys(home, keyring, now=NOW).unsound
        change_approvers(home, keyring, third(), now=NOW)
    assert look_at_keys(home, keyring, now=NOW).unsound == ()
    assert len(entries("approvers.changed")) == 3


def _break_off(*_: Any, **__: Any) -> None:
    raise OSError("power cut")

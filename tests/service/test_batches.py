"""Batches: acts are durable with their effects, exactly once, and each is proved by its entry without revealing it."""

from __future__ import annotations

import base64
import datetime as dt
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from tests.service.conftest import TestSigner

from troth.ledger import (
    BatchMember,
    Commitment,
    DeclaredName,
    Entry,
    EntryRefused,
    Pseudonym,
    receipt,
    verify_receipt,
)
from troth.protect import Keyring, OpenError, create_home
from troth.service.core import batches
from troth.service.core.batches import BatchRecorder, MemberUnknown
from troth.service.core.disposal import dispose
from troth.service.core.key_lifecycle import sealed_places
from troth.service.core.ledger import DatabaseLog, sequence
from troth.service.core.models import BatchMemberRow, EntryRow, Subject, Timestamp
from troth.service.core.resealing import reseal
from troth.service.core.subject_keys import SubjectKeys
from troth.service.database import may_pass

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
PERIOD = dt.timedelta(days=30)
ANN, BEN = Pseudonym("ps1:" + "a" * 32), Pseudonym("ps1:" + "b" * 32)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_home(tmp_path / "keys")
    return Keyring.open(tmp_path / "keys")


def new_recorder(keyring: Keyring, name: str = "newsletters") -> BatchRecorder:
    fields = {"what": DeclaredName(name)}
    return BatchRecorder(keyring, name, "batch.recorded", fields, keep_for=PERIOD, now=lambda: NOW)


@pytest.fixture
def recorder(database: str, keyring: Keyring) -> BatchRecorder:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (act varchar(80))")
    return new_recorder(keyring)


def leave(act: str) -> Callable[[], None]:
    """An effect: one more row with the id of the act. The table refuses nothing."""

    def effect() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect VALUES (%s)", [act])

    return effect


def effects() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT act FROM effect ORDER BY act")
        return [act for (act,) in cursor.fetchall()]


def stated(row: EntryRow) -> tuple[Commitment, int]:
    """Root and count in an entry."""
    fields: Mapping[str, Any] = Entry.decode(bytes(row.content)).fields
    return fields["root"], fields["count"]


def counts() -> list[int]:
    return [stated(row)[1] for row in EntryRow.objects.order_by("id")]


def together(recorder: BatchRecorder, given: Sequence[tuple[str, Callable[[], object]]]) -> dict[int, Any]:
    """What each call gets; the first is a group, and the others arrive meanwhile and are the next group."""
    got: dict[int, Any] = {}
    has_begun = threading.Event()

    def first_effect() -> None:
        has_begun.set()
        given[0][1]()
        while len(recorder._group._waiting) < len(given) - 1:
            time.sleep(0.001)

    def call(number: int) -> None:
        act, effect = given[number]
        try:
            got[number] = recorder.record(act, f"text of {act}", effect=effect if number else first_effect)
        except Exception as fault:  # noqa: BLE001 - the test compares it
            got[number] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(given))]
    threads[0].start()
    assert has_begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(60)
    return got


# --- proofs ---------------------------------------------------------------------------------------------------------


def test_each_act_of_a_group_is_proved_offline_by_its_entry(recorder: BatchRecorder, signer: TestSigner) -> None:
    acts = [f"act-{number}" for number in range(12)]
    together(recorder, [(act, leave(act)) for act in acts])
    assert (counts(), effects()) == ([1, 11], sorted(acts))
    sequence(signer, now=NOW)
    log = DatabaseLog(signer)
    for act in acts:
        leaf = recorder.entry(act).leaf
        assert leaf is not None
        proof, dumped = receipt(log, leaf, extra=log.entry_bytes(leaf)), recorder.member(act).dump()
        fields: Mapping[str, Any] = verify_receipt(
            proof, key=str(log.verifier), entry_bytes=log.entry_bytes(leaf)
        ).fields
        member = BatchMember.load(dumped)
        member.require(root=fields["root"], count=fields["count"])
        assert (member.opening.text, str(fields["what"])) == (f"text of {act}", "newsletters")


def test_each_row_holds_the_proof_of_its_own_act(recorder: BatchRecorder) -> None:
    acts = [f"act-{number}" for number in range(6)]
    got = together(recorder, [(act, leave(act)) for act in acts])
    for number, act in enumerate(acts):
        row, member = BatchMemberRow.objects.get(act=recorder._name(act)), recorder.member(act)
        assert got[number] == member
        assert (member.index, member.opening.text) == (row.index, f"text of {act}")


def test_a_member_of_another_batch_is_refused(recorder: BatchRecorder) -> None:
    first, second = (recorder.record(act, "yes", effect=leave(act)) for act in ("first", "second"))
    root, count = stated(recorder.entry("second"))
    second.require(root=root, count=count)
    with pytest.raises(EntryRefused, match="not a member"):
        first.require(root=root, count=count)
    BatchMemberRow.objects.filter(act=recorder._name("first")).delete()
    BatchMemberRow.objects.filter(act=recorder._name("second")).update(
        entry=EntryRow.objects.exclude(pk=recorder.entry("second").pk).get()
    )
    for read in (recorder.member, lambda act: recorder.record(act, "yes", effect=leave(act))):
        with pytest.raises(EntryRefused, match="not a member"):
            read("second")


def test_a_changed_act_is_refused(recorder: BatchRecorder) -> None:
    member = recorder.record("act", "yes", effect=leave("act"))
    root, count = stated(recorder.entry("act"))
    with pytest.raises(EntryRefused, match="not a member"):
        replace(member, opening=replace(member.opening, text="no")).require(root=root, count=count)


def test_a_row_that_was_moved_to_another_act_does_not_open(recorder: BatchRecorder) -> None:
    for act in ("first", "second"):
        recorder.record(act, "yes", effect=leave(act))
    first, second = BatchMemberRow.objects.order_by("id")
    BatchMemberRow.objects.filter(pk=second.pk).update(sealed=first.sealed)
    with pytest.raises(OpenError):
        recorder.member("second")
    assert recorder.member("first").opening.text == "yes"


def test_an_act_that_was_never_recorded_is_unknown(recorder: BatchRecorder) -> None:
    for read in (recorder.member, recorder.entry):
        with pytest.raises(MemberUnknown, match="never recorded, or is erased"):
            read("act")


# --- exactly once ---------------------------------------------------------------------------------------------------


def test_the_same_id_again_returns_the_first_member_and_runs_nothing(recorder: BatchRecorder, keyring: Keyring) -> None:
    first = recorder.record("act", "yes", effect=leave("act"))
    for again in (recorder, new_recorder(keyring)):
        assert again.record("act", "no", subject=ANN, effect=leave("act")) == first
    assert (effects(), counts(), Subject.objects.count()) == (["act"], [1], 0)


def test_the_same_id_under_another_name_is_another_act(recorder: BatchRecorder, keyring: Keyring) -> None:
    other = new_recorder(keyring, "submissions")
    first = recorder.record("act", "yes", effect=leave("act"))
    second = other.record("act", "no", effect=leave("act"))
    assert (first.opening.text, second.opening.text, effects()) == ("yes", "no", ["act", "act"])


def test_the_same_id_twice_in_a_group_is_one_act(recorder: BatchRecorder) -> None:
    got = together(recorder, [(act, leave(act)) for act in ("first", "same", "same", "other", "same", "first")])
    assert (counts(), effects()) == ([1, 2], ["first", "other", "same"])
    assert got[1] == got[2] == got[4]
    assert got[0] == got[5]


def test_an_answer_that_was_lost_after_the_commit_is_repeated(recorder: BatchRecorder, keyring: Keyring) -> None:
    class Lost(BatchRecorder):
        def _record_group(self, acts: Any) -> Any:
            super()._record_group(acts)
            raise OperationalError("the server closed the connection")

    lost = Lost(keyring, "newsletters", "batch.recorded", {"what": DeclaredName("x")}, keep_for=PERIOD, now=lambda: NOW)
    with pytest.raises(OperationalError):
        lost.record("act", "yes", effect=leave("act"))
    assert recorder.record("act", "yes", effect=leave("act")) == recorder.member("act")
    assert (effects(), counts()) == (["act"], [1])


@pytest.mark.parametrize("is_unique", [True, False])
def test_processes_that_record_the_same_acts_record_each_once(recorder: BatchRecorder, is_unique: bool) -> None:
    """Their recorders share no group. Both may run an effect at the same time, and one of them is rolled back."""

    def effect_of(act: str) -> Callable[[], None]:
        def effect() -> None:
            if is_unique:  # then the second effect fails first
                Timestamp.objects.create(name=act, at=NOW)
            leave(act)()
            time.sleep(0.002)

        return effect

    def work(number: int) -> None:
        own = new_recorder(recorder._keyring)
        acts = [f"act-{turn}" for turn in range(20)]
        for act in acts if number % 2 else acts[::-1]:
            assert own.record(act, f"text of {act}", effect=effect_of(act)).opening.text == f"text of {act}"

    children = [in_process(partial(work, number)) for number in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert effects() == sorted(f"act-{turn}" for turn in range(20))
    assert sum(counts()) == BatchMemberRow.objects.count() == 20


def in_process(work: Callable[[], object]) -> int:
    """Run *work* in a process of its own, with its own connection; the process's number."""
    connection.close()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


# --- all or nothing -------------------------------------------------------------------------------------------------


class Declined(Exception):
    """An effect's own error."""


def test_an_effect_that_fails_fails_only_its_own_act(recorder: BatchRecorder) -> None:
    def decline() -> None:
        leave("declined")()
        raise Declined

    def ask_wrongly() -> None:
        leave("wrong")()
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    given = [("first", leave("first")), ("declined", decline), ("good", leave("good")), ("wrong", ask_wrongly)]
    got = together(recorder, [*given, ("last", leave("last"))])
    assert isinstance(got[1], Declined)
    assert isinstance(got[3], DatabaseError)
    assert (counts(), effects()) == ([1, 2], ["first", "good", "last"])
    for act in ("first", "good", "last"):
        assert recorder.member(act).opening.text == f"text of {act}"
    with pytest.raises(MemberUnknown):
        recorder.member("declined")
    recorder.record("declined", "yes", effect=leave("declined"))
    assert "declined" in effects()


def test_a_group_of_failures_leaves_nothing(recorder: BatchRecorder) -> None:
    def decline() -> None:
        raise Declined

    with pytest.raises(Declined):
        recorder.record("act", "yes", subject=ANN, effect=decline)
    assert (counts(), BatchMemberRow.objects.count(), Subject.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize("step", ["record", "sealing_keys", "member_context"])
def test_an_error_before_the_commit_leaves_nothing(
    recorder: BatchRecorder, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("crashed")

    with monkeypatch.context() as patch:
        patch.setattr(batches, step, fail)
        with pytest.raises(RuntimeError, match="crashed"):
            recorder.record("act", "yes", subject=ANN, effect=leave("act"))
    assert (effects(), counts(), BatchMemberRow.objects.count(), Subject.objects.count()) == ([], [], 0, 0)
    recorder.record("act", "yes", subject=ANN, effect=leave("act"))
    assert (effects(), counts()) == (["act"], [1])


@pytest.mark.parametrize("own_error", [None, Declined()])
def test_a_lost_connection_is_raised_to_its_own_caller(recorder: BatchRecorder, own_error: Exception | None) -> None:
    def disconnect() -> None:
        leave("lost")()
        try:
            if connection.vendor != "postgresql":
                raise OperationalError("disk I/O error")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except OperationalError as lost:
            raise own_error or lost from None

    acts = ["first", "good", "lost", "last"]
    got = together(recorder, [(act, disconnect if act == "lost" else leave(act)) for act in acts])
    assert got[2] is own_error if own_error else may_pass(got[2])
    assert effects() == ["first", "good", "last"]
    for act in effects():
        assert recorder.member(act).opening.text == f"text of {act}"


def test_an_effect_that_fails_for_the_moment_is_retried_alone(recorder: BatchRecorder) -> None:
    faults = iter([OperationalError("deadlock detected")])

    def fail_once() -> None:
        leave("once")()
        if fault := next(faults, None):
            raise fault

    acts = ["first", "once", "last"]
    got = together(recorder, [(act, fail_once if act == "once" else leave(act)) for act in acts])
    assert [got[number].opening.text for number in range(3)] == [f"text of {act}" for act in acts]
    assert effects() == ["first", "last", "once"]


def test_recording_inside_a_transaction_is_refused(recorder: BatchRecorder) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of transactions"):
        recorder.record("act", "yes", effect=leave("act"))
    assert counts() == []


def test_what_was_acknowledged_survives_a_kill_with_its_effect(recorder: BatchRecorder) -> None:
    chance, acknowledged = random.Random(20261124), set[str]()
    for death in range(4):
        acknowledged |= set(until_killed(recorder, death, chance.uniform(0.2, 0.5)))
    assert acknowledged, "no process lived long enough to record an act"
    stored = effects()
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored)) == sum(counts()) == BatchMemberRow.objects.count()
    for act in stored:
        assert recorder.member(act).opening.text == "yes"


def until_killed(recorder: BatchRecorder, death: int, after_s: float) -> Iterator[str]:
    """Acts that a process with several threads acknowledged before it was killed."""
    readable, writable = os.pipe()

    def record_forever(thread: int) -> None:
        own, number = recorder, 0
        while number := number + 1:
            act = f"{death}-{thread}-{number}"
            own.record(act, "yes", subject=ANN if thread else None, effect=leave(act))
            os.write(writable, f"{act}\n".encode())

    def work() -> None:
        threads = [threading.Thread(target=record_forever, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    child = in_process(work)
    os.close(writable)
    time.sleep(after_s)  # the moment is the experiment; no outcome depends on it
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(readable, "rb") as lines:
        yield from (line.decode() for line in lines.read().split(b"\n")[:-1])


# --- people ---------------------------------------------------------------------------------------------------------


def stored_bytes() -> bytes:
    """Every value of every row of Troth's tables."""
    values = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values += [value for row in cursor.fetchall() for value in row]
    return b"|".join(bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in values)


@pytest.mark.parametrize("subject", [ANN, None])
def test_neither_text_nor_salt_nor_id_is_stored_in_clear(recorder: BatchRecorder, subject: Pseudonym | None) -> None:
    act, text = "ann@example.org 2026-11-24", "Ann agrees to the newsletter"
    member = recorder.record(act, text, subject=subject, effect=lambda: None)
    salt, stored = member.opening.salt, stored_bytes()
    assert b"batch.recorded" in stored
    hidden = [text.encode(), act.encode(), salt, salt.hex().encode(), base64.b64encode(salt), member.dump()]
    assert [value for value in hidden if value in stored] == []
    assert text not in repr(member)
    assert salt.hex() not in repr(member)


def test_erasing_a_person_erases_the_member_and_leaves_the_entry_and_the_others(
    recorder: BatchRecorder, keyring: Keyring, signer: TestSigner
) -> None:
    ids = ["ann", "ben", "nobody"]
    for act, subject in zip(ids, (ANN, BEN, None), strict=True):
        recorder.record(act, f"text of {act}", subject=subject, effect=leave(act))
    before = list(EntryRow.objects.order_by("id").values_list("content", flat=True))
    with transaction.atomic():
        SubjectKeys(keyring).erase([str(ANN)], now=NOW)
    with pytest.raises(MemberUnknown):
        recorder.member("ann")
    assert [recorder.member(act).opening.text for act in ids[1:]] == ["text of ben", "text of nobody"]
    assert list(EntryRow.objects.order_by("id").values_list("content", flat=True)) == before
    sequence(signer, now=NOW)
    DatabaseLog(signer).verify()


def test_members_go_at_the_end_of_their_period(recorder: BatchRecorder) -> None:
    recorder.record("act", "yes", effect=leave("act"))
    assert dispose(NOW + PERIOD)["troth_acts"] == 0
    assert dispose(NOW + PERIOD + dt.timedelta(days=2))["troth_acts"] == 1
    with pytest.raises(MemberUnknown):
        recorder.member("act")
    assert counts() == [1]


def test_members_open_after_the_field_keys_were_rotated(recorder: BatchRecorder, keyring: Keyring) -> None:
    for act, subject in (("ann", ANN), ("nobody", None)):
        recorder.record(act, "yes", subject=subject, effect=leave(act))
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)
    resealed = reseal(keyring, sealed_places())
    assert (resealed.done, resealed.closed) == (1, 0)
    assert [recorder.member(act).opening.text for act in ("ann", "nobody")] == ["yes", "yes"]

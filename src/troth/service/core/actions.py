"""Operations on one person's data or many, with everything that must be recorded.

Access is recorded before anything is shown (clause C14); execution goes through the journal, leaves tombstones and
respects legal holds; `resume_all` finishes runs that a crash interrupted.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from django.db import Error, transaction

from troth.declaration import Declaration, SecretMissing
from troth.errors import TrothError
from troth.ledger import DeclaredName, Entry
from troth.protect import Keyring
from troth.rows import Run, RunInterrupted
from troth.service.configuration import ServiceError
from troth.service.core.holds import in_force
from troth.service.core.journal import DatabaseJournal, receipts_of
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import record, sequence_if_sound
from troth.service.core.models import RunRow
from troth.stores import Store, StoreError, open_system
from troth.subjects import (
    AmendmentPlan,
    ErasurePlan,
    HoldScope,
    Identity,
    Located,
    NotApproved,
    Receipt,
    View,
    carry_out,
    references,
    resume,
)

Resumed = tuple[str, str]
"""A run's id, and the result of resuming it: ``finished``, or what prevents it."""


def now() -> dt.datetime:
    """Current time of this machine, timezone-aware."""
    return dt.datetime.now(dt.UTC)


def holds_on(located: Located, keyring: Keyring, *, at: dt.datetime) -> list[HoldScope]:
    """Legal holds in force that may concern the located subjects."""
    names = [
        {str(whole), *(str(part) for part in references(_each_identifier(identity), keyring))}
        for identity, whole in zip(located.identities, references(located.identities, keyring), strict=True)
    ]
    return _holds(names, at)


def _each_identifier(identity: Identity) -> list[Identity]:
    """A hold may name a person by one identifier, a request by several."""
    return [Identity((one,)) for one in identity.identifiers]


def _holds(subjects: Sequence[Collection[str]], at: dt.datetime) -> list[HoldScope]:
    holds = []
    for hold in (one for one in in_force(at) if not one.is_provisional):
        indices = tuple(index for index, names in enumerate(subjects) if hold.subject in names)
        if hold.subject is None or indices:
            places = (hold.scope,) if hold.scope is not None else ()
            holds.append(HoldScope(f"a legal hold applies ({hold.matter})", hold.citation, places, indices))
    return holds


def record_views(
    located: Located, views: Sequence[View], keyring: Keyring, declaration: Declaration, *, purpose: str
) -> None:
    """Record access to these subjects' data, durably. Call it before anything is shown (clauses C12, C14)."""
    at = now()
    entries = view_entries(located, views, keyring, purpose=purpose, at=at)
    with transaction.atomic(durable=True):
        record(*entries)
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=at)


def view_entries(
    located: Located, views: Sequence[View], keyring: Keyring, *, purpose: str, at: dt.datetime, actor: str = "owner"
) -> list[Entry]:
    """Ledger entries for access to these subjects' data, in order."""
    return [
        Entry(
            "subject.viewed",
            at,
            {
                "subject": subject,
                "actor": actor,
                "purpose": DeclaredName(purpose),
                "systems": len({table.place.partition(".")[0] for table in view.tables}),
                "tables": len(view.tables),
                "rows": sum(len(table.rows) for table in view.tables),
            },
        )
        for subject, view in zip(references(located.identities, keyring), views, strict=True)
    ]


def act(
    plan: ErasurePlan | AmendmentPlan,
    stores: Mapping[str, Store],
    *,
    approved: str,
    declaration: Declaration,
    keyring: Keyring,
    progress: Callable[[str], None] | None = None,
    run_id: str | None = None,
) -> dict[int, Receipt]:
    """Carry out an approved plan and record it. Returns the receipts by the ids of their entries' rows. Raises as
    `troth.subjects.carry_out` does; `receipts_of` then returns those of the subjects that were finished."""
    journal = DatabaseJournal(keyring)
    name = run_id or secrets.token_hex(8)
    try:
        carry_out(
            plan,
            stores,
            approved=approved,
            declaration_hash=declaration.hash,
            keyring=keyring,
            journal=journal,
            now=now,
            progress=progress,
            run_id=name,
        )
    except NotApproved as refused:
        done = RunRow.objects.filter(plan_hash=approved, finished_at__isnull=False).order_by("-finished_at").first()
        if done is None or done.finished_at is None:
            raise
        at = f"{done.finished_at:%Y-%m-%d %H:%M} UTC, by run {done.run_id}"
        raise NotApproved(f"the plan of that hash was carried out on {at}; make a new plan") from refused
    except RunInterrupted as interrupted:
        journal.let_go(interrupted.run_id)
        raise
    except Exception:
        if run_id is not None:  # else this is a command, and ends
            _let_go(journal, run_id)
        raise
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=now())
    receipts = receipts_of(name)
    assert receipts is not None, "the run is finished"
    return receipts


class InOtherHands(ServiceError):
    """Another process is carrying out the run."""

    retryable = True


def act_again(
    run_id: str, stores: Mapping[str, Store], *, declaration: Declaration, keyring: Keyring
) -> dict[int, Receipt] | None:
    """Finish the run *run_id*, if it was begun. Returns its receipts like `act`, also if it had been finished before,
    by whichever process; None if it was never begun.

    Raises `InOtherHands`, and as `troth.subjects.resume` does.
    """
    if not RunRow.objects.filter(run_id=run_id, finished_at__isnull=True).exists():
        return receipts_of(run_id)
    journal = DatabaseJournal(keyring)
    run = journal.take_up_one(run_id)
    if run is None:
        raise InOtherHands(f"another process is carrying out run {run_id}")
    try:
        _resumed(run, stores, keyring, journal)
    except Exception:
        _let_go(journal, run_id)
        raise
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=now())
    return receipts_of(run_id)


def _let_go(journal: DatabaseJournal, run_id: str) -> None:
    with contextlib.suppress(Error):  # while our own database is away, this process keeps the run, and may claim it
        journal.let_go(run_id)


def _resumed(run: Run, stores: Mapping[str, Store], keyring: Keyring, journal: DatabaseJournal) -> None:
    resume(
        run,
        stores,
        keyring=keyring,
        journal=journal,
        now=now,
        holds=lambda subjects: _holds([{subject} for subject in subjects], now()),
    )


def resume_one(run: Run, declaration: Declaration, keyring: Keyring) -> None:
    """Finish *run*, which this process has, under the current legal holds. Raises as `troth.subjects.resume` does."""
    with _stores(declaration) as stores:
        _resumed(run, stores, keyring, DatabaseJournal(keyring))
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=now())


def resume_all(declaration: Declaration, keyring: Keyring) -> list[Resumed]:
    """Resume every run whose process is gone, under the current legal holds.

    A run that cannot finish now (its store is still unavailable) stays for the next time and blocks no other.
    """
    journal = DatabaseJournal(keyring)
    resumed = []
    for run in journal.take_up():
        try:
            resume_one(run, declaration, keyring)
            resumed.append((run.id, "finished"))
        except TrothError as cause:
            journal.let_go(run.id)
            resumed.append((run.id, str(cause)))
    return resumed


@contextlib.contextmanager
def _stores(declaration: Declaration) -> Iterator[Mapping[str, Store]]:
    """The stores that can be opened; a run that needs another reports that."""
    with contextlib.ExitStack() as opened:
        stores = {}
        for name, system in declaration.systems.items():
            with contextlib.suppress(SecretMissing, StoreError):
                stores[name] = open_system(name, system, os.environ)
                opened.callback(stores[name].close)
        yield stores

"""Records small acts durably at high rates: concurrent acts share one commit and one ledger entry.

The entry holds the number of acts and a root over salted commitments to them (`troth.ledger.Batch`). Each act keeps a
sealed proof that it is a member of that batch. Without the proof, nothing connects the entry with the act.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction

from troth.ledger import Batch, BatchMember, Commitment, Entry, EntryRefused, LedgerError, Opening, Pseudonym, Value
from troth.protect import Keyring, OpenError, SealingContext
from troth.service.configuration import ServiceError
from troth.service.core.group_commit import GroupCommit
from troth.service.core.ledger import record
from troth.service.core.models import BatchMemberRow, EntryRow
from troth.service.core.subject_keys import sealing_keys
from troth.service.database import may_pass


class MemberUnknown(ServiceError):
    """No member is stored for the act: never recorded, erased with its subject, or past its period."""


@dataclass(frozen=True, slots=True)
class _Act:
    """An act to record; *name* is the pseudonym of the caller's id."""

    name: str
    opening: Opening
    subject: Pseudonym | None
    effect: Callable[[], object] = field(repr=False)


class BatchRecorder:
    """Records acts in entries of *kind*, which must have the fields ``count`` and ``root``; each entry also gets
    *fields*. A member is kept for *keep_for*. Ids of acts are unique within *name*, which must never change.

    Create one for each *name* in a process, and share it: it is safe for several threads, each with its own connection,
    and beside other processes. Only outside transactions, because a rollback would undo what was promised.
    """

    def __init__(
        self,
        keyring: Keyring,
        name: str,
        kind: str,
        fields: Mapping[str, Value],
        *,
        keep_for: dt.timedelta,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._keyring, self._domain, self._kind, self._fields = keyring, f"act {name}", kind, dict(fields)
        self._keep_for, self._now = keep_for, now
        self._group = GroupCommit(self._record_group)

    def record(
        self, act: str, text: str, *, subject: Pseudonym | None = None, effect: Callable[[], object]
    ) -> BatchMember:
        """Record the act with the id *act* and its *effect* on Troth's database; the proof that it is in its batch.

        On return both are durable, in one transaction with the entry. *text* says what was done. It is sealed under the
        key of *subject*, and erased with it; without a subject, under the field key.

        While its member is stored, an act is recorded exactly once: the same id again returns the first member, from
        whatever process, and runs nothing. So repeat a call whose outcome is unknown.

        *effect* runs in a savepoint. What it raises is raised here, nothing of this act is recorded, and the other acts
        of the group are not affected. It may run in another caller's thread, and again after a rollback; so it should
        touch nothing but Troth's database.

        While the database is away: Django's ``OperationalError`` or ``InterfaceError``, as `database.may_pass` says.
        For a repeated act it raises `OpenError` and `EntryRefused` as `member` does.
        """
        if connection.in_atomic_block:
            raise RuntimeError("record acts outside of transactions: they must not be rolled back")
        return self._group.run(_Act(self._name(act), Opening(f"{self._kind}/root", text), subject, effect))

    def member(self, act: str) -> BatchMember:
        """The member of the act with the id *act*, verified against its entry. Raises `MemberUnknown`, `OpenError` if
        its row was changed, and `EntryRefused` if the entry is not the one that it belongs to."""
        return self._opened(self._row(act))

    def entry(self, act: str) -> EntryRow:
        """The ledger entry of the batch of the act with the id *act*. Raises `MemberUnknown`."""
        return self._row(act).entry

    def _name(self, act: str) -> str:
        return str(self._keyring.pseudonym(self._domain, act))

    # --- a group ----------------------------------------------------------------------------------------------------

    def _record_group(self, acts: Sequence[_Act]) -> Sequence[BatchMember | Exception]:
        try:
            return self._commit(acts)
        except IntegrityError:  # another process has committed one of these acts meanwhile
            return self._commit(acts)

    def _commit(self, acts: Sequence[_Act]) -> Sequence[BatchMember | Exception]:
        faults: dict[str, BatchMember | Exception] = {}
        done: dict[str, _Act] = {}
        with transaction.atomic(durable=True):
            results = self._stored({act.name for act in acts})
            for act in acts:
                if act.name in results or act.name in done:
                    continue
                try:
                    with transaction.atomic():
                        act.effect()
                except Exception as fault:
                    if transaction.get_rollback() or may_pass(fault):
                        raise  # the fault may not be this act's: each retries alone
                    faults[act.name] = fault
                else:
                    done[act.name] = act
            results |= self._store(list(done.values()))
            if faults:  # an effect may fail because another process has recorded the act meanwhile
                results = faults | self._stored(faults.keys()) | results
        return [results[act.name] for act in acts]

    def _store(self, acts: Sequence[_Act]) -> Mapping[str, BatchMember]:
        """Store the entry and the sealed members of *acts*, in the open transaction."""
        if not acts:
            return {}
        now, batch = self._now(), Batch([act.opening for act in acts])
        [entry] = record(Entry(self._kind, now, {**self._fields, "count": batch.count, "root": batch.root}))
        keys = sealing_keys(self._keyring, (act.subject for act in acts), now=now)
        members, rows = {}, []
        for index, act in enumerate(acts):
            members[act.name] = member = batch.member(index)
            subject, keyring = keys[act.subject]
            sealed = keyring.seal(member.dump(), member_context(act.name))
            values = {"subject_id": subject, "sealed": sealed, "until": now + self._keep_for}
            rows.append(BatchMemberRow(act=act.name, entry=entry, index=index, **values))
        # in one global order: processes with the same acts wait for each other, without deadlock
        BatchMemberRow.objects.bulk_create(sorted(rows, key=lambda row: row.act))
        return members

    # --- stored members ---------------------------------------------------------------------------------------------

    def _row(self, act: str) -> BatchMemberRow:
        rows = BatchMemberRow.objects.select_related("entry", "subject")
        row: BatchMemberRow | None = rows.filter(act=self._name(act)).first()
        if row is None:
            raise MemberUnknown("no member of a batch is stored for this act: it was never recorded, or is erased")
        return row

    def _stored(self, names: Collection[str]) -> dict[str, BatchMember | Exception]:
        """The members that are stored for acts, or what keeps them from opening."""
        results: dict[str, BatchMember | Exception] = {}
        for row in BatchMemberRow.objects.select_related("entry", "subject").filter(act__in=names):
            try:
                results[row.act] = self._opened(row)
            except (LedgerError, OpenError) as closed:
                results[row.act] = closed
        return results

    def _opened(self, row: BatchMemberRow) -> BatchMember:
        subject, keyring = row.subject, self._keyring
        if subject is not None:
            keyring = keyring.open_key(bytes(subject.wrapped_key or b""), subject.pseudonym)
        member = BatchMember.load(keyring.unseal(bytes(row.sealed), member_context(row.act)))
        stated = Entry.decode(bytes(row.entry.content)).fields
        root, count = stated.get("root"), stated.get("count")
        if not isinstance(root, Commitment) or not isinstance(count, int):
            raise EntryRefused("the entry that this member refers to is not that of a batch")
        member.require(root=root, count=count)
        return member


def member_context(act: str) -> SealingContext:
    """Sealing context of the member of an act."""
    return SealingContext(domain="core", table="core_batch_member", field="sealed", subject=act)

"""Controls of the lower packages: declaration, ledger, keys, recipients."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from troth.controls.model import CheckOutcome, ControlFinding, Evidence
from troth.controls.papers import Paper, look_up, names_file
from troth.controls.result import ControlResult, answers
from troth.declaration import Basis, Declaration, Recipient, Sharing, covers
from troth.law.places import FREE_FLOW
from troth.ledger import (
    CLOCK_SLACK,
    LedgerBroken,
    LedgerError,
    Log,
    NoteRefused,
    Quorum,
    Witness,
    latest_moment,
    require_begins_with,
    signed_in,
)
from troth.protect import Inventory, KeyInfo, Keyring, KeyState, field_zero, seals_until, standing
from troth.text import counted

WITNESSED_HOURS = 24
"""Maximum age of a cosignature. `troth keep` requests one every few minutes if something was recorded, and at least
twice a day."""
_APPROVERS_NEEDED = 2
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
_RESEALED_WITHIN = dt.timedelta(days=30)


def _evidence(
    what: str, size: int, *, tested: int | None = None, period: tuple[dt.datetime, dt.datetime] | None = None
) -> Evidence:
    """Evidence about *what*: by default all of it, as it is now."""
    looked = frozenset({what})
    return Evidence(looked, looked, population=size, tested=size if tested is None else tested, period=period)


# --- declaration ------------------------------------------------------------------------------------------------------


@answers("declaration.complete")
def declaration_complete(declaration: Declaration) -> ControlResult:
    """GDPR Art. 5(2), 30(1), 35: every declared field has a purpose with its basis and a period; recipients receive
    only data that has a purpose; a named impact assessment is there. Purposes of Troth's own records, which hold
    whatever people write, count for these alone."""
    fields = list(_fields(declaration))
    ours = _only_troths(declaration)
    every = [broad for purpose in declaration.purposes.values() for broad in purpose.data]
    purposes = [broad for name, it in declaration.purposes.items() if name not in ours for broad in it.data]
    without_purpose = [
        ControlFinding(place, f"no purpose uses {category}", "declare the purpose that needs it, or stop storing it")
        for place, category in fields
        for known in [every if declaration.systems[place.partition(".")[0]].is_troths else purposes]
        if not any(covers(broad, category) for broad in known)
    ]
    tables = [
        f"{system}.{name}"
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
        if table.fields
    ]
    without_period = [
        ControlFinding(table, "how long its rows are kept is not declared", "add a retention rule")
        for table in tables
        if not _has_period(declaration, table, frozenset())
    ]
    without_period += [
        ControlFinding(
            f"{name}.asked", "how long it keeps its data is not declared", "declare 'retain', as agreed with it"
        )
        for name, system in declaration.systems.items()
        if system.asked and system.asked.holds and not system.asked.retain
    ]
    others = [
        *_without_interests(declaration),
        *_unassessed(declaration),
        *_received_without_purpose(declaration, purposes),
    ]
    findings = (*without_purpose, *without_period, *others)
    if not fields:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No personal data is declared.", _evidence("declaration", 0))
    return ControlResult.of(
        f"{counted(len(fields), 'field')} in {counted(len(tables), 'table')}: "
        f"{len(without_purpose)} without a purpose, "
        f"{counted(len(without_period), 'place')} without a period, {counted(len(others), 'other gap')}.",
        evidence=_evidence("declaration", len(fields)),
        figures={
            "fields": len(fields),
            "without purpose": len(without_purpose),
            "places without period": len(without_period),
            "other gaps": len(others),
        },
        findings=findings,
    )


def _only_troths(declaration: Declaration) -> set[str]:
    """Purposes that no system but Troth's own serves."""
    systems = declaration.systems.values()
    others = {name for system in systems if not system.is_troths for name in system.purposes}
    return {name for system in systems if system.is_troths for name in system.purposes} - others


def _fields(declaration: Declaration) -> Iterator[tuple[str, str]]:
    for system_name, system in declaration.systems.items():
        for table_name, table in system.tables.items():
            for column, use in table.fields.items():
                yield f"{system_name}.{table_name}.{column}", use.category
        for held, category in system.asked.holds.items() if system.asked else ():
            yield f"{system_name}.{held}", category


def _has_period(declaration: Declaration, place: str, seen: frozenset[str]) -> bool:
    """Whether the rows of ``system.table`` have a retention period: their own, or that of the row they belong to."""
    table = declaration.table_at(place)
    if table is None or place in seen:
        return False
    if any(rule.table == place for rule in declaration.retention.values()) or (table.keep and table.keep.for_):
        return True
    owners = [
        f"{reference.system or place.partition('.')[0]}.{reference.table}" for reference in table.belongs_to.values()
    ]
    return any(_has_period(declaration, owner, seen | {place}) for owner in owners)


def _without_interests(declaration: Declaration) -> Iterator[ControlFinding]:
    for name, purpose in declaration.purposes.items():
        if purpose.basis is Basis.LEGITIMATE_INTERESTS and not purpose.interests:
            yield ControlFinding(
                f"purposes.{name}", "the legitimate interests are not declared", "declare them (GDPR 13(1)(d))"
            )


def _unassessed(declaration: Declaration) -> Iterator[ControlFinding]:
    for name, purpose in declaration.purposes.items():
        named = purpose.risk.assessment if purpose.risk else None
        fault = look_up(named.file, declaration.folder).fault if named else ""
        if fault:
            yield ControlFinding(
                f"purposes.{name}",
                f"the file of its impact assessment {fault}",
                "put the paper there, or name its file",
            )


def _received_without_purpose(declaration: Declaration, purposes: list[str]) -> Iterator[ControlFinding]:
    for name, recipient in declaration.recipients.items():
        if not recipient.receives:
            yield ControlFinding(f"recipients.{name}", "what it receives is not declared", "declare 'receives'")
        for category in recipient.receives:
            # For a recipient of user.contact, a purpose of user.contact.email covers part of the data: that is enough.
            if not any(covers(broad, category) or covers(category, broad) for broad in purposes):
                yield ControlFinding(
                    f"recipients.{name}", f"receives {category}, which has no purpose", "declare the purpose"
                )


# --- ledger -----------------------------------------------------------------------------------------------------------


@answers("ledger.intact")
def ledger_intact(
    declaration: Declaration,
    log: Log,
    now: dt.datetime,
    contradicted: Callable[[], Iterable[ControlFinding]] = tuple,
) -> ControlResult:
    """GDPR Art. 5(2): every entry still matches the tree and the last signed checkpoint, the ledger begins with what
    outsiders cosigned, no entry is dated in the future, and the statuses and outcomes in our rows match the entries.

    Our own checkpoint shows nothing against whoever holds our keys: unless the declared outsiders have lately cosigned
    one, the question stays open.
    """
    size = log.size
    evidence, figures = _evidence("ledger", size, period=_begun(log, now)), {"entries": size}
    try:
        log.verify()
        if note := log.cosigned():
            require_begins_with(log, signed_in(note, log.verifier), "the cosigned checkpoint")
    except LedgerBroken as broken:
        finding = ControlFinding(
            f"leaf {broken.leaf}", str(broken), "do not change the files, and compare them with a copy"
        )
        summary = f"The ledger of {counted(size, 'entry', 'entries')} does not verify."
        evidence = _evidence("ledger", size, tested=min(broken.leaf, size))
        return ControlResult.of(summary, evidence=evidence, figures=figures, findings=[finding])
    if not size:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "The ledger has no entries yet.", evidence, figures)
    latest = latest_moment(log)
    if latest is not None and latest - now > CLOCK_SLACK:
        message = f"an entry is dated {latest:%Y-%m-%d %H:%M} UTC, and the clock shows {now:%Y-%m-%d %H:%M}"
        clock = ControlFinding(
            "clock", message, "fix the clock: it was set back, or was ahead when the entry was recorded"
        )
        summary = f"{counted(size, 'entry', 'entries')} verified, but the clock that dates them is wrong."
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures, (clock,))
    differ = list(contradicted())
    told = f"; the database contradicts them about {counted(len(differ), 'thing')}" if differ else ""
    summary = f"{counted(size, 'entry', 'entries')} verified{told}."
    figures |= {"contradicted": len(differ)}
    witnessed = _witnessed(declaration, log, now)
    if isinstance(witnessed, ControlFinding) and not differ:
        summary = f"{summary} Only we hold a recent checkpoint of it: {witnessed.message}."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, figures=figures, findings=differ)


def _begun(log: Log, now: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
    """The period from the first entry to now."""
    try:
        return (min(log.entry(0).at, now), now) if log.size else None
    except LedgerError:  # the verification reports it
        return None


@dataclass(frozen=True, slots=True)
class _Witnessed:
    """The newest cosigned checkpoint: of how many entries, by how many witnesses, and how old it is."""

    size: int
    witnesses: int
    hours: int


def _witnessed(declaration: Declaration, log: Log, now: dt.datetime) -> _Witnessed | ControlFinding:
    """What outsiders vouch for; otherwise why they do not, or not for what is older than `WITNESSED_HOURS`."""
    declared, fix = declaration.ledger, "see the log of troth keep for the answers of the witnesses"
    if declared is None or not declared.witnesses:
        return ControlFinding("ledger", "no witness is declared", "declare one or more under ledger.witnesses")
    witnesses = tuple(Witness.parse(witness.key) for witness in declared.witnesses)
    needed = declared.quorum or len(witnesses)
    note = log.cosigned()
    try:
        if note is None:
            raise NoteRefused("no witness has cosigned yet")
        signed = signed_in(note, log.verifier)
        cosigned = Quorum(witnesses, needed).require(note)
        require_begins_with(log, signed, "the cosigned checkpoint")
    except LedgerError as refused:
        return ControlFinding("ledger", str(refused), fix)
    # One that is dated ahead would count for ever.
    dated = sorted((each.at for each in cosigned if each.at - now <= CLOCK_SLACK), reverse=True)
    if len(dated) < needed:
        return ControlFinding("ledger", "a cosignature is dated in the future", "fix the clock, here or there")
    hours = int((now - dated[needed - 1]).total_seconds() // 3600)
    if hours >= WITNESSED_HOURS:
        return ControlFinding("ledger", f"the last cosignature is {hours} hours old", fix)
    if signed.size < log.size and now - log.entry(signed.size).at >= dt.timedelta(hours=WITNESSED_HOURS):
        return ControlFinding("ledger", "entries of more than a day ago are not cosigned", fix)
    return _Witnessed(signed.size, len(cosigned), hours)


@answers("ledger.witnessed")
def ledger_witnessed(declaration: Declaration, log: Log, now: dt.datetime) -> ControlResult:
    """GDPR Art. 5(2): the declared outsiders have recently cosigned a checkpoint with which the ledger still begins."""
    size, period = log.size, (now - dt.timedelta(hours=WITNESSED_HOURS), now)
    evidence, figures = _evidence("ledger", size, tested=0, period=period), {"entries": size}
    if not size:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "The ledger has no entries yet.", evidence)
    witnessed = _witnessed(declaration, log, now)
    if isinstance(witnessed, ControlFinding):
        summary = f"The ledger of {counted(size, 'entry', 'entries')} is not cosigned as declared within a day."
        return ControlResult.of(summary, evidence=evidence, figures=figures, findings=[witnessed])
    return ControlResult.of(
        f"{counted(witnessed.witnesses, 'witness', 'witnesses')} cosigned {witnessed.size} of "
        f"{counted(size, 'entry', 'entries')}, {counted(witnessed.hours, 'hour')} ago.",
        evidence=_evidence("ledger", size, tested=witnessed.size, period=period),
        figures={
            **figures,
            "vouched for": witnessed.size,
            "witnesses": witnessed.witnesses,
            "hours": witnessed.hours,
        },
    )


# --- keys -------------------------------------------------------------------------------------------------------------


@answers("protect.keys_current")
def keys_current(
    declaration: Declaration, keyring: Keyring, keys: Callable[[], Inventory], log: Log, now: dt.datetime
) -> ControlResult:
    """NIST SP 800-57: every key below the root is within its cryptoperiod, and so is the root key if values are sealed
    under a key derived from it, counted from its entry in the ledger. What a replaced key sealed in Troth's database is
    sealed anew within a month. The registry lists all of them and none as destroyed, none is compromised, and if one is
    due to be destroyed, two approvers exist.

    The root key is never replaced: once it is older than the period of the others, nobody can say that "our keys" are
    replaced within it, and the question stays open."""
    made = _made(keyring, log)
    if made is None:
        return ControlResult(
            CheckOutcome.ERROR, "The ledger does not record when the root key was made; `troth keep` notes it."
        )
    found = keys()
    infos = [one.info for one in found.keys if one.info.number and one.info.state is not KeyState.DESTROYED]
    zero = field_zero(keyring.id, made, infos)
    there = [*([zero] if zero.state.seals else []), *infos]
    lasts = declaration.cryptoperiods.field_lasts
    overdue = [*_overdue(there, lasts, now), *_left_under(found, lasts, now)]
    unsound = [*_compromised(there), *_dated_ahead([("root", made), *_dates(infos)], now), *_contradicted(found)]
    unsound += _without_approvers(there, found.approvers)
    states = Counter(str(info.state) for info in there)
    is_old, days = now - made >= lasts, (now - made).days
    note = f" The root key is {counted(days, 'day')} old, and is never replaced." if is_old else ""
    answer = ControlResult.of(
        f"{counted(len(there), 'key')} below the root key, {len(overdue)} past their period; "
        f"{counted(len(unsound), 'other fault')}, {counted(len(found.approvers), 'approver')}.{note}",
        evidence=_evidence("keys", len(there)),
        figures={
            "keys": len(there),
            "overdue": len(overdue),
            "other faults": len(unsound),
            "approvers": len(found.approvers),
            "days of the root key": days,
            **states,
        },
        findings=[*overdue, *unsound],
    )
    return replace(answer, outcome=CheckOutcome.NOT_APPLICABLE) if is_old and not answer.findings else answer


def _left_under(inventory: Inventory, lasts: dt.timedelta, now: dt.datetime) -> Iterator[ControlFinding]:
    """Field keys that were replaced more than a month ago, and still open values of Troth's own database."""
    for key in inventory.keys:
        end = seals_until(key.info, field=lasts)
        is_replaced = key.info.purpose == "field" and key.info.state is KeyState.DEACTIVATED
        if is_replaced and key.hanging and end is not None and now - end > _RESEALED_WITHIN:
            message = f"it was replaced on {end:%Y-%m-%d}, and {counted(key.hanging, 'value')} still need it"
            yield ControlFinding(key.info.name, message, "finish it: troth keys rotate field")


def _overdue(there: Sequence[KeyInfo], lasts: dt.timedelta, now: dt.datetime) -> Iterator[ControlFinding]:
    for info in there:
        stands = standing(info, None, now=now, field=lasts)
        told_below = info.state is KeyState.COMPROMISED or max(info.since.values()) - now > _CLOCKS_DIFFER
        if stands.overdue and not told_below:
            yield ControlFinding(info.name, "its period is over", stands.due.partition(": ")[2])


def _compromised(there: Sequence[KeyInfo]) -> Iterator[ControlFinding]:
    for info in there:
        if info.state is KeyState.COMPROMISED:
            fix = f"troth keys rotate {info.purpose}, then: troth keys destroy {info.name}"
            yield ControlFinding(info.name, "it is compromised, and not destroyed yet", fix)


def _dates(infos: Sequence[KeyInfo]) -> Iterator[tuple[str, dt.datetime]]:
    return ((info.name, max(info.since.values())) for info in infos)


def _dated_ahead(dates: Sequence[tuple[str, dt.datetime]], now: dt.datetime) -> Iterator[ControlFinding]:
    for name, at in dates:
        if at - now > _CLOCKS_DIFFER:
            yield ControlFinding(
                name, f"it is dated {at:%Y-%m-%d %H:%M} UTC, in the future", "set the machine's clock right"
            )


def _contradicted(inventory: Inventory) -> Iterator[ControlFinding]:
    for fault in inventory.unsound:
        told, _, fix = fault.rpartition("; ")
        yield ControlFinding("keys", told, fix)


def _without_approvers(there: Sequence[KeyInfo], approvers: Sequence[str]) -> Iterator[ControlFinding]:
    """Destroying an inactive field key takes two approvers; none are needed before there is such a key."""
    waiting = [info for info in there if info.purpose == "field" and info.state.may_become(KeyState.DESTROYED)]
    if waiting and len(approvers) < _APPROVERS_NEEDED:
        told = f"two approvers must destroy {waiting[0].name}, and {counted(len(approvers), 'approver')} can"
        yield ControlFinding("approvers", told, "troth keys approvers add")


def _made(keyring: Keyring, log: Log) -> dt.datetime | None:
    """When the root key was created, from the ledger: among its first entries, so the search ends early."""
    for index in range(log.size):
        if b'"keys.created"' in log.entry_bytes(index):
            entry = log.entry(index)
            if entry.kind == "keys.created" and entry.fields["key"] == keyring.id:
                return entry.at
    return None


# --- recipients -------------------------------------------------------------------------------------------------------


@answers("disclosures.recipients_documented")
def recipients_documented(declaration: Declaration, now: dt.datetime) -> ControlResult:
    """GDPR Art. 13(1)(f), 28(3), 44-49: every recipient has a contract, safeguard and notice, none of them expired, and
    each file that is named for one of these papers is there and can be read. A contract without a declared end runs
    until somebody ends it. Papers that are kept elsewhere are not looked at, so they leave the question open."""
    today, recipients = now.astimezone(dt.UTC).date(), declaration.recipients
    if not recipients:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No recipient is declared.", _evidence("declaration", 0))
    papers = {name: _papers(recipient, declaration.folder) for name, recipient in recipients.items()}
    gaps = {name: [*_gaps(name, each, today), *_faults(name, papers[name])] for name, each in recipients.items()}
    findings = [finding for found in gaps.values() for finding in found]
    incomplete = sum(bool(found) for found in gaps.values())
    unread = {name for name, named in papers.items() if any(paper.is_elsewhere for paper in named.values())}
    every = [paper for named in papers.values() for paper in named.values()]
    elsewhere = sum(paper.is_elsewhere for paper in every)
    scope = frozenset({"declaration", *(f"recipients.{name}" for name, named in papers.items() if named)})
    read = sorted((name, kind, paper.digest) for name, named in papers.items() for kind, paper in named.items())
    evidence = Evidence(
        scope,
        scope - {f"recipients.{name}" for name in unread},
        population=len(recipients),
        tested=len(recipients) - len(unread),
        excluded=len(unread),
        query="sha256:" + hashlib.sha256(repr(read).encode()).hexdigest(),
    )
    kept = f" {counted(elsewhere, 'paper')} kept elsewhere, and not looked at." if elsewhere else ""
    return ControlResult.of(
        f"{counted(len(recipients), 'recipient')}, {incomplete} with something missing or expired.{kept}",
        evidence=evidence,
        figures={
            "recipients": len(recipients),
            "incomplete": incomplete,
            "papers": len(every),
            "papers read": sum(bool(paper.digest) for paper in every),
            "papers elsewhere": elsewhere,
        },
        findings=findings,
    )


def _papers(recipient: Recipient, folder: Path) -> dict[str, Paper]:
    """The papers of a recipient by their kind. A safeguard is one if it names a file."""
    safeguard = recipient.safeguard if recipient.safeguard and names_file(recipient.safeguard) else None
    named = {"contract": recipient.contract, "safeguard": safeguard, "assessment": recipient.assessed}
    return {kind: look_up(name, folder) for kind, name in named.items() if name and name.strip()}


def _faults(name: str, papers: Mapping[str, Paper]) -> Iterator[ControlFinding]:
    for kind, paper in papers.items():
        if paper.fault:
            yield ControlFinding(
                f"recipients.{name}", f"the file of its {kind} {paper.fault}", "put the paper there, or name its file"
            )


def _gaps(name: str, recipient: Recipient, today: dt.date) -> Iterator[ControlFinding]:
    place = f"recipients.{name}"
    if recipient.role is not Sharing.CONTROLLER and not (recipient.contract or "").strip():
        yield ControlFinding(place, "no contract is on file", "declare where the contract is kept (GDPR 26, 28(3))")
    if recipient.contract_until is not None and recipient.contract_until < today:
        yield ControlFinding(
            place, f"its contract expired on {recipient.contract_until}", "renew it, or stop the disclosure"
        )
    if recipient.country not in FREE_FLOW and not (recipient.safeguard or "").strip():
        yield ControlFinding(place, f"no safeguard for the transfer to {recipient.country}", "declare it (GDPR 44-49)")
    if not (recipient.notice or "").strip():
        yield ControlFinding(place, "no privacy notice is on file", "declare the address of its notice")

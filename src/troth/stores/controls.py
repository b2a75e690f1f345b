"""Controls of the company's databases and folders: schema, accounts, ages of rows, sealed fields and tokens.

Every control queries each declared system that Troth can read; systems answered by a person (``store: task``) or by
themselves (``asked``) are counted as excluded. A system that does not answer was not observed, so no control passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, Portion, answers
from troth.declaration import Declaration, System, Table
from troth.protect import Keyring, TokenFormat
from troth.protect.tokens.check import token_fields
from troth.protect.tokens.looks import could_be_token, has_form
from troth.stores import custom_controls  # noqa: F401 - registers its controls
from troth.stores.ages import Ages
from troth.stores.contract import Column, NetworkSessions, Principal, Schema, Store, StoreError, TableKind, TableSchema
from troth.stores.external.contract import ExternalSystem, not_offered
from troth.stores.population import rows_in
from troth.stores.registry import other_files
from troth.stores.sealed import SealedSample, sealed_fields
from troth.stores.statement_log import Noted, noting
from troth.text import counted

SEALED_ROWS: Final = 200
"""Sample size for a table with sealed fields."""
_FILES: Final = frozenset({"sqlite", "files"})
"""Dialects of systems without accounts of their own."""
_UPLOADS: Final = frozenset({".part", ".tmp"})
"""Endings of files that are being written."""

_Found = TypeVar("_Found")


class ActiveHold(Protocol):
    """An active legal hold: *scope* is a system or ``system.table`` (None: everywhere), *subject* a pseudonym (None:
    everyone)."""

    @property
    def scope(self) -> str | None: ...

    @property
    def subject(self) -> str | None: ...


@dataclass(slots=True)
class _Look:
    """What one check observed of the systems in scope: those that answered, and why the others did not."""

    scope: frozenset[str]
    seen: set[str] = field(default_factory=set)
    why_not: dict[str, str] = field(default_factory=dict)
    tasks: int = 0
    asked: Noted = field(default_factory=Noted)

    def at(
        self, systems: Mapping[str, System], stores: Mapping[str, Store], ask: Callable[[str, System, Store], _Found]
    ) -> dict[str, _Found]:
        """The result of *ask* for each system; a failing system is recorded, and the others continue."""
        found: dict[str, _Found] = {}
        for name in sorted(self.scope):
            store = stores.get(name)
            if store is None:
                self.why_not[name] = "no store was given"
                continue
            try:
                with noting(self.asked):
                    found[name] = ask(name, systems[name], store)
            except StoreError as error:
                self.why_not[name] = str(error)
            else:
                self.seen.add(name)
        return found

    def answer(
        self,
        summary: str,
        findings: Sequence[ControlFinding],
        figures: Mapping[str, int],
        *,
        population: int,
        tested: int | None = None,
        excluded: int = 0,
        vacuous: bool = False,
        portions: Sequence[Portion] = (),
    ) -> ControlResult:
        """The check's result. Any finding is a failure; without one, `run` reports unobserved systems as an error.

        *tested* is the size of a sample; by default everything that was not *excluded* was tested. *vacuous*: there was
        nothing to examine, which proves as little as an empty scope.
        """
        if not self.scope:
            nothing = frozenset({"declaration"})
            return ControlResult(
                CheckOutcome.NOT_APPLICABLE,
                "The declaration has nothing for this control to check.",
                Evidence(nothing, nothing),
            )
        seen = frozenset(self.seen)
        evidence = Evidence(
            self.scope,
            seen,
            population,
            population - excluded if tested is None else tested,
            excluded + self.tasks,
            query=self.asked.hash,
            places=frozenset(it.place for it in portions),
            portions=tuple(portions),
        )
        notes = "".join(f" {name} was not observed: {why}." for name, why in sorted(self.why_not.items()))
        if vacuous and not self.why_not:
            return ControlResult(CheckOutcome.NOT_APPLICABLE, summary, evidence, dict(figures))
        return ControlResult.of(summary + notes, evidence=evidence, figures=figures, findings=list(findings))

    def unseen(self, system: str, why: str) -> None:
        """Record that *system* answered, but showed too little for a pass."""
        self.seen.discard(system)
        self.why_not[system] = why


def _look(declaration: Declaration, only: Collection[str] | None = None) -> _Look:
    """The readable systems, or those of them in *only*."""
    scope = {name for name, it in declaration.systems.items() if it.is_looked_into}
    tasks = len(declaration.systems) - len(scope)
    return _Look(frozenset(scope if only is None else scope & set(only)), tasks=tasks)


# --- the schema ------------------------------------------------------------------------------------------------------


@answers("stores.schema_declared")
def schema_declared(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """GDPR Art. 5(2), 30(1): every table and column is declared or ignored, and everything declared exists. In a folder
    no file lies beside the declared ones in a form that no control reads, such as a copy with another ending; while one
    is being written, the folder was not observed."""
    look = _look(declaration)
    others = dict[str, Mapping[str, int]]()

    def differences(name: str, system: System, store: Store) -> tuple[list[ControlFinding], list[ControlFinding], int]:
        store.refresh()
        harmless = [it.path for it in system.tables.values() if it.path is not None and not _is_personal(it)]
        others[name] = other_files(store, harmless)
        schema = store.describe()
        real = {it.name: it for it in schema.tables.values() if it.kind is not TableKind.VIEW}
        extra = [finding for it in undeclared(declaration, name, schema) for finding in it.findings()]
        return extra, list(_missing(name, system, real)), sum(len(table.columns) for table in real.values())

    found = look.at(declaration.systems, stores, differences)
    extra = [finding for it in found.values() for finding in it[0]]
    missing = [finding for it in found.values() for finding in it[1]]
    columns = sum(it[2] for it in found.values())
    for name in found:
        if others[name].keys() & _UPLOADS:
            look.unseen(name, "files are being written there, or were left unfinished")
    files = sum(sum(others[name].values()) for name in found)
    beside = [
        ControlFinding(
            name,
            f"{counted(count, 'file')} {ending} that no control can read",
            "remove such files; if they hold no personal data, declare their path as a table without fields",
        )
        for name in found
        for ending, count in sorted(others[name].items())
        if ending not in _UPLOADS
    ]
    return look.answer(
        f"{counted(columns, 'column')} in {counted(len(found), 'system')}: "
        f"{len(extra)} undeclared, {len(missing)} declared but missing."
        + (f" {counted(files, 'file')} that no control can read." if files else ""),
        [*extra, *missing, *beside],
        {"columns": columns, "undeclared": len(extra), "missing": len(missing), "unreadable files": files},
        population=columns,
    )


@dataclass(frozen=True, slots=True)
class Undeclared:
    """Undeclared *columns* of *table*; with *whole*, the table itself is undeclared."""

    system: str
    table: TableSchema
    columns: tuple[Column, ...]
    whole: bool

    def findings(self) -> Iterator[ControlFinding]:
        """One finding for a whole table, else one for each column, with the fix."""
        place = f"{self.system}.{self.table.name}"
        if self.whole:
            yield ControlFinding(place, "the table is not declared", "declare it, or list its columns under ignore")
            return
        for column in self.columns:
            yield ControlFinding(
                f"{place}.{column.name}",
                "the column is not declared",
                "give it a category, or check it and list it under ignore",
            )


def undeclared(declaration: Declaration, system: str, schema: Schema) -> Iterator[Undeclared]:
    """What *schema* has that the declaration of *system* neither declares nor ignores, table by table.

    A table that lists columns under ``ignore`` and nothing else declares that it holds no personal data; keys need not
    be declared. Views hold no data and are left out; a materialised view is a copy and counts.
    """
    used = _used_elsewhere(declaration, system)
    for name, real in sorted(schema.tables.items()):
        if real.kind is TableKind.VIEW:
            continue
        table = declaration.systems[system].tables.get(name)
        accounted = {*_named_columns(table), *real.key, *used.get(name, ())} if table is not None else set()
        columns = tuple(it for it in real.columns if it.name not in accounted and it.native != "locator")
        if columns or table is None:
            yield Undeclared(system, real, columns, whole=table is None)


def missing(declaration: Declaration, system: str, schema: Schema) -> Iterator[ControlFinding]:
    """What the declaration of *system* names and *schema* does not have."""
    real = {it.name: it for it in schema.tables.values() if it.kind is not TableKind.VIEW}
    yield from _missing(system, declaration.systems[system], real)


def _missing(system_name: str, system: System, real: Mapping[str, TableSchema]) -> Iterator[ControlFinding]:
    for name, table in system.tables.items():
        schema = real.get(name)
        place = f"{system_name}.{name}"
        if schema is None:
            yield ControlFinding(
                place, "the declared table does not exist", "remove it from the declaration, or declare its successor"
            )
        elif schema.columns:  # a set of files without rows has no columns
            for column in sorted(_named_columns(table)):
                if schema.column(column) is None:
                    yield ControlFinding(
                        f"{place}.{column}", "the declared column does not exist", "was it renamed or dropped?"
                    )


def _is_personal(table: Table) -> bool:
    return bool(table.fields or table.identity or table.mentions)


def _named_columns(table: Table) -> set[str]:
    """Every column that the declaration of a table names."""
    named = {*table.fields, *table.ignore, *(table.key or ())}
    named |= {it.column for it in (*table.identity.values(), *table.mentions.values())}
    named |= {it.column for it in table.marks.values()}
    named |= {table.notice} if table.notice else set()
    named |= {column for it in (*table.belongs_to.values(), *table.refers_to.values()) for column in it.columns}
    return named | ({table.keep.from_} if table.keep and table.keep.from_ else set())


def _used_elsewhere(declaration: Declaration, system: str) -> dict[str, set[str]]:
    """Columns by table that other parts of the declaration name: the start columns of retention rules."""
    used: dict[str, set[str]] = {}
    for rule in declaration.retention.values():
        place, _, table = rule.table.partition(".")
        if place == system:
            used.setdefault(table, set()).add(rule.from_)
    return used


# --- who gets in, and how --------------------------------------------------------------------------------------------


def _readers(system: System, store: Store) -> list[Principal]:
    """The accounts that can log in and read a table with personal data, through any grant."""
    personal = {name for name, table in system.tables.items() if _is_personal(table)}
    return [it for it in store.principals() if it.can_login and it.reads & personal]


def _with_personal_data(declaration: Declaration) -> list[str]:
    return [name for name, it in declaration.systems.items() if any(map(_is_personal, it.tables.values()))]


@answers("stores.principals_counted")
def principals_counted(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """GDPR Art. 25(2), 32: the declaration expects each account of a database server that can read personal data.

    A SQLite file and a folder of files have no accounts of their own. The machine's accounts would prove little: one of
    them may serve a whole team, a backup or another machine that mounts the folder. So these systems are excluded, and
    a promise about them is not kept by this control; over nothing else it is not applicable.
    """
    look = _look(declaration, _with_personal_data(declaration))

    def readers_of(name: str, system: System, store: Store) -> list[Principal] | None:
        return None if store.describe().dialect in _FILES else _readers(system, store)

    found = look.at(declaration.systems, stores, readers_of)
    readers = {name: accounts for name, accounts in found.items() if accounts is not None}
    files = found.keys() - readers.keys()
    if readers or look.why_not:
        look.scope, look.seen = look.scope - files, look.seen - files
    findings = [
        ControlFinding(
            f"{name} account {reader.name}",
            f"it can read {counted(len(reader.reads), 'table')} and is not expected: {reader.why}",
            f"revoke the grant, or list it under systems.{name}.accounts",
        )
        for name, accounts in readers.items()
        for reader in accounts
        if reader.name not in declaration.systems[name].accounts
    ]
    count = sum(map(len, readers.values()))
    return look.answer(
        f"{counted(count, 'account')} in {counted(len(readers), 'system')} "
        f"can read personal data, {len(findings)} of them unexpected."
        + (f" Not counted: {counted(len(files), 'system')} of files, which have no accounts." if files else ""),
        findings,
        {"accounts": count, "unexpected": len(findings), "files": len(files)},
        population=count + len(files),
        excluded=len(files),
        vacuous=not readers,
    )


@answers("staff.ceiling")
def ceiling(declaration: Declaration, stores: Mapping[str, Store], holders: Collection[object]) -> ControlResult:
    """GDPR Art. 25(2), clause C11: store accounts and people in Troth together do not exceed ``access.ceiling``.

    An account of this machine that reaches several systems by their files counts once. A database account counts once
    for each system, because two servers may use one name for two people. Although an account of the machine proves less
    than one of a server (see `principals_counted`), whoever uses it can see the data: leaving it out would make the
    count lower than the truth. The summary says how many there are.
    """
    look = _look(declaration, _with_personal_data(declaration))
    if look.scope and declaration.access is None:
        return ControlResult(
            CheckOutcome.ERROR, "The declaration sets no ceiling; declare access.ceiling.", Evidence(look.scope)
        )
    most = declaration.access.ceiling if declaration.access else 0

    def readers_of(name: str, system: System, store: Store) -> set[tuple[str, str]]:
        return {("" if it.of_machine else name, it.name) for it in _readers(system, store)}

    readers = look.at(declaration.systems, stores, readers_of)
    every = set[tuple[str, str]]().union(*readers.values())
    accounts, of_machine = len(every), sum(not system for system, _ in every)
    count = accounts + len(holders)
    message = f"{count} can see personal data, but the ceiling is {most}"
    return look.answer(
        f"{counted(accounts, 'account')} of {counted(len(readers), 'system')}"
        + (f", {of_machine} of them by files of this machine," if of_machine else "")
        + f" and {counted(len(holders), 'person', 'people')} in Troth can see personal data; "
        f"the ceiling is {most}.",
        [ControlFinding("access.ceiling", message, "take access away from those who need it least")]
        if count > most
        else [],
        {"accounts": accounts, "people in Troth": len(holders), "ceiling": most},
        population=count,
    )


@answers("stores.transport_encrypted")
def transport_encrypted(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """GDPR Art. 32(1)(a): every connection that a client has open over a network to a declared system is encrypted.

    Servers are asked for the connections of all clients in the database, at this moment; ours alone would show how
    Troth connects, not the shop. A server that does not show them to our account was not observed, unless it says that
    it refuses plain connections. A connection from the same machine by TCP counts, because it may be the end of a
    tunnel or a pooler. Files, and sockets without any connection by a network, have nothing to encrypt: without
    anything else the control is not applicable.
    """
    look = _look(declaration)
    found = look.at(declaration.systems, stores, lambda name, system, store: store.transport())
    findings, connections, plain, refusing, reached = list[ControlFinding](), 0, 0, 0, 0
    for name, it in found.items():
        sessions = it.sessions or NetworkSessions(int(not it.is_local), int(not it.encrypted))
        seen, bare = sessions.seen, max(sessions.plain, int(not it.encrypted))
        is_shown = sessions.is_required if sessions.hidden else it.is_local or it.sessions is not None
        reached += bool(seen)
        connections, plain, refusing = connections + seen, plain + bare, refusing + sessions.is_required
        if bare:
            message = f"{bare} of {counted(seen, 'connection')} not encrypted"
            findings.append(
                ControlFinding(name, message, "require TLS there and in each client's URL, or use a socket")
            )
        elif not is_shown:
            look.unseen(name, sessions.hidden or "it shows no connections but our own")
    local = len(found) - reached
    return look.answer(
        f"{counted(connections, 'connection')} to {counted(reached, 'system')} by a network, {plain} not encrypted."
        + (f" {counted(local, 'system')} on this machine, without a connection to encrypt." if local else ""),
        findings,
        {
            "systems": reached,
            "unencrypted": len(findings),
            "on this machine": local,
            "connections": connections,
            "plain connections": plain,
            "refuse plain ones": refusing,
        },
        population=connections,
        vacuous=not reached,
    )


# --- external systems -----------------------------------------------------------------------------------------------


@answers("stores.external_answer")
def asked_answer(declaration: Declaration, asked: Mapping[str, ExternalSystem]) -> ControlResult:
    """GDPR Art. 12(2), 24(1): every external system is reachable, proves that it knows our secret, and answers the
    rights that are declared for it. No request about a person is made."""
    systems = {name: it for name, it in declaration.systems.items() if it.asked and it.store != "task"}
    look = _Look(frozenset(systems), tasks=len(declaration.systems) - len(systems))
    findings = []
    for name, system in sorted(systems.items()):
        if name not in asked or system.asked is None:
            look.why_not[name] = "it cannot be opened"
            continue
        look.seen.add(name)
        try:
            missing = not_offered(system.asked, asked[name].offers())
        except StoreError as trouble:
            findings.append(ControlFinding(name, str(trouble), "fix the connection; requests wait for it"))
        else:
            fix = f"write the function that answers it, or remove it from systems.{name}.asked.answers"
            findings += [ControlFinding(name, f"it does not answer '{right}'", fix) for right in missing]
    return look.answer(
        f"{counted(len(look.seen), 'system')} asked which rights they answer, {counted(len(findings), 'fault')}.",
        findings,
        {"systems": len(look.seen), "faults": len(findings)},
        population=len(look.seen),
    )


# --- how long rows stay ----------------------------------------------------------------------------------------------


@answers("retention.nothing_overdue")
def nothing_overdue(
    declaration: Declaration, stores: Mapping[str, Store], now: dt.datetime, holds: Iterable[ActiveHold] = ()
) -> ControlResult:
    """GDPR Art. 5(1)(e): no row is older than its period, in calendar months and years; the last day of the period is
    within it, and a job that deletes once a day has the day after. Rows kept by the declared ``keep`` or a hold on
    the whole table are counted separately; a hold on a single subject is not visible here, so its rows count as
    overdue. A row whose start cannot be read is a fault, because its age is unknown. Troth's own rows are counted
    separately from the company's."""
    today = now.astimezone(dt.UTC).date()
    rules = declaration.retention
    look = _look(declaration, {rule.table.partition(".")[0] for rule in rules.values()})
    held = [it.scope for it in holds if it.subject is None]

    def ages(name: str, system: System, store: Store) -> dict[str, Ages]:
        found: dict[str, Ages] = {}
        for label, rule in rules.items():
            place, _, table = rule.table.partition(".")
            if place == name:
                it = Ages.of(store, table, rule, system.tables.get(table), today)
                found[label] = it.held() if _is_held(rule.table, held) else it
        return found

    found = {label: it for by in look.at(declaration.systems, stores, ages).values() for label, it in by.items()}
    own = {label for label in found if declaration.systems[rules[label].table.partition(".")[0]].is_troths}
    theirs = [it for label, it in found.items() if label not in own]
    ours, all_of_them = Ages.together(found[label] for label in own), Ages.together(found.values())
    company = Ages.together(theirs)
    faults = [fault for label, it in found.items() for fault in it.faults(rules[label])]
    return look.answer(
        _told(company, len(theirs)) + (f" Apart from these, Troth's own: {_told(ours, len(own))}" if own else ""),
        faults,
        {"rules": len(theirs), **company.figures()},
        population=all_of_them.rows,
        excluded=all_of_them.excluded,
        vacuous=not company.rows and not faults,
        portions=[it.portion(rules[label]) for label, it in found.items()],
    )


def _told(ages: Ages, rules: int) -> str:
    if not ages.rows:
        return f"There are no rows under {counted(rules, 'rule')}, so none can be past its period."
    return f"{counted(ages.rows, 'row')} under {counted(rules, 'rule')}: {ages}."


def _is_held(place: str, scopes: Iterable[str | None]) -> bool:
    return any(scope is None or scope == place or place.startswith(f"{scope}.") for scope in scopes)


# --- what is sealed, and what are tokens ------------------------------------------------------------------------------


@answers("protect.sealed_at_rest")
def sealed_at_rest(
    declaration: Declaration, stores: Mapping[str, Store], keyring: Keyring | None = None
) -> ControlResult:
    """GDPR Art. 32(1)(a): a sample of every field declared sealed holds only values that open as values of that field,
    and none sealed deterministically unless the declaration allows that.

    Anybody can write the outer form of a sealed value in front of a plain one, so each is opened, in memory, under the
    table and column where it is. One that does not open beside others that do is a fault: it is forged, or was moved
    there. One that could not open here is none: the key in its header is not ours (of another home, or of a person,
    maybe erased since), or may open nothing at the moment. The field is then not proven, and neither is one of which no
    value opens: its application may seal for a place of another name. Without a *keyring* only the form was seen.

    Troth's own fields are sealed for places that only the service knows, mostly under the keys of cases and people.
    Their form is checked, and they are counted as excluded.
    """
    sealed = {place: columns for place, columns in sealed_fields(declaration).items() if columns}
    look = _look(declaration, {system for system, _ in sealed})

    def samples(name: str, system: System, store: Store) -> tuple[dict[str, SealedSample], int, int]:
        """By field: what its values are; and how many rows are there and were sampled."""
        by_field, there, read = dict[str, SealedSample](), 0, 0
        for table, columns in ((table, columns) for (place, table), columns in sealed.items() if place == name):
            rows = store.sample(table, list(columns), rows=SEALED_ROWS)
            there, read = there + rows_in(store, table, at_least=len(rows)), read + len(rows)
            for at, (column, how) in enumerate(columns.items()):
                opener = None if system.is_troths else keyring
                values = [row[at] for row in rows if row[at] is not None]
                by_field[f"{name}.{table}.{column}"] = SealedSample.of(
                    values, table, column, opener, is_alike_allowed=how == "deterministic"
                )
        return by_field, there, read

    found = look.at(declaration.systems, stores, samples)
    own = {name for name in found if declaration.systems[name].is_troths}
    by_field = {place: it for fields, _, _ in found.values() for place, it in fields.items()}
    theirs = [it for name, (fields, _, _) in found.items() if name not in own for it in fields.values()]
    for name, (fields, _, _) in found.items():
        doubts = [f"{place}: {doubt}" for place, it in fields.items() for doubt in it.doubts()]
        if doubts and name not in own:
            look.unseen(name, "; ".join(doubts))
    values, clear, alike = (sum(getattr(it, what) for it in by_field.values()) for what in ("values", "clear", "alike"))
    strange = sum(it.strange for it in by_field.values() if it.opened)
    told = f", {alike} sealed deterministically although that is not declared" if alike else ""
    told += f", {strange} of another place or forged" if strange else ""
    told += f"; of {counted(len(own), 'system')} of Troth itself only the form was checked" if own else ""
    return look.answer(
        f"{counted(len(by_field), 'sealed field')}, {counted(values, 'value')} sampled, "
        f"{clear} of them unsealed{told}.",
        [fault for place, it in by_field.items() for fault in it.faults(place)],
        {
            "fields": len(by_field),
            "sampled": values,
            "opened": sum(it.opened for it in by_field.values()),
            "in clear": clear,
            "alike": alike,
            "do not open": strange,
        },
        population=sum(there for _, there, _ in found.values()),
        tested=sum(read for name, (_, _, read) in found.items() if name not in own),
        excluded=sum(there for name, (_, there, _) in found.items() if name in own),
        vacuous=not sum(it.values for it in theirs) and not clear and not alike,
    )


@answers("protect.tokens_at_rest")
def tokens_at_rest(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """PCI DSS 4.0.1, 3.5.1: a sample of every field declared to hold tokens holds only values with their form. Formats
    whose tokens look like their values are left out, and counted."""
    fields = [
        (system, table, column, TokenFormat(use.format)) for system, table, column, use in token_fields(declaration)
    ]
    told = [it for it in fields if has_form(it[-1])]
    look = _look(declaration, {system for system, *_ in told})

    sizes: dict[tuple[str, str], tuple[int, int]] = {}

    def counts(name: str, system: System, store: Store) -> dict[str, tuple[int, int]]:
        """By field: the number of sampled values, and how many of them are no tokens."""
        found: dict[str, tuple[int, int]] = {}
        for place, table, column, format_ in told:
            if place == name:
                rows = store.sample(table, [column], rows=SEALED_ROWS)
                sizes[place, table] = (rows_in(store, table, at_least=len(rows)), len(rows))
                values = [row[0] for row in rows if row[0] is not None]
                clear = sum(not could_be_token(format_, str(value)) for value in values)
                found[f"{name}.{table}.{column}"] = (len(values), clear)
        return found

    found = {place: it for by in look.at(declaration.systems, stores, counts).values() for place, it in by.items()}
    values, clear = sum(sampled for sampled, _ in found.values()), sum(other for _, other in found.values())
    fix = "replace them with tokens, and find the code that wrote the values"
    return look.answer(
        f"{counted(len(found), 'field')} of tokens, {counted(values, 'value')} sampled, {clear} of them not tokens.",
        [
            ControlFinding(place, f"{other} of {sampled} sampled values are not tokens", fix)
            for place, (sampled, other) in found.items()
            if other
        ],
        {"fields": len(found), "sampled": values, "no tokens": clear, "not to be told": len(fields) - len(told)},
        population=sum(there for there, _ in sizes.values()),
        tested=sum(read for _, read in sizes.values()),
        excluded=len(fields) - len(told),
        vacuous=not values,
    )

"""What the declaration alone can show to be wrong: names that nothing bears, data without a purpose, rows that nobody
said how to erase. Whether it is true of the real systems is for the rooms that can look at them.

A rule is a function from the declaration to its faults. Each fault has a code that stays the same for ever.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from troth.declaration.asking import ASKED_SCHEMES
from troth.declaration.model import Basis, Declaration, IdentityKind, Reference, Search, Sharing, Strategy, Table
from troth.declaration.problems import PROBLEMS_MAX, Position, Problem, Severity, in_order, nearest_of, shown
from troth.declaration.promising import WAIVER_DAYS_MAX
from troth.declaration.taxonomy import covers, is_category, is_use, nearest

__all__ = ["Fault", "check", "faults", "placed"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem that does not yet know its place."""

    code: str
    path: tuple[str, ...]
    message: str
    mend: str
    severity: Severity = Severity.ERROR
    where: Position | None = None
    """Where it stands, where that is no key."""


Faults = Iterator[Fault]


def check(declaration: Declaration, *, now: dt.datetime | None = None) -> list[Problem]:
    """Every problem that *declaration* shows by itself (up to `PROBLEMS_MAX`), in the order of the text: errors and
    warnings.

    With *now* (aware), also what has lapsed: waivers, attestations, contracts.
    """
    return list(in_order(placed(declaration, it) for it in itertools.islice(faults(declaration, now), PROBLEMS_MAX)))


def faults(declaration: Declaration, now: dt.datetime | None) -> Faults:
    """What `check` tells, each with its path in parts."""
    for rule in _RULES:
        yield from rule(declaration)
    if now is not None:
        yield from _lapsed(declaration, now.astimezone(dt.UTC).date())


def placed(declaration: Declaration, fault: Fault) -> Problem:
    """*fault* as it is told, with its place in the file."""
    where = fault.where or declaration.where(".".join(fault.path))
    path = ".".join(map(shown, fault.path))
    return Problem(fault.code, where, path, fault.message, fault.mend, fault.severity)


def _meant(near: str | None, otherwise: str) -> str:
    return f"did you mean '{shown(near)}'?" if near else otherwise


@dataclass(frozen=True, slots=True)
class _Place:
    """One table, with where it is."""

    system: str
    name: str
    table: Table

    def path(self, *parts: str) -> tuple[str, ...]:
        return ("systems", self.system, "tables", self.name, *parts)

    @property
    def links(self) -> Iterator[tuple[str, str, Reference]]:
        for key, reference in self.table.belongs_to.items():
            yield "belongs_to", key, reference
        for key, reference in self.table.refers_to.items():
            yield "refers_to", key, reference


def _places(declaration: Declaration) -> Iterator[_Place]:
    for system_name, system in declaration.systems.items():
        for name, table in system.tables.items():
            yield _Place(system_name, name, table)


# --- what a draft left open -----------------------------------------------------------------------------------------

_OPEN = re.compile(r"\s*TODO\b")
_NO_DAY = dt.date(1970, 1, 1)
_MARKS = {"TODO": "fill in what is missing", "REVIEW": "look at each guess and mend it"}


def _drafted(declaration: Declaration) -> Faults:
    """The placeholders of `troth init` are no facts, and its guesses are nobody's word yet."""
    if declaration.policy.effective == _NO_DAY:
        mend = "name the day since when the policy is in force"
        yield Fault("placeholder-left", ("policy", "effective"), "the day that a draft leaves open", mend)
    if "TODO" in declaration.model_dump_json(exclude_defaults=True):  # seldom; a walk each time would cost twice
        for path in _open(declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True), ()):
            yield Fault("placeholder-left", path, "'TODO' stands here", "write what is true, or take the key out")
    for mark, (count, first) in declaration.marks.items():
        message = f"{count} comments say {mark}, this one first" if count > 1 else f"a comment says {mark}"
        mend = f"{_MARKS[mark]}, and take the mark away"
        yield Fault("mark-left", (), message, mend, Severity.WARNING, first)


def _open(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The places in *value* where a text begins with TODO."""
    if isinstance(value, str):
        if _OPEN.match(value):
            yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _open(inner, (*path, str(key)))


# --- words ----------------------------------------------------------------------------------------------------------


def _vocabulary(declaration: Declaration) -> Faults:
    """Data categories and uses are words of the taxonomy."""
    for path, category in _named_categories(declaration):
        if not is_category(category):
            mend = _meant(nearest(category), "see `troth.declaration.categories()`")
            yield Fault("category-unknown", path, f"no data category '{shown(category)}'", mend)
    for name, purpose in declaration.purposes.items():
        if not is_use(purpose.use):
            mend = _meant(nearest(purpose.use, kind="use"), "such as essential.service or marketing")
            yield Fault("use-unknown", ("purposes", name, "use"), f"no data use '{shown(purpose.use)}'", mend)


def _named_categories(declaration: Declaration) -> Iterator[tuple[tuple[str, ...], str]]:
    for place in _places(declaration):
        for column, use in place.table.fields.items():
            yield place.path("fields", column), use.category
    yield from _asked_categories(declaration)
    for name, purpose in declaration.purposes.items():
        for index, category in enumerate(purpose.data):
            yield ("purposes", name, "data", str(index)), category
    for name, recipient in declaration.recipients.items():
        for index, category in enumerate(recipient.receives):
            yield ("recipients", name, "receives", str(index)), category
    for name, point in declaration.collection_points.items():
        for column, collected in point.fields.items():
            if collected.category is not None:
                yield ("collection_points", name, "fields", column), collected.category


def _asked_categories(declaration: Declaration) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, system in declaration.systems.items():
        for held, category in system.asked.holds.items() if system.asked else ():
            yield ("systems", name, "asked", "holds", held), category


_NO_COUNTRY = {"UK": "GB", "EU": None, "EL": "GR"}


def _countries(declaration: Declaration) -> Faults:
    """The codes that people write and ISO 3166-1 does not hold."""
    named: list[tuple[tuple[str, ...], str]] = [(("organisation", "country"), declaration.organisation.country)]
    named += [(("recipients", name, "country"), one.country) for name, one in declaration.recipients.items()]
    named += [(("systems", name, "country"), one.country) for name, one in declaration.systems.items() if one.country]
    for path, country in named:
        if country in _NO_COUNTRY:
            mend = _meant(_NO_COUNTRY[country], "name the country itself")
            yield Fault("country-unknown", path, f"'{country}' is no country of ISO 3166-1", mend)


# --- systems that are asked -----------------------------------------------------------------------------------------


def _asked(declaration: Declaration) -> Faults:
    """A system that is asked says how, and what it holds; one that we look into is not asked."""
    for name, system in declaration.systems.items():
        path, scheme = ("systems", name), system.store.partition(":")[0]
        asked, is_reference = system.asked, system.store.startswith("${")
        if asked is None:
            if scheme in ASKED_SCHEMES:
                mend = "add 'asked: {answers: […], secret: ${NAME}, holds: {…}}'"
                yield Fault("asked-missing", path, "nothing says how this system is asked", mend)
            continue
        if not asked.holds:
            mend = "add 'holds: {NAME: category}' under 'asked'"
            yield Fault("asked-holds", path, "nothing says what this system holds", mend, Severity.WARNING)
        if system.store == "task":
            continue
        if scheme not in ASKED_SCHEMES and not is_reference:
            message = "a database or a folder is looked into, and not asked"
            yield Fault("asked-store", (*path, "store"), message, "give an https:// address or 'hook:MODULE'")
        if system.tables:
            message = "tables of a system that is asked, which nobody looks into"
            yield Fault("asked-tables", (*path, "tables"), message, "say what it holds under 'asked'")
        if asked.recipient is not None and asked.recipient not in declaration.recipients:
            mend = _meant(nearest_of(asked.recipient, declaration.recipients), "declare it under 'recipients'")
            message = f"no recipient '{shown(asked.recipient)}'"
            yield Fault("asked-recipient", (*path, "asked", "recipient"), message, mend)
        if asked.secret is None and scheme.endswith(("http", "https")):
            yield Fault("asked-secret", (*path, "asked"), "nothing to sign with", "add 'secret: ${NAME}'")


# --- tables ---------------------------------------------------------------------------------------------------------


def _references(declaration: Declaration) -> Faults:
    """A reference leads to a declared table, column by column."""
    for place in _places(declaration):
        for link, key, reference in place.links:
            path = place.path(link, key)
            system = declaration.systems.get(reference.system or place.system)
            if system is None:
                mend = _meant(nearest_of(reference.system or "", declaration.systems), "declare the system")
                yield Fault("reference-system", path, f"no system '{shown(reference.system)}'", mend)
            elif reference.table not in system.tables:
                mend = _meant(nearest_of(reference.table, system.tables), "declare the table")
                yield Fault("reference-table", path, f"no table '{shown(reference.table)}'", mend)
            else:
                yield from _reference_columns(path, reference, system.tables[reference.table])


def _reference_columns(path: tuple[str, ...], reference: Reference, target: Table) -> Faults:
    if len(reference.columns) != len(reference.to):
        message = f"{len(reference.columns)} columns refer to {len(reference.to)}"
        yield Fault("reference-arity", path, message, "name as many columns on both sides")
    known = _columns(target)
    for column in reference.to:
        # A declaration need not name every column, so only a near miss is worth a word; the schema will tell the rest.
        near = nearest_of(column, known) if column not in known and len(column) > 3 else None
        if near:
            message = f"'{shown(column)}' is not among the declared columns of '{shown(reference.table)}'"
            yield Fault("reference-column", path, message, _meant(near, ""), Severity.WARNING)


def _columns(table: Table) -> set[str]:
    """Every column of *table* that the declaration names."""
    named = {*table.fields, *table.ignore, *(table.key or ())}
    named.update(one.column for one in (*table.identity.values(), *table.mentions.values()))
    named.update(mark.column for mark in table.marks.values())
    named.update([table.notice] if table.notice else [])
    for reference in (*table.belongs_to.values(), *table.refers_to.values()):
        named.update(reference.columns)
    return named


Node = tuple[str, str]


def _cycles(declaration: Declaration) -> Faults:
    """Rows belong to rows that belong to a person. A circle of tables belongs to nobody; a table may hold its own
    children."""
    owners: dict[Node, list[tuple[Node, str]]] = {}
    for place in _places(declaration):
        here = (place.system, place.name)
        links = [((to.system or place.system, to.table), key) for key, to in place.table.belongs_to.items()]
        owners[here] = [(there, key) for there, key in links if there != here]
    for circle, key in _circles(owners):
        (system, table), names = circle[-1], [shown(name) for _, name in (*circle[-1:], *circle)]
        tables = " → ".join(names if len(names) < 8 else [*names[:3], "…", *names[-3:]])
        mend = "make the reference that does not say whose the row is a 'refers_to'"
        path = ("systems", system, "tables", table, "belongs_to", key)
        yield Fault("reference-cycle", path, f"the tables belong to one another: {tables}", mend)


def _circles(owners: dict[Node, list[tuple[Node, str]]]) -> Iterator[tuple[list[Node], str]]:
    """Each circle once, as its nodes in order and the key of the edge that closes it: a depth-first walk that keeps
    its own stack, since chains may be longer than Python's."""
    done: set[Node] = set()
    for start in owners:
        trail: dict[Node, Iterator[tuple[Node, str]]] = {} if start in done else {start: iter(owners[start])}
        while trail:
            here, rest = next(reversed(trail.items()))
            there, key = next(rest, (None, ""))
            if there is None:
                done.add(here)
                del trail[here]
            elif there in trail:
                nodes = list(trail)
                yield nodes[nodes.index(there) :], key
            elif there in owners and there not in done:
                trail[there] = iter(owners[there])


def _people(declaration: Declaration) -> Faults:
    """Columns that name people are fields too, and a field about one of several people says about whom."""
    for place in _places(declaration):
        table = place.table
        for path, column in _naming_columns(place):
            if column not in table.fields:
                severity = Severity.WARNING if _deletes(table) else Severity.ERROR
                message = f"'{shown(column)}' names a person and has no data category"
                mend = f"add it to the fields of '{shown(place.name)}'"
                yield Fault("identity-field", path, message, mend, severity)
        links = {*table.belongs_to, *(mention.column for mention in table.mentions.values())}
        for column, use in table.fields.items():
            if use.of is not None and use.of not in links:
                near = nearest_of(use.of, links)
                mend = _meant(near, "name a key of 'belongs_to' or a column of 'mentions'")
                yield Fault("of-unknown", place.path("fields", column, "of"), f"no link '{shown(use.of)}'", mend)
        for column in table.ignore:
            if column in table.fields:
                message = f"'{shown(column)}' is ignored, and has a data category"
                yield Fault("ignore-field", place.path("ignore"), message, "take it out of one of them")


RESTRICTED = "restricted"
"""The mark that stops every use but storing (GDPR Art. 18)."""


def _marks(declaration: Declaration) -> Faults:
    """A mark stops everything, or one purpose; it is never the column by which a person is found."""
    known = {RESTRICTED, *declaration.purposes}
    for place in _places(declaration):
        table = place.table
        naming = {one.column for one in (*table.identity.values(), *table.mentions.values())} | {*(table.key or ())}
        for name, mark in table.marks.items():
            path = place.path("marks", name)
            if name not in known:
                mend = _meant(nearest_of(name, known), f"write '{RESTRICTED}', or a purpose of the declaration")
                yield Fault("mark-unknown", path, f"'{shown(name)}' is no purpose", mend)
            if mark.column in naming:
                message = f"'{shown(mark.column)}' names the person, and a mark would overwrite it"
                yield Fault("mark-column", path, message, "give the mark a column of its own")


def _naming_columns(place: _Place) -> Iterator[tuple[tuple[str, ...], str]]:
    """The columns of identity and mentions that erasure has to treat. An account number or a key names a row, and is
    what erasure holds on to."""
    key = place.table.key or ()
    for group in ("identity", "mentions"):
        for kind, one in getattr(place.table, group).items():
            if kind is not IdentityKind.ACCOUNT and one.column not in key:
                yield place.path(group, kind.value), one.column


def _ways_in(table: Table) -> bool:
    """Whether a person's request leads to rows of *table*."""
    return bool(table.belongs_to or table.identity or table.mentions)


def _deletes(table: Table) -> bool:
    return table.erase is not None and table.erase.rows == "delete"


def _erasure(declaration: Declaration) -> Faults:
    """Every table with personal data says what erasure does, for every field of it."""
    for place in _places(declaration):
        table, erase = place.table, place.table.erase
        personal = [column for column, use in table.fields.items() if covers("user", use.category)]
        if erase is None:
            is_persons = table.belongs_to and not table.keep and not table.unlinked
            if personal or table.identity or table.mentions or is_persons:
                mend = "add 'erase: delete', or a strategy for each field"
                yield Fault("erase-missing", place.path(), "nothing says what erasure does to these rows", mend)
        elif erase.rows == "keep" or erase.fields:  # rows that are deleted may have to stay where others need them
            naming = [column for _, column in _naming_columns(place)]
            untreated = [column for column in dict.fromkeys([*personal, *naming]) if column not in erase.fields]
            if not (untreated or erase.fields or table.keep or table.unlinked) and _ways_in(table):
                message = "rows of a person stay, and nothing says why"
                mend = "write 'delete', give a field a strategy, or add 'keep' to the table, with 'because' and 'cite'"
                yield Fault("erase-nothing", place.path("erase"), message, mend)
            if untreated:
                message = f"nothing says what erasure does to {_list(untreated)}"
                yield Fault("erase-field-missing", place.path("erase"), message, "give each a strategy")
            yield from _strategies(place, place.path("erase", "fields"), erase.fields)


def _strategies(place: _Place, path: tuple[str, ...], strategies: dict[str, Strategy]) -> Faults:
    known = _columns(place.table)
    for column, strategy in strategies.items():
        at = (*path, column)
        if column not in known:
            mend = _meant(nearest_of(column, known), "declare it under 'fields'")
            yield Fault("erase-field-unknown", at, f"no declared field '{shown(column)}'", mend)
        if strategy is Strategy.DELETE:
            message = "a field cannot be deleted from its row"
            yield Fault("erase-delete-field", at, message, "write 'null', or 'erase: delete' for the whole row")
        elif strategy is Strategy.KEEP and place.table.keep is None:
            mend = "add 'keep' to the table, with 'because' and 'cite'"
            yield Fault("keep-missing", at, "the field is kept, and nothing says why", mend)


def _sealing(declaration: Declaration) -> Faults:
    """What is sealed is found and erased in ways that ciphertext bears."""
    for place in _places(declaration):
        fields = place.table.fields
        for path, column in _naming_columns(place):
            if column in fields and fields[column].sealed:
                message = f"'{shown(column)}' is sealed, so no value is found in it: these people stay out of requests"
                yield Fault("identity-sealed", path, message, "name them by another column, or by an account number")
        told: dict[str, str] = {}
        for column, use in fields.items():
            if use.search is not None:
                yield from _search(place, column, use.search, told)
            if use.token is not None and use.sealed:
                message = f"'{shown(column)}' is said to hold both sealed values and tokens"
                yield Fault("token-sealed", place.path("fields", column), message, "leave out 'sealed' or 'token'")
        buckets = {use.search.column for use in fields.values() if use.search is not None}
        erase, keep = place.table.erase, place.table.keep
        for at, strategies in (
            (("erase", "fields"), erase.fields if erase else {}),
            (("keep", "meanwhile"), keep.meanwhile if keep else {}),
        ):
            for column, strategy in strategies.items():
                is_sealed = column in buckets or (column in fields and fields[column].sealed)
                if is_sealed and strategy in (Strategy.MASK, Strategy.PSEUDONYMISE):
                    message = f"'{strategy}' writes what is not sealed, and the application cannot open it"
                    yield Fault("erase-sealed", place.path(*at, column), message, "write 'null'", Severity.WARNING)


def _search(place: _Place, column: str, search: Search, told: dict[str, str]) -> Faults:
    """An index is over sealed fields, each of which stands in no other, and its buckets are erased with them. *told*
    has the fields that are indexed so far, with the field that says so."""
    fields, path = place.table.fields, place.path("fields", column, "search")
    names = (column, *search.with_)
    for at, name in enumerate(names):
        if name not in fields or fields[name].sealed is not True:
            mend = "say 'sealed: true' of it" if name in fields else _meant(nearest_of(name, fields), "declare it")
            yield Fault("search-unsealed", path, f"'{shown(name)}' is not a field with 'sealed: true'", mend)
        elif name in names[:at] or told.setdefault(name, column) != column:
            message = f"'{shown(name)}' is in two indexes, which together tell values apart that each of them hides"
            yield Fault("search-twice", path, message, "leave one of them out")
    if search.column not in fields:
        mend = f"add it to the fields of '{shown(place.name)}', with the category of what it finds"
        message = f"the buckets in '{shown(search.column)}' are personal data and are not declared"
        yield Fault("search-column", (*path, "column"), message, mend)


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{shown(name)}'" for name in names)


def _keeping(declaration: Declaration) -> Faults:
    """What is kept is kept from some day, and only as much of it as the reason needs."""
    for place in _places(declaration):
        keep = place.table.keep
        if keep is None:
            continue
        if keep.for_ is not None and keep.from_ is None:
            mend = "add 'from: …', the column that the period starts from"
            yield Fault("keep-from-missing", place.path("keep"), "a period needs a start", mend)
        known = _columns(place.table)
        for column, strategy in keep.meanwhile.items():
            path = place.path("keep", "meanwhile", column)
            if column not in known:
                mend = _meant(nearest_of(column, known), "declare it under 'fields'")
                yield Fault("keep-field-unknown", path, f"no declared field '{shown(column)}'", mend)
            if strategy in (Strategy.DELETE, Strategy.KEEP):
                yield Fault("keep-meanwhile", path, f"'{strategy}' is nothing to do meanwhile", "leave the field out")


def _retention(declaration: Declaration) -> Faults:
    """A retention rule names a declared table, as ``system.table``."""
    tables = [f"{place.system}.{place.name}" for place in _places(declaration)]
    known = set(tables)
    for name, rule in declaration.retention.items():
        if rule.table not in known:
            mend = _meant(nearest_of(rule.table, tables), "write 'system.table'")
            yield Fault("retention-table", ("retention", name, "table"), f"no table '{shown(rule.table)}'", mend)


# --- why and who else -----------------------------------------------------------------------------------------------


def _purposes(declaration: Declaration) -> Faults:
    """Data that is held has a purpose (GDPR Art. 5(1)(b)), and a purpose has data."""
    held = _held(declaration)
    data = {category for purpose in declaration.purposes.values() for category in purpose.data}
    for category, path in held.items():
        if covers("user", category) and not any(covers(broad, category) for broad in data):
            mend = f"add it, or a broader one, to the data of a purpose: {_list(declaration.purposes) or 'none yet'}"
            yield Fault("category-without-purpose", path, f"no purpose needs '{shown(category)}'", mend)
    for name, purpose in declaration.purposes.items():
        if purpose.basis is Basis.LEGITIMATE_INTERESTS and not purpose.interests:
            # GDPR Art. 13(1)(d)
            mend = "add 'interests: …', in words for the person"
            yield Fault("interests-missing", ("purposes", name), "the legitimate interests are not named", mend)
        if purpose.basis is Basis.RECOGNISED_LEGITIMATE_INTERESTS and declaration.organisation.country != "GB":
            message = "recognised legitimate interests are a basis of the UK GDPR alone"
            yield Fault("basis-elsewhere", ("purposes", name, "basis"), message, "choose another basis")
        yield from _unheld(declaration, ("purposes", name, "data"), purpose.data, held)


def _held(declaration: Declaration) -> dict[str, tuple[str, ...]]:
    """Each known category that some table holds, with its first place."""
    held: dict[str, tuple[str, ...]] = {}
    for place in _places(declaration):
        for column, use in place.table.fields.items():
            if use.category not in held and is_category(use.category):
                held[use.category] = place.path("fields", column)
    for path, category in _asked_categories(declaration):
        if is_category(category):
            held.setdefault(category, path)
    return held


def _unheld(
    declaration: Declaration, path: tuple[str, ...], named: Iterable[str], held: dict[str, tuple[str, ...]]
) -> Faults:
    """Of the *named* categories those that nothing holds. A system that says nothing of its data may hold anything."""
    if any(not system.tables and not (system.asked and system.asked.holds) for system in declaration.systems.values()):
        return
    for index, category in enumerate(named):
        if is_category(category) and not any(covers(category, one) or covers(one, category) for one in held):
            mend = "declare the field that holds it, or take it out"
            message = f"no table holds '{shown(category)}'"
            yield Fault("category-unheld", (*path, str(index)), message, mend, Severity.WARNING)


def _purpose_names(declaration: Declaration) -> Faults:
    """Systems, collection points, recipients and other controllers name declared purposes."""
    named: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    named += [(("systems", name), system.purposes) for name, system in declaration.systems.items()]
    named += [(("collection_points", name), point.purposes) for name, point in declaration.collection_points.items()]
    named += [(("recipients", name), one.purposes) for name, one in declaration.recipients.items()]
    named += [(("controllers", name), other.purposes) for name, other in declaration.controllers.items()]
    joint = declaration.organisation.joint_controllers
    named += [(("organisation", "joint_controllers", name), other.purposes) for name, other in joint.items()]
    for path, purposes in named:
        for index, purpose in enumerate(purposes):
            if purpose not in declaration.purposes:
                mend = _meant(nearest_of(purpose, declaration.purposes), "declare it under 'purposes'")
                at = (*path, "purposes", str(index))
                yield Fault("purpose-unknown", at, f"no purpose '{shown(purpose)}'", mend)


def _collection(declaration: Declaration) -> Faults:
    """A form asks for what its purposes need, and no more (GDPR Art. 5(1)(c))."""
    for name, point in declaration.collection_points.items():
        known = [declaration.purposes[purpose] for purpose in point.purposes if purpose in declaration.purposes]
        data = {category for purpose in known for category in purpose.data}
        for column, collected in point.fields.items():
            category = collected.category
            if category is None or not is_category(category) or len(known) < len(point.purposes):
                continue
            if not any(covers(broad, category) for broad in data):
                path = ("collection_points", name, "fields", column)
                mend = "take the field out, or name the purpose that needs it"
                message = f"none of the purposes needs '{shown(category)}'"
                yield Fault("collect-needless", path, message, mend, Severity.WARNING)


_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_NO_SAFEGUARD_NEEDED = frozenset(("GB", *_EEA.split()))


def _recipients(declaration: Declaration) -> Faults:
    """A transfer out of the UK and the EEA has a safeguard (GDPR Art. 44-46); a processor has a contract (Art. 28)."""
    held = _held(declaration)
    at_home = _NO_SAFEGUARD_NEEDED | {declaration.organisation.country}
    for name, recipient in declaration.recipients.items():
        path = ("recipients", name)
        if recipient.country not in at_home and recipient.country not in _NO_COUNTRY and not recipient.safeguard:
            message = f"data goes to {recipient.country}, and no safeguard is named"
            yield Fault("safeguard-missing", path, message, "add 'safeguard: …': adequacy, scc, idta, dpf, uk_bridge")
        if recipient.role is Sharing.PROCESSOR and not recipient.contract:
            mend = "add 'contract: …', where it is kept"
            yield Fault("contract-missing", path, "no processing contract is named", mend, Severity.WARNING)
        yield from _unheld(declaration, (*path, "receives"), recipient.receives, held)


def _cookies(declaration: Declaration) -> Faults:
    """A cookie lives for the session or a period."""
    for name, cookie in declaration.cookies.items():
        try:
            _ = cookie.period
        except ValueError:
            message = "neither 'session' nor a period"
            yield Fault("cookie-lifetime", ("cookies", name, "lifetime"), message, "such as 'session' or '30 days'")


# --- promises -------------------------------------------------------------------------------------------------------


def _promises(declaration: Declaration) -> Faults:
    """A sentence is promised once, and a word given for it lasts a while. What controls show is for others."""
    first: dict[str, int] = {}
    parts = [*declaration.systems, *(f"{place.system}.{place.name}" for place in _places(declaration))]
    for index, promise in enumerate(declaration.promises):
        path = ("promises", str(index))
        for part in promise.about:
            if part not in parts:
                mend = _meant(nearest_of(part, parts), "name a system, or 'system.table'")
                yield Fault("promise-about", (*path, "about"), f"no system or table '{shown(part)}'", mend)
        same = first.setdefault(" ".join(promise.quote.split()).casefold(), index)
        if same != index:
            where = declaration.where(f"promises.{same}")
            mend = f"join it with promise {same}" + (f" at {where}" if where else "")
            yield Fault("quote-twice", (*path, "quote"), "this sentence is promised already", mend)
        if promise.attest is not None and promise.attest.until <= promise.attest.on:
            message = "the attestation ends before it begins"
            yield Fault("attestation-dates", (*path, "attest", "until"), message, "name a later day")


def _lapsed(declaration: Declaration, today: dt.date) -> Faults:
    """What the calendar has overtaken by *today*."""
    for index, promise in enumerate(declaration.promises):
        path = ("promises", str(index))
        if promise.waive is not None:
            yield from _waiver(path, promise.waive.until, today)
        if promise.attest is not None and promise.attest.on > today:
            yield Fault(
                "attestation-early", (*path, "attest", "on"), "the attestation is dated ahead", "correct the day"
            )
        if promise.attest is not None and promise.attest.until < today:
            message = f"the attestation ended on {promise.attest.until}"
            yield Fault("attestation-lapsed", (*path, "attest"), message, "have it renewed", Severity.WARNING)
    for name, recipient in declaration.recipients.items():
        if recipient.contract_until is not None and recipient.contract_until < today:
            at = ("recipients", name, "contract_until")
            message = f"the contract ended on {recipient.contract_until}"
            yield Fault("contract-lapsed", at, message, "renew it, or stop sending", Severity.WARNING)


def _waiver(path: tuple[str, ...], until: dt.date, today: dt.date) -> Faults:
    if until < today:
        message = f"the waiver ended on {until}"
        yield Fault("waiver-lapsed", (*path, "waive"), message, "mend the breach, or decide anew", Severity.WARNING)
    elif (until - today).days > WAIVER_DAYS_MAX:
        message = "the waiver runs for more than a year"
        yield Fault("waiver-long", (*path, "waive", "until"), message, "name an earlier day: it does not count yet")


_RULES: tuple[Callable[[Declaration], Faults], ...] = (
    _drafted,
    _vocabulary,
    _countries,
    _asked,
    _references,
    _cycles,
    _people,
    _marks,
    _erasure,
    _sealing,
    _keeping,
    _retention,
    _purposes,
    _purpose_names,
    _collection,
    _recipients,
    _cookies,
    _promises,
)

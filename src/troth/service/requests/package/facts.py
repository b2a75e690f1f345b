"""The information that GDPR Art. 15(1)-(2) requires besides the data, as text in the active language. Pure.

The page and the covering letter use the same facts; each fact is labelled with its point in Art. 15(1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from troth.declaration import Basis, Declaration, Keep, Table, covers
from troth.law.rule_sets import places
from troth.service.cases import labels
from troth.service.disclosures.rules import ANSWERING
from troth.service.requests.package.contents import Contents, TableContents
from troth.service.requests.package.portability import FieldOrigin, OmittedColumns, asked_for, purposes_of, source_of
from troth.service.staff.rights import role_title
from troth.subjects import WITHHELD

_OBJECTIONABLE = (Basis.LEGITIMATE_INTERESTS, Basis.PUBLIC_TASK, Basis.RECOGNISED_LEGITIMATE_INTERESTS)
_PROFILES = (
    "essential.fraud_detection",
    "personalize",
    "marketing.advertising.profiling",
    "marketing.advertising.first_party.targeted",
    "marketing.advertising.third_party.targeted",
)


@dataclass(frozen=True, slots=True, repr=False)
class Use:
    """(a) A purpose with its legal basis."""

    title: str
    basis: str
    interests: str
    systems: str
    categories: str


@dataclass(frozen=True, slots=True, repr=False)
class CategoryFact:
    """(b) A category of data."""

    title: str
    systems: str


@dataclass(frozen=True, slots=True, repr=False)
class RecipientFact:
    """(c) A recipient of such data, with the safeguard for transfers (Art. 15(2))."""

    title: str
    role: str
    country: str
    receives: str
    notice: str
    safeguard: str
    is_abroad: bool


@dataclass(frozen=True, slots=True, repr=False)
class Disclosed:
    """(c) A recorded disclosure of this person's data."""

    recipient: str
    categories: str
    why: str
    at: str


@dataclass(frozen=True, slots=True, repr=False)
class StaffAccessFact:
    """An access by staff."""

    at: str
    role: str
    purpose: str


@dataclass(frozen=True, slots=True, repr=False)
class Stay:
    """(d) The retention period of one table."""

    system: str
    table: str
    text: str
    kept: str


@dataclass(frozen=True, slots=True, repr=False)
class RightOf:
    """(e) A right, and how to exercise it."""

    title: str
    text: str
    page: str
    """URL of its page in the privacy centre; empty if the centre's URL is unknown."""


@dataclass(frozen=True, slots=True, repr=False)
class Origin:
    """(g) A source of data."""

    text: str
    categories: str
    systems: str


@dataclass(frozen=True, slots=True, repr=False)
class LeftOutItem:
    """Something left out of the package, with the reason."""

    title: str
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class TableCount:
    """Number of rows and of withheld values in one table."""

    system: str
    table: str
    rows: int
    withheld: int


@dataclass(frozen=True, slots=True, repr=False)
class PackageFacts:
    """All facts for one package."""

    held: tuple[TableCount, ...]
    looked: str
    """Systems that were searched without finding anything about the person."""
    unanswered: tuple[LeftOutItem, ...]
    unsearched: tuple[LeftOutItem, ...]
    """Systems and tables that cannot be searched by the identifiers that the person gave."""
    left_out: tuple[LeftOutItem, ...]
    """For portability: what is not included."""
    uses: tuple[Use, ...]
    kinds: tuple[CategoryFact, ...]
    origins: tuple[Origin, ...]
    receivers: tuple[RecipientFact, ...]
    disclosed: tuple[Disclosed, ...]
    looks: tuple[StaffAccessFact, ...]
    stays: tuple[Stay, ...]
    rights: tuple[RightOf, ...]
    decides: str
    """Statement on automated decisions (Art. 22)."""
    decisions: tuple[str, ...]
    profiles: str
    """Purposes that involve profiling."""
    centre: str
    complain: str
    regulator: str
    regulator_site: str

    @property
    def rows(self) -> int:
        return sum(held.rows for held in self.held)

    @property
    def withheld(self) -> int:
        return sum(held.withheld for held in self.held)

    @property
    def transfers(self) -> tuple[RecipientFact, ...]:
        """Recipients in other countries."""
        return tuple(receiver for receiver in self.receivers if receiver.is_abroad)


def facts_of(contents: Contents, left_out: Sequence[OmittedColumns] = ()) -> PackageFacts:
    """Facts for *contents*, whose parts are those that the person gets."""
    declaration = contents.declaration
    held = _Held(declaration, contents.parts, (*_unanswered(contents), *contents.uploads), frozenset(contents.stopped))
    bases, profiles, empty = held.bases(), held.profiles(), _empty(contents, left_out)
    centre = contents.site.rstrip("/") + "/" if contents.site.startswith(("https://", "http://")) else ""
    organisation = declaration.organisation
    return PackageFacts(
        held=tuple(
            TableCount(held.system(part), held.table(part), len(part.rows), part.withheld) for part in contents.parts
        ),
        looked=labels.joined(empty) if empty else "",
        unanswered=tuple(
            LeftOutItem(labels.system_words(declaration, name), labels.unanswered_words(code))
            for name, code in sorted(_unanswered(contents).items())
        ),
        unsearched=tuple(_unsearched(contents, left_out)),
        left_out=tuple(_left_out(held, left_out)),
        uses=held.uses(),
        kinds=held.kinds(),
        origins=held.origins(),
        receivers=held.receivers(contents.made_at.date()),
        disclosed=tuple(_disclosed(contents)),
        looks=tuple(
            StaffAccessFact(labels.moment(at), _role(role), labels.purpose_words(declaration, purpose))
            for at, role, purpose in sorted(contents.looks)
        ),
        stays=tuple(_stay(held, part) for part in contents.parts),
        rights=tuple(_rights(bases, centre)),
        decides=_decides(declaration),
        decisions=tuple(_decisions(declaration)),
        profiles=labels.joined(profiles) if profiles else "",
        centre=centre,
        complain=f"{centre}complain/" if centre else "",
        regulator=organisation.regulator or "",
        regulator_site=labels.regulator_site(organisation.regulator or ""),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    """The parts of a package, combined with the declaration."""

    declaration: Declaration
    parts: Sequence[TableContents]
    others: Collection[str]
    """Systems that may have more data, or data that is not in rows."""
    stopped: Collection[str] = frozenset()
    """Purposes that the person has stopped; contains the empty name if the data may only be stored."""

    def system(self, part: TableContents) -> str:
        return labels.system_words(self.declaration, part.system)

    def table(self, part: TableContents) -> str:
        return labels.table_words(self.declaration, part.place) or self.system(part)

    def categories(self) -> dict[str, list[TableContents]]:
        """Parts that contain a value, by category, in order."""
        found: dict[str, list[TableContents]] = {}
        for part in self.parts:
            for category in _filled(part):
                found.setdefault(category, []).append(part)
        return found

    def _purposes(self) -> dict[str, tuple[list[str], list[str]]]:
        """For each purpose: its systems and categories."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for part in self.parts:
            named = [category for category in dict.fromkeys(part.categories) if category is not None]
            for name, purpose in purposes_of(self.declaration, part.system, named).items():
                systems, categories = found.setdefault(name, ([], []))
                systems.append(self.system(part))
                used = (each for each in _filled(part) if any(covers(data, each) for data in purpose.data))
                categories += map(labels.category_words, used)
        for system in self.others:
            declared = self.declaration.systems.get(system)
            for name in declared.purposes if declared else ():
                if name in self.declaration.purposes:
                    found.setdefault(name, ([], []))[0].append(labels.system_words(self.declaration, system))
        return found

    def uses(self) -> tuple[Use, ...]:
        return tuple(
            Use(
                labels.purpose_words(self.declaration, name),
                labels.basis_words(self.declaration.purposes[name].basis, is_stopped=self._is_stopped(name)),
                labels.declared_words(self.declaration.purposes[name].interests or ""),
                labels.joined(systems),
                labels.joined(categories) if categories else "",
            )
            for name, (systems, categories) in self._purposes().items()
        )

    def _is_stopped(self, purpose: str) -> bool:
        """True if a choice against *purpose* is recorded, or a flag for it is set in one of the person's rows."""
        if {"", purpose} & set(self.stopped):
            return True
        for part in self.parts:
            table = self.declaration.table_at(part.place)
            mark = table.marks.get(purpose) if table is not None else None
            if mark is None or mark.column not in part.columns:
                continue
            values = [row[part.columns.index(mark.column)] for row in part.rows]
            if any(value not in (None, "") if mark.value == "now" else value == mark.value for value in values):
                return True
        return False

    def bases(self) -> set[Basis | str]:
        """Legal bases of all purposes, plus ``marketing`` if there is a marketing purpose."""
        purposes = [self.declaration.purposes[name] for name in self._purposes()]
        marketing = {"marketing"} if any(covers("marketing", purpose.use) for purpose in purposes) else set()
        return {purpose.basis for purpose in purposes} | marketing

    def profiles(self) -> list[str]:
        return [
            labels.purpose_words(self.declaration, name)
            for name in self._purposes()
            if any(covers(use, self.declaration.purposes[name].use) for use in _PROFILES)
        ]

    def kinds(self) -> tuple[CategoryFact, ...]:
        return tuple(
            CategoryFact(labels.category_words(category), labels.joined(map(self.system, parts)))
            for category, parts in self.categories().items()
        )

    def origins(self) -> tuple[Origin, ...]:
        found: dict[tuple[FieldOrigin, tuple[str, ...]], tuple[list[str], list[str]]] = {}
        for category, parts in self.categories().items():
            for part in parts:
                source = source_of(self.declaration, part, category)
                if source is FieldOrigin.GIVEN:
                    names = [
                        labels.form_words(self.declaration, name)
                        for name in asked_for(self.declaration, part.system, category)
                    ]
                else:
                    declared = self.declaration.notice.sources.values()
                    named = [one for one in declared if any(covers(data, category) for data in one.data)]
                    source = FieldOrigin.NAMED if named else source
                    names = [labels.declared_words(one.title) for one in named]
                categories, systems = found.setdefault((source, tuple(names)), ([], []))
                categories.append(labels.category_words(category))
                systems.append(self.system(part))
        return tuple(
            Origin(_origin(source, names), labels.joined(categories), labels.joined(systems))
            for (source, names), (categories, systems) in sorted(
                found.items(), key=lambda item: (list(FieldOrigin).index(item[0][0]), item[0][1])
            )
        )

    def receivers(self, on: dt.date) -> tuple[RecipientFact, ...]:
        held, here = self.categories(), self.declaration.organisation.country
        found = []
        for name, recipient in self.declaration.recipients.items():
            received = [category for category in held if any(covers(broad, category) for broad in recipient.receives)]
            if received:
                is_abroad = recipient.country != here
                found.append(
                    RecipientFact(
                        labels.recipient_words(self.declaration, name),
                        str(labels.ROLES[recipient.role]),
                        labels.country(recipient.country),
                        labels.joined(map(labels.category_words, received)),
                        recipient.notice if recipient.notice and recipient.notice.startswith("https://") else "",
                        _safeguard(recipient.safeguard, recipient.country, here, on) if is_abroad else "",
                        is_abroad,
                    )
                )
        return tuple(found)


def _role(role: str) -> str:
    known = role_title(role)
    return labels.human(role) if known == role else known


def _filled(part: TableContents) -> list[str]:
    """Categories for which *part* contains a value about the person."""
    filled = [
        category
        for at, category in enumerate(part.categories)
        if category is not None and any(row[at] not in (None, "", WITHHELD) for row in part.rows)
    ]
    return list(dict.fromkeys(filled))


def _empty(contents: Contents, left_out: Sequence[OmittedColumns]) -> list[str]:
    """Systems that were searched without result; data that is left out counts as found."""
    left = {one.place.partition(".")[0] for one in left_out}
    answered = {part.system for part in contents.parts if part.rows} | left | contents.uploads.keys()
    silent = _unanswered(contents)
    return [
        labels.system_words(contents.declaration, name)
        for name, system in contents.declaration.systems.items()
        if name not in answered
        and name not in silent
        and (system.asked or system.store == "task" or is_searchable(contents.declaration, name, contents.kinds))
    ]


def is_searchable(declaration: Declaration, name: str, kinds: Collection[str]) -> bool:
    """True if identifiers of *kinds* can find a person in some table of that system."""
    return any(_is_searched(declaration, place, kinds) for place in _places(declaration, name))


def unsearched(
    declaration: Declaration, systems: Iterable[str], kinds: Collection[str], searched: Collection[str] = ()
) -> list[LeftOutItem]:
    """Parts of *systems* that cannot be searched with identifiers of *kinds*, and why: whole systems, or single tables
    of a partly searchable one. Places in *searched*, whose rows were found, are excluded."""
    missing = list[LeftOutItem]()
    for name in systems:
        places = _places(declaration, name)
        left = [place for place in places if place not in searched and not _is_searched(declaration, place, kinds)]
        if left and left == places:
            missing.append(LeftOutItem(labels.system_words(declaration, name), _searched_by(declaration, left)))
        else:
            missing += [
                LeftOutItem(labels.place_words(declaration, it), _searched_by(declaration, [it])) for it in left
            ]
    return missing


def _places(declaration: Declaration, name: str) -> list[str]:
    """Tables of a system with data about people."""
    tables = declaration.systems[name].tables
    return [f"{name}.{table}" for table, one in tables.items() if one.fields or one.identity or one.mentions]


def _is_searched(declaration: Declaration, place: str, kinds: Collection[str]) -> bool:
    """True if identifiers of *kinds* lead to rows of a place: by one of its columns or, if none names people, by the
    rows of its owners."""
    return not {str(kind) for kind in _kinds(declaration, place)}.isdisjoint(kinds)


def _kinds(declaration: Declaration, place: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """Kinds of identifiers that lead to rows of a place."""
    table = declaration.table_at(place)
    if table is None or place in seen:
        return []
    own = [str(kind) for kind in (*table.identity, *table.mentions)]
    return own or [kind for owner in _owners(place, table) for kind in _kinds(declaration, owner, seen | {place})]


def _owners(place: str, table: Table) -> list[str]:
    system = place.partition(".")[0]
    return [f"{to.system or system}.{to.table}" for to in table.belongs_to.values()]


def _searched_by(declaration: Declaration, places: Sequence[str]) -> str:
    kinds = [str(labels.KINDS[kind]) for place in places for kind in _kinds(declaration, place)]
    if not kinds:
        return labels.unanswered_words("not_possible")
    return gettext("it is searched by: %(kinds)s") % {"kinds": labels.joined(kinds)}


def _unanswered(contents: Contents) -> Mapping[str, str]:
    """Systems that did not answer, including those never asked for this right, with the reason codes."""
    never = {
        name: "right_not_answered"
        for name, system in contents.declaration.systems.items()
        if system.asked is not None and contents.right not in system.asked.answers and name not in contents.uploads
    }
    return {**never, **contents.unanswered}


def _unsearched(contents: Contents, left_out: Sequence[OmittedColumns]) -> list[LeftOutItem]:
    declared, silent = contents.declaration, _unanswered(contents)
    found = {*(part.place for part in contents.parts if part.rows), *(one.place for one in left_out)}
    systems = [name for name, one in declared.systems.items() if one.is_looked_into and name not in silent]
    return unsearched(declared, systems, contents.kinds, found)


def _left_out(held: _Held, left_out: Sequence[OmittedColumns]) -> list[LeftOutItem]:
    found = []
    for left in left_out:
        part = TableContents(left.place, (), (), ())
        named = (labels.column_words(held.declaration, left.place, column) for column in left.columns)
        columns = ", ".join(dict.fromkeys(named))
        title = f"{held.system(part)}, {held.table(part)}: {columns}"
        found.append(LeftOutItem(title, str(labels.WHY_LEFT_OUT[left.why])))
    return found


def _origin(source: FieldOrigin, names: Sequence[str]) -> str:
    if not names:
        return str(labels.SOURCES[source])
    return gettext("%(source)s (%(forms)s)") % {"source": labels.SOURCES[source], "forms": labels.joined(names)}


def _safeguard(name: str | None, there: str, here: str, on: dt.date) -> str:
    """Safeguard for transfers from *here* to *there* (Art. 15(2), 46)."""
    if name:
        return labels.safeguard_words(name)
    eea = places().territories["EEA"].places(on)
    if {there, here} <= eea:
        return gettext("the same law protects the data there (the European Economic Area)")
    if {there, here} <= eea | {"GB"}:
        return labels.safeguard_words("adequacy")
    return gettext("our records name no safeguard; ask us")


def _disclosed(contents: Contents) -> list[Disclosed]:
    return [
        Disclosed(
            labels.recipient_words(contents.declaration, shared.recipient),
            labels.joined(map(labels.category_words, shared.categories)),
            gettext("to answer a request of yours")
            if shared.why == ANSWERING
            else labels.purpose_words(contents.declaration, shared.why),
            labels.moment(shared.at),
        )
        for shared in sorted(contents.shared, key=lambda shared: shared.at)
    ]


def _stay(held: _Held, part: TableContents) -> Stay:
    texts = _lasting(held.declaration, part.place)
    if not texts:
        purposes = purposes_of(held.declaration, part.system, [each for each in part.categories if each])
        needed = "; ".join(labels.purpose_words(held.declaration, name) for name in purposes)
        texts = [
            gettext("No fixed period: as long as we need it for this: %(purposes)s") % {"purposes": needed}
            if purposes
            else gettext("No fixed period: until you ask us to delete it")
        ]
    table = held.declaration.table_at(part.place)
    kept = _kept(held.declaration, part.place, table.keep) if table is not None and table.keep is not None else ""
    return Stay(held.system(part), held.table(part), "; ".join(texts), kept)


def _lasting(declaration: Declaration, place: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """Retention periods of a place: by its own rules or, without any, those of its owners."""
    texts = list[str]()
    for rule in declaration.retention.values():
        if rule.table == place:
            text = labels.lasting_words(declaration, place, rule.for_, rule.from_)
            texts.append(f"{text} ({labels.declared_words(rule.because)})" if rule.because else text)
    table = declaration.table_at(place)
    if texts or table is None or table.keep is not None or place in seen:
        return texts
    for owner in _owners(place, table):
        if inherited := _lasting(declaration, owner, seen | {place}):
            facts = {"owner": labels.place_words(declaration, owner), "period": "; ".join(inherited)}
            return [gettext("Together with this: %(owner)s. That stays for: %(period)s") % facts]
    return []


def _kept(declaration: Declaration, place: str, keep: Keep) -> str:
    facts = {"because": labels.declared_words(keep.because), "cite": keep.cite}
    if keep.for_ is None:
        return gettext("Even if you ask for deletion it stays as long as this holds: %(because)s (%(cite)s)") % facts
    facts["period"] = labels.lasting_words(declaration, place, keep.for_, keep.from_)
    return gettext("Even if you ask for deletion it stays for %(period)s: %(because)s (%(cite)s)") % facts


def _decides(declaration: Declaration) -> str:
    """(h) Statement on automated decisions, as declared."""
    decided = declaration.notice.decisions
    if decided is None:
        return gettext("Our record does not say whether a computer alone decides about people; ask us.")
    if decided == "none":
        return gettext(
            "Our record of what we do with personal data names no decision about people that a computer takes alone."
        )
    return gettext("A computer alone decides this about people: what it looks at, and what follows.")


def _decisions(declaration: Declaration) -> Iterator[str]:
    decided = declaration.notice.decisions
    for one in decided.values() if isinstance(decided, dict) else ():
        yield f"{one.title}: {one.logic}; {one.effect}"


def _rights(bases: set[Basis | str], centre: str) -> list[RightOf]:
    """The rights of Art. 15(1)(e), and those that follow from the legal bases, each with its page in the *centre*."""

    def right(key: str, title: str, text: str) -> RightOf:
        return RightOf(title, text, f"{centre}{key}/" if centre else "")

    found = [
        right(
            "amend",
            gettext("Correct it"),
            gettext("Have what is wrong put right, and what is incomplete completed (Art. 16)."),
        ),
        right(
            "erase", gettext("Delete it"), gettext("Have it deleted; we tell you what the law has us keep (Art. 17).")
        ),
        right(
            "restrict",
            gettext("Pause its use"),
            gettext("Have us keep it and not use it, while something is unclear (Art. 18)."),
        ),
    ]
    if bases & {*_OBJECTIONABLE, "marketing"}:
        text = gettext("Object to a use that rests on our interests, for reasons of your own (Art. 21).")
        if "marketing" in bases:
            text += " " + gettext("Against marketing you need no reason.")
        found.append(right("object", gettext("Object"), text))
    if bases & {Basis.CONSENT, Basis.CONTRACT}:
        text = gettext("Get what you gave us, or what arose from your use, in a form that computers read (Art. 20).")
        found.append(right("port", gettext("Take it with you"), text))
    if Basis.CONSENT in bases:
        text = gettext("Withdraw a consent at any time; what was done before stays lawful (Art. 7(3)).")
        found.append(right("withdraw", gettext("Withdraw your consent"), text))
    found.append(
        right("view", gettext("See it again"), gettext("Ask for a copy again, free of charge (Art. 15, 12(5))."))
    )
    return found

"""The record of processing (GDPR Art. 30), rendered from the declaration and nothing else.

Each field that the article requires is a `RecordItem`: what the declaration says, or what is missing and where it goes.
A record never omits a field and never fills it with a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from troth.declaration import ActedFor, Declaration, Purpose, Recipient
from troth.law import place_name
from troth.law.places import EEA, FREE_FLOW
from troth.reports import relations
from troth.reports.labels import in_words, purpose_title, titles, words

Role = Literal["controller", "processor"]


@dataclass(frozen=True, slots=True)
class MissingDeclaration:
    """Something that is not declared. *path* is its key in ``troth.yaml``."""

    what: str
    path: str
    add: str


@dataclass(frozen=True, slots=True)
class RecordItem:
    """A field that the article requires."""

    field: str
    """A stable machine-readable name: ``purposes``, ``time_limits``."""
    label: str
    cite: str
    says: tuple[str, ...] = ()
    missing: tuple[MissingDeclaration, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessingActivity:
    """A processing activity: a purpose (as controller), or a controller it is done for (as processor)."""

    id: str
    title: str
    lines: tuple[RecordItem, ...]


@dataclass(frozen=True, slots=True)
class ProcessingRecord:
    """The record for one role. *head* identifies who keeps it; *declaration* is the hash of the declaration it was
    rendered from."""

    role: Role
    article: str
    organisation: str
    head: tuple[RecordItem, ...]
    activities: tuple[ProcessingActivity, ...]
    declaration: str

    @property
    def missing(self) -> tuple[MissingDeclaration, ...]:
        """Everything that is missing, without duplicates, in the order of the record."""
        lines = (*self.head, *(line for activity in self.activities for line in activity.lines))
        return tuple(dict.fromkeys(gap for line in lines for gap in line.missing))


def record_of(declaration: Declaration, role: Role) -> ProcessingRecord:
    """The complete record for *role*; gaps are listed as missing."""
    article = "Art. 30(1)" if role == "controller" else "Art. 30(2)"
    activities = _purposes(declaration) if role == "controller" else _customers(declaration)
    return ProcessingRecord(
        role, article, declaration.organisation.name, tuple(_head(declaration, role, article)), tuple(activities),
        declaration.hash,
    )  # fmt: skip


# --- head of the record ---------------------------------------------------------------------------------------------


def _head(declaration: Declaration, role: Role, article: str) -> Iterator[RecordItem]:
    us, cite = declaration.organisation, f"{article}(a)"
    if not _is_reached(declaration):
        yield RecordItem("scope", "Scope", "Art. 3", (_UNREACHED,))
    number = [f"registered under {us.number}"] if us.number else []
    says = (
        us.name,
        us.address,
        f"established in {place_name(us.country)}",
        us.email,
        *([us.phone] if us.phone else []),
        *number,
    )
    yield RecordItem(role, f"The {role}", cite, says)
    if role == "controller":
        joint = (
            f"{one.name}, {one.address or place_name(one.country)}, {one.email}"
            + (f" (for {', '.join(one.purposes)})" if one.purposes else "")
            for one in us.joint_controllers.values()
        )
        yield RecordItem("joint_controllers", "Joint controllers", cite, tuple(joint) or ("None is declared.",))
    yield _representative(declaration, cite)
    officer = us.officer
    said = [officer.email, *([f"deputy: {officer.deputy}"] if officer.deputy else [])] if officer else _NO_OFFICER
    yield RecordItem("officer", "Data-protection officer", cite, tuple(said))


_NO_OFFICER = ["None is declared (Art. 37 says who needs one)."]
_UNREACHED = (
    "The GDPR is not declared to apply: we are established outside the United Kingdom and the European Economic Area, "
    "and 'requests.serves' names no place there."
)


def _is_reached(declaration: Declaration) -> bool:
    """True if the company is established where the GDPR or the UK GDPR is law, or serves people there."""
    places = (declaration.organisation.country, *declaration.requests.serves)
    return any(place[:2] in FREE_FLOW for place in places)


def _representative(declaration: Declaration, cite: str) -> RecordItem:
    """A company that serves the EEA or the UK without being established there needs a representative there (Art.
    27)."""
    us, label = declaration.organisation, "Representative"
    if us.representative is not None:
        one = us.representative
        return RecordItem("representative", label, cite, (f"{one.name}, {one.address}, {one.email}",))
    abroad = _served_from_outside(declaration)
    if abroad:
        gap = MissingDeclaration(
            f"a representative in {abroad}", "organisation.representative", "name, address, email (Art. 27)"
        )
        return RecordItem("representative", label, cite, (), (gap,))
    where = "where we are established" if us.country in FREE_FLOW else "where the GDPR is not declared to apply"
    return RecordItem("representative", label, cite, (f"None is declared, and none is needed {where}.",))


def _served_from_outside(declaration: Declaration) -> str:
    """The parts of the EEA and the UK that are served from outside, in words; empty if none."""
    here, serves = declaration.organisation.country, {place[:2] for place in declaration.requests.serves}
    eea = EEA
    uk = ["the United Kingdom"] if here != "GB" and "GB" in serves else []
    return " and ".join([*uk, *(["the European Union"] if here not in eea and serves & eea else [])])


# --- a controller's activities --------------------------------------------------------------------------------------


def _purposes(declaration: Declaration) -> Iterator[ProcessingActivity]:
    for name, purpose in declaration.purposes.items():
        if purpose.role == "controller":
            lines = _purpose_lines(declaration, name, purpose)
            yield ProcessingActivity(name, purpose_title(purpose), tuple(lines))


def _purpose_lines(declaration: Declaration, name: str, purpose: Purpose) -> Iterator[RecordItem]:
    cite, categories = "Art. 30(1)", relations.held_for(declaration, name)
    recipients = relations.receive(declaration, categories, [name])
    yield RecordItem("purposes", "Purpose", f"{cite}(b)", (purpose_title(purpose),))
    basis = words("bases")[purpose.basis] + (f": {purpose.interests}" if purpose.interests else "")
    yield RecordItem("basis", "Legal basis", "Art. 6(1)", (basis,))
    yield _subjects(declaration, name, purpose, f"{cite}(c)")
    yield RecordItem("categories", "Categories of personal data", f"{cite}(c)", tuple(titles(categories)))
    yield RecordItem("recipients", "Categories of recipients", f"{cite}(d)", tuple(_recipients(recipients)) or _NOBODY)
    yield _transfers(declaration, recipients, relations.serve(declaration, name), f"{cite}(e)")
    yield _time_limits(declaration, name, f"{cite}(f)")
    yield _security(declaration, f"{cite}(g)")


_NOBODY = ("Nobody outside the company.",)


def _subjects(declaration: Declaration, name: str, purpose: Purpose, cite: str) -> RecordItem:
    who, label = tuple(relations.subjects_of(declaration, name, purpose)), "Categories of data subjects"
    gap = MissingDeclaration(f"whose data {name} uses", f"purposes.{name}.subjects", "such as [customers, employees]")
    return RecordItem("subjects", label, cite, who, () if who else (gap,))


def _recipients(recipients: dict[str, Recipient]) -> Iterator[str]:
    for name, one in recipients.items():
        what = in_words(one.receives)
        yield f"{one.title or name}, {words('roles')[one.role]} in {place_name(one.country)}: {what}"


def _transfers(
    declaration: Declaration, recipients: dict[str, Recipient], systems: Iterable[str], cite: str
) -> RecordItem:
    """Transfers out of the EEA and the UK, from wherever the company is (Art. 44). A missing safeguard is reported only
    if the GDPR or the UK GDPR is declared to apply."""
    is_reached, our_own = _is_reached(declaration), declaration.organisation.country
    says, gaps = list[str](), list[MissingDeclaration]()
    for name, one in recipients.items():
        if one.country in FREE_FLOW:
            continue
        rests = words("safeguards").get(one.safeguard or "", one.safeguard or "")
        says.append(f"{place_name(one.country)} ({one.title or name})" + (f", on {rests}" if rests else ""))
        path = f"recipients.{name}"
        if not is_reached:
            continue
        if not one.safeguard:
            gaps.append(
                MissingDeclaration(f"what lets data go to {one.title or name}", f"{path}.safeguard", "Art. 44-49")
            )
        elif one.safeguard == "compelling_interests" and not one.assessed:
            gaps.append(
                MissingDeclaration(f"the assessment of the transfer to {one.title or name}", f"{path}.assessed", cite)
            )
        elif one.assessed:
            says[-1] += f"; assessed in {one.assessed}"
    for name in systems:
        country = declaration.systems[name].country or our_own
        if country not in FREE_FLOW:
            where = ", where we are established" if country == our_own else ""
            says.append(f"{place_name(country)} (the system {declaration.systems[name].title or name}){where}")
    within = ("None outside the United Kingdom and the European Economic Area.",)
    return RecordItem("transfers", "Transfers to third countries", cite, tuple(says) or within, tuple(gaps))


def _time_limits(declaration: Declaration, name: str, cite: str) -> RecordItem:
    says, gaps = list[str](), list[MissingDeclaration]()
    found = list(relations.periods(declaration, name))
    for place, period, because in found:
        if period:
            says.append(f"{place}: {period}" + (f", because {because}" if because else ""))
        else:
            system = declaration.systems.get(place)
            path = f"systems.{place}.asked.retain" if system and system.asked else "retention"
            gaps.append(MissingDeclaration(f"how long {place} is kept", path, f"a rule for {place}"))
    if not found:
        path = f"systems.NAME.purposes: [{name}]"
        gaps.append(MissingDeclaration(f"which system serves {name}, and for how long", path, "name the purpose there"))
    return RecordItem("time_limits", "Time limits for erasure", cite, tuple(says), tuple(gaps))


def _security(declaration: Declaration, cite: str) -> RecordItem:
    says = [*declaration.security, *_measured(declaration)]
    gap = MissingDeclaration(
        "a general description of the security measures", "security", "a list of sentences (Art. 32(1))"
    )
    return RecordItem("security", "Security measures", cite, tuple(says), () if declaration.security else (gap,))


def _measured(declaration: Declaration) -> Iterator[str]:
    """Security measures declared elsewhere in the declaration and verified by controls."""
    uses = [
        use for system in declaration.systems.values() for table in system.tables.values()
        for use in table.fields.values()
    ]  # fmt: skip
    sealed, tokens = sum(bool(use.sealed) for use in uses), sum(use.token is not None for use in uses)
    if sealed:
        yield f"{sealed} of {len(uses)} fields are sealed (encrypted one by one)."
    if tokens:
        yield f"{tokens} of {len(uses)} fields hold tokens in place of the values."
    if declaration.access is not None:
        yield f"At most {declaration.access.ceiling} accounts and people may see personal data."


# --- a processor's activities ---------------------------------------------------------------------------------------


def _customers(declaration: Declaration) -> Iterator[ProcessingActivity]:
    """An activity per controller that we act for, and one for purposes without a named controller."""
    ours = [name for name, purpose in declaration.purposes.items() if purpose.role == "processor"]
    told = set[str]()
    for name, one in declaration.controllers.items():
        done = [purpose for purpose in (one.purposes or ours) if purpose in ours]
        told.update(done)
        yield ProcessingActivity(name, one.name, tuple(_customer_lines(declaration, name, one, done)))
    left = [name for name in ours if name not in told]
    if left:
        yield ProcessingActivity(
            "unnamed", "Controllers who are not named", tuple(_customer_lines(declaration, "", None, left))
        )


def _customer_lines(
    declaration: Declaration, name: str, customer: ActedFor | None, done: list[str]
) -> Iterator[RecordItem]:
    cite, label = "Art. 30(2)", "The controller"
    if customer is None:
        gap = MissingDeclaration(
            f"for whom {', '.join(done)} is done", "controllers", "name, country, address, email of each"
        )
        yield RecordItem("for_controller", label, f"{cite}(a)", (), (gap,))
    else:
        gap = MissingDeclaration(
            f"the address of {customer.name}", f"controllers.{name}.address", "where it is established"
        )
        says = (
            customer.name,
            *([customer.address] if customer.address else []),
            f"established in {place_name(customer.country)}",
            customer.email,
        )
        yield RecordItem("for_controller", label, f"{cite}(a)", says, () if customer.address else (gap,))
        who = customer.representative
        spoken = (f"{who.name}, {who.address}, {who.email}",) if who else ("None is declared.",)
        yield RecordItem("for_representative", "Its representative", f"{cite}(a)", spoken)
        yield RecordItem(
            "for_officer", "Its data-protection officer", f"{cite}(a)", (customer.officer or "None is declared.",)
        )
    categories = {purpose: relations.held_for(declaration, purpose) for purpose in done}
    says = tuple(
        f"{purpose_title(declaration.purposes[purpose])}: " + in_words(held) for purpose, held in categories.items()
    )
    gap = MissingDeclaration(
        f"what is done for {name}", f"controllers.{name}.purposes", "a purpose with 'role: processor'"
    )
    yield RecordItem("processing", "Categories of processing", f"{cite}(b)", says, () if says else (gap,))
    recipients = relations.receive(declaration, [each for held in categories.values() for each in held], done)
    systems = [each for purpose in done for each in relations.serve(declaration, purpose)]
    yield _transfers(declaration, recipients, dict.fromkeys(systems), f"{cite}(c)")
    yield _security(declaration, f"{cite}(d)")

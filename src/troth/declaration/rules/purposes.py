"""Purposes: whether all data that is held, collected and passed on serves one, and lawfully."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.purposes import OBJECTABLE, Basis, Sharing
from troth.declaration.rules.column_roles import columns, leads_in
from troth.declaration.rules.placeholders import NO_COUNTRY
from troth.declaration.rules.problem import Faults, UnplacedProblem, asked_categories, listed, places
from troth.declaration.taxonomy import covers, is_category
from troth.law.places import FREE_FLOW
from troth.text import nearest


def _purposes(declaration: Declaration) -> Faults:
    """Held data has a purpose (GDPR Art. 5(1)(b)), and a purpose has data."""
    held = held_categories(declaration)
    data = {category for purpose in declaration.purposes.values() for category in purpose.data}
    for category, path in held.items():
        if covers("user", category) and not any(covers(broad, category) for broad in data):
            fix = f"add it, or a broader one, to the data of a purpose: {listed(declaration.purposes) or 'none yet'}"
            yield UnplacedProblem("category-without-purpose", path, f"no purpose needs '{shown(category)}'", fix)
    for name, purpose in declaration.purposes.items():
        if purpose.basis is Basis.LEGITIMATE_INTERESTS and not purpose.interests:
            # GDPR Art. 13(1)(d)
            fix = "add 'interests: …', in words that the person understands"
            yield UnplacedProblem(
                "interests-missing", ("purposes", name), "the legitimate interests are not declared", fix
            )
        if purpose.basis is Basis.RECOGNISED_LEGITIMATE_INTERESTS and declaration.organisation.country != "GB":
            message = "recognised legitimate interests are a basis only under the UK GDPR"
            yield UnplacedProblem("basis-elsewhere", ("purposes", name, "basis"), message, "choose another basis")
        if purpose.objection == "automatic" and purpose.basis not in OBJECTABLE:
            message = f"there is no right to object to the basis '{purpose.basis.value}' (GDPR Art. 21(1))"
            yield UnplacedProblem("objection-basis", ("purposes", name, "objection"), message, "remove 'objection'")
        yield from _unheld(declaration, ("purposes", name, "data"), purpose.data, held)


def held_categories(declaration: Declaration) -> dict[str, tuple[str, ...]]:
    """Each known category that is held, with its first place."""
    held: dict[str, tuple[str, ...]] = {}
    for place in places(declaration):
        for column, use in place.table.fields.items():
            if use.category not in held and is_category(use.category):
                held[use.category] = place.path("fields", column)
    for path, category in asked_categories(declaration):
        if is_category(category):
            held.setdefault(category, path)
    return held


def _unheld(
    declaration: Declaration, path: tuple[str, ...], named: Iterable[str], held: dict[str, tuple[str, ...]]
) -> Faults:
    """The *named* categories that nothing holds. A system that declares none of its data may hold anything."""
    if any(not system.tables and not (system.asked and system.asked.holds) for system in declaration.systems.values()):
        return
    for index, category in enumerate(named):
        if is_category(category) and not any(covers(category, one) or covers(one, category) for one in held):
            fix = "declare the field that holds it, or remove it"
            message = f"no table holds '{shown(category)}'"
            yield UnplacedProblem("category-unheld", (*path, str(index)), message, fix, Severity.WARNING)


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
                fix = meant(nearest(purpose, declaration.purposes), "declare it under 'purposes'")
                at = (*path, "purposes", str(index))
                yield UnplacedProblem("purpose-unknown", at, f"no purpose '{shown(purpose)}'", fix)


def _collection(declaration: Declaration) -> Faults:
    """A form collects what its purposes need, and no more (GDPR Art. 5(1)(c))."""
    for name, point in declaration.collection_points.items():
        known = [declaration.purposes[purpose] for purpose in point.purposes if purpose in declaration.purposes]
        data = {category for purpose in known for category in purpose.data}
        for column, collected in point.fields.items():
            category = collected.category
            if category is None or not is_category(category) or len(known) < len(point.purposes):
                continue
            if not any(covers(broad, category) for broad in data):
                path = ("collection_points", name, "fields", column)
                fix = "remove the field, or declare the purpose that needs it"
                message = f"no purpose needs '{shown(category)}'"
                yield UnplacedProblem("collect-needless", path, message, fix, Severity.WARNING)


def _recipients(declaration: Declaration) -> Faults:
    """A transfer out of the UK and the EEA has a safeguard (GDPR Art. 44-46); a processor has a contract (Art. 28)."""
    held = held_categories(declaration)
    at_home = FREE_FLOW | {declaration.organisation.country}
    for name, recipient in declaration.recipients.items():
        path = ("recipients", name)
        if recipient.country not in at_home and recipient.country not in NO_COUNTRY and not recipient.safeguard:
            message = f"data goes to {recipient.country}, and no safeguard is declared"
            yield UnplacedProblem(
                "safeguard-missing", path, message, "add 'safeguard: …': adequacy, scc, idta, dpf, uk_bridge"
            )
        if recipient.role is Sharing.PROCESSOR and not recipient.contract:
            fix = "add 'contract: …', the place where it is kept"
            yield UnplacedProblem("contract-missing", path, "no processing contract is declared", fix, Severity.WARNING)
        yield from _unheld(declaration, (*path, "receives"), recipient.receives, held)


def _feeds(declaration: Declaration) -> Faults:
    """A feed shows whose data goes to a recipient: through rows of a declared table that lead to a person and hold data
    that the recipient receives, and through declared columns."""
    known = {
        f"{place.system}.{place.name}": place
        for place in places(declaration)
        if declaration.systems[place.system].is_looked_into
    }
    for name, recipient in declaration.recipients.items():
        if (feed := recipient.feed) is None:
            continue
        path = ("recipients", name, "feed")
        place = known.get(feed.table)
        if place is None:
            fix = meant(nearest(feed.table, known), "write 'system.table', a declared table that Troth reads")
            yield UnplacedProblem("feed-table", (*path, "table"), f"no table '{shown(feed.table)}'", fix)
            continue
        if not leads_in(place.table):
            message = f"no link leads from a person to the rows of '{shown(feed.table)}'"
            fix = "declare whose they are: belongs_to, identity or mentions"
            yield UnplacedProblem("feed-nobody", (*path, "table"), message, fix)
        received = [use.category for use in place.table.fields.values() if _meet(use.category, recipient.receives)]
        if not received:
            fix = f"give the table that holds it, or add what is sent to recipients.{shown(name)}.receives"
            message = f"'{shown(feed.table)}' holds nothing that '{shown(name)}' receives"
            yield UnplacedProblem("feed-nothing", (*path, "table"), message, fix)
        start = place.table.keep.from_ if place.table.keep is not None else None
        declared = columns(place.table) | ({start} if start else set())
        for column in feed.where:
            if column not in declared:
                fix = meant(nearest(column, declared), f"declare it in '{shown(feed.table)}': fields or ignore")
                message = f"no declared column '{shown(column)}' in '{shown(feed.table)}'"
                yield UnplacedProblem("feed-column", (*path, "where", column), message, fix)


def _meet(category: str, received: Iterable[str]) -> bool:
    return any(covers(broad, category) or covers(category, broad) for broad in received)


def _cookies(declaration: Declaration) -> Faults:
    """A cookie lives for the session or a period."""
    for name, cookie in declaration.cookies.items():
        try:
            _ = cookie.period
        except ValueError:
            message = "neither 'session' nor a period"
            yield UnplacedProblem(
                "cookie-lifetime", ("cookies", name, "lifetime"), message, "such as 'session' or '30 days'"
            )


RULES: Final = (_purposes, _purpose_names, _collection, _recipients, _feeds, _cookies)

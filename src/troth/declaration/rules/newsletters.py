"""Newsletters: whether each has a purpose of its own, and an audience that can be read."""

from __future__ import annotations

from typing import Final

from troth.declaration.model import Declaration
from troth.declaration.newsletters import Newsletter
from troth.declaration.problems import meant, shown
from troth.declaration.purposes import Basis
from troth.declaration.rules.column_roles import columns
from troth.declaration.rules.problem import Faults, UnplacedProblem, places
from troth.text import nearest


def _newsletters(declaration: Declaration) -> Faults:
    by_purpose: dict[str, str] = {}
    for name, newsletter in declaration.newsletters.items():
        path = ("newsletters", name)
        if newsletter.purpose not in declaration.purposes:
            fix = meant(nearest(newsletter.purpose, declaration.purposes), "declare it under 'purposes'")
            message = f"no purpose '{shown(newsletter.purpose)}'"
            yield UnplacedProblem("newsletter-purpose", (*path, "purpose"), message, fix)
        elif (other := by_purpose.setdefault(newsletter.purpose, name)) != name:
            message = f"'{shown(other)}' has this purpose too, so that to stop one would stop both"
            yield UnplacedProblem("newsletter-shared", (*path, "purpose"), message, "give each a purpose of its own")
        yield from _audience(declaration, path, newsletter)
        yield from _tracking(declaration, path, newsletter)


def _tracking(declaration: Declaration, path: tuple[str, ...], newsletter: Newsletter) -> Faults:
    name, others = newsletter.tracking_purpose, declaration.newsletters.values()
    path = (*path, "tracking_purpose")
    if name is None:
        if newsletter.statistics != "none":
            fix = "declare a purpose with 'basis: consent', and name it: tracking_purpose: …"
            yield UnplacedProblem("newsletter-tracking", path[:-1], "statistics need a purpose of their own", fix)
    elif (purpose := declaration.purposes.get(name)) is None:
        fix = meant(nearest(name, declaration.purposes), "declare it under 'purposes'")
        yield UnplacedProblem("newsletter-tracking", path, f"no purpose '{shown(name)}'", fix)
    elif purpose.basis is not Basis.CONSENT:
        # ePrivacy Art. 5(3), PECR reg 6: the image is fetched, and the link followed, from the reader's device.
        message = f"'{shown(name)}' does not rest on consent, without which nothing may be counted"
        yield UnplacedProblem("newsletter-tracking", path, message, "write 'basis: consent' there, or name another")
    elif any(name == other.purpose for other in others):
        message = f"'{shown(name)}' is the purpose of a newsletter, and who wants that has not agreed to be counted"
        yield UnplacedProblem("newsletter-tracking", path, message, "give the counting a purpose of its own")
    elif any(other.tracking_purpose not in (None, name) for other in others):
        message = "another newsletter names another purpose, and people are asked once"
        yield UnplacedProblem("newsletter-tracking", path, message, "name the same in all of them")


def _audience(declaration: Declaration, path: tuple[str, ...], newsletter: Newsletter) -> Faults:
    audience = newsletter.audience
    known = {
        f"{place.system}.{place.name}": place
        for place in places(declaration)
        if declaration.systems[place.system].is_looked_into
    }
    place = known.get(audience.table)
    if place is None:
        fix = meant(nearest(audience.table, known), "write 'system.table', a declared table that Troth reads")
        message = f"no table '{shown(audience.table)}'"
        yield UnplacedProblem("newsletter-table", (*path, "audience", "table"), message, fix)
        return
    declared = columns(place.table)
    named = [("email", audience.email), *(("where", column) for column in audience.where)]
    named += [("consent", audience.consent)] if audience.consent else []
    for part, column in [*named, *(("values", column) for column in audience.values)]:
        if column not in declared:
            fix = meant(nearest(column, declared), f"declare it in '{shown(audience.table)}': fields or ignore")
            message = f"no declared column '{shown(column)}' in '{shown(audience.table)}'"
            yield UnplacedProblem("newsletter-column", (*path, "audience", part), message, fix)
    addresses = [one.column for one in (*place.table.identity.values(), *place.table.mentions.values())]
    if audience.email in declared and audience.email not in addresses:
        fix = f"name it there: identity or mentions: {{email: {shown(audience.email)}}}"
        message = f"no request about a person finds '{shown(audience.email)}' in '{shown(audience.table)}'"
        yield UnplacedProblem("newsletter-email", (*path, "audience", "email"), message, fix)


RULES: Final = (_newsletters,)

"""The console: its navigation and the figures of its first page, as far as the person behind a request may see them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext

from troth.service.core.deployment import NoDeployment
from troth.service.duty import listed, named
from troth.service.staff.effective_rights import EffectiveRights
from troth.service.staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class ConsoleLink:
    """A link to a console page, in the reader's language."""

    name: str
    title: str
    about: str
    href: str
    group: str


@dataclass(frozen=True, slots=True)
class ConsoleFigure:
    """A number of the first page: how many rows the list at the URL *name* has under the filter *query*. *is_bad* if it
    should be zero; *anchor* is the id of the list on its page."""

    title: str
    number: int
    name: str
    query: Mapping[str, str] = field(default_factory=dict)
    is_bad: bool = False
    anchor: str = ""

    @property
    def href(self) -> str:
        query, anchor = f"?{urlencode(self.query)}" if self.query else "", f"#{self.anchor}" if self.anchor else ""
        return reverse(self.name) + query + anchor


def pages_for(standing: EffectiveRights) -> Iterator[ConsoleLink]:
    """Existing pages that somebody with this *standing* may open, in the order of the navigation."""
    for page in sorted(listed("console"), key=lambda page: page.place):
        if page.rights and not any(standing.may(right) for right in page.rights):
            continue
        try:
            href = reverse(page.name)
        except NoReverseMatch:
            continue
        about, group = (gettext(text) if text else "" for text in (page.about, page.group))
        yield ConsoleLink(page.name, gettext(page.title), about, href, group)


def grouped(links: Iterable[ConsoleLink]) -> Mapping[str, Sequence[ConsoleLink]]:
    """The groups of *links* by title, each at the place of its first page; a link that stands alone has its own."""
    groups = dict[str, list[ConsoleLink]]()
    for link in links:
        groups.setdefault(link.group or link.title, []).append(link)
    return groups


def figures_for(request: HttpRequest) -> list[ConsoleFigure]:
    """Figures of all duties that the sender of *request* may see, in the order of the pages that they lead to. Those
    that need the declaration or the policy are left out while it cannot be read."""
    places = {page.name: page.place for page in listed("console")}
    known = list[ConsoleFigure]()
    for figures in named("console_figures"):
        with contextlib.suppress(NoDeployment):
            known.extend(figures(request))
    return sorted(known, key=lambda figure: places[figure.name])


def member_names(pseudonyms: Iterable[str]) -> Callable[[str], str]:
    """A function that names each of these members, and says of others that they left. One query."""
    members = StaffMember.objects.filter(pseudonym__in=set(pseudonyms)).select_related("user")
    names = {member.pseudonym: member.user.get_username() for member in members}
    return lambda pseudonym: names.get(pseudonym) or gettext("somebody who left")

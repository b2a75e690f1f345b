"""Console pages: navigation entries for those who may open them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext

from troth.service.duty import listed
from troth.service.staff.effective_rights import EffectiveRights


@dataclass(frozen=True, slots=True)
class ConsoleLink:
    """A link to a console page, in the reader's language."""

    name: str
    title: str
    about: str
    href: str


def pages_for(standing: EffectiveRights) -> Iterator[ConsoleLink]:
    """Existing pages that somebody with this *standing* may open, in the order of the navigation."""
    for page in sorted(listed("console"), key=lambda page: page.place):
        if page.rights and not any(standing.may(right) for right in page.rights):
            continue
        try:
            href = reverse(page.name)
        except NoReverseMatch:
            continue
        yield ConsoleLink(page.name, gettext(page.title), gettext(page.about) if page.about else "", href)

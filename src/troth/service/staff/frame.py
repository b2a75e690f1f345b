"""The console's pages by name: what stands in its navigation, for those who may open it.

A duty that has staff pages adds a line to `PAGES`, in the order in which people should meet them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from troth.service.staff.rights import Right
from troth.service.staff.standing import Standing


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console: the name of its address, its title, and the rights that open it (any; none: everyone)."""

    name: str
    title: str | Promise
    rights: tuple[Right, ...] = ()
    about: str | Promise = ""

    @property
    def href(self) -> str:
        """Its address. Raises `NoReverseMatch` where no duty has built it."""
        return reverse(self.name)


PAGES: tuple[Page, ...] = (
    Page("console", _("Console")),
    Page("cases", _("Requests"), (Right.CASES_HANDLE, Right.CASES_APPROVE), _("Requests, complaints and questions.")),
    Page("search", _("Search"), (Right.PERSONAL_SEE,), _("Find a person, for a declared purpose.")),
    Page("tasks", _("Tasks"), (Right.CASES_HANDLE,), _("What people have to do by hand.")),
    Page("holds", _("Holds"), (Right.HOLDS_MANAGE,), _("What must not be deleted.")),
    Page("disclosures", _("Disclosures"), (Right.DISCLOSURES_SEE,), _("What went to whom.")),
    Page(
        "controls",
        _("Controls"),
        (Right.EVIDENCE_READ, Right.CASES_HANDLE),
        _("What fails, and whose word has to be renewed."),
    ),
    Page("processing", _("Processing"), (Right.EVIDENCE_READ,), _("Where the data goes, and the evidence.")),
    Page("work", _("Work queue"), (Right.CASES_HANDLE, Right.EVIDENCE_READ), _("Whether everything runs.")),
    Page("officer", _("In confidence"), (Right.OFFICER,), _("What was told to the data-protection officer.")),
    Page("staff", _("Staff"), (Right.STAFF_MANAGE, Right.OFFICER), _("Who works here, and what each may do.")),
    Page("review", _("Access review"), (Right.STAFF_MANAGE,), _("Say of each grant whether it is still needed.")),
    Page("tokens", _("API tokens"), (Right.API_MANAGE,), _("Programs that may ask for something.")),
)


def pages_for(standing: Standing) -> Iterator[Page]:
    """The pages that are there and that somebody with this *standing* may open."""
    for page in PAGES:
        if page.rights and not any(standing.may(right) for right in page.rights):
            continue
        try:
            page.href  # noqa: B018 - whether there is such an address
        except NoReverseMatch:
            continue
        yield page

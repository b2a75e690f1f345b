"""Mailed links of cases: which kinds there are of each case, and the case that a visitor has opened with one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from troth.service.cases.duty import AGENT_LINK, PACKAGE_LINK, PROVE_LINK, STATUS_LINK
from troth.service.cases.models import Case
from troth.service.core.deployment import Deployment
from troth.service.duty import LinkKind
from troth.service.portal import links
from troth.service.portal.models import MailedLink

PROVING = (PROVE_LINK, AGENT_LINK)
"""Links that are mailed before a case is known to be the person's."""
PERSONAL = (*PROVING, PACKAGE_LINK)
"""Links that give access to personal data: to open one shows who reads the e-mails of the person's address. A status
link gives none, because it may be in an old e-mail."""


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case, and the link by which a visitor has opened it."""

    case: Case
    link: MailedLink

    @property
    def is_inside(self) -> bool:
        """True if the link gives access to personal data."""
        return links.kind_of(self.link) in PERSONAL


def opened_by(link: MailedLink) -> OpenedCase:
    """The case that *link* is about."""
    return OpenedCase(Case.objects.select_related("key").get(pk=link.matter), link)


def make(case: Case, kind: LinkKind, *, now: dt.datetime, lasts: dt.timedelta | None = None) -> str:
    """Create a link of *case* in the caller's transaction. Returns its secret."""
    return links.make(kind, case.pk, language=case.language, now=now, lasts=lasts)


def make_all(cases: Sequence[Case], kind: LinkKind, *, now: dt.datetime) -> list[str]:
    """`make` for each of *cases*."""
    return links.make_all(kind, [(case.pk, case.language) for case in cases], now=now)


def status_address(case: Case, deployment: Deployment, *, now: dt.datetime) -> str:
    """The URL of a new link to the status of *case*."""
    return links.address_of(make(case, STATUS_LINK, now=now), deployment)


def links_of(cases: Any, *kinds: LinkKind) -> QuerySet[MailedLink]:
    """The links of *kinds* of *cases*: primary keys, or an expression for them."""
    return MailedLink.objects.filter(kind__in=[kind.name for kind in kinds], matter__in=cases)


@receiver(pre_delete, sender=Case)
def _delete_links(instance: Case, **_: object) -> None:
    links_of([instance.pk], *PERSONAL, STATUS_LINK).delete()

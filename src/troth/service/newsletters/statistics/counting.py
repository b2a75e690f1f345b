"""Counts how often an edition was opened and its links were followed. Nobody is named, and no time is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import F
from django.http import HttpRequest

from troth.declaration import Declaration
from troth.declaration.newsletters import Newsletter
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk.kinds import EditionRecipient
from troth.service.mail.models import Edition
from troth.service.newsletters.editions.text import EditionText, links_in
from troth.service.newsletters.models import ReadCount
from troth.service.newsletters.statistics.links import IMAGE
from troth.service.preferences.actions import may_named
from troth.service.preferences.rules import Reason

K = 10
"""Fewer people, openings or clicks than these are not shown as a figure."""
_PROGRAM = re.compile(
    r"bot\b|crawl|spider|scan|preview|prefetch|proofpoint|mimecast|barracuda|safelinks|python|curl|wget|java/|go-http",
    re.I,
)


def tracking_purpose(declaration: Declaration) -> str:
    """The purpose for which reading may be counted; empty if no newsletter does that."""
    names = (it.tracking_purpose for it in declaration.newsletters.values() if it.statistics == "aggregate")
    return next((name for name in names if name), "")


def tracking_of(edition: Edition, newsletter: Newsletter) -> str:
    """The purpose for which the reading of *edition* may be counted; empty if it may not, or was not planned so."""
    planned = str(edition.content.get("tracking", ""))
    return planned if newsletter.statistics == "aggregate" and newsletter.tracking_purpose == planned else ""


def with_consent(
    recipients: Sequence[EditionRecipient | None], tracking: str, deployment: Deployment
) -> list[EditionRecipient | None]:
    """*recipients*, those who have consented to the purpose *tracking* with it."""
    if not tracking:
        return list(recipients)
    named = [recipient.fingerprint for recipient in recipients if recipient is not None]
    permissions = zip(named, may_named(named, tracking, deployment), strict=True)
    given = {name for name, permission in permissions if permission.reason == Reason.GIVEN}
    return [
        replace(recipient, tracking=tracking) if recipient is not None and recipient.fingerprint in given else recipient
        for recipient in recipients
    ]


def note(edition: int, number: int, declaration: Declaration) -> None:
    """Count that the link *number* of an edition was followed, if its newsletter counts that still."""
    row = Edition.objects.exclude(state=Edition.State.DRAFT).filter(pk=edition).first()
    newsletter = declaration.newsletters.get(row.about.partition(":")[2]) if row is not None else None
    if row is None or newsletter is None or not tracking_of(row, newsletter):
        return
    ReadCount.objects.bulk_create([ReadCount(edition=row, number=number, count=0)], ignore_conflicts=True)
    ReadCount.objects.filter(edition=row, number=number).update(count=F("count") + 1)


def is_by_program(request: HttpRequest) -> bool:
    """Whether a link is fetched by a scanner, a preview or another program that says so. What it says is not kept."""
    told = " ".join(request.headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Moz"))
    agent = request.headers.get("User-Agent", "")
    return request.method != "GET" or "prefetch" in told.lower() or not agent or bool(_PROGRAM.search(agent))


@dataclass(frozen=True, slots=True)
class ReadFigure:
    """How often the page at *url* was opened from an edition, or the edition itself (without one): a multiple of ten,
    or None for fewer."""

    url: str
    at_least: int | None


def figures(edition: Edition) -> list[ReadFigure]:
    """Figures of an edition; none if fewer than ten people consented to be counted."""
    if "tracking" not in edition.content or edition.deliveries.filter(is_counted=True, state="sent").count() < K:
        return []
    counts = dict(ReadCount.objects.filter(edition=edition).values_list("number", "count"))
    urls = links_in(EditionText(edition.content["subject"], edition.content["markdown"]))
    # Multiples of ten: a figure that grows by one would show an observer that somebody reads now.
    return [ReadFigure(url, counts.get(at, 0) // K * K or None) for at, url in enumerate(["", *urls], IMAGE)]

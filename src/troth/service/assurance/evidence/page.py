"""``index.html`` of an archive: a regulator's starting point, offline and printable. The other files hold more."""

from __future__ import annotations

import datetime as dt
from typing import Final

from troth.controls import Status
from troth.reports import VERDICTS, as_svg, picture_of, record_of
from troth.reports.base import html_page
from troth.service.assurance.evidence.gather import Gathered
from troth.service.core.models import Retraction

_CHANGES_MAX: Final = 12
"""Latest changes shown per promise; ``promises.json`` has all."""
_SAYS: Final = {
    Status.KEPT: "every control passed at its last check, observed everything in its scope, and is recent enough",
    Status.STATED: "a named person attests it for a limited time; it is not measured",
    Status.WAIVED: "broken, and somebody other than the owner accepted that until a date",
    Status.UNPROVEN: (
        "not checked, checked too long ago or only in part, the check failed to run, or there is nothing to check yet"
    ),
    Status.BROKEN: "a control failed",
}


def index(gathered: Gathered) -> str:
    """The page. It needs no other file, network or script."""
    declaration = gathered.deployment.declaration
    return html_page(
        "service/assurance/evidence/index.html",
        f"Evidence archive: {declaration.organisation.name}",
        gathered=gathered,
        declaration=declaration,
        us=declaration.organisation,
        statuses=_SAYS,
        changes_max=_CHANGES_MAX,
        records=[record_of(declaration, "controller"), record_of(declaration, "processor")],
        map=as_svg(picture_of(declaration)),
        verdicts=VERDICTS,
        day=_day,
        moment=_moment,
        span=_span,
    )


def _day(day: dt.date) -> str:
    return f"{day:%-d %B %Y}"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%-d %B %Y, %H:%M} UTC"


def _span(row: Retraction) -> str:
    last = row.until - dt.timedelta(days=1)
    return f"{_day(row.since.astimezone(dt.UTC))} to {_day(last.astimezone(dt.UTC))}"

"""The result of a rehearsal as a page of its own."""

from __future__ import annotations

from troth.declaration import Declaration
from troth.rehearsal.score import Rehearsal
from troth.reports.base import html_page


def report(outcome: Rehearsal, declaration: Declaration) -> str:
    """The page, self-contained."""
    title = f"Rehearsal of the policy of {declaration.organisation.name}"
    return html_page("rehearsal/report.html", title, outcome=outcome)

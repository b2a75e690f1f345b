"""Renders the report as one HTML file without scripts or external resources, for screens, print and screen readers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from troth import __version__
from troth.audit.collect import SAMPLE_ROWS
from troth.audit.facts import SiteFacts, SystemFacts, TableFacts
from troth.audit.findings import in_words
from troth.audit.report import AuditReport
from troth.audit.rules import AuditSeverity
from troth.detect import TableRole
from troth.policy.bind import Proposal
from troth.policy.classify import Quantity
from troth.reports.base import html_page
from troth.stores import Principal, TableKind
from troth.text import counted

_OPEN_MAX: Final = 30
"""Lists with more entries than this start collapsed."""
_HEADINGS: Final = {
    AuditSeverity.ERROR: ("error", "Untrue, unlawful or unworkable as it stands."),
    AuditSeverity.WARNING: ("warning", "May be right; somebody must check."),
    AuditSeverity.NOTE: ("note", "For information; these are not problems by themselves."),
}
_ROLES: Final = {
    TableRole.PERSON: "rows are people",
    TableRole.BELONGS: "by a key",
    TableRole.MENTIONS: "by an identifier",
    TableRole.REFERENCE: "no link leads here",
}


def as_html(report: AuditReport) -> str:
    """Render the whole report as one self-contained page."""
    names = ", ".join(system.name for system in report.facts.systems) or "no system"
    return html_page(
        "audit/report.html",
        f"Privacy audit of {names}",
        report=report,
        facts=report.facts,
        tally=_tally(report),
        headings=_HEADINGS,
        open_max=_OPEN_MAX,
        sample_rows=SAMPLE_ROWS,
        version=__version__,
        in_words=in_words,
        figures_of=_figures,
        reached=_reached,
        accounts_of=_accounts,
        figures_of_site=_figures_of_site,
        proofs_of=_proofs,
        quantity=_quantity,
    )


def _tally(report: AuditReport) -> list[tuple[int, str, str]]:
    tables = [table for system in report.facts.systems for table in system.tables]
    columns = sum(len(table.best) for table in tables if table.holds)
    counts = [(report.counts[severity], heading, "") for severity, (heading, _) in _HEADINGS.items()]
    return [*counts, (len(tables), "table", ""), (columns, "column", " with personal data")]


def _figures(system: SystemFacts) -> dict[str, str]:
    held, rows = system.holding, sum(table.rows or 0 for table in system.tables)
    about = "" if all(table.rows_counted or table.rows is None for table in system.tables) else "about "
    transport = system.transport
    return {
        "Kind": system.dialect,
        "Tables": f"{len(system.tables):,}, {len(held):,} of them with personal data; {about}{counted(rows, 'row')}",
        "Keys": f"{system.declared_keys:,} declared, {len(system.inferred):,} inferred",
        "Accounts": f"{len(system.readers):,} can read personal data",
        "Connection": f"{'encrypted' if transport.encrypted else 'NOT ENCRYPTED'} ({transport.detail})"
        if transport is not None
        else "not known",
    }


def _reached(table: TableFacts) -> str:
    """How a person's rows are found in the table; empty for views, which store none."""
    if table.schema.kind is TableKind.VIEW or (table.role is TableRole.REFERENCE and not table.best):
        return ""
    return _ROLES[table.role]


def _accounts(system: SystemFacts) -> Sequence[tuple[Principal, int, int, int]]:
    """The accounts that can read or change personal data, and how many tables of it they read and write, of how
    many."""
    personal = {table.name for table in system.tables if table.best}
    return [
        (one, len(one.reads & personal), len(one.writes & personal), len(personal))
        for one in sorted(system.principals, key=lambda one: (not one.can_login, -len(one.reads), one.name))
        if one.reads & personal or one.writes & personal
    ]


def _proofs(proposal: Proposal) -> Iterator[tuple[list[str], str]]:
    """The controls of a proposal, and what they show; controls that show the same are grouped."""
    for shows, group in itertools.groupby(proposal.proofs, key=lambda proof: proof.shows):
        yield [proof.control for proof in group], shows


def _quantity(it: Quantity) -> str:
    return f"{it.number:g} {it.unit}{'' if it.number == 1 or it.unit in {'percent', 'person'} else 's'}"


def _figures_of_site(site: SiteFacts) -> dict[str, str]:
    skipped = f"; not read: {', '.join(site.skipped)}" if site.skipped else ""
    cookies = [f"{name} ({'session' if days is None else counted(days, 'day')})" for name, days in site.cookies.items()]
    forms = [f"{it.page} asks for {in_words(it.asks.values())}" for it in site.forms]
    return {
        "Home page": site.home,
        "Pages read": f"{len(site.pages)}: {', '.join(site.pages)}{skipped}",
        "Policy": site.policy_page or "no link found",
        "Cookies before any choice": ", ".join(cookies) or "none",
        "Other hosts": ", ".join(site.hosts) or "none",
        "Forms": "; ".join(forms) or "none that asks for personal data",
    }

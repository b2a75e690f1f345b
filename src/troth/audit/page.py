"""Renders the report as one HTML file without scripts or external resources, for screens, print and screen readers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import Final

from troth import __version__
from troth.audit.collect import SAMPLE_ROWS
from troth.audit.facts import PolicyFacts, SiteFacts, SystemFacts, TableFacts
from troth.audit.findings import in_words
from troth.audit.report import AuditReport
from troth.audit.rules import AuditFinding, AuditSeverity
from troth.detect import QuasiIdentifier, TableRole
from troth.policy.bind import Proposal
from troth.policy.classify import Quantity
from troth.reports.base import html_page
from troth.reports.base import safe as _
from troth.stores import TableKind
from troth.text import counted

_OPEN_MAX: Final = 30
"""Lists with more entries than this start collapsed."""
_HEADINGS: Final = {
    AuditSeverity.ERROR: ("Errors", "Untrue, unlawful or unworkable as it stands."),
    AuditSeverity.WARNING: ("Warnings", "May be right; somebody must check."),
    AuditSeverity.NOTE: ("Notes", "For information; these are not problems by themselves."),
}
_ROLES: Final = {
    TableRole.PERSON: "rows are people",
    TableRole.BELONGS: "by a key",
    TableRole.MENTIONS: "by an identifier",
    TableRole.REFERENCE: "no link leads here",
}


def as_html(report: AuditReport) -> str:
    """Render the whole report as one self-contained page."""
    facts = report.facts
    names = ", ".join(system.name for system in facts.systems) or "no system"
    parts = [
        *_top(report),
        *_findings(report),
        '<div id="systems">',
        *itertools.chain.from_iterable(map(_system, facts.systems)),
        "</div>",
        *(_policy(facts.policy) if facts.policy is not None else ()),
        *_proofs(report),
        *(_site(facts.site) if facts.site is not None else ()),
        *_next(report),
        *_method(report),
    ]
    return html_page(
        f"Privacy audit of {names}",
        parts,
        style=resources.files(__package__).joinpath("report.css").read_text("utf-8"),
        top=f'<b>Troth audit</b><nav aria-label="Sections">{_navigation(report)}</nav>',
        foot=(
            f"Made by Troth {_(__version__)} on {facts.at:%-d %B %Y, %H:%M} UTC. It holds names, counts and reasons,\n"
            "but no personal values. It shows where personal data is: share it with care."
        ),
    )


def _code(text: object) -> str:
    return f"<code>{_(text)}</code>"


def _navigation(report: AuditReport) -> str:
    links = [("findings", "Findings"), ("systems", "Systems")]
    links += [("policy", "Policy")] if report.facts.policy is not None else []
    links += [("site", "Site")] if report.facts.site is not None else []
    return "".join(f'<a href="#{at}">{name}</a>' for at, name in [*links, ("next", "What next"), ("method", "Method")])


def _top(report: AuditReport) -> Iterator[str]:
    facts, counts = report.facts, report.counts
    tables = [table for system in facts.systems for table in system.tables]
    columns = sum(len(table.best) for table in tables if table.holds)
    sources = [f"{len(facts.systems)} system{'s' * (len(facts.systems) != 1)}"]
    sources += [f"the policy {_code(facts.policy.file)}"] if facts.policy is not None else []
    sources += [f"the site {_code(facts.site.home)}"] if facts.site is not None else []
    yield "<h1>What the policy says, and what is really there</h1>"
    yield f'<p class="lead">Checked, without changing anything: {", ".join(sources)}.</p>'
    tally = [
        (counts[AuditSeverity.ERROR], "error"),
        (counts[AuditSeverity.WARNING], "warning"),
        (counts[AuditSeverity.NOTE], "note"),
        (len(tables), "table"),
        (columns, "column"),
    ]
    shown = [f"<li><b>{n:,}</b> {word}{'s' * (n != 1)}{_with(word)}</li>" for n, word in tally]
    yield f'<ul class="tally">{"".join(shown)}</ul>'


def _with(word: str) -> str:
    return " with personal data" if word == "column" else ""


# --- findings -------------------------------------------------------------------------------------------------------


def _findings(report: AuditReport) -> Iterator[str]:
    yield '<h2 id="findings">Findings</h2>'
    if not report.findings:
        yield "<p>Nothing was found. That is rare: Method says what was checked.</p>"
    for severity, (heading, meaning) in _HEADINGS.items():
        of_it = [it for it in report.findings if it.severity is severity]
        if not of_it:
            continue
        by_rule: dict[str, list[AuditFinding]] = {}
        for it in of_it:
            by_rule.setdefault(it.rule.id, []).append(it)
        groups = "".join("".join(_group(group)) for group in by_rule.values())
        yield f"<h3>{len(of_it):,} {heading[:-1].lower() if len(of_it) == 1 else heading.lower()}</h3>"
        yield f'<p class="soft">{meaning}</p>'
        if severity is AuditSeverity.ERROR:
            yield groups
        else:
            yield _folded(f"Show or hide the {heading.lower()}", severity is AuditSeverity.WARNING, groups)


def _group(of_it: Sequence[AuditFinding]) -> Iterator[str]:
    """Findings of one rule; its citation and limits are shown once."""
    rule = of_it[0].rule
    yield f'<section class="finding {rule.severity}">'
    yield f'<h4><span class="mark {rule.severity}">{rule.severity}</span> {_(rule.title)}</h4>'
    if len(of_it) == 1:
        yield f'<p class="said">{_code(of_it[0].place)}: {_(of_it[0].message)}.</p>'
    else:
        yield "<ul>" + "".join(f"<li>{_code(it.place)}: {_(it.message)}.</li>" for it in of_it) + "</ul>"
    for fix in dict.fromkeys(it.fix for it in of_it):
        yield f"<p><b>To fix it:</b> {_(fix)}.</p>"
    cite = f"{_(rule.cite)} · " if rule.cite else ""
    unseen = rule.cannot_see[0].lower() + rule.cannot_see[1:]
    yield f'<p class="about">{cite}Not seen: {_(unseen)} · {_code(rule.id)}</p>'
    yield "</section>"


# --- systems --------------------------------------------------------------------------------------------------------


def _system(system: SystemFacts) -> Iterator[str]:
    yield f"<h2>System {_(system.name)}</h2>"
    if system.unreached:
        yield f"<p>It could not be read: {_(system.unreached)}.</p>"
        return
    held, rows = system.holding, sum(table.rows or 0 for table in system.tables)
    about = "" if all(table.rows_counted or table.rows is None for table in system.tables) else "about "
    figures = [
        ("Kind", system.dialect),
        ("Tables", f"{len(system.tables):,}, {len(held):,} of them with personal data; {about}{counted(rows, 'row')}"),
        ("Keys", f"{system.declared_keys:,} declared, {len(system.inferred):,} inferred"),
        ("Accounts", f"{len(system.readers):,} can read personal data"),
        ("Connection", _transport(system)),
    ]
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{_(text)}</dd>" for name, text in figures) + "</dl>"
    yield from _tables(system)
    yield from _columns(system)
    yield from _keys(system)
    yield from _accounts(system)


def _transport(system: SystemFacts) -> str:
    if system.transport is None:
        return "not known"
    return f"{'encrypted' if system.transport.encrypted else 'NOT ENCRYPTED'} ({system.transport.detail})"


def _grid(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls horizontally on narrow screens. Cells are HTML; "+" marks numbers."""
    head = "".join(f'<th scope="col"{_number(name)}>{name.removeprefix("+")}</th>' for name in headings)
    body = "".join("<tr>" + "".join(_cell(cell, at) for at, cell in enumerate(row)) + "</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _number(text: str) -> str:
    return ' class="n"' if text.startswith("+") else ' class="why"' if text == "why" else ""


def _cell(text: str, at: int) -> str:
    if at == 0:
        return f'<th scope="row">{text}</th>'
    return f"<td{_number(text)}>{text.removeprefix('+')}</td>"


def _folded(what: str, is_open: bool, content: str) -> str:
    return f"<details{' open' * is_open}><summary>{what}</summary>{content}</details>"


def _tables(system: SystemFacts) -> Iterator[str]:
    rows = [
        (
            _code(table.name),
            "table" if table.schema.kind is TableKind.TABLE else str(table.schema.kind),
            "+" + ("?" if table.rows is None else f"{'' if table.rows_counted else '≈ '}{table.rows:,}"),
            f"+{len(table.columns)}",
            f"+{len(table.best) or ''}",
            ", ".join(map(_code, table.free_text)),
            _reached(table),
        )
        for table in system.tables
    ]
    headings = ("table", "kind", "+rows", "+columns", "+personal", "free text", "reached from a person")
    grid = _grid("All tables", headings, rows)
    yield f"<h3>Tables</h3>{_folded(counted(len(rows), 'table'), len(rows) <= _OPEN_MAX, grid)}"


def _reached(table: TableFacts) -> str:
    """How a person's rows are found in the table; empty for views, which store none."""
    if table.schema.kind is TableKind.VIEW or (table.role is TableRole.REFERENCE and not table.best):
        return ""
    return _ROLES[table.role]


def _columns(system: SystemFacts) -> Iterator[str]:
    rows = [row for table in system.tables for row in _columns_of(table)]
    headings = ("column", "what it seems to contain", "category", "+score", "why")
    yield "<h3>Likely personal data</h3>"
    if rows:
        grid = _grid("Columns with personal data", headings, rows)
        yield _folded(counted(len(rows), "column"), len(rows) <= 3 * _OPEN_MAX, grid)
    else:
        yield "<p>No column looks like personal data.</p>"
    together = [_together(table, table.quasi) for table in system.tables if table.quasi is not None]
    if together:
        heading = "Columns that single people out together"
        yield f"<h4>{heading}</h4>"
        yield "<p>None of them names a person, but together they may identify one.</p>"
        grid = _grid(heading, ("table", "columns", "+rows compared", "+like no other"), together)
        yield _folded(counted(len(together), "table"), len(together) <= _OPEN_MAX, grid)


def _together(table: TableFacts, it: QuasiIdentifier) -> Sequence[str]:
    seen = (f"+{it.rows}", f"+{it.alone}") if it.rows else ("+not compared", "+")
    return (_code(table.name), ", ".join(map(_code, it.columns)), *seen)


def _columns_of(table: TableFacts) -> Iterator[Sequence[str]]:
    for it in table.personal:
        what = "free text" if it.entity == "FREE_TEXT" else in_words([it.category])
        why = _("; ".join(it.reasons))
        yield _code(f"{table.name}.{it.column}"), _(what), _code(it.category), f"+{it.score:.2f}", why


def _keys(system: SystemFacts) -> Iterator[str]:
    rows = [
        (_code(f"{table.name}.{', '.join(key.columns)}"), _code(f"{key.table}.{', '.join(key.to_columns)}"), "declared",
         "", _(f"on delete: {key.on_delete}"))
        for table in system.tables
        for key in table.schema.foreign_keys
    ] + [
        (_code(f"{it.table}.{', '.join(it.columns)}"), _code(f"{it.to_table}.{', '.join(it.to_columns)}"),
         "<b>inferred</b>", f"+{it.score:.2f}", _("; ".join(it.why)))
        for it in system.inferred
    ]  # fmt: skip
    yield "<h3>Keys</h3>"
    if rows:
        grid = _grid("References between tables", ("from", "to", "how known", "+score", "why"), rows)
        yield _folded(counted(len(rows), "reference"), len(rows) <= 2 * _OPEN_MAX, grid)
    else:
        yield "<p>No references between tables, declared or inferred.</p>"


def _accounts(system: SystemFacts) -> Iterator[str]:
    personal = {table.name for table in system.tables if table.best}
    rows = [
        (
            _code(one.name),
            "yes" if one.can_login else "no",
            f"+{len(one.reads & personal)} of {len(personal)}",
            f"+{len(one.writes & personal)}",
            _(one.why),
        )
        for one in sorted(system.principals, key=lambda one: (not one.can_login, -len(one.reads), one.name))
        if one.reads & personal or one.writes & personal
    ]
    yield "<h3>Accounts</h3>"
    if rows:
        headings = ("account", "can log in", "+reads personal tables", "+writes", "why")
        yield _folded(
            counted(len(rows), "account", "accounts and roles"),
            len(rows) <= _OPEN_MAX,
            _grid("Accounts and roles", headings, rows),
        )
    else:
        yield "<p>No account was found that can read personal data.</p>"


# --- policy and site ------------------------------------------------------------------------------------------------


def _policy(policy: PolicyFacts) -> Iterator[str]:
    yield '<h2 id="policy">What the policy promises</h2>'
    yield (
        f'<p class="soft">{len(policy.promises)} of the {len(policy.text.sentences)} sentences of '
        f"{_code(policy.file)} commit the company, as far as simple rules can see. They see words, not meaning.</p>"
    )
    by_kind = sorted(policy.promises, key=lambda it: str(it.topic))
    for kind, group in itertools.groupby(by_kind, key=lambda it: it.topic):
        rows = [
            (f"line {it.sentence.span.line}", _(it.sentence.text), ", ".join(map(_quantity, it.quantities)))
            for it in group
        ]
        grid = _grid(f"Promises about {kind}", ("where", "sentence", "figures"), rows)
        yield _folded(f"{str(kind).capitalize()}: {len(rows)}", len(policy.promises) <= _OPEN_MAX, grid)


def _proofs(report: AuditReport) -> Iterator[str]:
    """How each promise could be verified; promises without a control come last."""
    if not report.promises:
        return
    measured = [it for it in report.promises if it.proofs]
    said = [it for it in report.promises if not it.proofs]
    yield '<h3 id="proofs">What could verify that it is kept</h3>'
    yield (
        f'<p class="soft">{counted(len(measured), "promise")} could be measured by controls, '
        f"{counted(len(said), 'promise')} can only be attested by somebody. <code>troth policy bind</code> writes what "
        "you choose into the declaration.</p>"
    )
    rows = [
        (
            f"line {it.line}",
            _(it.quote),
            "<br>".join(_shown(it)) or f"<i>{_(it.attest)}</i>",
            "<br>".join(map(_, it.warnings)),
        )
        for it in (*measured, *said)
    ]
    grid = _grid(
        "Promises and what could verify them", ("where", "sentence", "controls, or an attestation", "beware"), rows
    )
    yield _folded(counted(len(rows), "promise"), len(rows) <= _OPEN_MAX, grid)


def _shown(it: Proposal) -> Iterator[str]:
    """What the controls of a proposal show; controls that show the same are grouped."""
    for shows, group in itertools.groupby(it.proofs, key=lambda proof: proof.shows):
        yield f"{', '.join(_code(proof.control) for proof in group)}: {_(shows)}"


def _quantity(it: Quantity) -> str:
    return f"{it.number:g} {it.unit}{'' if it.number == 1 or it.unit in {'percent', 'person'} else 's'}"


def _site(site: SiteFacts) -> Iterator[str]:
    yield '<h2 id="site">What the site shows</h2>'
    if site.unreached:
        yield f"<p>It could not be visited: {_(site.unreached)}.</p>"
        return
    skipped = f"; not read: {', '.join(site.skipped)}" if site.skipped else ""
    cookies = [f"{name} ({'session' if days is None else counted(days, 'day')})" for name, days in site.cookies.items()]
    forms = [f"{it.page} asks for {in_words(it.asks.values())}" for it in site.forms]
    figures = [
        ("Home page", site.home),
        ("Pages read", f"{len(site.pages)}: {', '.join(site.pages)}{skipped}"),
        ("Policy", site.policy_page or "no link found"),
        ("Cookies before any choice", ", ".join(cookies) or "none"),
        ("Other hosts", ", ".join(site.hosts) or "none"),
        ("Forms", "; ".join(forms) or "none that asks for personal data"),
    ]
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{_(text)}</dd>" for name, text in figures) + "</dl>"


# --- what next ------------------------------------------------------------------------------------------------------


def _next(report: AuditReport) -> Iterator[str]:
    yield '<h2 id="next">What to do next</h2><ol class="steps">'
    for step in report.next_steps:
        code = f'<pre tabindex="0"><code>{_(step.code)}</code></pre>' if step.code else ""
        folded = _folded("The script", step.code.count("\n") < _OPEN_MAX, code) if step.language == "sql" else code
        yield f"<li>{_(step.says)}{folded}</li>"
    yield "</ol>"


def _method(report: AuditReport) -> Iterator[str]:
    yield '<h2 id="method">How this was checked</h2>'
    yield f"""<p>Every store was opened read-only. Of each table up to {SAMPLE_ROWS} rows were compared with patterns
in memory and not stored; names, types and comments of columns counted too. A score of 1 means that name and values
agree: it is a well-founded guess, not a proof. Row counts marked ≈ are the engine's own estimates. References count as
inferred when names match and the sampled values exist in the other table.</p>
<p>The policy was read by rules that see words, not meaning: a person must confirm each contradiction. The site was
visited as a new visitor, without cookies and without running scripts.</p>
<p>What was not checked is not in this report: mailboxes, backups, other databases, and what people know.</p>"""

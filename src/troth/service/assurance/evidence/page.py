"""``index.html`` of an archive: a regulator's starting point, offline and printable. The other files hold more."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from troth.controls import Status
from troth.reports import VERDICTS, as_svg, page, picture_of, record_of
from troth.reports.base import safe as _
from troth.service.assurance.evidence.gather import Gathered, PromiseRecord
from troth.service.core.models import Retraction
from troth.text import counted

_CHANGES_MAX: Final = 12
"""Latest changes shown per promise; ``promises.json`` has all."""
_WIDE: Final = '<div class="wide" tabindex="0" role="region" aria-label="{}">'
"""Wrapper for content wider than a phone: it scrolls, the page does not."""
_SAYS: Final = {
    Status.KEPT: "every control passed at its last check, observed everything in its scope, and is recent enough",
    Status.STATED: "a named person attests it for a limited time; it is not measured",
    Status.WAIVED: "broken, and somebody other than the owner accepted that until a date",
    Status.UNPROVEN: (
        "not checked, checked too long ago or only in part, the check failed to run, or there is nothing to check yet"
    ),
    Status.BROKEN: "a control failed",
}
_FILES: Final = (
    ("policy/", "the policy as published, with its versions"),
    ("declaration/troth.yaml", "which personal data is held, where, why and for how long, and who receives it"),
    ("promises.json", "each sentence, its status, why, and every change of it"),
    ("controls.json", "what each control asks, how often, and what it cannot see"),
    ("checks/", "each check, one a line: what it observed, its result, who ran it"),
    ("retractions.json", "checks of controls that turned out to be wrong"),
    (
        "record/",
        "the record of processing (GDPR Art. 30), the map of the data, the screening for assessments (Art. 35)",
    ),
    ("law.json", "which versions of the rules were used"),
    ("ledger/", "the signed checkpoint, and each entry that concerns this archive with its proof"),
    ("manifest.json", "the SHA-256 of each of these files; manifest.note is the signature over it"),
)


def index(gathered: Gathered) -> str:
    """The page. It needs no other file, network or script."""
    name = gathered.deployment.declaration.organisation.name
    parts = [
        f"<h1>How {_(name)} keeps its privacy policy</h1>",
        *_top(gathered),
        *_verifying(gathered),
        *_tally(gathered),
        *_promises(gathered),
        *_retractions(gathered),
        *_processing(gathered),
        *_contents(),
    ]
    return page(f"Evidence archive: {name}", parts)


def _at(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%-d %B %Y, %H:%M} UTC"


def _top(gathered: Gathered) -> Iterator[str]:
    us = gathered.deployment.declaration.organisation
    since = f" It goes back to {gathered.wanted.since:%-d %B %Y}." if gathered.wanted.since else ""
    some = f" It covers {counted(len(gathered.promises), 'promise')} only." if gathered.wanted.promises else ""
    yield f'<p class="lead">What is recorded up to {_at(gathered.as_of)}.{since}{some}</p>'
    yield "<dl>"
    rows = [
        ("Company", f"{us.name}, {us.address}"),
        ("Reached at", us.email),
        ("Authority", us.regulator or "not said"),
    ]
    rows += [("Ledger", f"{gathered.signed.origin}, {counted(gathered.signed.size, 'entry', 'entries')}")]
    rows += [("Declaration", gathered.deployment.declaration.hash)]
    yield from (f"<dt>{label}</dt><dd>{_(text)}</dd>" for label, text in rows)
    yield "</dl>"


def _verifying(gathered: Gathered) -> Iterator[str]:
    yield "<h2>Is this what was signed?</h2>"
    yield (
        "<p>This page cannot show that by itself. Take <code>verify_troth_ledger.py</code> and the ledger's key from "
        "somewhere else than this archive, such as the company's website, and run, with Python 3.9 or later and no "
        "network:</p>"
    )
    command = f"python3 verify_troth_ledger.py archive evidence.zip --key {gathered.log.verifier}"
    yield f"<pre><code>{_(command)}</code></pre>"
    yield (
        "<p>It checks the signature, every byte of every file, that each entry stands in the ledger, that entries tell "
        "of the same changes of status and outcomes as these files, that each check has all that it saw as it was put "
        "into the ledger when it was made, and that the ledger continues what was signed before. A changed, missing or "
        "added file is refused.</p>"
    )


def _tally(gathered: Gathered) -> Iterator[str]:
    counts = Counter(each.judgement.status for each in gathered.promises)
    yield "<h2>Where the promises stand</h2>"
    yield f'{_WIDE.format("Where the promises stand")}<table><caption class="soft">'
    yield f"{counted(len(gathered.promises), 'promise')} of the policy, at {_at(gathered.as_of)}.</caption>"
    yield _head("Status", "Promises", "What it says")
    for status, says in _SAYS.items():
        yield f'<tr><th scope="row">{_mark(status)}</th><td>{counts[status]:,}</td><td>{says}</td></tr>'
    yield "</tbody></table></div>"


def _head(*columns: str) -> str:
    cells = "".join('<th scope="col">' + name + "</th>" for name in columns)
    return f"<thead><tr>{cells}</tr></thead><tbody>"


def _mark(status: Status) -> str:
    return f'<span class="mark {status.value}">{status.value}</span>'


# --- promises -------------------------------------------------------------------------------------------------------


def _promises(gathered: Gathered) -> Iterator[str]:
    yield "<h2>Each promise</h2>"
    for each in gathered.promises:
        yield from _promise(each, gathered)


def _promise(promise: PromiseRecord, gathered: Gathered) -> Iterator[str]:
    yield f'<h3 id="{_(promise.id)}">{_mark(promise.judgement.status)} “{_(promise.promise.quote)}”</h3>'
    yield f'<p class="soft">Answered for by {_(promise.promise.owner)}. Id {_(promise.id)}.</p>'
    yield "<ul>"
    for standing in promise.judgement.standings:
        control = gathered.controls.get(standing.control or "")
        cannot = f' <span class="soft">It cannot see: {_(control.cannot_see)}</span>' if control else ""
        checks = f' <a href="checks/{_(control.id)}.jsonl">Its checks</a>.' if control else ""
        yield f"<li>{_(standing.reason)}{cannot}{checks}</li>"
    if not promise.judgement.standings:
        yield "<li>Nothing is said that could show it.</li>"
    yield "</ul>"
    yield from _history(promise)


def _history(promise: PromiseRecord) -> Iterator[str]:
    changes, left = promise.changes, len(promise.changes) - _CHANGES_MAX
    if not changes:
        return
    yield _WIDE.format(f"The changes of {_(promise.id)}") + "<table>" + _head("Since", "Status", "Why", "Entry")
    for row in changes[: -_CHANGES_MAX - 1 : -1]:
        why = row.summary or row.cause.replace("_", " ") or "first seen"
        cells = (_at(row.at), _mark(Status(row.status)), _(why), row.entry.leaf)
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table></div>"
    if left > 0:
        yield f'<p class="soft">{counted(left, "earlier change")} in promises.json.</p>'


# --- what else ------------------------------------------------------------------------------------------------------


def _retractions(gathered: Gathered) -> Iterator[str]:
    if not gathered.retractions:
        return
    yield "<h2>Retracted checks</h2>"
    yield "<p>These controls turned out to be wrong. Their checks of that time are here, and do not count.</p>"
    yield "<ul>"
    yield from (f"<li>{_retraction(row)}</li>" for row in gathered.retractions)
    yield "</ul>"


def _retraction(row: Retraction) -> str:
    last = row.until - dt.timedelta(days=1)
    span = f"{row.since.astimezone(dt.UTC):%-d %B %Y} to {last.astimezone(dt.UTC):%-d %B %Y}"
    return (
        f"<code>{_(row.control)}</code>, {span}: {counted(row.checks, 'check')}, because {_(row.reason)} "
        f"(entry {row.entry.leaf}, {_at(row.at)})"
    )


def _processing(gathered: Gathered) -> Iterator[str]:
    declaration = gathered.deployment.declaration
    yield "<h2>What is processed</h2>"
    for role in ("controller", "processor"):
        record = record_of(declaration, role)
        missing = f", {counted(len(record.missing), 'thing')} missing from it" if record.missing else ""
        yield (
            f'<p><a href="record/{role}.html">The record as a {role}</a> ({record.article}): '
            f"{counted(len(record.activities), 'activity', 'activities')}{missing}.</p>"
        )
    yield f"{_WIDE.format('The map of the data')}{_map(gathered)}</div>"
    yield "<h3>Impact assessments (Art. 35)</h3><ul>"
    for one in gathered.screened:
        declared = f" Declared: {_(one.assessment.file)}, {one.assessment.on}." if one.assessment else ""
        yield f"<li>{_(one.title)}: {_lowered(VERDICTS[one.verdict])}{declared}</li>"
    yield "</ul>"


def _map(gathered: Gathered) -> str:
    return as_svg(picture_of(gathered.deployment.declaration))


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _contents() -> Iterable[str]:
    yield "<h2>The files</h2><dl>"
    yield from (f"<dt><code>{name}</code></dt><dd>{says}</dd>" for name, says in _FILES)
    yield "</dl>"

"""``letter.pdf``: the covering letter, a tagged PDF (PDF/UA-1), with the facts of Art. 15(1) and counts."""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, gettext_noop

from troth.service.cases.rules import zone_of
from troth.service.labels import day, thousands
from troth.service.requests.package.cells import printable
from troth.service.requests.package.contents import Contents
from troth.service.requests.package.facts import PackageFacts
from troth.service.requests.package.html_page import title_of

if TYPE_CHECKING:
    import typst

_TEMPLATE = Path(__file__).with_name("letter.typ")
_LINE_MAX = 2_000
"""Maximum characters of one text. Longer texts are only on the page."""
_LINES_MAX = 200
_NOTHING = gettext_noop(
    "On %(received)s you asked us what we hold about you. We looked, and found nothing under what you gave us."
)
_lock = threading.Lock()
"""The compiler is not thread-safe."""


def letter(contents: Contents, facts: PackageFacts) -> bytes:
    """Build the letter of *contents* in the active language."""
    import typst  # imported here: 7 MB that processes which only serve pages never need

    said = _said(contents, facts)
    try:
        return _compiled(_clean(said, _told), contents)
    except typst.TypstError:
        # PDF/UA requires a glyph for each character, and the bundled fonts cover only European scripts.
        return _compiled(_clean(said, _plain), contents)


@cache
def _compiler() -> typst.Compiler:
    import typst

    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)


def _compiled(facts: dict[str, Any], contents: Contents) -> bytes:
    with _lock:
        pdf = _compiler().compile(
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=int(contents.made_at.timestamp()),
            sys_inputs={"letter": json.dumps(facts)},
        )
    assert isinstance(pdf, bytes)
    return pdf


# --- text for PDF --------------------------------------------------------------------------------------------------


def _clean(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _clean(value, text) for key, value in value.items()}
    if isinstance(value, list):
        return [_clean(value, text) for value in value]
    return text(value) if isinstance(value, str) else value


def _told(text: str) -> str:
    """*text* without control characters and direction marks."""
    shown = printable(text[:_LINE_MAX])
    return "".join(char if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cn") else " " for char in shown)


def _plain(text: str) -> str:
    """*text* with a replacement character for each character outside European scripts."""
    return "".join(char if ord(char) < 0x530 or 0x2010 <= ord(char) <= 0x2027 else "\ufffd" for char in _told(text))


# --- content -------------------------------------------------------------------------------------------------------


def _said(contents: Contents, facts: PackageFacts) -> dict[str, Any]:
    organisation = contents.declaration.organisation
    zone = zone_of(organisation)
    officer = organisation.officer
    return {
        "language": contents.language,
        "title": title_of(contents),
        "reference": contents.reference,
        "reference-line": gettext("Our reference: %(reference)s") % {"reference": contents.reference},
        "date": day(contents.made_at.astimezone(zone).date()),
        "sender": {
            "name": organisation.name,
            "lines": [
                organisation.address,
                organisation.email,
                *([gettext("Data protection officer: %(email)s") % {"email": officer.email}] if officer else []),
            ],
        },
        "opening": _opening(contents, facts, day(contents.received_at.astimezone(zone).date())),
        "held": {
            "head": [gettext("System"), gettext("Table"), gettext("Records"), gettext("Withheld")],
            "rows": [
                [held.system, held.table, thousands(held.rows), thousands(held.withheld)]
                for held in facts.held[:_LINES_MAX]
            ],
        },
        "sections": _sections(contents, facts),
        "closing": gettext("With kind regards"),
    }


def _opening(contents: Contents, facts: PackageFacts, received: str) -> list[str]:
    told = {"received": received}
    if contents.right == "port" and not (facts.rows or contents.uploads):
        first = (
            gettext(
                "On %(received)s you asked for your data in a form that computers read. We found data about you, but "
                "none of it falls under this right. This letter says what is left out, and why."
            )
            if facts.left_out
            else gettext(_NOTHING)
        )
    elif contents.right == "port":
        first = gettext(
            "On %(received)s you asked for your data in a form that computers read. Here they are: what you gave us or "
            "what arose from your use of our service, as far as we use it with your consent or for a contract with you."
        )
    elif facts.rows or contents.uploads:
        first = gettext(
            "On %(received)s you asked us what we hold about you. Yes, we use personal data about you. The file "
            "index.html beside this letter shows what we found; this letter says what it is, why we have it, where it "
            "came from, who receives such data, how long we keep it, and what you can do."
        )
    else:
        first = gettext(_NOTHING)
    missing = gettext("This copy is not complete: some of our systems have not answered. They are named below.")
    return [first % told, *([missing] if facts.unanswered else [])]


def _sections(contents: Contents, facts: PackageFacts) -> list[dict[str, Any]]:
    about = [] if contents.right == "port" else _about(contents, facts)
    return [*about, *_always(contents, facts)]


def _about(contents: Contents, facts: PackageFacts) -> list[dict[str, Any]]:
    """Art. 15(1)(a)-(d), (g)-(h) and 15(2)."""
    email = contents.declaration.organisation.email
    copy = gettext("For a copy of what was agreed, write to %(email)s.") % {"email": email}
    profiles = gettext("These uses look at what you do or who you are: %(uses)s.")
    return [
        _section(
            gettext("Why we use it"),
            gettext("GDPR Art. 15(1)(a)"),
            [
                f"{use.title}: {use.basis}."
                + (f" {gettext('The interest is:')} {use.interests}." if use.interests else "")
                for use in facts.uses
            ],
        ),
        _section(gettext("Which kinds of data"), gettext("GDPR Art. 15(1)(b)"), [kind.title for kind in facts.kinds]),
        _section(
            gettext("Who receives it"),
            gettext("GDPR Art. 15(1)(c)"),
            [f"{one.title}, {one.country}: {one.role}" for one in facts.receivers]
            + [f"{one.at}: {one.recipient}, {one.categories} ({one.why})" for one in facts.disclosed],
        ),
        _section(
            gettext("Where it goes abroad"),
            gettext("GDPR Art. 15(2)"),
            [f"{one.title}, {one.country}: {one.safeguard}" for one in facts.transfers],
            [copy] if facts.transfers else [gettext("Our record names no recipient of such data in another country.")],
        ),
        _section(
            gettext("How long we keep it"),
            gettext("GDPR Art. 15(1)(d)"),
            [
                f"{stay.system}, {stay.table}: {stay.text}." + (f" {stay.kept}." if stay.kept else "")
                for stay in facts.stays
            ],
        ),
        _section(
            gettext("Where it came from"),
            gettext("GDPR Art. 15(1)(g)"),
            [f"{origin.text}: {origin.categories}" for origin in facts.origins],
        ),
        _section(
            gettext("Automated decisions"),
            gettext("GDPR Art. 15(1)(h), 22"),
            facts.decisions,
            [facts.decides, *([profiles % {"uses": facts.profiles}] if facts.profiles else [])],
        ),
    ]


def _always(contents: Contents, facts: PackageFacts) -> list[dict[str, Any]]:
    """Sections of every letter: rights, complaints, and what is missing."""
    regulator = (
        gettext("complain to the supervisory authority: %(name)s") % {"name": facts.regulator}
        if facts.regulator
        else gettext("complain to the supervisory authority where you live, where you work, or where it happened")
    )
    left = [f"{one.title}: {one.why}" for one in (*facts.left_out, *facts.unanswered, *facts.unsearched)]
    missing = [
        gettext("These systems have not answered, so this copy is not complete:")
        if facts.unanswered and not (facts.left_out or facts.unsearched)
        else gettext("This is left out:")
    ]
    return [
        _section(
            gettext("Your rights"),
            gettext("GDPR Art. 15(1)(e)"),
            [f"{right.title}. {right.text}" for right in facts.rights],
            links=[facts.centre] if facts.centre else [],
        ),
        _section(
            gettext("If you do not agree"),
            gettext("GDPR Art. 15(1)(f), 77, 79"),
            [gettext("tell us, so that we can put it right"), regulator, gettext("go to court")],
            links=[link for link in (facts.complain, facts.regulator_site) if link],
        ),
        *([_section(gettext("What is not here"), gettext("GDPR Art. 12(1), 15(4)"), left, missing)] if left else []),
    ]


def _section(
    title: str, law: str, items: Sequence[str] = (), paragraphs: Sequence[str] = (), links: Sequence[str] = ()
) -> dict[str, Any]:
    rest = len(items) - _LINES_MAX
    more = [gettext("… and more, in index.html")] if rest > 0 else []
    return {
        "title": title,
        "law": law,
        "items": [*items[:_LINES_MAX], *more],
        "paragraphs": list(paragraphs),
        "links": [{"url": link, "label": link} for link in links],
    }

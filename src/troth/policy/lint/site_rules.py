"""Rules about sentences that contradict the declaration or what was seen on the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from troth.law.places import FREE_FLOW
from troth.policy.classify.quantities import quantities_in
from troth.policy.lint.context import LintContext
from troth.policy.lint.contradictions import is_taken_back, shares_openly
from troth.policy.lint.declaration_rules import fires_when_against, is_named, place_of
from troth.policy.lint.model import Hit
from troth.policy.lint.rules import fires_when
from troth.policy.retention_rules import DAYS
from troth.policy.text import Sentence
from troth.text import counted, first_few, same_words

if TYPE_CHECKING:
    from troth.declaration import Declaration, Period, Recipient

# --- recipients -------------------------------------------------------------------------------------------------------


def _recipients(declaration: Declaration, keys: Iterable[str]) -> str:
    """Names of recipients with their locations in the declaration."""
    named = [
        f"{_name(key, declaration.recipients[key])} ({place_of(declaration, f'recipients.{key}')})" for key in keys
    ]
    return first_few(named)


def _name(key: str, recipient: Recipient) -> str:
    return " ".join((recipient.title or key).split())


@fires_when_against("F.recipients")
def recipients(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """An unqualified denial of sharing, although recipients are declared."""
    if not declaration.recipients:
        return
    count = counted(len(declaration.recipients), "recipient") + (" is" if len(declaration.recipients) == 1 else " are")
    for passage in looked.mentions.of("denial.sharing"):
        if not is_taken_back(passage, looked):
            yield Hit(
                passage.sentence, says=(("count", count), ("which", _recipients(declaration, declaration.recipients)))
            )


@fires_when_against("F.recipient-unnamed")
def unnamed_recipients(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Declared recipients that the policy omits although it names others."""
    words = looked.words
    missing = [key for key, one in declaration.recipients.items() if not is_named(_name(key, one), words)]
    if missing and len(missing) < len(declaration.recipients):
        yield Hit(says=(("which", _recipients(declaration, missing)),))


@fires_when_against("F.sale")
def sale(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """A denial of selling, although recipients are declared as buyers, or as recipients for advertising unless the
    policy says so itself."""
    for passage in looked.mentions.of("denial.sale"):
        denied = {"sale"} if shares_openly(passage, looked) else {"sale", "share"}
        if keys := [key for key, one in declaration.recipients.items() if one.role in denied]:
            yield Hit(passage.sentence, says=(("which", _recipients(declaration, keys)),))


@fires_when_against("F.transfer")
def transfer(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """A denial of transfers abroad, although recipients are there; and a place that data never leaves, although
    recipients or systems are elsewhere."""
    from troth.policy.declared_contradictions import elsewhere

    near = FREE_FLOW | {declaration.organisation.country}
    abroad = [f"recipients.{key}" for key, one in declaration.recipients.items() if one.country not in near]
    denials = looked.mentions.of("denial.abroad")
    for passage in looked.mentions.passages:
        if passage.block.kind == "heading":
            continue
        is_general = _ALL_DATA.search(passage.words) is not None and not _HOSTED.search(passage.words)
        away = elsewhere(passage.sentence.text, declaration) if is_general else []
        if paths := away or (abroad if passage in denials else []):
            yield Hit(passage.sentence, says=(("which", first_few(_placed(declaration, path) for path in paths)),))


_ALL_DATA = re.compile(r"\b(?:data|information|everything|nothing|records|files)\b")
_HOSTED = re.compile(r"\b(?:host\w*|servers?|backups?|provider|processor)\b")
"""Statements about hosting do not rule out recipients elsewhere."""


def _placed(declaration: Declaration, path: str) -> str:
    """The name of the recipient or system at that path, with its line."""
    kind, _, key = path.partition(".")
    name = _name(key, declaration.recipients[key]) if kind == "recipients" else key
    return f"{name} ({place_of(declaration, path)})"


# --- cookies and hosts ------------------------------------------------------------------------------------------------


@fires_when_against("F.cookies")
def cookies(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Cookies that were seen or are declared but not named in the policy; reported on its sentence about cookies.

    Cookies that were seen come first, so that readers do not miss them among the others.
    """
    text = looked.policy.text
    seen = looked.facts.seen.cookies if looked.facts and looked.facts.seen else ()
    missing = [name for name in dict.fromkeys((*seen, *declaration.cookies)) if not _stands(name, text)]
    if missing:
        named = [f"{name} ({_place_of_cookie(declaration, name)})" for name in missing]
        places = looked.mentions.of("cookie.none") or looked.mentions.of("cookie.word")
        yield Hit(places[0].sentence if places else None, says=(("which", first_few(named)),))


@fires_when_against("F.cookies-denied")
def cookies_denied(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Sentences that rule out declared cookies, or state a different number of them."""
    if not declaration.cookies:
        return
    from troth.policy.declared_contradictions import cookies_ruled_out, other_number

    for passage in looked.mentions.passages:
        text = passage.sentence.text
        names = cookies_ruled_out(text, declaration)
        if not names and other_number(text, declaration):
            names = list(declaration.cookies)
        if names and passage.block.kind != "heading" and passage.block.cell is None:
            named = [f"{name} for {declaration.cookies[name].purpose}" for name in names]
            named = [f"{it} ({_place_of_cookie(declaration, key)})" for it, key in zip(named, names, strict=True)]
            yield Hit(passage.sentence, says=(("which", first_few(named)),))


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _place_of_cookie(declaration: Declaration, name: str) -> str:
    return place_of(declaration, f"cookies.{name}") if name in declaration.cookies else "seen on the site"


@fires_when_against("F.cookie-lifetime")
def lifetimes(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Table rows and sentences that state a different lifetime for a cookie than the declaration."""
    if not declaration.cookies:
        return
    for block in looked.policy.blocks:
        text = looked.row_of(block, block.text)
        named = [name for name in declaration.cookies if _stands(name, block.text)]
        if len(named) == 1 and (block.cell or "cookie" in text.casefold()):
            yield from _lifetime(declaration, named[0], block.sentences[-1], text)


def _lifetime(declaration: Declaration, name: str, sentence: Sentence, text: str) -> Iterator[Hit]:
    said = [one for one in quantities_in(same_words(text)) if one.unit in DAYS]
    period = declaration.cookies[name].period
    if len(said) == 1 and (period is None or abs(said[0].number * DAYS[said[0].unit] - _days(period)) > 1):
        declared = f"{declaration.cookies[name].lifetime} ({place_of(declaration, f'cookies.{name}')})"
        yield Hit(sentence, says=(("name", name), ("said", str(said[0])), ("declared", declared)))


def _days(period: Period) -> float:
    return float(period.count * DAYS[period.unit])


@fires_when("F.hosts")
def hosts(looked: LintContext) -> Iterator[Hit]:
    """A denial that third parties are involved in the site, although something was loaded from them."""
    seen = looked.facts.seen.hosts if looked.facts and looked.facts.seen else ()
    for passage in looked.mentions.of("denial.hosts") if seen else ():
        yield Hit(passage.sentence, says=(("which", first_few(seen)),))

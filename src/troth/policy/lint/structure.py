"""Rules about the structure of a policy: empty lists, sections that promise nothing, undefined terms."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from troth.policy.extraction import definitions
from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, hit_at, occurrences, straight
from troth.policy.lint.rules import fires_when
from troth.policy.lint.unfinished import empty_leads
from troth.policy.phrases import plain
from troth.policy.text import PolicyText, Section, Sentence

# --- empty lists ------------------------------------------------------------------------------------------------------

_NAMED = (
    ("canspam", re.compile(r"\bcan[ -]?spam\b", re.I)),
    ("use", re.compile(r"\bus(?:e|es|ed|ing)\b.{0,30}\b(?:information|data|details|it|pii)\b", re.I)),
    ("cookies", re.compile(r"\bcookies?\b", re.I)),
    ("email", re.compile(r"\be-?mail|\bnewsletter", re.I)),
    ("use", re.compile(r"\b(?:use|uses|used|using|purposes?)\b", re.I)),
)
_VERBS_FOLLOW = re.compile(r"(?:\bto|\b(?:agree|agrees|commit|undertake|promise)\w* to the following)\s*:$", re.I)
_NO_ITEM = any_word("structure.no_item", re.I)


@fires_when("S.empty-list")
def empty_list(looked: LintContext) -> Iterator[Hit]:
    """Lead-ins without a list: followed by the end, a heading, or a paragraph that cannot be what was announced."""
    empty = {sentence.id for sentence in (*empty_leads(looked.policy), *_misled(looked.policy))}
    for section in looked.policy.sections:
        for block in section.blocks:
            lead = block.sentences[-1]
            if lead.id in empty:
                part = _name_of(lead, section)
                yield Hit(lead, part=part, replacement=_filled(lead, part, looked))


def _misled(policy: PolicyText) -> Iterator[Sentence]:
    """Lead-ins to verbs that are followed by a complete sentence."""
    for block, after in zip(policy.blocks, (*policy.blocks[1:], None), strict=False):
        if block.kind == "heading" or block.cell is not None or not _VERBS_FOLLOW.search(straight(block.text)):
            continue
        is_text = after is not None and after.kind == "paragraph" and after.cell is None
        if after is not None and is_text and (after.text.endswith(":") or _NO_ITEM.match(after.text)):
            yield block.sentences[-1]


def _filled(lead: Sentence, part: str, looked: LintContext) -> str | None:
    """The lead-in completed from the declaration: the purposes, or the cookies with their reasons."""
    declaration = looked.facts.declaration if looked.facts else None
    if declaration is None:
        return None
    if part == "cookies" and declaration.cookies:
        items = [f"{name} ({_one_line(one.why)})" if one.why else name for name, one in declaration.cookies.items()]
        return f"We use these cookies: {'; '.join(items)}."
    titles = [_one_line(purpose.title or "") for purpose in declaration.purposes.values()]
    if part != "use" or not all(titles):
        return None
    said = [title[:1].lower() + title[1:] for title in titles]
    if lead.text.endswith(" to:"):
        said = [title.removeprefix("to ") for title in said]
    return f"{lead.text} {'; '.join(said)}."


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _name_of(lead: Sentence, section: Section) -> str:
    """The subject of the list according to its lead-in, or else the name of its section."""
    for text in (lead.text, section.title):
        for name, pattern in _NAMED:
            if pattern.search(text):
                return name
    words = re.sub(r"^(?:[ivx]+|\d+|[a-z]) ", "", plain(section.title)).split()
    return "-".join(words[:4]) or "text"


# --- passages about laws ----------------------------------------------------------------------------------------------


@fires_when("S.law-no-promise")
def law_without_promise(looked: LintContext) -> Iterator[Hit]:
    """Parts that describe a law without referring to us or you."""
    told = {id(passage) for passage in looked.mentions.of("law.told", "law.made")}
    for part in _parts(looked):
        title, body = part[0], part[1:]
        if any(_SOMEBODY.search(one.words) for one in body):
            continue
        is_titled = _LAW.search(title.words) and not _SOMEBODY.search(title.words)
        about = [one for one in body if id(one) in told] or (body if is_titled else [])
        if about:
            yield Hit(about[0].sentence)


def _parts(looked: LintContext) -> Iterator[list[Passage]]:
    """Sections, and paragraphs with a title of their own, each with its title first; tables are left out."""
    part = list[Passage]()
    for passage in looked.mentions.passages:
        if passage.block.kind == "heading" or passage.is_title:
            yield from [part] if part else []
            part = [passage]
        elif part and passage.block.cell is None:
            part.append(passage)
    yield from [part] if part else []


_LAW = any_word("structure.law")
_SOMEBODY = any_word("structure.somebody")


# --- undefined terms --------------------------------------------------------------------------------------------------

_TERMS = any_word("structure.terms", before=r"(?<=[a-z,;] )", after=r"(?=[\s.,;:)]|'s|$)(?! [A-Z])")
_SHORT = any_word("structure.short")
_LEGALESE = re.compile(
    r"\b(?:Relevant|Permitted|Approved|Authori[sz]ed|Applicable|Designated|Qualifying|Eligible|Restricted|Member|Usage|Covered"
    r"|Excluded|Protected|Tier \d|Group|Partner|Account|Submitted|Aggregated|Confidential) "
    r"(?:Information|Data|Content|Purposes?|Affiliates?|Part(?:y|ies)|Persons?|Users?|Recipients?|Partners?|Materials?|Members?)\b"
)
"""Two capitalised words, as contracts define them; a single use counts."""
_WHOLE_MAX = 2_000_000
_USES_MIN = 2
"""A capitalised word used once may be a slip; a repeated one is meant as a term."""


@fires_when("S.term.undefined")
def undefined_term(looked: LintContext) -> Iterator[Hit]:
    """Capitalised words used as terms, and abbreviations known only to experts; one finding for each, at its first
    use."""
    explained = {plain(_one(one.term)) for one in definitions(looked.policy)}
    whole = straight("\n".join(sentence.text for sentence in looked.policy.sentences), length=_WHOLE_MAX)
    used = Counter[str]()
    first = dict[str, tuple[Sentence, re.Match[str]]]()
    patterns = (_TERMS, _SHORT, *_own_terms(looked))
    for sentence, found in itertools.chain.from_iterable(occurrences(looked, one, headings=False) for one in patterns):
        used[_one(found[0])] += 1
        first.setdefault(_one(found[0]), (sentence, found))
    if "act" not in explained and not _is_told("Act", whole):
        for sentence, found in itertools.islice(occurrences(looked, _THE_ACT, headings=False), 1):
            yield hit_at(sentence, found.start(), found.end(), term=found[0])
    for passage in looked.mentions.of("term.elsewhere"):
        yield Hit(passage.sentence, says=(("term", "What another document defines"),))
    for sentence, found in occurrences(looked, _LEGALESE, headings=False):
        if found[0] not in first and plain(_one(found[0])) not in explained and not _is_told(_one(found[0]), whole):
            first[found[0]] = sentence, found
            yield hit_at(sentence, found.start(), found.end(), term=found[0])
    for term, (sentence, found) in first.items():
        needed = 1 if term.isupper() else _USES_MIN
        if used[term] >= needed and plain(term) not in explained and not _is_told(term, whole):
            yield hit_at(sentence, found.start(), found.end(), term=found[0])


def _own_terms(looked: LintContext) -> Iterator[re.Pattern[str]]:
    """Capitalised words that the policy uses with an article, as for things and not for names."""
    for word in dict.fromkeys(found[1] for _, found in occurrences(looked, _THING, headings=False)):
        everywhere = re.compile(rf"(?<=[a-z,;] ){word}s?\b(?! [A-Z])")
        if sum(1 for _ in occurrences(looked, everywhere, headings=False)) >= _THINGS_MIN:
            yield everywhere


_THING = any_word(
    "structure.no_things",
    before=r"(?<=[a-z,;] )(?:an?|the) (?!",
    after=r"\b)([A-Z][a-z]{3,20}(?:-[a-z]{3,12})?)\b(?! [A-Z])",
)
_THINGS_MIN = 3
_THE_ACT = re.compile(r"(?<=[a-z,] the )Act\b(?! of| \d| on)")


def _one(term: str) -> str:
    return term[:-1] if term.endswith("s") and not term.endswith("ss") else term


def _is_told(term: str, text: str) -> bool:
    """True if the term is in quotes anywhere, or an abbreviation is next to its full form."""
    word = re.escape(term)
    told = rf"[\"'](?:the )?{word}s?[.,]?[\"']|hereinafter:?,? (?:the )?{word}"
    if term.isupper():
        told += rf"|\((?:the |or |called )?{word}s?\b|\b{word}s? \((?=[A-Za-z])|called {word}"
    return re.search(told, text) is not None


@fires_when("S.term.pii-only")
def pii_only(looked: LintContext) -> Iterator[Hit]:
    """A policy that protects “PII” but never mentions personal data."""
    spoken = looked.mentions
    if spoken.has("pii.any") and not spoken.has("personal.any"):
        yield Hit(spoken.of("pii.any")[0].sentence)

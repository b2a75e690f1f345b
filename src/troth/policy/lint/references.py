"""Rules about references: links, references to sections, and circular definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, hit_at, occurrences, straight
from troth.policy.lint.rules import fires_when
from troth.policy.phrases import plain
from troth.policy.text import PolicyText, Sentence

_URL = re.compile(r"https?://\S|\bwww\.\S|\w\.[\w-]{1,63}/|\S@\S|\w\.(?:com|org|net|eu|uk|de|fr|es|nl|gov|io)\b")
"""Indicates an address within a word. It is tried at every character, so no part of it repeats without limit."""
_INSECURE = re.compile(r"\b(?:http|HTTP)://[^\s<>()\[\]\"']+[^\s<>()\[\]\"'.,;:!?]")
_REFERS = re.compile(
    r"\b(?:[Ss]ee|in|[Uu]nder|per|to|of|with)(?: also)? "
    r"(?P<what>(?:section|clause|paragraph)s? (?P<number>\d{1,2}+(?:\.\d{1,2})*+))(?!\d)"
    r"(?! ?(?:\(|of (?:the|that|this) (?!policy|notice|statement)|[A-Z]|BDSG|GDPR))"
)
_LINK_TO_COME = re.compile(
    r"[\[<{(](?:insert |add |your |privacy |the )?(?:hyper)?(?:link|url|web ?address)s?"
    r"(?: (?:here|to|will|tbc|tbd|coming|missing|follows?|opens?)\b[^\]>})]{0,60})?[\]>})]"
    r"|\[(?:todo|tbc|tbd)\b[^\]]{0,10} (?:link|url)\b[^\]]{0,60}\]"
    r"|\[[^\[\]]{2,40} (?:policy|notice|terms|page|form|statement|link|url)\](?!\()"
    r"|\[(?:here|click here|this page)\](?!\()",
    re.I,
)
_ATTACHED = re.compile(
    r"\b(?:[Ss]ee|in|[Uu]nder|per|to|of|with)(?: the| our)? "
    r"(?P<what>(?:[Aa]nnex|[Aa]ppendix)(?: (?:[A-Z]|[IVX]{1,4}|\d{1,2})\b)?"
    r"|(?:[Ss]chedule|[Aa]ttachment|[Ee]xhibit) (?:[A-Z]|[IVX]{1,4}|\d{1,2})\b)"
    r"(?! ?(?:of (?!this)|to (?!this)|[A-Z]))"
)
_NOWHERE = (
    "",
    "#",
    "#!",
    "about:blank",
    "http://",
    "https://",
    "javascript:;",
    "javascript:void(0)",
    "javascript:void(0);",
)
_NUMBERED = re.compile(r"\W{0,3}(?:(?:section|clause|part) )?(\d{1,2}(?:\.\d{1,2})*)(?=[.)\s:])", re.I)


@fires_when("S.link.insecure")
def insecure_link(looked: LintContext) -> Iterator[Hit]:
    """Every unencrypted address, in the text or as a link target; one that is both in a sentence is reported only in
    the text."""
    for sentence in looked.policy.sentences:
        seen = set[str]()
        for found in _INSECURE.finditer(sentence.text):
            seen.add(found[0].rstrip("/"))
            yield hit_at(sentence, found.start(), found.end(), replacement=f"https{found[0][4:]}")
        for link in sentence.links:
            if link.href.lower().startswith("http:") and link.href.rstrip("/") not in seen:
                yield hit_at(sentence, link.start, link.end)


@fires_when("S.link.missing")
def missing_link(looked: LintContext) -> Iterator[Hit]:
    """Sentences that refer to a document without saying where it is, or to a section that does not exist."""
    said = set[str]()
    itself = looked.mentions.of("points.itself")
    for passage in looked.mentions.of("points.document", "points.click", "points.elsewhere"):
        if passage not in itself and not _leads_somewhere(passage):
            said.add(passage.sentence.id)
            yield Hit(passage.sentence, says=(("why", "The reader is sent somewhere, and no link leads there"),))
    for sentence, found in occurrences(looked, _LINK_TO_COME):
        if sentence.id not in said and found.start() not in {link.start - 1 for link in sentence.links}:
            said.add(sentence.id)
            yield hit_at(sentence, found.start(), found.end(), why="The link is still to be filled in")
    for sentence in looked.policy.sentences:
        for link in sentence.links:
            is_button = link.end - link.start >= len(sentence.text) - 1
            if link.href.strip().lower() in _NOWHERE and not is_button and sentence.id not in said:
                said.add(sentence.id)
                yield hit_at(sentence, link.start, link.end, why="The link leads nowhere")
    numbers = set(_numbers(looked.policy))
    for sentence, found in _attached(looked):
        if sentence.id not in said:
            said.add(sentence.id)
            why = f"There is no {found['what']} to this policy"
            yield hit_at(sentence, *found.span("what"), why=why)
    for sentence, found in occurrences(looked, _REFERS, headings=False):
        if found["number"] not in numbers and sentence.id not in said and not sentence.links:
            why = f"There is no {found['what']} in this policy"
            yield hit_at(sentence, found.start("what"), found.end("what"), why=why)


def _attached(looked: LintContext) -> Iterator[tuple[Sentence, re.Match[str]]]:
    """References to an annex without a block in the policy that starts with its name."""
    heads = {plain(block.text[:40]) for block in looked.policy.blocks}
    for sentence, found in occurrences(looked, _ATTACHED, headings=False):
        what = plain(found["what"])
        if not sentence.links and not any(head.startswith(what) for head in heads):
            yield sentence, found


def _leads_somewhere(passage: Passage) -> bool:
    """True if the sentence or the next one of its paragraph has a link or an address."""
    sentences = passage.block.sentences
    at = sentences.index(passage.sentence)
    return any(one.links or _URL.search(one.text) for one in sentences[at : at + 2])


def _numbers(policy: PolicyText) -> Iterator[str]:
    """The numbers of all sections and paragraphs."""
    for at, section in enumerate(policy.sections, 1):
        yield str(at)
        if found := _NUMBERED.match(section.title):
            yield found[1]
    for block in policy.blocks:
        if found := _NUMBERED.match(block.text):
            yield found[1]


@fires_when("S.circular")
def circular(looked: LintContext) -> Iterator[Hit]:
    """References of the policy to itself, and definitions that explain a word by itself."""
    for passage in looked.mentions.of("points.itself"):
        if not passage.sentence.links and not _URL.search(passage.sentence.text):
            yield Hit(passage.sentence)
    yield from _to_own_section(looked)
    for sentence, found in occurrences(looked, _MEANS, headings=False):
        if _explains_itself(found["term"], found["meaning"]):
            yield hit_at(sentence, found.start(), found.end())


def _to_own_section(looked: LintContext) -> Iterator[Hit]:
    """References to the section that they are in."""
    for section in looked.policy.sections:
        number = _NUMBERED.match(section.title)
        if number is None:
            continue
        for sentence in (one for block in section.blocks for one in block.sentences):
            for found in _REFERS.finditer(straight(sentence.text)):
                if found["number"] == number[1]:
                    yield hit_at(sentence, *found.span("what"))


_MEANS = re.compile(
    r"(?:^|\b(?:[Tt]erms?|[Ww]ord|declaration|policy|notice|purposes?),? )"
    r"[\"']?(?P<term>[A-Za-z][\w-]{2,20}(?: [\w-]{2,20}){0,3})[\"']?,? "
    r"(?:(?:shall |will )?means?|refers? to|(?:is|are) (?:defined as|when|where|understood (?:as|to be)|what|any"
    r"|those who|the ones? (?:who|that|which))|stands for|denotes?|signif(?:y|ies)|includes?) "
    r"(?P<meaning>[^.;:]{4,120})[.;]?$"
)
_SMALL = any_word("references.small")
_STEM = 6
_BEHIND_MAX = 4
"""How many words may follow the repeated term for the definition to be circular: “any person who is a user of it”."""


def _explains_itself(term: str, meaning: str) -> bool:
    """True if every word of *term* recurs in *meaning*, close to its end."""
    wanted = {word[:_STEM] for word in plain(term).split() if not _SMALL.fullmatch(word)}
    words = plain(meaning).split()
    places = [max((at for at, word in enumerate(words) if word[:_STEM] == one), default=-1) for one in wanted]
    return bool(places) and min(places) >= 0 and len(words) - 1 - max(places) <= _BEHIND_MAX

"""GDPR rules on the content of a policy that need more than concepts."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from troth.policy.lexicon import Passage
from troth.policy.lint.columns import unfilled
from troth.policy.lint.context import LintContext, outside_headings
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, straight
from troth.policy.lint.proximity import following, said_near, without
from troth.policy.lint.rules import fires_when
from troth.policy.lint.unfinished import empty_leads, has_gap, unfinished

_SHIELD_ENDS = dt.date(2020, 7, 16)
"""C-311/18: the Privacy Shield is no longer a valid safeguard."""
_REPEATS_MAX = 10
"""How often the same wording fault is reported; further places are only counted."""


def _other_places(count: int) -> tuple[tuple[str, str], ...]:
    return (("others", f", and so in {count} more places" if count > 1 else f", and so in {count} more place" * count),)


def _capped(passages: Sequence[Passage]) -> Iterator[Hit]:
    """The first few of *passages*; the last hit says how many more there are."""
    for place, passage in enumerate(passages[:_REPEATS_MAX], 1):
        more = len(passages) - _REPEATS_MAX if place == _REPEATS_MAX else 0
        yield Hit(passage.sentence, says=_other_places(max(more, 0)))


# --- purposes, legal bases, recipients --------------------------------------------------------------------------------


@fires_when("GDPR.13.1c.purpose")
def _purpose(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("purpose.stated"):
        yield Hit(says=(("where", ""),))
    empty = {sentence.id for sentence in empty_leads(looked.policy)}
    announced = [passage for passage in spoken.of("purpose.announced") if passage.sentence.id in empty]
    for passage in announced[:1]:
        yield Hit(passage.sentence, says=(("where", ": they are announced here, and nothing follows"),))


@fires_when("GDPR.13.1c.basis")
def _basis(looked: LintContext) -> Iterator[Hit]:
    if not looked.mentions.has("basis.any"):
        yield Hit(says=(("which", "any purpose"),))
        return
    for passage in itertools.islice(unfilled(looked, _GROUNDS), 1):
        yield Hit(passage.sentence, says=(("which", "this purpose"),))


_GROUNDS = re.compile(r"(?:legal|lawful) (?:basis|bases|ground)|^(?:basis|ground)\b")
"""Heads of columns for legal bases."""


@fires_when("GDPR.13.1d.interests")
def _interests(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    relied = spoken.of("interests.relied")
    # A sentence with a placeholder names nothing.
    named = [passage for passage in spoken.of("interests.named") if not _has_gap(passage)]
    is_named = bool(named) or any(map(_names_an_interest, relied)) or any(_has_interest_cell(looked, relied))
    if relied and not is_named:
        yield Hit(relied[0].sentence, says=(("rely", "are relied on"),), is_settled=True)
    elif not relied and not is_named and not spoken.has("basis.public"):
        yield Hit(says=(("rely", "may be what this rests on"),))


def _has_interest_cell(looked: LintContext, relied: Sequence[Passage]) -> Iterator[bool]:
    """For each row that relies on legitimate interests, whether a cell under “Our interest” names one."""
    rows = {(one.block.cell.table, one.block.cell.row) for one in relied if one.block.cell}
    for passage in looked.mentions.passages if rows else ():
        cell, own = passage.block.cell, passage.words[passage.own :]
        if cell is not None and not cell.is_head and (cell.table, cell.row) in rows:
            is_below = re.search(r"\binterests?\b", passage.words[: passage.own]) is not None
            yield is_below and bool(own) and "legitimate" not in own


def _names_an_interest(passage: Passage) -> bool:
    """True if the interest is named in brackets, or the text after the label names one: “Legitimate interests — keeping
    the service safe”."""
    said = straight(passage.sentence.text)
    if re.search(r"(?i)legitimate (?:business )?interests? \(", said):
        return True
    label = _LABELLED.match(said)
    if label is None:
        return False
    sentences = passage.block.sentences
    behind = sentences[sentences.index(passage.sentence) + 1 :]
    return any(map(_FOR_SOMETHING.search, (said[label.end() :], *(straight(one.text) for one in behind))))


_LABELLED = re.compile(r"(?:\W|\d|\b(?:our|the|[a-f])\b){0,6}legitimate (?:business )?interests?\s?(?:[:.–—]|- )", re.I)
_FOR_SOMETHING = re.compile(
    r"\b(?:to|in order to) (?!(?:us|you|your|our|the|a|an|this|those|process\w*|use|collect|rely|do so|pursue|achieve"
    r"|further|object|be)\b)[a-z]{3,}|(?:^|[,;:] | (?:for|of|in|like|by|as) )(?:\w+ )?"
    r"(?!(?:processing|using|collecting|being|during|regarding|concerning|balancing|relying)\b)[a-z]{4,}ing\b",
    re.I,
)
"""A verb for an aim other than just processing data."""


@fires_when("GDPR.13.1e.recipients")
def _recipients(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    told = spoken.of("recipient.named", "recipient.category")
    sections = {passage.under for passage in told}
    vague = [one for one in outside_headings(spoken.of("recipient.vague")) if one.under not in sections]
    vague = vague or without(outside_headings(spoken.of("recipient.undefined")), told)
    vague = [one for one in vague if one.block.kind != "heading" or not told]
    if vague:
        yield Hit(vague[0].sentence)
    elif not told and (implied := spoken.of("recipient.activity")):
        yield Hit(implied[0].sentence)


@fires_when("GDPR.13.1f.transfer")
def _transfer(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    shielded = spoken.of("transfer.shield")
    if shielded and looked.as_of >= _SHIELD_ENDS:
        yield Hit(shielded[0].sentence, says=(("what", "the Privacy Shield is no safeguard since 16 July 2020"),))
    elif not shielded and not spoken.has("transfer.safeguard", "transfer.adequate"):
        told = (_stated(spoken.of(name)) for name in ("transfer.abroad", "transfer.vendor"))
        for passage in next(filter(None, told), [])[:1]:
            yield Hit(passage.sentence, says=(("what", "no adequacy decision or safeguard is named"),))


def _stated(passages: Sequence[Passage]) -> list[Passage]:
    """*passages* without questions: asking whether data goes abroad does not state that it does."""
    return [passage for passage in passages if not passage.sentence.text.endswith("?")]


# --- rights and deadlines ---------------------------------------------------------------------------------------------


@fires_when("GDPR.21.4.objection")
def _objection_to_marketing(looked: LintContext) -> Iterator[Hit]:
    """A right to object that is listed among many other rights in one sentence is not presented separately from
    them."""
    spoken = looked.mentions
    marketing = spoken.of("mail.commercial", "marketing.any")
    others = Counter(id(passage) for name in _OTHER_RIGHTS for passage in spoken.of(name) if not passage.own)
    told = [one for one in spoken.of("right.object.marketing") if others[id(one)] < _MANY_RIGHTS]
    if marketing and not told and not said_near(marketing, spoken.of("right.object.it")):
        yield Hit()


_OTHER_RIGHTS = ("right.access", "right.rectify", "right.erase", "right.restrict", "right.port")
_MANY_RIGHTS = 4


@fires_when("GDPR.12.time")
def _time_and_process(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("right.any"):
        return
    asking = spoken.of("right.process", "right.any")
    is_timed = spoken.has("right.time") or said_near(asking, spoken.of("right.soon"))
    wanted = ((spoken.has("right.process"), "how to ask for them"), (is_timed, "how soon the answer comes"))
    lacking = [words for is_told, words in wanted if not is_told]
    if lacking:
        yield Hit(says=(("lacking", " nor ".join(lacking)),))


@fires_when("GDPR.13.2e.mandatory")
def _required_fields(looked: LintContext) -> Iterator[Hit]:
    """Saying that some extra is optional, far from where data is asked for, does not say which of that data is
    required."""
    spoken = looked.mentions
    asked, told = spoken.of("fields.asked"), spoken.of("fields.mandatory")
    if asked and not any(_NEEDED.search(one.words) for one in told) and not said_near(asked, told):
        yield Hit()


_NEEDED = any_word("content.needed")


@fires_when("GDPR.14.indirect")
def _indirect(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    others = () if spoken.has("indirect.people") else spoken.of("indirect.others")
    received = [one for one in spoken.of("indirect.received") if not _is_itemised(one)]
    told = {id(passage) for passage in spoken.of("indirect.content")}
    after = following(spoken)
    for passage in (*received, *others):
        # The content may be in the same sentence or the next one.
        near = [one for one in (passage, after.get(id(passage))) if one is not None]
        if not {id(one) for one in near} & told and not (passage in received and any(map(_names_kinds, near))):
            yield Hit(passage.sentence)
            return


def _names_kinds(passage: Passage) -> bool:
    """True if it names two or more kinds of data."""
    return len(set(_KINDS.findall(passage.words))) >= _KINDS_MIN


_KINDS_MIN = 2
_KINDS = any_word("content.kinds")


def _is_itemised(passage: Passage) -> bool:
    """True if it introduces a list or is an item of one: the list states kinds and sources."""
    return bool(passage.own) or passage.sentence.text.endswith(":")


@fires_when("GDPR.9.special")
def _special(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    implied = spoken.of("special.implied")
    if implied and not spoken.has("special.spoken") and not said_near(implied, spoken.of("consent.relied")):
        yield Hit(implied[0].sentence)
        return
    if not spoken.has("special.named"):
        for passage in itertools.islice(_on_another_ground(looked, implied), 1):
            yield Hit(passage.sentence)


def _on_another_ground(looked: LintContext, implied: Sequence[Passage]) -> Iterator[Passage]:
    """Table cells with special categories whose row names an ordinary legal basis, and neither consent nor Art. 9."""
    spoken = looked.mentions
    grounds = spoken.of("basis.ordinary")
    for passage in implied:
        row = looked.row_of(passage.block)
        if row and not _SPECIAL_GROUND.search(row) and said_near([passage], grounds):
            yield passage


_SPECIAL_GROUND = any_word("content.special_ground", re.I)


@fires_when("GDPR.28.role")
def _role(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("role.stated"):
        received = spoken.of("role.received")
        yield Hit(received[0].sentence if received else None)


@fires_when("GDPR.27.rep")
def _representative(looked: LintContext) -> Iterator[Hit]:
    """A UK company is taken to serve the EU only if it says so; others are, unless they say that they serve nobody
    there."""
    spoken = looked.mentions
    missing = [*spoken.of("representative.missing"), *filter(_has_gap, spoken.of("representative.any"))]
    if missing:
        yield Hit(missing[0].sentence)
        return
    is_offering = spoken.has("offers.eu") if looked.home.region == "uk" else not spoken.has("offers.nowhere")
    if looked.home.is_outside_eu and is_offering and not spoken.has("representative.any"):
        yield Hit()


def _has_gap(passage: Passage) -> bool:
    return has_gap(passage.sentence)


@fires_when("UK.164A.complaint")
def _complaint_to_itself(looked: LintContext) -> Iterator[Hit]:
    if looked.home.region == "uk" and not looked.mentions.has("complaint.self"):
        yield Hit()


# --- vague wording ----------------------------------------------------------------------------------------------------


@fires_when("GDPR.12.clarity")
def _clarity(looked: LintContext) -> Iterator[Hit]:
    found = list(unfinished(looked.policy))
    for sentence, words in found[:1]:
        yield Hit(sentence, words, _other_places(len(found) - 1))


@fires_when("GDPR.12.hedging")
def _hedging(looked: LintContext) -> Iterator[Hit]:
    return _capped(looked.mentions.of("hedge.practice"))


# --- redress and breaches ---------------------------------------------------------------------------------------------


@fires_when("REDRESS.body")
def _redress(looked: LintContext) -> Iterator[Hit]:
    """Redress is promised without naming a body, or with a placeholder for it."""
    spoken = looked.mentions
    promised = outside_headings(spoken.of("redress.promised"))
    gaps = list(filter(_has_gap, promised))
    for passage in gaps[:1] or ([] if spoken.has("redress.body") else promised[:1]):
        yield Hit(passage.sentence)


@fires_when("BREACH.deadline")
def _breach_deadline(looked: LintContext) -> Iterator[Hit]:
    return _breach_without(looked, "breach.time")


@fires_when("BREACH.authority")
def _breach_authority(looked: LintContext) -> Iterator[Hit]:
    return _breach_without(looked, "breach.authority")


_GOES_ON = re.compile(r"\b(?:this|that|it|tell|inform\w*|notif\w*|report\w*|notice|breach\w*|incidents?)\b")
"""Words by which a sentence continues the previous one about a breach."""


def _breach_without(looked: LintContext, concept: str) -> Iterator[Hit]:
    """*concept* must be in a sentence about a breach, or in the next one."""
    spoken = looked.mentions
    told = spoken.of("breach.any")
    after = following(spoken)
    behind = [one for one in (after.get(id(passage)) for passage in told) if one and _GOES_ON.search(one.words)]
    near = {id(one) for one in (*told, *behind)}
    if told and not any(id(passage) in near for passage in spoken.of(concept)):
        yield Hit(told[0].sentence)

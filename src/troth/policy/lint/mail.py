"""Rules about marketing e-mail, and about cookies and other trackers, that need more than concepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext, outside_headings
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, straight
from troth.policy.lint.proximity import following, said_near, without
from troth.policy.lint.rules import fires_when

_CANSPAM = (
    ("canspam.headers", "true headers"),
    ("canspam.subject", "true subjects"),
    ("canspam.label", "a mark for advertisements"),
    ("canspam.address", "a postal address"),
    ("canspam.optout", "a way to opt out"),
)


_IDENTIFIER = re.compile(r"\b(?=\w{0,40}_)[A-Za-z_]\w{2,40}\b|\b[A-Z]{3,12}ID\b")
"""Typical cookie names: ``shop_session``, ``PHPSESSID``."""
_QUOTED = re.compile(r"\b[Cc]ookies?:? [\"'`]\w[\w .-]{1,30}[\"'`]")
_WITH_LIFE = re.compile(
    r"(?:^|[\s\"'`*])(?P<name>[A-Za-z][\w-]{1,24})[\"'`*]* ?(?:\(|: ?| - |\| ?)[^.;()]{0,60}?"
    r"(?:\bsession\b(?!-)|\b(?:\d{1,3}|one|two|six|twelve|thirteen) ?(?:min|h\b|hours?|d\b|days?|weeks?|mo|months?|y))"
)
"""A name with its lifetime: “sid (session)”, “lang: 12 months”."""
_LASTS = re.compile(
    r"\b(?:session(?! re)|permanent|persistent|expires?)\b"
    r"|\b\w{1,12} (?:mins?|minutes?|hours?|hrs?|days?|weeks?|mths?|months?|yrs?|years?)\b"
    r"|\b\d{1,3}(?:min|h|d|mo|m|y|yr)\b|\b(?:log|sign|logged|signed|signing|logging) out\b"
    r"|\bclose (?:your|the) (?:browser|window|tab)\b|\bleave the site\b"
)


@fires_when("CANSPAM.content")
def _canspam(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    named = spoken.of("canspam.named")
    is_american = looked.home.region == "us" or (looked.home.region == "other" and spoken.has("reach.us"))
    if not named and not (is_american and spoken.has("newsletter.sent", "mail.commercial")):
        return
    missing = [words for concept, words in _CANSPAM if not spoken.has(concept)]
    if missing:
        yield Hit(named[0].sentence if named else None, says=(("missing", ", ".join(missing)),))


@fires_when("CANSPAM.time")
def _time_to_opt_out(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    offered = spoken.of("optout.offered")
    after = following(spoken)
    soon = {id(passage) for passage in spoken.of("optout.soon")}
    behind = [one for one in (after.get(id(passage)) for passage in offered) if one and _GOES_ON.search(one.words)]
    is_timed = spoken.has("optout.time") or any(_IN_A_ROW.search(row) for row in looked.rows.values())
    if offered and not is_timed and not any(id(one) in soon for one in (*offered, *behind)):
        yield Hit(offered[0].sentence)


_IN_A_ROW = re.compile(
    r"\b(?:unsubscri|opt(?:ing)? out|newsletter|marketing|mailing).{0,80}\b"
    r"(?:\w+ (?:business |working )?(?:days?|hours?)|at once|immediate\w*|instant\w*|same day)\b"
)
_GOES_ON = re.compile(r"\b(?:this|that|it|these|requests?|effect|effective|changes?)\b")
"""Words by which a sentence continues the previous one."""


@fires_when("PECR.22.basis")
def _newsletter(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    sent = outside_headings(spoken.of("newsletter.sent"))
    # Consent to cookies is not consent to e-mail.
    asked = without(spoken.of("consent.relied", "newsletter.asked"), spoken.of("cookie.used", "analytics.used"))
    labelled = [after for one in sent if _is_label(one) and (after := looked.following.get(id(one))) is not None]
    wanted = spoken.has("newsletter.basis") or _said_beside([*sent, *labelled], asked)
    unasked = [one for one in spoken.of("newsletter.unasked") if _BUNDLED.search(one.words) or one not in asked]
    for passage in unasked[:1] or (sent[:1] if not wanted else []):
        yield Hit(passage.sentence)


_BUNDLED = any_word("mail.bundled", before=r"\b(?:by|in) (?:\w+ )?")


def _is_label(passage: Passage) -> bool:
    """True if it only names the topic of the next paragraph, like a term before its definition."""
    block = passage.block
    return block.cell is None and len(block.sentences) == 1 and len(passage.words.split()) <= _LABEL_WORDS_MAX


_LABEL_WORDS_MAX = 3


def _said_beside(places: Iterable[Passage], wanted: Iterable[Passage]) -> bool:
    """True if one of *wanted* is in the paragraph, item or row of one of *places*: the next item is about something
    else."""
    spots = {_spot(passage) for passage in places}
    return any(_spot(passage) in spots for passage in wanted)


def _spot(passage: Passage) -> object:
    cell = passage.block.cell
    return (cell.table, cell.row) if cell is not None else id(passage.block)


@fires_when("PECR.6.consent")
def _cookies_unasked(looked: LintContext) -> Iterator[Hit]:
    """Trackers without a request for consent, or that run before it."""
    spoken = looked.mentions
    used = outside_headings(spoken.of("cookie.used"))
    trackers = spoken.of("cookie.used", "analytics.used")
    early = [one for one in spoken.of("cookie.early") if one in trackers]
    if early:
        yield Hit(early[0].sentence)
    elif used and not spoken.has("cookie.consent") and not _is_told_elsewhere(looked):
        needed = spoken.of("cookie.necessary_only")
        selling = [one for one in without(used, needed) if _SELLS.search(one.words)]
        for passage in selling[:1] or (used[:1] if not needed else []):
            yield Hit(passage.sentence)


_SELLS = re.compile(r"\b(?:pixels?|advert\w*|campaigns?|marketing|remarketing|retargeting)\b")
"""Words of sentences about trackers that are not necessary, whatever is said elsewhere about all cookies."""


@fires_when("PECR.6.analytics")
def _visits_measured(looked: LintContext) -> Iterator[Hit]:
    """Measurement without a choice; being asked only about advertisers is not a choice."""
    spoken = looked.mentions
    measured = outside_headings(spoken.of("analytics.used"))
    asked = [one for one in spoken.of("cookie.consent") if not _ADVERTISERS.search(one.words)]
    is_asked = bool(asked) or _is_told_elsewhere(looked)
    if measured and not is_asked and not spoken.has("analytics.choice") and not _choice_follows(looked, measured):
        yield Hit(measured[0].sentence)


_ADVERTISERS = re.compile(r"\b(?:ad|ads|advert\w*) (?:partners?|networks?|vendors?|companies|tech\w*)\b")


@fires_when("PECR.6.pixel")
def _mail_tracked(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    tracked = spoken.of("pixel.mail")
    wanted = spoken.has("pixel.choice") or said_near(tracked, spoken.of("consent.relied"))
    if tracked and not wanted and not _choice_follows(looked, tracked):
        yield Hit(tracked[0].sentence)


def _choice_follows(looked: LintContext, passages: Sequence[Passage]) -> bool:
    """True if the sentence after one of *passages* offers a choice about “this”."""
    after = following(looked.mentions)
    behind = {id(after.get(id(passage))) for passage in passages}
    return any(id(passage) in behind for passage in looked.mentions.of("choice.it"))


@fires_when("PECR.6.list")
def _cookies_listed(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    used = outside_headings(spoken.of("cookie.word"))
    about = _about_cookies(looked, used)
    texts = [straight(one.sentence.text) for one in about]
    is_named = spoken.has("cookie.named") or any(_is_name(text) for text in texts)
    is_dated = spoken.has("cookie.duration") or any(_LASTS.search(one.words) for one in about)
    wanted = ((is_named, "which there are"), (is_dated, "how long they stay"))
    missing = [words for is_said, words in wanted if not is_said]
    if used and missing and not _is_told_elsewhere(looked):
        yield Hit(used[0].sentence, says=(("missing", ", ".join(missing)),))


def _is_told_elsewhere(looked: LintContext) -> bool:
    """True if the policy links to a cookie policy; merely naming one is not enough."""
    return any(one.sentence.links or _ADDRESS.search(one.sentence.text) for one in looked.mentions.of("cookie.policy"))


def _about_cookies(looked: LintContext, used: Iterable[Passage]) -> list[Passage]:
    """Passages in the blocks of *used*, under a heading on cookies, or in a table that lists lifetimes."""
    blocks = {id(passage.block) for passage in used}
    passages = looked.mentions.passages
    tables = {
        one.block.cell.table
        for one in passages
        if one.block.cell and one.block.cell.is_head and _HEAD.search(one.words)
    }
    return [
        one
        for one in passages
        if id(one.block) in blocks or "cookie" in one.under or (one.block.cell and one.block.cell.table in tables)
    ]


_ADDRESS = re.compile(r"\bwww\.|://|\w/cookie")
_HEAD = re.compile(r"\b(?:cookies?|trackers?|expir\w+|lifetime|lifespan|duration|runtime|max age|lasts|how long)\b")


def _is_name(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_IDENTIFIER, _QUOTED, _WITH_LIFE))

"""Rules about what laws ask a policy to say, where concepts alone do not decide."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from troth.policy.lexicon import Passage
from troth.policy.lint.model import Hit, Severity
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked, outside_headings
from troth.policy.lint.unfinished import empty_leads, unfinished
from troth.policy.phrases import plain

_SHIELD_ENDS = dt.date(2020, 7, 16)
"""C-311/18: the Privacy Shield is no safeguard any more."""
_KINDS = (
    ("kept.accounts", "accounts"),
    ("kept.orders", "orders and payments"),
    ("kept.messages", "messages"),
    ("kept.newsletter", "addresses for mailings"),
    ("kept.visits", "records of visits"),
    ("kept.logs", "logs"),
    ("kept.applicants", "applications"),
    ("kept.footage", "pictures of cameras"),
    ("kept.recordings", "recordings"),
    ("kept.location", "locations"),
    ("kept.contributions", "contributions"),
    ("kept.contests", "surveys and contests"),
    ("kept.health", "health data"),
    ("kept.network", "data of the wireless network"),
)
"""Kinds of data by their concepts, in words for a reader."""
_REPEATS_MAX = 10
"""How often a fault of wording is told; further places are only counted."""


def _other_places(count: int) -> tuple[tuple[str, str], ...]:
    return (("others", f", and so in {count} more places" if count > 1 else f", and so in {count} more place" * count),)


def _capped(found: Sequence[Passage]) -> Iterator[Hit]:
    """The first few of *found*; the last of them says how many more there are."""
    for place, passage in enumerate(found[:_REPEATS_MAX], 1):
        more = len(found) - _REPEATS_MAX if place == _REPEATS_MAX else 0
        yield Hit(passage.sentence, says=_other_places(max(more, 0)))


def _without(passages: Iterable[Passage], others: Iterable[Passage]) -> list[Passage]:
    silent = {id(passage) for passage in others}
    return [passage for passage in passages if id(passage) not in silent]


def _said_near(places: Iterable[Passage], wanted: Iterable[Passage]) -> bool:
    """Whether one of *wanted* stands in the same block as one of *places*, or in the same row of a table, or beside
    it in the same list."""
    spots = {_spot(passage) for passage in places}
    return any(_spot(passage) in spots for passage in wanted)


def _spot(passage: Passage) -> object:
    cell = passage.block.cell
    if cell is not None:
        return (cell.table, cell.row)
    return (passage.under, passage.words[: passage.own]) if passage.own else id(passage.block)


# --- why, on what ground, to whom -------------------------------------------------------------------------------------


@fires_when("GDPR.13.1c.purpose")
def _purpose(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("purpose.stated"):
        yield Hit(says=(("where", ""),))
    empty = {sentence.id for sentence in empty_leads(looked.policy)}
    announced = [passage for passage in spoken.of("purpose.announced") if passage.sentence.id in empty]
    for passage in announced[:1]:
        yield Hit(passage.sentence, says=(("where", ": they are announced here, and nothing follows"),))


@fires_when("GDPR.13.1d.interests")
def _interests(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    relied = spoken.of("interests.relied")
    # In a table the purpose in the same row is the interest.
    is_named = spoken.has("interests.named") or any(
        passage.block.cell is not None or re.search(r"(?i)interests? \(", passage.sentence.text) for passage in relied
    )
    if relied and not is_named:
        yield Hit(relied[0].sentence, says=(("rely", "are relied on"),), is_settled=True)
    elif not spoken.has("basis.any"):
        yield Hit(says=(("rely", "may be what this rests on"),))


@fires_when("GDPR.13.1e.recipients")
def _recipients(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    told = spoken.of("recipient.named", "recipient.category")
    sections = {passage.under for passage in told}
    vague = [
        passage
        for passage in outside_headings(spoken.of("recipient.vague"))
        if not told or passage.under not in sections
    ]
    vague = vague or _without(outside_headings(spoken.of("recipient.undefined")), told)
    if vague:
        yield Hit(vague[0].sentence)
    elif not told and (implied := spoken.of("recipient.activity")):
        yield Hit(implied[0].sentence)


@fires_when("GDPR.13.1f.transfer")
def _transfer(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    shielded = spoken.of("transfer.shield")
    if shielded and looked.as_of >= _SHIELD_ENDS:
        yield Hit(shielded[0].sentence, says=(("what", "the Privacy Shield is no safeguard since 16 July 2020"),))
    elif not shielded and not spoken.has("transfer.safeguard"):
        places = spoken.of("transfer.abroad") or spoken.of("transfer.vendor")
        for passage in places[:1]:
            yield Hit(passage.sentence, says=(("what", "no adequacy decision or safeguard is named"),))


# --- how long, and what deletion means --------------------------------------------------------------------------------


@fires_when("GDPR.13.2a.retention")
def _no_period(looked: Looked) -> Iterator[Hit]:
    """A kind of data has a period where both stand in one block, or in one row of a table."""
    spoken = looked.mentions
    said = spoken.of("retention.any", "retention.period", "retention.vague")
    if not said:
        yield Hit(says=(("what", "any data"),))
        return
    if spoken.has("retention.all"):
        return
    lacking = [words for name, words in _KINDS if spoken.has(name) and not _said_near(spoken.of(name), said)]
    if lacking:
        yield Hit(says=(("what", ", ".join(lacking)),))


@fires_when("GDPR.13.2a.vague")
def _vague_periods(looked: Looked) -> Iterator[Hit]:
    """A sentence about all data that announces the periods below it is no fault; one about some data is."""
    spoken = looked.mentions
    definite = spoken.of("retention.period")
    for passage in _without(spoken.of("retention.vague"), definite):
        is_general = passage in spoken.of("retention.general")
        if not (is_general and sum(other.under == passage.under for other in definite) > 1):
            yield Hit(passage.sentence)


@fires_when("GDPR.17.overpromise")
def _overpromise(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    absolute = spoken.of("deletion.absolute")
    duties = _without(spoken.of("retention.duty"), absolute)
    for passage in absolute:
        if duties and not _is_limited_next(passage):
            duty = f"line {duties[0].sentence.span.line} names a duty to keep some of it"
            yield Hit(passage.sentence, says=(("duty", duty),))


def _is_limited_next(passage: Passage) -> bool:
    """Whether the sentence behind takes something back."""
    sentences = passage.block.sentences
    after = sentences.index(passage.sentence) + 1
    following = plain(sentences[after].text) if after < len(sentences) else ""
    return (
        re.match(r"(?:however|except|unless|but|this does not|we may (?:keep|retain)|some|the only)\b", following)
        is not None
    )


# --- who answers, and for whose rights --------------------------------------------------------------------------------


@fires_when("GDPR.21.4.objection")
def _objection_to_marketing(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    marketing = spoken.of("mail.commercial", "marketing.any")
    if (
        marketing
        and not spoken.has("right.object.marketing")
        and not _said_near(marketing, spoken.of("right.object.it"))
    ):
        yield Hit()


@fires_when("GDPR.12.time")
def _time_and_process(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("right.any"):
        return
    wanted = (("right.process", "how to ask for them"), ("right.time", "how soon the answer comes"))
    lacking = [words for name, words in wanted if not spoken.has(name)]
    if lacking:
        yield Hit(says=(("lacking", " nor ".join(lacking)),))


@fires_when("GDPR.14.indirect")
def _indirect(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    others = () if spoken.has("indirect.people") else spoken.of("indirect.others")
    received = [*spoken.of("indirect.received"), *others]
    told = {id(passage.block) for passage in spoken.of("indirect.content")}
    for passage in [passage for passage in received if id(passage.block) not in told][:1]:
        yield Hit(passage.sentence)


_ADDRESS = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]{1,63}\.[\w.-]{2,100}")
_SHARED = re.compile(
    r"(?:info|information|contact|contactus|hello|hi|support|office|admin|administration|mail|enquir(?:y|ies)|"
    r"inquiries|sales|help|helpdesk|services?|team|customer\w{0,8}|feedback|reception|marketing|hr|webmaster|post|"
    r"mailbox|general|questions|ask)",
    re.I,
)
_OFFICER = r"(?:[Dd]ata [Pp]rotection [Oo]fficer|[Pp]rivacy [Oo]fficer|DPO)"
_PERSON = r"(?:(?:Mr|Mrs|Ms|Dr|Prof)\.? )?[A-Z][a-z]{1,20}(?: [A-Z]\.)? [A-Z][a-z]{1,20}(?:-[A-Z][a-z]{1,20})?"
_NAMED = re.compile(
    rf"{_OFFICER}\)?(?:,| is| \(|:)? (?P<name>{_PERSON})(?=[\s,.;:()]|$)"
    rf"|(?P<before>{_PERSON}), (?:our |the |is our )?{_OFFICER}"
)
_NO_PERSON = re.compile(
    r"\b(?:Ltd|Limited|Inc|LLC|GmbH|Street|Road|Data|Protection|Officer|Team|House|Privacy|Services?|Group|Consulting|Please|Email|Attn)\b"
)


@fires_when("GDPR.38.dpo-mailbox")
def _officers_mailbox(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    about = spoken.of("officer.any")
    following = {id(passage): after for passage, after in zip(spoken.passages, spoken.passages[1:], strict=False)}
    for passage in about:
        for near in (passage, following.get(id(passage))):
            address = _ADDRESS.search(near.sentence.text) if near else None
            if near and address and _SHARED.fullmatch(address[1]):
                yield Hit(
                    near.sentence, address[0], (("what", "The officer is reached through a mailbox that others read."),)
                )
                return
    for passage in about:
        if re.search(r"(?i)\bsame (?:e-?mail|mailbox)\b", passage.sentence.text):
            yield Hit(passage.sentence, says=(("what", "The officer shares a mailbox with others."),))
            return
    for passage in about:
        found = _NAMED.search(passage.sentence.text)
        name = found and (found["name"] or found["before"])
        if name and not _NO_PERSON.search(name):
            yield Hit(passage.sentence, says=(("what", "The officer is given by name, which goes stale."),))
            return


@fires_when("GDPR.27.rep")
def _representative(looked: Looked) -> Iterator[Hit]:
    """A British company is known to serve the EU only where it says so; others speak to everybody."""
    spoken = looked.mentions
    may_offer = looked.home.region != "uk" or spoken.has("offers.eu")
    if looked.home.is_outside_eu and may_offer and not spoken.has("representative.any"):
        yield Hit()


@fires_when("UK.164A.complaint")
def _complaint_to_itself(looked: Looked) -> Iterator[Hit]:
    if looked.home.region == "uk" and not looked.mentions.has("complaint.self"):
        yield Hit()


# --- words that leave things open -------------------------------------------------------------------------------------


@fires_when("GDPR.12.clarity")
def _clarity(looked: Looked) -> Iterator[Hit]:
    found = list(unfinished(looked.policy))
    for sentence, words in found[:1]:
        yield Hit(sentence, words, _other_places(len(found) - 1))


@fires_when("GDPR.12.hedging")
def _hedging(looked: Looked) -> Iterator[Hit]:
    return _capped(looked.mentions.of("hedge.practice"))


# --- after a breach ---------------------------------------------------------------------------------------------------


@fires_when("BREACH.deadline")
def _breach_deadline(looked: Looked) -> Iterator[Hit]:
    if not looked.mentions.has("breach.any"):
        yield Hit(says=(("what", "Nothing is said about what happens after a breach."),), severity=Severity.INFO)
    says = (("what", "A breach is to be told, and it is not said how soon."),)
    for hit in _breach_without(looked, "breach.time"):
        yield replace(hit, says=says)


@fires_when("BREACH.authority")
def _breach_authority(looked: Looked) -> Iterator[Hit]:
    return _breach_without(looked, "breach.authority")


def _breach_without(looked: Looked, concept: str) -> Iterator[Hit]:
    told = looked.mentions.of("breach.any")
    if told and not _said_near(told, looked.mentions.of(concept)):
        yield Hit(told[0].sentence)


# --- California -------------------------------------------------------------------------------------------------------


@fires_when("CA.22575.b1.categories")
def _open_categories(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("collected.any"):
        yield Hit()
    for passage in spoken.of("collected.open"):
        yield Hit(passage.sentence)


@fires_when("CA.22575.b1.thirdparties")
def _third_parties(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    denied = spoken.of("thirdparty.denied")
    if not denied and spoken.has("thirdparty.swapped"):
        denied = spoken.of("thirdparty.notsold")
    if denied:
        yield Hit(denied[0].sentence, says=(("what", "denied"),))
    elif not spoken.has("recipient.named", "recipient.category"):
        yield Hit(says=(("what", "not named"),))


_CCPA = (
    ("ccpa.know", "to know"),
    ("ccpa.delete", "to delete"),
    ("ccpa.correct", "to correct"),
    ("ccpa.optout", "to opt out"),
)


@fires_when("CCPA.rights")
def _rights_of_californians(looked: Looked) -> Iterator[Hit]:
    missing = [words for concept, words in _CCPA if not looked.mentions.has(concept)]
    if missing:
        yield Hit(says=(("missing", ", ".join(missing)),))


# --- mail and cookies -------------------------------------------------------------------------------------------------

_CANSPAM = (
    ("canspam.headers", "true headers"),
    ("canspam.subject", "true subjects"),
    ("canspam.label", "a mark for advertisements"),
    ("canspam.address", "a postal address"),
    ("canspam.optout", "a way to opt out"),
)


_IDENTIFIER = re.compile(r"\b(?=\w{0,40}_)[A-Za-z_]\w{2,40}\b|\b[A-Z]{3,12}ID\b")
"""What the name of a cookie looks like: ``shop_session``, ``PHPSESSID``."""


@fires_when("CANSPAM.content")
def _canspam(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    named = spoken.of("canspam.named")
    if not named and not (looked.home.region == "us" and spoken.has("mail.commercial")):
        return
    missing = [words for concept, words in _CANSPAM if not spoken.has(concept)]
    if missing:
        yield Hit(named[0].sentence if named else None, says=(("missing", ", ".join(missing)),))


@fires_when("CANSPAM.time")
def _time_to_opt_out(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    offered = spoken.of("optout.offered")
    if offered and not spoken.has("optout.time") and not _said_near(offered, spoken.of("optout.soon")):
        yield Hit(offered[0].sentence)


@fires_when("PECR.22.basis")
def _newsletter(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    sent = outside_headings(spoken.of("newsletter.sent"))
    if sent and not spoken.has("newsletter.basis") and not _said_near(sent, spoken.of("consent.relied")):
        yield Hit(sent[0].sentence)


@fires_when("PECR.6.pixel")
def _mail_tracked(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    tracked = spoken.of("pixel.mail")
    if tracked and not spoken.has("pixel.choice") and not _said_near(tracked, spoken.of("consent.relied")):
        yield Hit(tracked[0].sentence)


@fires_when("PECR.6.list")
def _cookies_listed(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    used = outside_headings(spoken.of("cookie.word"))
    about = [passage for passage in spoken.passages if passage in used or "cookie" in passage.under]
    is_named = spoken.has("cookie.named") or any(_IDENTIFIER.search(passage.sentence.text) for passage in about)
    missing = [] if is_named else ["which there are"]
    missing += [] if spoken.has("cookie.duration") else ["how long they stay"]
    if used and missing:
        yield Hit(used[0].sentence, says=(("missing", ", ".join(missing)),))

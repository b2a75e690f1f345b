"""Rules about two sentences that cannot both be true. A finding is on one of them and gives the line of the other."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from troth.policy.extraction import ContactKind, Reached, contacts
from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, shortened
from troth.policy.lint.rules import fires_when
from troth.policy.text import Sentence


def _beside(passage: Passage, other: Passage) -> Hit:
    return Hit(passage.sentence, says=beside_line(other.sentence))


def beside_line(sentence: Sentence) -> tuple[tuple[str, str], ...]:
    """What a finding says about another sentence: its line and its beginning."""
    return (("other", str(sentence.span.line)), ("quote", shortened(sentence.text)))


def _without(passages: Iterable[Passage], others: Iterable[Passage]) -> list[Passage]:
    """*passages* that are not in *others*; headings are dropped, because they state nothing that could be untrue."""
    silent = {id(passage) for passage in others}
    return [passage for passage in passages if id(passage) not in silent and passage.block.kind != "heading"]


# --- recipients -------------------------------------------------------------------------------------------------------


@fires_when("X.transfer-vs-vendors")
def transfer_and_vendors(looked: LintContext) -> Iterator[Hit]:
    """Denials that data goes to others or abroad, together with recipients there."""
    spoken = looked.mentions
    pairs = (
        ("denial.sharing", ("recipient.named", "recipient.category", "vendor.told")),
        ("denial.abroad", ("transfer.vendor", "abroad.told")),
        ("denial.trade", ("trade.told",)),
        ("denial.ads", ("ads.told", "watchers.outside")),
    )
    told = set[str]()
    for denial, kinds in pairs:
        others = _without(spoken.of(*kinds), [*spoken.of(denial), *spoken.of("denial.any"), *spoken.of("officer.any")])
        others = others or (list(_at_named_firms(looked)) if denial == "denial.sharing" else [])
        for passage in spoken.of(denial) if others else ():
            is_meant = denial != "denial.sharing" or not _is_local(passage)
            if is_meant and passage.sentence.id not in told and not is_taken_back(passage, looked):
                told.add(passage.sentence.id)
                yield _beside(passage, others[0])
    for passage in spoken.of("denial.here"):
        beside = [other for other in spoken.of("passed.on") if other.block is passage.block and other is not passage]
        if beside and passage.sentence.id not in told:
            yield _beside(passage, beside[0])


def _at_named_firms(looked: LintContext) -> Iterator[Passage]:
    """Sentences in which a named third party does the company's work; the company itself is read as *we*."""
    for passage in looked.mentions.passages:
        is_said = passage.block.kind != "heading" and _AT_A_FIRM.search(passage.sentence.text)
        if is_said and not _OURSELVES.search(passage.words):
            yield passage


_AT_A_FIRM = re.compile(
    r"\b(?:hosted|sent|run|stored|kept|delivered|handled|processed|printed|managed|served|backed up|counted|measured"
    r"|answered|shipped|prepared|goe?s? out|rented|use|uses|employ)(?: \w+){0,3}? (?:by|through|via|with|from|use|uses)"
    r" (?:the )?[A-Z]\w+|\b(?:use|uses) [A-Z]\w+ (?:for|to)\b"
    r"|\b[A-Z]\w+ (?:hosts|sends|stores|delivers|prints|runs|processes|handles|receives|counts) (?:our|your|the)\b"
)
_OURSELVES = re.compile(
    r"\b(?:we|it|this|nobody|everybody|everyone|staff|who|she|he)"
    r" (?:hosts|sends|stores|delivers|prints|runs|processes|handles|receives|counts)\b"
    r"|\b(?:not|never|our own|act|regulation|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|monday|tuesday|wednesday|thursday|friday|gdpr|eu|uk|europe|germany|tls|ssl|https)\b"
)


def _is_local(denial: Passage) -> bool:
    """True if it refers only to its own subsection: “a passing on does not take place” under “Statistics”."""
    is_below = denial.block.kind != "heading" and bool(denial.under) and not _ABOUT_OTHERS.search(denial.under)
    return is_below and not _GENERAL_DENIAL.search(denial.words)


_ABOUT_OTHERS = any_word("contradictions.about_others")
"""Headings of sections about all recipients of the data."""


_GENERAL_DENIAL = any_word("contradictions.general_denial")


@fires_when("X.contradiction")
def denied_and_done(looked: LintContext) -> Iterator[Hit]:
    """Absolute denials contradicted by a sentence that does what they deny; one finding per subject."""
    spoken = looked.mentions
    for denial in spoken.names("never."):
        denials = [one for one in spoken.of(denial) if not is_taken_back(one, looked)]
        done = _without(spoken.of(f"does.{denial.removeprefix('never.')}"), spoken.of(denial)) if denials else []
        if done:
            yield _beside(denials[0], done[0])


def is_taken_back(passage: Passage, looked: LintContext) -> bool:
    """True if the next sentence qualifies the denial."""
    after = looked.following.get(id(passage))
    return after is not None and bool(looked.mentions.why("denial.qualified", after.sentence))


_WORDS_MIN = 4
"""Shorter sentences are notes in a table."""


@fires_when("X.sharing-label")
def sold_by_another_name(looked: LintContext) -> Iterator[Hit]:
    """A denial of selling although third parties track visitors; one finding, only if California may be relevant."""
    spoken = looked.mentions
    if looked.home.region not in {"us", ""} and not spoken.has("california.any"):
        return
    said = [passage for passage in spoken.of("denial.sale") if len(passage.sentence.text.split()) >= _WORDS_MIN]
    denials = [passage for passage in said if not shares_openly(passage, looked)]
    others = _without(spoken.of("watchers.outside"), denials)
    if denials and others:
        local = [
            passage
            for passage in denials
            if re.search(r"\b(?:california|ccpa|u s)", f"{passage.under} {passage.words}")
        ]
        yield _beside((local or denials)[0], others[0])


def shares_openly(denial: Passage, looked: LintContext) -> bool:
    """True if the paragraph of a denial of selling admits sharing for advertising and the policy offers an opt-out:
    such a denial hides nothing."""
    beside = [one for one in looked.mentions.of("sharing.told") if one.block is denial.block]
    return bool(beside) and looked.mentions.has("sharing.stopped")


@fires_when("X.anonymous-vs-logs")
def anonymous_and_logs(looked: LintContext) -> Iterator[Hit]:
    """A claim that nobody can be identified, in a section that mentions addresses and logs."""
    spoken = looked.mentions
    whole = spoken.of("singles.whole")
    for passage in spoken.of("denial.shortened"):
        beside = [other for other in whole if other.under == passage.under and other is not passage]
        if beside:
            yield _beside(passage, beside[0])
            return
    admitted = {passage.under for passage in spoken.of("singles.admitted")}
    for passage in spoken.of("denial.person"):
        beside = [other for other in spoken.of("singles.out") if other.under == passage.under]
        if beside and passage.under not in admitted:
            yield _beside(passage, beside[0])


# --- mail -------------------------------------------------------------------------------------------------------------


@fires_when("X.unsub-vs-breach-mail")
def no_mail_and_mail(looked: LintContext) -> Iterator[Hit]:
    """A promise that all e-mail stops, although some e-mail is mandatory and nothing says that it continues."""
    spoken = looked.mentions
    told = [one for one in spoken.of("breach.any") if _TO_PEOPLE.search(one.words) and not _UNMAILED.search(one.words)]
    others = _without([*spoken.of("mail.must"), *told], spoken.of("mail.none"))
    if not others or spoken.has("mail.goes_on"):
        return
    for passage in spoken.of("mail.none"):
        yield _beside(passage, others[0])


_UNMAILED = any_word("contradictions.unmailed", before=r"\b(?:by|in a|through|via|on) (?:our )?")
_TO_PEOPLE = any_word("contradictions.to_people")

_GENERAL = re.compile(r"(?:info|office|hello|contact|support|help|reception|team|mail)@")
_FOR_OTHER_MATTERS = any_word("contradictions.for_other_matters", before="", after="@")
_CONTACTS = re.compile(r"\W*(?:\d+(?:\.\d+)*\.? )?(?:contacts?|contact details|questions|how to reach us)\b[:?]", re.I)
"""Beginning of a sentence that gives the address for any question."""
_FOR_PRIVACY = re.compile(r"(?:privacy|dpo|data-?protection|datenschutz)@")


@fires_when("X.mailboxes")
def mailboxes(looked: LintContext) -> Iterator[Hit]:
    """Several addresses for privacy requests: one finding, on the first unexpected address. A general mailbox counts
    only next to a right; a privacy mailbox and an officer's mailbox are expected."""
    spoken = looked.mentions
    rights = {
        passage.sentence.id for passage in spoken.of("right.*", "mail.stop", "mail.preferences", "complaint.self")
    }
    found = dict[str, Sentence]()
    for passage, after in itertools.pairwise(spoken.passages):
        if passage.block is after.block and passage.sentence.text.endswith("?") and _ASKS.search(passage.sentence.text):
            rights.add(after.sentence.id)
    for contact in contacts(looked.policy):
        box = contact.value.lower()
        is_ours = contact.kind is ContactKind.EMAIL and contact.reached in {Reached.COMPANY, Reached.OFFICER}
        said = contact.sentence.text
        is_for_rights = contact.sentence.id in rights or _RIGHTS.search(said) is not None
        is_asked = is_for_rights or not _GENERAL.match(box) or _CONTACTS.match(said)
        if is_ours and is_asked and (is_for_rights or not _FOR_OTHER_MATTERS.match(box)):
            is_better = box in found and _asks_the_officer(box, contact.sentence)
            found[box] = contact.sentence if is_better else found.get(box, contact.sentence)
    ours = _own_domain(found)
    boxes = {box: sentence for box, sentence in found.items() if box.endswith((f"@{ours}", f".{ours}"))}
    for_others = [box for box, asked in boxes.items() if not _FOR_PRIVACY.match(box) or _asks_the_officer(box, asked)]
    if len(boxes) > 1 and for_others:
        which = ", ".join(f"{box} (line {sentence.span.line})" for box, sentence in boxes.items())
        yield Hit(boxes[for_others[0]], says=(("which", which),))
    elif boxes and (somebody := spoken.of("box.somebody")):
        which = f"{next(iter(boxes))} and somebody else’s"
        yield Hit(somebody[0].sentence, says=(("which", which),))


def _asks_the_officer(box: str, sentence: Sentence) -> bool:
    """True if the officer receives requests; merely naming the officer and the address does not count."""
    return box.startswith("dpo") and _ASKS.search(sentence.text) is not None


_RIGHTS = any_word("contradictions.rights", re.I)
_ASKS = any_word("contradictions.asks", re.I)


def _own_domain(boxes: Iterable[str]) -> str:
    domains = [box.partition("@")[2] for box in boxes]
    return max(dict.fromkeys(domains), key=domains.count, default="")


# --- sites ------------------------------------------------------------------------------------------------------------


@fires_when("X.site-scope")
def scope_of_sites(looked: LintContext) -> Iterator[Hit]:
    """A clause about a single site next to a clause about all sites."""
    spoken = looked.mentions
    every = spoken.of("scope.every_site")
    for passage in _without(spoken.of("scope.one_site"), every)[:1]:
        if every:
            yield _beside(passage, every[0])

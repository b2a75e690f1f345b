"""Rules about two sentences that cannot both be true. Each finding is on one and names the line of the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from troth.policy.lexicon import Passage
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import shortened
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked
from troth.policy.lint.uses import is_item
from troth.policy.stated import ContactKind, Reached, contacts
from troth.policy.text import Sentence

__all__ = ["is_taken_back"]


def _beside(passage: Passage, other: Passage) -> Hit:
    return Hit(passage.sentence, says=_other(other.sentence))


def _other(sentence: Sentence) -> tuple[tuple[str, str], ...]:
    return (("other", str(sentence.span.line)), ("quote", shortened(sentence.text)))


def _without(passages: Iterable[Passage], others: Iterable[Passage]) -> list[Passage]:
    """The sentences among *passages* that are none of *others*; a heading says nothing that could be untrue."""
    silent = {id(passage) for passage in others}
    return [passage for passage in passages if id(passage) not in silent and passage.block.kind != "heading"]


# --- who gets it ------------------------------------------------------------------------------------------------------


@fires_when("X.transfer-vs-vendors")
def transfer_and_vendors(looked: Looked) -> Iterator[Hit]:
    """Denials that data goes to others, or abroad, beside those who get it there."""
    spoken = looked.mentions
    pairs = (
        ("denial.sharing", ("recipient.named", "recipient.category", "vendor.told")),
        ("denial.abroad", ("transfer.vendor", "abroad.told")),
        ("denial.trade", ("trade.told",)),
        ("denial.ads", ("ads.told",)),
    )
    told = set[str]()
    for denial, kinds in pairs:
        others = _without(spoken.of(*kinds), [*spoken.of(denial), *spoken.of("denial.any"), *spoken.of("officer.any")])
        for passage in spoken.of(denial) if others else ():
            is_meant = denial != "denial.sharing" or not _is_local(passage)
            if is_meant and passage.sentence.id not in told and not is_taken_back(passage, looked):
                told.add(passage.sentence.id)
                yield _beside(passage, others[0])
    for passage in spoken.of("denial.here"):
        beside = [other for other in spoken.of("passed.on") if other.block is passage.block and other is not passage]
        if beside and passage.sentence.id not in told:
            yield _beside(passage, beside[0])


def _is_local(denial: Passage) -> bool:
    """Whether it is about what its own subsection is about: “a passing on does not take place” under “Statistics”."""
    is_below = denial.block.kind != "heading" and bool(denial.under) and not _ABOUT_OTHERS.search(denial.under)
    return is_below and not _GENERAL_DENIAL.search(denial.words)


_ABOUT_OTHERS = re.compile(
    r"\b(?:third part\w*|recipients?|disclos\w*|shar(?:e|es|ing)|passing on|who (?:gets|receives))\b"
)
"""What a heading says where the section under it tells of everybody who may get the data."""


_GENERAL_DENIAL = re.compile(
    r"\b(?:your|personal|any|all|nothing|nobody|no one|noone|anyone|anybody|everything|customers?|clients?|users?"
    r"|members?|information (?:you|we|about)|data (?:you|we|about)|the data|stays?|remains?|sell|details|addresse?s?)\b"
)


@fires_when("X.contradiction")
def denied_and_done(looked: Looked) -> Iterator[Hit]:
    """A denial without exception beside a sentence that does what it denies, once for each thing denied."""
    spoken = looked.mentions
    for denial in spoken.names("never."):
        denials = [one for one in spoken.of(denial) if not is_taken_back(one, looked)]
        done = _without(spoken.of(f"does.{denial.removeprefix('never.')}"), spoken.of(denial)) if denials else []
        if done:
            yield _beside(denials[0], done[0])


def is_taken_back(passage: Passage, looked: Looked) -> bool:
    """Whether the next sentence says for whom the denial does not hold."""
    after = looked.following.get(id(passage))
    return after is not None and bool(looked.mentions.why("denial.qualified", after.sentence))


_WORDS_MIN = 4
"""Of a sentence; what is shorter is a note in a table."""


@fires_when("X.sharing-label")
def sold_by_another_name(looked: Looked) -> Iterator[Hit]:
    """A denial of sale beside others who watch visitors, once; where California may be concerned."""
    spoken = looked.mentions
    if looked.home.region not in {"us", ""} and not spoken.has("california.any"):
        return
    denials = [passage for passage in spoken.of("denial.sale") if len(passage.sentence.text.split()) >= _WORDS_MIN]
    others = _without(spoken.of("watchers.outside"), denials)
    if denials and others:
        local = [
            passage
            for passage in denials
            if re.search(r"\b(?:california|ccpa|u s)", f"{passage.under} {passage.words}")
        ]
        yield _beside((local or denials)[0], others[0])


@fires_when("X.anonymous-vs-logs")
def anonymous_and_logs(looked: Looked) -> Iterator[Hit]:
    """A claim that nobody can be identified, in a section that speaks of addresses and logs."""
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
def no_mail_and_mail(looked: Looked) -> Iterator[Hit]:
    """A promise that all mail stops, beside mail that must be sent, where nothing says that it goes on."""
    spoken = looked.mentions
    told = [one for one in spoken.of("breach.any") if _TO_PEOPLE.search(one.words)]
    others = _without([*spoken.of("mail.must"), *told], spoken.of("mail.none"))
    if not others or spoken.has("mail.goes_on"):
        return
    for passage in spoken.of("mail.none"):
        yield _beside(passage, others[0])


_TO_PEOPLE = re.compile(
    r"\b(?:you|your|customers?|users?|members?|people|persons?|individuals?|everyone|everybody|parents?)\b"
)

_GENERAL = re.compile(r"(?:info|office|hello|contact|support|help|reception|team|mail)@")
_FOR_OTHER_MATTERS = re.compile(
    r"(?:sales|press|media|security|cert|abuse|jobs|careers|hr|billing|(?:eu|uk)-?rep|representative|rep|no-?reply)@"
)
_CONTACTS = re.compile(r"\W*(?:\d+(?:\.\d+)*\.? )?(?:contacts?|contact details|questions|how to reach us)\b[:?]", re.I)
"""How a sentence begins that gives the address for whatever one may ask."""
_FOR_PRIVACY = re.compile(r"(?:privacy|dpo|data-?protection|datenschutz)@")


@fires_when("X.mailboxes")
def mailboxes(looked: Looked) -> Iterator[Hit]:
    """Several addresses for what people may ask, told once, at the first that nobody would think of. A general mailbox
    counts where a right stands beside it; one for privacy and one for the officer are what anybody expects."""
    spoken = looked.mentions
    rights = {
        passage.sentence.id for passage in spoken.of("right.*", "mail.stop", "mail.preferences", "complaint.self")
    }
    found = dict[str, Sentence]()
    for contact in contacts(looked.policy):
        box = contact.value.lower()
        is_ours = contact.kind is ContactKind.EMAIL and contact.reached in {Reached.COMPANY, Reached.OFFICER}
        is_asked = contact.sentence.id in rights or not _GENERAL.match(box) or _CONTACTS.match(contact.sentence.text)
        if is_ours and is_asked and not _FOR_OTHER_MATTERS.match(box):
            found.setdefault(box, contact.sentence)
    ours = _own_domain(found)
    boxes = {box: sentence for box, sentence in found.items() if box.endswith(f"@{ours}")}
    if len(boxes) > 1:
        which = ", ".join(f"{box} (line {sentence.span.line})" for box, sentence in boxes.items())
        for box in [box for box in boxes if not _FOR_PRIVACY.match(box)][:1]:
            yield Hit(boxes[box], says=(("which", which),))


def _own_domain(boxes: Iterable[str]) -> str:
    domains = [box.partition("@")[2] for box in boxes]
    return max(dict.fromkeys(domains), key=domains.count, default="")


# --- what is handled, and not declared --------------------------------------------------------------------------------


@fires_when("X.card-undeclared")
def card_undeclared(looked: Looked) -> Iterator[Hit]:
    """Card data that is handled and missing from what is collected, unless somebody else takes it."""
    if not looked.mentions.has("card.elsewhere"):
        yield from _undeclared(looked, "card.handled", _CARD)


@fires_when("X.email-undeclared")
def address_undeclared(looked: Looked) -> Iterator[Hit]:
    """Mail that is sent, while no address is among what is collected."""
    if not looked.mentions.has("mail.declared"):
        yield from _undeclared(looked, "mail.sent", _EMAIL)


_CARD = re.compile(
    r"\b(?:cards?|payment (?:details|data|information|methods?)|financial (?:data|information|details)|economic data)\b"
)
_EMAIL = re.compile(r"\b(?:e mails?|emails?|contact|correspondence)\b")


def _undeclared(looked: Looked, handled: str, kind: re.Pattern[str]) -> Iterator[Hit]:
    """Where the kind is first handled, if it is missing wherever the policy lists what it collects."""
    lists = [one for one in looked.mentions.of("collected.list") if not _ELSEWHERE.search(one.under)]
    places = _without(looked.mentions.of(handled), lists)
    if not lists or not places or any(kind.search(passage.words) for passage in lists):
        return
    if not any(kind.search(passage.words) for passage in _beside_lists(looked, lists)):
        yield Hit(places[0].sentence, says=_other(lists[0].sentence))


_ELSEWHERE = re.compile(
    r"\b(?:recipients?|receives?|shar(?:e|es|ing|ed)|disclos\w*|who else|third part\w*|suppliers|processors"
    r"|transfers?|abroad|how long|retention|retain|security|secure|safe|your rights|rights|contact|changes|cookies?"
    r"|children)\b"
)
"""What the sections are about that tell of data, and not of what is collected."""


def _beside_lists(looked: Looked, lists: Sequence[Passage]) -> Iterator[Passage]:
    """What stands in the same sections and tables as these lists, as far as it names data."""
    sections = {passage.under for passage in lists}
    for passage in looked.mentions.passages:
        if passage.under in sections and is_item(passage):
            yield passage


# --- which sites ------------------------------------------------------------------------------------------------------


@fires_when("X.site-scope")
def scope_of_sites(looked: Looked) -> Iterator[Hit]:
    """A clause about one site only, beside one about all of them."""
    spoken = looked.mentions
    every = spoken.of("scope.every_site")
    for passage in _without(spoken.of("scope.one_site"), every)[:1]:
        if every:
            yield _beside(passage, every[0])

"""The rule about how to reach the data protection officer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word
from troth.policy.lint.rules import fires_when

_ADDRESS = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]{1,63}\.[\w.-]{2,100}")
_SHARED = any_word("officer.shared", re.I)
_OF_ROLE = re.compile(r"(?:dpo|dsb|(?:data-?)?(?:protection|privacy|gdpr)(?:-?officer)?|datenschutz\w{0,12})", re.I)
_WITHOUT_NAME = "Leave the name out: the address is the role's own, and goes on when somebody else has it."
_SAME = re.compile(r"\bsame (?:e-?mail|mailbox|(?:mail |postal |contact )?address)\b", re.I)
_ALSO_READS = re.compile(
    r"\b(?:reads?|sees?|checks?|watch(?:es)?|has access to) (?:that|this|the same|the|our) (?:general |shared )?"
    r"(?:in-?box|mailbox|mail|address|account)\b"
    r"|\balso used (?:for|by)\b|\b(?:monitored|read|seen|opened|answered|checked|watched|shared|sorted)"
    r" (?:by|with|among) (?:the |our |all |a )?"
    r"(?:(?!data\b|privacy\b|dpo\b|officer\b)[\w'’-]+ ){0,3}"
    r"(?:team|department|staff|colleagues|office|people|employees|everyone|secretary|assistants?|receptionists?)\b",
    re.I,
)
_OPEN_TO_MANY = any_word("officer.open_to_many", re.I)
"""Contact channels that anybody in the company may answer."""
_ALONE = re.compile(r"\b(?:only|alone|nobody else|no one else|direct(?:ly)?|of (?:their|his|her|its) own)\b", re.I)
_OFFICER = (
    r"(?:[Dd]ata [Pp]rotection (?:[Oo]fficer|[Ll]ead|[Mm]anager|[Cc]ontact)|[Dd]elegate of [Dd]ata [Pp]rotection"
    r"|(?:[Cc]hief )?[Pp]rivacy (?:[Oo]fficer|[Ll]ead)|DPO)"
)
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Rev|Sir|Herr|Frau)\.?"
_PERSON = (
    rf"(?:(?:{_TITLE} )?(?:[A-Z][a-z]{{1,20}}(?: [A-Z]\.)?|[A-Z]\.) (?:(?:van|von|de|da|der|den) ){{0,2}}"
    rf"(?:O['’])?[A-Z][a-z]{{1,20}}(?:-[A-Z][a-z]{{1,20}})?|{_TITLE} [A-Z][a-z]{{1,20}})"
)
_IS = r"(?:,| is(?: called| named)?|:| [-–—]|, who is| called| named)?"
_ACTS_AS = r"(?:,| is| [-–—]|, who is| acts as| serves as| works as| has been| was appointed(?: as)?)?"
_NAMED = re.compile(
    rf"{_OFFICER}(?: of [\w ]{{2,40}}?)?\)?(?:['’]s name)?{_IS} ?\(?(?P<name>{_PERSON})(?=[\s,.;:()!?]|$)"
    rf"(?! [A-Z]|, (?:\w+ ){{0,3}}\d)"
    rf"|(?P<before>{_PERSON}){_ACTS_AS}(?: our| the| your| appointed| also){{0,2}} \(?{_OFFICER}"
    rf"|{_OFFICER}\)?(?: [a-z]+){{0,3}} (?:held by|filled by|falls to|appointed|ask for) (?P<held>{_PERSON})"
    rf"|{_OFFICER} (?:is|is called|called|named) (?P<first>[A-Z][a-z]{{1,20}})(?=[\s,.!(])(?! [A-Z])"
)
_BARE = re.compile(rf"(?P<name>{_PERSON})(?=[,.;:(]|$)")
_NO_PERSON = any_word("officer.no_person")


@fires_when("GDPR.38.dpo-mailbox")
def _officers_mailbox(looked: LintContext) -> Iterator[Hit]:
    """Fires once: for the mailbox, or else for the name."""
    about = looked.mentions.of("officer.any")
    pairs = [(passage, looked.following.get(id(passage))) for passage in about]
    near = [one for pair in pairs for one in pair if one is not None]
    beside = [behind for passage, behind in pairs if behind is not None and _is_label(passage)]
    names = (*(_name(one, _NAMED) for one in about), *(_name(one, _BARE) for one in beside))
    yield from itertools.islice(filter(None, (*map(_mailbox, near), *names)), 1)


def _is_label(passage: Passage) -> bool:
    """True if it is the title of what follows: a heading or a table cell."""
    return passage.block.kind == "heading" or passage.block.cell is not None


def _mailbox(passage: Passage) -> Hit | None:
    text = passage.sentence.text
    address = _ADDRESS.search(text)
    if address and _SHARED.fullmatch(address[1]):
        what = "The officer is reached through a mailbox that others read."
        return Hit(passage.sentence, address[0], (("what", what),))
    is_open = address is None and (_SAME.search(text) or _OPEN_TO_MANY.search(text))
    if (is_open or _ALSO_READS.search(text)) and not _ALONE.search(text):
        return Hit(passage.sentence, says=(("what", "The officer shares a mailbox with others."),))
    return None


def _name(passage: Passage, pattern: re.Pattern[str]) -> Hit | None:
    text = passage.sentence.text
    found = pattern.match(text) if pattern is _BARE else pattern.search(text)
    name = found and next(filter(None, found.groups()))
    if not name or _NO_PERSON.search(name):
        return None
    says = (("what", "The officer is given by name, which goes stale."),)
    address = _ADDRESS.search(text)
    is_of_role = address is not None and _OF_ROLE.fullmatch(address[1])
    return Hit(passage.sentence, says=says, fix=_WITHOUT_NAME if is_of_role else "")

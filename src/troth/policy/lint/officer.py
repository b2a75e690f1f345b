"""The rule about how one reaches the data protection officer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from troth.policy.lexicon import Passage
from troth.policy.lint.model import Hit
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked

_ADDRESS = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]{1,63}\.[\w.-]{2,100}")
_SHARED = re.compile(
    r"(?:info|information|contact|contactus|hello|hi|support|office|admin|administration|mail|enquir(?:y|ies)|"
    r"inquiries|sales|help|helpdesk|services?|team|customer\w{0,8}|feedback|reception|marketing|hr|webmaster|post|"
    r"mailbox|general|questions|ask)",
    re.I,
)
_SAME = re.compile(r"\bsame (?:e-?mail|mailbox|(?:mail |postal |contact )?address)\b", re.I)
_ALSO_READS = re.compile(
    r"\b(?:reads?|sees?|checks?|watch(?:es)?|has access to) (?:that|this|the same|the|our) (?:general |shared )?"
    r"(?:in-?box|mailbox|mail|address|account)\b",
    re.I,
)
_OFFICER = r"(?:[Dd]ata [Pp]rotection [Oo]fficer|[Pp]rivacy [Oo]fficer|DPO)"
_PERSON = r"(?:(?:Mr|Mrs|Ms|Dr|Prof)\.? )?[A-Z][a-z]{1,20}(?: [A-Z]\.)? [A-Z][a-z]{1,20}(?:-[A-Z][a-z]{1,20})?"
_NAMED = re.compile(
    rf"{_OFFICER}\)?(?:,| is| \(|:)? (?P<name>{_PERSON})(?=[\s,.;:()]|$)"
    rf"|(?P<before>{_PERSON}), (?:our |the |is our )?{_OFFICER}"
)
_NO_PERSON = re.compile(
    r"\b(?:Ltd|Limited|Inc|LLC|GmbH|Street|Road|Data|Protection|Officer|Team|House|Privacy|Services?|Group|Consulting|"
    r"Please|Email|Attn)\b"
)


@fires_when("GDPR.38.dpo-mailbox")
def _officers_mailbox(looked: Looked) -> Iterator[Hit]:
    """Fires once: for the mailbox, else for the name."""
    spoken = looked.mentions
    about = spoken.of("officer.any")
    behind = dict(zip(map(id, spoken.passages), spoken.passages[1:], strict=False))
    near = (one for passage in about for one in (passage, behind.get(id(passage))) if one is not None)
    yield from itertools.islice((*filter(None, map(_mailbox, near)), *filter(None, map(_name, about))), 1)


def _mailbox(passage: Passage) -> Hit | None:
    text = passage.sentence.text
    address = _ADDRESS.search(text)
    if address and _SHARED.fullmatch(address[1]):
        what = "The officer is reached through a mailbox that others read."
        return Hit(passage.sentence, address[0], (("what", what),))
    if (_SAME.search(text) or _ALSO_READS.search(text)) and address is None:
        return Hit(passage.sentence, says=(("what", "The officer shares a mailbox with others."),))
    return None


def _name(passage: Passage) -> Hit | None:
    found = _NAMED.search(passage.sentence.text)
    name = found and (found["name"] or found["before"])
    if not name or _NO_PERSON.search(name):
        return None
    return Hit(passage.sentence, says=(("what", "The officer is given by name, which goes stale."),))

"""The rule about how one reaches the data protection officer."""

from __future__ import annotations

import re
from collections.abc import Iterator

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

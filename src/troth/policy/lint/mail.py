"""Rules about mail that sells, and about cookies and other trackers, where concepts alone do not decide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.lint.model import Hit
from troth.policy.lint.near import said_near, without
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked, outside_headings

_CANSPAM = (
    ("canspam.headers", "true headers"),
    ("canspam.subject", "true subjects"),
    ("canspam.label", "a mark for advertisements"),
    ("canspam.address", "a postal address"),
    ("canspam.optout", "a way to opt out"),
)


_IDENTIFIER = re.compile(r"\b(?=\w{0,40}_)[A-Za-z_]\w{2,40}\b|\b[A-Z]{3,12}ID\b")
"""What the name of a cookie looks like: ``shop_session``, ``PHPSESSID``."""
_LASTS = re.compile(r"\bsession\b|\b\w{1,12} (?:minutes?|hours?|days?|weeks?|months?|years?)\b")


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
    if offered and not spoken.has("optout.time") and not said_near(offered, spoken.of("optout.soon")):
        yield Hit(offered[0].sentence)


@fires_when("PECR.22.basis")
def _newsletter(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    sent = outside_headings(spoken.of("newsletter.sent"))
    wanted = spoken.has("newsletter.basis") or said_near(sent, spoken.of("consent.relied", "newsletter.asked"))
    unasked = without(spoken.of("newsletter.unasked"), spoken.of("consent.relied"))
    for passage in unasked[:1] or (sent[:1] if not wanted else []):
        yield Hit(passage.sentence)


@fires_when("PECR.6.pixel")
def _mail_tracked(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    tracked = spoken.of("pixel.mail")
    if tracked and not spoken.has("pixel.choice") and not said_near(tracked, spoken.of("consent.relied")):
        yield Hit(tracked[0].sentence)


@fires_when("PECR.6.list")
def _cookies_listed(looked: Looked) -> Iterator[Hit]:
    spoken = looked.mentions
    used = outside_headings(spoken.of("cookie.word"))
    blocks = {id(passage.block) for passage in used}
    about = [one for one in spoken.passages if id(one.block) in blocks or "cookie" in one.under]
    is_named = spoken.has("cookie.named") or any(_IDENTIFIER.search(one.sentence.text) for one in about)
    is_dated = spoken.has("cookie.duration") or any(_LASTS.search(one.words) for one in about)
    wanted = ((is_named, "which there are"), (is_dated, "how long they stay"))
    missing = [words for is_said, words in wanted if not is_said]
    if used and missing:
        yield Hit(used[0].sentence, says=(("missing", ", ".join(missing)),))

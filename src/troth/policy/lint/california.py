"""Rules of California, where concepts alone do not decide."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.model import Hit
from troth.policy.lint.rules import fires_when
from troth.policy.lint.run import Looked
from troth.policy.lint.written import dates_of


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


@fires_when("CA.22575.b4.effective")
def _no_effective_date(looked: Looked) -> Iterator[Hit]:
    """A day that is none is no date."""
    told = looked.mentions.of("change.date")
    if all(any(date.is_none for date in dates_of(passage.sentence)) for passage in told):
        yield Hit()


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

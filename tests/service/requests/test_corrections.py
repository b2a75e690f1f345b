"""What is said of a correction: every sentence is held against the values that are held now, in four languages."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping

import pytest
from django.utils.translation import gettext, override
from tests.service.requests import test_answers
from tests.service.requests.company import COLUMNS, NAME, STATES, WANTED, Company, Firm, Known, answered, shuffled
from tests.service.requests.company import firm as firm
from tests.service.requests.test_notices import is_told, untrue_to_others
from tests.service.requests.test_stops import LANGUAGES, MAILER, Holds, Is, untrue

from troth.service.cases.case_links import links_of
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.models import CaseOutcome, CaseState

READ = ("fulfilled_amend", "partly_fulfilled")


def is_right_already(truth: Known, target: str) -> bool:
    """Whether no such entry was found, or each reads as asked for, and nobody changed anything."""
    before = [truth.before[place] for place in truth.reach(target)]
    return not truth.is_corrected(target) and all(was in (None, truth.wanted[target]) for was in before)


def is_changed(truth: Known, named: str) -> bool:
    """Whether what the line names was corrected: a category, or something in a system that does not say what."""
    return any(map(truth.is_corrected, truth.targets(named))) or (named == "mailer" and truth.acted(named))


def is_unchanged(truth: Known, category: str) -> bool:
    return any(is_right_already(truth, target) for target in truth.targets(category))


def any_changed(truth: Known) -> bool:
    return any(truth.is_corrected(target) for target in truth.wanted)


def stays(truth: Known, system: str) -> bool:
    """Whether something there should read otherwise and does not: it was not done, or a law keeps it."""
    is_kept = NAME in truth.wanted and truth.before.get("shop.bill.billed") not in (None, truth.wanted.get(NAME))
    return truth.is_undone(system) or (system == "shop" and is_kept)


def is_in_part(truth: Known) -> bool:
    return any(stays(truth, name) and not test_answers.is_not_asked(truth, name) for name in truth.systems())


def names_the_unsearched(truth: Known) -> bool:
    """Whether each system that was not asked stands in the message."""
    is_owed = any(test_answers.is_not_asked(truth, name) for name in truth.systems())
    return not is_owed or gettext(test_answers.NOT_SEARCHED) in truth.text


def is_done(truth: Known, system: str) -> bool:
    """Whether the line counts as many rows as changed there, or the system acted."""
    counted = re.search(r"\((\d+)\)", truth.item)
    rows = {place.rpartition(".")[0] for place in truth.changed() if place.startswith(f"{system}.")}
    return int(counted[1]) <= len(rows) if counted else truth.acted(system)


CLAIMS: Mapping[str, Is[Known]] = {
    "We have corrected your data": any_changed,
    "We have corrected your data, as you asked.": any_changed,
    "We found nothing of yours that we had to correct": lambda truth: all(
        is_right_already(truth, target) for target in truth.wanted
    ),
    "You asked us to correct your data. We looked in our systems, with the details that you gave us, and changed "
    "nothing.": lambda truth: not truth.changed() and not any_changed(truth) and names_the_unsearched(truth),
    "We have done a part of what you asked for": lambda truth: is_in_part(truth) and any_changed(truth),
    "We have done a part of what you asked for. Here is what we did, what stayed, and why.": lambda truth: (
        is_in_part(truth) and any_changed(truth)
    ),
    "We have not done what you asked for": lambda truth: is_in_part(truth) and not any_changed(truth),
    "We have not done what you asked for. Here is what stayed, and why.": lambda truth: (
        is_in_part(truth) and not any_changed(truth)
    ),
    "The page of your request:": lambda truth: links_of([truth.case.pk], STATUS_LINK).exists(),
}
"""Each sentence, and what it rests on."""

LISTS: Mapping[str, Holds[Known]] = {
    "What we changed:": is_changed,
    "For this we found nothing to change: we found no such entry about you, or it reads already as you want it:": (
        is_unchanged
    ),
    "What we did:": is_done,
    "What stayed, and why:": stays,
    "We tell these recipients what we did, and ask them to look at the data that they hold:": is_told,
    test_answers.NOT_SEARCHED: test_answers.is_not_asked,
}


def every_world() -> Iterator[Company]:
    """Companies and corrections at random, without end."""
    chance = random.Random(17)
    pick = chance.choice

    def yes() -> bool:
        return chance.random() < 0.6

    for language, asked, mailer in itertools.cycle(itertools.product(LANGUAGES, WANTED, MAILER)):
        in_shop, has_desk = chance.random() < 0.8, yes()
        yield Company(
            "amend",
            "",
            language,
            in_shop,
            has_desk and yes(),
            has_desk or asked == "two columns",
            mailer,
            has_archive=chance.random() < 0.3,
            ends_well=yes(),
            wanted=asked,
            name=pick(STATES),
            phone=pick(STATES),
            billed=pick(("", "old", "new")) if in_shop else "",
            is_mailed_for_orders=yes(),
            holds_name=yes(),
            posted=yes(),
            post_is=pick(("processor", "controller")),
            registered=pick(("", "other", "name", "phone")),
        )


def late(truth: Known) -> Iterator[str]:
    """The places in stores that hold another value than asked for."""
    now = truth.now()
    for target, new in truth.wanted.items():
        for place in truth.reach(target):
            is_filled = truth.before[place] is not None or target in COLUMNS
            if is_filled and now[place] != new and not place.startswith("mailer."):
                yield place


def follow(firm: Firm, world: Company) -> list[str]:
    """Go through *world* to its end: what was said and is not so, and what was owed and not said."""
    truth, read = answered(firm, world, READ)
    wrong = list[str]()
    for _, text in read:
        truth.text = text
        with override(world.language):
            wrong += untrue(text, truth, CLAIMS, LISTS, test_answers.WORDS)
    case = truth.case
    wrong += (
        [] if case.state == CaseState.CLOSED and len(read) == 1 else [f"{case.state}, {[kind for kind, _ in read]}"]
    )
    is_part = case.outcome == CaseOutcome.PARTLY_FULFILLED
    wrong += [] if is_part == is_in_part(truth) else [f"{case.outcome} although {is_part=}"]
    wrong += [f"{place} is not as it should be" for place in late(truth)]
    wrong += untrue_to_others(firm, truth, read)
    return [f"{world}: {one}" for one in wrong]


FIRST = (
    Company("amend", "", "de", True, True, True, "not_answered", False, True, "both", phone="new", registered="phone"),
    Company("amend", "", "fr", True, True, True, "done", False, True, "two columns", billed="new", registered="phone"),
    Company("amend", "", "es", True, False, True, "down", True, False, "name", billed="old", registered="name"),
    Company("amend", "", "en", True, True, True, "done", False, True, "both", "new", "new", holds_name=False),
)
"""What is always looked at: one value of two is right already, one category gets two values, a law keeps another, and a
system does not say which of two it changed."""


def sample(count: int) -> list[Company]:
    return shuffled(FIRST, every_world(), count, of=4 * len(WANTED) * len(MAILER), seed=3)


@pytest.mark.sampled
def test_every_sentence_of_a_correction_is_backed_by_a_value(firm: Firm) -> None:
    assert [one for world in sample(4) for one in follow(firm, world)] == []


@pytest.mark.soak
def test_every_sentence_of_every_correction_is_backed_by_a_value(firm: Firm) -> None:
    assert [one for world in sample(300) for one in follow(firm, world)] == []

"""What is said of data to take along: every sentence is held against the package and the rows, in four languages."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping

import pytest
from django.utils.translation import override
from tests.rig.packages import read_package
from tests.service.requests import test_answers
from tests.service.requests.company import EMAIL, NAME, STATES, Company, Firm, Known, answered, shuffled
from tests.service.requests.company import firm as firm
from tests.service.requests.test_stops import LANGUAGES, MAILER, Holds, Is, Truth, untrue

from troth.service.cases.models import CaseOutcome, CaseState
from troth.service.requests.models import Package
from troth.service.requests.responses import outcome

READ = ("package_ready", "nothing_held", "fulfilled_port")
PORTABLE = ("shop.person.name", "shop.bill.billed")
"""What the person gave for a contract, besides their address in the shop; the rest is there to help them."""


def found(truth: Known) -> bool:
    """Whether anything of the person was there."""
    return bool(truth.before)


def to_take(truth: Known) -> set[str]:
    """The values that fall under the right."""
    mailed = {"mailer.name"} if truth.world.is_mailed_for_orders else set()
    values = {was for place, was in truth.before.items() if place in {*PORTABLE, *mailed} and was}
    return values | ({truth.who} if truth.world.in_shop else set())


def taken(truth: Known) -> set[str]:
    """The values of declared categories in the package, or of a system that does not say what it holds."""
    row = Package.objects.filter(case=truth.case).first()
    packed = outcome.unsealed(truth.case, truth.told.office.deployment, now=truth.told.office.now()) if row else None
    values = set[str]()
    for part in read_package(packed).parts if packed else ():
        named = [at for at, one in enumerate(part.categories) if one is not None or not any(part.categories)]
        assert {part.categories[at] for at in named} <= {EMAIL, NAME, None}, "no other falls under the right"
        values |= {str(row[at]) for row in part.rows for at in named if row[at]}
    return values


def is_all_of_it(truth: Known) -> bool:
    return bool(to_take(truth)) and taken(truth) == to_take(truth)


def is_left_out(truth: Known) -> bool:
    return found(truth) and not to_take(truth) and not taken(truth)


CLAIMS: Mapping[str, Is[Known]] = {
    "Your data are ready": is_all_of_it,
    "We have put together the data that you gave us or that arose from your use of our service, as far as we use it "
    "with your consent or for a contract with you. It is in a form that computers can read. You may hand it to anybody "
    "you like.": is_all_of_it,
    "Nothing to take with you": lambda truth: not to_take(truth) and not taken(truth),
    "We found nothing that falls under the right to take data with you: it covers the data that you provided, where we "
    "use it with your consent or for a contract with you. The file says what is left out, and why. To see what we "
    "hold, ask for a copy of your data.": is_left_out,
    "What we can say about your data": lambda truth: not found(truth),
    "We found no data in the systems that answered, under the details that you gave us. The file says where we "
    "looked.": (lambda truth: not found(truth) and not taken(truth)),
    "We found no data under the details that you gave us": lambda truth: not found(truth),
    "We have searched with the details that you gave us, and found nothing under them. What we hold without these "
    "details is not found by them.": lambda truth: not found(truth) and names_the_unsearched(truth),
    "If you used another e-mail address with us, ask again with that: we search once more. There is no charge.": (
        lambda truth: True
    ),
}
"""Each sentence, and what it rests on."""


def names_the_unsearched(truth: Known) -> bool:
    """Whether each system that has no answer is one that is not asked, of which a list says so."""
    undone = {name for name in truth.systems() if truth.is_undone(name)}
    return undone <= {name for name in truth.systems() if test_answers.is_not_asked(truth, name)}


LISTS: Mapping[str, Holds[Known]] = {
    "Where we searched:": test_answers.is_searched,
    test_answers.NOT_SEARCHED: test_answers.is_not_asked,
    "Not everything is in it. What is missing, and why:": Truth.is_undone,
}


def every_world() -> Iterator[Company]:
    """Companies at random, without end."""
    chance = random.Random(23)
    pick = chance.choice

    def yes() -> bool:
        return chance.random() < 0.5

    for language, mailer, is_mailed in itertools.cycle(itertools.product(LANGUAGES, MAILER, (True, False))):
        in_shop, has_desk = yes(), yes()
        yield Company(
            "port",
            "",
            language,
            in_shop,
            has_desk and yes(),
            has_desk,
            mailer,
            has_archive=yes(),
            ends_well=yes(),
            name=pick(STATES),
            phone=pick(STATES),
            billed=pick(("", "old", "new")) if in_shop else "",
            is_mailed_for_orders=is_mailed,
            holds_name=yes(),
        )


def follow(firm: Firm, world: Company) -> list[str]:
    """Go through *world* to its end: what was said and is not so, and what was owed and not said."""
    truth, read = answered(firm, world, READ)
    wrong = list[str]()
    for _, text in read:
        with override(world.language):
            wrong += untrue(text, truth, CLAIMS, LISTS, test_answers.WORDS)
    case = truth.case
    wrong += (
        [] if case.state == CaseState.CLOSED and len(read) == 1 else [f"{case.state}, {[kind for kind, _ in read]}"]
    )
    undone = [name for name in truth.systems() if truth.is_undone(name)]
    is_part = not all(test_answers.is_not_asked(truth, name) for name in undone)
    is_said = case.outcome == CaseOutcome.PARTLY_FULFILLED
    wrong += [] if is_part == is_said else [f"{case.outcome} although {is_part=}"]
    wrong += [] if taken(truth) == to_take(truth) else ["the package holds more or less than falls under the right"]
    return [f"{world}: {one}" for one in wrong]


FIRST = (
    Company("port", "", "es", True, True, True, "refused", False, True, billed="old"),
    Company("port", "", "de", False, False, False, "down", False, True),
    Company("port", "", "fr", False, True, True, "done", False, True, is_mailed_for_orders=False),
)
"""What is always looked at: something to take, nothing that was found, and what was found and is left out."""


def sample(count: int) -> list[Company]:
    return shuffled(FIRST, every_world(), count, of=96, seed=2)


@pytest.mark.sampled
def test_every_sentence_of_data_to_take_along_is_backed_by_a_row(firm: Firm) -> None:
    assert [one for world in sample(3) for one in follow(firm, world)] == []


@pytest.mark.soak
def test_every_sentence_of_all_data_to_take_along_is_backed_by_a_row(firm: Firm) -> None:
    assert [one for world in sample(200) for one in follow(firm, world)] == []

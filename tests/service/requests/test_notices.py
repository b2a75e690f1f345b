"""What recipients of data are told of a correction, an erasure or a restriction (GDPR Art. 19): every sentence is held
against what was done and what went there, in four languages."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from django.utils.translation import gettext, override
from tests.service.requests.company import NAME, RECIPIENTS, STATES, Company, Firm, Known, answered, notices, shuffled
from tests.service.requests.company import firm as firm
from tests.service.requests.test_stops import FRAME, LANGUAGES, MAILER, Holds, Is, untrue

from troth.service.cases.intake import receive
from troth.service.cases.models import CaseState

READ = ("fulfilled_erase", "partly_fulfilled", "stopped", "nothing_held")
TOLD = "We tell these recipients what we did, and ask them to look at the data that they hold:"


def had_it_from_us(truth: Known) -> bool:
    """Whether the register shows that data went there, or a row that is fed to whoever works for us."""
    is_its_own = truth.recipient == "post" and truth.world.post_is == "controller"
    return bool(truth.sent(truth.recipient)) and not is_its_own


def has_its_own(truth: Known) -> bool:
    return truth.recipient == "post" and bool(truth.sent("post")) and truth.world.post_is == "controller"


def is_corrected(truth: Known) -> bool:
    return any(map(truth.is_corrected, truth.wanted))


def is_erased(truth: Known) -> bool:
    """Whether rows of the person went, or a system or a person says that they deleted some."""
    places = {place for place in truth.before if place != "shop.bill.billed"}
    gone = places - truth.now().keys()
    return truth.world.right == "erase" and (bool(gone) or any(map(truth.acted, truth.systems())))


def is_restricted(truth: Known) -> bool:
    return truth.world.right == "restrict" and truth.is_kept()


def is_to_be_known_by(truth: Known, who: str) -> bool:
    """Whether it is the person's address: every recipient here is one that gets addresses."""
    return who == truth.who


def is_concerned(truth: Known, category: str) -> bool:
    """Whether data of that category went there and was changed; of an erasure, none that is kept."""
    if category not in truth.sent(truth.recipient):
        return False
    if truth.world.right == "amend":
        return bool(new_values(truth, category))
    return truth.world.right == "restrict" or category not in kept(truth)


def new_values(truth: Known, category: str) -> frozenset[str]:
    """What the data of that category was corrected to: in the rows that are fed to the recipient, or anywhere."""
    table = {"post": "shop.person.", "books": "shop.bill."}.get(truth.recipient, "")
    if table and not any(truth.is_corrected(it, table) for it in truth.targets(category)):
        return frozenset()
    return frozenset(truth.wanted[it] for it in truth.targets(category) if truth.is_corrected(it))


def kept(truth: Known) -> frozenset[str]:
    """The categories that a law or a system's refusal keeps where what the recipient has may come from."""
    if truth.recipient != "partner":
        return truth.sent("books") if truth.recipient == "books" else frozenset()
    by_law = {NAME} if truth.keeps_a_bill() else set()
    refused = truth.is_undone("mailer") and truth.world.mailer == "refused"
    holds = {NAME} if truth.world.holds_name else truth.sent("partner")
    return frozenset(by_law | (holds if refused else set()))


def is_the_value(truth: Known, category: str) -> bool:
    """Whether the line gives the one value that this was corrected to."""
    values = new_values(truth, category)
    return len(values) == 1 and all(truth.item.endswith(f": {value}") for value in values)


def is_told(truth: Known, recipient: str) -> bool:
    return recipient in dict(notices(truth.told, truth.case))


CLAIMS: Mapping[str, Is[Known]] = {
    "Please correct data that you had from us": lambda truth: is_corrected(truth) and had_it_from_us(truth),
    "Please delete data that you had from us": lambda truth: is_erased(truth) and had_it_from_us(truth),
    "Please restrict the use of data that you had from us": lambda truth: (
        is_restricted(truth) and had_it_from_us(truth)
    ),
    "About data of a person in connection with us": has_its_own,
    "We have corrected data of a person. Our records show that you hold data about them in connection with us; please "
    "see whether yours have to be corrected, too.": lambda truth: is_corrected(truth) and has_its_own(truth),
    "We have deleted data of a person. Our records show that you hold data about them in connection with us; please "
    "see whether yours have to be deleted, too.": lambda truth: is_erased(truth) and has_its_own(truth),
    "We have restricted the use of data of a person. Our records show that you hold data about them in connection with "
    "us; please see whether the use of yours has to be restricted, too.": lambda truth: (
        is_restricted(truth) and has_its_own(truth)
    ),
    "A person has had their data corrected. You received data about them from us; we have to tell you, so that you "
    "correct them, too (Art. 19 of the GDPR or of the UK GDPR).": lambda truth: (
        is_corrected(truth) and had_it_from_us(truth)
    ),
    "We have deleted data of a person. You received it from us; we have to tell you, so that you delete what is named "
    "below, too (Art. 19 of the GDPR or of the UK GDPR).": lambda truth: is_erased(truth) and had_it_from_us(truth),
    "We have restricted the use of data of a person. You received it from us; we have to tell you, so that you "
    "restrict the use of what is named below, too (Art. 19 of the GDPR or of the UK GDPR).": lambda truth: (
        is_restricted(truth) and had_it_from_us(truth)
    ),
}
"""Each sentence, and what it rests on."""

LISTS: Mapping[str, Holds[Known]] = {
    "Who it is about:": is_to_be_known_by,
    "Who it is about, as you know them from us:": is_to_be_known_by,
    "Which data:": is_concerned,
    "The correct data:": is_the_value,
}
WORDS = (
    *FRAME,
    "Done by us: %(on)s",
    "Please reply to this letter when it is done, or say why it cannot be.",
    "Use what is written here for this alone, and delete this letter afterwards.",
)
"""What says nothing of the person, and what the recipient is asked for."""


def untrue_to_others(firm: Firm, truth: Known, read: Sequence[tuple[str, str]]) -> list[str]:
    """What recipients were told and is not so, what they were owed and not told, and where the person was told of other
    recipients than those."""
    world, wrong, told = truth.world, list[str](), set[str]()
    for name, text in notices(firm, truth.case):
        truth.recipient = name
        told.add(name)
        with override(world.language):
            found = untrue(text, truth, CLAIMS, LISTS, WORDS)
            wrong += [f"to {name}: {one}" for one in found]
            named = {category for category in truth.sent(name) if f"{category})" in text}
        missed = {one for one in truth.sent(name) if is_concerned(truth, one)} - named
        wrong += [f"{name} is not told of {sorted(missed)}"] if missed else []
    for _, text in read:
        with override(world.language):
            heading = gettext(TOLD)
        _, _, after = text.replace("\r\n", "\n").partition(heading)
        said = {line.removeprefix("- ") for line in after.strip().partition("\n\n")[0].splitlines()}
        names = {name for name, one in RECIPIENTS.items() if one in said}
        wrong += [] if names == told and len(said) == len(names) else [f"the person is told of {said}, not of {told}"]
    for name in RECIPIENTS.keys() - told:
        truth.recipient = name
        owed = sorted(one for one in truth.sent(name) if is_concerned(truth, one) and is_owed(truth))
        wrong += [f"{name} is told nothing of {owed}"] if owed else []
    return wrong


def is_owed(truth: Known) -> bool:
    """Whether anything was done that a recipient hears of from a message: of two new values of one category, or of
    one that a system may have changed, staff tell them."""
    sent = truth.sent(truth.recipient)
    if any(len(new_values(truth, one)) > 1 or any(map(truth.is_unclear, truth.targets(one))) for one in sent):
        return False
    return is_corrected(truth) or is_erased(truth) or is_restricted(truth)


def every_world() -> Iterator[Company]:
    """Companies and requests at random, without end."""
    chance = random.Random(19)
    pick = chance.choice
    registered, rights = ("", "other", "name", "phone"), ("erase", "restrict")

    def yes() -> bool:
        return chance.random() < 0.6

    for language, right, went, mailer in itertools.cycle(itertools.product(LANGUAGES, rights, registered, MAILER)):
        in_shop, has_desk = chance.random() < 0.7, yes()
        yield Company(
            right,
            "",
            language,
            in_shop,
            has_desk and yes(),
            has_desk,
            mailer,
            has_archive=chance.random() < 0.3,
            ends_well=yes(),
            name=pick(STATES),
            phone=pick(STATES),
            billed=pick(("", "", "old")) if in_shop else "",
            holds_name=yes(),
            posted=yes(),
            post_is=pick(("processor", "controller")),
            registered=went,
        )


def follow(firm: Firm, world: Company) -> list[str]:
    """Go through *world* to its end: what others were told and is not so, and what they were owed and not told."""
    truth, read = answered(firm, world, READ)
    wrong = untrue_to_others(firm, truth, read)
    wrong += [] if truth.case.state == CaseState.CLOSED and read else [f"{truth.case.state}"]
    return [f"{world}: {one}" for one in wrong]


FIRST = (
    Company("erase", "", "en", True, True, True, "done", False, True, billed="old", registered="name"),
    Company("erase", "", "de", False, False, True, "nothing", False, True, registered="phone"),
    Company("restrict", "", "fr", True, True, True, "none", True, False, post_is="controller", registered="name"),
)
"""What is always looked at: a law keeps what went there, nothing was there to delete, and a restriction."""


def sample(count: int) -> list[Company]:
    return shuffled(FIRST, every_world(), count, of=192, seed=5)


@pytest.mark.sampled
def test_every_sentence_to_a_recipient_is_backed_by_a_row(firm: Firm) -> None:
    assert [one for world in sample(3) for one in follow(firm, world)] == []


@pytest.mark.soak
def test_every_sentence_to_every_recipient_is_backed_by_a_row(firm: Firm) -> None:
    assert [one for world in sample(300) for one in follow(firm, world)] == []


def test_every_sentence_of_a_notice_has_something_that_it_rests_on() -> None:
    """But for the end of a restriction, of which no recipient is told yet."""
    known = {*CLAIMS, *LISTS, *WORDS}
    text = (Path(receive.__file__).parents[2] / "templates" / "mail" / "recipient_notice.txt").read_text("utf-8")
    said = {*re.findall(r'{% translate "(.+?)" %}', text)} - known
    ends = ("A restriction on data", "is not any more", "Please confirm on this page")
    assert [one for one in said if not any(end in one for end in ends)] == []

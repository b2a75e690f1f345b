"""What is said of a deletion and of a copy: every sentence is held against the rows, in four languages.

The same companies as in `test_stops`: systems that hold the person or not, one that answers for itself or is out of
reach, and one that a person looks into.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping

import pytest
from django.utils.translation import gettext, override
from tests.service.requests.ending import end_tasks
from tests.service.requests.test_stops import FRAME, LANGUAGES, MAILER, Holds, Is, Told, Truth, World, unread, untrue
from tests.service.requests.test_stops import told as told

from troth.service.cases.case_links import links_of
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import STATUS_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import CaseKind, CaseOutcome, CaseState, Channel
from troth.service.requests.models import CaseReceipt, CaseStep, Package

READ = ("fulfilled_erase", "partly_fulfilled", "nothing_held", "package_ready")


def rows_now(truth: Truth, system: str) -> int:
    if system == "shop":
        return len(truth.told.office.rows(f"select id from person where email = '{truth.who}'"))
    return truth.told.desk_rows(truth.who) if system == "desk" else 0


def rows_before(truth: Truth, system: str) -> int:
    return int({"shop": truth.world.in_shop, "desk": truth.world.in_desk}.get(system, False))


def is_answered(truth: Truth, system: str) -> bool:
    """Whether the system itself, or a person who looked into it, has said its last word."""
    step = truth.step(system)
    return step is not None and step.state == CaseStep.State.DONE and step.why != "right_not_answered"


def is_deleted(truth: Truth, system: str) -> bool:
    """Whether the line says of a place as many rows as there were, and none is left; of others, that they answered."""
    if system not in ("shop", "desk"):
        return is_answered(truth, system)
    counted = re.search(r"\((\d+)\)", truth.item)
    was = rows_before(truth, system)
    return counted is not None and int(counted[1]) == was > 0 == rows_now(truth, system)


def is_searched(truth: Truth, system: str) -> bool:
    return rows_before(truth, system) == 0 and (system in ("shop", "desk") or is_answered(truth, system))


def is_not_asked(truth: Truth, system: str) -> bool:
    step = truth.step(system)
    return step is not None and step.why == "right_not_answered"


def held(truth: Truth) -> bool:
    """Whether anything of the person was there when they asked."""
    is_with_mailer = truth.world.mailer == "done"
    return truth.world.in_shop or truth.world.in_desk or is_with_mailer


def all_gone(truth: Truth) -> bool:
    return not any(rows_now(truth, name) for name in truth.systems())


def has_a_receipt(truth: Truth) -> bool:
    """Whether rows of the person were deleted, with an entry of the ledger."""
    is_on_record = CaseReceipt.objects.filter(case=truth.case, entry__isnull=False).exists()
    return is_on_record and (truth.world.in_shop or truth.world.in_desk) and all_gone(truth)


def is_in_part(truth: Truth) -> bool:
    return any(truth.is_undone(name) and not is_not_asked(truth, name) for name in truth.systems())


def did_something(truth: Truth) -> bool:
    others = [name for name in truth.systems() if name not in ("shop", "desk")]
    return has_a_receipt(truth) or any(is_answered(truth, name) and not truth.holds_nothing(name) for name in others)


CLAIMS: Mapping[str, Is[Truth]] = {
    "We have deleted the data that we found about you": lambda truth: all_gone(truth) and did_something(truth),
    "We found no data of yours to delete": lambda truth: not held(truth),
    "Afterwards we searched again by the same details, and found no record that should have gone.": lambda truth: (
        has_a_receipt(truth) and all_gone(truth) and not any(row.residue for row in truth.case.receipts.all())
    ),
    "You asked us to delete your data. We looked in our systems, with the details that you gave us, and found nothing "
    "to delete.": lambda truth: not held(truth),
    "Our ledger shows that we deleted data, without your name and without your data. We keep your request, with your "
    "address, as our proof that we answered it.": has_a_receipt,
    "We have done a part of what you asked for": lambda truth: is_in_part(truth) and did_something(truth),
    "We have done a part of what you asked for. Here is what we did, what stayed, and why.": lambda truth: (
        is_in_part(truth) and did_something(truth)
    ),
    "We have not done what you asked for": lambda truth: is_in_part(truth) and not did_something(truth),
    "We have not done what you asked for. Here is what stayed, and why.": lambda truth: (
        is_in_part(truth) and not did_something(truth)
    ),
    "We found no data under the details that you gave us": lambda truth: not held(truth),
    "We have searched with the details that you gave us, and found nothing under them. What we hold without these "
    "details is not found by them.": lambda truth: not held(truth),
    "If you used another e-mail address with us, ask again with that: we search once more. There is no charge.": (
        lambda truth: True
    ),
    "Your data are ready": lambda truth: held(truth) and Package.objects.filter(case=truth.case).exists(),
    "What we can say about your data": lambda truth: not held(truth),
    "We have put together what we found about you: what it is, why we have it, where it came from, who receives such "
    "data, how long we keep it, and your rights.": lambda truth: Package.objects.filter(case=truth.case).exists(),
    "We found no data in the systems that answered, under the details that you gave us. The file says where we "
    "looked.": lambda truth: not held(truth),
    "The page of your request:": lambda truth: links_of([truth.case.pk], STATUS_LINK).exists(),
}
"""Each sentence, and what it rests on."""

NOT_SEARCHED = (
    "These we did not search, because they do not answer such requests by themselves; write to us about them:"
)
LISTS: Mapping[str, Holds[Truth]] = {
    "You asked us to delete your data. We deleted what we found by the details that you gave us. What we did, place by "
    "place:": is_deleted,
    "What we did:": is_deleted,
    "What stayed, and why:": Truth.is_undone,
    "Where we searched:": is_searched,
    NOT_SEARCHED: is_not_asked,
    "Not everything is in it. What is missing, and why:": Truth.is_undone,
}

WORDS = (
    *FRAME,
    "Your request: %(right_words)s",
    "Received: %(received)s",
    "To fetch them, open this page and press the button there:",
    "To fetch the file, open this page and press the button there:",
    "They are there until %(until)s. Then we delete this copy; you can ask again at any time.",
    "They are personal: keep the file where nobody else reads it.",
    "You may also appeal: on the page of your request, or by answering this letter.",
    "You receive this letter because your address was given to %(name)s. It is not advertising.",
    "After %(day)s no backup of our record of requests can show your data any more.",
)
"""What says nothing of what is held or was done, and two promises that are kept elsewhere."""


def every_world() -> Iterator[World]:
    yes_or_no = (True, False)
    for right, language, mailer in itertools.product(("erase", "view"), LANGUAGES, MAILER):
        for in_shop, in_desk, has_desk, has_archive, ends_well in itertools.product(*([yes_or_no] * 5)):
            if has_desk or not in_desk:
                yield World(right, "", language, in_shop, in_desk, has_desk, mailer, has_archive, ends_well)


def follow(told: Told, world: World) -> list[str]:
    """Go through *world* to its end: what was said and is not so, and what was owed and not said."""
    office, who = told.office, told.begin(world)
    content = CaseContent(address=who, identifiers=(("email", who),))
    intake = receive.Intake(
        CaseKind.REQUEST, content, Channel.CENTRE, right=world.right, language=world.language, tier=1
    )
    case = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    end_tasks(office, case, well=world.ends_well, silent="mailer" if world.mailer == "down" else "")
    case.refresh_from_db()
    truth = Truth(told, world, case, who)
    read = list(unread(told, case, set(), READ))
    wrong = [one for _, text in read for one in untrue(text, truth, CLAIMS, LISTS, WORDS)]
    wrong += (
        [] if case.state == CaseState.CLOSED and len(read) == 1 else [f"{case.state}, {[kind for kind, _ in read]}"]
    )
    with override(world.language):
        heading = gettext(NOT_SEARCHED)
    is_owed = world.right == "erase" and any(is_not_asked(truth, name) for name in truth.systems())
    wrong += ["what was not searched is not named"] if is_owed and not all(heading in text for _, text in read) else []
    is_part = case.outcome == CaseOutcome.PARTLY_FULFILLED
    wrong += [] if is_part == is_in_part(truth) else [f"{case.outcome} although {is_part=}"]
    wrong += [] if world.right == "view" or all_gone(truth) else ["something is still there"]
    return [f"{world}: {one}" for one in wrong]


def sample(count: int) -> list[World]:
    worlds = list(every_world())
    random.Random(11).shuffle(worlds)
    return worlds[:count]


@pytest.mark.sampled
def test_every_sentence_of_an_answer_is_backed_by_a_row(told: Told) -> None:
    assert [one for world in sample(8) for one in follow(told, world)] == []


@pytest.mark.soak
def test_every_sentence_of_every_answer_is_backed_by_a_row(told: Told) -> None:
    assert [one for world in sample(400) for one in follow(told, world)] == []

"""Proof of identity beyond control of a channel: stored data points.

The lowest proof that fits the risk is required (`rules.tier_needed`). Input is compared on our side with all stored
data; the response never reveals which point was wrong, nor whether the person is known at all.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy

from troth.declaration import covers
from troth.service.cases.aliases import about, names_of_cases
from troth.service.cases.case_links import PERSONAL, OpenedCase, links_of
from troth.service.cases.content import SealedContent
from troth.service.cases.models import Case, CaseState
from troth.service.core.deployment import Deployment
from troth.service.portal.models import MailedLink
from troth.subjects import WITHHELD, locate, plan_view

TRIES_MAX = 5
GUESSES_COUNT = dt.timedelta(days=30)
"""How long wrong answers about a person are counted."""


@dataclass(frozen=True, slots=True)
class DataPointQuestion:
    """A question about a stored data point that the person knows; *name* is the form field."""

    name: str
    label: str | Lazy
    category: str


_QUESTIONS = (
    DataPointQuestion("postcode", gettext_lazy("Your postcode"), "user.contact.address.postal_code"),
    DataPointQuestion("street", gettext_lazy("The first line of your address"), "user.contact.address.street"),
    DataPointQuestion("phone", gettext_lazy("Your telephone number"), "user.contact.phone_number"),
    DataPointQuestion("born", gettext_lazy("Your date of birth (year-month-day)"), "user.demographic.date_of_birth"),
    DataPointQuestion("name", gettext_lazy("Your name, as we write it"), "user.name"),
)


def questions(deployment: Deployment) -> tuple[DataPointQuestion, ...]:
    """Questions that this company can ask. They depend only on the declaration, so they are the same for known and
    unknown people."""
    held = {
        use.category
        for system in deployment.declaration.systems.values()
        for table in system.tables.values()
        for use in table.fields.values()
    }
    return tuple(one for one in _QUESTIONS if any(covers(one.category, category) for category in held))


def points_needed(case: Case) -> int:
    """Number of points that the case's tier requires (11 CCR 7062): two, or three with a declaration."""
    return 3 if case.tier_needed >= 3 else 2


def proven_tier(
    opened: OpenedCase, answers: Mapping[str, str], *, declares: bool, deployment: Deployment, now: dt.datetime
) -> int:
    """Compare the person's answers with stored data. Returns the tier of proof that they give; 0 with too few matches.

    Wrong answers are counted. After `TRIES_MAX` about a person, over all links and cases, the result is always 0, and a
    handler must find another way.
    """
    case, own = opened.case, MailedLink.objects.filter(pk=opened.link.pk)
    with transaction.atomic():
        guessed = sum(one.tries for one in _links_about(case, now).select_for_update(of=("self",)).order_by("pk"))
        if guessed >= TRIES_MAX or case.state != CaseState.VERIFYING:
            return 0
        own.update(tries=F("tries") + 1)  # before the comparison, so that concurrent attempts all count
    needed = points_needed(case)
    matched = _matched(case, answers, deployment)
    if matched < needed or (needed >= 3 and not declares):
        return 0
    own.update(tries=F("tries") - 1)
    return min(case.tier_needed, 3)


def tries_left(case: Case, *, now: dt.datetime) -> int:
    """Number of wrong answers about the person of *case* that are still allowed."""
    return max(0, TRIES_MAX - sum(_links_about(case, now).values_list("tries", flat=True)))


def _links_about(case: Case, now: dt.datetime) -> QuerySet[MailedLink]:
    """Recent links of this and other cases about the same person, by which someone could guess answers."""
    names = names_of_cases([(case.pk, case.subject)])[case.pk]
    cases = Case.objects.filter(Q(pk=case.pk) | about(names)).values("pk")
    return links_of(cases, *PERSONAL).filter(made_at__gt=now - GUESSES_COUNT)


def _matched(case: Case, answers: Mapping[str, str], deployment: Deployment) -> int:
    content = SealedContent(deployment.keyring).content(case)
    identity = content.identity
    if identity is None:
        return 0
    region = deployment.declaration.organisation.country
    with deployment.stores(read_only=True) as stores:
        view, *_ = plan_view(
            deployment.declaration, locate(deployment.map(stores), stores, [identity], purpose="view", region=region)
        )
    held: dict[str, set[str]] = {}
    for table in view.tables:
        for column, category in enumerate(table.categories):
            for row in table.rows if category else ():
                value = row[column]
                if value is not None and value != WITHHELD:
                    held.setdefault(category or "", set()).add(_plain(str(value)))
    own = {_plain(value) for _, value in content.identifiers}
    matched = 0
    for question in questions(deployment):
        given = _plain(answers.get(question.name, ""))
        values = {value for category, some in held.items() if covers(question.category, category) for value in some}
        # a value already given as identifier proves nothing
        matched += bool(given) and given not in own and any(_same(given, value) for value in values)
    return matched


def _plain(text: str) -> str:
    """Only case-folded letters and digits, so that ``SW1A 1AA`` is ``sw1a1aa``."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _same(given: str, value: str) -> bool:
    if given == value:
        return True
    digits = re.compile(r"\d{9,15}")
    return bool(digits.fullmatch(given) and digits.fullmatch(value)) and given[-9:] == value[-9:]

"""What differs between types of cases: each duty registers a `CaseHandling` with the types that it answers."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from troth.service.duty import CaseType, listed, resolve

if TYPE_CHECKING:
    from django import forms
    from django.http import HttpRequest

    from troth.declaration import Declaration
    from troth.service.cases.case_links import OpenedCase
    from troth.service.cases.console.actions import ConsoleAction
    from troth.service.cases.content import CaseContent
    from troth.service.cases.intake.receive import Intake
    from troth.service.cases.lifecycle import Closing
    from troth.service.cases.models import Case, CaseEvent
    from troth.service.cases.pages.case_status import LedgerProof
    from troth.service.core.deployment import Deployment


class CaseHandling:
    """How the cases of a type are handled. By default a handler answers them in writing, and nothing else happens.

    Methods that change something are called in the transaction of the event that they are named after.
    """

    actions: ClassVar[Mapping[str, ConsoleAction]] = {}
    """What staff may do with these cases, besides what they may do with every case."""
    staff_events: ClassVar[Mapping[str, Any]] = {}
    """Events of any case in words, for staff."""
    staff_reasons: ClassVar[Mapping[str, Any]] = {}
    """Codes of reasons why a case waits, in words."""
    person_events: ClassVar[Mapping[str, Any]] = {}
    """Events of any case in words, for the person."""

    # --- from intake to the end ---

    def admit(self, intake: Intake, deployment: Deployment) -> int:
        """The tier of identity proof that the new case needs. Raises `lifecycle.CaseRefused` for one that cannot be."""
        return 0

    def parts(self, intake: Intake, declaration: Declaration) -> list[Intake]:
        """The cases that *intake* is opened as."""
        return [intake]

    def identified(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        """The case is new, or the person has given more proof of their identity."""

    def begun(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
        """The proof suffices, and processing begins."""

    def next_step(self, case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> str:
        """What happens next, for the acknowledgement, in the active language; empty if there is nothing to say."""
        return ""

    def withdrawing(self, case: Case) -> Mapping[str, str]:
        """The person withdraws the case. Returns further facts for the e-mail that confirms it."""
        return {}

    def closing(self, closings: Sequence[Closing], deployment: Deployment, now: dt.datetime) -> None:
        """The cases are about to be closed."""

    def expire(self, deployment: Deployment, now: dt.datetime) -> None:
        """End what lasts for a time only. Idempotent."""

    # --- disagreement with the answer to any case ---

    def redress(self, case: Case, deployment: Deployment, *, is_less: bool) -> Mapping[str, str]:
        """Facts about redress for e-mails about *case*. *is_less*: the answer does not give all that was asked for."""
        return {}

    def contest(self, case: Case, text: str, deployment: Deployment, *, now: dt.datetime, **more: Any) -> Case | None:
        """Open a case against the answer to the closed *case*, to which its person replied by e-mail. None if that is
        not possible."""
        return None

    def contest_page(self, case: Case) -> tuple[str, str] | None:
        """URL name and title of the page to disagree with the answer to *case*, if its person may."""
        return None

    # --- pages of the person ---

    def waiting_words(self, case: Case, deployment: Deployment) -> str:
        """What the case in progress waits for; empty for what every case may wait for."""
        return ""

    def outcome_words(self, case: Case, events: Iterable[CaseEvent]) -> str:
        """What came of the closed case; empty for what every case may end with."""
        return ""

    def event_words(self, event: CaseEvent, case: Case) -> str:
        """An event of *case*; empty if `person_events` has it, or it is not shown."""
        return ""

    def proofs(self, case: Case) -> list[LedgerProof]:
        """Entries of the ledger about what was done."""
        return []

    def status(self, case: Case, deployment: Deployment, *, inside: bool, now: dt.datetime) -> Any:
        """What its page shows besides what that of every case shows, with the names of its templates: *above* and
        *below* the form for answers. None if there is nothing."""
        return None

    def status_context(self, opened: OpenedCase, deployment: Deployment, now: dt.datetime) -> Mapping[str, Any]:
        """Values for these templates, such as forms."""
        return {}

    def headers(self, case: Case) -> Mapping[str, str]:
        """Headers of its page."""
        return {}

    # --- pages of staff ---

    def progress(self, cases: Collection[Case]) -> Mapping[int, tuple[int, int]]:
        """For each of *cases* that waits for others: how many have answered, and how many were asked."""
        return {}

    def sheet(self, request: HttpRequest, case: Case, deployment: Deployment) -> Any:
        """What the page for staff shows besides what that of every case shows, with its templates *glance* and *body*.
        None if there is nothing."""
        return None

    def fields(self, name: str, declaration: Declaration) -> Mapping[str, forms.Field]:
        """Further fields of the form by which staff open a case of the type *name*."""
        return {}

    def given(self, cleaned: Mapping[str, Any]) -> Mapping[str, Any]:
        """What these fields say, as fields of `CaseContent`."""
        return {}


@functools.cache
def case_types() -> Mapping[str, CaseType]:
    """Every type of case, by its name, in the order of registration."""
    return {one.name: one for one in listed("cases")}


@functools.cache
def handlings() -> Sequence[CaseHandling]:
    """What each duty registered, once."""
    return tuple(map(_handling, dict.fromkeys(one.handling for one in case_types().values())))


@functools.cache
def _handling(name: str) -> CaseHandling:
    handling: CaseHandling = resolve(name)()
    return handling


def handling_of(name: str) -> CaseHandling:
    """How cases of the type *name* are handled."""
    return _handling(case_types()[name].handling)


def by_handling(cases: Iterable[Case]) -> dict[CaseHandling, list[Case]]:
    """*cases* by their handling."""
    groups: dict[CaseHandling, list[Case]] = {}
    for case in cases:
        groups.setdefault(handling_of(case.type), []).append(case)
    return groups

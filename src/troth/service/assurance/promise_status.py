"""Status of every promise for operators: with names, findings and figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from troth.controls import ControlStatus, Judgement
from troth.declaration import Promise
from troth.service.assurance.evaluation import judge
from troth.service.assurance.models import PromiseRow
from troth.service.assurance.rules import promise_name
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment


class NoSuchPromise(ServiceError):
    """No promise of the policy has that id; the message tells where to find ids."""


@dataclass(frozen=True, slots=True)
class PromiseStatus:
    """A promise, its status, and since when, as far as the last pass saw."""

    name: str
    promise: Promise
    judgement: Judgement
    since: dt.datetime | None

    @property
    def id(self) -> str:
        """Id on the status page."""
        return f"p-{self.name.removeprefix('~')}"

    @property
    def reason(self) -> str:
        """First of the sentences that give the reason."""
        return next(iter(self.judgement.reasons), "")

    @property
    def checked(self) -> tuple[ControlStatus, ...]:
        """Status of each of its controls with the last check, as far as it concerns the promise."""
        return tuple(it for it in self.judgement.standings if it.control is not None)


def stand(deployment: Deployment, now: dt.datetime) -> tuple[PromiseStatus, ...]:
    """Every promise of the policy, in order. Runs no checks."""
    judged = judge(deployment, now=now)
    rows = {row.promise: row for row in PromiseRow.objects.all()}

    def since(name: str) -> dt.datetime | None:
        row = rows.get(name)
        return row.since if row is not None and row.status == judged[name].status.value else None

    pairs = ((promise, promise_name(promise)) for promise in deployment.declaration.promises)
    return tuple(PromiseStatus(name, promise, judged[name], since(name)) for promise, name in pairs)


def meant(id_: str, names: Iterable[str]) -> str:
    """Name of the promise with that id on the status page, or that prefix of it. Raises `NoSuchPromise`."""
    wanted = id_.removeprefix("p-").removeprefix("~")
    found = [name for name in names if name.removeprefix("~").startswith(wanted)] if wanted else []
    if len(found) != 1:
        problem = "several promises begin so" if found else "no promise of the policy has this id"
        raise NoSuchPromise(f"{id_}: {problem}; troth promises lists them")
    return found[0]

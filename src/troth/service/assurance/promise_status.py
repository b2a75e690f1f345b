"""How every promise stands now, for whoever runs the service: with names, findings and figures."""

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
    """No promise of the policy has that id; the message says where they are."""


@dataclass(frozen=True, slots=True)
class PromiseStatus:
    """A promise, how it stands, and since when as far as a pass of the keep loop has seen it."""

    name: str
    promise: Promise
    judgement: Judgement
    since: dt.datetime | None

    @property
    def id(self) -> str:
        """As the status page has it."""
        return f"p-{self.name.removeprefix('~')}"

    @property
    def reason(self) -> str:
        """The first of the sentences that say why."""
        return next(iter(self.judgement.reasons), "")

    @property
    def checked(self) -> tuple[ControlStatus, ...]:
        """Where its controls leave it, each with its last check, as far as that concerns the promise."""
        return tuple(it for it in self.judgement.standings if it.control is not None)


def stand(here: Deployment, now: dt.datetime) -> tuple[PromiseStatus, ...]:
    """Every promise of the policy, in its order. Nothing is checked for it."""
    judged = judge(here, now=now)
    rows = {row.promise: row for row in PromiseRow.objects.all()}

    def since(name: str) -> dt.datetime | None:
        row = rows.get(name)
        return row.since if row is not None and row.status == judged[name].status.value else None

    pairs = ((promise, promise_name(promise)) for promise in here.declaration.promises)
    return tuple(PromiseStatus(name, promise, judged[name], since(name)) for promise, name in pairs)


def meant(id_: str, names: Iterable[str]) -> str:
    """The name of the promise that somebody means: by the id that the status page links, or the beginning of it. Raises
    `NoSuchPromise`."""
    wanted = id_.removeprefix("p-").removeprefix("~")
    found = [name for name in names if name.removeprefix("~").startswith(wanted)] if wanted else []
    if len(found) != 1:
        problem = "several promises begin so" if found else "no promise of the policy has this id"
        raise NoSuchPromise(f"{id_}: {problem}; troth promises lists them")
    return found[0]

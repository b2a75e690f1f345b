"""Chloe, who approves every waiver and attestation of a test's company: ``python -m tests.rig.second_person``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    import datetime as dt

    from troth.declaration import Declaration


def approve_all(declaration: Declaration, *, now: dt.datetime | None = None) -> int:
    """Approve what waits in *declaration*; how many statements that were."""
    from tests.service.team import bare_member

    from troth.service.assurance import statements

    now = now or timezone.now()
    by = bare_member("chloe")
    return statements.approve(statements.waiting(declaration, now), by=by, actor="staff", now=now)


def main() -> None:
    """The same for the company that the environment describes; with an address, make it an account that may approve."""
    from troth.service.server import catch_up, set_up

    settings = set_up()
    catch_up()
    from tests.service.team import new_member

    from troth.service.assurance.duty import PROMISES_APPROVE

    for email in sys.argv[1:]:
        new_member(email, PROMISES_APPROVE)
    if not sys.argv[1:]:
        from troth.service.core.deployment import load_deployment

        approve_all(load_deployment(settings).declaration)


if __name__ == "__main__":
    main()

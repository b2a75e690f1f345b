"""What is wrong with the way a declaration binds promises to controls."""

from __future__ import annotations

from troth.declaration import Declaration, Problem, Severity
from troth.promises.catalogue import catalogue, nearest

__all__ = ["check"]


def check(declaration: Declaration) -> list[Problem]:
    """Promises and waivers that name unknown controls, and promises that nothing can ever show to be kept."""
    problems = []
    for index, promise in enumerate(declaration.promises):
        path = f"promises.{index}"
        for place, id_ in enumerate(promise.controls):
            if id_ not in catalogue():
                problems.append(_unknown(declaration, f"{path}.controls.{place}", id_))
        for place, id_ in enumerate(promise.waive.scope if promise.waive else ()):
            if id_ not in promise.controls:
                problems.append(_unbound(declaration, f"{path}.waive.scope.{place}", id_))
        if not promise.controls and promise.attest is None:
            problems.append(_unproven(declaration, path))
    return problems


def _unknown(declaration: Declaration, path: str, id_: str) -> Problem:
    mend = nearest(id_, catalogue()).removeprefix("; ") or "docs/reference/controls.md lists them"
    return Problem("control-unknown", declaration.where(path), path, f"no control '{id_[:80]}'", mend)


def _unbound(declaration: Declaration, path: str, id_: str) -> Problem:
    message = f"the waiver covers '{id_[:80]}', which is no control of this promise"
    return Problem("waiver-scope", declaration.where(path), path, message, "name the promise's own controls")


def _unproven(declaration: Declaration, path: str) -> Problem:
    message = "nothing shows that this promise is kept, so it will be 'unproven'"
    mend = "bind a control, or let a named person attest it"
    return Problem("promise-unbound", declaration.where(path), path, message, mend, Severity.WARNING)

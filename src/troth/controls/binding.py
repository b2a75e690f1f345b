"""Checks of how a declaration binds promises to controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.controls.custom import controls_of
from troth.controls.model import Control
from troth.controls.principles import principles
from troth.declaration import Declaration, Problem, Promise, Severity
from troth.text import did_you_mean


def check(declaration: Declaration) -> list[Problem]:
    """Promises and waivers that name unknown controls, promises that nothing can ever prove, and custom controls that
    query something undeclared or are bound to no promise."""
    known = controls_of(declaration)
    problems = list(_own(declaration))
    for index, promise in enumerate(declaration.promises):
        path = f"promises.{index}"
        for place, id_ in enumerate(promise.controls):
            if id_ not in known:
                problems.append(_unknown(declaration, f"{path}.controls.{place}", id_, known))
        for place, id_ in enumerate(promise.waive.scope if promise.waive else ()):
            if id_ not in promise.controls:
                message = f"the waiver covers '{id_[:80]}', which is not a control of this promise"
                place_path, fix = f"{path}.waive.scope.{place}", "give controls of this promise"
                problems.append(declaration.problem("waiver-scope", place_path, message, fix))
        if not promise.controls and promise.attest is None:
            message = "no control or attestation shows that this promise is kept, so it will be 'unproven'"
            fix = "bind a control, or have a named person attest it"
            problems.append(declaration.problem("promise-unbound", path, message, fix, Severity.WARNING))
        problems += _elsewhere(declaration, promise, path)
    return problems


def _own(declaration: Declaration) -> Iterator[Problem]:
    bound = {id_ for promise in declaration.promises for id_ in promise.controls}
    for id_, own in declaration.controls.items():
        path = f"controls.{id_}"
        if own.sql and own.sql.system not in declaration.systems:
            message = f"no system '{own.sql.system[:80]}'"
            fix = did_you_mean(own.sql.system, declaration.systems).removeprefix("; ") or "declare it under 'systems'"
            yield declaration.problem("control-system", f"{path}.sql.system", message, fix)
        elif own.sql and not declaration.systems[own.sql.system].is_looked_into:
            message = f"'{own.sql.system[:80]}' is an external system, and cannot run a SELECT"
            yield declaration.problem("control-system", f"{path}.sql.system", message, "use 'http' or 'pushed'")
        if own.sql and own.sql.reads_nothing:
            message = "it reads no table, so its result never changes"
            fix = "count the rows that would break the promise"
            yield declaration.problem("control-constant", f"{path}.sql.figure", message, fix, Severity.WARNING)
        for principle in own.principles:
            if principle not in principles():
                fix = did_you_mean(principle, principles()).removeprefix("; ") or f"one of {', '.join(principles())}"
                yield declaration.problem("control-principle", f"{path}.principles", "no such principle", fix)
        if id_ not in bound:
            message, fix = "no promise is bound to this control, so it never runs", "add it to a promise"
            yield declaration.problem("control-unbound", path, message, fix, Severity.WARNING)


def _elsewhere(declaration: Declaration, promise: Promise, path: str) -> Iterator[Problem]:
    """A custom control examines one system, an address, or nothing that we know of."""
    systems = {part.partition(".")[0] for part in promise.about}
    for place, id_ in enumerate(promise.controls):
        own = declaration.controls.get(id_)
        unseen = sorted(systems - ({own.sql.system} if own.sql else set())) if own else []
        if unseen:
            message = f"it does not check {', '.join(unseen)}, so it proves nothing about this promise"
            fix = "remove 'about', or bind a control that checks it"
            yield declaration.problem("control-elsewhere", f"{path}.controls.{place}", message, fix, Severity.WARNING)


def _unknown(declaration: Declaration, path: str, id_: str, known: Mapping[str, Control]) -> Problem:
    fix = did_you_mean(id_, known).removeprefix("; ") or "docs/reference/controls.md lists them"
    return declaration.problem("control-unknown", path, f"no control '{id_[:80]}'", fix)

"""Functions that answer controls, and how their results become checks.

A control's function is in the ``controls.py`` of the package that can observe it. The names of its parameters are its
inputs (`CONTROL_INPUTS`); it returns a `ControlResult`; `run` supplies the arguments and makes the `Check`:

    @answers("stores.schema_declared")
    def schema_declared(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult: ...

A parameter with a default is optional. Importing the module registers it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self, TypeVar

from troth import __version__
from troth.controls.catalogue import PromisesError, UnknownControl, control
from troth.controls.custom import controls_of
from troth.controls.model import Check, CheckOutcome, Control, ControlFinding, Evidence, Figure
from troth.declaration import Declaration, OwnControl
from troth.errors import TrothError
from troth.text import did_you_mean

_inputs: dict[str, str] = {
    "declaration": "the declaration, without its promises (see `looked_at`)",
    "stores": "the declared systems' stores by system name: Mapping[str, troth.stores.Store]",
    "asked": "the systems that answer for themselves, by name: Mapping[str, troth.stores.ExternalSystem]",
    "site": "one look at the live site: troth.site.SiteSnapshot",
    "policy": "the declared policy file, read: troth.policy.PolicyText",
    "policy_text": "the declared policy file as `troth.policy.published_text` reads it: str",
    "log": "the ledger: troth.ledger.Log",
    "contradicted": "where our rows tell another history than the ledger: Callable[[], Iterable[Finding]]",
    "keyring": "the keys in use: troth.protect.Keyring",
    "keys": "how all keys stand, looked at when asked: Callable[[], troth.protect.Inventory]",
    "holders": "the people who can see personal data through Troth",
    "holds": "the legal holds in force",
    "control": "the id of the control that is asked",
    "own": "the company's own control that is asked: troth.declaration.OwnControl",
    "pushed": "the latest evidence that programs have sent: Mapping[str, troth.controls.Pushed] by control",
    "now": "the time of the check: an aware datetime in UTC",
}
CONTROL_INPUTS: Mapping[str, str] = MappingProxyType(_inputs)
"""All inputs that a control may request, with their meaning. Packages above add theirs with `add_inputs`."""


def add_inputs(inputs: Mapping[str, str]) -> None:
    """Register what controls may look at besides, each with its meaning. Raises `BadAnswer` for a taken name."""
    if taken := sorted(inputs.keys() & _inputs.keys()):
        raise BadAnswer(f"inputs of controls that are registered already: {', '.join(taken)}")
    _inputs.update(inputs)


_MENDS = MappingProxyType({"site": "Declare its address under organisation.site."})
"""How a declaration can supply a missing input."""
NAMED_MAX = 50
"""Maximum number of findings that a check lists."""


class BadAnswer(PromisesError):
    """Invalid registration of a control's function: an unknown control, an unknown parameter, or a second function."""


_NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class ControlResult:
    """The result of a control. *summary* is one sentence with the figures in it."""

    outcome: CheckOutcome
    summary: str
    evidence: Evidence = _NOTHING
    figures: Mapping[str, Figure] = field(default_factory=dict)
    findings: tuple[ControlFinding, ...] = ()
    until: dt.datetime | None = None
    """When a pass expires, if the observation is older than the check."""

    @classmethod
    def of(
        cls,
        summary: str,
        *,
        evidence: Evidence,
        findings: tuple[ControlFinding, ...] | list[ControlFinding] = (),
        figures: Mapping[str, Figure] | None = None,
    ) -> Self:
        """The usual case: any finding is a failure, none is a pass."""
        outcome = CheckOutcome.FAIL if findings else CheckOutcome.PASS
        return cls(outcome, summary, evidence, dict(figures or {}), tuple(findings))


_Function = TypeVar("_Function", bound=Callable[..., ControlResult])
_ANSWERS: dict[str, Callable[..., ControlResult]] = {}  # filled while packages are imported, and never after
_KINDS = ("sql", "http", "pushed")
"""Kinds of custom controls; each is registered under ``own:`` and its name."""


def answers(control_id: str) -> Callable[[_Function], _Function]:
    """Register the decorated function for *control_id*.

    Raises `UnknownControl` and `BadAnswer` at once, during import.
    """
    return _registering(control(control_id).id)


def answers_own(kind: str) -> Callable[[_Function], _Function]:
    """Register the decorated function for all custom controls of that *kind*: ``sql``, ``http`` or ``pushed``. Raises
    `BadAnswer` at once."""
    if kind not in _KINDS:
        raise BadAnswer(f"there is no kind {kind!r} of custom controls")
    return _registering(f"own:{kind}")


def _registering(key: str) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        for name in inspect.signature(function).parameters:
            if name not in CONTROL_INPUTS:
                raise BadAnswer(f"{key} has an unknown parameter {name!r}{did_you_mean(name, CONTROL_INPUTS)}")
        known = _ANSWERS.get(key)
        if known is not None and _place(known) != _place(function):
            raise BadAnswer(f"{key} is already answered by {_place(known)}")
        _ANSWERS[key] = function
        return function

    return register


def answered(declaration: Declaration | None = None) -> frozenset[str]:
    """The ids of the controls with a function in the packages imported so far; with *declaration*, also of custom
    controls."""
    own = declaration.controls.items() if declaration else ()
    found = {id_ for id_, given in own if f"own:{_kind(given)}" in _ANSWERS}
    return frozenset(found | {id_ for id_ in _ANSWERS if not id_.startswith("own:")})


def _kind(own: OwnControl) -> str:
    return next(kind for kind in _KINDS if getattr(own, kind) is not None)


def looked_at(declaration: Declaration) -> Declaration:
    """The declaration as controls see it: without the promises, without who may see their status, without the custom
    controls, whose version identifies their query, and without faults for rehearsals.

    A check is valid for the declaration that it was made with, so a change makes every check out of date until it has
    run again: which change matters to which control cannot be decided from outside, and a wrong guess would show
    something that nobody checked. Promises and publishing are the exception, because no control can see them: naming an
    owner, granting a waiver or widening an audience leaves the checks valid.
    """
    policy = declaration.policy.model_copy(update={"publish": type(declaration.policy.publish)()})
    return declaration.model_copy(update={"promises": (), "controls": {}, "faults": {}, "policy": policy})


def looked_at_hash(declaration: Declaration) -> str:
    """The hash stored in checks and compared by `status_of`: of `looked_at`, not of the whole declaration."""
    return looked_at(declaration).hash


def run(control_id: str, looking: Mapping[str, object]) -> Check:
    """Run one control now. *looking* holds the inputs, always with ``declaration`` and ``now``; ``collector`` may name
    the caller's task: a word such as ``keep``.

    Never raises because of its result or a failure to observe: anything that breaks is `CheckOutcome.ERROR`. Of an
    unexpected exception only the type is reported, because its text may hold values. ``is_away`` in *looking* may
    identify exceptions that prove nothing, because Troth's own records were unreachable: those are raised. Raises
    `UnknownControl`, and `BadAnswer` if no imported package answers the control.
    """
    wanted, declaration, now = _wanted(control_id, looking)
    own = declaration.controls.get(control_id)
    key = f"own:{_kind(own)}" if own else control_id
    seen = looked_at(declaration)
    answer = _sound(_ask(key, {**looking, "declaration": seen, "own": own, "control": control_id}))
    return _checked(wanted, answer, seen.hash, now, looking)


def inputs_of(control_id: str, declaration: Declaration) -> frozenset[str]:
    """Names of the inputs that a control takes; none if no imported package answers it."""
    own = declaration.controls.get(control_id)
    function = _ANSWERS.get(f"own:{_kind(own)}" if own else control_id)
    return frozenset(inspect.signature(function).parameters) if function is not None else frozenset()


def unanswered(control_id: str, why: str, looking: Mapping[str, object]) -> Check:
    """The check of a control that gave no result, for a reason unknown to `run`: an error, not a pass."""
    wanted, declaration, now = _wanted(control_id, looking)
    return _checked(wanted, _error(why), looked_at_hash(declaration), now, looking)


def _wanted(control_id: str, looking: Mapping[str, object]) -> tuple[Control, Declaration, dt.datetime]:
    declaration, now = looking["declaration"], looking["now"]
    if not isinstance(declaration, Declaration) or not isinstance(now, dt.datetime) or now.utcoffset() is None:
        raise TypeError("a check needs the declaration and an aware datetime as 'now'")
    known = controls_of(declaration)
    if control_id not in known:
        raise UnknownControl(f"there is no control {control_id!r}{did_you_mean(control_id, known)}")
    return known[control_id], declaration, now


def _checked(
    wanted: Control, answer: ControlResult, declaration_hash: str, now: dt.datetime, looking: Mapping[str, object]
) -> Check:
    return Check(
        control=wanted.id,
        control_version=wanted.version,
        outcome=answer.outcome,
        summary=answer.summary,
        at=now,
        valid_until=max(now, min(now + wanted.fresh_for, answer.until or now + wanted.fresh_for)),
        declaration_hash=declaration_hash,
        evidence=_whole(answer.evidence, wanted, now),
        figures=MappingProxyType(dict(answer.figures)),
        findings=_named(answer.findings),
        collector=f"troth {__version__}, {looking.get('collector', 'library')}",
    )


def _whole(evidence: Evidence, wanted: Control, now: dt.datetime) -> Evidence:
    """The evidence with its query and period. By default the query is the control's question about the observed
    systems, at that time."""
    if not evidence.observed:
        return evidence
    asked = json.dumps([wanted.id, wanted.version, wanted.question, sorted(evidence.in_scope)], ensure_ascii=False)
    query = evidence.query or "sha256:" + hashlib.sha256(asked.encode()).hexdigest()
    return replace(evidence, query=query, period=evidence.period or (now, now))


def _named(findings: tuple[ControlFinding, ...]) -> tuple[ControlFinding, ...]:
    """At most as many findings as a page can show. The rest becomes one finding without a place, which so concerns
    every promise: no promise counts as kept because its fault was too far down a list."""
    if len(findings) <= NAMED_MAX:
        return findings
    more = ControlFinding("", f"and {len(findings) - NAMED_MAX:,} more", "fix these; the next check lists more")
    return (*findings[:NAMED_MAX], more)


def _ask(key: str, looking: Mapping[str, object]) -> ControlResult:
    function = _ANSWERS.get(key)
    if function is None:
        raise BadAnswer(f"nothing answers {key}; import the controls.py that does")
    arguments, missing = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in looking:
            arguments[name] = looking[name]
        elif parameter.default is parameter.empty:
            missing.append(name)
    if missing:
        fixes = "".join(f" {_MENDS[name]}" for name in missing if name in _MENDS)
        return _error(f"The check had no input: no {', no '.join(missing)} given.{fixes}")
    try:
        return function(**arguments)
    except Exception as error:
        is_away = looking.get("is_away")
        if callable(is_away) and is_away(error):
            raise
        reason = str(error) if isinstance(error, TrothError) else f"{type(error).__name__}."
        return _error(f"The check failed with an error: {reason}")


def _sound(answer: ControlResult) -> ControlResult:
    """Turn a pass into an error unless it examined something, observed everything in scope, and has no findings."""
    if answer.outcome not in {CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE}:
        return answer
    if unobserved := answer.evidence.unobserved:
        wrong = f"Not everything in scope was checked: {', '.join(sorted(unobserved))} not observed."
    elif not answer.evidence.in_scope:
        wrong = "The control does not report what it checked."
    elif answer.findings:
        wrong = "The control reported faults and a pass."
    else:
        return answer
    return replace(answer, outcome=CheckOutcome.ERROR, summary=f"{wrong} {answer.summary}".strip())


def _error(summary: str) -> ControlResult:
    return ControlResult(CheckOutcome.ERROR, summary)


def _place(function: Callable[..., ControlResult]) -> str:
    return f"{function.__module__}.{function.__qualname__}"

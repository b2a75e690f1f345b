"""How a control is answered, and how an answer becomes a check.

An answer is a plain function in the ``controls.py`` of the room that can know. Its parameters, by name, are what it
looks at (`LOOKING`); it returns an `ControlResult`; `run` supplies the arguments and makes the `Check`:

    @answers("stores.schema_declared")
    def schema_declared(declaration: Declaration, stores: Mapping[str, Store]) -> Answer: ...

A parameter with a default may be left unsupplied. Importing a room registers its answers.
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
from troth.controls.catalogue import PromisesError, UnknownControl, control, nearest
from troth.controls.custom import controls_of
from troth.controls.model import Check, CheckOutcome, Control, ControlFinding, Evidence, Figure
from troth.declaration import Declaration, OwnControl
from troth.errors import TrothError

LOOKING: Mapping[str, str] = MappingProxyType(
    {
        "declaration": "the declaration, without its promises (see `looked_at`)",
        "stores": "the declared systems' stores by system name: Mapping[str, troth.stores.Store]",
        "asked": "the systems that answer for themselves, by name: Mapping[str, troth.stores.ExternalSystem]",
        "site": "the live site: troth.site.Site",
        "policy": "the declared policy file, read: troth.policy.PolicyText",
        "policy_text": "the declared policy file as `troth.policy.published_text` reads it: str",
        "log": "the ledger: troth.ledger.Log",
        "contradicted": "where our rows tell another history than the ledger: Callable[[], Iterable[Finding]]",
        "keyring": "the keys in use: troth.protect.Keyring",
        "keys": "how all keys stand, looked at when asked: Callable[[], troth.protect.Inventory]",
        "tombstones": "who was erased, as pseudonyms that can be matched again",
        "journal": "the journal of runs: troth.subjects.Journal",
        "holders": "the people who can see personal data through Troth",
        "roster": "who works with Troth, what each may do, and the looks at personal data",
        "holds": "the legal holds in force",
        "disclosures": "the register of what went to whom, beside what the ledger says of it",
        "letters": "how the letters that are owed to somebody stand: sent, waiting, failed",
        "control": "the id of the control that is asked",
        "own": "the company's own control that is asked: troth.declaration.OwnControl",
        "pushed": "the latest evidence that programs have sent: Mapping[str, troth.controls.Pushed] by control",
        "held_back": "why a version of the policy is not published, empty where none waits: Callable[[], str]",
        "now": "the time of the check: an aware datetime in UTC",
    }
)
"""Everything that a control may ask to look at. A new word is added here, with what it stands for."""


_MENDS = MappingProxyType({"site": "Say under organisation.site where it is."})
"""What would give a control what it looks at, where a declaration can."""
NAMED_MAX = 50
"""Findings that a check names one by one."""


class BadAnswer(PromisesError):
    """An answer was registered wrongly: an unknown control, an unknown parameter, or a second answer."""


_NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What a control found. *summary* is one sentence with the figures in it."""

    outcome: CheckOutcome
    summary: str
    evidence: Evidence = _NOTHING
    figures: Mapping[str, Figure] = field(default_factory=dict)
    findings: tuple[ControlFinding, ...] = ()
    until: dt.datetime | None = None
    """When a pass ends to count, where what was found is older than the check."""

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
_ANSWERS: dict[str, Callable[..., ControlResult]] = {}  # filled while rooms are imported, and never after
_KINDS = ("sql", "http", "pushed")
"""Of a company's own controls; each is answered under ``own:`` and its name."""


def answers(control_id: str) -> Callable[[_Function], _Function]:
    """Register the decorated function as the one that answers *control_id*.

    Raises `UnknownControl` and `BadAnswer` at once, that is at import.
    """
    return _registering(control(control_id).id)


def answers_own(kind: str) -> Callable[[_Function], _Function]:
    """Register the decorated function as the one that answers every control of a company's own of that *kind*: ``sql``,
    ``http`` or ``pushed``. Raises `BadAnswer` at once."""
    if kind not in _KINDS:
        raise BadAnswer(f"there is no kind {kind!r} of a company's own controls")
    return _registering(f"own:{kind}")


def _registering(key: str) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        for name in inspect.signature(function).parameters:
            if name not in LOOKING:
                raise BadAnswer(f"{key} cannot look at {name!r}{nearest(name, LOOKING)}")
        known = _ANSWERS.get(key)
        if known is not None and _place(known) != _place(function):
            raise BadAnswer(f"{key} is answered already, by {_place(known)}")
        _ANSWERS[key] = function
        return function

    return register


def answered(declaration: Declaration | None = None) -> frozenset[str]:
    """The ids of the controls that have an answer among the rooms imported so far; with *declaration*, also of the
    company's own."""
    own = declaration.controls.items() if declaration else ()
    found = {id_ for id_, given in own if f"own:{_kind(given)}" in _ANSWERS}
    return frozenset(found | {id_ for id_ in _ANSWERS if not id_.startswith("own:")})


def _kind(own: OwnControl) -> str:
    return next(kind for kind in _KINDS if getattr(own, kind) is not None)


def looked_at(declaration: Declaration) -> Declaration:
    """The declaration as controls see it: without the promises, without who may see their status, and without the
    company's own controls, whose version says what they ask.

    A check vouches for the declaration that it was made with, so a change makes every check out of date until it has
    run again: which change could matter to which control cannot be decided from outside, and a wrong guess would show
    what nobody looked at. Promises and publishing are the exception, because no control can see them: naming an owner,
    granting a waiver or widening an audience leaves the checks as they are.
    """
    policy = declaration.policy.model_copy(update={"publish": type(declaration.policy.publish)()})
    return declaration.model_copy(update={"promises": (), "controls": {}, "policy": policy})


def looked_at_hash(declaration: Declaration) -> str:
    """The hash that checks carry and that `status_of` compares: of `looked_at`, not of the whole declaration."""
    return looked_at(declaration).hash


def run(control_id: str, looking: Mapping[str, object]) -> Check:
    """Run one control now. *looking* holds what there is to look at, always with ``declaration`` and ``now``; under
    ``collector`` it may say on whose behalf: a word such as ``keep``.

    Never raises for what it finds or fails to find: what breaks is `CheckOutcome.ERROR`. Of an unexpected exception
    only the type is told, because its text may hold values. Under ``is_away`` *looking* may say of which exceptions
    nothing follows, because Troth's own records were out of reach: those are raised. Raises `UnknownControl`, and
    `BadAnswer` when no imported room answers the control.
    """
    wanted, declaration, now = _wanted(control_id, looking)
    own = declaration.controls.get(control_id)
    key = f"own:{_kind(own)}" if own else control_id
    seen = looked_at(declaration)
    answer = _sound(_ask(key, {**looking, "declaration": seen, "own": own, "control": control_id}))
    return _checked(wanted, answer, seen.hash, now, looking)


def unanswered(control_id: str, why: str, looking: Mapping[str, object]) -> Check:
    """The check of a control that gave no answer, for a reason that `run` cannot know: an error, no pass."""
    wanted, declaration, now = _wanted(control_id, looking)
    return _checked(wanted, _error(why), looked_at_hash(declaration), now, looking)


def _wanted(control_id: str, looking: Mapping[str, object]) -> tuple[Control, Declaration, dt.datetime]:
    declaration, now = looking["declaration"], looking["now"]
    if not isinstance(declaration, Declaration) or not isinstance(now, dt.datetime) or now.utcoffset() is None:
        raise TypeError("a check needs the declaration and an aware datetime as 'now'")
    known = controls_of(declaration)
    if control_id not in known:
        raise UnknownControl(f"there is no control {control_id!r}{nearest(control_id, known)}")
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
    """What was looked at, with what was asked and for which time. Where the answer does not say itself, the control's
    question was asked of what it observed, as that stood then."""
    if not evidence.observed:
        return evidence
    asked = json.dumps([wanted.id, wanted.version, wanted.question, sorted(evidence.in_scope)], ensure_ascii=False)
    query = evidence.query or "sha256:" + hashlib.sha256(asked.encode()).hexdigest()
    return replace(evidence, query=query, period=evidence.period or (now, now))


def _named(findings: tuple[ControlFinding, ...]) -> tuple[ControlFinding, ...]:
    """As many findings as a page can show. What is left out is told by one without a place, which so concerns every
    promise: nothing is kept because its fault stood too far down a list."""
    if len(findings) <= NAMED_MAX:
        return findings
    more = ControlFinding(
        "", f"and {len(findings) - NAMED_MAX:,} more", "mend these, and the next check names the rest"
    )
    return (*findings[:NAMED_MAX], more)


def _ask(key: str, looking: Mapping[str, object]) -> ControlResult:
    function = _ANSWERS.get(key)
    if function is None:
        raise BadAnswer(f"nothing answers {key}; import the room that does (it has a controls.py)")
    arguments, missing = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in looking:
            arguments[name] = looking[name]
        elif parameter.default is parameter.empty:
            missing.append(name)
    if missing:
        mends = "".join(f" {_MENDS[name]}" for name in missing if name in _MENDS)
        return _error(f"There was nothing to look at: no {', no '.join(missing)} given.{mends}")
    try:
        return function(**arguments)
    except Exception as error:
        is_away = looking.get("is_away")
        if callable(is_away) and is_away(error):
            raise
        return _error(f"The check broke: {_told(error)}")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, TrothError) else f"{type(error).__name__}."


def _sound(answer: ControlResult) -> ControlResult:
    """A pass has looked at something, at all that was in scope, and found nothing wrong; else it is no pass."""
    if answer.outcome not in {CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE}:
        return answer
    unobserved = answer.evidence.in_scope - answer.evidence.observed
    if unobserved:
        wrong = f"Not everything in scope was looked at: {', '.join(sorted(unobserved))} not observed."
    elif not answer.evidence.in_scope:
        wrong = "The control does not say what it looked at."
    elif answer.findings:
        wrong = "The control found faults and called it a pass."
    else:
        return answer
    return replace(answer, outcome=CheckOutcome.ERROR, summary=f"{wrong} {answer.summary}".strip())


def _error(summary: str) -> ControlResult:
    return ControlResult(CheckOutcome.ERROR, summary)


def _place(function: Callable[..., ControlResult]) -> str:
    return f"{function.__module__}.{function.__qualname__}"

"""What binding a policy would add to a declaration, and which promises lost their sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.controls import Control
from troth.declaration import Declaration, Problem, Promise
from troth.policy import retention
from troth.policy.bind.proposals import Proposal, propose
from troth.policy.bind.quoting import Quoting
from troth.policy.binding import Bound, bind_promises, quoted
from troth.policy.classify import Understood
from troth.policy.declared_contradictions import contradictions
from troth.policy.text import Sentence


@dataclass(frozen=True, slots=True)
class Astray:
    """A promise whose quote is not found completely in the policy: *promise* has the old quote and its bindings, *near*
    is the most similar sentence."""

    index: int
    promise: Promise
    problem: Problem
    near: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Doubted:
    """A bound promise whose controls would pass although the declaration contradicts its words."""

    index: int
    promise: Promise
    message: str


@dataclass(frozen=True, slots=True)
class BindingPlan:
    """*proposals* are new promises, *bound* were found in the policy and *astray* were not; *left* counts those marked
    as no promises. *bare* are bound without controls or attestation, and *doubted* need a second look."""

    proposals: tuple[Proposal, ...]
    bound: tuple[Bound, ...]
    astray: tuple[Astray, ...]
    left: int = 0
    doubted: tuple[Doubted, ...] = ()

    @property
    def bare(self) -> tuple[Bound, ...]:
        """Bound promises with neither controls nor an attestation to show that they are kept."""
        return tuple(one for one in self.bound if not one.promise.controls and one.promise.attest is None)


def plan_binding(
    understood: Understood, declaration: Declaration, known: Mapping[str, Control] | None = None
) -> BindingPlan:
    """Compares the policy's promises with those of the declaration. Existing bindings and `not_promises` entries are
    kept."""
    bounds = bind_promises(understood.policy, declaration.promises)
    passed = quoted(understood.policy, [one.quote for one in declaration.policy.not_promises])
    places = [*(bound.sentences for bound in bounds), *passed]
    taken = {sentence.id for sentences in places for sentence in sentences}
    quoting = Quoting(understood)
    proposals = propose(understood, declaration, known)
    new = [one for one in proposals if not _is_taken(one, quoting, taken)]
    lost = [
        Astray(bound.index, bound.promise, bound.problem, bound.near) for bound in bounds if bound.problem is not None
    ]
    return BindingPlan(
        tuple(new),
        tuple(bound for bound in bounds if bound.problem is None),
        tuple(lost),
        sum(bool(sentences) for sentences in passed),
        tuple(_doubted(bounds, proposals, declaration)),
    )


def _doubted(bounds: Sequence[Bound], proposals: Sequence[Proposal], declaration: Declaration) -> Iterator[Doubted]:
    """Promises whose period differs from their rule, and promises that the declaration contradicts and that rest on
    controls alone."""
    periods = {int(one.path.split(".")[1]): one.message for one in retention.problems(declaration)}
    for bound in bounds:
        if bound.index in periods:
            yield Doubted(bound.index, bound.promise, periods[bound.index])
        elif bound.promise.controls and bound.promise.attest is None:
            ids = {sentence.id for sentence in bound.sentences}
            said = [one for one in proposals if any(clause.sentence.id in ids for clause in one.clauses)]
            found = [*(conflict for one in said for conflict in one.conflicts)]
            for conflict in dict.fromkeys([*found, *contradictions(bound.promise.quote, declaration)]):
                yield Doubted(bound.index, bound.promise, f"{conflict}; have somebody attest it, too")


def _is_taken(proposal: Proposal, quoting: Quoting, taken: set[str]) -> bool:
    return any(sentence.id in taken for clause in proposal.clauses for sentence in quoting.sentences(clause))

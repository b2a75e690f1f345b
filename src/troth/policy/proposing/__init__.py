"""What could show that each promise of a policy is kept: controls, a named person's word, or a control of one's own.

`plan_binding` holds the promises of a policy against those that a declaration binds already. It proposes and never
decides: what a person wrote is left as it stands, and every line that it would add can be read first.
"""

from __future__ import annotations

from troth.policy.proposing.about import period_conflict
from troth.policy.proposing.plan import Astray, BindingPlan, Doubted, plan_binding
from troth.policy.proposing.propose import Proof, Proposal, ProposalsError, propose
from troth.policy.proposing.writing import Change, change_for

__all__ = [
    "Astray",
    "BindingPlan",
    "Change",
    "Doubted",
    "Proof",
    "Proposal",
    "ProposalsError",
    "change_for",
    "period_conflict",
    "plan_binding",
    "propose",
]

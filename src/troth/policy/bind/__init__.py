"""What could show that each promise of a policy is kept: controls, a named person's word, or a control of one's own.

`plan_binding` holds the promises of a policy against those that a declaration binds already. It proposes and never
decides: what a person wrote is left as it stands, and every line that it would add can be read first.
"""

from __future__ import annotations

from troth.policy.bind.file_change import FileChange, change_for
from troth.policy.bind.plan import Astray, BindingPlan, Doubted, plan_binding
from troth.policy.bind.proposals import ControlProposal, Proposal, ProposalsError, propose
from troth.policy.bind.subject_matter import period_conflict

__all__ = [
    "Astray",
    "BindingPlan",
    "ControlProposal",
    "Doubted",
    "FileChange",
    "Proposal",
    "ProposalsError",
    "change_for",
    "period_conflict",
    "plan_binding",
    "propose",
]

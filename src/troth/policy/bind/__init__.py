"""Proposes how to show that each promise of a policy is kept: controls, an attestation, or a custom control.

`plan_binding` compares the policy's promises with those that a declaration already binds. It proposes and never
decides: existing entries are unchanged, and every added line can be reviewed first.
"""

from __future__ import annotations

from troth.policy.bind.file_change import FileChange, change_for
from troth.policy.bind.plan import Astray, BindingPlan, Doubted, plan_binding
from troth.policy.bind.proposals import ControlProposal, Proposal, ProposalsError, controls_called_for, propose
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
    "controls_called_for",
    "period_conflict",
    "plan_binding",
    "propose",
]

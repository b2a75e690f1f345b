"""Who answers for a proof of identity: whoever brought the case, or nobody but the person who followed a link."""

from __future__ import annotations

from troth.service.cases.models import Case

__all__ = ["tier_at_intake"]


def tier_at_intake(case: Case) -> int:
    """The proof of identity that came with *case*; what was proved since does not count."""
    facts = case.events.filter(what="received").values_list("facts", flat=True).first()
    return int((facts or {}).get("tier", 0))

"""Every change of an erasure says under which right it is made, and after which declared reason."""

from __future__ import annotations

import pytest
from tests.subjects.conftest import ANN, Company

from troth.subjects import ground


@pytest.mark.parametrize(
    ("place", "change", "why"),
    [
        ("newsletter.subscriber", "delete", ""),
        ("shop.invoice", "delete", ": the period of VATA 1994 Sch 11 is over"),
        ("shop.invoice", "mask address", ": not needed for VATA 1994 Sch 11"),
        ("shop.customer", "mask email, mask name, null phone, null born", ": fields of a row that stays"),
        ("desk.message", "null sender, null body", ": their share of the row"),
        ("shop.orders", "null ship_to", ": refers to a row that goes"),
    ],
)
def test_a_change_has_its_ground(small: Company, place: str, change: str, why: str) -> None:
    plan = small.plan(ANN)
    (found,) = (it for it in plan.changes if (it.place, it.words()) == (place, change))
    assert ground(plan, found) == f"GDPR Art. 17(1){why}"

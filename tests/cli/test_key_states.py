"""``troth keys suspend``, ``resume`` and ``compromised``: the real commands, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from tests.cli.house import House

pytestmark = pytest.mark.sampled


def test_a_suspended_key_opens_nothing_until_it_is_resumed(each: House) -> None:
    each.troth("rotate", "field")
    tokens = each.tokens(2)
    answer = each.troth("suspend", "field-1")
    assert (answer.code, answer.out.startswith("field-1 is suspended: troth keys resume field-1")) == (0, True)
    assert "OpenError" in each.own("values", *tokens).stderr
    assert "no field key is active" in each.own("tokens", "1").stderr
    answer = each.troth("resume", "field-1")
    assert (answer.code, answer.out) == (0, "field-1 is active: it seals and opens.\n")
    assert each.values(tokens) == ["value 0", "value 1"]
    changes = [entry["state"] for entry in each.entries("keys.changed")]
    assert changes == ["suspended", "active"]


def test_a_suspended_key_whose_place_was_taken_opens_and_seals_no_more(house: House) -> None:
    house.troth("rotate", "field")
    house.troth("suspend", "field-1")
    house.troth("rotate", "field")
    answer = house.troth("resume", "field-1", "--json")
    assert (answer.code, answer.document["state"]) == (0, "deactivated")
    assert house.states() == {"field-1": "deactivated", "field-2": "active"}


def test_a_compromised_key_is_replaced_and_overdue_until_it_is_destroyed(each: House) -> None:
    each.troth("rotate", "field")
    tokens = each.tokens(2)
    answer = each.troth("compromised", "field-1", "--json")
    assert (answer.code, answer.document["state"]) == (0, "compromised")
    assert each.troth("compromised", "field-1").code == 0, "saying it again is harmless"
    assert each.states() == {"field-1": "compromised", "field-2": "active"}
    assert each.values(tokens) == ["value 0", "value 1"]
    answer = each.troth("status")
    assert answer.code == 1
    assert "OVERDUE: it is compromised, and data may depend on it: troth keys rotate field" in answer.out
    assert each.troth("rotate", "field").code == 0
    answer = each.troth("status")
    assert answer.code == 1
    assert "OVERDUE: it is compromised, and no data depends on it: troth keys destroy field-1" in answer.out
    each.age(1)
    each.add_approvers()
    plan = each.plan("destroy", "field-1")
    each.approve(plan)
    assert each.troth("destroy", "field-1", "--apply", plan).code == 0
    assert each.troth("status").code == 0
    assert [entry["state"] for entry in each.entries("keys.changed")] == ["compromised", "destroyed"]


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("suspend", "field-1"), 1, "field-1 is deactivated and cannot become suspended; a deactivated key"),
        (("resume", "field-1"), 1, "field-1 is deactivated and cannot become active; a deactivated key"),
        (("suspend", "field-9"), 1, "there is no key 'field-9'; known are: field-1, field-2"),
        (("compromised", "root"), 1, "there is no key 'root'"),
        (("compromised",), 2, "Missing argument"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_what_cannot_be_is_refused(spent: House, command: tuple[str, ...], code: int, message: str) -> None:
    before = (spent.home / "keys.toml").read_bytes()
    answer = spent.troth(*command)
    assert (answer.code, answer.out, message in answer.err) == (code, "", True), answer.err
    assert (spent.home / "keys.toml").read_bytes() == before

"""``troth keys rotate token``: from a first key over a rotation to the end of the first."""

from __future__ import annotations

from tests.cli.firm import Firm
from tests.cli.house import HASH, House


def declare(firm: Firm, domains: str) -> None:
    text = firm.declaration.read_text().partition("token_domains:")[0]
    firm.declaration.write_text(f"{text}token_domains: {domains}\n")


def test_a_token_key_lives_and_dies_as_the_declaration_says(house: House, firm: Firm) -> None:
    answer = house.troth("rotate", "token")
    assert (answer.code, answer.out) == (
        0,
        "token-1 is created: add 1 as the first version of a domain in token_domains.\n",
    )
    assert house.troth("rotate", "token").out.startswith("The newest token key is not used in any domain yet")
    declare(firm, "{shop: [1]}")
    assert house.troth("rotate", "token").out.startswith("token-2 is created: add 2 as the first")
    declare(firm, "{shop: [2, 1]}")
    assert "token-1 no longer creates tokens, but still opens them." in house.troth("rotate").out
    assert house.states()["token-1"] == "deactivated"
    house.age(1)
    answer = house.troth("destroy", "token-1")
    assert (answer.code, answer.out) == (1, "")
    assert "token-1 is still declared: 1 in token_domains.shop; replace its tokens" in answer.err
    declare(firm, "{shop: [2]}")
    house.add_approvers()
    answer = house.troth("destroy", "token-1")
    [plan, *_] = HASH.findall(answer.out)
    assert "Tokens created with it can no longer be opened" in answer.out
    house.approve(plan)
    assert house.troth("destroy", "token-1", "--apply", plan).code == 0
    assert {name: state for name, state in house.states().items() if name.startswith("token")} == {
        "token-1": "destroyed",
        "token-2": "active",
    }


def test_a_token_key_that_is_resumed_makes_tokens_again_beside_the_others(house: House, firm: Firm) -> None:
    house.troth("rotate", "token")
    declare(firm, "{shop: [1]}")
    house.troth("rotate", "token")
    assert house.troth("suspend", "token-1").code == 0
    assert house.troth("resume", "token-1").code == 0
    assert (house.states()["token-1"], house.states()["token-2"]) == ("active", "active")
    assert house.troth("compromised", "token-1").code == 0
    assert "token-3" not in house.states(), "the next one is put in use by the declaration"

"""Nothing that is typed does more than it says, and nothing of it comes back where it could harm."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Ask
from tests.cli.firm import Firm
from tests.scale import scaled

TYPED = {
    "SQL": "x'; DROP TABLE customer; --@example.org",
    "a wildcard": "%@example.org",
    "an escape": "\x1b[2J@example.org",
    "right to left": "\u202egro.elpmaxe@nna",
    "full width": "ａｎｎ@example.org",
    "a lone surrogate": "\udcff@example.org",
}


@pytest.mark.parametrize("email", TYPED.values(), ids=TYPED)
def test_a_hostile_address_finds_nobody_and_harms_nothing(firm: Firm, email: str) -> None:
    before = firm.everything()
    answer = firm.troth("erase", "--email", email)
    assert answer.code in (0, 2)
    assert "Traceback" not in answer.err
    assert email not in answer.out + answer.err
    assert "--apply" not in answer.out
    assert firm.everything() == before


@pytest.mark.parametrize("option", ["--email", "--phone"])
def test_a_megabyte_is_refused_in_a_short_line(ask: Ask, firm: Firm, option: str) -> None:
    answer = ask("view", option, "1" * 1_000_000, **firm.environment)
    assert answer.code == 2
    assert len(answer.err) < 200


@pytest.mark.parametrize(
    "row", ["shop.customer=1;DROP", "shop.nothing=1", "attic.customer=1", "shop.customer=1,2", "=", ""]
)
def test_a_row_that_cannot_be_is_refused_or_not_found(firm: Firm, row: str) -> None:
    before = firm.everything()
    answer = firm.troth("erase", "--id", row)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert firm.everything() == before


def test_a_terminal_obeys_nothing_that_was_typed(firm: Firm) -> None:
    firm.change("shop", "UPDATE customer SET name = char(27) || '[2J[bold]Ann[/bold]' WHERE id = 1")
    shown = firm.troth("view", "--id", "shop.customer=1")
    planned = firm.troth("amend", "--id", "shop.customer=1", "--set", "user.name=[red]Ann")
    asked = firm.troth("view", "--id", "shop.\x1b[2J=1")
    for answer in (shown, planned, asked):
        assert "\x1b" not in answer.out + answer.err
    assert "[bold]Ann[/bold]" in shown.out
    assert "[red]Ann" in planned.out


@pytest.mark.parametrize("value", ["x" * 100_000, "'; DROP TABLE customer; --", "{}", "=", "😀"])
def test_a_hostile_value_is_a_value(firm: Firm, value: str) -> None:
    command = ("amend", "--email", "ann@example.org", "--set", f"user.name={value}", "--json")
    plan = firm.troth(*command).document["plan"]
    assert firm.troth(*command, "--apply", plan).code == 0
    assert firm.rows("customer")[0][2] == value


@settings(max_examples=scaled(12, 50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("-", "\x1b", "\x00")
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_typed_is_answered_in_lines(ask: Ask, firm: Firm, email: str, place: str, change: str) -> None:
    said = f"--email={email}", f"--id={place}", f"--set={change}"
    answer = ask("amend", *said, **firm.environment)
    assert answer.code == 2
    assert answer.out == ""
    assert all(character.isprintable() or character == "\n" for character in answer.err)

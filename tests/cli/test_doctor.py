"""``troth doctor``: says what is still needed, and what is wrong."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import Answer, Firm

from troth.testing.asked import SECRET, FakeVendor


def _states(answer: Answer) -> dict[str, str]:
    return {finding["what"]: finding["state"] for finding in answer.document}


def _examine(ask: Ask, firm: Firm, **extra: str) -> Answer:
    return ask("doctor", "--json", "-d", str(firm.declaration), **{**firm.environment, **extra})


def test_a_sound_installation_is_ok_throughout(ask: Ask, firm: Firm) -> None:
    answer = _examine(ask, firm)
    assert answer.code == 0
    assert set(_states(answer).values()) <= {"ok", "note"}
    assert _states(answer)["store shop"] == "ok"


def test_a_first_day_has_notes_and_nothing_wrong(ask: Ask, bare: Firm) -> None:
    bare.declaration.unlink()
    answer = _examine(ask, bare)
    assert answer.code == 0
    assert {_states(answer)[what] for what in ("keys", "declaration")} == {"note"}


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("SHOP", "sqlite:////nowhere/shop.sqlite", "store shop"),
        ("DESK", "", "store desk"),
        ("TROTH_PROFILE", "prod", "settings"),
        ("TROTH_DATABASE_URL", "oracle://ann:hunter2@db/troth", "settings"),
    ],
)
def test_what_is_wrong_is_named(ask: Ask, firm: Firm, variable: str, value: str, what: str) -> None:
    answer = _examine(ask, firm, **{variable: value})
    assert answer.code == 1
    assert [name for name, state in _states(answer).items() if state == "wrong"] == [what]
    assert "hunter2" not in answer.out


def test_keys_that_others_can_read_are_wrong(ask: Ask, firm: Firm) -> None:
    (firm.home / "root.key").chmod(0o644)
    answer = _examine(ask, firm)
    assert (answer.code, _states(answer)["keys"]) == (1, "wrong")


def test_a_broken_declaration_is_wrong_and_says_who_tells_more(ask: Ask, firm: Firm) -> None:
    firm.declaration.write_text(firm.declaration.read_text().replace("troth: 1", "troth: 2"))
    answer = ask("doctor", "-d", str(firm.declaration), **firm.environment)
    assert answer.code == 1
    assert "1 error; see `troth check`" in answer.out


def test_who_is_asked_and_who_carries_out_a_task_is_told(ask: Ask, firm: Firm) -> None:
    asked = "answers: [view], secret: '${ASKED_SECRET}', holds: {email: user.contact.email}"
    systems = f"systems:\n  payroll: {{store: task}}\n  outside: {{store: '${{ASKED}}', asked: {{{asked}}}}}\n"
    firm.declaration.write_text(firm.declaration.read_text().replace("systems:\n", systems))
    with FakeVendor() as vendor:
        told = _states(_examine(ask, firm, ASKED=vendor.url, ASKED_SECRET=SECRET))
        assert (told["store outside"], told["store payroll"]) == ("ok", "ok")
        told = _states(_examine(ask, firm, ASKED=vendor.url, ASKED_SECRET="x" * 40))
        assert (told["store outside"], told["store payroll"]) == ("wrong", "ok")

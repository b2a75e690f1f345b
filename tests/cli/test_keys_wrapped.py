"""``troth keys init --wrap`` and ``troth keys wrap``: the plan first, the same key after, and a company that works."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from tests import forks
from tests.cli.conftest import Ask
from tests.cli.firm import TROTH, Firm
from tests.protect.agefile import age_file
from tests.rig.keyservices import FakeKms, FakeTransit, SoftHsm

from troth.protect import KEY_FILE, Keyring, read_key_file


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(fresh: Path, transit: FakeTransit) -> dict[str, str]:
    transit.make_key("troth")
    return {"TROTH_HOME": str(fresh), **transit.environment}


def test_a_key_is_made_wrapped(ask: Ask, environment: dict[str, str]) -> None:
    made = ask("keys", "init", "--wrap", "transit", "--key", "troth", "--json", **environment)
    assert (made.code, made.document["wrap"]["way"]) == (0, "transit")
    status = ask("keys", "status", "--json", **environment)
    assert (status.document["key"], status.document["wrap"]) == (made.document["key"], made.document["wrap"])
    assert "transit, key troth, mount transit" in ask("keys", "status", **environment).out


def test_a_key_is_wrapped_anew_once_its_plan_was_seen(ask: Ask, fresh: Path, environment: dict[str, str]) -> None:
    key = ask("keys", "init", "--json", **environment).document["key"]
    before = (fresh / KEY_FILE).read_bytes()
    wrap = ("keys", "wrap", "--to", "transit", "--key", "troth")
    shown, plan = ask(*wrap, **environment), ask(*wrap, "--json", **environment).document
    assert plan == {
        "plan": plan["plan"],
        "key": key,
        "file": str(fresh / KEY_FILE),
        "now": {"way": "none"},
        "then": {"way": "transit", "key": "troth", "mount": "transit"},
        "applied": False,
    }
    assert shown.code == 0
    assert f"--apply {plan['plan']}" in shown.out
    assert (fresh / KEY_FILE).read_bytes() == before
    assert ask(*wrap, "--apply", "dg1:" + "0" * 64, **environment).code == 1
    assert (fresh / KEY_FILE).read_bytes() == before
    assert ask(*wrap, "--apply", plan["plan"], "--json", **environment).document == {**plan, "applied": True}
    assert ask("keys", "status", "--json", **environment).document["key"] == key
    assert ask(*wrap, "--apply", plan["plan"], **environment).code == 1


def test_neither_secret_nor_token_is_ever_shown(ask: Ask, fresh: Path, environment: dict[str, str]) -> None:
    ask("keys", "init", **environment)
    secret = read_key_file(fresh).text
    wrap = ("keys", "wrap", "--to", "transit", "--key", "troth")
    plan = ask(*wrap, "--json", **environment).document["plan"]
    answers = [
        ask(*wrap, **environment),
        ask(*wrap, "--apply", plan, **environment),
        ask("keys", "status", **environment),
    ]
    shown = "".join(answer.out + answer.err for answer in answers)
    assert secret not in shown
    assert environment["VAULT_TOKEN"] not in shown


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--to", "starlight"), "there are: none, age, aws-kms, transit, pkcs11"),
        (("--to", "transit"), "needs the option key"),
        (("--to", "transit", "--key", "../sys"), "letters"),
        (("--to", "age", "--key", "x"), "age has no option key"),
        (("--to", "aws-kms", "--key", "alias/troth"), "ARN"),
        (("--to", "pkcs11", "--key", "x"), "needs the option token"),
        ((), "--to"),
    ],
)
def test_what_is_asked_wrongly_ends_with_two(
    ask: Ask, fresh: Path, environment: dict[str, str], wrong: tuple[str, ...], says: str
) -> None:
    answer = ask("keys", "wrap", *wrong, **environment)
    assert (answer.code, answer.out) == (2, "")
    assert says in " ".join(answer.err.split())
    answer = ask("keys", "init", *("--wrap" if word == "--to" else word for word in wrong), **environment)
    assert answer.code == (2 if wrong else 0)
    assert fresh.exists() == (not wrong)


def test_a_service_that_refuses_is_told_in_one_line(
    ask: Ask, fresh: Path, environment: dict[str, str], transit: FakeTransit
) -> None:
    transit.sealed = True
    answer = ask("keys", "init", "--wrap", "transit", "--key", "troth", **environment)
    assert (answer.code, answer.out) == (1, "")
    assert (
        answer.err == f"troth: {transit.url} is sealed, or a standby; unseal it, or set VAULT_ADDR to the one in use\n"
    )
    assert list(fresh.iterdir()) == []


def test_every_command_works_on_a_wrapped_key_and_none_without_what_unwraps_it(
    firm: Firm, transit: FakeTransit, kms: FakeKms, softhsm: SoftHsm
) -> None:
    transit.make_key("troth", derived=True)
    ways = {
        "transit": (("--key", "troth"), transit.environment),
        "aws-kms": (("--key", kms.make_key()), kms.environment),
        "pkcs11": (("--token", softhsm.token, "--key", softhsm.key), softhsm.environment),
    }
    seen = [firm.troth("view", "--email", "ann@example.org", "--json").document]
    opened: dict[str, str] = {}
    for name, (options, environment) in ways.items():
        firm = Firm(firm.folder, {**opened, **environment})
        wrap = ("keys", "wrap", "--to", name, *options)
        assert firm.troth(*wrap, "--apply", firm.troth(*wrap, "--json").document["plan"]).code == 0
        firm, opened = Firm(firm.folder, environment), environment
        seen.append(firm.troth("view", "--email", "ann@example.org", "--json").document)
        refused = Firm(firm.folder, {"HOME": str(firm.folder)}).troth("view", "--email", "ann@example.org")
        assert (refused.code, refused.out) == (1, "")
        assert all(line.startswith("troth: ") for line in refused.err.splitlines())
    assert seen == seen[:1] * 4
    assert len(firm.entries("subject.viewed")) == 4


# --- at a terminal ----------------------------------------------------------------------------------------------------


def _typed(fresh: Path, command: tuple[str, ...], *lines: str) -> tuple[int, str]:
    """Run ``troth`` at a terminal and type a line for each prompt; how it ended, and what the terminal showed."""
    environment = {"TROTH_HOME": str(fresh), "PATH": os.environ["PATH"]}
    return forks.typed([TROTH, *command], *lines, env=environment, cwd=fresh.parent)


@pytest.fixture
def aged(fresh: Path, ask: Ask) -> Path:
    """A home that age wrapped with little work."""
    ask("keys", "init", TROTH_HOME=str(fresh))
    head, text = (fresh / KEY_FILE).read_text().partition("wrap =")[0], read_key_file(fresh).text
    sealed = base64.b64encode(age_file(base64.b64decode(text), "the right passphrase")).decode()
    (fresh / KEY_FILE).write_text(f'{head}wrap = "age"\nsecret = "{sealed}"\n')
    return fresh


def test_a_passphrase_is_typed_and_not_shown(aged: Path) -> None:
    code, shown = _typed(aged, ("keys", "status"), "the right passphrase")
    assert code == 0
    assert f"Passphrase of the root key {read_key_file(aged).id}: " in shown
    assert "Wrapped by age." in shown
    assert "the right passphrase" not in shown
    code, shown = _typed(aged, ("keys", "status"), "a wrong passphrase")
    assert code == 1
    assert "the passphrase does not unwrap the root key" in shown
    assert "a wrong passphrase" not in shown


def test_a_new_passphrase_is_typed_twice(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init = ("keys", "init", "--wrap", "age")
    code, shown = _typed(fresh, init, "the right passphrase", "another passphrase")
    assert code == 1
    assert "the two passphrases differ" in shown
    assert list(fresh.iterdir()) == []
    code, shown = _typed(fresh, init, "the right passphrase", "the right passphrase")
    assert code == 0, shown
    monkeypatch.setenv("TROTH_PASSPHRASE", "the right passphrase")
    assert str(Keyring.open(fresh).id) in shown

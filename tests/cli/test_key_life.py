"""``troth keys status``, ``rotate`` and ``destroy``: the real commands, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.cli.house import HASH, WORDS, House

from troth.ledger import Hash
from troth.protect import Approvals, Keyring, SealingContext, read_approvers

pytestmark = pytest.mark.sampled

# --- status ---------------------------------------------------------------------------------------------------------


def test_status_tells_states_periods_and_what_hangs_on_each_key(each: House) -> None:
    each.tokens(3)
    each.own("subjects", "ps1:ann", "ps1:ben")
    keys = {key["name"]: key for key in each.troth("status", "--json").document["keys"]}
    assert {name: key["hanging"] for name, key in keys.items()} == {"field-0": 3, "epoch-1": 2}
    assert keys["epoch-1"]["state"] == "active"
    assert keys["epoch-1"]["seals_until"] > keys["epoch-1"]["since"]["active"]
    answer = each.troth("status")
    assert answer.code == 0
    assert re.search(r"^epoch-1 +active +\d{4}-.* 2$", answer.out, re.MULTILINE)


def test_a_key_past_its_period_ends_with_one(house: House) -> None:
    assert house.troth("rotate", "field").code == 0
    house.age(300)
    assert house.troth("status").code == 0
    declaration = house.folder / "troth.yaml"
    declaration.write_text(declaration.read_text() + "cryptoperiods: {field: 200 days}\n")
    answer = house.troth("status")
    assert answer.code == 1
    assert "OVERDUE: its period is over: troth keys rotate field" in answer.out
    assert not house.troth("status", "--json").document["current"]
    assert house.troth("rotate").code == 0
    assert (house.troth("status").code, house.states()["field-2"]) == (0, "active")


def test_a_registry_that_contradicts_the_keys_ends_with_one(house: House) -> None:
    house.troth("rotate", "field")
    copy = (house.home / "keys.toml").read_bytes()
    house.troth("rotate", "field")
    (house.home / "keys.toml").write_bytes(copy)
    answer = house.troth("status")
    assert answer.code == 1
    assert re.search(r"^not sound: k1:\w+ \(field\) is not in keys.toml; restore", answer.out, re.MULTILINE)


def test_status_makes_no_database(ask: Ask, tmp_path: Path) -> None:
    home = tmp_path / "home"
    ask("keys", "init", TROTH_HOME=str(home))
    answer = ask("keys", "status", "--json", TROTH_HOME=str(home))
    assert (answer.code, [key["name"] for key in answer.document["keys"]]) == (0, ["field-0"])
    assert sorted(path.name for path in home.iterdir()) == ["keys.toml", "root.key"]


def test_keys_that_others_can_read_are_refused(house: House) -> None:
    house.troth("rotate", "field")
    (house.home / "keys.toml").chmod(0o644)
    for command in (("status",), ("rotate", "field"), ("destroy", "field-1")):
        answer = house.troth(*command)
        assert (answer.code, answer.out, "fix it with: chmod 600" in answer.err) == (1, "", True)


# --- rotate ---------------------------------------------------------------------------------------------------------


def test_a_rotation_of_the_field_key_moves_everything(each: House) -> None:
    tokens = each.tokens()
    answer = each.troth("rotate", "field")
    assert (answer.code, answer.out) == (0, "field-1 is in use. 5 values resealed.\n")
    assert each.values(tokens) == [f"value {number}" for number in range(5)]
    assert each.troth("rotate", "field", "--json").document["field"]["made"] == "field-2"
    assert each.states() == {"field-1": "deactivated", "field-2": "active"}
    assert [entry["purpose"] for entry in each.entries("keys.created")] == ["root", "field", "field"]
    assert each.troth("rotate").out.startswith("The field key is within its cryptoperiod.")


def test_a_rotation_that_is_killed_goes_on_where_it_was(each: House) -> None:
    count = 20_000
    tokens = each.tokens(count)
    some = range(0, count, count // 5)
    for _ in range(3):
        before, rotating = each.under("field-1"), each.begin("rotate", "field")
        while each.under("field-1") == before:
            assert rotating.poll() is None, "it ended before it was killed"
        rotating.kill()
        rotating.wait()
        assert each.values([tokens[number] for number in some]) == [f"value {number}" for number in some]
    done = each.under("field-1")
    assert 0 < done < count
    answer = each.troth("rotate", "field", "--json").document["field"]
    assert (answer["made"], answer["resealed"]) == (None, count - done)
    assert each.states() == {"field-1": "active"}


def test_an_epoch_ends_early(each: House) -> None:
    assert "No epoch has begun" in each.troth("rotate", "epoch").out
    each.own("subjects", "ps1:ann", "ps1:ben")
    answer = each.troth("rotate", "epoch")
    assert answer.out.startswith("epoch-2 has begun. 2 keys of subjects rewrapped. In 10 minutes `troth keep`")
    each.age(1)
    answer = each.troth("rotate", "--json")
    assert answer.document["epoch"]["made"] == "epoch-3"
    assert answer.document["epoch"]["destroyed"] == ["epoch-1"]
    states = each.states()
    assert states == {"field-0": "active", "epoch-1": "destroyed", "epoch-2": "deactivated", "epoch-3": "active"}


# --- destroy --------------------------------------------------------------------------------------------------------


def test_two_roles_destroy_a_key(spent: House) -> None:
    answer = spent.troth("destroy", "field-1")
    [plan, *_] = HASH.findall(answer.out)
    assert "No data depends on it.\nSearched: troth, desk, shop." in answer.out
    assert spent.states()["field-1"] == "deactivated", "nothing happens without --apply"
    spent.approve(plan)
    answer = spent.troth("destroy", "field-1", "--apply", plan)
    assert answer.code == 0
    assert answer.out.startswith("field-1 is destroyed, approved by custodian-a and custodian-b. ")
    assert spent.states() == {"field-1": "destroyed", "field-2": "active"}
    keyring = Keyring.open(spent.home)
    [entry] = [entry for entry in spent.entries("keys.changed") if entry["state"] == "destroyed"]
    roles = [str(keyring.pseudonym("approver", role)) for role in ("custodian-a", "custodian-b")]
    assert [entry["by"], entry["and_by"], entry["plan"]] == [*roles, plan]
    assert "and 1 destroyed key: --all lists them" in spent.troth("status").out
    assert "field-1" in spent.troth("status", "--all").out


def test_one_role_alone_destroys_nothing_however_often_it_approves(spent: House) -> None:
    plan = spent.plan("destroy", "field-1")
    spent.approve(plan, "custodian-a", "custodian-a")
    answer = spent.troth("destroy", "field-1", "--apply", plan)
    assert (answer.code, answer.out) == (1, "")
    assert "1 of 2 approvals are given (custodian-a); have another role approve exactly this plan" in answer.err
    assert spent.states()["field-1"] == "deactivated"


def test_an_approval_that_is_over_or_for_another_plan_is_none(spent: House) -> None:
    plan, other = spent.plan("destroy", "field-1"), spent.plan("destroy", "field-1", "--crypto-erase")
    assert plan != other
    spent.approve(other)
    for approved, message in ((plan, "0 of 2 approvals"), (other, "this is not the plan that was approved")):
        answer = spent.troth("destroy", "field-1", "--apply", approved)
        assert (answer.code, message in answer.err) == (1, True)
    there = read_approvers(spent.home, Keyring.open(spent.home))
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(hours=24, minutes=1)
    for role in ("custodian-a", "custodian-b"):
        Approvals(spent.home, there).approve(Hash(plan), role, WORDS[role], now=yesterday)
    answer = spent.troth("destroy", "field-1", "--apply", plan)
    assert "0 of 2 approvals are given, that of custodian-a, custodian-b has expired" in answer.err
    assert spent.states()["field-1"] == "deactivated"


def test_a_key_on_which_something_hangs_is_destroyed_only_to_erase_it(each: House) -> None:
    tokens = each.tokens(3)
    each.troth("rotate", "field")
    each.own("rotate")
    each.age(1)
    each.add_approvers()
    answer = each.troth("destroy", "field-1")
    assert (answer.code, "field-1 is still needed: 3 in vault_token.sealed" in answer.err) == (1, True)
    answer = each.troth("destroy", "field-1", "--crypto-erase")
    assert "3 in vault_token.sealed can never be decrypted again" in answer.out
    [plan, *_] = HASH.findall(answer.out)
    each.approve(plan)
    assert each.troth("destroy", "field-1", "--crypto-erase", "--apply", plan).code == 0
    assert "OpenError" in each.own("values", *tokens).stderr
    assert each.troth("status").code == 0


def test_fields_that_the_company_keeps_sealed_are_counted_too(spent: House) -> None:
    sealed = Keyring.open(spent.home).seal(b"x", SealingContext(domain="shop", table="customer", field="name"))
    with closing(sqlite3.connect(spent.folder / "shop.sqlite")) as shop, shop:
        shop.execute("UPDATE customer SET name = ? WHERE id = 1", [sealed[:16] + b"\x01" + sealed[17:]])
        shop.execute("UPDATE customer SET name = ? WHERE id = 2", [sealed])
    declaration = spent.folder / "troth.yaml"
    text = declaration.read_text().replace("name: user.name", "name: {category: user.name, sealed: true}")
    declaration.write_text(text)
    answer = spent.troth("destroy", "field-1")
    assert (answer.code, "field-1 is still needed: 1 in shop.customer.name" in answer.err) == (1, True)
    assert "were not counted" in spent.troth("destroy", "field-1", "-d", "none.yaml").out


def test_a_destruction_that_is_killed_goes_on_where_it_was(spent: House) -> None:
    """Killed at each of its steps in turn: the same command finishes it, and one entry is on record."""
    plan = spent.plan("destroy", "field-1")
    spent.approve(plan)
    for step in ("note_destruction", "move", "use_up"):
        assert spent.killed(_KILLED, step, plan) == -signal.SIGKILL
    answer = spent.troth("destroy", "field-1", "--apply", plan)
    assert (answer.code, answer.out.startswith("field-1 is destroyed")) == (0, True)
    assert spent.states()["field-1"] == "destroyed"
    assert len([it for it in spent.entries("keys.changed") if it["state"] == "destroyed"]) == 1


_KILLED = """
import os, signal, sys
from troth.cli import main
from troth.protect import Approvals, Keychain
from troth.service.server import set_up
set_up()
from troth.service.core import key_lifecycle as key_life

step, plan = sys.argv[1:]
where = {"note_destruction": key_life, "move": Keychain, "use_up": Approvals}[step]
setattr(where, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
main(["keys", "destroy", "field-1", "--apply", plan])
"""


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("destroy", "feild-1"), 1, "there is no key 'feild-1'; did you mean 'field-1'?"),
        (("destroy", "field-2"), 1, "field-2 is active and cannot be destroyed; rotate first"),
        (("destroy", "root"), 1, "rewrap the root key instead: troth keys wrap"),
        (("destroy", "field-1", "--apply", "yes"), 2, "not the hash of a plan"),
        (("destroy",), 2, "Missing argument"),
        (("rotate", "root"), 2, "'root' is not one of"),
        (("approve", "dg1:" + "0" * 64, "--as", "custodain-a"), 1, "did you mean 'custodian-a'?"),
        (("approve", "sha256:" + "0" * 64, "--as", "custodian-a"), 2, "not the hash of a plan"),
        (("approve", "dg1:" + "0" * 64), 2, "Missing option '--as'"),
        (("approve", "dg1:" + "0" * 64, "--as", "custodian-a", "--import", "words"), 2, "together"),
        (("approvers", "add"), 2, "give the role"),
        (("approvers", "add", "Ann Smith"), 1, "so it must name a function and not a person"),
        (("approvers", "add", "custodian-a"), 1, "is already an approver"),
        (("approvers", "remove", "custodian-a"), 1, "one of two approvers"),
        (("approvers", "replace", "custodian-a"), 2, "'replace' is not one of"),
        (("export", "--to", "ann@example.org", "--out", "keys.age"), 1, "not an age recipient"),
        (("import", "words", "--identity", "words"), 1, "no age identity in that file"),
        (("import", "words"), 2, "Missing option '--identity'"),
        (("drill", "--backup", "none.sqlite3"), 2, "there is no file none.sqlite3"),
        (("drill", "--backup", "${NOT_SET}"), 2, "NOT_SET"),
        (("drill", "--backup", "home/troth.sqlite3"), 2, "that is today's database"),
        (("drill", "--backup", "shop.sqlite"), 1, "it has no table core_key"),
    ],
    ids=lambda it: " ".join(it)[:60] if isinstance(it, tuple) else "",
)
def test_what_is_asked_wrongly_or_refused_is_told_plainly(
    spent: House, command: tuple[str, ...], code: int, message: str
) -> None:
    before = (spent.home / "keys.toml").read_bytes(), (spent.home / "approvers.toml").read_bytes()
    answer = spent.troth(*command, words="six words for somebody")
    assert (answer.code, answer.out, message in answer.err) == (code, "", True), answer.err
    assert "six words" not in answer.err
    assert before == ((spent.home / "keys.toml").read_bytes(), (spent.home / "approvers.toml").read_bytes())

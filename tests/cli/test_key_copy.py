"""``troth keys copy``, and keys that are lost for good beside a database that knows them."""

from __future__ import annotations

from tests.cli.house import House


def test_a_copy_is_kept_shown_and_given_up(house: House) -> None:
    assert house.troth("copy").out == "No copy is kept.\n"
    second = house.folder / "second"
    second.mkdir()
    answer = house.troth("copy", str(second / "keys.toml"))
    assert (answer.code, answer.out) == (0, f"Every change of keys.toml is also written to {second}/keys.toml.\n")
    house.troth("rotate", "field")
    assert (second / "keys.toml").read_bytes() == (house.home / "keys.toml").read_bytes()
    (second / "keys.toml").unlink()
    answer = house.troth("status", "--json")
    assert (answer.code, [it.partition(" at ")[0] for it in answer.document["unsound"]]) == (
        1,
        ["the copy of keys.toml"],
    )
    assert house.troth("copy", "--none").out == "No copy is kept.\n"
    assert house.troth("status").code == 0
    assert house.troth("copy", "x", "--none").code == 2


def test_keys_that_are_lost_for_good_are_put_on_record_and_new_ones_are_made(house: House) -> None:
    house.own("subjects", "ps1:ann")
    house.troth("rotate", "field")
    (house.home / "keys.toml").unlink()
    assert "troth keys init --keys-lost" in house.troth("rotate", "field").err
    answer = house.troth("init", "--keys-lost", "--json")
    assert (answer.code, answer.document["on_record"]) == (0, 2)
    assert [it["purpose"] for it in house.entries("keys.changed") if it["state"] == "destroyed"] == ["epoch", "field"]
    assert house.troth("rotate", "field").out.startswith("field-2 is in use.")

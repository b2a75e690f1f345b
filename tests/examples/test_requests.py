"""The company as Troth meets it: every store opens, Ann is found in each, and what erasure would do can be planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from troth.declaration import Declaration, load
from troth.rows import map_data
from troth.stores import Store, open_store
from troth.subjects import Identity, becoming, locate, plan_amendment, plan_erasure, plan_view

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def declaration(folder: Path) -> Declaration:
    return load(folder / "troth.yaml")


@pytest.fixture
def stores(example_voice: Any, laid: Any, declaration: Declaration) -> Iterator[dict[str, Store]]:
    addresses = laid.environment()
    variables = example_voice.ADDRESS_VARIABLES
    stores = {name: open_store(name, addresses[variables[name]], read_only=True) for name in declaration.systems}
    yield stores
    for store in stores.values():
        store.close()


@pytest.mark.parametrize("who", ["ann", "ben", "chloe"])
def test_each_of_the_cast_is_found_in_every_system_of_hers(
    declaration: Declaration, stores: dict[str, Store], who: str
) -> None:
    map_ = map_data(declaration, {name: store.describe() for name, store in stores.items()})
    located = locate(map_, stores, [Identity.of(email=f"{who}@example.org")], purpose="view")
    systems = {place.partition(".")[0] for place, rows in located.rows.items() if rows}
    assert systems >= {"shop", "desk", "newsletter", "logins"}
    assert len(located.rows["shop.customer"]) == 1, "a shared telephone leads to nobody else"
    assert len(plan_view(declaration, located)) == 1


def test_erasing_ann_keeps_her_invoices_and_asks_nobody(
    declaration: Declaration, stores: dict[str, Store], laid: Any
) -> None:
    map_ = map_data(declaration, {name: store.describe() for name, store in stores.items()})
    located = locate(map_, stores, [Identity.of(email="ann@example.org")], purpose="erase")
    plan = plan_erasure(declaration, located, now=NOW)
    assert plan.reviews == ()
    assert {kept.cite for kept in plan.kept} >= {"Value Added Tax Act 1994, Sch 11 para 6"}


def test_a_new_address_of_ann_is_not_subscribed(declaration: Declaration, stores: dict[str, Store]) -> None:
    map_ = map_data(declaration, {name: store.describe() for name, store in stores.items()})
    located = locate(map_, stores, [Identity.of(email="ann@example.org")], purpose="amend")
    wanted = {"user.contact.email": "ann.new@example.org"}
    holders = locate(map_, stores, becoming(map_, wanted), purpose="amend")
    plan = plan_amendment(declaration, located, wanted, holders=holders, now=NOW)
    assert plan.reviews == ()
    assert "shop.customer" in {each.place for each in plan.rewrites}
    assert "newsletter.subscriber" not in {each.place for each in plan.rewrites}
    assert "newsletter.subscriber" in {each.place for each in plan.kept}

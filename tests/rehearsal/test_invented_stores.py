"""What an invented company has besides plain rows: sealed values, tokens, database servers, external systems."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from troth.declaration import Declaration, FieldUse, System
from troth.hook import Ask, Right
from troth.protect import Keyring, SealingContext, TokenFormat, create_home
from troth.protect.tokens.looks import could_be_token
from troth.rehearsal import InventedPerson, InventedRow
from troth.rehearsal.external_systems import LYING_HOOK, with_external_systems
from troth.rehearsal.servers import InventedServer
from troth.rehearsal.stored_forms import StoredForms, make_token_keys
from troth.rehearsal.stores import Inapplicable, ScratchStores
from troth.stores import (
    Column,
    ColumnKind,
    QueryableStore,
    Schema,
    TableSchema,
    open_asked,
    open_store,
)

NOW = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
ANN = InventedPerson(0)
SCHEMA = Schema("sqlite", {"customer": TableSchema("customer", (Column("email", ColumnKind.TEXT, "TEXT"),))})


def _declared(**systems: object) -> Declaration:
    return Declaration.model_validate(
        {
            "troth": 1,
            "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
            "policy": {"file": "policy.md", "effective": "2026-01-01"},
            "token_domains": {"shop": [3, 1]},
            "systems": systems,
        }
    )


@pytest.fixture
def forms(tmp_path: Path) -> StoredForms:
    create_home(tmp_path / "home")
    declaration, keyring = _declared(), Keyring.open(tmp_path / "home")
    make_token_keys(declaration, keyring, now=NOW)
    make_token_keys(declaration, keyring, now=NOW)
    assert keyring.chain is not None
    assert [it.number for it in keyring.chain.infos() if it.purpose == "token"] == [1, 3]
    return StoredForms(declaration, keyring)


@pytest.mark.parametrize("format_", TokenFormat)
@pytest.mark.parametrize("text", ["ann@example.org", "+44 1632 960000"])
def test_invented_tokens_have_the_form_of_real_ones(forms: StoredForms, format_: TokenFormat, text: str) -> None:
    use = FieldUse.model_validate({"category": "user", "token": {"format": format_.value, "domain": "shop"}})
    token = forms("shop.customer", "token", use, text)
    assert isinstance(token, str)
    assert could_be_token(format_, token)


@pytest.mark.parametrize("how", [True, "deterministic"])
def test_invented_sealed_values_open_in_their_place(forms: StoredForms, how: bool | str) -> None:
    use = FieldUse.model_validate({"category": "user.name", "sealed": how})
    sealed = forms("shop.customer", "name", use, "Ann Archer")
    assert isinstance(sealed, bytes)
    context = SealingContext(domain="fields", table="customer", field="name")
    assert forms.keyring.unseal(sealed, context) == b"Ann Archer"
    assert (forms("shop.customer", "name", use, "Ann Archer") == sealed) is (how == "deterministic")


@pytest.mark.parametrize(
    ("store", "schema", "dialect"),
    [
        ("${SHOP}", Schema("postgresql"), "postgresql"),
        ("mysql+pymysql://database.example.org/shop", SCHEMA, "mariadb"),
        ("${SHOP}", SCHEMA, None),
        ("sqlite:///shop.db", SCHEMA, None),
    ],
)
def test_a_server_is_invented_for_what_is_one(store: str, schema: Schema, dialect: str | None) -> None:
    server = InventedServer.of(System(store=store), schema)
    assert (server.dialect if server else None) == dialect


def test_a_server_answers_in_place_of_its_file(tmp_path: Path) -> None:
    stores = ScratchStores(tmp_path / "stores", {"shop": SCHEMA})
    stores.make(_declared(), [InventedRow("shop.customer", {"email": "ann@example.org"}, ANN)])
    declared = System(store="postgresql://database.example.org/shop", accounts=("application",))
    server = InventedServer.of(declared, SCHEMA)
    assert server is not None
    file = open_store("shop", stores.url("shop"), read_only=True)
    store = server.over(file)
    assert isinstance(store, QueryableStore)
    assert (store.name, store.describe().dialect, store.count("customer", None)) == ("shop", "postgresql", 1)
    assert [(it.name, it.reads) for it in store.principals() if it.can_login] == [
        ("application", frozenset({"customer"}))
    ]
    transport = store.transport()
    assert (transport.encrypted, transport.is_local, transport.sessions) == (True, False, server.sessions)
    file.close()


def test_a_value_is_put_into_a_database_and_into_a_file(tmp_path: Path) -> None:
    stores = ScratchStores(tmp_path, {"shop": SCHEMA, "calls": Schema("files", SCHEMA.tables)})
    stores.make(_declared(), [InventedRow(f"{name}.customer", {"email": "-"}, ANN) for name in stores.schemas])
    for system in stores.schemas:
        stores.put(f"{system}.customer", "email", "ann@example.org", _declared())
        store = open_store(system, stores.url(system))
        assert store.read("customer", ["email"], None) == [("ann@example.org",)]
        store.close()


def test_nothing_is_put_into_an_empty_table(tmp_path: Path) -> None:
    stores = ScratchStores(tmp_path, {"shop": SCHEMA, "calls": Schema("files", SCHEMA.tables)})
    stores.make(_declared(), [])
    for system in stores.schemas:
        with pytest.raises(Inapplicable, match="is empty"):
            stores.put(f"{system}.customer", "email", "ann@example.org", _declared())


def test_invented_external_systems_answer_every_right_and_know_nobody() -> None:
    desk = {"store": "${DESK}", "asked": {"answers": ["view", "erase"], "secret": "${DESK_SECRET}"}}
    changed = with_external_systems(_declared(desk=desk, post={"store": "task"}))
    assert changed.systems["post"].store == "task"
    asked = open_asked("desk", changed.systems["desk"], {})
    ask = Ask("1", Right.ERASE, (("email", "ann@example.org"),), NOW.date(), "E")
    assert (asked.offers(), asked.ask(ask).state, asked.verify(ask).state) == (frozenset(Right), "nothing", "nothing")

    lying = open_asked("desk", changed.systems["desk"].model_copy(update={"store": LYING_HOOK}), {})
    assert (lying.offers(), lying.ask(ask).state) == (frozenset(Right), "done")

"""Importing a Fides dataset: what it says arrives, and what cannot arrive is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables import each_row

from troth.declaration import Declaration, DeclarationErrors, Strategy, check, dump, from_fides, parse

HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: a@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)
DATASET = """\
dataset:
  - fides_key: shop
    name: The shop
    collections:
      - name: customer
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: True, identity: customer_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email, data_type: string}}
          - {name: created, data_categories: [system.operations]}
          - name: profile
            fields:
              - {name: town, data_categories: [user.contact.address.city]}
              - {name: street, data_categories: [user.contact.address.street]}
      - name: order
        fields:
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}
          - name: address_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: address.id, direction: to}]}
          - name: agent_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: customer.id}]}
          - name: email
            data_categories: [user.contact.email]
            fides_meta: {identity: email, masking_strategy_override: {strategy: null_rewrite}}
      - name: address
        fides_meta: {masking_strategy_override: {strategy: delete}}
        fields:
          - {name: id, data_categories: [system.operations]}
          - {name: street, data_categories: [user.contact.address.street]}
"""


def drafted(text: str) -> Declaration:
    return parse(HEAD + dump(from_fides(text)))


def said(text: str) -> list[str]:
    return [str(note) for note in from_fides(text).notes]


def one_field(**field: Any) -> str:
    return json.dumps(
        {"dataset": [{"fides_key": "s", "collections": [{"name": "t", "fields": [{"name": "f", **field}]}]}]}
    )


def test_collections_become_tables_with_fields_keys_and_identities() -> None:
    shop = drafted(DATASET).systems["shop"]
    customer = shop.tables["customer"]

    assert (shop.store, shop.title) == ("${SHOP_DATABASE_URL}", "The shop")
    assert customer.key == ("id",)
    assert {kind: one.column for kind, one in customer.identity.items()} == {"account": "id", "email": "email"}
    assert customer.fields["email"].category == "user.contact.email"
    assert customer.ignore == ("created",)


def test_a_direction_says_whose_the_row_is() -> None:
    tables = drafted(DATASET).systems["shop"].tables

    assert tables["order"].belongs_to["customer_id"].table == "customer"
    assert tables["address"].belongs_to["id"].to == ("address_id",)
    assert tables["order"].refers_to["agent_id"].table == "customer"


def test_rows_that_belong_to_others_mention_people() -> None:
    order = drafted(DATASET).systems["shop"].tables["order"]
    assert not order.identity
    assert order.mentions["email"].column == "email"  # type: ignore[index]


def test_strategies_arrive_and_the_rest_is_left_to_people() -> None:
    declaration = drafted(DATASET)
    tables = declaration.systems["shop"].tables

    assert tables["address"].erase is not None
    assert tables["address"].erase.rows == "delete"
    assert tables["order"].erase is not None
    assert tables["order"].erase.fields == {"email": Strategy.NULL}
    assert {"erase-missing", "erase-field-missing", "category-without-purpose"} == {p.code for p in check(declaration)}


def test_what_was_assumed_is_told_with_its_place() -> None:
    assert said(DATASET) == [
        "dataset.yml:10:13: dataset.0.collections.0.fields.3: nested fields are declared together as "
        "'user.contact.address'; narrow it by hand",
        "dataset.yml:14:9: dataset.0.collections.1: its rows belong to others, so its identities are declared as "
        "'mentions'; move them to 'identity' if each row is one person",
        "dataset.yml:24:39: dataset.0.collections.1.fields.2.fides_meta.references.0: no direction: imported "
        "as 'refers_to', which does not make the row that person's; move it to 'belongs_to' if the row is "
        "that person's",
    ]


@each_row(
    ("field", "note"),
    [
        ({}, "'f' has no category; give it one, or add it to 'ignore'"),
        (
            {"data_categories": ["user.contact.emial"]},
            "no data category 'user.contact.emial'; did you mean 'user.contact.email'?",
        ),
        ({"data_categories": ["user.name", "user.job_title"]}, "a second category, 'user.job_title', is left out"),
        ({"data_categories": ["user.name"], "retention": "1 year"}, "'retention' is not supported and was dropped"),
        (
            {"data_categories": ["user.name"], "fides_meta": {"read_only": True}},
            "'read_only' is not supported and was dropped",
        ),
        (
            {"data_categories": ["user.name"], "fides_meta": {"identity": "loyalty"}},
            "no identity corresponds to 'loyalty'",
        ),
        (
            {
                "data_categories": ["user.name"],
                "fides_meta": {"masking_strategy_override": {"strategy": "aes_encrypt"}},
            },
            "no strategy corresponds to 'aes_encrypt'",
        ),
        (
            {"data_categories": ["user.name"], "fides_meta": {"references": [{"dataset": "crm", "field": "a.id"}]}},
            "the reference to 'crm.a.id' refers to a collection that is not in this file; add it by hand",
        ),
        (
            {"data_categories": ["user.name"], "fides_meta": {"references": [{"dataset": "s", "field": "t.f.g"}]}},
            "the reference to 's.t.f.g' refers to a nested field; add it by hand",
        ),
    ],
)
def test_nothing_is_dropped_without_a_word(field: dict[str, Any], note: str) -> None:
    (told,) = said(one_field(**field))
    assert note in told


def test_a_collections_category_is_that_of_its_fields() -> None:
    text = "dataset: [{fides_key: s, collections: [{name: t, data_categories: [user.name], fields: [{name: f}]}]}]"
    assert from_fides(text).systems["s"]["tables"]["t"]["fields"] == {"f": "user.name"}


def test_a_second_dataset_or_collection_of_a_name_is_told() -> None:
    text = "dataset: [{fides_key: s, collections: [{name: t, fields: []}, {name: t, fields: []}]}, {fides_key: s}]"
    assert [note.code for note in from_fides(text).notes] == ["fides-twice"] * 2


@pytest.mark.parametrize("text", ["", "a: 1", "dataset: {}", "dataset: [1, null]", "[]"])
def test_a_file_without_datasets_gives_an_empty_draft_and_says_so(text: str) -> None:
    draft = from_fides(text)
    assert draft.systems == {}
    assert [note.code for note in draft.notes] == ["fides-empty"]


def test_a_file_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(DeclarationErrors, match=r"d\.yml:2:1: while parsing a flow node"):
        from_fides("dataset: [\n", file="d.yml")


FIDES_KEYS = st.sampled_from(
    [
        "dataset",
        "fides_key",
        "name",
        "collections",
        "fields",
        "data_categories",
        "fides_meta",
        "references",
        "identity",
        "field",
        "direction",
        "primary_key",
        "masking_strategy_override",
        "strategy",
    ]
)
FIDES_WORDS = st.sampled_from(["s", "t", "t.f", "email", "user.name", "user", "to", "from", "delete"])
FIDES_VALUES = st.recursive(
    st.none() | st.booleans() | FIDES_WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIDES_KEYS, inner, max_size=5),
    max_leaves=30,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(FIDES_KEYS, FIDES_VALUES, max_size=4), max_size=2), FIDES_VALUES)
def test_any_shape_gives_a_draft_that_can_be_written(collections: list[object], other: object) -> None:
    dataset = {"fides_key": "s", "collections": collections, "meta": other}
    draft = from_fides(json.dumps({"dataset": [dataset, other]}))
    assert parse(HEAD + dump(draft)).systems.keys() == draft.systems.keys()


def test_the_draft_is_readable_and_names_what_to_look_at() -> None:
    text = dump(from_fides(DATASET))
    assert text.startswith("# Drafted from a Fides dataset.\n# To be checked:\n# - dataset.0.collections.0.fields.3: ")
    assert "      address:\n        fields: {street: user.contact.address.street}\n" in text

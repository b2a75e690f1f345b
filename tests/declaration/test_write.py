"""Writing a declaration: people like to read it, and reading it back gives the same declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables import each_row

from troth.declaration import Basis, Declaration, IdentityKind, Sharing, Strategy, load, parse, write
from troth.text import says_something

SAMPLE = Path(__file__).parent / "sample.yaml"


def test_a_real_declaration_survives_and_is_written_the_same_again() -> None:
    declaration = load(SAMPLE)
    text = write(declaration)
    assert parse(text) == declaration
    assert write(parse(text)) == text


def test_short_forms_are_written_where_they_say_the_same() -> None:
    text = write(load(SAMPLE))
    assert "phone: {column: phone, shared: review}\n" in text
    assert 'belongs_to: {"order_id, shop_id": "order.(id, shop_id)"}\n' in text
    assert "erase: {caller: pseudonymise, agent: mask, text: null}\n" in text
    assert "erase: delete\n" in text
    assert "for: 6 years\n" in text


def test_comments_stand_above_what_they_are_about() -> None:
    draft = {"systems": {"shop": {"tables": {"t": {"fields": {"a": "user.name"}}}, "store": "${SHOP_DATABASE_URL}"}}}
    comments = {"": "Draft", "systems.shop": "the shop\nin Leeds", "systems.shop.tables.t.fields.a": "90 % names\x07"}

    assert write(draft, comments) == (
        "# Draft\nsystems:\n  # the shop\n  # in Leeds\n  shop:\n    store: ${SHOP_DATABASE_URL}\n    tables:\n"
        "      t:\n        fields:\n          # 90 % names…\n          a: user.name\n"
    )


def test_a_comment_in_a_list_stays_with_its_element() -> None:
    assert write({"promises": [{"quote": "a", "owner": "b"}]}, {"promises.0.owner": "who?"}) == (
        "promises:\n  - quote: a\n    # who?\n    owner: b\n"
    )


@each_row("word", ["no", "NO", "y", "true", "null", "~", "0123", "1e5", "12:30", "1_000", "=", "- a", "a: b", "a #b", "", " a", "@a", "*a", "{a", "%a", "'a", "a\nb", "2026-11-01", "0x1F", ".5", "x" * 2_000, "\x85", "😀"])  # fmt: skip  # noqa: E501
def test_text_is_the_same_text_for_every_reader_of_yaml(word: str) -> None:
    text = write({"systems": {word: {"title": word}}})
    read = yaml.safe_load(text)
    assert list(read["systems"]) == [word] or word == "2026-11-01"
    (system,) = read["systems"].values()
    assert str(system["title"]) == word


def test_a_reference_is_short_only_where_it_reads_the_same() -> None:
    long = {"columns": ["a"], "system": "billing", "table": "invoice", "to": ["id"]}
    own = {"columns": ["a"], "table": "billing.invoice", "to": ["id"]}
    other = {"columns": ["a"], "table": "crm.agent", "to": ["id"]}
    tables = {"billing.invoice": {}, "t": {"belongs_to": {"a": long}, "refers_to": {"a": own}}}
    raw = {**HEAD, "systems": {"shop": {"store": "task", "tables": {**tables, "u": {"belongs_to": {"a": other}}}}}}
    declaration = Declaration.model_validate(raw)

    text = write(declaration)

    assert parse(text) == declaration
    assert "refers_to: {a: billing.invoice.id}" in text


HEAD: dict[str, Any] = {
    "troth": 1,
    "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
    "policy": {"file": "policy.md", "effective": "2026-11-01"},
}

words = st.text(max_size=8) | st.sampled_from(["rows", "fields", "null", "no", "a, b", "a.b", "id", "12", "on"])
names = st.text("abc.,() ", max_size=6) | st.sampled_from(["rows", "fields", "no", "billing.t", "t"])
few: Any = {"max_size": 3}
maybe: Any = lambda strategy: st.none() | strategy  # noqa: E731
columns = st.lists(names, **few)
periods = st.builds(
    lambda count, unit: {"count": count, "unit": unit}, st.integers(0, 9999), st.sampled_from(["day", "year"])
)
strategies = st.sampled_from([strategy.value for strategy in Strategy])
identities = st.dictionaries(
    st.sampled_from([kind.value for kind in IdentityKind]),
    st.fixed_dictionaries(
        {"column": names}, optional={"shared": st.sampled_from(["no", "review"]), "case": st.just("exact")}
    ),
    **few,
)
references = st.fixed_dictionaries({"columns": columns, "system": maybe(names), "table": names, "to": columns})
tables = st.fixed_dictionaries(
    {},
    optional={
        "path": maybe(words),
        "key": maybe(columns),
        "identity": identities,
        "mentions": identities,
        "fields": st.dictionaries(
            words,
            st.fixed_dictionaries(
                {"category": words},
                optional={"of": maybe(words), "sealed": st.sampled_from([True, False, "deterministic"])},
            ),
            **few,
        ),
        "belongs_to": st.dictionaries(names, references, **few),
        "refers_to": st.dictionaries(names, references, **few),
        "keep": st.fixed_dictionaries(
            {"because": words, "cite": words},
            optional={
                "for": maybe(periods),
                "from": maybe(words),
                "meanwhile": st.dictionaries(words, strategies, **few),
            },
        ),
        "erase": st.fixed_dictionaries(
            {"rows": st.sampled_from(["delete", "keep"])},
            optional={"fields": st.dictionaries(words, strategies, **few)},
        ),
        "ignore": st.lists(words, **few),
    },
)
systems = st.fixed_dictionaries(
    {"store": st.sampled_from(["task", "${X}", "sqlite:///a b.db", "no"])},
    optional={
        "title": maybe(words),
        "purposes": st.lists(words, **few),
        "tables": st.dictionaries(names, tables, **few),
    },
)
declarations = st.fixed_dictionaries(
    {key: st.just(value) for key, value in HEAD.items()},
    optional={
        "systems": st.dictionaries(st.sampled_from(["shop", "billing", "no", "1"]), systems, **few),
        "purposes": st.dictionaries(
            words,
            st.fixed_dictionaries(
                {
                    "basis": st.sampled_from([basis.value for basis in Basis]),
                    "use": words,
                    "data": st.lists(words, **few),
                }
            ),
            **few,
        ),
        "recipients": st.dictionaries(
            words,
            st.fixed_dictionaries(
                {
                    "role": st.sampled_from([role.value for role in Sharing]),
                    "country": st.sampled_from(["NO", "GB"]),
                    "receives": st.lists(words, **few),
                    "contract_until": maybe(st.dates().map(str)),
                }
            ),
            **few,
        ),
        "collection_points": st.dictionaries(
            words,
            st.fixed_dictionaries(
                {
                    "fields": st.dictionaries(
                        words,
                        st.fixed_dictionaries(
                            {"need": st.sampled_from(["required", "optional"]), "category": maybe(words)}
                        ),
                        **few,
                    ),
                    "purposes": st.lists(words, **few),
                }
            ),
            **few,
        ),
        "contracts": st.dictionaries(
            words, st.fixed_dictionaries({"retain": periods, "at_end": st.sampled_from(["delete", "return"])}), **few
        ),
        "promises": st.lists(
            st.fixed_dictionaries(
                {
                    "quote": words.filter(says_something),
                    "owner": st.just("ann@example.org"),
                    "controls": st.lists(words, **few),
                }
            ),
            **few,
        ),
    },
).map(Declaration.model_validate)


@settings(deadline=None)
@given(declarations)
def test_any_declaration_survives_being_written_and_read(declaration: Declaration) -> None:
    again = parse(write(declaration))
    assert again == declaration
    assert again.hash == declaration.hash

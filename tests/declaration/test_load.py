"""Mistakes in a declaration: each has its place, its words and its fix, and all come at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.declaration import Declaration, DeclarationErrors, Position, Problem, in_language, load, parse

Mistakes = Callable[[str], Sequence[Problem]]
Declared = Callable[[str], Declaration]

MODEL_MISTAKES = [
    ("sistems: {}", "4:1: sistems: unknown key 'sistems'; did you mean 'systems'?"),
    ("limits: {rows: 5, zzzz: 1}", "4:19: limits.zzzz: unknown key 'zzzz'; known here: rows, people"),
    (
        "systems:\n  shop:\n    store: task\n    tables:\n      customer:\n        feilds: {}",
        "9:9: systems.shop.tables.customer.feilds: unknown key 'feilds'; did you mean 'fields'?",
    ),
    (
        "systems: {shop: {store: task, tables: {customer: {identity: {emial: email}}}}}",
        "4:62: systems.shop.tables.customer.identity.emial: unknown key 'emial'; did you mean 'email'?",
    ),
    ("systems: {shop: {}}", "4:11: systems.shop.store: 'store' is missing; add 'store: …'"),
    (
        "purposes: {p: {basis: consnet, use: sales, data: []}}",
        "4:23: purposes.p.basis: 'consnet' is not allowed here; did you mean 'consent'? one of: consent, contract, "
        "legal_obligation, vital_interests, public_task, legitimate_interests, recognised_legitimate_interests",
    ),
    (
        "systems: {shop: {store: task, tables: {c: {erase: {name: maks}}}}}",
        "4:58: systems.shop.tables.c.erase.fields.name: 'maks' is not allowed here; did you mean 'mask'? "
        "one of: delete, null, mask, pseudonymise, keep",
    ),
    (
        "purposes: {p: {basis: consent, use: sales, data: user}}",
        "4:50: purposes.p.data: a list is expected, not text; put it in brackets: […]",
    ),
    ("cookies: []", "4:10: cookies: a mapping is expected, not a list"),
    ("recipients:", "4:12: recipients: the value is empty; give it a value, or remove the key"),
    ("limits: {rows: lots}", "4:16: limits.rows: a whole number is expected, not text"),
    (
        "cryptoperiods: {field: 3 years}",
        "4:24: cryptoperiods.field: a key that seals data may be in use for one day to two years",
    ),
    ("limits: {rows: 0}", "4:16: limits.rows: it should be greater than or equal to 1"),
    (
        "systems: {shop: {store: task, read_only: yes}}",
        "4:42: systems.shop.read_only: true or false is expected, not text; write true",
    ),
    *(
        (
            "systems: {shop: {store: task, tables: {c: {fields: {a: {category: user.name, sealed: " + value + "}}}}}}",
            f"4:86: systems.shop.tables.c.fields.a.sealed: {said}",
        )
        for value, said in (
            (
                "determinist",
                "'determinist' is not allowed here; did you mean 'deterministic'? one of: true, false, deterministic",
            ),
            ("yes", "'yes' is not allowed here; one of: true, false, deterministic"),
            ('"true"', "'true' is not allowed here; remove the quotes; one of: true, false, deterministic"),
            ("1", "true, false or deterministic is expected, not a number"),
        )
    ),
    (
        "systems: {shop: {store: task, title: true}}",
        "4:38: systems.shop.title: text is expected, not true or false; put quotes around it",
    ),
    (
        "systems: {shop: {store: task, tables: {c: {fields: {name: [a]}}}}}",
        "4:59: systems.shop.tables.c.fields.name: a mapping is expected, not a list; "
        "write a data category, such as user.contact.email",
    ),
    (
        "systems: {shop: {store: task, tables: {c: {belongs_to: {id: customer}}}}}",
        "4:61: systems.shop.tables.c.belongs_to.id: "
        "a reference is 'table.column', 'system.table.column' or 'table.(column, column)'",
    ),
    (
        "systems: {shop: {store: task, tables: {c: {erase: deleet}}}}",
        "4:51: systems.shop.tables.c.erase: a mapping is expected, not text; did you mean 'delete'?",
    ),
    (
        "contracts: {c: {retain: 6 yrs, at_end: delete}}",
        "4:25: contracts.c.retain: a period must be a number and day(s), week(s), month(s) or year(s), such "
        "as '90 days'",
    ),
    (
        "recipients: {r: {role: joint, country: Wales, receives: []}}",
        "4:40: recipients.r.country: not a country code; write two capital letters (ISO 3166-1), such as GB",
    ),
    (
        "recipients: {r: {role: joint, country: GB, receives: [], contract_until: 20270101}}",
        "4:74: recipients.r.contract_until: a date must be year, month and day, such as 2026-11-01",
    ),
    (
        "systems: {a.b: {store: task}}",
        "4:11: systems.a.b: the name of a system must not contain dots or spaces; write '-' or '_' instead",
    ),
    (
        "promises:\n- quote: q\n  owner: ann@example.org\n"
        "  waive: {reason: r, approver: Ann@example.org, until: 2027-01-01}",
        "5:3: promises.0: the owner of a promise cannot approve its waiver; name another approver",
    ),
]


@pytest.mark.parametrize(("text", "said"), MODEL_MISTAKES)
def test_a_mistake_is_told_with_its_place_and_its_fix(mistakes: Mistakes, text: str, said: str) -> None:
    assert [f"troth.yaml:{said}"] == [str(problem) for problem in mistakes(text)]


def test_all_mistakes_come_at_once_in_the_order_of_the_text(mistakes: Mistakes) -> None:
    found = mistakes("limits: {rows: 0}\ncookies: []\nsistems: {}\ncookies: {}\nsystems: {shop: {}}")

    assert [p.code for p in found] == ["value-form", "value-type", "key-unknown", "yaml-duplicate-key", "key-missing"]
    assert [problem.where.line for problem in found if problem.where] == [4, 5, 6, 7, 8]


def test_a_missing_section_is_told_at_the_start_of_the_file() -> None:
    with pytest.raises(DeclarationErrors, match=r"t\.yaml:1:1: policy: 'policy' is missing; add 'policy: …'"):
        parse("troth: 1\norganisation: {}", file="t.yaml")


def test_another_version_of_the_format_is_refused() -> None:
    with pytest.raises(DeclarationErrors, match="'2' is not allowed here; one of: 1"):
        parse("troth: 2")


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(text: str | bytes) -> None:
    with pytest.raises(DeclarationErrors, match=r"troth\.yaml:1:1: there is no declaration"):
        parse(text)


def test_a_list_is_no_declaration() -> None:
    with pytest.raises(DeclarationErrors, match="a mapping is expected"):
        parse("- troth: 1")


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors, match=r"troth\.yaml:1:1: no such file or directory"):
        load(tmp_path / "troth.yaml")


def test_a_folder_is_no_declaration(tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors, match="is a directory"):
        load(tmp_path)


def test_a_value_that_could_be_a_secret_or_a_person_is_never_repeated(mistakes: Mistakes) -> None:
    found = mistakes(
        "systems:\n  shop: {store: 'postgresql://troth:hunter2@db/shop'}\n  ann@example.org: 1\n"
        "  other: {store: [hunter2], hunter2@db: 1, tables: {c: {erase: {a: 'hunter2@db'}}}}\n"
        "limits: {rows: hunter2}\n"
    )
    assert len(found) == 7
    assert not any(secret in str(problem) for problem in found for secret in ("hunter2", "ann@"))


def test_pydantic_itself_does_not_repeat_values_either() -> None:
    with pytest.raises(ValueError, match="password") as caught:
        Declaration.model_validate({"systems": {"shop": {"store": "postgresql://troth:hunter2@db/shop"}}})
    assert "hunter2" not in str(caught.value)


def test_words_that_yaml_1_1_would_change_are_what_they_look_like(declared: Declared) -> None:
    declaration = declared(
        "recipients: {r: {role: joint, country: NO, receives: []}}\n"
        "systems: {shop: {store: task, title: 0123, owner: 12:30, tables: {c: {identity: {email: no}}}}}\n"
    )
    shop = declaration.systems["shop"]
    assert declaration.recipients["r"].country == "NO"
    assert (shop.title, shop.owner) == ("0123", "12:30")
    assert shop.tables["c"].identity["email"].column == "no"  # type: ignore[index]


def test_a_number_may_stand_where_text_is_meant(declared: Declared) -> None:
    assert declared("systems: {shop: {store: task, title: 12}}").systems["shop"].title == "12"


def test_a_bare_null_is_the_strategy_of_that_name(declared: Declared) -> None:
    table = (
        declared(
            "systems: {s: {store: task, tables: {c: {erase: {a: null, b: ~}, "
            "keep: {because: x, cite: y, meanwhile: {a: null}}}}}}"
        )
        .systems["s"]
        .tables["c"]
    )
    assert table.erase is not None
    assert table.keep is not None
    assert [*table.erase.fields.values(), *table.keep.meanwhile.values()] == ["null"] * 3


def test_where_finds_the_key_or_the_nearest_around_it(declared: Declared) -> None:
    declaration = declared("systems:\n  shop:\n    store: task\n    tables:\n      a.b: {fields: {x: user.name}}\n")
    file = Path("troth.yaml")

    assert declaration.where("systems.shop.tables.a.b.fields.x") == Position(file, 8, 22)
    assert declaration.where("systems.shop.tables.a.b.erase") == Position(file, 8, 7)
    assert declaration.where("nothing.at.all") == Position(file, 1, 1)
    assert Declaration.model_validate(declaration.model_dump(by_alias=True)).where("systems.shop") is None


def test_a_table_is_found_by_its_place(declared: Declared) -> None:
    declaration = declared("systems:\n  shop:\n    store: task\n    tables:\n      a.b: {fields: {x: user.name}}\n")
    assert declaration.table_at("shop.a.b") is declaration.systems["shop"].tables["a.b"]
    for place in ("shop.a", "shop", "other.a.b", ""):
        assert declaration.table_at(place) is None


def test_a_problem_has_the_place_of_its_key(declared: Declared) -> None:
    declaration = declared("systems:\n  shop:\n    store: task\n    tables:\n      a.b: {fields: {x: user.name}}\n")
    problem = declaration.problem("code", "systems.shop.tables.a.b.fields.x", "it is wrong", "write it anew")
    assert str(problem) == "troth.yaml:8:22: systems.shop.tables.a.b.fields.x: it is wrong; write it anew"


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    text = (
        "{troth: 1, organisation: {name: E, country: GB, address: a, email: a@example.org}, "
        "policy: {file: p.md, effective: 2026-11-01}}"
    )
    (tmp_path / "troth.yaml").write_text(text)
    assert load(tmp_path / "troth.yaml").folder == tmp_path
    assert load(str(tmp_path / "troth.yaml")) == parse(text)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
@example(b"\xff")
@example("\x00")
@example("a: &a [*a]")
@example("? {}\n: 1")
@example("include: ['\x00', '/', '**x', '', '..', '[', 1]")
@example("{[: 1")
@example("systems: {a: {tables: {b: {belongs_to: {c: [], d: null, '': '..'}}}}}")
@example("promises: [null, 1, {}]")
def test_no_text_does_anything_but_load_or_be_refused(text: str | bytes) -> None:
    assert outcome(text) in ("loaded", "refused")


def outcome(text: str | bytes) -> str:
    """How reading ends. A refusal has something to say, and a place for all of it."""
    try:
        parse(text)
    except DeclarationErrors as refused:
        return "refused" if str(refused) and all(problem.where for problem in refused.problems) else "refused mutely"
    return "loaded"


YAML_SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.text(max_size=12) | st.sampled_from(["delete", "x"])
)
KEYS = st.text(max_size=4) | st.sampled_from(
    ["systems", "store", "tables", "fields", "identity", "email", "erase", "rows", "belongs_to", "key", "promises"]
)
YAML_VALUES = st.recursive(
    YAML_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, YAML_VALUES, max_size=5))
def test_no_shape_does_anything_but_load_or_be_refused(values: dict[str, object]) -> None:
    assert outcome(json.dumps({"troth": 1, **values})) in ("loaded", "refused")


def test_a_text_for_people_may_be_written_by_language(declared: Declared) -> None:
    [system] = declared("systems: {shop: {store: task, title: {en: The shop, de: Der Laden}}}").systems.values()
    assert (system.title, in_language(str(system.title), "de")) == ("The shop", None)
    assert system.title is not None
    assert (in_language(system.title, "de"), in_language(system.title, "fr")) == ("Der Laden", None)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("{it: Il negozio}", "'it' is not a supported language: write en, de, fr, es"),
        ("{en: ' '}", "a text for each language is expected"),
        ("{}", "a text for each language is expected"),
        ("[The shop]", "text is expected, not a list"),
    ],
)
def test_a_title_in_no_language_is_told_with_its_place(mistakes: Mistakes, title: str, said: str) -> None:
    [problem] = mistakes(f"systems: {{shop: {{store: task, title: {title}}}}}")
    assert said in str(problem)
    assert "systems.shop.title" in str(problem)

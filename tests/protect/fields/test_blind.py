"""The blind index: normal forms, buckets that have as many values as planned, and what the plan says they tell."""

from __future__ import annotations

import decimal
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect import Keyring
from troth.protect.fields import BlindIndex, PopulationTooSmall, SearchRefused, plan_index
from troth.protect.fields.blind import BITS_MAX, NORMAL_FORMS, NormalForm

KEYRING = Keyring(bytes(range(32)))


def index(form: NormalForm = "exact", bits: int = 12, **definition: Any) -> BlindIndex:
    return BlindIndex(**{"table": "customer", "columns": (("email", form),), "bits": bits, **definition})


@each_row(
    ("form", "value", "normal"),
    [
        ("email", " Ann@Example.ORG ", "ann@example.org"),
        ("email", "ａｎｎ＠example.org", "ann@example.org"),
        ("email", "an\u200bn@example.org", "ann@example.org"),
        ("text", "  STRASSE\t1 ", "strasse 1"),
        ("text", "Straße 1", "strasse 1"),
        ("text", "Ame\u0301lie", "am\u00e9lie"),
        ("text", "ﬁlm", "film"),
        ("phone", "+44 (0)20 7946-0000", "442079460000"),
        ("phone", "0044 20 7946 0000", "442079460000"),
        ("phone", "020 7946 0000", "02079460000"),
        ("phone", "(0)30 1234", "0301234"),
        ("phone", "\u0660\u0661\u0662", "012"),
        ("exact", "Ann ", "Ann "),
        ("exact", 5, 5),
    ],
)
def test_normal_forms(form: NormalForm, value: Any, normal: Any) -> None:
    assert index(form).normal(value) == (normal,)


@given(st.sampled_from(["email", "text", "phone"]), st.text())
def test_a_normal_form_is_its_own(form: NormalForm, value: str) -> None:
    normal = NORMAL_FORMS[form](value)
    if not (form == "phone" and str(normal).startswith("00")):
        assert NORMAL_FORMS[form](normal) == normal


@given(st.text())
def test_letter_case_makes_no_difference(value: str) -> None:
    assert NORMAL_FORMS["text"](value.casefold()) == NORMAL_FORMS["text"](value)


@pytest.mark.parametrize("value", [None, "", "  ", "\u200b"])
def test_what_is_empty_is_not_indexed(value: Any) -> None:
    assert index("text").bucket(KEYRING, value) is None


@pytest.mark.parametrize(
    ("form", "value"), [("email", b"ann"), ("phone", 442079460000), ("exact", {"a": 1}), ("exact", [1])]
)
def test_what_has_no_such_form_is_refused(form: NormalForm, value: Any) -> None:
    with pytest.raises(SearchRefused):
        index(form).bucket(KEYRING, value)


def test_equal_values_share_a_bucket_whatever_their_type() -> None:
    one = index().bucket(KEYRING, 5)
    assert one == index().bucket(KEYRING, decimal.Decimal("5.0"))
    assert one != index().bucket(KEYRING, "5")


def test_buckets_are_known_for_ever() -> None:
    assert index("email", 16).bucket(KEYRING, "ann@example.org") == 4_136_113_154_553_825_868
    compound = BlindIndex("customer", (("born", "exact"), ("postcode", "text")), 16)
    assert compound.bucket(KEYRING, "1990-02-03", "N1 9GU") == 3_712_473_523_395_031_154


@pytest.mark.parametrize(
    "other",
    [
        index(version=2),
        index(bits=13),
        index("text"),
        index(table="supplier"),
        index(columns=(("phone", "exact"),)),
        index(domain="other"),
    ],
)
def test_another_definition_makes_buckets_in_another_place(other: BlindIndex) -> None:
    mine, theirs = index().first, other.first
    assert mine != theirs
    assert theirs <= (other.bucket(KEYRING, "x") or 0) < theirs + 2**other.bits < 2**63


def test_another_tenant_or_key_makes_other_buckets() -> None:
    others = [Keyring(bytes(range(32)), tenant="b"), Keyring(bytes(32))]
    assert len({index(bits=40).bucket(ring, "x") for ring in (KEYRING, *others)}) == 3


def test_values_of_a_compound_do_not_run_together() -> None:
    both = BlindIndex("t", (("a", "exact"), ("b", "exact")), 40)
    assert both.bucket(KEYRING, "ab", "c") != both.bucket(KEYRING, "a", "bc")
    assert both.bucket(KEYRING, "a", None) is None


@pytest.mark.parametrize(
    "definition",
    [
        {"bits": 0},
        {"bits": 41},
        {"columns": ()},
        {"columns": (("a", "soundex"),)},
        {"columns": (("a", "text"), ("a", "text"))},
    ],
)
def test_an_index_that_cannot_be_is_refused(definition: Any) -> None:
    with pytest.raises(SearchRefused):
        index(**definition)


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "bits"), [(1_000, 8), (1_023, 8), (1_024, 9), (200_000, 16), (10**13, BITS_MAX)]
)
def test_a_plan_takes_the_most_bits_that_leave_two_values_a_bucket(population: int, bits: int) -> None:
    plan = plan_index(population)
    assert plan.bits == bits
    assert plan.values_per_bucket >= 2


def test_more_values_a_bucket_may_be_asked_for() -> None:
    assert plan_index(200_000, values_per_bucket=50).values_per_bucket >= 50
    for few in (0, 1, 200_000):
        with pytest.raises(SearchRefused):
            plan_index(200_000, values_per_bucket=few)


def test_few_values_are_refused_unless_compounded() -> None:
    with pytest.raises(PopulationTooSmall, match="999 distinct values are fewer than 1,000; index it together"):
        plan_index(999)
    with pytest.raises(PopulationTooSmall, match="index more columns with it"):
        plan_index(999, columns=2)


def test_the_leak_is_as_the_plan_says() -> None:
    plan = plan_index(20_000)
    buckets = [index(bits=plan.bits).bucket(KEYRING, value) for value in range(plan.population)]
    sizes = Counter(buckets)
    alone = sum(size == 1 for size in sizes.values()) / plan.population
    assert abs(alone - plan.chance_alone) < 0.01
    assert abs(plan.population / len(sizes) - plan.values_per_bucket) < 0.6  # some buckets stay empty
    chance = random.Random(20261124)
    pairs = [chance.sample(buckets, 2) for _ in range(400_000)]
    shared = sum(one == other for one, other in pairs) / len(pairs)
    assert plan.chance_shared * 0.7 < shared < plan.chance_shared * 1.3


def test_the_leak_is_told_in_words() -> None:
    told = plan_index(200_000).leaks()
    assert told.startswith("200,000 distinct values in 65,536 buckets of about 3.1.")
    assert "1 in 65,536" in told
    assert "5% of the values are alone" in told
    for word in ("equal", "how often", "stored"):
        assert word in told

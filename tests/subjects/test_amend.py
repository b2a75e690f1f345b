"""Amendment: what is corrected where, what is left and named, and what stops for review."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.subjects.conftest import ANN, BEN, Company, Lay
from tests.subjects.laid import PERSON, declared

from troth.declaration import Basis, ExternalAccess, Purpose, System
from troth.rows import PlanRefused
from troth.stores import Store
from troth.subjects import AmendmentPlan, Identity, NotApproved, RunFailed, becoming, locate, plan_amendment

pytestmark = pytest.mark.sampled

ANNS_ROW = Identity.of(ids=["shop.customer=1"])
PRIVATE = "private-words@example.org"


def amendment(company: Company, changes: dict[str, str | None], *who: Identity) -> AmendmentPlan:
    located = company.find(*(who or (ANN,)), purpose="amend")
    holders = company.find(*becoming(located.map, changes), purpose="amend")
    return plan_amendment(company.declaration, located, changes, holders=holders)


def rewritten(plan: AmendmentPlan) -> dict[str, list[tuple[Any, Any, Any]]]:
    """place → key, before and after of each row."""
    return {each.place: [(key, old, new) for (key, _), old, new in each.rows] for each in plan.rewrites}


def test_a_category_is_corrected_in_every_system(company: Company) -> None:
    receipt = company.carry_out(amendment(company, {"user.name": "Anna"}))[0]
    assert receipt.is_clean
    assert {row[0]: row[2] for row in company.rows("shop.customer")} == {1: "Anna", 2: "Ben", 3: "Chloe"}
    assert ("ann@example.org", "Anna") in company.rows("newsletter.subscriber")
    assert (receipt.entry.kind, receipt.entry.fields["rows"]) == ("subject.amended", 2)


def test_one_column_is_corrected_and_no_other(company: Company) -> None:
    before = company.contents()
    company.carry_out(amendment(company, {"shop.customer.name": "Anna"}))
    after = company.contents()
    changed = [name for system in before for name in before[system] if before[system][name] != after[system][name]]
    assert set(changed) == {"customer"}


def test_a_plan_shows_before_and_after(company: Company) -> None:
    assert rewritten(amendment(company, {"user.name": "Anna"})) == {
        "shop.customer": [((1,), ("Ann",), ("Anna",))],
        "newsletter.subscriber": [(("ann@example.org",), ("Ann",), ("Anna",))],
    }


def test_a_new_address_reaches_every_mention_and_the_rows_that_it_names(company: Company) -> None:
    """The newsletter's key is the address itself: the row moves, and the rescan finds it under its new name."""
    receipt = company.carry_out(amendment(company, {"user.contact.email": "anna@example.org"}))[0]
    assert receipt.is_clean
    assert next(row for row in company.rows("shop.customer") if row[0] == 1)[1] == "anna@example.org"
    senders = {row[0]: row[3] for row in company.rows("desk.message")}
    assert senders == {
        901: "anna@example.org",
        902: "help@example.org",
        903: "ben@example.org",
        904: "anna@example.org",
    }
    assert sorted(row[0] for row in company.rows("newsletter.subscriber")) == ["anna@example.org", "chloe@example.org"]


def test_amending_twice_is_harmless(company: Company) -> None:
    for _ in range(2):
        assert company.carry_out(amendment(company, {"user.name": "Anna"}))[0].is_clean
    before = company.contents()
    company.carry_out(amendment(company, {"user.name": "Anna"}))
    assert company.contents() == before


def test_a_second_amendment_by_the_same_value_changes_no_row(small: Company) -> None:
    small.carry_out(amendment(small, {"user.name": "Anna"}))
    assert rewritten(amendment(small, {"user.name": "Anna"})) == {}


def test_the_rescan_sees_that_somebody_undid_an_amendment(company: Company) -> None:
    plan = amendment(company, {"shop.customer.name": "Anna"})
    company.stores["shop"] = _Undone(company.stores["shop"])  # type: ignore[assignment]
    assert dict(company.carry_out(plan)[0].residue) == {"shop.customer": 1}


class _Undone:
    """The shop, where somebody else writes as soon as we have written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, *question: Any) -> Any:
        with self._store.writing() as writer:
            writer.amend("customer", ["id"], ["name"], [(1, "Ann")])
        return self._store.read(*question)


# --- what is left --------------------------------------------------------------------------------------------------


def test_rows_that_the_law_keeps_are_left_and_named(small: Company) -> None:
    plan = amendment(small, {"user.contact.address": "9 Example Street"})
    assert rewritten(plan) == {}
    assert [(each.place, each.fields, each.cite, len(each.targets)) for each in plan.kept] == [
        ("shop.invoice", ("address",), "VATA 1994 Sch 11", 2)
    ]


def test_rows_that_the_law_keeps_and_read_already_as_they_should_are_not_named(small: Company) -> None:
    located = small.find(ANN, purpose="amend")
    held = [located.value("shop.invoice", row, "address") for row in located.rows["shop.invoice"]]
    plan = amendment(small, {"user.contact.address": str(held[0])})
    assert sum(len(each.targets) for each in plan.kept) == len(held) - held.count(held[0])


def test_rows_that_the_law_keeps_are_named_with_the_end_of_their_period(small: Company) -> None:
    """The invoice of 2025 stays its time; that of 2019 is past it, and no end is named."""
    located = small.find(ANN, purpose="amend")
    now = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    plan = plan_amendment(small.declaration, located, {"user.contact.address": "9 Example Street"}, now=now)
    untils = {key: each.until for each in plan.kept for key, _ in each.targets}
    assert untils[(101,)] is None
    assert untils[(100,)] is not None
    assert untils[(100,)] > now.date()


def test_a_kept_row_is_corrected_where_it_is_named_outright(small: Company) -> None:
    plan = amendment(small, {"shop.invoice.address": "9 Example Street"})
    assert [key for key, *_ in rewritten(plan)["shop.invoice"]] == [(100,), (101,)]


def test_what_a_row_says_about_others_is_left_and_named(company: Company) -> None:
    """Ann's ticket holds an answer by the help desk: it is not Ann's to correct."""
    before = company.rows("desk.message")
    plan = amendment(company, {"desk.message.body": "corrected"}, Identity.of(ids=["desk.ticket=501"]))
    assert {target[0] for each in plan.kept for target in each.targets} == {(901,), (902,)}
    company.carry_out(plan)
    assert company.rows("desk.message") == before


def test_what_is_empty_is_filled_only_by_name(small: Company) -> None:
    with small.stores["newsletter"].writing() as writer:
        writer.amend("subscriber", ["email"], ["name"], [("ann@example.org", None)])
    assert set(rewritten(amendment(small, {"user.name": "Anna"}))) == {"shop.customer"}
    assert set(rewritten(amendment(small, {"newsletter.subscriber.name": "Anna"}))) == {"newsletter.subscriber"}


# --- what stops ----------------------------------------------------------------------------------------------------


def test_differing_values_stop_for_review(company: Company) -> None:
    with company.stores["newsletter"].writing() as writer:
        writer.amend("subscriber", ["email"], ["name"], [("ann@example.org", "A. Example")])
    plan = amendment(company, {"user.name": "Anna"})
    assert [review.message for review in plan.reviews] == ["2 different values of user.name are stored"]
    before = company.contents()
    with pytest.raises(NotApproved, match="give the one that is wrong"):
        company.carry_out(plan)
    assert company.contents() == before


def test_two_addresses_are_not_made_one(small: Company) -> None:
    """Ann has two streets; by column alone nobody can tell which of them moved."""
    plan = amendment(small, {"shop.address.street": "9 Example Street"})
    assert [review.fix for review in plan.reviews] == [
        "give the one that is wrong: give the row: --id SYSTEM.TABLE=KEY"
    ]
    assert [review.rows for review in plan.reviews] == [("shop.address=11", "shop.address=12")]
    one = amendment(small, {"shop.address.street": "9 Example Street"}, Identity.of(ids=["shop.address=12"]))
    assert rewritten(one) == {"shop.address": [((12,), ("2 Example Street",), ("9 Example Street",))]}


@pytest.mark.parametrize(
    ("target", "value", "why"),
    [
        ("shop.customer.email", PRIVATE * 9, "longer than 80 characters"),
        ("shop.customer.email", "private-words", "that is not an email: give one whole email"),
        ("shop.customer.phone", "private-words", "that is not a phone: give one whole phone"),
        ("shop.customer.name", "", "must not be empty"),
        ("shop.customer.born", PRIVATE, "not a date"),
        ("shop.invoice.total", PRIVATE, "not a number"),
        ("shop.custmer.name", PRIVATE, "did you mean shop.customer.name"),
        ("user.nmae", PRIVATE, "did you mean user.name"),
        ("x" * 1_000_000, PRIVATE, "no such declared field"),
    ],
)
def test_what_does_not_fit_is_refused_without_the_value(small: Company, target: str, value: str, why: str) -> None:
    with pytest.raises(PlanRefused, match=why) as caught:
        amendment(small, {target: value})
    assert "private-words" not in str(caught.value)
    assert len(str(caught.value)) < 500


BENS = "ben@example.org"


def _held(plan: AmendmentPlan) -> dict[str, tuple[str, ...]]:
    return {it.place: it.rows for it in plan.reviews if "of somebody else" in it.message}


@pytest.mark.parametrize("target", ["user.contact.email", "shop.customer.email", "newsletter.subscriber.email"])
def test_an_identity_that_somebody_else_has_stops_for_review(company: Company, target: str) -> None:
    """Rows that lead to Ben by his address would lead to both of them."""
    plan = amendment(company, {target: BENS.upper()})
    assert _held(plan) == {"shop.customer": ("shop.customer=2",), "desk.message": ("desk.message=903",)}
    before = company.contents()
    with pytest.raises(NotApproved, match="of somebody else"):
        company.carry_out(plan)
    assert company.contents() == before


def test_rows_under_the_new_address_that_are_named_as_the_persons_own_need_no_review(small: Company) -> None:
    """Ann's letters go to her new address already."""
    new = "anna@example.org"
    with small.stores["newsletter"].writing() as writer:
        writer.amend("subscriber", ["email"], ["email"], [("ann@example.org", new)])
    change: dict[str, str | None] = {"shop.customer.email": new}
    assert _held(amendment(small, change)) == {"newsletter.subscriber": ()}, "its key is the address itself"
    assert amendment(small, change, Identity.of(email=new, ids=["shop.customer=1"])).reviews == ()


def test_two_people_are_not_given_one_identity(small: Company) -> None:
    plan = amendment(small, {"shop.customer.email": "both@example.org"}, ANN, BEN)
    assert [review.message for review in plan.reviews] == ["2 people would get the same identity"]


def test_a_new_identity_is_not_planned_before_somebody_looked_who_has_it(small: Company) -> None:
    with pytest.raises(AssertionError, match="locate those whom the changes lead to"):
        plan_amendment(small.declaration, small.find(ANN, purpose="amend"), {"user.contact.email": BENS})


def test_a_telephone_that_may_be_shared_needs_no_review(small: Company) -> None:
    assert amendment(small, {"shop.customer.phone": "07700 900003"}, ANNS_ROW).reviews == ()


@pytest.mark.parametrize("value", ["x' OR 1=1 --", 'quo"te \\ 🦉 \u202e', "%s %(x)s :x ? $1"])
def test_hostile_values_are_only_values(company: Company, value: str) -> None:
    company.carry_out(amendment(company, {"shop.customer.name": value}))
    assert {row[0]: row[2] for row in company.rows("shop.customer")} == {1: value, 2: "Ben", 3: "Chloe"}


def test_a_value_that_somebody_else_took_meanwhile_is_a_conflict_and_changes_nothing(company: Company) -> None:
    plan = amendment(company, {"shop.customer.email": "chloe.new@example.org"})
    with company.stores["shop"].writing() as writer:
        writer.amend("customer", ["id"], ["email"], [(2, "chloe.new@example.org")])
    before = company.contents()
    with pytest.raises(RunFailed, match="constraint") as caught:
        company.carry_out(plan)
    assert "chloe.new@" not in str(caught.value)
    assert company.contents() == before
    assert list(company.journal.unfinished()) == []


def test_a_date_is_written_as_a_date(company: Company) -> None:
    assert company.carry_out(amendment(company, {"user.demographic.date_of_birth": "1981-03-01"}))[0].is_clean
    assert next(row for row in company.rows("shop.customer") if row[0] == 1)[4] == dt.date(1981, 3, 1)


def test_nothing_personal_shows_in_a_repr(small: Company) -> None:
    plan = amendment(small, {"user.name": PRIVATE})
    assert PRIVATE not in repr(plan) + repr(plan.rewrites)
    assert "Ann" not in repr(plan.rewrites)


# --- tables without rows of the person ------------------------------------------------------------------------------


def test_a_column_is_judged_only_where_a_row_would_take_the_value(lay_small: Lay) -> None:
    """Ann has a badge, which is too narrow for the new name; Ben has none, so that it is nothing to him."""
    person = {**PERSON, "fields": {"email": "user.contact.email", "name": "user.name"}}
    badge = {"belongs_to": {"person_id": "person.id"}, "fields": {"label": "user.name"}, "erase": "delete"}
    laid = lay_small(
        declared(person=person, badge=badge),
        'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "name" VARCHAR(60))',
        'CREATE TABLE "badge" ("person_id" INTEGER PRIMARY KEY, "label" VARCHAR(3))',
        "INSERT INTO \"person\" VALUES (1, 'ann@example.org', 'Ann'), (2, 'ben@example.org', 'Ben')",
        "INSERT INTO \"badge\" VALUES (1, 'Ann')",
    )

    def plan(who: Identity) -> AmendmentPlan:
        located = locate(laid.map(), {"shop": laid.store}, [who], purpose="amend")
        return plan_amendment(laid.declaration, located, {"user.name": "Benjamin"})

    assert set(rewritten(plan(BEN))) == {"shop.person"}
    with pytest.raises(PlanRefused, match=r"badge\.fields\.label: the column cannot hold the new value"):
        plan(ANN)


def test_nobody_has_an_empty_plan_and_a_misspelt_target_is_still_told(small: Company) -> None:
    nobody = Identity.of(email="nobody@example.org")
    plan = amendment(small, {"shop.customer.born": "no date at all"}, nobody)
    assert (plan.rewrites, plan.kept, plan.reviews) == ((), (), ())
    with pytest.raises(PlanRefused, match=r"did you mean user\.name"):
        amendment(small, {"user.nmae": "x"}, nobody)


@pytest.mark.parametrize("target", ["user.financial.bank_account", "desk.iban"])
def test_what_only_an_asked_system_holds_is_no_misspelling(small: Company, target: str) -> None:
    desk = System(store="task", asked=ExternalAccess(answers=("amend",), holds={"iban": "user.financial.bank_account"}))
    systems = {**small.declaration.systems, "desk": desk}
    located = small.find(ANN, purpose="amend")
    purposes = {"p": Purpose(basis=Basis.CONTRACT, use="essential.service", data=("user",))}
    both = small.declaration.model_copy(update={"systems": systems, "purposes": purposes})
    assert plan_amendment(both, located, {target: "x"}).rewrites == ()
    with pytest.raises(PlanRefused, match="no such declared field"):
        plan_amendment(small.declaration, located, {target: "x"})
    with pytest.raises(PlanRefused, match="no such declared field"):
        plan_amendment(both, located, {"iban": "x"})


def test_a_field_about_somebody_else_alone_is_not_named_as_left(company: Company) -> None:
    """The sender of a message in Ann's ticket is the help desk's, and no data of hers that stayed as it was."""
    plan = amendment(company, {"user.contact.email": "anna@example.org"}, Identity.of(ids=["desk.ticket=501"]))
    assert plan.kept == ()


def test_what_stays_in_a_correction_names_the_article_on_corrections(company: Company) -> None:
    plan = amendment(company, {"desk.message.body": "corrected"}, Identity.of(ids=["desk.ticket=501"]))
    assert {each.cite for each in plan.kept} == {"GDPR Art. 16"}

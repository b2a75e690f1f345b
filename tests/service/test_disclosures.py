"""The register of disclosures: put down with its entry before data goes, and asked by whoever wants to know."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.rig.disclosing import disclose
from tests.scale import scaled

from troth.declaration import Declaration, parse
from troth.protect import Keyring
from troth.service.core.disposal import dispose
from troth.service.core.models import EntryRow
from troth.service.disclosures.actions import names_of, received, record_disclosures
from troth.service.disclosures.models import Disclosure, DisclosureKind, DisclosureSubject
from troth.service.disclosures.rules import DisclosureEvidence, DisclosureRefused, PlannedDisclosure, Went, owed
from troth.subjects import Identity

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
ANN, BEN = Identity.of(email="ann@example.org"), Identity.of(email="ben@example.org", phone="01632 960002")
KEYS = Keyring(b"\x01" * 32)
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
purposes: {news: {basis: consent, use: marketing, data: [user.contact]}}
recipients:
  post: {role: processor, country: GB, receives: [user.contact.email], contact: privacy@post.example.org}
  print: {role: processor, country: GB, receives: [user.contact.address, user.name]}
  court: {role: controller, country: GB, receives: [user.name]}
"""


@pytest.fixture
def declaration() -> Declaration:
    return parse(DECLARED)


def went(declaration: Declaration, *people: Identity, **other: Any) -> Disclosure:
    wanted = {
        "to": "post",
        "categories": ["user.contact.email"],
        "purpose": "news",
        "kind": DisclosureKind.PROCESSOR,
        "now": NOW,
    }
    return disclose(people, declaration=declaration, keyring=KEYS, **{**wanted, **other})


def entries() -> list[dict[str, Any]]:
    stored = EntryRow.objects.order_by("id").values_list("content", flat=True)
    return [json.loads(bytes(content).removeprefix(b"troth1 ")) for content in stored]


def test_a_disclosure_is_on_record_with_its_entry(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    [told] = received(names_of(ANN, KEYS))
    assert (told.recipient, told.kind, told.purpose, told.categories, told.at) == (
        "post",
        "processor",
        "news",
        ["user.contact.email"],
        NOW,
    )
    [entry] = entries()
    assert (entry["kind"], entry["recipient"], entry["way"], entry["people"]) == (
        "disclosure.made",
        "post",
        "processor",
        1,
    )
    assert entry["subject"] == names_of(ANN, KEYS)[0]


def test_nobody_else_is_told_of_it(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    assert received(names_of(BEN, KEYS)) == []


def test_a_person_is_found_by_all_and_by_each_of_their_identifiers(database: str, declaration: Declaration) -> None:
    went(declaration, BEN)
    for asked in (BEN, Identity.of(email="Ben@Example.org"), Identity.of(phone="+44 1632 960002")):
        assert len(received(names_of(asked, KEYS))) == 1


def test_no_identifier_reaches_the_database(database: str, declaration: Declaration) -> None:
    with CaptureQueriesContext(connection) as said:
        went(declaration, ANN, BEN)
        received(names_of(ANN, KEYS))
    assert "example.org" not in str([query["sql"] for query in said])


def test_it_commits_with_the_callers_transaction_or_not_at_all(database: str, declaration: Declaration) -> None:
    release = PlannedDisclosure("post", [names_of(ANN, KEYS)], ["user.contact.email"], "news", DisclosureKind.PROCESSOR)
    with transaction.atomic():
        record_disclosures([release], declaration=declaration, keyring=KEYS, now=NOW)
        transaction.set_rollback(True)
    assert (Disclosure.objects.count(), DisclosureSubject.objects.count(), EntryRow.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"to": "nobody"}, "not a declared recipient"),
        ({"categories": ["user.name"]}, "not declared to receive user.name"),
        ({"categories": []}, "name the data categories"),
        ({"purpose": "profiling"}, "not a declared purpose"),
    ],
)
def test_what_is_not_declared_is_refused_and_nothing_is_recorded(
    database: str, declaration: Declaration, other: dict[str, Any], said: str
) -> None:
    with pytest.raises(DisclosureRefused, match=said) as refused:
        went(declaration, ANN, **other)
    assert "example.org" not in str(refused.value)
    assert EntryRow.objects.count() == 0


def test_a_disclosure_is_about_somebody(database: str, declaration: Declaration) -> None:
    with pytest.raises(DisclosureRefused, match="names the people"):
        went(declaration)


@pytest.mark.scaled
def test_a_batch_is_put_down_in_a_few_statements(database: str, declaration: Declaration) -> None:
    count = scaled(500, 2_000)
    people = [names_of(Identity.of(email=f"p{n}@example.org"), KEYS) for n in range(count)]
    releases = [PlannedDisclosure("post", people, ["user.contact.email"], "news", DisclosureKind.PROCESSOR)] * 20
    with CaptureQueriesContext(connection) as said:
        rows = record_disclosures(releases, declaration=declaration, keyring=KEYS, now=NOW)
    assert (len(rows), DisclosureSubject.objects.count()) == (20, 20 * count)
    assert len(said) < scaled(100, 400)
    assert len(received(people[7])) == 20


def test_looking_one_person_up_reads_no_table(database: str, declaration: Declaration) -> None:
    people = [names_of(Identity.of(email=f"p{n}@example.org"), KEYS) for n in range(3_000)]
    record_disclosures(
        [PlannedDisclosure("post", [who], ["user.contact.email"], "news", DisclosureKind.PROCESSOR) for who in people],
        declaration=declaration,
        keyring=KEYS,
        now=NOW,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    about = DisclosureSubject.objects.filter(subject__in=people[1_500]).values("disclosure")
    plan = Disclosure.objects.filter(pk__in=about).order_by("-at", "-id").explain()
    assert not [word for word in ("SCAN disclosure", "Seq Scan") if word in plan], plan


def test_the_register_outlives_an_erasure_and_ends_with_its_period(database: str, declaration: Declaration) -> None:
    went(declaration, ANN, now=NOW - dt.timedelta(days=6 * 366))
    went(declaration, ANN)
    gone = dispose(NOW)
    assert (gone["troth_concerned"], gone["troth_disclosures"]) == (1, 1)
    assert [told.at for told in received(names_of(ANN, KEYS))] == [NOW]


# --- who is owed a notice --------------------------------------------------------------------------------------------

HELD = """
systems:
  shop: {store: "${SHOP}", tables: {customer: {identity: {email: email}, erase: delete,
    fields: {email: user.contact.email, name: user.name, street: user.contact.address.street}}}}
  calls: {store: task, purposes: [calls]}
"""
EMAIL, ADDRESS = "user.contact.email", "user.contact.address"


def shown(
    evidence: DisclosureEvidence, changed: set[str] | None = None, *, declared: str = DECLARED
) -> list[tuple[str, tuple[str, ...], str]]:
    """Who is owed a notice, of what, and why."""
    return [(one.recipient, one.categories, str(one.why)) for one in owed(parse(declared + HELD), evidence, changed)]


def fed(*changed: str, kept: tuple[str, ...] = ()) -> Went:
    return Went(frozenset({*changed, *kept}), frozenset(changed), frozenset(kept))


def test_whom_the_register_knows_is_owed_by_what_they_received() -> None:
    known = DisclosureEvidence(received={"post": {EMAIL}}, registered={"post", "print", "court"})
    assert shown(known) == [("post", (EMAIL,), "register")]


def test_whom_a_feed_shows_is_owed_by_what_they_are_declared_to_receive() -> None:
    assert shown(DisclosureEvidence(fed={"post": fed(EMAIL, "user.name")})) == [("post", (EMAIL,), "feed")]


def test_what_register_and_feed_show_comes_together() -> None:
    known = DisclosureEvidence(fed={"print": fed("user.name")}, received={"print": {ADDRESS}}, registered={"print"})
    assert shown(known) == [("print", (ADDRESS, "user.name"), "register")]


def test_of_whom_nothing_is_shown_although_something_is_held_somebody_has_to_find_out() -> None:
    unshown = [(name, (), "unshown") for name in ("post", "print", "court")]
    assert shown(DisclosureEvidence(held={"shop.customer": ()})) == unshown
    assert shown(DisclosureEvidence()) == []


def test_a_registered_recipient_that_had_nothing_of_this_person_is_not_told_of_them() -> None:
    known = DisclosureEvidence(registered={"post"}, held={"shop.customer": ()})
    assert [name for name, _, _ in shown(known)] == ["print", "court"]


def test_an_amendment_concerns_those_who_have_what_changed() -> None:
    street = "user.contact.address.street"
    known = DisclosureEvidence(fed={"print": fed(street), "post": fed()}, held={"shop.customer": ()})
    assert shown(known, {street}) == [("print", (street,), "feed")]


def test_a_feed_shows_its_own_columns_and_what_else_was_changed_is_to_be_found_out() -> None:
    known = DisclosureEvidence(fed={"print": fed()}, held={"shop.customer": ()})
    assert shown(known, {"user.name"}) == [("print", (), "unshown"), ("court", (), "unshown")]
    assert shown(DisclosureEvidence(fed={"print": fed()}, held={"shop.customer": ("user.name",)}), {"user.name"}) == []


@pytest.mark.parametrize(
    ("kept", "left"), [((), (ADDRESS, "user.name")), ((ADDRESS,), ("user.name",)), (("user",), ())]
)
def test_what_a_law_keeps_of_a_feed_is_not_named(kept: tuple[str, ...], left: tuple[str, ...]) -> None:
    assert shown(DisclosureEvidence(fed={"print": fed(ADDRESS, "user.name", kept=kept)})) == [("print", left, "feed")]


def test_a_narrower_category_that_is_kept_keeps_the_broader_one_from_being_named() -> None:
    held = {"shop.customer": ("user.contact.address.street",)}
    known = DisclosureEvidence(received={"print": {ADDRESS}}, registered={"post", "print", "court"}, held=held)
    assert shown(known) == [("print", (), "register")]


def test_what_is_kept_for_other_purposes_keeps_no_recipient_from_deleting() -> None:
    calls = "calls: {basis: contract, use: essential.service, data: [user]}"
    declared = DECLARED.replace("purposes: {news", f"purposes: {{{calls}, news")
    declared = declared.replace("receives: [user.contact.email]", "purposes: [news], receives: [user.contact.email]")
    known = DisclosureEvidence(
        received={"post": {EMAIL}}, registered={"post", "print", "court"}, held={"calls": (EMAIL,)}
    )
    assert shown(known, declared=declared) == [("post", (EMAIL,), "register")]

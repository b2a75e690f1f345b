"""Sealed fields with Django: plain for the application, sealed in the database, found by their buckets."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.serializers.base import DeserializedObject
from django.db import IntegrityError, OperationalError, connection, connections, models, transaction
from django.db.migrations import AddField, CreateModel, RunSQL
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models import Case, F, Value, When
from django.db.models.functions import Concat, Lower
from django.forms import modelform_factory
from tests.protect.fields.conftest import NOW
from tests.protect.fields.django_shop import MODELS, Customer, Member, Named

from troth.protect import Keyring, OpenError, is_sealed
from troth.protect.fields import FieldRefused, RowsLeft, RowsRefused, SearchRefused
from troth.protect.fields.django import (
    BucketField,
    SealedTextField,
    may_be,
    rotate_fields,
    sealed_lookup,
    sealed_update,
)
from troth.protect.seal import key_of
from troth.service.configuration import Settings
from troth.service.settings import connection_of

pytestmark = pytest.mark.sampled

ANN = "ann@example.org"
DAY = dt.date(1990, 2, 3)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, keyring: Keyring, django_db_blocker: Any) -> Iterator[None]:
    """The shop's tables in a fresh database, which ``default`` means while the test runs."""
    url = request.getfixturevalue(f"{request.param}_url")
    declared, opened = connections.settings["default"], connections["default"]
    described = connection_of(Settings.read({"TROTH_DATABASE_URL": url}).database)
    connections.settings["default"] = {**declared, **described, "CONN_MAX_AGE": 0}
    del connections["default"]
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            for model in MODELS:
                editor.create_model(model)
        yield
    connections["default"].close()
    connections.settings["default"] = declared
    connections["default"] = opened


def raw(column: str, table: str = "customer") -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def names(rows: list[Customer]) -> list[str]:
    return sorted(row.name for row in rows)


def test_every_kind_reads_back_as_it_was_written(shop: None) -> None:
    texts = ["", "O'Brien\"; DROP TABLE customer; --", "Ænn\u200d\N{GRINNING FACE}\n%s", "é" * 600_000]
    for text in texts:
        values: dict[str, Any] = {"email": text, "born": DAY, "photo": b"\x00\xff", "facts": {"a": [1, None]}}
        row = Customer.objects.create(**values, balance=decimal.Decimal("-0.10"))
        back = Customer.objects.get(pk=row.pk)
        assert {name: getattr(back, name) for name in values} == values
        assert str(back.balance) == "-0.10"
    assert list(Customer.objects.order_by("pk").values_list("email", flat=True)) == texts


def test_nothing_readable_reaches_the_database(shop: None) -> None:
    Customer.objects.bulk_create([Customer(email=ANN, facts={"mail": ANN}) for _ in range(2)])
    values = [bytes(value) for value in raw("e_mail") + raw("facts")]
    assert all(is_sealed(value) for value in values)
    assert len(set(values)) == 4, "equal values look different"
    assert ANN.encode() not in b"".join(values)


def test_null_stays_null(shop: None) -> None:
    Customer.objects.create()
    assert raw("e_mail") == raw("email_bucket") == raw("facts") == [None]
    assert Customer.objects.filter(email=None, born__isnull=True).exclude(postcode__isnull=False).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "Ann \ud800"},
        {"photo": "Ann"},
        {"facts": {"Ann": object()}},
        {"facts": float("nan")},
        {"balance": "Ann"},
        {"born": "Ann"},
    ],
)
def test_another_kind_of_value_is_refused_and_not_repeated(shop: None, wrong: dict[str, Any]) -> None:
    with pytest.raises(FieldRefused, match=r"customer\.") as caught:
        Customer.objects.create(**wrong)
    assert "Ann" not in str(caught.value)
    assert raw("id") == []


def test_values_may_be_given_as_django_takes_them(shop: None) -> None:
    Customer.objects.create(name="Ann", born="1990-02-03", balance="1.50", postcode="N1")
    row = Customer.objects.get()
    assert (row.born, row.balance) == (DAY, decimal.Decimal("1.50"))
    assert names(sealed_lookup(Customer.objects.all(), "person_bucket", DAY, "n1")) == ["Ann"]


def test_a_value_does_not_open_in_another_column_or_table(shop: None) -> None:
    row = Customer.objects.create(email=ANN)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customer SET postcode = e_mail")
        cursor.execute("INSERT INTO named (title) SELECT e_mail FROM customer")
    with pytest.raises(OpenError) as caught:
        Customer.objects.get(pk=row.pk)
    assert caught.value.__notes__ == ["in customer.postcode"]
    with pytest.raises(OpenError):
        list(Named.objects.all())


def test_a_plain_value_is_refused(shop: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO named (title) VALUES (%s)", [ANN.encode()])
    with pytest.raises(OpenError) as caught:
        Named.objects.get()
    assert caught.value.__notes__ == ["in person.label"]
    assert ANN not in str(caught.value)


def test_a_renamed_column_keeps_the_names_it_was_sealed_for(shop: None, keyring: Keyring) -> None:
    Named.objects.create(title="Dr")
    (value,) = raw("title", "named")
    field: Any = Named._meta.get_field("title")
    assert field.sealed.open(value) == "Dr"
    assert (field.sealed.table, field.sealed.field) == ("person", "label")


def test_a_child_has_a_table_of_its_own(shop: None) -> None:
    Member.objects.create(name="Ann", email=ANN, nickname="A")
    assert names(sealed_lookup(Member.objects.all(), "email_bucket", ANN)) == ["Ann"]
    assert rotate_fields(Member).rows == rotate_fields(Customer).rows == 1
    assert Member.objects.get().nickname == "A"


@pytest.mark.parametrize(
    "condition",
    [
        {"email": ANN},
        {"email__in": [ANN]},
        {"email__icontains": "ann"},
        {"born__year": 1990},
        {"born__gt": DAY},
        {"facts__a": 1},
        {"balance__gte": 5},
    ],
)
def test_comparing_a_sealed_field_is_refused(shop: None, condition: dict[str, Any]) -> None:
    with pytest.raises(SearchRefused, match="sealed_lookup"):
        Customer.objects.filter(**condition)


# --- buckets ----------------------------------------------------------------------------------------------------------


def test_a_value_is_found_and_its_bucket_holds_others(shop: None) -> None:
    Customer.objects.bulk_create(Customer(name=f"p{n}", email=f"p{n}@example.org") for n in range(3_000))
    Customer.objects.create(name="Ann", email="Ann@Example.org")
    asked = [may_be(Customer, "email_bucket", f"p{n}@example.org") for n in range(20)]
    candidates = [Customer.objects.filter(condition).count() for condition in asked]
    assert max(candidates) < 30
    assert sum(candidates) > 20, "beside each there are others, but for a few"
    assert names(sealed_lookup(Customer.objects.all(), "email_bucket", " ANN@example.org")) == ["Ann"]
    assert sealed_lookup(Customer.objects.filter(name="Ben"), "email_bucket", ANN) == []
    assert sealed_lookup(Customer.objects.all(), "email_bucket", None) == []


def found(value: str) -> list[str]:
    return names(sealed_lookup(Customer.objects.all(), "email_bucket", value))


def test_saving_keeps_the_bucket(shop: None) -> None:
    row = Customer.objects.create(name="Ann", email="old@example.org")
    row.email = ANN
    row.save()
    assert (found(ANN), found("old@example.org"), row.email) == (["Ann"], [], ANN)
    row.email = "new@example.org"
    row.save(update_fields=["email", "email_bucket"])
    assert found("new@example.org") == ["Ann"]
    Customer.objects.update_or_create(pk=row.pk, defaults={"email": ANN})
    assert found(ANN) == ["Ann"]
    row.email = None
    row.save()
    assert raw("email_bucket") == [None]


def test_what_parts_value_and_bucket_is_refused(shop: None) -> None:
    row = Customer.objects.create(name="Ann", email=ANN, born=DAY, postcode="N1")
    row.email = "new@example.org"
    with pytest.raises(SearchRefused, match="email, email_bucket"):
        row.save(update_fields=["email"])
    with pytest.raises(SearchRefused, match="born, person_bucket, postcode"):
        row.save(update_fields=["born", "person_bucket"])
    with pytest.raises(SearchRefused, match="sealed_update"):
        Customer.objects.update(email="new@example.org")
    with pytest.raises(SearchRefused, match="sealed_update"):
        Customer.objects.update(email=None)
    with pytest.raises(SearchRefused, match="sealed_update"):
        Customer.objects.bulk_update([row], ["email"])
    row.email = F("name")
    with pytest.raises(SearchRefused, match="email_bucket"):
        row.save()
    assert found(ANN) == ["Ann"]


def test_fields_without_a_bucket_are_updated_as_ever(shop: None) -> None:
    row = Customer.objects.create(name="Ann", email=ANN)
    Customer.objects.update(facts={"a": 1}, name="Chloe")
    row.balance = decimal.Decimal("2.00")
    Customer.objects.bulk_update([row], ["balance"])
    row.save(update_fields=["name"])
    row.refresh_from_db()
    assert (row.name, row.facts, row.balance) == ("Ann", {"a": 1}, decimal.Decimal("2.00"))
    assert found(ANN) == ["Ann"]


@pytest.mark.parametrize(
    "values",
    [
        {"email": Value(ANN)},
        {"email": Value(None)},
        {"email": F("name")},
        {"email": F("facts")},
        {"facts": F("name")},
        {"facts": F("photo")},
        {"photo": Concat(Value("a"), Value("b"))},
        {"balance": Case(When(name="Ann", then=Value(ANN)))},
        {"balance": Value(ANN)},
    ],
)
def test_an_expression_would_not_be_sealed_and_is_refused(shop: None, values: dict[str, Any]) -> None:
    Customer.objects.create(name="Ann", email=ANN)
    with pytest.raises(SearchRefused, match=r"customer\.") as caught:
        Customer.objects.update(**values)
    assert ANN not in str(caught.value)
    assert found(ANN) == ["Ann"]


def test_no_object_is_made_with_an_expression(shop: None) -> None:
    for name in ("email", "facts"):
        with pytest.raises(SearchRefused):
            Customer.objects.create(**{name: Lower(Value(ANN))})
    assert raw("id") == []


def test_a_value_that_the_field_seals_may_stand_in_an_expression(shop: None) -> None:
    row = Customer.objects.create(name="Ann")
    Customer.objects.update(facts=Value({"a": 1}, output_field=Customer._meta.get_field("facts")), photo=Value(None))
    assert is_sealed(bytes(raw("facts")[0]))
    row.facts, row.photo = {"a": 2}, Lower(Value(ANN))
    with pytest.raises(SearchRefused):
        Customer.objects.bulk_update([row], ["facts", "photo"])
    Customer.objects.bulk_update([row], ["facts"])
    assert Customer.objects.get().facts == {"a": 2}


def test_an_upsert_changes_value_and_bucket_or_neither(shop: None) -> None:
    row = Customer.objects.create(name="Ann", email=ANN)
    fresh = Customer(pk=row.pk, name="A", email="new@example.org")
    for fields in (["email"], ["email_bucket"]):
        with pytest.raises(SearchRefused, match="email, email_bucket"):
            Customer.objects.bulk_create([fresh], update_conflicts=True, update_fields=fields, unique_fields=["id"])
    for fields in (["name"], ["email", "email_bucket"]):
        assert found(ANN)
        Customer.objects.bulk_create([fresh], update_conflicts=True, update_fields=fields, unique_fields=["id"])
    assert (found(ANN), found("new@example.org")) == ([], ["A"])


def test_a_value_on_its_way_is_not_shown(shop: None) -> None:
    row = Customer.objects.create(email=ANN)
    DeserializedObject(row).save()
    assert ANN not in repr(vars(row))


def test_many_rows_are_changed_with_their_buckets(shop: None) -> None:
    Customer.objects.bulk_create(Customer(name=name, email=ANN) for name in ("Ann", "Ben"))
    assert sealed_update(Customer.objects.filter(name="Ben"), email="ben@example.org", name="B") == 1
    assert (found(ANN), found("ben@example.org")) == (["Ann"], ["B"])
    with pytest.raises(SearchRefused, match="born, postcode"):
        sealed_update(Customer.objects.all(), born=DAY)
    assert sealed_update(Customer.objects.all(), email=None) == 2
    assert raw("email_bucket") == [None, None]


def test_a_compound_index_finds_by_all_its_fields(shop: None) -> None:
    Customer.objects.create(name="Ann", born=DAY, postcode="n1 9gu")
    Customer.objects.create(name="Ben", born=DAY, postcode="E2")
    assert names(sealed_lookup(Customer.objects.all(), "person_bucket", DAY, "N1  9GU")) == ["Ann"]
    with pytest.raises(SearchRefused, match="2 fields"):
        sealed_lookup(Customer.objects.all(), "person_bucket", DAY)
    with pytest.raises(SearchRefused, match="no bucket field"):
        sealed_lookup(Customer.objects.all(), "email", ANN)


def test_fixtures_are_loaded_with_their_buckets(shop: None) -> None:
    DeserializedObject(Customer(pk=1, name="Ann", email=ANN, email_bucket=5)).save()  # what `loaddata` does
    assert found(ANN) == ["Ann"]


def test_a_form_takes_and_shows_the_plain_value(shop: None) -> None:
    form_of = modelform_factory(Customer, fields=["email", "born"])
    form = form_of({"email": ANN, "born": "1990-02-03"}, instance=Customer(name="Ann"))
    assert form.is_valid(), form.errors
    form.save()
    assert found(ANN) == ["Ann"]
    assert ANN in form_of(instance=Customer.objects.get()).as_p()


# --- what Django asks of a field --------------------------------------------------------------------------------------


def test_migrations_hold_everything_that_fields_are_made_of() -> None:
    state = ModelState.from_model(Customer)
    for field in Customer._meta.local_fields:
        text, imports = MigrationWriter.serialize(field)
        made: dict[str, Any] = {}
        exec("\n".join([*imports, f"field = {text}"]), made)
        assert made["field"].deconstruct()[1:] == field.deconstruct()[1:], field.name
    assert isinstance(state.fields["email_bucket"], BucketField)
    earlier = BucketField({"a": "text"}, population=2_000, db_index=False, null=False)
    later = BucketField({"a": "email"}, population=3_000, version=2, was=earlier)
    text, imports = MigrationWriter.serialize(later)
    made = {}
    exec("\n".join([*imports, f"field = {text}"]), made)
    assert made["field"].was.deconstruct() == earlier.deconstruct()


BUCKET = BucketField({"email": "email"}, population=2_000)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_column_with_a_default_is_added_in_a_migration(shop: None, is_first: bool) -> None:
    email = AddField("person", "email", SealedTextField(default=ANN))
    steps = [email, AddField("person", "bucket", BUCKET)] if is_first else [AddField("person", "bucket", BUCKET), email]
    state = migrated(RunSQL("INSERT INTO own_person (id) VALUES (1)"), *steps)
    person: Any = state.apps.get_model("own", "Person")
    assert person.objects.get().email == ANN
    with pytest.raises(SearchRefused, match="sealed_update"):
        person.objects.update(email="ben@example.org")
    assert sealed_lookup(person.objects.all(), "bucket", ANN) == []
    assert rotate_fields(person).changed == 1
    assert [row.email for row in sealed_lookup(person.objects.all(), "bucket", ANN)] == [ANN]


def test_a_column_that_may_be_empty_is_added_with_the_empty_text(shop: None) -> None:
    state = migrated(
        RunSQL("INSERT INTO own_person (id) VALUES (1)"), AddField("person", "email", SealedTextField(blank=True))
    )
    person: Any = state.apps.get_model("own", "Person")
    assert person.objects.get().email == ""


def migrated(*operations: Any) -> ProjectState:
    """The state of the app ``own`` and its database, after these migrations of its table of people."""
    state = ProjectState()
    for operation in (CreateModel("Person", [("id", models.AutoField(primary_key=True))]), *operations):
        after = state.clone()
        operation.state_forwards("own", after)
        with connection.schema_editor() as editor:
            operation.database_forwards("own", editor, state, after)
        state = after
    return state


def test_checks_tell_what_cannot_be_sealed() -> None:
    class Wrong(models.Model):
        email = SealedTextField(unique=True, db_default=ANN)
        bucket = BucketField({"phone": "phone"}, population=2_000)

        class Meta:
            app_label = "wrong"
            ordering: ClassVar[Any] = ["-email"]
            get_latest_by = "email"
            unique_together: ClassVar[Any] = [("email", "bucket")]
            indexes: ClassVar[Any] = [models.Index(Lower("email").desc(), name="i"), models.Index("bucket", name="b")]
            constraints: ClassVar[Any] = [models.UniqueConstraint(fields=["email"], name="u")]

        def __str__(self) -> str:
            return ""

    found = [(str(it.id), it.msg) for field in Wrong._meta.local_fields for it in field.check()]
    told = {message.removeprefix("a sealed field cannot ") for code, message in found if code == "troth.E001"}
    default = "have a db_default, which the database would write unsealed"
    meta = {"be in ordering", "be in get_latest_by", "be in unique_together", "be in the index i"}
    assert told == {"be unique", default, "be in the constraint u", *meta}
    assert ("troth.E002", "the model has no sealed field 'phone' of its own to compute buckets from") in found


def test_the_fields_need_nothing_of_the_service() -> None:
    program = """
import sys, django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.db import connection, models
from troth.protect import Keyring
from troth.protect.fields.django import SealedTextField
class Person(models.Model):
    email = SealedTextField(keyring=lambda: Keyring(bytes(32)))
    class Meta: app_label = "own"
with connection.schema_editor() as editor: editor.create_model(Person)
Person.objects.create(email="ann@example.org")
assert Person.objects.get().email == "ann@example.org"
assert not [name for name in sys.modules if name.startswith(("troth.service", "sqlalchemy"))]
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


# --- rotation ---------------------------------------------------------------------------------------------------------


def keys() -> set[int]:
    return {key_of(bytes(value))[0] for value in raw("e_mail") if value is not None}


def test_every_value_comes_under_the_key_in_use(shop: None, keyring: Keyring) -> None:
    Customer.objects.bulk_create(Customer(name=f"p{n}", email=f"p{n}@example.org") for n in range(200))
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)
    assert rotate_fields(Customer).changed == 200
    assert keys() == {1}
    assert found("p7@example.org") == ["p7"]
    assert rotate_fields(Customer).changed == 0


def test_columns_from_before_are_sealed_and_indexed_in_place(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        rows = [(f"p{n}", f"p{n}@example.org".encode()) for n in range(60)]
        cursor.executemany("INSERT INTO customer (name, e_mail) VALUES (%s, %s)", rows)
    with pytest.raises(RowsLeft, match="60 values cannot be decrypted"):
        rotate_fields(Customer)
    field: Any = Customer._meta.get_field("email")
    accepting = SealedTextField(table="customer", field="e_mail", accept_plain=True)
    with monkeypatch.context() as patch:
        patch.setattr(field, "sealed", accepting.sealed)
        assert Customer.objects.get(name="p3").email == "p3@example.org"
        assert rotate_fields(Customer).changed == 60
    assert found("p3@example.org") == ["p3"]
    assert rotate_fields(Customer).changed == 0


def test_a_rotation_inside_of_a_transaction_is_refused(shop: None) -> None:
    with transaction.atomic(), pytest.raises(RowsRefused, match="outside a transaction"):
        rotate_fields(Customer)


def test_a_refusal_of_the_database_is_told_without_its_words(shop: None, keyring: Keyring) -> None:
    Customer.objects.create(email=ANN)
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)

    for kind in (OperationalError, IntegrityError):

        def refuse(execute: Any, sql: str, *rest: Any, kind: type[Exception] = kind) -> Any:
            if sql.startswith("UPDATE"):
                raise kind(ANN)
            return execute(sql, *rest)

        with connection.execute_wrapper(refuse), pytest.raises(RowsRefused, match="customer") as caught:
            rotate_fields(Customer)
        assert ANN not in str(caught.value)

"""Sealed columns with SQLAlchemy: plain for the application, sealed in the database, found by their buckets."""

from __future__ import annotations

import datetime as dt
import decimal
import logging
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import mysql, postgresql, sqlite
from tests.protect.fields.shop import TABLE, Customer, Odd
from tests.tables import each_row

from troth.protect import Keyring, OpenError, is_sealed
from troth.protect.fields import FieldRefused, PopulationTooSmall, SearchRefused
from troth.protect.fields.sqlalchemy import Bucket, NotWritten, SealedBytes, SealedText, may_be, sealed_lookup

pytestmark = pytest.mark.sampled

ANN = "ann@example.org"


def stored(engine: sa.Engine, what: str, table: str = "customer") -> list[Any]:
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(sa.text(f"SELECT {what} FROM {table} ORDER BY 1"))]


def names(rows: list[Any]) -> list[Any]:
    return sorted(row.name for row in rows)


TEXTS = {
    "empty": "",
    "space": " ",
    "quotes": "O'Brien\"; DROP TABLE customer; --",
    "unicode": "Ænn\u200d\N{GRINNING FACE}\n",
    "marks": "%s %(x)s ? :x",
    "large": "\N{GRINNING FACE}aé" * 150_000,  # more than 1 MB
}


def test_text_reads_back_as_it_was_written(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add_all([Odd(region=name, number=1, text=text) for name, text in TEXTS.items()])
        session.commit()
        session.expire_all()
        assert dict(session.execute(sa.select(Odd.region, Odd.text)).all()) == TEXTS
        assert {row.region: row.text for row in session.scalars(sa.select(Odd))} == TEXTS


KINDS: tuple[tuple[str, Any], ...] = (
    ("data", b""),
    ("data", bytes(range(256))),
    ("facts", {"a": [1, 2.5, None, "é"], "": {}}),
    ("facts", []),
    ("facts", False),
    ("amount", decimal.Decimal("-0.10")),
    ("amount", decimal.Decimal("1E+30")),
    ("day", dt.date(1, 1, 1)),
    ("day", dt.date(9999, 12, 31)),
)


def test_every_kind_reads_back_as_it_was_written(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add_all([Odd(region="north", number=n, **{field: value}) for n, (field, value) in enumerate(KINDS)])
        session.commit()
        session.expire_all()
        for number, (field, value) in enumerate(KINDS):
            back = getattr(session.get_one(Odd, ("north", number)), field)
            assert (back, str(back)) == (value, str(value))


def test_nothing_readable_reaches_the_database(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add_all([Customer(email=ANN, postcode="N1"), Customer(email=ANN)])
        session.commit()
    values = [bytes(value) for value in stored(engine, "e_mail")]
    assert all(is_sealed(value) for value in values)
    assert len(set(values)) == 2, "equal values look different"
    assert ANN.encode() not in b"".join(values)


def test_null_stays_null(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(name="Ann"))
        session.commit()
        assert session.scalars(sa.select(Customer).where(Customer.email.is_(None), Customer.email == None)).all()  # noqa: E711
        assert not session.scalars(sa.select(Customer).where(Customer.email.is_not(None))).all()
        assert session.scalars(sa.select(Customer)).one().email is None
    assert stored(engine, "e_mail") == stored(engine, "email_bucket") == [None]


WRONG: tuple[tuple[str, Any], ...] = (
    ("text", 5),
    ("text", b"Ann"),
    ("text", "Ann \ud800"),
    ("data", "Ann"),
    ("facts", {"Ann": object()}),
    ("facts", [float("nan")]),
    ("amount", 1.5),
    ("amount", True),
    ("amount", decimal.Decimal("NaN")),
    ("day", dt.datetime(2026, 1, 1)),  # noqa: DTZ001
    ("day", "2026-01-01"),
)


def test_another_kind_of_value_is_refused_and_not_repeated(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        for field, value in WRONG:
            session.add(Odd(region="Ann's region", number=1, **{field: value}))
            with pytest.raises(FieldRefused, match=rf"odd\.{field}") as caught:
                session.commit()
            assert "Ann" not in str(caught.value)
            session.rollback()
        assert session.scalars(sa.select(Odd.number)).all() == []


def test_nesting_without_end_is_refused(engine: sa.Engine) -> None:
    facts: list[Any] = []
    facts.append(facts)
    with orm.Session(engine) as session:
        session.add(Odd(region="north", number=1, facts=facts))
        with pytest.raises(FieldRefused):
            session.commit()


def test_a_value_does_not_open_in_another_column(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(email=ANN))
        session.commit()
        session.execute(sa.text("UPDATE customer SET postcode = e_mail"))
        session.commit()
        with pytest.raises(OpenError) as caught:
            session.scalars(sa.select(Customer.postcode)).all()
    assert caught.value.__notes__ == ["in customer.postcode"]
    assert ANN not in str(caught.value)


def test_a_changed_value_does_not_open(engine: sa.Engine, keyring: Keyring) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(email=ANN))
        session.commit()
        (value,) = stored(engine, "e_mail")
        *first, last = bytes(value)
        session.execute(sa.text("UPDATE customer SET e_mail = :v"), {"v": bytes([*first, last ^ 1])})
        with pytest.raises(OpenError):
            session.scalars(sa.select(Customer.email)).all()


def test_a_plain_value_is_refused_unless_that_is_said(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.execute(sa.text("INSERT INTO customer (e_mail) VALUES (:v)"), {"v": ANN.encode()})
        with pytest.raises(OpenError) as caught:
            session.scalars(sa.select(Customer.email)).all()
        assert caught.value.__notes__ == ["in customer.email"]
        assert ANN not in str(caught.value)
        accepting = sa.type_coerce(Customer.email, SealedText("customer", "email", accept_plain=True))
        assert session.scalars(sa.select(accepting)).all() == [ANN]


@pytest.mark.parametrize("accept_plain", [True, False])
def test_what_is_left_of_a_sealed_value_does_not_open(keyring: Keyring, accept_plain: bool) -> None:
    column = SealedBytes("customer", "photo", accept_plain=accept_plain).column
    sealed = column.seal(b"Ann")
    assert sealed is not None
    for damaged in (sealed[:60], sealed[:4], sealed[:4] + b"\x09" + sealed[5:], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(OpenError):
            column.open(damaged)
    if accept_plain:
        assert column.open(b"TR") == b"TR"
    else:
        for other in (b"", b"TR", b"X" + sealed[1:]):
            with pytest.raises(OpenError):
                column.open(other)


def test_without_keys_the_message_says_what_to_do(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_HOME", "/nowhere/at/all")
    with orm.Session(engine) as session:
        session.add(Odd(region="Ann", number=1, text=ANN))
        with pytest.raises(NotWritten, match="troth keys init") as caught:
            session.commit()
    assert ANN not in str(caught.value)


def test_sqlalchemy_logs_no_plain_value(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.echo = True  # "debug" is another matter: it shows rows as the application sees them
    with caplog.at_level(logging.INFO), orm.Session(engine) as session:
        session.add(Customer(email=ANN))
        session.commit()
        assert session.scalars(sa.select(Customer.email)).all() == [ANN]
    assert "INSERT" in caplog.text
    assert ANN not in caplog.text


def test_a_keyring_may_be_given(keyring: Keyring) -> None:
    other = Keyring(b"o" * 32)
    given = SealedText("customer", "email", keyring=lambda: other)
    sealed = given.column.seal(ANN)
    assert sealed is not None
    assert given.column.open(sealed) == ANN
    with pytest.raises(OpenError):
        SealedText("customer", "email").column.open(sealed)


@each_row(
    "condition",
    [
        lambda: Customer.email == ANN,
        lambda: Customer.email != ANN,
        lambda: Customer.email.in_([ANN]),
        lambda: Customer.email.like("ann%"),
        lambda: Customer.email > ANN,
        lambda: Customer.email == Customer.postcode,
        lambda: Customer.email == sa.bindparam("x"),
        lambda: Customer.email.desc(),
        lambda: Customer.email.distinct(),
        lambda: TABLE.c.e_mail == ANN,
        lambda: Customer.email + "x",
        lambda: orm.aliased(Customer).email == Customer.email,
        lambda: sa.distinct(Customer.email),
        lambda: sa.desc(Customer.email),
    ],
)
def test_comparing_a_sealed_column_is_refused(condition: Any) -> None:
    with pytest.raises(SearchRefused, match="sealed_lookup"):
        condition()


OTHER: Any = orm.aliased(Customer)


@pytest.mark.parametrize(
    "query",
    [
        sa.select(Customer).order_by(Customer.email),
        sa.select(Customer.email.label("e")).order_by(Customer.email.label("e")),
        sa.select(sa.func.count()).group_by(Customer.email),
        sa.select(sa.func.max(Customer.email)),
        sa.select(Customer.id).where(sa.func.lower(Customer.email) == ANN),
        sa.select(Customer.id).where(sa.literal(ANN) == Customer.email),
        sa.select(Customer.id).where(sa.tuple_(Customer.id, Customer.email).in_([(1, ANN)])),
        sa.select(sa.case({ANN: 1}, value=Customer.email, else_=0)),
        sa.select(Customer.id).where(Customer.name == Customer.email),
        sa.select(Customer.id).where(Customer.name.in_(sa.select(Customer.email))),
        sa.select(sa.select(Customer.id).order_by(Customer.email).subquery()),
    ],
)
def test_calculating_with_a_sealed_column_is_refused(engine: sa.Engine, query: Any) -> None:
    with orm.Session(engine) as session:
        for _ in range(2):
            with pytest.raises(SearchRefused, match="sealed_lookup"):
                session.execute(query)


def test_what_needs_no_comparison_is_read_as_ever(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add_all([Customer(name="Ann", email=ANN), Customer(name="Ben")])
        session.commit()
        assert session.scalar(sa.select(sa.func.count(Customer.email))) == 1
        has_email = sa.select(OTHER.email).where(OTHER.id == Customer.id, OTHER.email.is_not(None)).exists()
        assert session.scalars(sa.select(Customer.name).where(has_email)).all() == ["Ann"]
        either = sa.select(Customer.email).union_all(sa.select(Customer.email)).subquery()
        assert session.scalars(sa.select(either)).all().count(ANN) == 2
        assert (
            session.scalars(sa.select(Customer.name).order_by(Customer.email.is_(None), Customer.name)).first() == "Ann"
        )


@pytest.mark.parametrize("option", [{"unique": True}, {"index": True}, {"server_default": ANN}, {"primary_key": True}])
def test_what_no_sealed_column_can_have_is_refused_at_the_start(option: dict[str, Any]) -> None:
    with pytest.raises(SearchRefused, match=r"t\b.* (not unique|server_default|primary_key)"):
        sa.Table("t", sa.MetaData(), sa.Column("email", SealedText("t", "email"), **option))


@pytest.mark.parametrize(
    "item",
    [
        sa.UniqueConstraint("id", "email"),
        sa.Index("i", "email"),
        sa.Index("i", sa.func.lower(sa.column("email", SealedText("t", "email")))),
        sa.Column("bucket", Bucket({"email": "email"}, population=2_000), unique=True),
    ],
)
def test_an_index_is_made_of_buckets_alone(item: Any) -> None:
    columns: Any = sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", SealedText("t", "email"))
    if isinstance(item, sa.Column):
        assert sa.Table("t", sa.MetaData(), *columns, item).c.bucket.unique
    else:
        with pytest.raises(SearchRefused, match="not indexed and not unique"):
            sa.Table("t", sa.MetaData(), *columns, item)


@pytest.mark.parametrize("option", [{"default": ANN}, {"onupdate": lambda: ANN}, {"default": sa.func.lower("A")}])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_default_that_no_bucket_is_made_of_is_refused(option: dict[str, Any], is_first: bool) -> None:
    columns: list[Any] = [
        sa.Column("email", SealedText("t", "email"), **option),
        sa.Column("bucket", Bucket({"email": "email"}, population=2_000)),
    ]
    with pytest.raises(SearchRefused, match=r"t\.email"):
        sa.Table("t", sa.MetaData(), *(columns if is_first else columns[::-1]))


def test_a_default_without_a_bucket_is_sealed(sqlite_url: str, keyring: Keyring) -> None:
    key = sa.Column("id", sa.Integer, primary_key=True)
    table = sa.Table("t", sa.MetaData(), key, sa.Column("email", SealedText("t", "email"), default=ANN))
    engine = sa.create_engine(sqlite_url)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), {"id": 1})
    assert is_sealed(stored(engine, "email", "t")[0])
    engine.dispose()


# --- buckets ----------------------------------------------------------------------------------------------------------


def crowd(session: orm.Session, size: int = 60) -> None:
    """More people than a small index has buckets for, and Ann among them."""
    session.add_all([Customer(name=f"p{n}", email=f"p{n}@example.org") for n in range(size)])
    session.add(Customer(name="Ann", email="Ann@Example.org"))
    session.commit()


def test_a_value_is_found_and_its_bucket_holds_others(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        crowd(session, 3_000)
        asked = [may_be(Customer.email_bucket, f"p{n}@example.org") for n in range(20)]
        candidates = [len(session.scalars(sa.select(Customer.id).where(condition)).all()) for condition in asked]
        assert max(candidates) < 30
        assert sum(candidates) > 20, "beside each there are others, but for a few"
        assert names(sealed_lookup(session, Customer.email_bucket, " ANN@example.org")) == ["Ann"]
        assert sealed_lookup(session, Customer.email_bucket, ANN, where=[Customer.name == "Ben"]) == []
        assert sealed_lookup(session, Customer.email_bucket, "chloe@example.org") == []
        assert sealed_lookup(session, Customer.email_bucket, None) == []


def written_by_orm(session: orm.Session) -> None:
    row = session.get_one(Customer, 1)
    row.email = "new@example.org"


def written_by_orm_update(session: orm.Session) -> None:
    session.execute(sa.update(Customer).where(Customer.id == 1).values(email="new@example.org"))


def written_by_orm_attribute(session: orm.Session) -> None:
    session.execute(sa.update(Customer).where(Customer.id == 1).values({Customer.email: "new@example.org"}))


def written_by_orm_bulk(session: orm.Session) -> None:
    session.execute(sa.update(Customer), [{"id": 1, "email": "new@example.org"}, {"id": 2, "email": "b@example.org"}])


def written_by_core(session: orm.Session) -> None:
    session.execute(TABLE.update().where(TABLE.c.id == 1).values(e_mail="new@example.org"))


def written_by_core_parameters(session: orm.Session) -> None:
    session.connection().execute(TABLE.update().where(TABLE.c.id == 1), {"e_mail": "new@example.org"})


def written_by_merge(session: orm.Session) -> None:
    session.merge(Customer(id=1, name="p0", email="new@example.org"))


WRITES = (
    written_by_orm,
    written_by_orm_update,
    written_by_orm_attribute,
    written_by_orm_bulk,
    written_by_core,
    written_by_core_parameters,
    written_by_merge,
)


def test_who_changes_a_value_changes_its_bucket(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add_all([Customer(id=1, name="p0"), Customer(id=2, email="p1@example.org")])
        for write in WRITES:
            session.get_one(Customer, 1).email = "p0@example.org"
            session.commit()
            write(session)
            session.commit()
            assert names(sealed_lookup(session, Customer.email_bucket, "new@example.org")) == ["p0"], write
            assert sealed_lookup(session, Customer.email_bucket, "p0@example.org") == [], write


def test_who_inserts_a_value_makes_its_bucket(engine: sa.Engine) -> None:
    rows = [{"name": f"{n}", "email": ANN} for n in range(3)]
    with orm.Session(engine) as session:
        session.execute(sa.insert(Customer), rows)
        session.execute(sa.insert(Customer).values(name="3", email=ANN))
        session.execute(TABLE.insert().values({"name": "4", TABLE.c.e_mail: ANN}))
        session.connection().execute(TABLE.insert(), [{"name": "5", "e_mail": ANN}, {"name": "6", "e_mail": ANN}])
        session.bulk_save_objects([Customer(name="7", email=ANN)])
        session.execute(sa.insert(Customer).values(name="none", email=sa.null()))
        session.commit()
        assert names(sealed_lookup(session, Customer.email_bucket, ANN)) == [str(n) for n in range(8)]
        assert len(stored(engine, "id")) == 9


def test_a_bucket_is_not_written_by_hand(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(name="Ann", email=ANN, email_bucket=5))
        session.commit()
        assert names(sealed_lookup(session, Customer.email_bucket, ANN)) == ["Ann"]


def test_an_emptied_value_has_no_bucket(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(id=1, email=ANN))
        session.commit()
        session.get_one(Customer, 1).email = None
        session.commit()
    assert stored(engine, "email_bucket") == [None]


def test_other_writes_leave_the_bucket_alone(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Customer(id=1, email=ANN))
        session.commit()
        session.get_one(Customer, 1).name = "Ann"
        session.commit()
        assert names(sealed_lookup(session, Customer.email_bucket, ANN)) == ["Ann"]


@pytest.mark.parametrize(
    "statement",
    [
        TABLE.update().values(e_mail=TABLE.c.postcode),
        TABLE.update().values(e_mail=sa.bindparam("new")),
        TABLE.insert().values([{"e_mail": ANN}, {"e_mail": ANN}]),
        TABLE.insert().from_select(["e_mail"], sa.select(TABLE.c.e_mail)),
        TABLE.update().values(born=dt.date(2000, 1, 1)),
        TABLE.update().values(e_mail=sa.bindparam("e", type_=TABLE.c.e_mail.type, value="ben@example.org")),
        TABLE.update().ordered_values((TABLE.c.e_mail, ANN)),
        sa.select(TABLE.update().values(e_mail=ANN).returning(TABLE.c.id).cte()),
        sqlite.insert(TABLE).values(id=1, e_mail=ANN).on_conflict_do_update(set_={"e_mail": ANN}),
        postgresql.insert(TABLE).values(id=1, e_mail=ANN).on_conflict_do_update("id", set_={"e_mail": ANN}),
        mysql.insert(TABLE).values(id=1, e_mail=ANN).on_duplicate_key_update(e_mail=ANN),
    ],
)
def test_a_statement_that_would_part_value_and_bucket_is_refused(keyring: Keyring, statement: Any) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(NotWritten, match="customer") as caught:
        connection.execute(statement, {"new": ANN} if "new" in str(statement) else {})
    assert ANN not in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(Customer).values(email=sa.literal(ANN)),
        sa.update(Odd).values(text=sa.literal(ANN)),
        sa.update(Odd).values(text=sa.literal(ANN, SealedText("odd", "other"))),
        sa.update(Odd).values(text=sa.bindparam("new", type_=sa.Text)),
        sa.update(Odd).values(text=Odd.region),
        sa.update(Odd).values({Odd.text: Odd.data}),
        sa.update(Odd).values(text=sa.func.upper(ANN)),
        sa.update(Odd).values(text=sa.select(Odd.region).scalar_subquery()),
        sa.update(orm.aliased(Odd)).values(text=ANN),
        sa.insert(Odd).from_select(["text"], sa.select(Odd.region)),
        sa.insert(Odd).values([{"region": "north", "number": 1, "text": sa.func.upper(ANN)}]),
        sqlite.insert(Odd).values(region="north", number=1).on_conflict_do_update(set_={"text": Odd.region}),
        postgresql.insert(Odd)
        .values(region="north", number=1)
        .on_conflict_do_update("number", set_={"text": sa.literal(ANN)}),
        mysql.insert(Odd).values(region="north", number=1).on_duplicate_key_update(text=sa.func.upper(ANN)),
        sa.select(sa.update(Odd).values(text=Odd.region).returning(Odd.number).cte()),
    ],
)
def test_what_would_reach_a_sealed_column_unsealed_is_refused(keyring: Keyring, statement: Any) -> None:
    engine = sa.create_engine("sqlite://")
    parameters = {"new": ANN} if ":new" in str(statement) else {}
    with engine.connect() as connection, pytest.raises(NotWritten) as caught:
        connection.execute(statement, parameters)
    assert ANN not in str(caught.value)
    engine.dispose()


def test_an_expression_is_not_an_objects_sealed_value(engine: sa.Engine) -> None:
    with orm.Session(engine) as session:
        session.add(Odd(region="north", number=1, text=sa.func.upper(ANN)))
        with pytest.raises(NotWritten, match="odd things"):
            session.commit()


def test_values_and_parameters_of_the_columns_type_are_sealed(engine: sa.Engine) -> None:
    table: Any = Odd.__table__
    key = {"region": "north", "number": 1}
    ways: list[tuple[Any, Any]] = [
        (sa.insert(Odd).values([{**key, "text": ANN}]), {}),
        (sa.update(Odd).values(text=ANN), {}),
        (sa.update(Odd).values(text=sa.literal(ANN, table.c.text.type)), {}),
        (table.update().values(text=sa.bindparam("new")), {"new": ANN}),
        (table.update(), {"text": ANN}),
    ]
    if engine.dialect.name in ("sqlite", "postgresql"):
        insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[engine.dialect.name]
        ways.append((insert(Odd).values(key).on_conflict_do_update(index_elements=list(key), set_={"text": ANN}), {}))
    with engine.begin() as connection:
        for statement, parameters in ways:
            connection.execute(table.update().values(text=None))
            connection.execute(statement, parameters)
            assert connection.scalars(sa.select(Odd.text)).one() == ANN


def test_a_parameter_that_changes_later_has_no_bucket(engine: sa.Engine) -> None:
    kind = TABLE.c.e_mail.type
    statement = TABLE.update().values(e_mail=sa.bindparam("e", "ben@example.org", type_=kind))
    with engine.connect() as connection:
        with pytest.raises(NotWritten, match="names of their columns"):
            connection.execute(statement, {"e": ANN})
        with pytest.raises(NotWritten, match="names of their columns"):
            connection.execute(TABLE.update().values(e_mail="ben@example.org"), {"e_mail": ANN})


def test_a_compound_index_finds_by_all_its_columns(engine: sa.Engine) -> None:
    day = dt.date(1990, 2, 3)
    with orm.Session(engine) as session:
        session.add_all(
            [
                Customer(name="Ann", born=day, postcode="n1 9gu"),
                Customer(name="Ben", born=day, postcode="E2"),
                Customer(name="Chloe", born=day),
            ]
        )
        session.commit()
        assert names(sealed_lookup(session, Customer.person_bucket, day, "N1  9GU")) == ["Ann"]
        session.scalars(sa.select(Customer).where(Customer.name == "Ann")).one().postcode = "E2"
        session.commit()
        assert names(sealed_lookup(session, Customer.person_bucket, day, "E2")) == ["Ann", "Ben"]
        with pytest.raises(SearchRefused, match="2 columns"):
            sealed_lookup(session, Customer.person_bucket, day)
    assert stored(engine, "count(person_bucket)") == [2]


def test_a_lookup_goes_through_an_alias_and_beside_joins(engine: sa.Engine) -> None:
    other = orm.aliased(Customer)
    with orm.Session(engine) as session:
        session.add(Customer(name="Ann", email=ANN))
        session.commit()
        assert names(sealed_lookup(session, other.email_bucket, ANN, where=[other.name == "Ann"])) == ["Ann"]
        same = sa.select(Customer.name).join(other, other.email_bucket == Customer.email_bucket)
        assert session.scalars(same.where(may_be(other.email_bucket, ANN))).all() == ["Ann"]


def test_migrations_can_be_written_from_the_types() -> None:
    first = Bucket({"email": "exact"}, population=2_000)
    for kind in (SealedText("customer", "email", accept_plain=True), Bucket(first.of, population=5_000, was=first)):
        made = eval(repr(kind), {"SealedText": SealedText, "Bucket": Bucket})
        assert repr(made) == repr(kind)
        assert "customer" in repr(kind) or "5000" in repr(kind)


def test_looking_up_by_another_column_is_refused(engine: sa.Engine) -> None:
    with orm.Session(engine) as session, pytest.raises(SearchRefused, match="Bucket"):
        sealed_lookup(session, Customer.email, ANN)


def test_an_index_over_few_values_is_refused_at_the_start() -> None:
    with pytest.raises(PopulationTooSmall, match="another column"):
        Bucket({"country": "exact"}, population=200)


def test_an_index_over_a_column_that_is_not_sealed_is_refused(keyring: Keyring) -> None:
    table = sa.Table(
        "t", sa.MetaData(), sa.Column("a", sa.Text), sa.Column("b", Bucket({"a": "text"}, population=9_000))
    )
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(NotWritten, match="no sealed column 'a'"):
        connection.execute(table.insert(), {"a": ANN})
    engine.dispose()

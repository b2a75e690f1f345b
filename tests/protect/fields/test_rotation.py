"""Rotation in place: old values open all the while, others' writes are never lost, and a killed run is gone on with."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from tests.protect.fields.conftest import NOW
from tests.protect.fields.shop import Base, Customer, Odd

from troth.errors import TrothError
from troth.protect import Keyring, KeyState, create_home
from troth.protect.fields import RotationCount, RowsLeft, RowsRefused
from troth.protect.fields.sql import SqlRows
from troth.protect.fields.sqlalchemy import Bucket, SealedDate, SealedJSON, SealedNumber, SealedText, rotate_fields
from troth.protect.fields.sqlalchemy import sealed_lookup as lookup
from troth.protect.seal import key_of

pytestmark = pytest.mark.sampled

ROOT = Path(__file__).parents[3]
ANN = "ann@example.org"


def fill(engine: sa.Engine, rows: int) -> None:
    with orm.Session(engine) as session:
        day = dt.date(1990, 1, 1)
        session.execute(
            sa.insert(Customer),
            [{"name": f"p{n}", "email": mail(n), "born": day, "postcode": f"N{n}"} for n in range(rows)],
        )
        session.commit()


def mail(number: int) -> str:
    return f"p{number}@example.org"


def raw(engine: sa.Engine, column: str, table: str = "customer") -> list[Any]:
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(sa.text(f"SELECT {column} FROM {table} ORDER BY id"))]


def keys(engine: sa.Engine) -> set[int]:
    return {key_of(bytes(value))[0] for value in raw(engine, "e_mail") + raw(engine, "postcode") if value is not None}


def emails(engine: sa.Engine) -> list[str | None]:
    with orm.Session(engine) as session:
        return list(session.scalars(sa.select(Customer.email).order_by(Customer.id)))


def rotated(keyring: Keyring) -> int:
    assert keyring.chain is not None
    return keyring.chain.rotate("field", now=NOW).number


def test_every_value_comes_under_the_key_in_use(engine: sa.Engine, keyring: Keyring) -> None:
    fill(engine, 200)
    rotated(keyring)
    with orm.Session(engine) as session:
        session.add(Customer(name="later", email="later@example.org"))
        session.commit()
    before = emails(engine)
    assert keys(engine) == {0, 1}
    told: list[int] = []
    found = rotate_fields(engine, Customer, progress=lambda found: told.append(found.changed))
    assert (found.rows, found.changed, found.unopened) == (201, 200, 0)
    assert told == sorted(told)
    assert keys(engine) == {1}
    assert emails(engine) == before
    with orm.Session(engine) as session:
        assert [row.name for row in lookup(session, Customer.email_bucket, mail(7))] == ["p7"]


def test_a_second_rotation_finds_nothing_to_do(engine: sa.Engine, keyring: Keyring) -> None:
    fill(engine, 60)
    rotated(keyring)
    rotate_fields(engine, Customer)
    values = raw(engine, "e_mail")
    assert rotate_fields(engine, Customer).changed == 0
    assert raw(engine, "e_mail") == values


def test_the_old_key_can_be_destroyed_afterwards(engine: sa.Engine, keyring: Keyring) -> None:
    rotated(keyring)
    fill(engine, 20)
    rotated(keyring)
    rotate_fields(engine, Customer)
    assert keyring.chain is not None
    keyring.chain.move("field-1", KeyState.DESTROYED, now=NOW)
    assert emails(engine) == [mail(n) for n in range(20)]


def test_rows_with_a_key_of_several_parts_and_every_kind(engine: sa.Engine, keyring: Keyring) -> None:
    with orm.Session(engine) as session:
        session.add_all(
            Odd(region=region, number=n, text=f"{region}{n}", data=b"\x00", facts={"n": n}, amount=n, day=NOW.date())
            for region in ("a", "B", "é", "", "z%s?")
            for n in range(30)
        )
        session.commit()
        rotated(keyring)
        found = rotate_fields(engine, Odd)
        assert (found.rows, found.changed) == (150, 150)
        session.expire_all()
        for row in session.scalars(sa.select(Odd)):
            assert row.text == f"{row.region}{row.number}"
            assert (row.data, row.facts, row.day) == (b"\x00", {"n": row.number}, NOW.date())
            assert row.amount == decimal.Decimal(row.number)


def test_large_values_are_rotated_a_few_at_a_time(
    engine: sa.Engine, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = "é" * 600_000
    with orm.Session(engine) as session:
        session.add_all(Odd(region="north", number=n, text=large) for n in range(60))
        session.commit()
    rotated(keyring)
    sizes: list[int] = []
    page = SqlRows.page

    def watched(rows: SqlRows, after: Any, size: int) -> Any:
        sizes.append(size)
        return page(rows, after, size)

    monkeypatch.setattr(SqlRows, "page", watched)
    assert rotate_fields(engine, Odd).changed == 60
    assert set(sizes) == {50, 1}
    with orm.Session(engine) as session:
        assert session.scalars(sa.select(Odd.text)).all() == [large] * 60


# --- beside others ----------------------------------------------------------------------------------------------------


def before_swap(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do something between the reading and the changing of the first page."""
    swap, acts = SqlRows.swap, [act]

    def disturbed(rows: SqlRows, changes: Sequence[Any]) -> int:
        if acts:
            acts.pop()()
        return swap(rows, changes)

    monkeypatch.setattr(SqlRows, "swap", disturbed)


def test_a_write_in_between_is_not_lost(engine: sa.Engine, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(engine, 10)
    rotated(keyring)

    def write() -> None:
        with orm.Session(engine) as session:
            session.get_one(Customer, 3).email = "new@example.org"
            session.get_one(Customer, 4).email = None
            session.delete(session.get_one(Customer, 5))
            session.commit()

    before_swap(monkeypatch, write)
    rotate_fields(engine, Customer)
    assert keys(engine) == {1}
    expected: list[str | None] = [mail(n) for n in range(10)]
    expected[2:5] = ["new@example.org", None]
    assert emails(engine) == expected
    with orm.Session(engine) as session:
        assert [row.id for row in lookup(session, Customer.email_bucket, "new@example.org")] == [3]


def test_a_deadlock_is_tried_again_and_a_lasting_one_is_told(
    engine: sa.Engine, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine, 10)
    rotated(keyring)
    refusals = [1, 2]

    @sa.event.listens_for(engine, "before_cursor_execute")
    def refuse(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("UPDATE") and refusals:
            refusals.pop()
            raise sa.exc.OperationalError(statement, [ANN], Exception(ANN))

    assert rotate_fields(engine, Customer).changed == 10
    refusals[:] = range(99)
    rotated(keyring)
    with pytest.raises(RowsRefused, match="customer") as caught:
        rotate_fields(engine, Customer)
    assert ANN not in str(caught.value)


TRIES_MAX = 10


def test_readers_and_writers_go_on_meanwhile(engine: sa.Engine, keyring: Keyring) -> None:
    rows = 2_000
    fill(engine, rows)
    rotated(keyring)
    stop, wrong, written = threading.Event(), list[object](), list[int]()

    def read() -> None:
        number = 0
        while not stop.is_set():
            number = (number + 37) % rows
            try:
                with orm.Session(engine) as session:
                    if session.get_one(Customer, number + 1).email not in (mail(number), f"new-{mail(number)}"):
                        wrong.append(number)
            except (TrothError, sa.exc.SQLAlchemyError) as error:
                wrong.append(error)

    def write() -> None:
        for number in range(0, rows, 101):
            for attempt in range(TRIES_MAX):
                try:
                    with orm.Session(engine) as session:
                        session.get_one(Customer, number + 1).email = f"new-{mail(number)}"
                        session.commit()
                    break
                except sa.exc.OperationalError:  # MariaDB asks whoever read a row that changed since to try again
                    if attempt == TRIES_MAX - 1:
                        raise
            written.append(number)

    threads = [threading.Thread(target=job) for job in (read, write)]
    for thread in threads:
        thread.start()
    rotate_fields(engine, Customer)
    threads[1].join()
    rotate_fields(engine, Customer)
    stop.set()
    threads[0].join()
    assert wrong == []
    assert keys(engine) == {1}
    found = emails(engine)
    assert [n for n in range(rows) if found[n] == f"new-{mail(n)}"] == written


@pytest.mark.parametrize("pages", [1, 3, 9])
def test_a_killed_rotation_is_gone_on_with(engine: sa.Engine, keyring: Keyring, pages: int) -> None:
    rows = 800  # twenty pages: far more than are done while the signal is on its way
    fill(engine, rows)
    rotated(keyring)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, str(Path(__file__).with_name("rotating.py")), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}) as process:
        assert process.stdout is not None
        for _ in range(pages):
            assert process.stdout.readline().strip().isdecimal()
        process.kill()
    assert keys(engine) == {0, 1}
    assert emails(engine) == [mail(n) for n in range(rows)]
    assert 0 < rotate_fields(engine, Customer).changed < rows
    assert keys(engine) == {1}
    assert emails(engine) == [mail(n) for n in range(rows)]


# --- what cannot be done ----------------------------------------------------------------------------------------------


def test_what_does_not_open_is_told_when_everything_else_is_done(engine: sa.Engine, keyring: Keyring) -> None:
    fill(engine, 10)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE customer SET postcode = e_mail WHERE id = 4"))
        connection.execute(sa.text("UPDATE customer SET e_mail = :v WHERE id = 7"), {"v": ANN.encode()})
    rotated(keyring)
    with pytest.raises(RowsLeft, match="2 values cannot be decrypted") as caught:
        rotate_fields(engine, Customer)
    assert caught.value.unopened == 2
    assert ANN not in str(caught.value)
    left = {key_of(bytes(v))[0] for n, v in enumerate(raw(engine, "e_mail")) if n != 6}
    left |= {key_of(bytes(v))[0] for n, v in enumerate(raw(engine, "postcode")) if n != 3}
    assert left == {1}


def test_a_value_of_another_root_key_is_told_although_its_number_is_in_use(
    engine: sa.Engine, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_home(tmp_path / "other")
    for number, home in enumerate(["home", "other"]):
        with monkeypatch.context() as there, orm.Session(engine) as session:
            there.setenv("TROTH_HOME", str(tmp_path / home))
            session.add(Odd(region="a", number=number, text="a"))
            session.commit()
    with pytest.raises(RowsLeft, match="of 2 rows, 1 values cannot be decrypted") as caught:
        rotate_fields(engine, Odd)
    assert caught.value.unopened == 1


def test_somebody_who_keeps_sealing_with_an_old_key_is_told(
    engine: sa.Engine, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine, 3)
    (old,) = raw(engine, "e_mail")[:1]
    rotated(keyring)

    def again(_: RotationCount) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE customer SET e_mail = :v WHERE id = 1"), {"v": bytes(old)})

    with pytest.raises(RowsLeft, match="older key"):
        rotate_fields(engine, Customer, progress=again)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_table_that_cannot_be_rotated_is_refused(keyring: Keyring, sealed: bool) -> None:
    engine = sa.create_engine("sqlite://")
    kind: Any = SealedText("t", "a") if sealed else sa.Text
    table = sa.Table("t", sa.MetaData(), sa.Column("a", kind, primary_key=not sealed))
    table.create(engine)
    with pytest.raises(RowsRefused, match="t needs a primary key, and a sealed column"):
        rotate_fields(engine, table)
    engine.dispose()


def test_a_table_that_is_not_there_is_refused(engine: sa.Engine) -> None:
    Base.metadata.drop_all(engine)
    with pytest.raises(RowsRefused, match="customer"):
        rotate_fields(engine, Customer)


# --- the first time ---------------------------------------------------------------------------------------------------


OLD = {
    "sqlite": "CREATE TABLE old (id INTEGER PRIMARY KEY, email TEXT, facts TEXT, amount NUMERIC, day DATE)",
    "postgresql": "CREATE TABLE old (id serial PRIMARY KEY, email text, facts jsonb, amount numeric(9, 2), day date)",
    "mysql": "CREATE TABLE old (id int PRIMARY KEY AUTO_INCREMENT, email varchar(200) CHARACTER SET utf8mb4,"
    " facts json, amount decimal(9, 2), day date)",
}
TO_BYTES = {
    "sqlite": (),
    "postgresql": tuple(
        f"ALTER TABLE old ALTER COLUMN {name} TYPE bytea USING convert_to({name}::text, 'UTF8')"
        for name in ("email", "facts", "amount", "day")
    ),
    "mysql": (
        "ALTER TABLE old MODIFY amount varchar(40), MODIFY day varchar(40)",
        "ALTER TABLE old MODIFY email longblob, MODIFY facts longblob, MODIFY amount longblob, MODIFY day longblob",
    ),
}


def old_table(*, accept_plain: bool) -> sa.Table:
    return sa.Table(
        "old",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", SealedText("old", "email", accept_plain=accept_plain)),
        sa.Column("email_bucket", Bucket({"email": "email"}, population=5_000)),
        sa.Column("facts", SealedJSON("old", "facts", accept_plain=accept_plain)),
        sa.Column("amount", SealedNumber("old", "amount", accept_plain=accept_plain)),
        sa.Column("day", SealedDate("old", "day", accept_plain=accept_plain)),
    )


@pytest.fixture
def plain(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A table from before, its columns turned into bytes, and a new column for buckets."""
    name = engine.dialect.name.replace("mariadb", "mysql")
    with engine.begin() as connection:
        connection.execute(sa.text(OLD[name]))
        connection.execute(
            sa.text("INSERT INTO old (email, facts, amount, day) VALUES (:email, :facts, :amount, :day)"),
            [
                {"email": f"É{n}@example.org", "facts": f'{{"n":{n}}}', "amount": f"{n}.25", "day": "2026-11-24"}
                for n in range(100)
            ],
        )
        connection.execute(sa.text("INSERT INTO old (email) VALUES (NULL)"))
        for statement in (*TO_BYTES[name], "ALTER TABLE old ADD COLUMN email_bucket bigint"):
            connection.execute(sa.text(statement))
    yield engine
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE old"))


def test_columns_from_before_are_sealed_and_indexed_in_place(plain: sa.Engine, keyring: Keyring) -> None:
    expected = [(f"É{n}@example.org", {"n": n}, n + 0.25, dt.date(2026, 11, 24)) for n in range(100)]
    accepting, strict = old_table(accept_plain=True), old_table(accept_plain=False)
    chosen = sa.select(accepting.c.email, accepting.c.facts, accepting.c.amount, accepting.c.day)
    chosen = chosen.where(accepting.c.email.is_not(None)).order_by(accepting.c.id)
    with plain.connect() as connection:
        assert [tuple(row) for row in connection.execute(chosen)] == expected
    with pytest.raises(RowsLeft, match=r"400 values cannot be decrypted.*accept_plain"):
        rotate_fields(plain, strict)
    assert rotate_fields(plain, accepting).changed == 100
    assert rotate_fields(plain, strict).changed == 0
    with plain.connect() as connection:
        rows = connection.execute(
            sa.select(strict.c.email, strict.c.facts, strict.c.amount, strict.c.day)
            .where(strict.c.email.is_not(None))
            .order_by(strict.c.id)
        )
        assert [tuple(row) for row in rows] == expected
        assert connection.execute(sa.text("SELECT count(email_bucket) FROM old")).scalar_one() == 100


def test_a_changed_index_is_built_anew_while_both_are_looked_in(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    first = Bucket({"email": "exact"}, population=2_000)
    second = Bucket({"email": "email"}, population=4_000, was=first)

    def mapped(bucket: Bucket) -> Any:
        table = sa.Table(
            "person",
            metadata if bucket is first else sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", SealedText("person", "email")),
            sa.Column("bucket", bucket),
        )
        kind = type("Person", (), {})
        orm.registry().map_imperatively(kind, table)
        return kind

    before, after = mapped(first), mapped(second)
    metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.execute(sa.insert(before), [{"email": "Ann@example.org"}, {"email": "Ben@example.org"}])
        session.commit()
        assert lookup(session, before.bucket, "ann@example.org") == []
        assert [row.id for row in lookup(session, after.bucket, "Ann@example.org")] == [1], "by the old definition"
        session.rollback()
        assert rotate_fields(engine, after).changed == 2
        assert [row.id for row in lookup(session, after.bucket, "ann@example.org")] == [1], "by the new one"
        session.rollback()
    metadata.drop_all(engine)


def test_a_stale_bucket_is_fixed(engine: sa.Engine) -> None:
    fill(engine, 10)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE customer SET email_bucket = 7 WHERE id = 3"))
        connection.execute(sa.text("UPDATE customer SET email_bucket = NULL WHERE id = 4"))
        connection.execute(sa.text("UPDATE customer SET e_mail = NULL WHERE id = 5"))
    assert rotate_fields(engine, Customer).changed == 3
    with orm.Session(engine) as session:
        assert [row.id for row in lookup(session, Customer.email_bucket, mail(2))] == [3]
        assert [row.id for row in lookup(session, Customer.email_bucket, mail(3))] == [4]
    assert raw(engine, "email_bucket")[4] is None

"""A small company for audits: people and staff, keys that nobody declared, a copy, a book that nothing leads to.

`lay` makes it in any SQL database. Every value of a person holds one of `PLANTED`, so that a test can look for it
wherever it must not be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from troth.audit import PolicyFacts, look_at_policy
from troth.policy import read

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

PLANTED = (
    "Zq", "zqann", "07700 900", "203.0.113.", "1980-02-29", "4539 1488", "Quince Street", "GB33BUKB", "1984-12-05",
)  # fmt: skip

_TABLES = """
CREATE TABLE staff (
    id integer PRIMARY KEY, last_name varchar(40) NOT NULL, first_name varchar(40) NOT NULL, title varchar(30),
    boss integer REFERENCES staff (id), birth_date date, hire_date date, email varchar(60), fax varchar(24));
CREATE TABLE member (
    id integer PRIMARY KEY, first_name varchar(40) NOT NULL, last_name varchar(40) NOT NULL, email varchar(60) UNIQUE,
    phone varchar(24), birth_date date, street varchar(60), city varchar(40), postal_code varchar(10),
    helper_id integer REFERENCES staff (id), created_at timestamp NOT NULL);
CREATE TABLE loan (
    id integer PRIMARY KEY, member_id integer NOT NULL REFERENCES member (id), lent_on date NOT NULL, note text);
CREATE TABLE loan_item (
    id integer PRIMARY KEY, loan_id integer NOT NULL REFERENCES loan (id), book_id integer NOT NULL);
CREATE TABLE book (id integer PRIMARY KEY, title varchar(80), shelf_id integer NOT NULL REFERENCES shelf (id));
CREATE TABLE shelf (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE login (id integer PRIMARY KEY, member_id integer NOT NULL, ip_address varchar(45), at timestamp NOT NULL);
CREATE TABLE payment (id integer PRIMARY KEY, member_id integer REFERENCES member (id), reference varchar(40));
CREATE TABLE guest_book (id integer PRIMARY KEY, full_name varchar(60), iban varchar(34));
CREATE TABLE gate (id integer PRIMARY KEY, licence_plate varchar(12), passed_at timestamp);
CREATE TABLE bulletin_log (email varchar(60), sent_at timestamp);
"""
_ORDER = (
    "staff", "member", "loan", "shelf", "book", "loan_item", "login", "payment", "guest_book", "gate", "bulletin_log",
)  # fmt: skip
_VIEW = "CREATE VIEW member_names AS SELECT id, first_name, last_name FROM member"
_COPY = "CREATE MATERIALIZED VIEW member_copy AS SELECT id, first_name, last_name, email FROM member"

POLICY = """# Privacy policy

We collect your name, your e-mail address, your telephone number and your postal address.
We do not ask for your date of birth.
All connections are encrypted.
We delete logins after ninety days.
Our staff see network addresses when you sign in.
"""


def policy(text: str = POLICY) -> PolicyFacts:
    return look_at_policy("policy.md", read(text))


def lay(url: str) -> None:
    """The company's tables and rows, in an empty database."""
    driver = url.replace("postgresql:", "postgresql+psycopg:")
    engine = sa.create_engine(driver)
    made = {text.split("(")[0].split()[-1]: text for text in _TABLES.strip().split(";") if text.strip()}
    with engine.begin() as connection:
        for name in _ORDER:
            connection.exec_driver_sql(made[name])
        for statement in _rows():
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(_VIEW)
        if url.startswith("postgresql"):
            connection.exec_driver_sql(_COPY)
    engine.dispose()


def _rows() -> Iterator[str]:
    for n in range(1, 4):
        yield (
            f"INSERT INTO staff VALUES ({n}, 'Zqboss{n}', 'Zqrob{n}', 'Keeper', {1 if n > 1 else 'NULL'}, "
            f"'1984-12-05', '2020-01-0{n}', 'zqstaff{n}@example.org', '+44 1632 96000{n}')"
        )
    for n in range(1, 9):
        yield (
            f"INSERT INTO member VALUES ({n}, 'Zqann{n}', 'Zqlast{n}', 'zqann{n}@example.org', '07700 90000{n}', "
            f"'1980-02-29', '{n} Quince Street', 'Zqtown', 'ZQ{n} 1AA', {n % 3 + 1}, '2026-01-0{n} 10:00:00')"
        )
        yield f"INSERT INTO loan VALUES ({n}, {n}, '2026-02-0{n}', 'ask zqann{n}@example.org first')"
        yield f"INSERT INTO login VALUES ({n}, {n}, '203.0.113.{n}', '2026-{n + 2:02}-01 08:00:00')"
        yield f"INSERT INTO payment VALUES ({n}, {n}, '4539 1488 0343 6467')"
        yield f"INSERT INTO guest_book VALUES ({n}, 'Zqann{n} Zqlast', 'GB33BUKB20201555555555')"
        yield f"INSERT INTO gate VALUES ({n}, 'ZQ{n} QZQ', '2026-04-0{n} 09:00:00')"
        yield f"INSERT INTO bulletin_log VALUES ('zqann{n}@example.org', '2026-03-0{n} 09:00:00')"
        yield f"INSERT INTO shelf VALUES ({n}, 'row {n}')"
        yield f"INSERT INTO book VALUES ({n}, 'On Quinces, volume {n}', {n})"
        yield f"INSERT INTO loan_item VALUES ({n}, {n}, {n})"

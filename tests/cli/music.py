"""A music shop in eleven tables, laid into any SQL database: what it sells, who works there, who buys, and the bills.

Everybody is called Ann, Ben or Chloe. Employee 1 is everybody's boss in the end, and customers have an employee who
helps them. The last customer has never bought anything. Composers look like people, and are nobody's rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

EMPLOYEES, CUSTOMERS, BUYERS, INVOICES = 6, 12, 11, 33
TODAY = dt.datetime.now(dt.UTC).date()
"""Each buyer has two bills of long ago and one of last year."""

_TABLES = {
    "artist": "artist_id integer PRIMARY KEY, name varchar(120)",
    "album": (
        "album_id integer PRIMARY KEY, title varchar(160) NOT NULL, "
        "artist_id integer NOT NULL REFERENCES artist (artist_id)"
    ),
    "media_type": "media_type_id integer PRIMARY KEY, name varchar(120)",
    "genre": "genre_id integer PRIMARY KEY, name varchar(120)",
    "track": (
        "track_id integer PRIMARY KEY, name varchar(200) NOT NULL, album_id integer REFERENCES album (album_id), "
        "media_type_id integer NOT NULL REFERENCES media_type (media_type_id), "
        "genre_id integer REFERENCES genre (genre_id), composer varchar(220), milliseconds integer NOT NULL, "
        "bytes integer, unit_price numeric(10, 2) NOT NULL"
    ),
    "playlist": "playlist_id integer PRIMARY KEY, name varchar(120)",
    "playlist_track": (
        "playlist_id integer NOT NULL REFERENCES playlist (playlist_id), "
        "track_id integer NOT NULL REFERENCES track (track_id), PRIMARY KEY (playlist_id, track_id)"
    ),
    "employee": (
        "employee_id integer PRIMARY KEY, last_name varchar(20) NOT NULL, first_name varchar(20) NOT NULL, "
        "title varchar(30), reports_to integer REFERENCES employee (employee_id), birth_date date, hire_date date, "
        "address varchar(70), city varchar(40), state varchar(40), country varchar(40), postal_code varchar(10), "
        "phone varchar(24), fax varchar(24), email varchar(60)"
    ),
    "customer": (
        "customer_id integer PRIMARY KEY, first_name varchar(40) NOT NULL, last_name varchar(20) NOT NULL, "
        "company varchar(80), address varchar(70), city varchar(40), state varchar(40), country varchar(40), "
        "postal_code varchar(10), phone varchar(24), fax varchar(24), email varchar(60) NOT NULL, "
        "support_rep_id integer REFERENCES employee (employee_id)"
    ),
    "invoice": (
        "invoice_id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customer (customer_id), "
        "invoice_date date NOT NULL, billing_address varchar(70), billing_city varchar(40), billing_state varchar(40), "
        "billing_country varchar(40), billing_postal_code varchar(10), total numeric(10, 2) NOT NULL"
    ),
    "invoice_line": (
        "invoice_line_id integer PRIMARY KEY, invoice_id integer NOT NULL REFERENCES invoice (invoice_id), "
        "track_id integer NOT NULL REFERENCES track (track_id), unit_price numeric(10, 2) NOT NULL, "
        "quantity integer NOT NULL"
    ),
}
_INDEXED = {
    "employee": ("email", "phone", "reports_to"),
    "customer": ("email", "phone", "support_rep_id"),
    "invoice": ("customer_id",),
    "invoice_line": ("invoice_id",),
}

TABLES = tuple(_TABLES)

KEYS = {
    ("album", "artist_id", "artist"),
    ("track", "album_id", "album"),
    ("track", "media_type_id", "media_type"),
    ("track", "genre_id", "genre"),
    ("playlist_track", "playlist_id", "playlist"),
    ("playlist_track", "track_id", "track"),
    ("employee", "reports_to", "employee"),
    ("customer", "support_rep_id", "employee"),
    ("invoice", "customer_id", "customer"),
    ("invoice_line", "invoice_id", "invoice"),
    ("invoice_line", "track_id", "track"),
}
"""Every foreign key: table, column, table that it names."""

_CONTACT = {
    "first_name": "user.name.first",
    "last_name": "user.name.last",
    "address": "user.contact.address.street",
    "city": "user.contact.address.city",
    "state": "user.contact.address.state",
    "country": "user.contact.address.country",
    "postal_code": "user.contact.address.postal_code",
    "phone": "user.contact.phone_number",
    "fax": "user.contact.fax_number",
    "email": "user.contact.email",
}
PERSONAL = {
    "employee": {
        **_CONTACT,
        "title": "user.job_title",
        "birth_date": "user.demographic.date_of_birth",
        "hire_date": "user.workplace",
    },
    "customer": {**_CONTACT, "company": "user.contact.organization"},
    "invoice": {f"billing_{part}": _CONTACT[part] for part in ("address", "city", "state", "country", "postal_code")},
}
"""Table → column → category: all that is about a person, and nothing else."""

_GIVEN = ("Ann", "Ben", "Chloe")
_FAMILY = ("Archer", "Brown", "Cole", "Dyer")
_PLACES = (("Leeds", "Yorkshire", "United Kingdom", "LS1 4AB"), ("Lyon", "Rhône", "France", "69001"))
_COMPOSERS = ("Ann Archer, Ben Brown", "Chloe Cole", "The Quiet Kettles", None)
_GENRES = ("Ambient", "Folk", "Jazz", "Opera", "Rock")


def lay(url: str) -> None:
    """Make the shop in an empty database."""
    engine = _engine(url)
    with engine.begin() as connection:
        for name, columns in _TABLES.items():
            connection.exec_driver_sql(f"CREATE TABLE {name} ({columns})")
            for column in _INDEXED.get(name, ()):
                connection.exec_driver_sql(f"CREATE INDEX {name}_{column} ON {name} ({column})")
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for name, row in _rows():
            connection.execute(metadata.tables[name].insert().values(row))
    engine.dispose()


def contents(url: str) -> dict[str, list[tuple[str | None, ...]]]:
    """Every row of every table, by key, as text: engines spell values in their own types."""
    engine = _engine(url)
    with engine.connect() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        found = {
            name: [
                tuple(None if value is None else str(value) for value in row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def _rows() -> Iterator[tuple[str, tuple[object, ...]]]:
    for n in range(1, 9):
        yield "artist", (n, ("The Quiet Kettles", "Moss and Lantern", "Paper Harbour", "Nine Ferries")[n % 4] + f" {n}")
    for n in range(1, 13):
        yield "album", (n, f"Songs from the Attic, part {n}", n % 8 + 1)
    for n, kind in enumerate(("MPEG audio file", "AAC audio file", "FLAC audio file"), 1):
        yield "media_type", (n, kind)
    for n, genre in enumerate(_GENRES, 1):
        yield "genre", (n, genre)
    for n in range(1, 41):
        price = "0.99" if n % 5 else "1.99"
        title = f"{('Rain', 'Bicycle', 'Window', 'Teapot')[n % 4]} Waltz no. {n}"
        yield (
            "track",
            (n, title, n % 12 + 1, n % 3 + 1, n % 5 + 1, _COMPOSERS[n % 4], 180_000 + 1_000 * n, 5_000_000 + n, price),
        )
    for n in range(1, 5):
        yield "playlist", (n, ("Morning", "Evening", "Kitchen", "Train")[n - 1])
        yield from (("playlist_track", (n, track)) for track in range(n, 41, 4))
    for n in range(1, EMPLOYEES + 1):
        yield "employee", _employee(n)
    for n in range(1, CUSTOMERS + 1):
        yield "customer", _customer(n)
    for n in range(1, INVOICES + 1):
        yield from _invoice(n)


def _employee(n: int) -> tuple[object, ...]:
    town, state, country, code = _PLACES[0]
    title = "General Manager" if n == 1 else "Sales Support Agent"
    boss = None if n == 1 else 1 if n < 4 else 2
    born, hired = dt.date(1980 + n, 2, 10 + n), dt.date(2020, n, 1)
    names = (_FAMILY[n % 4], _GIVEN[n % 3])
    numbers = (f"+44 1632 9600{n:02}", f"+44 1632 9601{n:02}")
    place = (f"{n} Shop Lane", town, state, country, code)
    return (n, *names, title, boss, born, hired, *place, *numbers, f"{_GIVEN[n % 3].lower()}{n}@shop.example.org")


def _customer(n: int) -> tuple[object, ...]:
    names = (_GIVEN[(n - 1) % 3], _FAMILY[(n - 1) % 4])
    company = f"Example {_FAMILY[n % 4]} Ltd" if n % 4 == 0 else None
    numbers = (f"+44 1632 9602{n:02}", None if n % 2 else f"+44 1632 9603{n:02}")
    return (n, *names, company, *_home(n), *numbers, f"{names[0].lower()}{n}@example.org", 2 + n % 5)


def _home(n: int) -> tuple[str, ...]:
    return (f"{n} Example Street", *_PLACES[n % 2])


def _invoice(n: int) -> Iterator[tuple[str, tuple[object, ...]]]:
    customer = (n - 1) % BUYERS + 1
    day = TODAY - dt.timedelta(days=300 + n) if n > 2 * BUYERS else dt.date(2012, n % 12 + 1, n % 28 + 1)
    yield "invoice", (n, customer, day, *_home(customer), f"{2 * 0.99:.2f}")
    yield from (("invoice_line", (2 * n - at, n, (2 * n - at) % 40 + 1, "0.99", 1)) for at in (1, 0))

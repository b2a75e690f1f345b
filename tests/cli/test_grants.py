"""``troth grants``: scripts that a real PostgreSQL takes, and that allow what they say and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.conftest import Ask
from tests.cli.firm import DECLARATION, POLICY

_TABLES = """
CREATE TABLE customer (id integer PRIMARY KEY, email text, name text, phone text, internal text);
CREATE TABLE invoice (id integer PRIMARY KEY, customer_id integer REFERENCES customer, address text, issued date);
CREATE TABLE message (id integer PRIMARY KEY, customer_id integer, sender text, body text);
CREATE TABLE salary (id integer PRIMARY KEY, amount integer);
"""


@pytest.fixture
def shop(postgresql_url: str) -> sa.Engine:
    engine = sa.create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    _run(engine, _TABLES)
    return engine


@pytest.fixture
def role(shop: sa.Engine, request: pytest.FixtureRequest) -> Iterator[str]:
    """A role's name of this test's own: roles belong to the whole server."""
    name = f"troth_cli_{request.node.name.partition('[')[0][-40:]}"
    yield name
    _run(shop, f"DROP OWNED BY {name}; DROP ROLE {name}")


def _run(engine: sa.Engine, script: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(script.replace("%", "%%"))


def _may(engine: sa.Engine, role: str, privilege: str, table: str) -> bool:
    with engine.connect() as connection:
        query = sa.text("SELECT has_table_privilege(:role, :table, :privilege)")
        return bool(connection.scalar(query, {"role": role, "table": table, "privilege": privilege}))


def test_the_script_for_an_audit_allows_reading_and_nothing_else(
    ask: Ask, shop: sa.Engine, role: str, postgresql_url: str
) -> None:
    answer = ask("grants", "--store", "${SHOP}", "--role", role, SHOP=postgresql_url)
    assert (answer.code, answer.err) == (0, "")
    _run(shop, answer.out)
    assert _may(shop, role, "SELECT", "salary")
    assert not any(_may(shop, role, act, "customer") for act in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"))


def test_the_script_for_carrying_out_allows_what_erasure_does(
    ask: Ask, shop: sa.Engine, role: str, postgresql_url: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.md").write_text(POLICY)
    (tmp_path / "troth.yaml").write_text(DECLARATION)
    command = ("grants", "-d", str(tmp_path / "troth.yaml"), "--system", "shop", "--role", role, "--json")
    answer = ask(*command, SHOP=postgresql_url, DESK=postgresql_url)
    _run(shop, answer.document["script"])
    assert _may(shop, role, "DELETE", "customer")
    assert not _may(shop, role, "SELECT", "salary")
    assert not _may(shop, role, "TRUNCATE", "customer")
    with shop.connect() as connection:
        query = sa.text("SELECT has_column_privilege(:role, 'customer', 'internal', 'UPDATE')")
        assert connection.scalar(query, {"role": role}) is False


def test_a_system_that_allows_canaries_is_granted_to_insert_and_delete_their_rows(
    ask: Ask, shop: sa.Engine, role: str, postgresql_url: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.md").write_text(POLICY)
    (tmp_path / "troth.yaml").write_text(
        DECLARATION.replace("    store: ${SHOP}\n", "    store: ${SHOP}\n    canaries: allowed\n")
    )
    command = ("grants", "-d", str(tmp_path / "troth.yaml"), "--system", "shop", "--role", role, "--json")
    answer = ask(*command, SHOP=postgresql_url, DESK=postgresql_url)
    assert "invented person" in answer.document["script"].splitlines()[0]
    _run(shop, answer.document["script"])
    assert _may(shop, role, "INSERT", "customer")
    assert not _may(shop, role, "INSERT", "invoice"), "the law keeps its rows"


def test_a_role_with_a_hostile_name_is_quoted_or_refused(ask: Ask, shop: sa.Engine, postgresql_url: str) -> None:
    answer = ask("grants", "--store", postgresql_url, "--role", 'x"; DROP TABLE salary; --')
    if answer.code == 0:
        _run(shop, f"BEGIN; {answer.out}; ROLLBACK")
    with shop.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM salary")) == 0


def test_a_file_has_no_roles_and_says_so(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "shop.sqlite").touch()
    answer = ask("grants", "--store", f"sqlite:///{tmp_path}/shop.sqlite")
    assert (answer.code, answer.out) == (1, "")
    assert "no roles" in answer.err


def test_a_password_in_the_url_is_never_repeated(ask: Ask) -> None:
    answer = ask("grants", "--store", "postgresql://ann:hunter2@127.0.0.1:1/shop")
    assert answer.code == 1
    assert "hunter2" not in answer.err

"""What people and machines are answered while our own database is away, locked or full, the disk is, or keys are."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.test import Client
from pytest_django.fixtures import Settings as DjangoSettings
from tests.rig.databases import as_default
from tests.service.test_pages import DECLARED, POLICY

from troth.service import health
from troth.service.api import tokens
from troth.service.api.scopes import scopes
from troth.service.assurance import jobs
from troth.service.cases.models import Case
from troth.service.configuration import Settings
from troth.service.core.deployment import load_deployment
from troth.service.core.keys import make_keys
from troth.service.database import hasty

pytestmark = pytest.mark.sampled

SOON_S = 5.0
NOWHERE = "postgresql://nobody@127.0.0.1:9/troth"
"""Where no server listens."""
WORDS = {
    "en": "We cannot reach our records just now",
    "de": "Wir können unsere Aufzeichnungen gerade nicht erreichen",
    "es": "Ahora mismo no podemos acceder a nuestros registros",
    "fr": "Nous ne pouvons pas accéder à nos registres pour le moment",
}


@pytest.fixture
def site(database: str, tmp_path: Path, settings: DjangoSettings) -> Path:
    """A company whose policy is published, served by a process that does not wait long."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    make_keys(home)
    (tmp_path / "policy.md").write_text(POLICY)
    (tmp_path / "troth.yaml").write_text(DECLARED.replace("PUBLISH", "public"))
    environment = {
        "TROTH_HOME": str(home),
        "TROTH_DECLARATION": str(tmp_path / "troth.yaml"),
        "TROTH_DATABASE_URL": database,
    }
    settings.TROTH = told = Settings.read(environment)
    jobs.run_due(
        dt.datetime.now(dt.UTC),
        checks=False,
        deployment=load_deployment(told).but(home=home),
    )
    described = connections.settings["default"]
    described["OPTIONS"] = hasty(described)
    connection.close()
    return tmp_path


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False, headers={"host": "localhost"})


@contextlib.contextmanager
def away() -> Iterator[None]:
    with as_default(NOWHERE):
        yield


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Somebody else writes into the SQLite file."""
    connection.close()
    with contextlib.closing(sqlite3.connect(folder / "troth.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def asked(visitor: Client, **more: Any) -> Any:
    """A request by the form of the centre."""
    return visitor.post("/your-data/erase/", {"email": "ann@example.org", **more})


def only_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a file is locked, or has no room")


@pytest.mark.parametrize("language", list(WORDS))
def test_pages_say_that_the_database_is_away(site: Path, visitor: Client, language: str) -> None:
    with away():
        answer = visitor.get("/policy/status/", headers={"accept-language": language})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert "no-store" in answer.headers["Cache-Control"]
    assert WORDS[language] in answer.content.decode()
    assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/policy/status.json", "/policy/versions/", "/ledger/", "/ledger/checkpoint"])
def test_no_page_breaks_while_the_database_is_away(site: Path, visitor: Client, path: str) -> None:
    with away():
        answer = visitor.get(path)
    assert answer.status_code == 503
    if path.endswith(".json"):
        assert answer.json() == {"error": "the database is unavailable; try again in a minute"}


def test_somebody_who_is_signed_in_is_answered_too(site: Path, visitor: Client) -> None:
    visitor.cookies["troth-session"] = "x" * 32
    with away():
        assert visitor.get("/console/").status_code == 503
        assert visitor.get("/policy/").status_code == 200


def test_programs_are_told_when_to_ask_again(site: Path, visitor: Client) -> None:
    now = dt.datetime.now(dt.UTC)
    token = tokens.make("shop", scopes(), until=now + dt.timedelta(days=1), now=now)
    with away():
        answer = visitor.get("/api/v1/requests/R-2026-0001", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "60"


def test_the_policy_is_shown_as_it_was_published(site: Path, visitor: Client) -> None:
    before = visitor.get("/policy/").content.decode()
    with away():
        answer = visitor.get("/policy/")
        other = visitor.get("/policy/?version=2026-11-01")
    after = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert (
        after.partition("<article")[2].partition("</article>")[0]
        == before.partition("<article")[2].partition("</article>")[0]
    )
    assert "copy of the policy" in after
    assert "copy of the policy" not in before
    assert "How we keep it</a>" not in after
    assert other.status_code == 503


def test_a_text_that_nobody_published_is_not_shown(site: Path, visitor: Client) -> None:
    copy = site / "home" / "published.json"
    copy.write_text(copy.read_text().replace("We keep our word", "We keep no word"))
    with away():
        assert visitor.get("/policy/").status_code == 503
        copy.write_text("{")
        assert visitor.get("/policy/").status_code == 503
        copy.unlink()
        assert visitor.get("/policy/").status_code == 503


def test_a_form_is_answered_soon_while_the_database_is_locked(site: Path, visitor: Client) -> None:
    only_sqlite()
    with locked(site):
        begun = time.monotonic()
        answer = asked(visitor)
        assert time.monotonic() - begun < SOON_S
        assert visitor.get("/policy/").status_code == 200
    assert answer.status_code == 503
    assert "Nothing of what you sent was recorded." in answer.content.decode()
    assert asked(visitor).status_code in (200, 302)


def test_a_form_is_answered_soon_while_a_table_is_locked(site: Path, visitor: Client, database: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a table of PostgreSQL is locked")
    import psycopg

    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE cases_case, mail_letter, core_entry IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        answer = asked(visitor)
        assert time.monotonic() - begun < SOON_S
    assert answer.status_code == 503


def test_a_form_is_not_recorded_without_room(site: Path, visitor: Client) -> None:
    only_sqlite()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
    connection.close()

    def limit(connection: Any, **_: Any) -> None:
        connection.connection.execute(f"PRAGMA max_page_count = {pages}")

    connection_created.connect(limit)
    try:
        form = {"email": "ann@example.org", "message": "é" * 3_500}
        answer = visitor.post("/your-data/complain/", form)
    finally:
        connection_created.disconnect(limit)
        connection.close()
    assert answer.status_code == 503
    assert "recorded" in answer.content.decode()
    assert not Case.objects.exists()


# --- whether people can be sent here ----------------------------------------------------------------------------------


def ready(visitor: Client) -> tuple[int, list[str]]:
    health._known.clear()
    answer = visitor.get("/health/ready")
    return answer.status_code, answer.json()["causes"]


def test_we_are_ready(site: Path, visitor: Client) -> None:
    assert ready(visitor) == (200, [])


def test_nobody_is_sent_to_us_while_the_database_is_away(site: Path, visitor: Client) -> None:
    with away():
        assert ready(visitor) == (503, ["database"])
        assert visitor.get("/health/live").status_code == 200


def test_nobody_is_sent_to_us_while_nothing_can_be_written(site: Path, visitor: Client) -> None:
    if connection.vendor == "sqlite":
        with locked(site):
            assert ready(visitor) == (503, ["database"])
        return
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)
        patch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
        assert ready(visitor) == (503, ["database"])
    connection.close()


def test_nobody_is_sent_to_us_before_the_database_is_migrated(
    site: Path, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "unapplied_migrations", lambda: 1)
    assert ready(visitor) == (503, ["migrations"])


def test_nobody_is_sent_to_us_without_room_on_the_disk(
    site: Path, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=health.ROOM_BYTES_MIN - 1))
    assert ready(visitor) == (503, ["disk"])


def test_nobody_is_sent_to_us_without_keys_or_a_declaration(
    site: Path, visitor: Client, settings: DjangoSettings
) -> None:
    (site / "home").rename(site / "elsewhere")
    status, causes = ready(visitor)
    assert status == 503
    assert "keys" in causes
    (site / "elsewhere").rename(site / "home")
    environment = {"TROTH_HOME": str(site / "home"), "TROTH_DECLARATION": str(site / "none.yaml")}
    settings.TROTH = Settings.read(environment)
    assert ready(visitor) == (503, ["declaration"])


@pytest.mark.parametrize("missing", ["troth.yaml", "policy.md"])
def test_pages_without_a_declaration_or_policy_say_so(
    site: Path, visitor: Client, settings: DjangoSettings, missing: str
) -> None:
    shutil.copytree(site, other := site / "new", ignore=shutil.ignore_patterns("new", missing))
    environment = {"TROTH_HOME": str(site / "home"), "TROTH_DECLARATION": str(other / "troth.yaml")}
    settings.TROTH = Settings.read(environment)
    for page in ("/policy/", "/policy/versions/", "/policy/status/"):
        answer = visitor.get(page)
        assert answer.status_code == 503
        assert "The privacy policy cannot be shown at the moment." in answer.content.decode()


def test_to_ask_often_writes_once(site: Path, visitor: Client) -> None:
    ready(visitor)
    for _ in range(3):
        visitor.get("/health/ready")
    with connection.execute_wrapper(_no_writes):
        visitor.get("/health/ready")


def _no_writes(execute: Any, sql: str, *more: Any) -> Any:
    assert sql.startswith("SELECT"), sql
    return execute(sql, *more)

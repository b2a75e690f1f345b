"""A Django application of somebody else is asked, behind a real server in a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.hook.django_site import Site, manage, running

from troth.hook import Answer, Ask, Right
from troth.stores import ExternalSystem, StoreUnreachable
from troth.stores.external import http
from troth.testing.external_systems import ANN, SECRET, AskedContract, asking, make_ask


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("desk")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Site:
    running_site.begin_anew()
    return running_site


class DjangoPlace:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.opened: list[ExternalSystem] = []

    def open(self, **changes: Any) -> ExternalSystem:
        self.opened.append(
            http.connect("desk", f"hook+{self.site.url}", asking(**changes), SECRET, sleep=lambda _: None)
        )
        return self.opened[-1]

    def close(self) -> None:
        for asked in self.opened:
            asked.close()

    def holds(self, email: str) -> int:
        ((contacts,),) = self.site.run("SELECT count(*) FROM desk_contact WHERE email = ?", email)
        ((tickets,),) = self.site.run(
            "SELECT count(*) FROM desk_ticket JOIN desk_contact ON contact_id = desk_contact.id WHERE email = ?", email
        )
        ((invoices,),) = self.site.run("SELECT count(*) FROM desk_invoice WHERE email = ?", email)
        return int(contacts + tickets + invoices)

    def name(self, email: str) -> str | None:
        found = self.site.run("SELECT name FROM desk_contact WHERE email = ?", email)
        return str(found[0][0]) if found else None

    def times(self) -> int:
        return len(self.site.run("SELECT 1 FROM desk_done"))

    def break_down(self) -> None:
        (self.site.folder / "broken").touch()


@pytest.fixture
def place(site: Site) -> Iterator[DjangoPlace]:
    place = DjangoPlace(site)
    yield place
    place.close()


class TestDjango(AskedContract):
    """The promise of an application with the hook in it."""

    def test_signals_and_files_follow(self, asked: ExternalSystem, site: Site) -> None:
        assert (site.folder / "media/0.jpg").exists()
        asked.ask(make_ask(Right.ERASE))
        assert not (site.folder / "media/0.jpg").exists()
        assert (site.folder / "media/1.jpg").exists()

    def test_what_fails_half_way_is_undone_and_may_be_asked_again(
        self, asked: ExternalSystem, place: DjangoPlace, site: Site
    ) -> None:
        site.run("CREATE TRIGGER no BEFORE INSERT ON desk_done BEGIN SELECT RAISE(ABORT, 'ann@example.org'); END")
        erase = make_ask(Right.ERASE)
        try:
            with pytest.raises(Exception, match="status 500"):
                asked.ask(erase)
        finally:
            site.run("DROP TRIGGER no")
        assert place.holds(ANN) == 4
        assert asked.ask(erase).counts == {"erased": 3}

    def test_a_refusal_is_of_its_moment(self, asked: ExternalSystem, place: DjangoPlace, site: Site) -> None:
        (site.folder / "held").touch()
        erase = make_ask(Right.ERASE)
        assert [asked.ask(erase), asked.poll(erase.id)] == [Answer.refused("legal_hold")] * 2
        (site.folder / "held").unlink()
        assert asked.ask(erase) == asked.ask(erase)
        assert (place.holds(ANN), place.times()) == (1, 1)

    def test_its_log_holds_nobodys_data(self, asked: ExternalSystem, place: DjangoPlace, site: Site) -> None:
        place.break_down()
        with pytest.raises(Exception, match="status 500"):
            asked.ask(make_ask(Right.ERASE))
        log = site.log.read_text()
        assert "LookupError at" in log
        assert "privacy.py:" in log
        assert "ann" not in log.lower().replace("cannot", "")

    def test_nothing_personal_is_remembered(self, asked: ExternalSystem, site: Site) -> None:
        for right in (Right.VIEW, Right.ERASE):
            asked.ask(make_ask(right))
        remembered = str(site.run("SELECT * FROM troth_hook_asked"))
        assert "erased" in remembered
        assert ANN not in remembered


def _ask_at_once(url: str, ask: Ask, many: int) -> list[Answer]:
    def one(_: int) -> Answer:
        asked = http.connect("desk", url, asking(timeout_s=30), SECRET)
        try:
            return asked.ask(ask)
        finally:
            asked.close()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_the_same_ask_many_times_at_once_is_done_once(tmp_path: Path, postgresql_url: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(postgresql_url)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    database = {"ENGINE": "django.db.backends.postgresql"} | {key: str(parts[at]) for key, at in names.items()}
    with running(tmp_path, database) as site, psycopg.connect(postgresql_url, autocommit=True) as opened:
        opened.execute("INSERT INTO desk_contact VALUES (1, %s, 'Ann', '', false)", [ANN])
        answers = _ask_at_once(site.url, make_ask(Right.ERASE), 8)
        assert [dict(answer.counts) for answer in answers] == [{"erased": 1}] * 8
        assert opened.execute("SELECT count(*) FROM desk_done").fetchone() == (1,)


def test_an_application_that_dies_in_the_middle_has_done_nothing_and_does_it_when_asked_again(tmp_path: Path) -> None:
    erase = make_ask(Right.ERASE)
    with running(tmp_path) as site, ThreadPoolExecutor(1) as pool:
        site.begin_anew()
        (tmp_path / "stops").touch()
        lost = pool.submit(_ask_at_once, site.url, erase, 1)
        for _ in range(3_000):
            if (tmp_path / "stopped").exists():
                break
            threading.Event().wait(0.01)
        site.kill()
        with pytest.raises(StoreUnreachable):
            lost.result()
    (tmp_path / "stops").unlink()
    with running(tmp_path) as site:
        place = DjangoPlace(site)
        assert (place.holds(ANN), place.times()) == (4, 0)
        assert place.open().ask(erase) == place.open().ask(erase)
        assert (place.holds(ANN), place.times()) == (1, 1)
        place.close()


# --- what the application's developer sees ---------------------------------------------------------------------------


def test_the_rights_are_listed_with_their_functions(tmp_path: Path) -> None:
    listed = manage(tmp_path, "troth_hook").stdout.splitlines()
    assert "erase      tests.hook.site.privacy.erase" in listed
    assert "object     -" in listed


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"TROTH_HOOK_SECRET": "short"}, ["troth_hook.E002", "32 characters"]),
        ({"DESK_HOOK": "tests.hook.site.privacy.no_hook"}, ["troth_hook.E001", "no_hook"]),
        ({"DESK_HOOK": "tests.hook.site.privacy.view"}, ["troth_hook.E001", "not name a troth.hook.Hook"]),
    ],
)
def test_wrong_settings_are_told_at_the_start(tmp_path: Path, settings: dict[str, str], told: list[str]) -> None:
    checked = manage(tmp_path, "check", **settings)
    assert checked.returncode == 1
    assert [it for it in told if it not in checked.stderr] == []


def test_the_migration_is_what_the_models_say(tmp_path: Path) -> None:
    made = manage(tmp_path, "makemigrations", "--check", "troth_hook")
    assert made.returncode == 0, made.stdout

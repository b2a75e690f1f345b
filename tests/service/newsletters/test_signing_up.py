"""Nobody gets a newsletter before they have confirmed that they want it; and who stopped comes back by that alone."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

import pytest
from django.test import Client
from tests.rig.jobs import run_due
from tests.service.newsletters.conftest import ANN, BEN, Publisher

from troth.service.core.disposal import dispose
from troth.service.mail.models import LetterRow
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import stop_by_address
from troth.service.newsletters.models import SignUp
from troth.service.portal import links
from troth.service.preferences.models import Choice

NEW = "ann.new@example.org"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The secrets of the links that were mailed."""
    made: list[str] = []
    real = links.make

    def make(*given: Any, **named: Any) -> str:
        made.append(real(*given, **named))
        return made[-1]

    monkeypatch.setattr(links, "make", make)
    return made


def ask(address: str = NEW, **more: str) -> int:
    return (
        Client(enforce_csrf_checks=True).post("/your-data/newsletters/monthly", {"email": address, **more}).status_code
    )


def rows(publisher: Publisher, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(publisher.folder / "shop.sqlite") as shop:
        return shop.execute(query).fetchall()


def press(secret: str) -> int:
    visitor = Client()
    page = visitor.get(f"/your-data/link/{secret}")
    return visitor.post(f"/your-data/link/{secret}").status_code if page.status_code == 200 else page.status_code


def test_who_confirms_is_added_and_gets_the_next_edition(publisher: Publisher, secrets: list[str]) -> None:
    assert ask(name="Ann") == 200
    assert publisher.plan().people == 2, "nobody has confirmed it"
    [letter] = LetterRow.objects.all()
    assert (letter.kind, Choice.objects.count()) == ("newsletter_confirm", 0)
    assert Client().get(f"/your-data/link/{secrets[0]}").status_code == 200
    assert Choice.objects.count() == 0, "a scanner that fetches the link confirms nothing"
    assert press(secrets[0]) == 200
    run_due(None, "newsletters")
    [(name, state, confirmed)] = rows(
        publisher, f"select name, state, confirmed_at from subscriber where email = '{NEW}'"
    )
    assert (name, state, confirmed[:4]) == ("Ann", "active", str(dt.datetime.now(dt.UTC).year))
    assert (SignUp.objects.get().sealed, Choice.objects.get().state) == (None, "given")
    publisher.send()
    assert sorted(publisher.got) == sorted([ANN, BEN, NEW])


def test_pressing_twice_adds_once(publisher: Publisher, secrets: list[str]) -> None:
    ask()
    press(secrets[0])
    press(secrets[0])
    run_due(None, "newsletters")
    SignUp.objects.update(added_at=None)
    run_due(None, "newsletters")
    assert (len(rows(publisher, f"select 1 from subscriber where email = '{NEW}'")), Choice.objects.count()) == (1, 1)


def test_who_stopped_comes_back_by_their_own_act(publisher: Publisher, secrets: list[str]) -> None:
    stop_by_address(ANN, "monthly", StopScope.LIST, publisher.deployment, channel="centre", now=publisher.now())
    assert publisher.plan().people == 1
    ask(ANN.upper())
    press(secrets[0])
    run_due(None, "newsletters")
    assert publisher.plan().people == 2
    assert rows(publisher, "select count(*) from subscriber where lower(email) = 'ann@example.org'") == [(1,)]
    stop_by_address(ANN, "monthly", StopScope.LIST, publisher.deployment, channel="centre", now=publisher.now())
    assert publisher.plan().people == 1, "and the next stop counts again, also by a clock that is behind"


def test_who_has_it_and_who_asks_too_often_get_no_more_links(publisher: Publisher, secrets: list[str]) -> None:
    for _ in range(5):
        assert ask() == 200, "the page says the same either way"
    assert LetterRow.objects.count() == 3
    press(secrets[0])
    ask()
    assert LetterRow.objects.count() == 3


def test_who_is_no_longer_in_the_table_can_sign_up_again(publisher: Publisher, secrets: list[str]) -> None:
    ask()
    press(secrets[0])
    run_due(None, "newsletters")
    ask()
    assert LetterRow.objects.count() == 1, "the address has it"
    with sqlite3.connect(publisher.folder / "shop.sqlite") as shop:
        shop.execute("DELETE FROM subscriber WHERE email = ?", [NEW])
    ask()
    assert LetterRow.objects.count() == 2


def test_a_sign_up_that_nobody_confirmed_is_gone_after_a_week(publisher: Publisher, secrets: list[str]) -> None:
    ask()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=8)
    dispose(later)
    assert not SignUp.objects.exists()
    assert press(secrets[0]) == 410


@pytest.mark.parametrize("data", [{"email": "nobody"}, {"email": ""}])
def test_an_address_that_is_none_is_refused(publisher: Publisher, data: dict[str, str]) -> None:
    assert Client().post("/your-data/newsletters/monthly", data).status_code == 422
    assert not SignUp.objects.exists()


def test_a_newsletter_without_sign_up_has_no_form(publisher: Publisher) -> None:
    assert Client().get("/your-data/newsletters/offers").status_code == 404
    assert Client().get("/your-data/newsletters/monthly").status_code == 200

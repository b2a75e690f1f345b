"""The application's own code is asked: in this process, and behind a WSGI server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.hook.desk import Desk, DeskPlace
from tests.hook.servers import served

from troth.declaration import System
from troth.hook import Hook, Right
from troth.hook.wsgi import application
from troth.stores import ExternalSystem, StoreRefused, open_asked
from troth.stores.external import hook, http
from troth.testing.external_systems import SECRET, AskedContract, asking, make_ask


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class InProcessPlace(DeskPlace):
    def open(self, **changes: Any) -> ExternalSystem:
        return hook.connect("desk", "hook:shop_privacy", asking(**changes))


class TestInProcess(AskedContract):
    @pytest.fixture
    def place(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> InProcessPlace:
        monkeypatch.setitem(sys.modules, "shop_privacy", SimpleNamespace(hook=desk.hook))
        return InProcessPlace(desk)


class WsgiPlace(DeskPlace):
    def __init__(self, desk: Desk, url: str) -> None:
        super().__init__(desk)
        self.url = url
        self.opened: list[ExternalSystem] = []

    def open(self, **changes: Any) -> ExternalSystem:
        self.opened.append(http.connect("desk", self.url, asking(**changes), SECRET, sleep=lambda _: None))
        return self.opened[-1]


class TestWsgi(AskedContract):
    @pytest.fixture
    def place(self, desk: Desk) -> Iterator[WsgiPlace]:
        with served(application(desk.hook, SECRET)) as url:
            place = WsgiPlace(desk, f"{url}/privacy")
            yield place
            for asked in place.opened:
                asked.close()


def test_a_hook_is_opened_from_the_declaration(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    monkeypatch.setitem(sys.modules, "shop_privacy", SimpleNamespace(people=desk.hook))
    opened = open_asked("desk", System(store="hook:shop_privacy:people", asked=asking(secret=None)), {})
    assert opened.ask(make_ask(Right.VIEW)).rows


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hook:no.such.module", "cannot be imported \\(ModuleNotFoundError\\)"),
        ("hook:", "cannot be imported \\(ValueError\\)"),
        ("hook:json", "no troth.hook.Hook named 'hook'"),
        ("hook:json:loads", "no troth.hook.Hook named 'loads'"),
    ],
)
def test_a_module_without_a_hook_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreRefused, match=said):
        hook.connect("desk", url, asking())
    assert isinstance(Hook, type)

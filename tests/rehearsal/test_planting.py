"""A breach that cannot be planted holds up no other, and nothing is broken that the company does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from tests.rehearsal.test_invented import COMPANY, NOW

from troth.declaration import Promise, load
from troth.policy import read
from troth.rehearsal import Inapplicable, RehearsedBreach, World
from troth.rehearsal.site import CachedPages, ScriptedSite
from troth.rehearsal.stores import ScratchStores
from troth.service.assurance.rehearsal import process


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    folder = tmp_path / "company" / "world"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder.parent)
    promise = Promise(quote="We keep our word.", owner="ann@example.org", controls=("declaration.complete",))
    declaration = load(COMPANY).model_copy(update={"promises": (promise,)})
    organisation = declaration.organisation.model_copy(update={"site": None})
    declaration = declaration.model_copy(update={"organisation": organisation})
    pages = ScriptedSite.of(declaration, "", cast("CachedPages", None))
    stores = ScratchStores(folder / "stores", {})
    return World(folder, declaration, read(""), stores, pages, cast("Any", None), NOW)


def test_a_company_without_a_website_has_none_to_break(world: World) -> None:
    with pytest.raises(Inapplicable, match="no website is declared"):
        _ = world.site


def test_each_breach_is_planted_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(world: World, breach: RehearsedBreach, ids: list[str]) -> dict[str, Any]:
        breach.plant(world)
        return {}

    def fail(error: Exception) -> Any:
        def plant(world: World) -> None:
            raise error

        return plant

    monkeypatch.setattr(process, "planted", plant)
    control, lines = "declaration.complete", list[dict[str, Any]]()
    several = [
        RehearsedBreach(control, "It is broken.", fail(KeyError("x"))),
        RehearsedBreach(control, "There is none.", fail(Inapplicable("nobody"))),
        RehearsedBreach(control, "Our own.", fail(Inapplicable("no such table")), is_own=True),
        RehearsedBreach(control, "It works.", lambda world: world.wait(1)),
    ]
    process._work([(it, (), (0,)) for it in several], world, {}, lines.append)
    assert [it for it in lines if it != {"done": 1}] == [
        {"index": 0, "unplanted": _unplanted("It is broken.", lines[0]["unplanted"]["why"], True)},
        {"index": 0, "unplanted": _unplanted("Our own.", "no such table", False)},
        {"index": 0, "planted": lines[-2]["planted"]},
    ]
    assert lines[0]["unplanted"]["why"].startswith("KeyError: 'x' (test_planting.py, line ")
    assert lines[-2]["planted"]["text"] == "It works."
    assert lines.count({"done": 1}) == len(several)


def _unplanted(text: str, why: str, is_error: bool) -> dict[str, Any]:
    return {"text": text, "control": "declaration.complete", "why": why, "is_error": is_error}

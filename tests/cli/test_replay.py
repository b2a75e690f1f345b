"""``troth replay``: a backup brings erased people back, and they are erased once more, in the restored system alone."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.firm import Answer, Firm

BEFORE = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=1)
"""Before anything of these tests is done."""


def copy(firm: Firm, *systems: str) -> Path:
    """Back *systems* up."""
    folder = firm.folder / "backup"
    folder.mkdir(exist_ok=True)
    for system in systems:
        shutil.copy(firm.folder / f"{system}.sqlite", folder)
    return folder


def restore(firm: Firm, *systems: str) -> None:
    for system in systems:
        shutil.copy(firm.folder / "backup" / f"{system}.sqlite", firm.folder)


def erase(firm: Firm, *who: str) -> None:
    shown = firm.troth("erase", *who, "--json")
    assert firm.troth("erase", *who, "--apply", shown.document["plan"]).code == 0


def replay(firm: Firm, *options: str, system: str = "shop", since: dt.datetime = BEFORE) -> Answer:
    return firm.troth("replay", "--system", system, "--restored-from", f"{since:%Y-%m-%dT%H:%M:%SZ}", *options)


@pytest.fixture
def back(firm: Firm) -> Firm:
    """Ann is erased, and the shop and the desk are restored from a backup of before."""
    copy(firm, "shop", "desk")
    erase(firm, "--email", "ann@example.org")
    restore(firm, "shop", "desk")
    return firm


def test_the_plan_counts_and_names_nobody(back: Firm) -> None:
    before = back.everything()
    shown = replay(back)
    assert "shop.customer.email: 1 row" in shown.out
    assert re.search(r"--apply dg1:[0-9a-f]{64}", shown.out)
    assert not re.search("ann|Ann|07700", shown.out + shown.err)
    assert back.everything() == before


def test_whoever_was_erased_since_is_erased_again_and_it_is_on_record(back: Firm) -> None:
    hash_ = replay(back, "--json").document["plan"]["plan"]
    done = replay(back, "--apply", hash_, "--json")
    assert [row[1] for row in back.rows("customer")] == ["ben@example.org", "chloe@example.org"]
    [outcome] = done.document["outcomes"]
    assert (outcome["found"], outcome["erased"], outcome["left"]) == ({"shop": 1}, {"shop": 1}, {"shop": 0})
    [entry] = back.entries("erasure.replayed")
    assert (entry["system"], entry["found"], entry["erased"], entry["left"]) == ("shop", 1, 1, 0)
    assert entry["restored_from"] == f"{BEFORE:%Y-%m-%d}"

"""The example company, laid into a folder once, and its website without a network."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "voice-company"
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

sys.path.insert(0, str(FOLDER))
company: Any = import_module("example_voice")


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def now() -> dt.datetime:
    return NOW


@pytest.fixture(scope="session")
def example_voice() -> Any:
    """The company's Python package; the folder has a hyphen, so it is found by path."""
    return company


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Where sixty people and their traces are. Tests of this one only read."""
    places = company.Places.in_folder(tmp_path_factory.mktemp("company"))
    company.lay_down(places, people=60, seed=1, now=NOW)
    return places


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small company, to be copied: laying it down takes longer than most tests."""
    folder = tmp_path_factory.mktemp("small")
    company.lay_down(company.Places.in_folder(folder), people=12, seed=2, now=NOW)
    return folder


@pytest.fixture
def places(small: Path, tmp_path: Path) -> Any:
    """A small company of one's own, to write to."""
    shutil.copytree(small, tmp_path, dirs_exist_ok=True)
    return company.Places.in_folder(tmp_path)


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def browser(places: Any, mail: Path) -> Iterator[httpx.Client]:
    """A visitor of the website: keeps cookies, follows redirects, runs no scripts."""
    settings = company.Settings(places.databases, mail, "http://voice.example.org")
    transport = httpx.WSGITransport(company.website(settings, clock=lambda: NOW))
    with httpx.Client(transport=transport, base_url="http://voice.example.org", follow_redirects=True) as client:
        yield client

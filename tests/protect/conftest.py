"""A keyring whose root key is known, so that formats can be pinned, and one from a fresh home."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.protect import Keyring, Masker, create_home

ROOT = bytes(range(32))


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(ROOT)


@pytest.fixture
def masker(keyring: Keyring) -> Masker:
    return Masker(keyring)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "home")
    return tmp_path / "home"

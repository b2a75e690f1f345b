"""What root keys are wrapped by in tests: a package that is missing is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.rig.keyservices import SoftHsm, soft_hsm

from troth.testing.servers import ServerUnavailable


def test_a_missing_token_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerUnavailable, match="apt-get install softhsm2"):
        soft_hsm(tmp_path)


def test_a_token_that_fails_says_why(softhsm: SoftHsm) -> None:
    with pytest.raises(ServerUnavailable, match="no such thing"):
        softhsm.run("raise SystemExit('no such thing')")

"""What stands behind a front door is imported when its name is first asked for."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import troth.detect
import troth.policy
import troth.stores


@pytest.mark.parametrize("door", [troth.detect, troth.policy, troth.stores])
def test_every_name_on_the_door_is_there(door: ModuleType) -> None:
    names = door.__all__
    assert [name for name in names if getattr(door, name, None) is None] == []


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"module 'troth\.detect' has no attribute 'nothing'"):
        _ = troth.detect.nothing


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    asked = (
        "import sys, troth.detect; print('troth.detect.detector' in sys.modules);"
        "troth.detect.Detector; print('troth.detect.detector' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]

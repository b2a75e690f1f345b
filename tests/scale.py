"""How large a run is: a sample in `make test`, and all of it in `make soak`.

A test that calls `scaled` is marked ``pytest.mark.scaled``, so that `make soak` runs it too. Tests that Hypothesis
generates are marked by the collection.
"""

from __future__ import annotations

import os
from typing import Final

FULL: Final = os.environ.get("TROTH_TESTS") == "full"


def scaled(few: int, full: int) -> int:
    """*few* in `make test`, *full* in `make soak`."""
    return full if FULL else few

"""Loads the languages and shapes of values from the single file that ships.

``tools/recognisers.py`` generates it from ``languages`` and ``values.toml``, which would take a third of a cold start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def shipped() -> Mapping[str, Any]:
    """Patterns for promising texts (``hints``) and ``languages``, both by name, and ``values``."""
    text: Mapping[str, Any] = json.loads(Path(__file__).with_name("spoken.json").read_text("utf-8"))
    return text

"""Write the files that ship from those that people edit: ``python tools/recognisers.py``.

They are ``patterns/recognisers.json`` and ``speech/spoken.json`` in src/troth/detect.
"""

from __future__ import annotations

from pathlib import Path

from troth.detect.patterns import loader
from troth.detect.speech import patterns

DETECT = Path(__file__).parents[1] / "src" / "troth" / "detect"
WRITTEN, SPOKEN = DETECT / "patterns", DETECT / "speech"


def current() -> str:
    """The written recognisers' file as it should be."""
    return loader.one_file(WRITTEN / "recognisers")


def current_spoken() -> str:
    """The file of what is said as it should be."""
    return patterns.one_file(SPOKEN)


if __name__ == "__main__":
    (WRITTEN / "recognisers.json").write_text(current(), encoding="utf-8")
    (SPOKEN / "spoken.json").write_text(current_spoken(), encoding="utf-8")

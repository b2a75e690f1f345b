"""Write src/troth/detect/written/recognisers.json from the recognisers' files: ``python tools/recognisers.py``."""

from __future__ import annotations

from pathlib import Path

from troth.detect.written.reading import one_file

WRITTEN = Path(__file__).parents[1] / "src" / "troth" / "detect" / "written"


def current() -> str:
    """The file as it should be."""
    return one_file(WRITTEN / "recognisers")


if __name__ == "__main__":
    (WRITTEN / "recognisers.json").write_text(current(), encoding="utf-8")

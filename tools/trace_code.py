"""How much of Troth's code one story runs through: the files and functions that are executed.

    python tools/trace_code.py

A deletion runs from the form to its answer, and the status page from its publication to what a visitor sees. Each story
is a test, of which the fixtures are not counted.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

import pytest

SOURCE: Final = str(Path(__file__).resolve().parent.parent / "src" / "troth")
STORIES: Final = {
    "a deletion": "requests/test_fulfilment.py::test_an_erasure_keeps_what_the_law_keeps_and_says_so",
    "the status page": "test_pages.py::test_the_public_sees_statuses_without_findings_owners_or_exact_figures",
}


class Trace:
    """A pytest plugin that collects the code objects of Troth that the test itself executes, in any thread."""

    def __init__(self) -> None:
        self.executed: set[CodeType] = set()

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
            self.executed.add(frame.f_code)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Trace the call of the test, without its fixtures."""
        threading.setprofile(self._called)
        sys.setprofile(self._called)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def main() -> int:
    """Run each story and print its figures."""
    for name, test in STORIES.items():
        trace = Trace()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            ended = pytest.main(["-q", "-p", "no:cacheprovider", f"tests/service/{test}[sqlite]"], plugins=[trace])
        if ended != pytest.ExitCode.OK:
            print(printed.getvalue())
            return 1
        files = {code.co_filename for code in trace.executed}
        print(f"{name}: {len(files):,} files, {len(trace.executed):,} functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())

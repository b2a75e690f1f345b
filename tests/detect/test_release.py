"""What detection holds in memory can be released, and is loaded again when it is needed."""

from __future__ import annotations

from troth.detect.release import release
from troth.detect.schema import values


def test_what_is_released_is_loaded_again() -> None:
    before = values.seen(["ann@example.org"])
    assert values._detector.cache_info().currsize == 1
    release()
    assert values._detector.cache_info().currsize == 0
    assert values.seen(["ann@example.org"]) == before

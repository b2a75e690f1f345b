"""What several tests of this package start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from troth.declaration import Declaration, DeclarationErrors, Problem, parse

HEAD = """\
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
"""
"""The three lines that every declaration needs, so that a test's own text starts at line 4."""


@pytest.fixture
def declared() -> Callable[[str], Declaration]:
    """From the text below the three first lines to the declaration."""
    return lambda text: parse(HEAD + text)


@pytest.fixture
def mistakes() -> Callable[[str], Sequence[Problem]]:
    """From the text below the three first lines to the mistakes for which it is refused."""

    def refused(text: str) -> Sequence[Problem]:
        with pytest.raises(DeclarationErrors) as caught:
            parse(HEAD + text)
        return caught.value.problems

    return refused

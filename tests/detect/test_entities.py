"""Every kind of personal data has a title, a group and a category that the declaration knows."""

from __future__ import annotations

from troth.declaration.taxonomy import is_category
from troth.detect.entities import entities
from troth.detect.patterns.loader import shipped


def test_every_category_is_one_of_the_declaration() -> None:
    assert [name for name, it in entities().items() if not is_category(it.category)] == []


def test_every_type_that_is_recognised_is_listed() -> None:
    assert {it.type for it in shipped()} <= entities().keys()

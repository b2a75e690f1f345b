"""Names in a text: people, places and organisations, found by a model of our own (docs/reference/names-model.md)."""

from troth.detect.ner.finder import Names

__all__ = ["Names"]

"""Names in a text: people, places and organisations, found by a model of our own (docs/reference/names-model.md)."""

from troth.detect.names.finder import Names

__all__ = ["Names"]

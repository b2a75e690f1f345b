"""Finds names of people, places and organisations in text with our own model (docs/reference/names-model.md)."""

from troth.detect.ner.finder import Names

__all__ = ["Names"]

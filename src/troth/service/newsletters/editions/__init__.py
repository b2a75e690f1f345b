"""Editions of newsletters: their text, their audience, and the messages that go out."""

"""Finds postal addresses in text, with a small grammar of the formats of many countries."""

from troth.detect.addresses.finder import AddressFinder

__all__ = ["AddressFinder"]

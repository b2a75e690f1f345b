"""Postal addresses in text: a small grammar of the ways in which people of many countries write where they live."""

from troth.detect.addresses.finder import AddressFinder

__all__ = ["AddressFinder"]

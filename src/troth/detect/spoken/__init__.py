"""Values said in words: card numbers digit by digit, spelled names, e-mail addresses with an at and a dot."""

from troth.detect.spoken.finder import Speech

__all__ = ["Speech"]

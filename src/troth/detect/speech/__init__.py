"""Values said in words: card numbers digit by digit, spelled names, e-mail addresses with an at and a dot."""

from troth.detect.speech.finder import Speech

__all__ = ["Speech"]

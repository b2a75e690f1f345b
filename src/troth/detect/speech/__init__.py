"""Finds spoken values in transcripts: card numbers digit by digit, spelled names, e-mail addresses with "at" and
"dot"."""

from troth.detect.speech.finder import Speech

__all__ = ["Speech"]

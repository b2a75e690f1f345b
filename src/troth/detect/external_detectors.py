"""Second opinions: other people's detectors behind our interface. `Detector(others=[presidio(engine)])` asks them, too.

Each is handed over ready: which models it loads, from where, and under which licence is decided by whoever makes it.
So nothing of them is imported here, and nothing is fetched. They are slow beside ours, and may use a network of their
own (Presidio asks for the list of public suffixes at the first e-mail address, unless tldextract has it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from troth.detect.finding import Finding, Unscanned
from troth.detect.pieces import own, pieces
from troth.detect.text import FoldedText

_SPACY: Final[Mapping[str, str]] = {
    "PERSON": "PERSON",
    "PER": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
    "ORG": "ORGANIZATION",
    "DATE": "DATE_TIME",
}
"""Labels of spaCy's models, English and others; what is not here is no personal data."""
_GLINER: Final[Mapping[str, str]] = {
    "person": "PERSON",
    "location": "LOCATION",
    "address": "ADDRESS",
    "organization": "ORGANIZATION",
    "email address": "EMAIL_ADDRESS",
    "phone number": "PHONE_NUMBER",
    "date of birth": "DATE_OF_BIRTH",
}


class _Analyzer(Protocol):
    def analyze(self, text: str, language: str) -> Sequence[Any]: ...


class _Pipeline(Protocol):
    def __call__(self, text: str) -> Any: ...


class _Model(Protocol):
    def predict_entities(self, text: str, labels: list[str], threshold: float) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Opinion:
    """A finder that asks somebody else. What they could not read is unscanned, whatever their error."""

    name: str
    ask: Callable[[str], Iterable[Finding]]
    size: int
    """As many characters are asked about at once; longer texts in pieces that share `shared`."""
    shared: int

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """What they say. Raises `Unscanned` where they fail; their error's own text may quote what they read."""
        told = 0
        for piece in pieces([text.written], size=self.size, shared=self.shared):
            text.check_clock()
            try:
                found = list(self.ask(piece.text))
            except Exception as error:  # noqa: BLE001 - theirs can be any, and all mean the same
                raise Unscanned(f"{self.name} could not read the text ({type(error).__name__})") from None
            yielded = list(own(piece, found, told))
            yield from yielded
            told = max(piece.until, *(it.end for it in yielded), 0)


def presidio(engine: _Analyzer, *, language: str = "en") -> Opinion:
    """What a ``presidio_analyzer.AnalyzerEngine`` says, with its types and scores. Tried with 2.2.366."""

    def ask(text: str) -> Iterator[Finding]:
        for it in engine.analyze(text=text, language=language):
            by = (it.recognition_metadata or {}).get("recognizer_name", "")
            yield Finding(it.start, it.end, it.entity_type, it.score, f"presidio/{by}".rstrip("/"))

    return Opinion("presidio", ask, size=100_000, shared=2_000)


def spacy(pipeline: _Pipeline, *, score: float = 0.75, types: Mapping[str, str] = _SPACY) -> Opinion:
    """The names that a spaCy pipeline finds. It gives no scores: each has *score*. *types* are ours by its labels."""

    def ask(text: str) -> Iterator[Finding]:
        for it in pipeline(text).ents:
            if it.label_ in types:
                yield Finding(it.start_char, it.end_char, types[it.label_], score, "spacy")

    return Opinion("spacy", ask, size=100_000, shared=2_000)


def gliner(model: _Model, *, types: Mapping[str, str] = _GLINER, threshold: float = 0.5) -> Opinion:
    """What a GLiNER model finds of *types*, ours by the words it is asked with. A piece is short: what goes beyond the
    model's window, it would pass over without a word."""

    def ask(text: str) -> Iterator[Finding]:
        for it in model.predict_entities(text, list(types), threshold=threshold):
            yield Finding(it["start"], it["end"], types[it["label"]], float(it["score"]), "gliner")

    return Opinion("gliner", ask, size=1_000, shared=300)

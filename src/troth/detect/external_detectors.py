"""Second opinions: other detectors behind our interface. `Detector(others=[presidio(engine)])` uses them as well.

Each is passed in ready to use: the caller decides which models it loads, from where, and under which licence. So none
of them is imported here, and nothing is downloaded. They are slow compared with ours, and may use the network
themselves (Presidio fetches the public suffix list at the first e-mail address, unless tldextract has it).
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
"""Labels of spaCy's models, English and others; labels that are missing here are not personal data."""
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
    """A finder that calls an external detector. Text that it could not read is unscanned, whatever the error."""

    name: str
    ask: Callable[[str], Iterable[Finding]]
    size: int
    """Maximum characters per call; longer texts are split into pieces that overlap by `shared`."""
    shared: int

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """The detector's findings. Raises `Unscanned` if it fails; the text of its error is dropped, because it may
        quote input."""
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
    """The findings of a ``presidio_analyzer.AnalyzerEngine``, with its types and scores. Tested with 2.2.366."""

    def ask(text: str) -> Iterator[Finding]:
        for it in engine.analyze(text=text, language=language):
            by = (it.recognition_metadata or {}).get("recognizer_name", "")
            yield Finding(it.start, it.end, it.entity_type, it.score, f"presidio/{by}".rstrip("/"))

    return Opinion("presidio", ask, size=100_000, shared=2_000)


def spacy(pipeline: _Pipeline, *, score: float = 0.75, types: Mapping[str, str] = _SPACY) -> Opinion:
    """The names that a spaCy pipeline finds. It has no scores, so each gets *score*. *types* maps its labels to our
    types."""

    def ask(text: str) -> Iterator[Finding]:
        for it in pipeline(text).ents:
            if it.label_ in types:
                yield Finding(it.start_char, it.end_char, types[it.label_], score, "spacy")

    return Opinion("spacy", ask, size=100_000, shared=2_000)


def gliner(model: _Model, *, types: Mapping[str, str] = _GLINER, threshold: float = 0.5) -> Opinion:
    """What a GLiNER model finds of *types*, which maps its labels to our types. Pieces are short, because the model
    silently ignores text beyond its window."""

    def ask(text: str) -> Iterator[Finding]:
        for it in model.predict_entities(text, list(types), threshold=threshold):
            yield Finding(it["start"], it["end"], types[it["label"]], float(it["score"]), "gliner")

    return Opinion("gliner", ask, size=1_000, shared=300)

"""Second opinions: other detectors behind our interface, right at any length of text, and closed where they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from troth.detect import Detector, Unscanned
from troth.detect.external_detectors import Opinion, gliner, presidio, spacy
from troth.detect.text import FoldedText


@dataclass
class _Names:
    """Knows one name, and reads no more at once than *most* characters. Speaks as any of the three."""

    name: str = "Ann"
    most: int = 10**6

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        if len(text) > self.most:
            raise ValueError(f"too long: {text}")
        at = text.find(self.name)
        while at >= 0:
            yield at, at + len(self.name)
            at = text.find(self.name, at + 1)

    def analyze(self, text: str, language: str) -> Sequence[Any]:
        assert language == "en"
        by = {"recognizer_name": "NameRecognizer"}
        return [
            SimpleNamespace(start=a, end=b, entity_type="PERSON", score=0.85, recognition_metadata=by)
            for a, b in self._places(text)
        ]

    def __call__(self, text: str) -> Any:
        ents = [SimpleNamespace(start_char=a, end_char=b, label_="PERSON") for a, b in self._places(text)]
        return SimpleNamespace(ents=[*ents, SimpleNamespace(start_char=0, end_char=1, label_="CARDINAL")])

    def predict_entities(self, text: str, labels: list[str], threshold: float) -> Sequence[Mapping[str, Any]]:
        assert "person" in labels
        return [{"start": a, "end": b, "label": "person", "score": 0.6} for a, b in self._places(text)]


OPINIONS = {"presidio": presidio(_Names()), "spacy": spacy(_Names()), "gliner": gliner(_Names(most=1_300))}


@pytest.mark.parametrize("opinion", OPINIONS.values(), ids=OPINIONS)
def test_an_opinion_is_asked_beside_our_own(opinion: Opinion) -> None:
    detector = Detector(names=False, others=[opinion])
    found = detector.find("Zoë met Ann: ann@example.org")
    assert [(it.start, it.end, it.type) for it in found] == [(8, 11, "PERSON"), (13, 28, "EMAIL_ADDRESS")]
    assert found[0].recogniser.startswith(opinion.name)


@pytest.mark.parametrize("opinion", OPINIONS.values(), ids=OPINIONS)
def test_a_long_text_is_asked_about_in_pieces(opinion: Opinion) -> None:
    text = "é Ann, " * 40_000
    found = list(opinion.find(FoldedText(text)))
    assert [(it.start, it.end) for it in found] == [(at + 2, at + 5) for at in range(0, len(text), 7)]


@pytest.mark.parametrize("make", [presidio, spacy, gliner])
def test_what_they_cannot_read_is_unscanned_and_not_quoted(make: Any) -> None:
    with pytest.raises(Unscanned, match=r"could not read the text \(ValueError\)") as caught:
        Detector(names=False, others=[make(_Names(most=3))]).find("Ann called")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "Ann" not in str(caught.value)


def test_one_text_that_they_cannot_read_leaves_the_others() -> None:
    detector = Detector(names=False, others=[spacy(_Names(most=12))])
    first, second, third = detector.find_many(["Ann called", "Ann called and called", "none"])
    assert isinstance(second, Unscanned)
    assert not isinstance(first, Unscanned)
    assert [it.type for it in first] == ["PERSON"]
    assert third == []


def test_the_real_presidio_is_understood() -> None:
    analyzer = pytest.importorskip("presidio_analyzer", reason="Presidio is not installed")
    engine = analyzer.AnalyzerEngine(nlp_engine=_no_model(), supported_languages=["en"])
    text = "Zoë: card 4111 1111 1111 1111, IBAN GB33 BUKB 2020 1555 5555 55"
    found = {it.type: text[it.start : it.end] for it in presidio(engine).find(FoldedText(text)) if it.score > 0.9}
    assert found == {"CREDIT_CARD": "4111 1111 1111 1111", "IBAN_CODE": "GB33 BUKB 2020 1555 5555 55"}


def _no_model() -> Any:
    """Presidio's own stand-in for a language model: its patterns only."""
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    return NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])

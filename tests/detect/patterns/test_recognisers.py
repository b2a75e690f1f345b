"""Every recogniser does what the examples in its file say, and ships as it stands in its file."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from tests.tables import each_row
from tools.recognisers import WRITTEN, current

from troth.detect import Detector
from troth.detect.overlaps import resolved
from troth.detect.patterns.loader import read
from troth.detect.patterns.matching import Matcher
from troth.detect.patterns.recogniser import Recogniser
from troth.detect.text import FoldedText

RECOGNISERS = list(read(resources.files("troth.detect.patterns") / "recognisers"))
EXAMPLES = [
    pytest.param(it, text, id=f"{it.name}-{verdict}-{number}")
    for it in RECOGNISERS
    for verdict, texts in it.examples.items()
    for number, text in enumerate(texts)
]

OF_ANOTHER_TYPE = {
    "cédula de ciudadanía ⟦1.020.304.050⟧": "NATIONAL_ID",
    "cédula No. ⟦79.123.456⟧": "NATIONAL_ID",
    "mi dni es ⟦12345678⟧": "AR_DNI",
    "P.IVA: ⟦IT00743110157⟧": "VAT_NUMBER",
    "My Number: ⟦1234-5678-9019⟧": "PHONE_NUMBER",
    "DNI ⟦12345678⟧": "AR_DNI",
    "DNI N° ⟦12345678-K⟧": "ES_NIF",
    "bilhete de identidade ⟦12345678⟧": "NATIONAL_ID",
    "NIF: ⟦123456780⟧": "TAX_NUMBER",
    "US passport number ⟦123456789⟧": "UK_PASSPORT",
    "sort code 20-00-00, account: ⟦1234 5678⟧": "REFERENCE_NUMBER",
    "national ID ⟦29001011234567⟧": "EG_NATIONAL_ID",
    "Ausweisnummer ⟦L01X00T47⟧": "DE_ID_CARD",
    "pin code ⟦123456⟧": "POSTAL_CODE",
    "TIN: ⟦123-456-789-000⟧": "PH_TIN",
    "tax ID ⟦GHA-123456789-0⟧": "GH_CARD",
    "number plate ⟦MH 12 AB 1234⟧": "IN_VEHICLE_REGISTRATION",
    "⟦8001015009087⟧": "RO_CNP",
}
"""Examples of which another recogniser, which claims the value as well, takes it when all are asked: as which type."""
DETECTOR = Detector(names=False)


def marked(recogniser: Recogniser, text: str) -> str:
    """The text with what the recogniser finds by default between the marks."""
    found = (it for it in Matcher([recogniser]).find(FoldedText(text)) if it.score >= 0.5)
    for it in reversed(resolved(found, text)):
        assert it.type == recogniser.type
        text = f"{text[: it.start]}⟦{text[it.start : it.end]}⟧{text[it.end :]}"
    return text


@each_row(("recogniser", "text"), EXAMPLES)
def test_finds_what_its_examples_mark(recogniser: Recogniser, text: str) -> None:
    assert marked(recogniser, re.sub("[⟦⟧]", "", text)) == text


@each_row(("recogniser", "text"), [it for it in EXAMPLES if "-yes-" in str(it.id)])
def test_what_its_examples_mark_keeps_its_type_when_all_are_asked(recogniser: Recogniser, text: str) -> None:
    found = DETECTOR.find(re.sub("[⟦⟧]", "", text))
    kind = OF_ANOTHER_TYPE.get(text, recogniser.type)
    for nth, value in enumerate(re.finditer("⟦([^⟧]+)⟧", text)):
        start, end = value.start() - 2 * nth, value.end() - 2 * nth - 2
        assert [it.type for it in found if it.start <= start and end <= it.end] == [kind]


def test_what_ships_is_what_the_files_say() -> None:
    assert (WRITTEN / "recognisers.json").read_text("utf-8") == current(), "run tools/recognisers.py"

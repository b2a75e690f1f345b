"""Marked text: what personal data is in it was marked by somebody who read it.

``call [[PHONE_NUMBER|020 7946 0123]] now``, documents divided by lines of ``=====``. A mark is a type, a group of types
(``pci``), or one of the shorter names below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from troth.detect.entities import entities

_MARK: Final = re.compile(r"\[\[([A-Za-z_]+)\|([^\[\]]*)\]\]")
_ALSO: Final[dict[str, set[str]]] = {
    "ACCOUNT": {"BANK_ACCOUNT", "US_BANK_NUMBER"},
    "DATE": {"DATE_TIME", "CARD_EXPIRY"},
    "EMAIL": {"EMAIL_ADDRESS"},
    "EXPIRY": {"CARD_EXPIRY"},
    "IBAN": {"IBAN_CODE"},
    "ID": {"identity", "pci", "gov_id", "health", "network"},
    "IP": {"IP_ADDRESS"},
    "LOCATION": {"place"},
    "NATIONAL_ID": {"gov_id", "health"},
    "NHS_NUMBER": {"UK_NHS"},
    "NINO": {"UK_NINO"},
    "ORG": {"ORGANIZATION"},
    "PASSPORT": {"gov_id"},
    "PASSWORD": {"secret"},
    "PHONE": {"PHONE_NUMBER"},
    "POSTCODE": {"place"},
    "REFERENCE": {"REFERENCE_NUMBER"},
    "SPELLED_NAME": {"PERSON"},
    "VEHICLE_REG": {"VEHICLE_REGISTRATION", "UK_VEHICLE_REGISTRATION"},
}
"""What shorter names of marks stand for."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its marks, and the marks: where each is, and the type or group it names."""

    text: str
    marks: tuple[tuple[int, int, str], ...]


def marked(raw: str) -> Marked:
    """Reads one document."""
    text, marks, past = "", [], 0
    for it in _MARK.finditer(raw):
        text += raw[past : it.start()]
        marks.append((len(text), len(text) + len(it[2]), it[1]))
        text += it[2]
        past = it.end()
    return Marked(text + raw[past:], tuple(marks))


def documents(files: Iterable[Path]) -> Iterator[Marked]:
    """Reads whole files."""
    for file in files:
        yield from map(marked, re.split(r"^=====$", file.read_text("utf-8"), flags=re.MULTILINE))


def is_called(type_: str, name: str) -> bool:
    """Whether a mark of that name may stand for the type."""
    return not {name, *_ALSO.get(name, ())}.isdisjoint({type_, entities()[type_].group})

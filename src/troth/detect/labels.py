"""Labels for the people and values in a set of documents: the same label for the same person or value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from troth.detect.coreference import People, Telephones, same
from troth.detect.finding import Finding
from troth.detect.replacement import Replaced, replace
from troth.protect import Sealed

_LABEL: Final = re.compile(r"\[[^\W\d]\w{0,60}_\d{1,9}\]")


class Labels:
    """``[PERSON_1]``, ``[EMAIL_ADDRESS_1]``: numbered in order of appearance and kept for one set of documents.

    A value has the same label in every text, ignoring case and spacing; so has a telephone number with and without
    country code, and a person by every form of their name, as long as it is unambiguous. Two people with the same name
    are not distinguished. The values are stored but never shown, and instances cannot be pickled; use one per thread.
    """

    def __init__(self) -> None:
        self._people = People()
        self._telephones = Telephones()
        self._labels: dict[tuple[str, str | int], str] = {}
        self._numbers: Counter[str] = Counter()
        self._values: dict[str, Sealed[str]] = {}

    def replace(self, text: str, findings: Iterable[Finding]) -> Replaced:
        """*text* with labels in place of the findings.

        Text that already looks like a label must not be confused with one: it gets a label of its own, ``[LABEL_1]``,
        and is restored unchanged. Raises ``ValueError`` for a finding outside the text.
        """
        typed = (Finding(*it.span(), "LABEL", 0.0, "labels") for it in _LABEL.finditer(text))
        return replace(text, [*findings, *typed], self.label)

    def restore(self, text: str) -> str:
        """Restores the values in a text written elsewhere with these labels, such as an answer to a replaced text: each
        value in the form of its first occurrence. Unknown labels are unchanged."""
        return _LABEL.sub(lambda found: self._value(found[0]), text)

    def label(self, entity: str, value: str) -> str:
        """The label of a value; usable as a `Way` for `troth.detect.replace`."""
        key = (entity, self._known_as(entity, value))
        if key not in self._labels:
            self._labels[key] = self._next(entity, value)
        return self._labels[key]

    def _known_as(self, entity: str, value: str) -> str | int:
        if entity == "PERSON":
            return self._people.number(value)
        form = same(entity, value)
        return self._telephones.known_as(form) if entity == "PHONE_NUMBER" else form

    def _next(self, entity: str, value: str) -> str:
        self._numbers[entity] += 1
        label = f"[{entity}_{self._numbers[entity]}]"
        self._values[label] = Sealed(value)
        return label

    def _value(self, label: str) -> str:
        sealed = self._values.get(label)
        return label if sealed is None else sealed.reveal()

    def __repr__(self) -> str:
        return f"Labels({len(self._values)})"

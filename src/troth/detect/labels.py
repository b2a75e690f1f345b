"""Labels for the people and values of a document set: the same one wherever the same is named."""

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
    """``[PERSON_1]``, ``[EMAIL_ADDRESS_1]``: numbered as they appear, and remembered for one document set.

    A value has the same label in every text, in upper or lower case and however it is spaced; a telephone number with
    the code of its country and without, and a person by every form of their name, as long as nothing and nobody else
    could be meant. Two people of one name are not told apart. It holds what it was told, shows none of it, and cannot
    be pickled; it is made for one thread at a time.
    """

    def __init__(self) -> None:
        self._people = People()
        self._telephones = Telephones()
        self._labels: dict[tuple[str, str | int], str] = {}
        self._numbers: Counter[str] = Counter()
        self._values: dict[str, Sealed[str]] = {}

    def replace(self, text: str, findings: Iterable[Finding]) -> Replaced:
        """*text* with labels where the findings are.

        What looks like a label in it already was written by nobody who may name a person so: it gets a label of its
        own, ``[LABEL_1]``, and comes back as it stood. Raises ``ValueError`` for a finding that is not in the text.
        """
        typed = (Finding(*it.span(), "LABEL", 0.0, "labels") for it in _LABEL.finditer(text))
        return replace(text, [*findings, *typed], self.label)

    def restore(self, text: str) -> str:
        """A text that somebody else wrote with these labels, such as an answer to a replaced text, with the values in
        place of the labels: each as it was written where it first stood. What is no label of this set stays."""
        return _LABEL.sub(lambda found: self._value(found[0]), text)

    def label(self, entity: str, value: str) -> str:
        """The label of one value, as a way for `troth.detect.replace`."""
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

"""Labels for the people and values of a document set: the same one wherever the same is named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from troth.detect.alike import People, same
from troth.detect.finding import Finding
from troth.detect.replacing import Replaced, replace
from troth.protect import Sealed

__all__ = ["Labels"]

_LABEL: Final = re.compile(r"\[[A-Z][A-Z_]{0,40}_\d{1,9}\]")


class Labels:
    """``[PERSON_1]``, ``[EMAIL_ADDRESS_1]``: numbered as they appear, and remembered for one document set.

    A value has the same label in every text, in upper or lower case and however it is spaced; a person has it by every
    form of their name, as long as nobody else could be meant. Two people of one name are not told apart. It holds what
    it was told, shows none of it, and cannot be pickled; it is made for one thread at a time.
    """

    def __init__(self) -> None:
        self._people = People()
        self._labels: dict[tuple[str, str | int], str] = {}
        self._numbers: Counter[str] = Counter()
        self._values: dict[str, Sealed[str]] = {}
        self._taken: set[str] = set()

    def replace(self, text: str, findings: Iterable[Finding]) -> Replaced:
        """*text* with labels where the findings are. Labels that stand in it already are not given to anybody.

        Raises ``ValueError`` for a finding that is not in the text.
        """
        self._taken.update(_LABEL.findall(text))
        return replace(text, findings, self.label)

    def restore(self, text: str) -> str:
        """A text that somebody else wrote with these labels, such as an answer to a replaced text, with the values in
        place of the labels: each as it was written where it first stood. What is no label of this set stays."""
        return _LABEL.sub(lambda found: self._value(found[0]), text)

    def label(self, entity: str, value: str) -> str:
        """The label of one value, as a way for `troth.detect.replace`."""
        key: tuple[str, str | int] = (entity, same(entity, value))
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = self._of_person(value) if entity == "PERSON" else self._next(entity, value)
        return label

    def _of_person(self, name: str) -> str:
        key = ("PERSON", self._people.number(name))
        if key not in self._labels:
            self._labels[key] = self._next("PERSON", name)
        return self._labels[key]

    def _next(self, entity: str, value: str) -> str:
        while True:
            self._numbers[entity] += 1
            label = f"[{entity}_{self._numbers[entity]}]"
            if label not in self._taken:
                self._values[label] = Sealed(value)
                return label

    def _value(self, label: str) -> str:
        sealed = self._values.get(label)
        return label if sealed is None else sealed.reveal()

    def __repr__(self) -> str:
        return f"Labels({len(self._values)})"

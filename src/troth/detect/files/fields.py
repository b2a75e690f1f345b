"""Searches values in fields, each together with its field names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from troth.detect.detector import Detector
from troth.detect.explanation import explain
from troth.detect.files.cells import Cell, UnnamedColumn
from troth.detect.files.results import FileFinding, Remark
from troth.detect.finding import Finding, Unscanned

_AT_ONCE: Final = 2_000
_SIZE_MAX: Final = 1 << 22
"""Maximum number of cells, and of characters in them, per search."""
_NAMES_KNOWN_MAX: Final = 10_000
_NAME_MAX: Final = 80
_HARMLESS_MIN: Final = 0.6
_NAMES_READ: Final = 2
"""How many names of a path are put before the value: ``card.number`` is more specific than ``number``."""


class FieldSearch:
    """Searches the cells of a file. Field names are searched too, until they are known to be harmless."""

    def __init__(self, detector: Detector, *, explained: bool = False) -> None:
        self._detector = detector
        self._explained = explained
        self._harmless: set[str] = set()

    def are_names(self, texts: Iterable[str]) -> bool:
        """True if *texts* can be column names: few look like personal data, although a column may be called Paris."""
        names = [it for it in texts if it]
        results = zip(names, self._detector.find_many(names), strict=True)
        harmless = [it for it, found in results if not isinstance(found, Unscanned) and not _in_name(it, found)]
        self._harmless.update(harmless)
        return len(harmless) >= len(names) * _HARMLESS_MIN

    def found(self, cells: Iterable[Cell | Remark]) -> Iterator[FileFinding | Remark]:
        """The findings in the cells, in order. An exception from the iterator is raised after all earlier findings."""
        waiting = iter(cells)
        ended: Exception | None = None
        while ended is None:
            some: list[Cell | Remark] = []
            size = 0
            try:
                while len(some) < _AT_ONCE and size < _SIZE_MAX:
                    some.append(it := next(waiting))
                    size += len(it.text) if isinstance(it, Cell) else 0
            except Exception as error:  # noqa: BLE001 - raised again below
                ended = error
            yield from self._searched(some)
        if not isinstance(ended, StopIteration):
            raise ended

    def shown(self, path: Iterable[str | int]) -> str:
        """The path of a value, without names that may be personal data themselves."""
        shown = ""
        for it in path:
            match it:
                case UnnamedColumn():
                    shown += f".column {it}"
                case int():
                    shown += f"[{it}]"
                case str():
                    shown += f".{it[:_NAME_MAX] if it in self._harmless else '…'}"
        return shown.removeprefix(".")

    def _searched(self, some: Sequence[Cell | Remark]) -> Iterator[FileFinding | Remark]:
        """Equal values of a field in *some* are searched once."""
        wanted = [None if isinstance(it, Remark) else self._text(it) for it in some]
        texts = dict.fromkeys(it for it in wanted if it is not None)
        results = dict(zip(texts, self._detector.find_many(texts), strict=True))
        for it, text in zip(some, wanted, strict=True):
            if isinstance(it, Remark):
                yield it
            elif text is not None:
                yield from self._told(it, text, results[text])

    def _text(self, cell: Cell) -> str | None:
        """The text to search; None for a name known to be harmless."""
        if cell.is_name:
            return None if cell.text in self._harmless else cell.text
        names = [it for it in cell.path if isinstance(it, str)][-_NAMES_READ:]
        said = " ".join(names)[-_NAME_MAX:] + f" {cell.beside}" * bool(cell.beside)
        return f"{said}: {cell.text}" if said else cell.text

    def _told(self, cell: Cell, text: str, outcome: list[Finding] | Unscanned) -> Iterator[FileFinding | Remark]:
        field = self.shown(cell.path)
        if isinstance(outcome, Unscanned):
            yield Remark(cell.line, f"{field or 'a value'} was not scanned: {outcome}", unscanned=True)
            return
        if cell.is_name:
            outcome = _in_name(text, outcome)
        if cell.is_name and not outcome:
            if len(self._harmless) >= _NAMES_KNOWN_MAX:
                self._harmless.clear()
            self._harmless.add(cell.text)
        before = len(text) - len(cell.text)
        for it in outcome:
            if it.end > before:
                start = max(it.start - before, 0)
                why = explain(text, it) if self._explained else ""
                yield FileFinding(
                    it._replace(start=start, end=it.end - before), cell.line, start + 1, field, why, cell.element
                )


def _in_name(name: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the name of a field, without plain nouns: ``nino`` is not a person and ``Ville`` not a place.
    Without a sentence around them, the names model cannot tell."""
    return [it for it in findings if it.recogniser != "names" or _is_somebody(name[it.start : it.end], it.type)]


def _is_somebody(text: str, entity: str) -> bool:
    return len(text.split()) > 1 or (entity == "PERSON" and text[:1].isupper())

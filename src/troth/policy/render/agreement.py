"""Checks that the notice for people and the one for machines state the same facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from troth.errors import TrothError
from troth.policy.parse import Kind, read
from troth.policy.render.content import KINDS
from troth.policy.render.machine import rows_of
from troth.policy.render.words import NoticeWords, Row
from troth.policy.text import Block, PolicyText


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A fact that only one of the two has: *side* is ``people`` or ``machines``."""

    table: str
    side: str
    row: Row

    def __str__(self) -> str:
        said = ", ".join(part if isinstance(part, str) else " + ".join(part) for part in self.row if part)
        return f"{self.table}: only {self.side} read: {said}"


class NoticeDisagrees(TrothError):
    """The two renderings differ; *disagreements* are the facts."""

    def __init__(self, disagreements: list[Disagreement]) -> None:
        self.disagreements = tuple(disagreements)
        super().__init__("\n".join(map(str, disagreements)))


def agree(human: str, machine: str, words: NoticeWords, *, kind: Kind = "markdown") -> None:
    """Returns if both state the same facts. Raises `NoticeDisagrees` with every fact that only one has."""
    if found := differences(human, machine, words, kind=kind):
        raise NoticeDisagrees(found)


def differences(human: str, machine: str, words: NoticeWords, *, kind: Kind = "markdown") -> list[Disagreement]:
    """The facts that only one of the two has. Both are parsed from their rendered form, not from the content behind
    it."""
    people, machines = _told(read(human, kind=kind), words), rows_of(machine)
    found = []
    for table in ("controller", *KINDS):
        one, other = Counter(people.get(table, [])), Counter(machines.get(table, []))
        found += [Disagreement(table, "people", row) for row in (one - other).elements()]
        found += [Disagreement(table, "machines", row) for row in (other - one).elements()]
    return found


def _told(policy: PolicyText, words: NoticeWords) -> Mapping[str, list[Row]]:
    """The rows of every table of the document that has our column heads."""
    told: dict[str, list[Row]] = {}
    for head, *rows in _tables(policy):
        for kind in ("controller", *KINDS):
            names = {text: name for name, text in words.heads(kind).items()}
            if head.get(0) == next(iter(names)) and set(head.values()) <= set(names):
                cells = [{names[head[at]]: text for at, text in row.items() if at in head} for row in rows]
                told.setdefault(kind, []).extend(_row(kind, cell, words) for cell in cells)
    return told


def _row(kind: str, cells: Mapping[str, str], words: NoticeWords) -> Row:
    if kind == "controller":
        return words.contact_of(cells.get("what", ""), cells.get("value", ""))
    return words.row(kind, cells)


def _tables(policy: PolicyText) -> Iterator[list[dict[int, str]]]:
    """Each table of the document as a list of rows, each by column."""
    cells = [block for block in policy.blocks if block.cell is not None]
    for _, table in groupby(cells, key=lambda block: block.cell and block.cell.table):
        yield [_cells(list(row)) for _, row in groupby(table, key=lambda block: block.cell and block.cell.row)]


def _cells(blocks: list[Block]) -> dict[int, str]:
    return {block.cell.column: block.text for block in blocks if block.cell is not None}

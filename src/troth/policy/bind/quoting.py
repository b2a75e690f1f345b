"""How a promise is quoted: its sentence, a list item with its lead-in, or a table row."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.classify import Clause, Understood
from troth.policy.quote_matcher import ROW, QuotableText, leads_of
from troth.policy.text import Block, Sentence
from troth.text import same_words


class Quoting:
    """The promises of a policy with their quotes."""

    def __init__(self, understood: Understood) -> None:
        self._understood = understood
        self._blocks = {one.id: block for block in understood.policy.blocks for one in block.sentences}
        self._rows: dict[tuple[int, int], list[str]] = {}
        for block in understood.policy.blocks:
            if block.cell is not None:
                self._rows.setdefault((block.cell.table, block.cell.row), []).append(block.text)
        leads = leads_of(understood.policy)
        self._leads = {
            block.sentences[0].id: leads[number]
            for number, block in enumerate(understood.policy.blocks)
            if number in leads and block.sentences
        }
        self._page = QuotableText(understood.policy)

    def promises(self) -> Iterator[tuple[str, tuple[Clause, ...]]]:
        """Each quote with its clauses that promise something, in order."""
        quotes: dict[str, list[Clause]] = {}
        for clause in self._understood.promises:
            quotes.setdefault(self.quote(clause), []).append(clause)
        yield from ((quote, tuple(clauses)) for quote, clauses in quotes.items())

    def quote(self, clause: Clause) -> str:
        """The words that quote the clause."""
        if (row := self._row(self._blocks[clause.sentence.id])) is not None:
            return ROW.join(row)
        lead = self._leads.get(clause.sentence.id)
        return clause.sentence.text if lead is None else f"{lead.text} {clause.sentence.text}"

    def sentences(self, clause: Clause) -> tuple[Sentence, ...]:
        """The sentences that the quote of the clause stands for: its own, or all of its table row. A lead-in is not
        included."""
        cell = self._blocks[clause.sentence.id].cell
        if cell is None:
            return (clause.sentence,)
        return tuple(
            one
            for block in self._understood.policy.blocks
            if block.cell is not None and (block.cell.table, block.cell.row) == (cell.table, cell.row)
            for one in block.sentences
        )

    def times(self, quote: str) -> int:
        """In how many places the policy says exactly these words."""
        return len(self._page.whole(same_words(quote)))

    def _row(self, block: Block) -> list[str] | None:
        return None if block.cell is None else self._rows[block.cell.table, block.cell.row]

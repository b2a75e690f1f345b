"""Recognises blocks next to each other on a page as table cells."""

from __future__ import annotations

import itertools

from troth.policy.parse.pdf_lines import ENDS, PdfBlock
from troth.policy.text import CellPosition


def tabled(blocks: list[PdfBlock]) -> list[PdfBlock]:
    """The blocks; those side by side in consecutive rows get a table cell."""
    rows: list[list[PdfBlock]] = []
    for block in blocks:
        if rows and _is_in_row(rows[-1], block):
            rows[-1].append(block)
        else:
            rows.append([block])
    rows = _unbroken(rows)
    table, kept = -1, list[PdfBlock]()
    for is_row, run in itertools.groupby(rows, key=lambda row: len(row) > 1):
        found = list(run)
        if is_row and len(found) > 1:
            table += 1
            _number(found, table)
        kept += itertools.chain.from_iterable(found)
    return kept


def _unbroken(rows: list[list[PdfBlock]]) -> list[list[PdfBlock]]:
    """The rows, without heads that are repeated on further pages, and with continuations on the next page joined to the
    cells that they continue."""
    whole: list[list[PdfBlock]] = []
    head: list[str] = []
    for row in rows:
        before = whole[-1] if whole else []
        if len(row) > 1 and len(before) < 2:
            head = _words(row)
        elif len(row) > 1 and _words(row) == head and _is_further_on(before[0], row[0]):
            continue
        if len(before) > 1 and row[0].first.page == before[-1].last.page + 1 and row[0].marker is None:
            above = [next((cell for cell in before[1:] if _is_below(cell, block)), None) for block in row]
            if all(above):
                for cell, block in zip(above, row, strict=True):
                    assert cell is not None
                    cell.lines += block.lines
                continue
        whole.append(row)
    return whole


def _is_further_on(before: PdfBlock, block: PdfBlock) -> bool:
    """True if the block is on another page than the one before it, or at the top of another column."""
    return block.first.page != before.first.page or block.first.y > before.first.y


def _words(row: list[PdfBlock]) -> list[str]:
    return [line.text for block in row for line in block.lines]


def _is_below(cell: PdfBlock, block: PdfBlock) -> bool:
    """True if *block* continues the cell from the previous page. The first cell of a row starts a new row."""
    return abs(cell.first.left - block.first.left) < 2 and not ENDS.search(cell.last.text)


def _is_in_row(row: list[PdfBlock], block: PdfBlock) -> bool:
    if block.first.page != row[0].first.page or block.marker:
        return False
    top, bottom = max(each.first.y for each in row), min(each.last.y for each in row)
    if block.last.y > top + block.first.height / 2 or block.first.y < bottom - block.first.height / 2:
        return False
    return block.first.left >= row[-1].right - 1 or (len(row) > 1 and abs(block.first.left - row[-1].first.left) < 2)


def _number(rows: list[list[PdfBlock]], table: int) -> None:
    """Sets the cell of each block of a table. A row with all cells shows where the columns are."""
    cells = [_cells(row) for row in rows]
    whole = max(cells, key=len)
    middles = [(cell[0].first.left, max(block.right for block in cell)) for cell in whole]
    for number, row in enumerate(cells):
        for place, cell in enumerate(row):
            column = place if len(row) == len(whole) else _nearest(cell[0], middles)
            for block in cell:
                block.cell = CellPosition(table, number, column, is_head=number == 0)


def _cells(row: list[PdfBlock]) -> list[list[PdfBlock]]:
    """The blocks of a row, grouped by the cell in which they are stacked."""
    cells: list[list[PdfBlock]] = []
    for block in row:
        if cells and abs(cells[-1][0].first.left - block.first.left) < 2:
            cells[-1].append(block)
        else:
            cells.append([block])
    return cells


def _nearest(block: PdfBlock, columns: list[tuple[float, float]]) -> int:
    def distance(column: tuple[float, float]) -> float:
        return min(abs(column[0] - block.first.left), abs(sum(column) - block.first.left - block.right) / 2)

    return min(range(len(columns)), key=lambda place: distance(columns[place]))

"""Views: the data about a person by table, as the person may see it (GDPR Art. 15, clause C48). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from troth.declaration import Declaration
from troth.rows.datamap import Node
from troth.rows.values import without_collection
from troth.stores import Scalar
from troth.subjects.locate import FoundRow, Located
from troth.subjects.plan import Review, reviews

WITHHELD = "[about someone else]"
"""Placeholder for other people's data (GDPR Art. 15(4))."""


@dataclass(frozen=True, slots=True)
class ViewTable:
    """The rows of one place: *columns* (key first, then the declared fields), their categories, and the rows."""

    place: str
    columns: tuple[str, ...]
    categories: tuple[str | None, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    withheld: int
    """Number of values withheld because they are about someone else."""

    def __repr__(self) -> str:
        return f"ViewTable({self.place}, {len(self.rows)} rows)"


@dataclass(frozen=True, slots=True)
class View:
    """All data about one subject. Entirely personal; its `repr` shows only counts."""

    declaration_hash: str
    tables: tuple[ViewTable, ...]
    reviews: tuple[Review, ...]

    def __repr__(self) -> str:
        return f"View({len(self.tables)} tables, {sum(len(table.rows) for table in self.tables)} rows)"


@without_collection()
def plan_view(declaration: Declaration, located: Located) -> list[View]:
    """One view per identity, in order. *located* must come from `locate` with purpose ``view``.

    A view with reviews must not be released before staff have checked it: it may show one person another's data.
    """
    views: list[list[ViewTable]] = [[] for _ in located.identities]
    for node in located.map:
        by_subject: dict[int, list[FoundRow]] = {}
        for row in located.rows.get(node.place, ()):
            for subject in row.subjects:
                by_subject.setdefault(subject, []).append(row)
        for subject, rows in by_subject.items():
            views[subject].append(_table(node, located, subject, rows))
    concerns: dict[int, list[Review]] = {}
    for review in reviews(declaration, located):
        concerns.setdefault(review.subject, []).append(review)
    return [
        View(declaration.hash, tuple(tables), tuple(concerns.get(subject, ()))) for subject, tables in enumerate(views)
    ]


def _table(node: Node, located: Located, subject: int, rows: list[FoundRow]) -> ViewTable:
    columns = tuple(dict.fromkeys([*node.key, *node.declared.fields]))
    uses = node.declared.fields
    named = _named(node)
    at = [located.columns[node.place].index(column) for column in columns]
    withheld = 0
    shown = []
    for row in rows:
        others = _others(located, node.place, row, subject)
        hidden = {column for link in others for column in named[link] if column in columns}
        withheld += len(hidden)
        shown.append(
            tuple(
                WITHHELD if column in hidden else row.values[index] for column, index in zip(columns, at, strict=True)
            )
        )
    categories = tuple(uses[column].category if column in uses else None for column in columns)
    return ViewTable(node.place, columns, categories, tuple(shown), withheld)


def _named(node: Node) -> Mapping[str, set[str]]:
    """Columns about the person whom each link names."""
    named: dict[str, set[str]] = {}
    own = {column.column for column in node.declared.identity.values()}
    for link in node.links:
        about = {column for column, use in node.declared.fields.items() if use.of == link.name}
        about |= set(link.columns) if link.name not in own else set()
        named[link.name] = about
    return named


def _others(located: Located, place: str, row: FoundRow, subject: int) -> Collection[str]:
    """Links of a row that name someone other than this subject, possibly another located subject."""
    if len(row.subjects) == 1:
        return [link for link in row.others if link not in row.mine]
    leading = located.leading(place, row)
    return {*row.others, *leading} - {link for link, subjects in leading.items() if subject in subjects}

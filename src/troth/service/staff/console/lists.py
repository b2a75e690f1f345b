"""Lists of the console: filtered by GET, counted, in a stable order, in pages of one size.

A filter consists of choices, so no URL holds what somebody typed. One that does not exist shows no rows, rather than
rows of another filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import QueryDict

from troth.declaration import Purpose, Recipient

PAGE_ROWS = 50


class FilterForm(forms.Form):
    """A filter: fields of a subclass are `django.forms.ChoiceField`, and not required."""

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        assert all(isinstance(field, forms.ChoiceField) and not field.required for field in self.fields.values())

    @property
    def wanted(self) -> Mapping[str, str]:
        """The chosen values, by field; none if one of them is not a choice."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}


def by_title(declared: Mapping[str, Purpose | Recipient]) -> list[tuple[str, str]]:
    """Declared things as choices: names with titles, in the order of these."""
    titled = sorted((known.title or name, name) for name, known in declared.items())
    return [(name, title) for title, name in titled]


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list: *rows* of the *count* that pass the filter, and the queries of the pages beside it."""

    form: FilterForm
    rows: Sequence[Any]
    count: int
    number: int
    pages: int
    previous: str
    next: str

    @property
    def status(self) -> int:
        """HTTP status of the response."""
        return 200 if self.form.is_valid() else 400


def list_page(
    form: FilterForm, rows: QuerySet[Any] | Sequence[Any], *, show: Callable[[Sequence[Any]], Sequence[Any]] = list
) -> ListPage:
    """The page that the query of *form* asks for; the nearest one if there is no such page. *rows* are those that pass
    the filter, in an order without ties; *show* turns those of the page into what is displayed."""
    chosen = rows if form.is_valid() else []
    page = Paginator(chosen, PAGE_ROWS).get_page(form.data.get("page"))

    def query(number: int) -> str:
        return "?" + urlencode({**form.wanted, "page": number})

    return ListPage(
        form=form,
        rows=show(list(page.object_list)),
        count=page.paginator.count,
        number=page.number,
        pages=page.paginator.num_pages,
        previous=query(page.previous_page_number()) if page.has_previous() else "",
        next=query(page.next_page_number()) if page.has_next() else "",
    )

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from notes.duty import NOTES_SEE
from notes.models import Note
from troth.service.staff.base import ConsoleFigure
from troth.service.staff.effective_rights import standing_of
from troth.service.staff.permissions import needs


@needs(NOTES_SEE)
def console(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{Note.objects.count()} notes")


def figures(request: HttpRequest) -> Iterator[ConsoleFigure]:
    if standing_of(request).may(NOTES_SEE):
        yield ConsoleFigure(gettext("Notes"), Note.objects.count(), "notes-console")

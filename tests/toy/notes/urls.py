from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from notes import pages
from notes.duty import NOTES_SEE
from notes.models import Note
from troth.service.access_rules import public
from troth.service.staff.permissions import needs


@public
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "notes/page.html", {"count": Note.objects.count()})


@needs(NOTES_SEE)
def console(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{Note.objects.count()} notes")


urlpatterns = [
    path("", page, name="notes"),
    path("seen", pages.seen, name="notes-seen"),
    path("console", console, name="notes-console"),
]

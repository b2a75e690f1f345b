from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from notes import console, pages
from notes.models import Note
from troth.service.access_rules import public


@public
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "notes/page.html", {"count": Note.objects.count()})


urlpatterns = [
    path("", page, name="notes"),
    path("seen", pages.seen, name="notes-seen"),
    path("console", console.console, name="notes-console"),
]

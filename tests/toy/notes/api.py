from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from notes import actions
from notes.duty import NOTES_WRITE
from troth.service.api.framework import ApiResponse, Body, once, problems, scoped

router = Router()


class NewNote(Body):
    text: str


class NoteLeft(ApiResponse):
    mark: str


@router.post("/notes", response={201: NoteLeft, **problems()}, summary="Leave a note")
@scoped(NOTES_WRITE)
@once
def leave(request: HttpRequest, note: NewNote) -> Any:
    """Leave a note."""
    return Status(201, NoteLeft(mark=actions.leave(note.text, timezone.now()).mark))

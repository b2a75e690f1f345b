from __future__ import annotations

from notes.models import Note
from troth.protect import SealingContext
from troth.service.core.resealing import SealedPlace


def note_context(mark: str) -> SealingContext:
    return SealingContext(domain="notes", table="notes_note", field="sealed", subject=mark)


SEALED = (SealedPlace(Note, "sealed", ("mark",), note_context),)

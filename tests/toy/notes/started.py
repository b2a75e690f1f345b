from __future__ import annotations

from notes.models import Note

is_ready = Note._meta.db_table == "notes_note"

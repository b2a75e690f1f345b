"""Policies in DOCX: mammoth converts them to plain HTML, which the HTML parser reads."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mammoth

from troth.policy.parse import html
from troth.policy.parse.extracted import ExtractedBlock
from troth.policy.text import PolicyError

_PARTS_MAX = 5_000
_UNPACKED_BYTES_MAX = 60_000_000
"""Limit for the parts that contain text; images are not unpacked."""

_NOTE_MARKS = re.compile(
    r'<sup><a href="#(?:foot|end)note-[^"<>]{1,40}"[^<>]{0,80}>\[\d{1,4}\]</a></sup>|'
    r' ?<a href="#(?:foot|end)note-ref-[^"<>]{1,40}">↑</a>'
)
"""Footnote numbers and the arrows back, which are not part of the text."""

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
"""


def pieces(data: bytes) -> Iterator[ExtractedBlock]:
    """The blocks of a DOCX file. Raises `PolicyError` for a ZIP archive that is not DOCX, or unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_bombs(archive)
        page = mammoth.convert_to_html(
            io.BytesIO(data), style_map=_STYLES, include_embedded_style_map=False, convert_image=_nothing
        ).value
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise PolicyError("the file is not a readable DOCX; open it in its editor and save it again") from None
    drafts = [draft for draft in html.drafts(_NOTE_MARKS.sub("", page), is_page=False) if not draft.is_left_out]
    headed = {draft.cell.table for draft in drafts if draft.cell and draft.cell.is_head}
    for draft in drafts:
        collapsed, cell = draft.traced.collapsed(), draft.cell
        if cell and cell.row == 0 and cell.table not in headed:
            cell = replace(cell, is_head=True)  # Word marks only heads that repeat on each page
        yield ExtractedBlock(draft.kind, collapsed.text, draft.depth, draft.ordered, cell, tuple(collapsed.links()))


def _nothing(_: Any) -> list[Any]:
    return []


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    """Limits use the sizes that the archive declares; no part can unpack to more than it declares."""
    parts = archive.infolist()
    words = sum(part.file_size for part in parts if part.filename.casefold().endswith((".xml", ".rels")))
    if len(parts) > _PARTS_MAX or words > _UNPACKED_BYTES_MAX:
        raise PolicyError("the unpacked file is too large for a policy; save its text")
    if "[Content_Types].xml" not in archive.namelist():
        raise PolicyError("the file is a ZIP archive, not a DOCX; unpack it, or save the policy as .docx")

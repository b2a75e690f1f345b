"""The undertaking that staff sign before they see anything: the company's own ``undertaking.md``, or ours."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from troth.ledger import Hash
from troth.service.configuration import Settings

OWN_FILE = "undertaking.md"
"""Beside the declaration, if a company has its own text. A changed text must be signed again."""
_BYTES_MAX = 200_000


def document() -> str:
    """The text in force."""
    told: Settings = settings.TROTH
    own = Path(told.declaration).parent / OWN_FILE
    try:
        status = own.stat()
        return _read(own, (status.st_mtime_ns, status.st_size))
    except OSError:
        return _tidy(resources.files(__package__).joinpath("undertaking.md").read_text(encoding="utf-8"))


def document_html() -> SafeString:
    """The text in force, from Markdown without HTML, with its headings below those of a section."""
    from markdown_it import MarkdownIt  # not in the memory of every process

    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(document())
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    return mark_safe(html)  # noqa: S308 - raw HTML in it is escaped


@functools.lru_cache(4)
def _read(file: Path, changed: tuple[int, int]) -> str:
    """Text of *file*, reread when *changed* differs."""
    with file.open("rb") as opened:
        return _tidy(opened.read(_BYTES_MAX).decode("utf-8", "replace"))


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip() + "\n"


def document_hash() -> str:
    """Hash that identifies the signed text."""
    return Hash("sha256:" + hashlib.sha256(document().encode()).hexdigest()).text

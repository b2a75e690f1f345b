"""Renders the privacy notice from the declaration.

Its content comes only from the declaration and the applicable law (`content_of`); missing facts fail the build with the
key where they go. One composer makes the document for people, as Markdown or HTML; the same facts become a graph for
machines, as JSON-LD. Both are parsed again before they are returned: if they disagree, or the prose is too hard to
read, nothing is rendered. The same declaration gives the same bytes.
"""

from __future__ import annotations

from troth.policy.render.agreement import NoticeDisagrees, agree, differences
from troth.policy.render.content import NoticeContent
from troth.policy.render.ease import reading_ease, syllables
from troth.policy.render.facts import content_of
from troth.policy.render.missing import NoticeIncomplete
from troth.policy.render.notice import EASE_MIN, Form, Rendered, render, render_short

__all__ = [
    "EASE_MIN",
    "Form",
    "NoticeContent",
    "NoticeDisagrees",
    "NoticeIncomplete",
    "Rendered",
    "agree",
    "content_of",
    "differences",
    "reading_ease",
    "render",
    "render_short",
    "syllables",
]

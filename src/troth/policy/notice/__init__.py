"""The notice, rendered from the declaration.

Its content is drawn from the declaration and the law that applies, and from nothing else (`content_of`); what is
missing stops the build, with the place where it goes. One composer makes the document that people read, as Markdown or
HTML; the same facts are a graph for machines, as JSON-LD. Both are read again before they leave: where they disagree,
or where the prose reads too hard, nothing is rendered. The same declaration gives the same bytes.
"""

from __future__ import annotations

from troth.policy.notice.agreeing import NoticeDisagrees, agree, differences
from troth.policy.notice.content import Content
from troth.policy.notice.ease import reading_ease, syllables
from troth.policy.notice.gathering import content_of
from troth.policy.notice.missing import NoticeIncomplete
from troth.policy.notice.rendering import EASE_MIN, Form, Rendered, render, render_short

__all__ = [
    "EASE_MIN",
    "Content",
    "Form",
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

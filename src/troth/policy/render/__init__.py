"""The notice, rendered from the declaration.

Its content is drawn from the declaration and the law that applies, and from nothing else (`content_of`); what is
missing stops the build, with the place where it goes. One composer makes the document that people read, as Markdown or
HTML; the same facts are a graph for machines, as JSON-LD. Both are read again before they leave: where they disagree,
or where the prose reads too hard, nothing is rendered. The same declaration gives the same bytes.
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

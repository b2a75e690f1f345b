"""A page that leaves as one file: an audit, a record, an archive's index, what is wrong with a policy.

It is read from a disk, by mail or on paper, years from now: its style stands inside, nothing is fetched from elsewhere,
nothing in it runs. Whatever text it is given, `safe` makes it harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from importlib import resources

__all__ = ["html_page", "safe"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves of characters."""


def safe(text: object) -> str:
    """*text* for HTML and SVG. What a reader would not see and a machine would obey becomes visible."""
    return _HARMFUL.sub("�", escape(str(text)))


def html_page(title: str, parts: Iterable[str], *, style: str = "", top: str = "", foot: str = "") -> str:
    """The page. *title* is plain text; *parts*, and what stands in *top* and *foot*, are HTML that is safe already.

    *style* comes after the one style that all these pages have: their colours by day, by night and in print, their
    type, and what a keyboard needs.
    """
    base = resources.files(__package__).joinpath("base.css").read_text("utf-8")
    skip = '<a class="skip" href="#main">To the content</a>\n' if top else ""
    header = f"<header><div>{top}</div></header>\n" if top else ""
    footer = f"<footer><div>{foot}</div></footer>\n" if foot else ""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{safe(title)}</title>
<style>
{base}{style}</style>
{skip}{header}<main id="main">
{chr(10).join(parts)}
</main>
{footer}</html>
"""

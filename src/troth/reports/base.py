"""Self-contained HTML pages: audits, records, archive indexes and policy findings.

They are read from a disk, by e-mail or on paper, years from now: the style is inline, nothing is fetched from elsewhere
and no script runs. `safe` makes any text harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from importlib import resources

__all__ = ["html_page", "safe"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, bidirectional controls and surrogates."""


def safe(text: object) -> str:
    """*text* escaped for HTML and SVG; invisible characters that a machine would obey become visible."""
    return _HARMFUL.sub("�", escape(str(text)))


def html_page(title: str, parts: Iterable[str], *, style: str = "", top: str = "", foot: str = "") -> str:
    """A complete HTML page. *title* is plain text; *parts*, *top* and *foot* are HTML that is already safe.

    *style* follows the base style that all these pages share: colours for light, dark and print, typography, and
    keyboard focus.
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

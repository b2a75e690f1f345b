"""Self-contained HTML pages: audits, records, archive indexes and policy findings.

They are read from a disk, by e-mail or on paper, years from now: the style is inline, nothing is fetched from elsewhere
and no script runs. Templates extend ``reports/base.html``, whose style has the colours for light, dark and print, the
typography, and the keyboard focus.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from troth.text import counted

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment", "html_page", "safe"]


_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, bidirectional controls and surrogates."""


def safe(text: object) -> str:
    """*text* escaped for HTML and SVG; invisible characters that a machine would obey become visible."""
    return escape(_visible(text))


def html_page(template: str, title: str, **values: Any) -> str:
    """The page of a *template*, which is named by its path below ``troth``. Each value is made harmless as by `safe`,
    unless the template marks it as HTML."""
    return environment().get_template(template).render(title=title, **values)


@cache
def environment() -> Environment:
    """The templates of `html_page`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("troth", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else _visible(value),
    )
    environment.globals["counted"] = counted
    return environment


def _visible(text: object) -> str:
    return _HARMFUL.sub("�", str(text))

"""HTML as values. What is a `Markup` stands as it is; every other text is escaped on its way in, so there is no page
on which somebody's words could become a tag."""

from __future__ import annotations

from html import escape

_VOID = {"input", "link", "meta", "br"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | int | bool | None) -> Markup:
    """One element. Attributes that are None or False are left out, True stands without a value; ``class_`` and
    ``aria_label`` are written ``class`` and ``aria-label``."""
    opened = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Markup(f"<{name}{opened}>")
    return Markup(f"<{name}{opened}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """One after the other, escaped where needed."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def _attribute(key: str, value: str | int | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'

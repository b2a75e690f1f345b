"""Policies in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from troth.policy.parse.tracing import Draft, Traced
from troth.policy.text import CellPosition, PolicyError

_LINES_MAX = 20_000
_INLINE_MAX = 20_000
_BRACKETS_MAX = 100
"""Beyond these limits a paragraph is plain text: parsing links takes time quadratic in the number of brackets."""
_FRONT = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(?:(?!\1)[^\r\n]*\r?\n){0,80}\1[ \t]*(?:\r?\n|\Z)")
_FRONT_LINE = re.compile(r"$|\s|#|- |[\]})]|[a-z][\w-]{0,40}\s*[:=]")
_FOR_PROGRAMS = re.compile(r"\{:? ?[#.][\w-][^{}\n]{0,200}\}|\{: [^{}\n]{0,200}\}|\{%[^{}\n]{0,200}%\}")
"""Instructions for the program that renders the text: ``{: #contact }``, ``{% include nav.html %}``."""
_ANCHOR = re.compile(r"<\w{1,10} [^<>]{0,200}?\b(?:id|name)=[\"']?([\w.:-]{1,100})", re.I)
_HEADED = re.compile(r"\{:? ?#([\w.:-]{1,100})")
_STROKE = re.compile(r"<(/?)(?:del|s|strike)\b", re.I)
_LINK_END = re.compile(r"\](?:\([^()\n]{0,2000}(?:\([^()\n]{0,2000}\)[^()\n]{0,2000})?\)|\[[^\]\n]{0,1000}\])?")


@cache
def _blocks() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").disable("inline")


@cache
def _inline() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")


def drafts(source: str) -> Iterator[Draft]:
    """The blocks of a Markdown text. Raises `PolicyError` if it has too many lines."""
    given, source = source, _for_readers(source)
    lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", source)), len(source)]
    if len(lines) > _LINES_MAX + 2:
        raise PolicyError(f"the policy has {len(lines) - 1} lines, {_LINES_MAX} are allowed; is it the right file?")
    env: dict[str, object] = {}
    lists: list[bool] = []  # for each open list, whether it is numbered
    level = reached = 0
    table = row = column = -1
    for token in _blocks().parse(source, env):
        start, end = (lines[min(line, len(lines) - 1)] for line in token.map or (0, 0))
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append(token.type == "ordered_list_open")
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "heading_open":
                level = int(token.tag[1:])
            case "table_open":
                table, row = table + 1, -1
            case "tr_open":
                row, column = row + 1, -1
            case "th_open" | "td_open":
                column += 1
            case "tr_close":
                column = -1
            case "inline":
                draft = _begun(level, lists)
                draft.anchors += _HEADED.findall(given[start:end]) if level else []
                level = 0
                draft.cell = CellPosition(table, row, column, is_head=row == 0) if column >= 0 else None
                # The cells of a row have the same lines; each is searched for after the previous one.
                start = reached if start < reached < end else start
                struck = Draft("paragraph", is_left_out=True)
                draft.anchors += _ANCHOR.findall(token.content)
                reached = _fill(draft.traced, struck.traced, token, source, start, end, env)
                yield draft
                yield struck
            case "html_block":
                from troth.policy.parse import html

                yield from html.drafts(source[start:end], offset=start, is_page=False)
            case "fence" | "code_block":
                draft = _begun(0, lists)
                draft.traced.add(source[start:end] if token.type == "code_block" else token.content, start, end)
                yield draft


def _for_readers(source: str) -> str:
    """*source* with instructions for rendering programs replaced by spaces, so that positions do not change."""
    front = _FRONT.match(source)
    if front and all(_FRONT_LINE.match(line) for line in front[0].splitlines()[1:-1]):
        source = _blank(front) + source[front.end() :]
    return _FOR_PROGRAMS.sub(_blank, source)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\r\n]", " ", match[0])


def _begun(level: int, lists: list[bool]) -> Draft:
    if level:
        return Draft("heading", level)
    return Draft("list_item", len(lists), lists[-1]) if lists else Draft("paragraph")


def _fill(traced: Traced, struck: Traced, token: Token, source: str, at: int, end: int, env: dict[str, object]) -> int:
    """Add the words of an inline token, with struck-out words to *struck*; returns the next position in the source."""
    opened: list[tuple[Traced, int, str]] = []
    strokes = 0
    for child in _children(token.content, env):
        strokes = max(strokes + _stroke(child), 0)
        into = struck if strokes else traced
        if child.type in {"text", "code_inline", "image"}:
            at = _trace(into, child.content, source, at, end)
        elif child.type == "link_open":
            opened.append((into, into.length, str(child.attrGet("href") or "")))
        elif child.type == "link_close":
            within, since, href = opened.pop()
            within.link(since, href)
            found = _LINK_END.match(source, at, end)
            at = found.end() if found else at
        elif child.type in {"softbreak", "hardbreak"} or child.content.lower().startswith("<br"):
            into.space()
    return at


def _stroke(token: Token) -> int:
    """1 at the start of struck-out words, -1 at their end."""
    found = _STROKE.match(token.content) if token.type == "html_inline" else None
    if found:
        return -1 if found[1] else 1
    return {"s_open": 1, "s_close": -1}.get(token.type, 0)


def _children(content: str, env: dict[str, object]) -> list[Token]:
    if len(content) > _INLINE_MAX or content.count("[") > _BRACKETS_MAX:
        lines = content.split("\n")
        return [token for line in lines for token in (Token("text", "", 0, content=line), Token("softbreak", "", 0))]
    return _inline().parseInline(content, env)[0].children or []


def _trace(traced: Traced, text: str, source: str, at: int, end: int) -> int:
    """Add *text*, searched for in the source from *at* on; returns the next position. Escapes and entities make the
    text differ from its source: then it is searched for word by word."""
    found = source.find(text, at, end)
    if found >= 0:
        traced.add(text, found, found + len(text))
        return found + len(text)
    for part in re.findall(r"\s+|\S+", text):
        found = source.find(part, at, end) if not part.isspace() else at
        traced.add(part, found if found >= 0 else at, (found if found >= 0 else at) + len(part))
        at = found + len(part) if found >= 0 else at
    return at

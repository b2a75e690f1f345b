"""Adding promises to a declaration's own file: what a person wrote there stays as it is, to the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from troth.declaration.model import Declaration
from troth.declaration.problems import Position
from troth.declaration.write import write
from troth.errors import TrothError


class CannotAdd(TrothError):
    """The file is not laid out so that something can be added safely; the message says what to change."""


def file_of_promises(declaration: Declaration, main: Path) -> Path:
    """The file that holds the declaration's promises: *main*, or one that it includes."""
    place: Position | None = declaration.where("promises.0") if declaration.promises else None
    return place.file if place is not None else main


def with_promises(text: str, promises: Sequence[Mapping[str, Any]], comments: Mapping[str, str]) -> str:
    """*text*, a file of a declaration, with *promises* behind those that it has. *comments* stand above the key that
    their path names: ``0.controls`` is of the first of them.

    Nothing else of the text changes. Raises `CannotAdd` when the promises of the file are not a block list.
    """
    if not promises:
        return text
    notes = {f"promises.{path}": comment for path, comment in comments.items()}
    added = write({"promises": [dict(one) for one in promises]}, notes).splitlines()
    end = "\r\n" if "\r\n" in text else "\n"
    node, lines = _promises_in(text), text.splitlines(keepends=True)
    if node is not None and node.flow_style and not node.value:
        return _instead_of(node, text, added, end)
    if node is None:
        return _ended(text, end) + end + end.join(added) + end
    if node.flow_style:
        raise CannotAdd("the promises are not a block list; write each in a line of its own that begins with '- '")
    at, indent = _end_of(node, lines), " " * node.start_mark.column
    block = [f"{indent}{line.removeprefix('  ')}".rstrip() for line in added[1:]]
    return _ended("".join(lines[:at]), end) + end + end.join(block) + end + "".join(lines[at:])


def _instead_of(node: yaml.Node, text: str, added: Sequence[str], end: str) -> str:
    """The text with a block list where it has ``[]``; what stands behind that in its line stays above the list."""
    before, after = text[: node.start_mark.index].rstrip(" "), text[node.end_mark.index :]
    rest, _, following = after.partition(end)
    return before + rest.rstrip() + end + end.join(added[1:]) + end + following


def is_only_added(before: Declaration, after: Declaration) -> bool:
    """Whether *after* says what *before* does, with further promises at the end."""
    same = before.model_dump(exclude={"promises"}) == after.model_dump(exclude={"promises"})
    return same and after.promises[: len(before.promises)] == before.promises


def _promises_in(text: str) -> yaml.SequenceNode | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    for key, value in root.value:
        if key.value == "promises" and isinstance(value, yaml.SequenceNode):
            return value
        if key.value == "promises" and value.value not in {"", "null", "~"}:
            raise CannotAdd("the promises are not a list")
    return None


def _end_of(node: yaml.Node, lines: Sequence[str]) -> int:
    """The line behind the node's last words: what follows (blank lines, comments) belongs to what comes next."""
    at = int(node.end_mark.line) + (1 if node.end_mark.column else 0)
    while at > 0 and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1
    return at


def _ended(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}{end}"

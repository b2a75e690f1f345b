"""Adding promises to a declaration's own file: the existing text stays unchanged, character by character."""

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
    """The layout of the file does not allow a safe addition; the message says what to change."""


def file_of_promises(declaration: Declaration, main: Path) -> Path:
    """The file that holds the declaration's promises: *main*, or one that it includes."""
    place: Position | None = declaration.where("promises.0") if declaration.promises else None
    return place.file if place is not None else main


def with_promises(text: str, promises: Sequence[Mapping[str, Any]], comments: Mapping[str, str]) -> str:
    """*text*, a file of a declaration, with *promises* added after the existing ones. *comments* go above the key at
    their path: ``0.controls`` is in the first new promise.

    Nothing else of the text changes. Raises `CannotAdd` if the promises of the file are not a block list.
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
        raise CannotAdd("'promises' is not a block list; start each promise on its own line with '- '")
    at, indent = _end_of(node, lines), " " * node.start_mark.column
    block = [f"{indent}{line.removeprefix('  ')}".rstrip() for line in added[1:]]
    return _ended("".join(lines[:at]), end) + end + end.join(block) + end + "".join(lines[at:])


def _instead_of(node: yaml.Node, text: str, added: Sequence[str], end: str) -> str:
    """The text with a block list in place of ``[]``; anything after that on its line stays above the list."""
    before, after = text[: node.start_mark.index].rstrip(" "), text[node.end_mark.index :]
    rest, _, following = after.partition(end)
    return before + rest.rstrip() + end + end.join(added[1:]) + end + following


def is_only_added(before: Declaration, after: Declaration) -> bool:
    """Whether *after* equals *before* except for further promises at the end."""
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
            raise CannotAdd("'promises' is not a list")
    return None


def _end_of(node: yaml.Node, lines: Sequence[str]) -> int:
    """The line after the node's content: following blank lines and comments belong to the next node."""
    at = int(node.end_mark.line) + (1 if node.end_mark.column else 0)
    while at > 0 and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1
    return at


def _ended(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}{end}"

"""YAML as a declaration may use it: text to plain values, with the place of each.

The scalars are those of YAML 1.2, less what nobody means: ``true``, ``false``, ``null`` (or nothing) and whole numbers
are what they say, and everything else is text. So ``NO`` is Norway, ``0123`` keeps its nought, ``1:30`` is no number
and a date is the text of a date. Tags and merge keys are refused, a key may stand once, aliases are followed but
counted, and depth and size have limits, so that no text however hostile takes more than a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from troth.declaration.problems import PROBLEMS_MAX, DeclarationErrors, Position, Problem, shown

__all__ = ["BYTES_MAX", "DEPTH_MAX", "VALUES_MAX", "Document", "read"]

BYTES_MAX = 8 * 1024 * 1024
"""Of one file."""
DEPTH_MAX = 32
"""Mappings and lists inside one another."""
VALUES_MAX = 500_000
"""Of one file, counting what an alias repeats."""

_RUNAWAY = {"yaml-alias", "yaml-too-deep"}


Places = dict[tuple[str, ...], tuple[Position, Position]]
"""From the path of a key or list element to the places of the key and of the value."""


@dataclass(frozen=True)
class Document:
    """One file, read: its values as dicts, lists, text, whole numbers, bools and None.

    *problems* are the mistakes of form that left the rest readable (a key that stands twice, a tag)."""

    file: Path
    values: Any
    text: str
    problems: tuple[Problem, ...] = ()

    @cached_property
    def places(self) -> Places:
        """Where everything stands. The text is composed again for it when somebody asks, which is when there is a
        mistake to tell: a tree of nodes takes thirty times the room of the text."""
        if len(self.problems) >= PROBLEMS_MAX or any(problem.code in _RUNAWAY for problem in self.problems):
            return {}  # reading stopped early, so nobody has counted what the aliases repeat
        root = yaml.compose(self.text, Loader=_loader())
        return {} if root is None else dict(_walk(self.file, root, ()))


def _walk(file: Path, node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[Position, Position]]]:
    if isinstance(node, MappingNode):
        entries = [(key.value, key, value) for key, value in reversed(node.value) if isinstance(key, ScalarNode)]
    elif isinstance(node, SequenceNode):
        entries = [(str(index), value, value) for index, value in enumerate(node.value)]
    else:
        return
    for name, key, value in entries:
        inner = (*path, name)
        yield inner, (_position(file, key), _position(file, value))
        yield from _walk(file, value, inner)


def read(text: str | bytes, *, file: Path) -> Document:
    """Read one YAML document. *file* only names it.

    Raises `DeclarationErrors` where the text cannot be read at all: its size, its encoding, its syntax.
    """
    decoded = _decoded(text, file)
    try:
        root = yaml.compose(decoded, Loader=_loader())
    except _TooDeep as deep:
        raise DeclarationErrors([_too_deep(_position(file, deep.parent))]) from None
    except yaml.YAMLError as error:
        raise DeclarationErrors([_syntax(error, decoded, file)]) from None
    reader = _Values(file)
    values = None if root is None else reader.value(root, 0)
    return Document(file, values, decoded, tuple(reader.problems))


def _decoded(text: str | bytes, file: Path) -> str:
    if len(text) > BYTES_MAX:
        mend = "split it into files and name them under 'include'"
        raise DeclarationErrors(
            [Problem("file-too-large", Position(file, 1, 1), "", f"more than {BYTES_MAX // 1024**2} MiB", mend)]
        )
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = len(text[text.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        problem = Problem("file-encoding", Position(file, line, column), "", "not UTF-8 text", "save the file as UTF-8")
        raise DeclarationErrors([problem]) from None


# --- composing ------------------------------------------------------------------------------------------------------

_PLAIN = "plain"
_TEXT = "text"


class _TooDeep(Exception):
    """Raised from inside the composer, before its recursion can hurt."""

    def __init__(self, parent: Node) -> None:
        super().__init__()
        self.parent = parent


class _Bounded:
    """What we change of PyYAML's loader: depth is bounded, and resolving a scalar is left to us."""

    _depth = 0

    def descend_resolver(self, parent: Node, _index: object) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _TooDeep(parent)

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        return _PLAIN if kind is not ScalarNode or implicit[0] else _TEXT


@cache
def _loader(*, pure: bool = False) -> Any:
    """PyYAML's C loader, or the one in Python where libyaml is missing, with our bounds."""
    base = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("_Loader", (_Bounded, base), {})


def _position(file: Path, node: Node) -> Position:
    return Position(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _too_deep(where: Position) -> Problem:
    return Problem("yaml-too-deep", where, "", f"nested more than {DEPTH_MAX} deep", "nothing here needs that depth")


_HINTS = (
    (r"'\\t'|tab character", "indent with spaces; YAML takes no tabs"),
    ("mapping values are not allowed", "put quotes around text that holds ': '"),
    ("single document", "keep one document in a file: take out the '---' line"),
    ("undefined alias", "'*' starts an alias; put quotes around the text"),
    ("nesting depth", "nothing here needs that depth"),
    ("control characters|special characters", "take the control character out"),
    ("expected <block end>|could not find expected ':'", "line the keys of one mapping up in one column"),
    ("parsing a flow", "close the bracket, or put quotes around the text"),
    ("scanning a quoted scalar|unexpected end of stream", "close the quote"),
    ("cannot start any token", "put quotes around the text"),
)


def _syntax(error: yaml.YAMLError, text: str, file: Path) -> Problem:
    """PyYAML's account without its excerpt, which may hold a secret."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = [part for name in ("context", "problem", "reason") if (part := getattr(error, name, None))]
    said = re.sub(r"(alias|anchor) .*", r"\1", ", ".join(map(str, parts))) or "not YAML"
    where = Position(file, mark.line + 1, mark.column + 1) if mark else _of_offset(error, text, file)
    if where.line <= text.count("\n") + 1 and "\t" in text.split("\n")[where.line - 1][: where.column]:
        said = f"{said} (a tab)"
        return Problem("yaml-syntax", where, "", said, _HINTS[0][1])
    mend = next((hint for pattern, hint in _HINTS if re.search(pattern, said)), "")
    return Problem("yaml-syntax", where, "", said, mend)


def _of_offset(error: yaml.YAMLError, text: str, file: Path) -> Position:
    """The place of a reader error, which PyYAML gives as an offset alone (in bytes of UTF-8, from libyaml)."""
    offset = getattr(error, "position", None) or 0
    before = text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")
    return Position(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


# --- values ---------------------------------------------------------------------------------------------------------

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_TAGS = {_PLAIN, _TEXT}


class _Values:
    """One pass over the nodes. Mistakes are gathered, so that all of them are told at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._trail: list[str] = []
        self._left = VALUES_MAX
        self._firsts: dict[int, dict[str, Node]] = {}

    def value(self, node: Node, depth: int) -> Any:
        """The value of *node*; None where it is refused."""
        if self._left > 0:
            self._left -= 1
        if node.tag not in _TAGS:
            self._refuse("yaml-tag", node, "a tag ('!…')", "tags are not read; write the value without one")
        kind = node.__class__
        if kind is ScalarNode:
            return _scalar(node.value) if node.tag == _PLAIN else node.value
        if depth > DEPTH_MAX:
            self.problems.append(_too_deep(_position(self.file, node)))
            return None
        return self._mapping(node, depth) if kind is MappingNode else self._sequence(node, depth)

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if self._is_exhausted(key):
                break
            name = key.value
            if key.__class__ is not ScalarNode or key.tag not in _TAGS:
                self._refuse("yaml-key", key, "a key that is not plain text", "write the key as text")
            elif name == "<<" and key.tag == _PLAIN:
                self._refuse("yaml-merge", key, "a merge key ('<<')", "write the keys out, or move them to an include")
            elif name in values:
                self._repeated(node, key)
            else:
                self._trail.append(name)
                values[name] = self.value(value, depth + 1)
                self._trail.pop()
        return values

    def _sequence(self, node: Node, depth: int) -> list[Any]:
        values = []
        for index, element in enumerate(node.value):
            if self._is_exhausted(element):
                break
            self._trail.append(str(index))
            values.append(self.value(element, depth + 1))
            self._trail.pop()
        return values

    def _repeated(self, node: Node, key: Node) -> None:
        if id(node) not in self._firsts:
            self._firsts[id(node)] = {other.value: other for other, _ in reversed(node.value) if other.id == "scalar"}
        first = _position(self.file, self._firsts[id(node)][key.value])
        said = f"'{shown(key.value)}' stands here a second time"
        self._refuse("yaml-duplicate-key", key, said, f"the first is at {first.line}:{first.column}; keep one")

    def _refuse(self, code: str, node: Node, message: str, mend: str) -> None:
        path = ".".join(map(shown, self._trail))
        self.problems.append(Problem(code, _position(self.file, node), path, message, mend))

    def _is_exhausted(self, node: Node) -> bool:
        """Whether aliases have multiplied the text, or mistakes have piled up, beyond what anybody means."""
        if self._left == 0:
            self._left = -1
            self._refuse(
                "yaml-alias", node, f"more than {VALUES_MAX:,} values, counting aliases", "write fewer aliases"
            )
        return self._left < 0 or len(self.problems) >= PROBLEMS_MAX


def _scalar(text: str) -> str | int | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _WHOLE.fullmatch(text) else text

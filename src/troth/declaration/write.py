"""Writing a declaration as readable YAML: the order of the model, the short forms, optional comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from troth.declaration.base import Period
from troth.declaration.model import Declaration
from troth.declaration.purposes import CollectedField
from troth.declaration.shape import bare, inner, keys
from troth.declaration.systems import (
    Erasure,
    FieldStrategy,
    FieldUse,
    IdentityColumn,
    System,
    Table,
    is_long_erasure,
    read_reference,
)

_KEY_MAX = 1_000
"""Characters; YAML requires a '?' before a key of more than 1,024."""
WIDTH = 110
"""Columns up to which a small mapping or list stays on one line."""


def write(declaration: Declaration | Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """*declaration* as YAML text. A mapping may be any part of a declaration, long or short, complete or not.

    *comments* go above the key at their path (``systems.shop.tables.customer``), that of the empty path above
    everything. Reading the text returns an equal declaration, and writing that returns the same text.
    """
    raw = _dumped(declaration) if isinstance(declaration, Declaration) else declaration
    notes = _Notes(comments or {})
    lines = [*notes.lines(()), *_lines(_short(Declaration, raw), (), notes)]
    return "\n".join(lines) + "\n"


def _dumped(declaration: Declaration) -> dict[str, Any]:
    return {"troth": 1, **declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True)}


# --- short forms ----------------------------------------------------------------------------------------------------


def _short(kind: Any, value: Any) -> Any:
    """*value* of type *kind* in the order of the model, each part in its shortest form."""
    if isinstance(value, list | tuple):
        return [_short(inner(kind, "0"), element) for element in value]
    if not isinstance(value, Mapping):
        return None if value == "null" and kind == FieldStrategy else value
    if bare(kind) is Erasure and not is_long_erasure(value):
        value = {"fields": value}
    order = keys(kind)
    if not order:
        return {str(key): _short(inner(kind, str(key)), entry) for key, entry in value.items()}
    named = [key for key in order if value.get(key) is not None] + [key for key in value if key not in order]
    if bare(kind) is System:
        value = {**value, "tables": _own_references(value.get("tables") or {})}
    return _collapsed(bare(kind), {key: _short(inner(kind, key), value[key]) for key in named})


def _collapsed(kind: Any, value: dict[str, Any]) -> Any:
    """The bare scalar that is equivalent to *value*, if there is one."""
    bare_key = {FieldUse: "category", IdentityColumn: "column", CollectedField: "need"}.get(kind)
    if bare_key is not None and value.keys() == {bare_key} and isinstance(value[bare_key], str):
        return value[bare_key]
    if kind is Period and value.keys() == {"count", "unit"}:
        return f"{value['count']} {value['unit']}{'' if value['count'] == 1 else 's'}"
    if kind is Erasure and value == {"rows": "delete"}:
        return "delete"
    if kind is Erasure and value.keys() <= {"rows", "fields"} and value.get("rows", "keep") == "keep":
        fields = value.get("fields", {})
        return value if is_long_erasure(fields) else fields
    if kind is Table and isinstance(value.get("key"), list) and len(value["key"]) == 1:
        return {**value, "key": value["key"][0]}
    return value


def _own_references(tables: Mapping[str, Any]) -> dict[str, Any]:
    """*tables* with their references as text, if the text would be read as the same reference."""
    shorter: dict[str, Any] = {}
    for name, table in tables.items():
        shorter[name] = table
        for link in ("belongs_to", "refers_to"):
            if isinstance(table, Mapping) and isinstance(table.get(link), Mapping):
                texts = {key: _reference_text(key, to, tables) for key, to in table[link].items()}
                shorter[name] = {**shorter[name], link: texts}
    return shorter


def _reference_text(key: str, to: Any, tables: Mapping[str, Any]) -> Any:
    if not isinstance(to, Mapping):
        return to
    path = f"{to['system']}.{to['table']}" if to.get("system") else to["table"]
    ends = list(to["to"])
    text = f"{path}.{ends[0]}" if len(ends) == 1 else f"{path}.({', '.join(ends)})"
    meant = {"system": None, "columns": [key], **to}
    read = read_reference(key, text)
    if "." in path and path in tables and isinstance(read, dict):
        read = {**read, "system": None, "table": path}  # the system's own table takes precedence
    same = isinstance(read, dict) and all(
        _same(read[part], meant[part]) for part in ("columns", "system", "table", "to")
    )
    return text if same else dict(to)


def _same(first: Any, other: Any) -> bool:
    return list(first) == list(other) if isinstance(first, tuple) else bool(first == other)


# --- text -----------------------------------------------------------------------------------------------------------


class _Notes:
    """The comments by the path of their key, and the paths with comments below them."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self._around = {path[:end] for path in comments for end, letter in enumerate(path) if letter == "."}

    def lines(self, path: tuple[str, ...]) -> Iterator[str]:
        text = self._comments.get(".".join(path), "")
        yield from (f"# {_UNPRINTABLE.sub('…', line)}".rstrip() for line in text.splitlines())

    def stand_below(self, path: tuple[str, ...]) -> bool:
        return ".".join(path) in self._around


def _lines(value: Any, path: tuple[str, ...], notes: _Notes) -> Iterator[str]:
    """The block lines of the mapping or list at *path*, without indentation."""
    entries = value.items() if isinstance(value, Mapping) else ((str(at), entry) for at, entry in enumerate(value))
    for name, entry in entries:
        at = (*path, name)
        yield from notes.lines(at)
        head = f"{_scalar(name)}:" if isinstance(value, Mapping) else "-"
        if len(head) > _KEY_MAX:
            yield f"? {head[:-1]}"
            head = ":"
        line = _one_line(entry)
        fits = line is not None and len(line) + len(head) + 2 * len(path) <= WIDTH and not notes.stand_below(at)
        if not isinstance(entry, Mapping | list) or fits or not entry:
            yield f"{head} {line if line is not None else _flow(entry)}"
        elif head == "-":
            first, *rest = _lines(entry, at, notes)
            yield f"- {first}"
            yield from (f"  {below}" for below in rest)
        else:
            yield head
            yield from (f"  {below}" for below in _lines(entry, at, notes))


def _one_line(value: Any) -> str | None:
    """*value* on one line, if it is a scalar, or a mapping or list of only scalars and lists of them."""
    if isinstance(value, Mapping):
        simple = not any(isinstance(entry, Mapping) or len(key) > WIDTH for key, entry in value.items())
        return _flow(value) if simple and all(_one_line(entry) for entry in value.values()) else None
    if isinstance(value, list):
        return None if any(isinstance(element, Mapping | list) for element in value) else _flow(value)
    return _scalar(value, block=True)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


_PLAIN = re.compile(r"(?:[^\W\d]|/\w|[0-9]+ [a-z])[\w./()'@+&%-]*(?: [\w./()'@+&%-]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REFERENCE = re.compile(r"\$\{\w+\}")
_OTHERWISE = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def _scalar(value: Any, *, block: bool = False) -> str:
    """One scalar, in quotes wherever any version of YAML could read it as something else."""
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return json.dumps(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _OTHERWISE:
        return text
    if block and _REFERENCE.fullmatch(text):
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))

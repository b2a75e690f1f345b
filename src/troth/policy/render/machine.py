"""Converts the facts of a notice to JSON-LD in terms of the W3C Data Privacy Vocabulary, and back.

The shape of a node is data (``graph.toml``): the property that leads to it, its type, and the term of each column. Our
key is kept next to every term as ``dct:identifier``, for what the vocabulary cannot express. A term of the vocabulary
is the type of a blank node and never its name: a statement about an e-mail address in one place must not apply to all
of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from troth.data_files import read_toml
from troth.declaration import Period, dpv
from troth.policy.render.content import KINDS, NoticeContent, NoticeRow, columns
from troth.policy.render.document import contacts
from troth.policy.render.facts import law_of_notices
from troth.policy.render.words import Row

How = Literal["text", "texts", "data", "coded", "codes", "period"]


@dataclass(frozen=True, slots=True)
class _Column:
    """*term* holds the column in the form *how*; *need* separates required from optional data."""

    term: str
    how: How = "text"
    need: str = ""


@dataclass(frozen=True, slots=True)
class _Shape:
    under: str
    type: str
    columns: tuple[_Column, ...]


@cache
def _shapes() -> Mapping[str, _Shape]:
    """The shape of a row of each table."""
    rows = _graph()["shapes"].items()
    return {
        kind: _Shape(row["under"], row["type"], tuple(_Column(**column) for column in row["columns"]))
        for kind, row in rows
    }


def _graph() -> dict[str, Any]:
    return read_toml(__package__, "graph.toml")


def to_json_ld(content: NoticeContent) -> str:
    """The facts as one JSON-LD document; equal facts give equal bytes."""
    document: dict[str, Any] = {
        "@context": _graph()["context"],
        "@id": content.pages["policy"],
        "@type": "dpv:PrivacyNotice",
        "dpv:hasDataController": {
            "@type": "dpv:DataController",
            **{_graph()["contacts"][key]: value for key, value in contacts(content)},
        },
    }
    counts: dict[str, int] = {}
    for kind, fact in content.each():
        counts[kind] = counts.get(kind, 0) + 1
        node = {"@id": f"#{kind}-{counts[kind]}", **_node(kind, fact)}
        document.setdefault(_shapes()[kind].under, []).append(node)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def rows_of(text: str) -> Mapping[str, list[Row]]:
    """The rows of each table in one of our JSON-LD documents, and ``controller`` with its contacts.

    Raises `ValueError` if it is not such a document.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("the JSON-LD is no object")
    found: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for under in dict.fromkeys(shape.under for shape in _shapes().values()):
        for node in document.get(under, []):
            kind = str(node.get("@id", "")).removeprefix("#").rpartition("-")[0]
            if kind in _shapes() and _shapes()[kind].under == under:
                found[kind].append(_row(kind, node))
    controller = document.get("dpv:hasDataController", {})
    found["controller"] = [
        (key, str(controller[term])) for key, term in _graph()["contacts"].items() if term in controller
    ]
    return found


def _node(kind: str, fact: NoticeRow) -> dict[str, Any]:
    shape, node = _shapes()[kind], dict[str, Any]()
    node["@type"] = shape.type
    for name, column in zip(columns(type(fact)), shape.columns, strict=True):
        value = getattr(fact, name)
        if value:
            written = _written(column, name, value)
            node[column.term] = [*node.get(column.term, []), *written] if isinstance(written, list) else written
    return node


def _row(kind: str, node: Mapping[str, Any]) -> Row:
    shape = _shapes()[kind]
    return tuple(
        _read(column, name, node.get(column.term))
        for name, column in zip(columns(KINDS[kind]), shape.columns, strict=True)
    )


def _written(column: _Column, name: str, value: Any) -> Any:
    match column.how:
        case "data":
            return [_category(key, column.need) for key in value]
        case "texts":
            return list(value)
        case "coded":
            return _coded(name, value)
        case "period":
            return _duration(value)
    return value


def _read(column: _Column, name: str, written: Any) -> str | tuple[str, ...]:
    """The inverse of `_written`. A node that states two things at once is read as neither."""
    match column.how:
        case "data":
            nodes = [node for node in written or [] if _need(node) == column.need]
            return tuple(_key(node, _category(_identifier(node), column.need)) for node in nodes)
        case "texts":
            return tuple(map(str, written or []))
        case "coded":
            return _key(written, _coded(name, _identifier(written))) if written else ""
        case "period":
            return _period(written) if written else ""
    return str(written or "")


def _category(key: str, need: str) -> dict[str, Any]:
    node: dict[str, Any] = {"@type": _iri(key), "dct:identifier": key}
    return node | {"dpv:hasNecessity": {"@id": need}} if need else node


def _coded(name: str, key: str) -> dict[str, Any]:
    terms = law_of_notices()["dpv"].get(name) or {right: it["dpv"] for right, it in law_of_notices()["rights"].items()}
    return {"@type": terms.get(key, ""), "dct:identifier": key}


def _iri(key: str) -> str:
    try:
        return dpv(key) or "dpv:PersonalData"
    except KeyError:
        return "dpv:PersonalData"


def _identifier(node: Any) -> str:
    return str(node.get("dct:identifier", "")) if isinstance(node, dict) else ""


def _key(node: Any, whole: Mapping[str, Any]) -> str:
    return _identifier(node) if node == whole else json.dumps(node, sort_keys=True)


def _need(node: Any) -> str:
    need = node.get("dpv:hasNecessity") if isinstance(node, dict) else None
    return str(need.get("@id", "")) if isinstance(need, dict) else ""


def _duration(period: str) -> Any:
    """``90 days`` as ``P90D``; anything but a number of days, weeks, months or years is kept as text."""
    try:
        parsed = Period.model_validate(period)
    except ValueError:
        return period
    return {"@type": "xsd:duration", "@value": f"P{parsed.count}{parsed.unit[0].upper()}"}


_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}


def _period(written: Any) -> str:
    value = written.get("@value", "") if isinstance(written, dict) else ""
    if not (value.startswith("P") and value[1:-1].isdecimal() and value[-1] in _UNITS):
        return str(written)
    return str(Period(count=int(value[1:-1]), unit=_UNITS[value[-1]]))

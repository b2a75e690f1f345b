"""A draft of a declaration's systems from Fides dataset files, for companies that have described their data already.

Fides states what a field is and where its values lead; it does not state what erasure does to a row, nor why data is
held. The draft contains what it states, and lists everything that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.data_files import read_toml
from troth.declaration.problems import Position, Problem, Severity, in_order, meant, shown
from troth.declaration.taxonomy import covers, is_category, nearest
from troth.declaration.write import write
from troth.declaration.yaml_reader import YamlDocument, read


@dataclass(frozen=True, slots=True)
class FidesDraft:
    """*systems* is a part of a declaration: one system per dataset, as `write` accepts it. *notes* list, in the order
    of the text, what could not be converted and what was assumed."""

    systems: Mapping[str, Any]
    notes: tuple[Problem, ...]


def from_fides(text: str | bytes, *, file: str | Path = "dataset.yml") -> FidesDraft:
    """Draft systems from the Fides datasets in *text*: collections become tables, fields with a category become fields,
    references become ``belongs_to`` (if Fides gives a direction) or ``refers_to`` (if it does not).

    Raises `DeclarationErrors` if the text is not YAML; any other fault is a note.
    """
    document = read(text, file=Path(file))
    draft = _Draft(document)
    draft.notes += document.problems
    datasets = _entries(document.values, "dataset")
    if not datasets:
        draft.note((), "fides-empty", "the file contains no dataset", "a Fides dataset file starts with 'dataset:'")
    for index, dataset in datasets:
        draft.dataset(("dataset", index), dataset)
    for reference in draft.references:
        draft.link(reference)
    for path, table in draft.tables:
        draft.settle(path, table)
    return FidesDraft({name: _finished(system) for name, system in draft.systems.items()}, in_order(draft.notes))


def dump(draft: FidesDraft) -> str:
    """The draft as the text of a part of a declaration, with its notes above it as comments."""
    notes = [f"- {note.path}: {note.message}" + (f"; {note.fix}" if note.fix else "") for note in draft.notes]
    head = ["Drafted from a Fides dataset.", *(["To be checked:", *notes] if notes else [])]
    return write({"systems": draft.systems}, {"": "\n".join(head)})


def _entries(values: Any, key: str) -> list[tuple[str, dict[str, Any]]]:
    """The mappings in the list under *key*, with their index."""
    found = values.get(key) if isinstance(values, dict) else None
    return [(str(at), one) for at, one in enumerate(found) if isinstance(one, dict)] if isinstance(found, list) else []


def _finished(system: dict[str, Any]) -> dict[str, Any]:
    tables = {name: {key: part for key, part in table.items() if part} for name, table in system["tables"].items()}
    return {**system, "tables": tables}


_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _FidesReference:
    """A reference as written, to be linked once every collection is known."""

    path: _Path
    system: str
    table: str
    column: str
    to_system: str
    to_path: str
    direction: str
    """``from``, ``to``, or anything else if none is given."""


_DATASET_READ = {"fides_key", "name", "description", "collections"}
_COLLECTION_READ = {"name", "description", "fields", "data_categories", "fides_meta", "fidesops_meta"}
_FIELD_READ = {"name", "description", "data_categories", "fides_meta", "fidesops_meta", "fields"}
_META_READ = {"references", "identity", "primary_key", "data_type", "length", "masking_strategy_override"}


@dataclass
class _Draft:
    document: YamlDocument
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: list[tuple[_Path, dict[str, Any]]] = field(default_factory=list)
    references: list[_FidesReference] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def note(self, path: _Path, code: str, message: str, fix: str = "") -> None:
        places, start = self.document.places, Position(self.document.file, 1, 1)
        where = next((places[path[:end]][0] for end in range(len(path), 0, -1) if path[:end] in places), start)
        self.notes.append(Problem(code, where, ".".join(map(shown, path)), message, fix, Severity.WARNING))

    def unread(self, path: _Path, mapping: dict[str, Any], known: set[str]) -> None:
        """Note the keys of *mapping* that a declaration has no place for."""
        for key, value in mapping.items():
            if key not in known and value not in (None, False, [], {}):
                self.note((*path, key), "fides-unread", f"'{shown(key)}' is not supported and was dropped")

    def name(self, key: object) -> str:
        """The system name for a dataset's key: without dots and spaces."""
        return re.sub(r"[.\s]+", "_", str(key))

    def dataset(self, path: _Path, dataset: dict[str, Any]) -> None:
        name = self.name(dataset.get("fides_key") or dataset.get("name") or f"dataset_{path[-1]}")
        if name in self.systems:
            self.note(path, "fides-twice", f"a second dataset '{shown(name)}' is left out", "give it another key")
            return
        self.unread(path, dataset, _DATASET_READ)
        variable = re.sub(r"\W", "_", name, flags=re.ASCII).upper().lstrip("0123456789") or "STORE"
        self.systems[name] = {"store": f"${{{variable}_DATABASE_URL}}", "tables": {}}
        if dataset.get("name"):
            self.systems[name]["title"] = str(dataset["name"])
        for index, collection in _entries(dataset, "collections"):
            self.collection((*path, "collections", index), name, collection)

    def collection(self, path: _Path, system: str, collection: dict[str, Any]) -> None:
        name = str(collection.get("name") or f"collection_{path[-1]}")
        if name in self.systems[system]["tables"]:
            self.note(path, "fides-twice", f"a second collection '{shown(name)}' is left out", "give it another name")
            return
        table: dict[str, Any] = {"key": [], "identity": {}, "mentions": {}, "fields": {}}
        table |= {"belongs_to": {}, "refers_to": {}, "erase": {}, "ignore": []}
        self.systems[system]["tables"][name] = table
        self.tables.append((path, table))
        self.unread(path, collection, _COLLECTION_READ)
        meta_path, meta = _meta(path, collection)
        self.unread(meta_path, meta, {"masking_strategy_override"})
        for index, one in _entries(collection, "fields"):
            self.field((*path, "fields", index), system, name, one, collection.get("data_categories"))
        if _override(meta) == "delete":
            table["erase"] = "delete"

    def field(self, path: _Path, system: str, table_name: str, item: dict[str, Any], inherited: Any) -> None:
        column = str(item.get("name") or f"field_{path[-1]}")
        table = self.systems[system]["tables"][table_name]
        self.unread(path, item, _FIELD_READ)
        meta_path, meta = _meta(path, item)
        self.unread(meta_path, meta, _META_READ)
        self.category(path, table, column, item, inherited)
        if meta.get("primary_key") is True:
            table["key"].append(column)
        if meta.get("identity"):
            self.identity((*meta_path, "identity"), table, column, str(meta["identity"]))
        override = _override(meta)
        strategies = read_toml(__package__, "data/fides.toml")["strategies"]
        if override in strategies:
            table["erase"][column] = strategies[override]
        elif override is not None:
            at = (*meta_path, "masking_strategy_override")
            self.note(
                at, "fides-strategy", f"no strategy corresponds to '{shown(override)}'", "choose one under 'erase'"
            )
        for index, reference in _entries(meta, "references"):
            at = (*meta_path, "references", index)
            to_system, to_path = self.name(reference.get("dataset")), str(reference.get("field"))
            direction = str(reference.get("direction"))
            self.references.append(_FidesReference(at, system, table_name, column, to_system, to_path, direction))

    def category(self, path: _Path, table: dict[str, Any], column: str, item: dict[str, Any], inherited: Any) -> None:
        """Set the field's category: its first, or one that covers all nested ones."""
        own = [category for category in _texts(item.get("data_categories")) if self.is_known(path, category)]
        nested = [category for category in _nested(item) if self.is_known(path, category)]
        own = own or ([] if nested else [one for one in _texts(inherited) if self.is_known(path, one)])
        personal = [category for category in own if covers("user", category)]
        if nested:
            broad = _common([*personal, *nested])
            self.note(path, "fides-nested", f"nested fields are declared together as '{broad}'", "narrow it by hand")
            table["fields"][column] = broad
        elif personal:
            table["fields"][column] = personal[0]
            for category in personal[1:]:
                self.note(path, "fides-category", f"a second category, '{category}', is left out", "choose one")
        elif own:
            table["ignore"].append(column)
        elif not _texts(item.get("data_categories")):
            fix = "give it one, or add it to 'ignore'"
            self.note(path, "fides-category", f"'{shown(column)}' has no category", fix)

    def is_known(self, path: _Path, category: str) -> bool:
        if is_category(category):
            return True
        fix = meant(nearest(category), "choose one of ours")
        self.note(path, "category-unknown", f"no data category '{shown(category)}'", fix)
        return False

    def identity(self, path: _Path, table: dict[str, Any], column: str, word: str) -> None:
        kind = read_toml(__package__, "data/fides.toml")["identities"].get(word)
        if kind is None:
            self.note(
                path, "fides-identity", f"no identity corresponds to '{shown(word)}': imported as an account number"
            )
        if table["identity"].setdefault(kind or "account", column) != column:
            message = f"a second {kind or 'account'} of the same rows is left out"
            self.note(path, "fides-identity", message, "choose one")

    def link(self, reference: _FidesReference) -> None:
        """Fides's ``from`` points from the owner to this field, ``to`` from this field to what it owns."""
        tables = self.systems.get(reference.to_system, {}).get("tables", {})
        names = [name for name in tables if reference.to_path.startswith(f"{name}.")]
        table = max(names, key=len, default="")
        column = reference.to_path.removeprefix(f"{table}.") if table else ""
        if not column or "." in column:
            reason = "refers to a nested field" if column else "refers to a collection that is not in this file"
            message = f"the reference to '{shown(reference.to_system)}.{shown(reference.to_path)}' {reason}"
            self.note(reference.path, "fides-reference", message, "add it by hand")
            return
        here, there = (reference.system, reference.table, reference.column), (reference.to_system, table, column)
        if reference.direction == "to":
            self.refer(reference, "belongs_to", there, here)
        else:
            self.refer(reference, "belongs_to" if reference.direction == "from" else "refers_to", here, there)

    def refer(self, reference: _FidesReference, link: str, here: _Path, there: _Path) -> None:
        links = self.systems[here[0]]["tables"][here[1]][link]
        to = {"columns": [here[2]], "table": there[1], "to": [there[2]]}
        if there[0] != here[0]:
            to["system"] = there[0]
        if links.setdefault(here[2], to) != to:
            message = f"'{shown(here[1])}.{shown(here[2])}' refers to two tables: the second is left out"
            self.note(reference.path, "fides-reference", message, "choose one")
        if link == "refers_to":
            message = "no direction: imported as 'refers_to', which does not make the row that person's"
            self.note(reference.path, "fides-direction", message, "move it to 'belongs_to' if the row is that person's")

    def settle(self, path: _Path, table: dict[str, Any]) -> None:
        """Rows that belong to other rows mention people but are not people: turn their identities into mentions."""
        if table["identity"] and table["belongs_to"]:
            table["mentions"], table["identity"] = table["identity"], {}
            message = "its rows belong to others, so its identities are declared as 'mentions'"
            self.note(path, "fides-mentions", message, "move them to 'identity' if each row is one person")


def _meta(path: _Path, item: dict[str, Any]) -> tuple[_Path, dict[str, Any]]:
    """The mapping of settings, under its current or its former name."""
    for key in ("fides_meta", "fidesops_meta"):
        if isinstance(item.get(key), dict):
            return (*path, key), item[key]
    return path, {}


def _override(meta: dict[str, Any]) -> str | None:
    override = meta.get("masking_strategy_override")
    return str(override["strategy"]) if isinstance(override, dict) and "strategy" in override else None


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _nested(item: dict[str, Any]) -> Iterator[str]:
    for _, inner in _entries(item, "fields"):
        yield from (category for category in _texts(inner.get("data_categories")) if covers("user", category))
        yield from _nested(inner)


def _common(categories: list[str]) -> str:
    """The narrowest category that covers all of *categories*."""
    broad = categories[0]
    while not all(covers(broad, category) for category in categories):
        broad = broad.rpartition(".")[0]
    return broad

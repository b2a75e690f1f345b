"""The end of rows: what erasure does to them, what keeps them, and what sealing still allows."""

from __future__ import annotations

from typing import Final

from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.rules.column_roles import columns, leads_in, naming_columns
from troth.declaration.rules.problem import Faults, TablePlace, UnplacedProblem, listed, places
from troth.declaration.systems import BlindSearch, Strategy
from troth.declaration.taxonomy import covers
from troth.text import nearest


def _erasure(declaration: Declaration) -> Faults:
    """Every table with personal data states what erasure does, for every field of it."""
    for place in places(declaration):
        table, erase = place.table, place.table.erase
        personal = [column for column, use in table.fields.items() if covers("user", use.category)]
        if erase is None:
            is_persons = table.belongs_to and not table.keep and not table.unlinked
            if personal or table.identity or table.mentions or is_persons:
                fix = "add 'erase: delete', or a strategy for each field"
                yield UnplacedProblem(
                    "erase-missing", place.path(), "what erasure does to these rows is not declared", fix
                )
        elif erase.rows == "keep" or erase.fields:  # deleted rows may have to stay if others refer to them
            naming = [column for _, column in naming_columns(place)]
            untreated = [column for column in dict.fromkeys([*personal, *naming]) if column not in erase.fields]
            if not (untreated or erase.fields or table.keep or table.unlinked) and leads_in(table):
                message = "rows of a person are kept, and no reason is declared"
                fix = "write 'delete', give a field a strategy, or add 'keep' to the table, with 'because' and 'cite'"
                yield UnplacedProblem("erase-nothing", place.path("erase"), message, fix)
            if untreated:
                message = f"what erasure does to these fields is not declared: {listed(untreated)}"
                yield UnplacedProblem("erase-field-missing", place.path("erase"), message, "give each a strategy")
            yield from _strategies(place, place.path("erase", "fields"), erase.fields)


def _strategies(place: TablePlace, path: tuple[str, ...], strategies: dict[str, Strategy]) -> Faults:
    known = columns(place.table)
    for column, strategy in strategies.items():
        at = (*path, column)
        if column not in known:
            fix = meant(nearest(column, known), "declare it under 'fields'")
            yield UnplacedProblem("erase-field-unknown", at, f"no declared field '{shown(column)}'", fix)
        if strategy is Strategy.DELETE:
            message = "a field cannot be deleted from its row"
            yield UnplacedProblem(
                "erase-delete-field", at, message, "write 'null', or 'erase: delete' for the whole row"
            )
        elif strategy is Strategy.KEEP and place.table.keep is None:
            fix = "add 'keep' to the table, with 'because' and 'cite'"
            yield UnplacedProblem("keep-missing", at, "the field is kept, and no reason is declared", fix)


def _sealing(declaration: Declaration) -> Faults:
    """Sealed fields are searched and erased in ways that work on ciphertext."""
    for place in places(declaration):
        fields = place.table.fields
        for path, column in naming_columns(place):
            if column in fields and fields[column].sealed:
                message = f"'{shown(column)}' is sealed and cannot be searched: requests do not find these people"
                yield UnplacedProblem(
                    "identity-sealed", path, message, "identify them by another column, or by an account number"
                )
        told: dict[str, str] = {}
        for column, use in fields.items():
            if use.search is not None:
                yield from _search(place, column, use.search, told)
            if use.token is not None and use.sealed:
                message = f"'{shown(column)}' is declared to hold both sealed values and tokens"
                yield UnplacedProblem(
                    "token-sealed", place.path("fields", column), message, "remove 'sealed' or 'token'"
                )
        buckets = {use.search.column for use in fields.values() if use.search is not None}
        erase, keep = place.table.erase, place.table.keep
        for at, strategies in (
            (("erase", "fields"), erase.fields if erase else {}),
            (("keep", "meanwhile"), keep.meanwhile if keep else {}),
        ):
            for column, strategy in strategies.items():
                is_sealed = column in buckets or (column in fields and fields[column].sealed)
                if is_sealed and strategy in (Strategy.MASK, Strategy.PSEUDONYMISE):
                    message = f"'{strategy}' writes an unsealed value, which the application cannot open"
                    yield UnplacedProblem(
                        "erase-sealed", place.path(*at, column), message, "write 'null'", Severity.WARNING
                    )


def _search(place: TablePlace, column: str, search: BlindSearch, problems: dict[str, str]) -> Faults:
    """An index covers sealed fields, each in no other index, and its buckets are erased with them. *problems* maps the
    fields indexed so far to the field that declares it."""
    fields, path = place.table.fields, place.path("fields", column, "search")
    names = (column, *search.with_)
    for at, name in enumerate(names):
        if name not in fields or fields[name].sealed is not True:
            fix = "add 'sealed: true' to it" if name in fields else meant(nearest(name, fields), "declare it")
            yield UnplacedProblem("search-unsealed", path, f"'{shown(name)}' is not a field with 'sealed: true'", fix)
        elif name in names[:at] or problems.setdefault(name, column) != column:
            message = f"'{shown(name)}' is in two indexes, which together distinguish values that each alone does not"
            yield UnplacedProblem("search-twice", path, message, "remove one of them")
    if search.column not in fields:
        fix = f"add it to the fields of '{shown(place.name)}', with the category of the values that it finds"
        message = f"the buckets in '{shown(search.column)}' are personal data and are not declared"
        yield UnplacedProblem("search-column", (*path, "column"), message, fix)


def _keeping(declaration: Declaration) -> Faults:
    """Kept rows have a start date, and only the fields that the reason needs are kept."""
    for place in places(declaration):
        keep = place.table.keep
        if keep is None:
            continue
        if keep.for_ is not None and keep.from_ is None:
            fix = "add 'from: …', the column that the period starts from"
            yield UnplacedProblem("keep-from-missing", place.path("keep"), "the period has no start", fix)
        known = columns(place.table)
        for column, strategy in keep.meanwhile.items():
            path = place.path("keep", "meanwhile", column)
            if column not in known:
                fix = meant(nearest(column, known), "declare it under 'fields'")
                yield UnplacedProblem("keep-field-unknown", path, f"no declared field '{shown(column)}'", fix)
            if strategy in (Strategy.DELETE, Strategy.KEEP):
                yield UnplacedProblem(
                    "keep-meanwhile", path, f"'{strategy}' is not possible while the row is kept", "remove the field"
                )


def _retention(declaration: Declaration) -> Faults:
    """A retention rule names a declared table, as ``system.table``."""
    tables = [f"{place.system}.{place.name}" for place in places(declaration)]
    known = set(tables)
    for name, rule in declaration.retention.items():
        if rule.table not in known:
            fix = meant(nearest(rule.table, tables), "write 'system.table'")
            yield UnplacedProblem(
                "retention-table", ("retention", name, "table"), f"no table '{shown(rule.table)}'", fix
            )


RULES: Final = (_erasure, _sealing, _keeping, _retention)

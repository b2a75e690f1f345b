"""Custom SQL controls: a query that returns one number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from troth.controls import BadFigure, CheckOutcome, ControlResult, Evidence, answers_own, figure_of, judged
from troth.declaration import Declaration, OwnControl, Problem
from troth.stores.contract import QueryableStore, Store, StoreBusy, StoreError, StoreRefused


def check_figures(declaration: Declaration, system: str, store: Store) -> Iterator[Problem]:
    """Problems of the custom controls whose figure *store* does not return; each is queried once."""
    for id_, own in declaration.controls.items():
        if own.sql is None or own.sql.system != system:
            continue
        try:
            if not isinstance(store, QueryableStore):
                raise StoreRefused(f"{system} is not an SQL database and cannot run a SELECT", store=system)
            figure_of(store.figure(own.sql.figure, within_s=own.sql.timeout_s))
        except (StoreError, BadFigure) as refused:
            path = f"controls.{id_}.sql.figure"
            yield declaration.problem("control-figure", path, f"no figure: {refused}", "fix the SELECT")


@answers_own("sql")
def own_sql(own: OwnControl, stores: Mapping[str, Store]) -> ControlResult:
    """Runs a SELECT of one number, read-only and with a time limit. Only the hash of its text is recorded."""
    assert own.sql is not None, "it is registered for these"
    name, scope = own.sql.system, frozenset({own.sql.system})
    query = "sha256:" + hashlib.sha256(own.sql.figure.encode()).hexdigest()
    store = stores.get(name)
    if store is None:
        return ControlResult(CheckOutcome.ERROR, f"{name} was not available.", Evidence(scope, query=query))
    if not isinstance(store, QueryableStore):
        return ControlResult(
            CheckOutcome.ERROR, f"{name} is not an SQL database and cannot run a SELECT.", Evidence(scope, query=query)
        )
    try:
        figure = figure_of(store.figure(own.sql.figure, within_s=own.sql.timeout_s))
    except StoreBusy:
        why = f"{name} returned no figure within {own.sql.timeout_s} seconds."
        return ControlResult(CheckOutcome.ERROR, why, Evidence(scope, query=query))
    return judged(own, figure, name, Evidence(scope, scope, population=1, tested=1, query=query))

"""Custom controls, in addition to those of the catalogue."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType

from troth.controls.catalogue import catalogue
from troth.controls.model import Control
from troth.declaration import Audience, Declaration, OwnControl
from troth.sandbox import START_S


def controls_of(declaration: Declaration) -> Mapping[str, Control]:
    """Every control that the declaration may bind: the catalogue's, followed by the custom ones."""
    if not declaration.controls:
        return catalogue()
    own = {id_: _control(id_, given) for id_, given in declaration.controls.items()}
    return MappingProxyType({**catalogue(), **own})


def _control(id_: str, own: OwnControl) -> Control:
    return Control(
        id=id_,
        version=_version(own),
        question=own.question,
        citation="The company's own",
        clauses=(),
        every=own.often,
        fresh_for=own.fresh,
        remedy=own.remedy,
        cannot_see=own.cannot_see,
        looks_at=own.looks_at or "what its figure counts",
        whole=own.whole,
        audience=Audience.STAFF if own.concerns else own.audience,
        severity=own.severity,
        failures_to_break=own.failures,
        principles=own.principles,
        owner=own.owner or "",
        is_own=True,
        must=own.must,
        limit=_limit(own),
    )


def _version(own: OwnControl) -> int:
    """A number that changes with the query, the figure or the limit: an earlier pass then proves nothing."""
    asked = own.model_dump(mode="json", include={"sql", "http", "pushed"})
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    return 1 + int.from_bytes(digest[:4]) // 4  # fits a signed 32-bit column


def _limit(own: OwnControl) -> dt.timedelta:
    """Slightly longer than the query may take, including the start of its process: the query's own timeout comes first,
    and its message says more."""
    asked = own.sql or own.http
    pages = 1 + len(own.http.also) if own.http else 1
    return dt.timedelta(seconds=(asked.timeout_s if asked else 0) * pages + START_S + 10)

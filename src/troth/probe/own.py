"""How addresses answer the company's own controls: with one number, or with whether they answered as they should."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any
from urllib.parse import urlsplit

from troth.declaration import HttpFigure, OwnControl, resolve
from troth.probe.site import Limits, Site, get
from troth.promises import Answer, BadFigure, Evidence, Outcome, answers_own, figure_of, judged

__all__: list[str] = []

_BYTES_MAX = 1_000_000


@answers_own("http")
def own_http(own: OwnControl) -> Answer:
    """One answer of one address, which is https or this machine; no redirect is followed, and what it says is not
    kept."""
    asked = own.http
    assert asked is not None, "it is registered for these"
    host = urlsplit(asked.url).hostname or ""
    sent = {"authorization": f"Bearer {resolve(asked.token, os.environ).reveal()}"} if asked.token else {}
    limits = Limits(seconds=asked.timeout_s, bytes_max=_BYTES_MAX, redirects_max=0)
    response, body = get(Site(asked.url, limits=limits), asked.url, sent)
    scope = frozenset({host})
    evidence = Evidence(scope, scope, 1, 1, query="sha256:" + hashlib.sha256(asked.url.encode()).hexdigest())
    is_right = response.status_code == asked.status
    is_right &= asked.contains is None or asked.contains.encode() in body
    if asked.json_ is None:
        return judged(own, int(is_right), host, evidence)
    if not is_right:
        why = f"{host} answered {response.status_code}, or without the words that are expected, and gave no figure."
        return Answer(Outcome.ERROR, why, Evidence(scope, query=evidence.query))
    return judged(own, figure_of(_at(body, asked)), host, evidence)


def _at(body: bytes, asked: HttpFigure) -> Any:
    """What stands at the pointer (RFC 6901). Raises `BadFigure`."""
    assert asked.json_ is not None, "it is asked for"
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise BadFigure("what was answered is no JSON") from None
    for part in asked.json_[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and len(key) < 8 and int(key) < len(found):
            found = found[int(key)]
        else:
            raise BadFigure(f"nothing stands at {asked.json_} in what was answered")
    return found

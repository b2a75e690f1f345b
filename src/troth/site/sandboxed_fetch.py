"""HTTP requests in a separate process (`troth.sandbox`): a hanging name lookup, trickling headers or an endless body
end with the process when the time limit is reached."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from troth.sandbox import START_S, SandboxRefusal, TooLong, TooMuch, ask, work
from troth.site.fetch import FetchLimits, Site, SiteUnreachable, get


def fetch(
    urls: Sequence[str], headers: Mapping[str, str], *, within_s: float, bytes_max: int
) -> list[tuple[int, bytes]]:
    """Status and body per address, within *within_s* each; redirects are not followed. Raises `SiteUnreachable`."""
    asked = {"urls": list(urls), "headers": dict(headers), "within_s": within_s, "bytes_max": bytes_max}
    limit = within_s * len(urls)
    try:
        found = json.loads(ask(__name__, given=json.dumps(asked).encode(), within_s=limit + START_S))
    except SandboxRefusal as refused:
        raise SiteUnreachable(str(refused)) from None
    except TooLong:
        raise SiteUnreachable(f"no complete answer within {limit:g} s") from None
    except TooMuch:
        raise SiteUnreachable("it exceeded its memory limit, or failed") from None
    return [(status, base64.b64decode(body)) for status, body in found]


def _answer(given: bytes) -> bytes:
    asked = json.loads(given)
    limits = FetchLimits(seconds=asked["within_s"], bytes_max=asked["bytes_max"], redirects_max=0)
    try:
        answers = [get(Site(url, limits=limits), url, asked["headers"]) for url in asked["urls"]]
    except SiteUnreachable as why:
        raise SandboxRefusal(str(why)) from None
    if unread := next((why for *_, why in answers if why), ""):
        raise SandboxRefusal(unread)
    return json.dumps([(it.status_code, base64.b64encode(body).decode()) for it, body, _ in answers]).encode()


def main() -> int:
    """Entry point of the sandboxed process; handles one call."""
    return work(_answer, cpu_s=90)

"""A company's own site that breaks on every request, and says in its error what it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from troth.service.wsgi import mounted


def _broken(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    logging.getLogger("example.shop").warning("asked for %s?%s", environ["PATH_INFO"], environ["QUERY_STRING"])
    raise ValueError(f"no page {environ['PATH_INFO']}?{environ['QUERY_STRING']}")


application = mounted(_broken)

"""How a log line looks: what happened and where, and nothing that a stranger typed.

Our own words are written out. What a library says may quote the address that was asked for, a header or a row, so of
a request only its outcome and the pattern of its address are written, and of all else where in the code it was said. An
exception is written as its type and place: its text may quote a row.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

__all__ = ["Line"]

_FRAMES_MAX = 12


class Line(logging.Formatter):
    """``2026-11-24T09:41:00Z WARNING troth.keep: message``, then for an exception its type and the last frames."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{at} {record.levelname} {record.name}: {_said(record)}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + self.formatException(record.exc_info)
        # One event is one line of the log, whatever a request put into it.
        return text.replace("\r", "\\r").replace("\n", "\n    ")

    def formatException(  # noqa: N802 - logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)[-_FRAMES_MAX:]
        places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        return "\n".join([f"{kind.__module__}.{kind.__qualname__}" if kind else "", *places])


def _said(record: logging.LogRecord) -> str:
    # The server's own lines are about processes; its compiled part, which quotes errors, has loggers below this one.
    if record.name == "_granian" or record.name.partition(".")[0] == "troth":
        return record.getMessage()
    status = getattr(record, "status_code", None)
    if status is None:
        return f"said in {record.filename}, line {record.lineno}; its text is not written down"
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    return f"answered {status}, at {match.route if match is not None else 'no address of ours'}"

"""How a log line looks: what happened and where. An exception's text may quote a row, so only its type and place are
written."""

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
        text = f"{at} {record.levelname} {record.name}: {record.getMessage()}"
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

"""Log format: what happened and where, and nothing that a stranger typed.

Our own messages are written out. Messages of libraries may quote an address, a header or a row, so a request is logged
as its status and route pattern, and anything else as its place in the code. An exception is logged as its type and
place: its text may quote a row.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

_FRAMES_MAX = 12
_Fault = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def described(*, as_json: bool) -> dict[str, Any]:
    """Configuration for ``logging.config.dictConfig``: our lines on standard error, as text or *as_json*."""
    line = JsonFormatter if as_json else LineFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{line.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "troth": {"level": "INFO"},
            # Django's own handlers would log the requested address.
            "django": {"handlers": [], "level": "WARNING"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


class LineFormatter(logging.Formatter):
    """``2026-11-24T09:41:00Z WARNING troth.keep: message``, then an exception's type and last frames."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{_at(record)} {record.levelname} {record.name}: {_said(record)}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + self.formatException(record.exc_info)
        # One event is one log record, whatever a request contains.
        return text.replace("\r", "\\r").replace("\n", "\n    ")

    def formatException(self, ei: _Fault) -> str:  # noqa: N802 - logging's name
        return "\n".join([_kind(ei), *_places(ei)])


class JsonFormatter(logging.Formatter):
    """One JSON object: ``at``, ``level``, ``logger``, ``process``, ``said``, and for an exception its type as ``error``
    and the last frames as ``places``."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "said": _said(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            told |= {"error": _kind(record.exc_info), "places": _places(record.exc_info)}
        return json.dumps(told)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind(fault: _Fault) -> str:
    return f"{fault[0].__module__}.{fault[0].__qualname__}" if fault[0] is not None else ""


def _places(fault: _Fault) -> list[str]:
    frames = traceback.extract_tb(fault[2])[-_FRAMES_MAX:]
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]


def _said(record: logging.LogRecord) -> str:
    # The server's own messages are about processes; its compiled part, which quotes errors, uses child loggers.
    if record.name == "_granian" or record.name.partition(".")[0] == "troth":
        return record.getMessage()
    status = getattr(record, "status_code", None)
    if status is None:
        return f"message from {record.filename}, line {record.lineno}; its text is not logged"
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    return f"answered {status}, at {match.route if match is not None else 'an unknown address'}"

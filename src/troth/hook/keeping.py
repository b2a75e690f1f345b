"""Rules shared by all memories. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

from troth.hook.values import Answer, AnswerState, Ask
from troth.hook.wire import dump_ask

KEPT_S = 400 * 24 * 3600
"""How long an answered ask is stored: longer than any legal deadline for an answer."""
CLAIM_S = 15 * 60
"""After this time, an ask that was claimed and never answered may be claimed again."""


def check_value(ask: Ask) -> str:
    """Four hexadecimal digits of the digest of an ask: enough to detect that an id was reused for something else, too
    few to recognise a person. The due date and the organisation are excluded, because they may change meanwhile."""
    meant = dataclasses.replace(
        ask, identifiers=tuple(sorted(ask.identifiers)), due=dt.date.min, organisation="anybody"
    )
    return hashlib.sha256(dump_ask(meant)).hexdigest()[:4]


def is_settled(answer: Answer) -> bool:
    """True if the ask is done or accepted. After a refusal or failure, a repeated ask is executed again."""
    return answer.state not in (AnswerState.REFUSED, AnswerState.FAILED)


def without_rows(answer: Answer) -> Answer:
    """The answer without its rows, since personal data must not be stored."""
    return dataclasses.replace(answer, rows={})

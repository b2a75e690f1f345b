"""What every memory holds to. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

from troth.hook.values import Answer, AnswerState, Ask
from troth.hook.wire import dump_ask

KEPT_S = 400 * 24 * 3600
"""How long an answered ask is remembered: longer than the law gives any answer."""
CLAIM_S = 15 * 60
"""After so long an ask that was begun and never answered is begun again."""


def check_value(ask: Ask) -> str:
    """Four hexadecimal digits of what was asked about whom: enough to notice that an id was used for something else,
    too few to recognise a person by. When it is due, and who asks, may change meanwhile."""
    meant = dataclasses.replace(
        ask, identifiers=tuple(sorted(ask.identifiers)), due=dt.date.min, organisation="anybody"
    )
    return hashlib.sha256(dump_ask(meant)).hexdigest()[:4]


def is_settled(answer: Answer) -> bool:
    """Whether the ask is done or taken on. A refusal or failure is of its moment: asked again, it is tried again."""
    return answer.state not in (AnswerState.REFUSED, AnswerState.FAILED)


def without_rows(answer: Answer) -> Answer:
    """What may be remembered of it: nobody's data."""
    return dataclasses.replace(answer, rows={})

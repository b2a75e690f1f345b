"""What cases can show: that recipients were told of what was corrected, erased or restricted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from troth.counting import counted
from troth.promises import Answer, Evidence, Finding, Outcome, answers
from troth.service.cases.models import Event
from troth.service.cases.models import Outcome as Ended
from troth.service.disclosure.plan import TELLING
from troth.service.disclosure.telling import State, StateOfNotice, all_since

__all__ = ["recipients_told"]

_PERIOD = dt.timedelta(days=90)
_LETTER = dt.timedelta(days=3)
"""How long a letter may be on its way."""
_BY_STAFF = dt.timedelta(days=14)
"""How long a recipient without an address may wait for somebody to tell them."""


@answers("cases.recipients_told")
def recipients_told(now: dt.datetime) -> Answer:
    """GDPR Art. 19: everybody who was owed a notice of a case that was closed was told, or there is a reason."""
    notices = {(one.case, one.recipient): one for one in all_since(now - _PERIOD)}
    owed = {*_announced(now - _PERIOD), *notices}
    lost = [(case, recipient) for case, recipient in owed if (case, recipient) not in notices]
    late = [one for one in notices.values() if _is_late(one, now)]
    looked = frozenset({"cases"})
    evidence = Evidence(in_scope=looked, observed=looked, population=len(owed), tested=len(owed))
    if not owed:
        return Answer(Outcome.NOT_APPLICABLE, "No recipient was owed a notice within 90 days.", evidence)
    done = sum(one.state in (State.SENT, State.TOLD, State.EXCUSED) for one in notices.values())
    summary = f"{done:,} of {counted(len(owed), 'notice')} to recipients given, {len(late) + len(lost):,} late or lost."
    return Answer.of(
        summary,
        evidence=evidence,
        findings=[*_findings(late), *_lost(recipient for _, recipient in lost)],
        figures={"owed": len(owed), "given": done, "late": len(late), "lost": len(lost)},
    )


def _announced(since: dt.datetime) -> set[tuple[str, str]]:
    """Who was to be told, by what the cases say themselves."""
    closed = (Ended.FULFILLED, Ended.PARTLY_FULFILLED)
    events = Event.objects.filter(
        what="recipients_told", at__gte=since, case__right__in=sorted(TELLING), case__outcome__in=closed
    )
    said = events.values_list("case__reference", "facts").iterator(chunk_size=1_000)
    return {(case, name) for case, facts in said for name in (*facts["told"], *facts["untold"])}


def _is_late(one: StateOfNotice, now: dt.datetime) -> bool:
    allowed = {State.OWED: _LETTER, State.UNTOLD: _BY_STAFF}.get(one.state)
    return allowed is not None and now - one.since > allowed


def _findings(late: Iterable[StateOfNotice]) -> list[Finding]:
    waiting = Counter((one.recipient, one.state) for one in late)
    mends = {
        State.OWED: ("on their way for more than three days", "look why the letters do not leave"),
        State.UNTOLD: ("not given", "tell them, and say so in the console; give them a contact in the declaration"),
    }
    return [
        Finding(f"recipients.{name}", f"{counted(count, 'notice')} {mends[state][0]}", mends[state][1])
        for (name, state), count in sorted(waiting.items())
    ]


def _lost(recipients: Iterable[str]) -> list[Finding]:
    return [
        Finding(f"recipients.{name}", f"{counted(count, 'notice')} not on record any more", "restore disclosure_notice")
        for name, count in sorted(Counter(recipients).items())
    ]

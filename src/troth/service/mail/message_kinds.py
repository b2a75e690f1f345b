"""All kinds of e-mail and their facts. **A new kind is an item of `KINDS` and a template of its name.**

A shape returns a fact as the template gets it, or raises `ValueError` with what is expected and without the value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from troth.service.configuration import is_local

Shape = Callable[[object], object]

_LINE_MAX = 300
_PROSE_MAX = 10_000
_LINES_MAX = 200
_LINK_MAX = 2_000
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Forbidden characters: control characters and invisible changes of writing direction."""

RIGHTS = ("view", "amend", "erase", "restrict", "port", "object", "withdraw")


@dataclass(frozen=True, slots=True, repr=False)
class RetainedItem:
    """Retained data: what, why, by which law, and until when (None: while the reason lasts)."""

    what: str
    because: str
    cite: str
    until: dt.date | None = None

    def __repr__(self) -> str:
        return "RetainedItem()"


@dataclass(frozen=True, slots=True)
class MessageKind:
    """The facts that an e-mail of this kind *needs* and *may* state. *lasts* is how long sending it makes sense.

    *to_person* e-mails go to requesters and state who sends them and why; others go to staff and recipients.
    """

    needs: Mapping[str, Shape]
    may: Mapping[str, Shape] = field(default_factory=dict)
    lasts: dt.timedelta = dt.timedelta(days=4)
    to_person: bool = True


def _prose(value: object) -> str:
    """A text of some paragraphs."""
    if not isinstance(value, str) or not value.strip() or len(value) > _PROSE_MAX:
        raise ValueError(f"a text of at most {_PROSE_MAX:,} characters is expected")
    text = value.replace("\r\n", "\n").strip()
    if _BAD.search(text):
        raise ValueError("it holds a control character")
    return text


def _line(value: object) -> str:
    """One short line."""
    text = _prose(value)
    if "\n" in text or len(text) > _LINE_MAX:
        raise ValueError(f"one line of at most {_LINE_MAX} characters is expected")
    return text


def _lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not 0 < len(value) <= _LINES_MAX:
        raise ValueError(f"a sequence of 1 to {_LINES_MAX} lines is expected")
    return tuple(_line(item) for item in value)


def _values(value: object) -> tuple[str, ...]:
    """Lines of any length, unshortened: a partial value would be wrong."""
    texts = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if not 0 < len(texts) <= _LINES_MAX or any("\n" in _prose(text) for text in texts):
        raise ValueError(f"a sequence of 1 to {_LINES_MAX} lines is expected")
    return tuple(map(_prose, texts))


def shortened(text: str) -> str:
    """*text* as one line of an e-mail."""
    line = _BAD.sub("", " ".join(text.split())) or "–"
    return line if len(line) <= _LINE_MAX else f"{line[: _LINE_MAX - 1]}…"


def _link(value: object) -> str:
    """URL of a page: https, or http on this machine."""
    text = _line(value) if isinstance(value, str) and len(value) <= _LINE_MAX else value
    if not isinstance(text, str) or len(text) > _LINK_MAX or re.search(r"[\s<>\"\\]|[^\x21-\x7e]", text):
        raise ValueError("an absolute address is expected")
    parts = urlsplit(text)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname))):
        raise ValueError("an address that begins with https:// is expected")
    return text


def _date(value: object) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("a date is expected")
    return value


def _moment(value: object) -> dt.datetime:
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        raise ValueError("a moment with its time zone is expected")
    return value.astimezone(dt.UTC)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a whole number is expected")
    return value


def _kept(value: object) -> tuple[RetainedItem, ...]:
    if not isinstance(value, Sequence) or not value or not all(isinstance(item, RetainedItem) for item in value):
        raise ValueError("a sequence of RetainedItem is expected")
    return tuple(
        RetainedItem(
            _line(item.what), _line(item.because), _line(item.cite), None if item.until is None else _date(item.until)
        )
        for item in value
    )


def _one_of(*words: str) -> Shape:
    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)} is expected")
        return str(value)

    return check


_right = _one_of(*RIGHTS, "appeal", "complaint", "question")
_DAY = dt.timedelta(days=1)
_REDRESS: Mapping[str, Shape] = {
    "under": _one_of("gdpr", "ccpa"),
    "authority": _line,
    "authority_link": _link,
    "complaint_link": _link,
    "appeal": _prose,
}
"""Remedies for a person who disagrees, *under* a law: the declared regulator if *authority* is omitted; *appeal* if the
law provides one against the company's own decision."""


def _without(facts: Mapping[str, Shape], name: str) -> Mapping[str, Shape]:
    return {other: shape for other, shape in facts.items() if other != name}


_DONE: Mapping[str, Shape] = {"status": _link, "receipt": _link, "told": _lines, **_REDRESS}
"""Links to a fulfilled request and its proof, and recipients *told* (Art. 19)."""
_ASKED: Mapping[str, Shape] = {"right": _right, "received": _date}
_STOP: Mapping[str, Shape] = {"right": _one_of("restrict", "object", "withdraw"), "received": _date}
_STOPPED: Mapping[str, Shape] = {"purposes": _lines, "places": _lines, "searched": _lines, "remembered": _one_of("yes")}
"""Stopped uses, systems where that was verified, systems that hold nothing of the person, and whether their choice is
kept."""

KINDS: Mapping[str, MessageKind] = {
    # verification
    "link": MessageKind(
        {"link": _link, "until": _moment},
        {
            "what": _one_of(*RIGHTS, "appeal", "complaint", "question", "resume"),
            "hours": _whole,
            "known": _one_of("yes"),
        },
        lasts=_DAY,
    ),
    "agent_authority": MessageKind(
        {"right": _right, "link": _link, "until": _moment}, {"hours": _whole}, lasts=14 * _DAY
    ),
    # a request in progress (GDPR Art. 12(3), (4), UK Art. 12A; 11 CCR 7021)
    "acknowledged": MessageKind(
        {**_ASKED, "due": _date, "laws": _lines},
        {"status": _link, "verification": _one_of("none", "link", "points", "account", "document"), "next": _prose},
    ),
    "more_information": MessageKind(
        {"right": _right, "needed": _prose, "clock": _one_of("paused", "runs")},
        {"asked": _date, "due": _date, "link": _link, "cite": _line},
    ),
    "reminder_to_person": MessageKind({"right": _right, "needed": _prose, "asked": _date}, {"link": _link}),
    "resumed": MessageKind({"right": _right, "due": _date}, {"paused_days": _whole, "status": _link, "cite": _line}),
    "extended": MessageKind(
        {**_ASKED, "reasons": _prose, "due_before": _date, "due": _date, "cite": _line}, {"status": _link, **_REDRESS}
    ),
    # outcomes
    "nothing_held": MessageKind(
        _ASKED, {"where": _lines, "unsearchable": _lines, "elsewhere": _lines, "searched": _lines, **_REDRESS}
    ),
    "refused": MessageKind({**_ASKED, "reasons": _prose, "cite": _line}, {"status": _link, **_REDRESS}),
    "package_ready": MessageKind(
        {"right": _one_of("view", "port"), "link": _link, "until": _moment},
        {"receipt": _link, "missing": _lines, "empty": _one_of("yes", "left_out"), **_REDRESS},
        lasts=7 * _DAY,
    ),
    "fulfilled_view": MessageKind({"received": _date, "done": _date}, _DONE),
    "fulfilled_amend": MessageKind(
        {"received": _date, "done": _date}, {"changed": _lines, "unchanged": _lines, "elsewhere": _lines, **_DONE}
    ),
    "fulfilled_erase": MessageKind(
        {"received": _date, "done": _date},
        {
            "did": _prose,
            "rescan": _one_of("clean"),
            "unsearched": _lines,
            "elsewhere": _lines,
            "final_after": _date,
            "remembered": _one_of("suppression", "evidence", "both"),
            **_DONE,
        },
    ),
    "fulfilled_port": MessageKind({"received": _date, "done": _date}, {"formats": _lines, "sent_to": _line, **_DONE}),
    "stop_recorded": MessageKind(_STOP, {"weighed": _one_of("yes"), "waiting": _lines, "status": _link, **_STOPPED}),
    "stopped": MessageKind({**_STOP, "done": _date}, {"undone": _lines, **_STOPPED, **_DONE}),
    "partly_fulfilled": MessageKind(
        {**_ASKED, "done": _date, "did": _prose, "kept": _kept}, {"unsearched": _lines, "elsewhere": _lines, **_DONE}
    ),
    "withdrawn": MessageKind(
        {"right": _right, "closed": _date},
        {
            "denied": _one_of("yes"),
            "erasure": _line,
            "lifted": _one_of("yes"),
            "remembered": _one_of("yes"),
            "status": _link,
        },
    ),
    "restriction_lifted": MessageKind(  # Art. 18(3)
        {"on": _date, "reasons": _prose}, {"since": _date, "recorded": _one_of("yes"), **_REDRESS}
    ),
    # complaints and questions (DPA 2018 s.164A)
    "complaint_acknowledged": MessageKind(
        {"received": _date}, {"due": _date, "status": _link, **_without(_REDRESS, "complaint_link")}
    ),
    "complaint_outcome": MessageKind(
        {"received": _date, "outcome": _prose}, {"remedy": _prose, "status": _link, **_REDRESS}
    ),
    "appeal_answered": MessageKind(
        {"received": _date, "answer": _prose, "granted": _one_of("yes", "no")},
        {"cite": _line, "status": _link, **_REDRESS},
    ),
    "question_acknowledged": MessageKind({"received": _date, "due": _date}, {"status": _link}),
    "question_answered": MessageKind(
        {"received": _date, "answer": _prose}, {"asked": _prose, "clause": _prose, "link": _link}
    ),
    # to others
    "recipient_notice": MessageKind(
        {"right": _one_of("amend", "erase", "restrict", "unrestrict"), "people": _lines, "what": _lines, "on": _date},
        {"changed": _values, "link": _link, "own": _one_of("yes")},
        to_person=False,
    ),
    "staff_due_soon": MessageKind({"due": _date, "link": _link}, {"what": _line, "days": _whole}, to_person=False),
    "staff_escalation": MessageKind({"due": _date, "link": _link, "why": _line}, {"what": _line}, to_person=False),
    "staff_task": MessageKind({"task": _line, "due": _date, "link": _link}, {"detail": _prose}, to_person=False),
    "staff_invite": MessageKind({"link": _link, "until": _moment, "roles": _lines}, lasts=7 * _DAY, to_person=False),
    "staff_alert": MessageKind({"what": _line, "at": _moment}, {"detail": _prose, "link": _link}, to_person=False),
}


OWED = frozenset(name for name, kind in KINDS.items() if name not in {"link", "agent_authority", "staff_alert"})
"""Kinds that somebody expects or is owed. Others go to addresses that anybody may have typed, or are repeated."""


def shown(kind: str, facts: Mapping[str, object]) -> dict[str, object]:
    """*facts* as the template of *kind* gets them. Raises `ValueError`, which names facts but no values."""
    known = KINDS.get(kind)
    if known is None:
        raise ValueError(f"there is no e-mail of the kind {kind!r}")
    shapes = {**known.may, **known.needs}
    if missing := sorted(known.needs.keys() - facts.keys()):
        raise ValueError(f"an e-mail of the kind {kind} also needs {', '.join(missing)}")
    if unknown := sorted(facts.keys() - shapes.keys()):
        raise ValueError(f"an e-mail of the kind {kind} does not state {', '.join(unknown)}")
    checked = {}
    for name, value in facts.items():
        try:
            checked[name] = shapes[name](value)
        except ValueError as error:
            raise ValueError(f"{name} of an e-mail of the kind {kind}: {error}") from None
    return checked


def links_in(kind: str, facts: Mapping[str, object]) -> frozenset[str]:
    """Those of *facts* that are links: anything else that looks like one is somebody's text."""
    shapes = {**KINDS[kind].may, **KINDS[kind].needs}
    return frozenset(str(value) for name, value in facts.items() if shapes[name] is _link)

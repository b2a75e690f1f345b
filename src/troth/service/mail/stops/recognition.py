"""Recognises mails that ask us to stop writing, in a person's own words, in English, German, French and Spanish. Pure.

The wording is data (``wording.toml``). A stop must not wait, so that a clear one needs nobody to read it; whatever is
doubtful goes to a person, and negations, reports, questions and stops of other things are no stops.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any

from troth.data_files import read_toml
from troth.service.mail.inbox.own_words import own_words
from troth.service.mail.stops.phrases import Phrasebook, PhraseMatch, TaggedSentence

_READ_MAX, _SENTENCES_MAX, _SUBJECT_MAX, _QUOTED_MAX = 20_000, 300, 300, 6_000
"""Maximum numbers of characters and sentences of a person's own words, and of characters of a subject and of each end
of a quoted message, that are read."""
_FEW, _SHORT, _BRIEF, _LONG = 15, 60, 80, 150
"""Numbers of words: of a reply that may be as short as "no thanks"; of a mail in which a line such as "unsubscribe"
counts; of a mail in which hints count; and of a mail in which a request stands in one of the first or last
sentences."""
_OPENING, _CLOSING, _SENTENCE_MAX, _QUESTION_MIN = 5, 6, 45, 4
"""Numbers of first and last sentences of a long mail, and of words of a sentence that asks for something and of a
question that wants an answer."""
_NEAR = 4
"""Number of words after a phrase in which the thing stands that it is about."""
_CLEAR, _HINT = 2, 1
"""Weights of phrases: from the first on, a mail asks clearly."""
_ENDS = ("COMMA", "BREAK", "ASKS", "THANKS")
"""Classes of words after which a sentence says nothing more about what should stop."""
_MAIL = ("EMAIL", "LIST", "MAIL", "OFFERS", "WERBUNG", "PUB")
"""Classes of things that are mail."""
_REPLY = re.compile(r"\s*(?:(?:re|aw|antw|sv|ref|r[ée]p)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|wtr|enc)\s*:", re.IGNORECASE)


class StopIntent(enum.StrEnum):
    """Whether a mail asks us to stop: clearly, perhaps (a person should read it), or not."""

    STOP = "stop"
    MAYBE = "maybe"
    NONE = "none"


class StopScope(enum.StrEnum):
    """What a stop ends: one list, every list of its sender, or all marketing."""

    LIST = "list"
    SENDER = "sender"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class StopRequest:
    """What a mail asks for. *asks_more* if it asks for something else too, and must also be handled as a request.

    For the people who explain the decision: the *phrases* of our wording that decided, and the sender's own *words*,
    which are personal and not in the `repr`.
    """

    intent: StopIntent
    scope: StopScope = StopScope.LIST
    asks_more: bool = False
    phrases: tuple[str, ...] = ()
    words: str = field(default="", repr=False)

    @property
    def is_bare(self) -> bool:
        """Whether all that asks is a line such as "stop", which does not say what."""
        return all(phrase.partition(": ")[2].startswith("^") for phrase in self.phrases)


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail and what it is about: sentences of its *subject* and *body*, and those that are its sender's *own*."""

    subject: tuple[TaggedSentence, ...]
    body: tuple[TaggedSentence, ...]
    own: tuple[TaggedSentence, ...]
    languages: frozenset[str]
    count: int
    """Number of words of the body."""
    is_edition: bool
    """True if it replies to an edition of a newsletter."""
    is_of_other: bool
    """True if it is also about a thing that is no mail, such as an order."""
    is_bulk: bool
    """True if no person wrote its last part."""

    def has(self, group: str, sentence: TaggedSentence) -> bool:
        """Whether *sentence* contains a phrase of *group*."""
        return next(_book().matches(group, sentence, self.languages), None) is not None


@dataclass(frozen=True, slots=True)
class _Sign:
    """A phrase that points to a stop, and how clearly."""

    match: PhraseMatch
    weight: int


def read_stop(subject: str, text: str, *, replies_to_edition: bool = False) -> StopRequest:
    """Read whether a mail asks us to stop writing. In a reply to an edition of a newsletter few words are enough; a
    quoted newsletter shows such a reply too."""
    mail = _parsed(subject, text, replies_to_edition=replies_to_edition)
    asking = [(sentence, asks) for at, sentence in enumerate(mail.own) if (asks := _asks(mail, at, sentence))]
    asks_more = any(_asks_more(mail, it, is_stop=any(it is sentence for sentence, _ in asking)) for it in mail.own)
    is_doubtful = any(mail.has("doubtful", it) for it in mail.own)
    if not asking:
        return StopRequest(StopIntent.MAYBE if is_doubtful else StopIntent.NONE, asks_more=asks_more)
    is_doubtful |= any(mail.has("contrary", it) for it in mail.own)
    is_doubtful |= any(mail.has("automatic", it) for it in (*mail.subject, *mail.body[:_OPENING]))
    # Where a mail is also about an order or the like, several hints do not add up.
    weight = (max if mail.is_of_other else sum)(_weight(asks, mail) for _, asks in asking)
    wider = ((StopScope.ALL, "all_marketing"), (StopScope.SENDER, "sender"))
    return StopRequest(
        StopIntent.STOP if weight >= _CLEAR and not is_doubtful else StopIntent.MAYBE,
        next((scope for scope, group in wider if any(mail.has(group, it) for it, _ in asking)), StopScope.LIST),
        asks_more,
        tuple(f"{asks[0].match.language}: {asks[0].match.phrase}" for _, asks in asking),
        " | ".join(" ".join(sentence.words) for sentence, _ in asking),
    )


def _parsed(subject: str, text: str, *, replies_to_edition: bool) -> _Mail:
    book, parts, subject = _book(), own_words(text), subject[:_SUBJECT_MAX]
    title = tuple(book.sentences(_REPLY.sub("", subject)))
    written = tuple(islice(book.sentences(parts.text[:_READ_MAX]), _SENTENCES_MAX))
    languages = book.languages((*title, *written))
    is_bulk = [next(book.matches("bulk", it, languages), None) is not None for it in written]
    body = written[: is_bulk.index(True)] if any(is_bulk) else written
    count = sum(len(it.words) for it in body)
    is_others_title = bool(_FORWARDED.match(subject) or (_REPLY.match(subject) and count >= _QUESTION_MIN))
    return _Mail(
        subject=title,
        body=body,
        own=body if is_others_title else (*title, *body),
        languages=languages,
        count=count,
        is_edition=replies_to_edition or _quotes_edition(parts.quoted),
        is_of_other=any(book.has(it, f"{language} OTHER") for it in (*title, *body) for language in languages),
        is_bulk=any(is_bulk),
    )


def _asks(mail: _Mail, at: int, sentence: TaggedSentence) -> list[_Sign]:
    """The phrases with which the sentence number *at* asks us to stop, the clearest first."""
    book, is_title = _book(), any(sentence is it for it in mail.subject)
    is_about_mail = mail.is_edition or any(book.has(it, "NEWS") for it in (*mail.subject, *mail.body))
    is_at_an_end = mail.count <= _LONG or at < _OPENING or at >= len(mail.own) - _CLOSING
    is_line = not _is_of_other_things(mail) if is_title else at == 0 or (mail.count <= _SHORT and not mail.is_bulk)
    denied = list(book.matches("denied", sentence, mail.languages))
    hint = _CLEAR if is_about_mail and not mail.is_of_other else _HINT
    weights = {
        "stop": _CLEAR if is_at_an_end and len(sentence.words) <= _SENTENCE_MAX else _HINT,
        "bare": _CLEAR if is_line else 0,
        "short": _CLEAR if mail.is_edition and mail.count <= _FEW else 0,
        "weak": hint if mail.count <= _BRIEF else 0,
        "loose": hint if mail.count <= _BRIEF and not denied and not _is_of_others(sentence) else 0,
        "asked": (_CLEAR if mail.is_edition else _HINT) if mail.count <= _BRIEF else 0,
    }
    signs = [
        _Sign(match, weight)
        for group, weight in weights.items()
        for match in (book.matches(group, sentence, mail.languages) if weight else ())
        if not any(match.overlaps(other) for other in denied)
        and not _is_of_other(sentence, match, is_clear=group == "stop")
        and not (group in ("stop", "weak", "loose") and _names_unknown_thing(sentence, match, mail))
    ]
    return sorted(signs, key=lambda sign: -sign.weight)


def _weight(signs: Sequence[_Sign], mail: _Mail) -> int:
    """The weight of *signs*, of which those that overlap count once."""
    counted = list[_Sign]()
    for sign in signs:
        if not any(mail.is_of_other or sign.match.overlaps(other.match) for other in counted):
            counted.append(sign)
    return sum(sign.weight for sign in counted)


def _is_of_other(sentence: TaggedSentence, match: PhraseMatch, *, is_clear: bool) -> bool:
    """True if *match* is about a thing that is no mail, such as an order, or about calls, paper or short messages."""
    book, other, clause = _book(), f"{match.language} OTHER", _book().clause(sentence, match)
    if book.has(clause, "CHANNEL") and (not book.has(sentence, "EMAIL") or book.has(sentence, "FINE")):
        return True
    is_of_mail = any(book.has(sentence, name) for name in _MAIL)
    if not is_of_mail and book.has(sentence.part(match.start, match.end + 1), f"{match.language} OF"):
        return True
    inside = sentence.part(match.start, match.end)
    if book.has(sentence.part(match.start - 1, match.end + _NEAR), other):
        return not book.has(inside, "EMAIL")
    return book.has(sentence, other) and not (is_clear and any(book.has(inside, name) for name in _MAIL))


def _names_unknown_thing(sentence: TaggedSentence, match: PhraseMatch, mail: _Mail) -> bool:
    """True if *match* goes on with a word that we do not know, as in "stop sending me parcels", before any word for
    mail and before the clause ends or turns to thanks. A German verb comes last, so that the word is before it, where a
    reply to an edition may have its name."""
    if any(_book().has(sentence, name) for name in (*_MAIL, "ADDRESS")):
        return False
    following = range(match.end, min(match.end + _NEAR, len(sentence.words)))
    before = (
        range(match.end - 2, max(match.end - 2 - _NEAR, -1), -1)
        if match.language == "de" and not mail.is_edition
        else ()
    )
    return any(_has_unknown(sentence, places) for places in (following, before))


def _has_unknown(sentence: TaggedSentence, places: Sequence[int]) -> bool:
    words = (sentence.part(at, at + 1) for at in places)
    clause = takewhile(lambda word: not any(_book().has(word, name) for name in _ENDS), words)
    return any(_book().is_unknown(word) for word in clause)


def _is_of_others(sentence: TaggedSentence) -> bool:
    """True if *sentence* is a question, or names other people or things, which may be those to be stopped."""
    return any(_book().has(sentence, name) for name in ("OTHER", "CHANNEL", "PERSON", "ASKS"))


def _is_of_other_things(mail: _Mail) -> bool:
    """True if the body is about something that is no mail, so that a subject such as "stop" is about it too."""
    return any(_book().has(it, "OTHER") or _book().has(it, "CHANNEL") or mail.has("denied", it) for it in mail.body)


def _asks_more(mail: _Mail, sentence: TaggedSentence, *, is_stop: bool) -> bool:
    """True if *sentence* asks for something else, or a question."""
    is_question = _book().has(sentence, "ASKS") and len(sentence.words) > _QUESTION_MIN
    return mail.has("more", sentence) or (is_question and not is_stop and not mail.has("rhetorical", sentence))


def _quotes_edition(quoted: str) -> bool:
    """True if a quoted message ends as newsletters do."""
    return bool(_footer().search(quoted[:_QUOTED_MAX]) or _footer().search(quoted[-_QUOTED_MAX:]))


@functools.cache
def _footer() -> re.Pattern[str]:
    return re.compile("|".join(_wording()["footer"]["patterns"]), re.IGNORECASE)


@functools.cache
def _book() -> Phrasebook:
    languages = {name: table for name, table in _wording().items() if name == "all" or "stop" in table}
    return Phrasebook(languages, mistyped=_wording()["mistyped"], joined=_wording()["joined"])


def _wording() -> Mapping[str, Any]:
    return read_toml(__package__, "wording.toml")

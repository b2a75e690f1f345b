"""E-mail and web addresses spoken with "at" and "dot", or with a part spelled."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.repeated_addresses import from_first_try, said_back
from troth.detect.speech.word_stream import GAPS, WordStream

_AT_OR_DOT: Final = re.compile("[@.]")
_NAMES: Final = re.compile("[xwv]{1,2}(?=[/_-])|[xwv](?=$|[s;])")
_SIGNS: Final = "._-+#"
_UNITS: Final = "dotTlnmL9=hk"
_PERHAPS: Final = "wv"
_ASIDE_MAX: Final = 24
"""Maximum number of words of other talk between two parts of an address."""
_HESITATIONS: Final = frozenset({"um", "umm", "uh", "uhm", "er", "erm", "ehm", "hmm", "eh", "euh", "äh", "ähm"})
_SIGNING: Final = frozenset({"on", "in"})
"""``log on at``"""
_SCHEME: Final = frozenset({"h", "t", "p", "s", "colon", "forward", "double", "http", "https"})
_PROTOCOLS: Final = frozenset({"p", "http", "https"})
_PATH: Final = re.compile("(?:s[^s;?]{0,6})?[sfcyzg]{0,3}/")
_QUERY: Final = frozenset({"question", "mark", "equals", "ampersand", "percent"})
_PLAIN_WORDS_MAX: Final = 3
"""Maximum number of consecutive words, as opposed to letters, before an "at": ``big kev at``."""
_LOCAL_WORDS_MAX: Final = 120
_DOMAIN_WORDS_MAX: Final = 30
_DOMAIN_NAMES_MAX: Final = 14
"""Maximum extent of an address before and after its "at", and maximum number of words in a domain before its dot."""
_TRIED_WORDS_MAX: Final = 14
"""How far before a site its beginning may be spoken."""
_SAME_WORDS_MAX: Final = 4
"""Two addresses closer than this many words are a repetition of one."""
_SURE: Final = 0.97
_SAID: Final = 0.93
_SITE: Final = 0.8


def addresses(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every e-mail address in *talk*, repetitions of it, and every web address that is not part of one."""
    found = sorted(_addresses(talk, language))
    for it, after in itertools.zip_longest(found, found[1:]):
        yield it
        if it.type == "EMAIL_ADDRESS":
            yield from said_back(talk, it, after.start if after else len(talk.words), language)


def _addresses(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    taken = -1
    pending: Candidate | None = None
    for match in _AT_OR_DOT.finditer(talk.kinds):
        at, kind = match.start(), match[0]
        if kind == "@" and (found := _email(talk, at, language)):
            if pending and _says_again(talk, pending, found, language):
                found = found._replace(start=pending.start)
            elif pending:
                yield pending
            pending = found
            taken = found.end
        elif kind == "." and at >= taken and (site := _site(talk, at, max(taken, 0), language)):
            yield site
            taken = site.end
    if pending:
        yield pending


def _says_again(talk: WordStream, candidate: Candidate, after: Candidate, language: SpokenLanguage) -> bool:
    """True if one address repeats the other, rather than being another one (``or ann at example dot org``)."""
    is_near = after.start <= candidate.end + _SAME_WORDS_MAX
    return is_near and language.dividing.isdisjoint(talk.words[candidate.end : after.start])


def _email(talk: WordStream, at: int, language: SpokenLanguage) -> Candidate | None:
    """The address around the "at" at word *at*."""
    end = _domain_end(talk, _past_rate(talk, at), language)
    if end is None:
        return None
    start = _past_written(talk, _local_start(talk, at, max(0, at - _LOCAL_WORDS_MAX), language), at)
    if start == at:
        return None
    while start and talk.words[start - 1] in language.casing:
        start -= 1
    asked = talk.asked_before(start, 2)
    told = any("EMAIL_ADDRESS" in it.prompt.types for it in asked)
    if talk.words[at] == "@" and not _has_said_sign(talk, start, end):
        return None
    said = Candidate(start, _said_again(talk, end), "EMAIL_ADDRESS", _SURE if told else _SAID, told)
    return from_first_try(talk, said, language) if told else said


def _past_written(talk: WordStream, start: int, at: int) -> int:
    """The first word of the local part, skipping the domain of a written address before it."""
    if not start or talk.words[start - 1] != "@" or talk.words[start + 1 : start + 2] != ["."]:
        return start
    while start + 2 < at and talk.words[start + 1] == ".":
        start += 2
    return start + 1


def _has_said_sign(talk: WordStream, start: int, end: int) -> bool:
    """True if a dot or dash is spoken; entirely written addresses are found by the recognisers."""
    return any(talk.kinds[at] in _SIGNS + "/" and talk.words[at].isalpha() for at in range(start, end))


def _said_again(talk: WordStream, end: int) -> int:
    """The end of an address whose last word is repeated."""
    again = end
    while again < len(talk.kinds) and talk.kinds[again] in "fcz":
        again += 1
    return again + 1 if talk.words[again : again + 1] == talk.words[end - 1 : end] else end


def _past_rate(talk: WordStream, at: int) -> int:
    """The word after the "at", including ``at the rate of``."""
    for phrase in (["the", "rate", "of"], ["the", "rate"], ["sign"], ["symbol"]):
        if talk.words[at + 1 : at + 1 + len(phrase)] == phrase:
            return at + 1 + len(phrase)
    return at + 1


def _domain_end(talk: WordStream, at: int, language: SpokenLanguage) -> int | None:
    """The word after a domain that starts at word *at*; None if there is none."""
    end = None
    named = 0
    limit = min(len(talk.words), at + _DOMAIN_WORDS_MAX)
    while at < limit and named <= _DOMAIN_NAMES_MAX:
        kind = talk.kinds[at]
        if kind == ".":
            after = _after_dot(talk, at + 1, language)
            if after and named:
                end = at = after
                named = 1
                if at >= len(talk.kinds) or not _leads_to_dot(talk, at):
                    return end
                continue
        elif kind == "@" or (kind in "s;" and not _goes_on(talk, at)):
            return end
        elif kind not in GAPS:
            named += kind not in _PERHAPS
            provider = talk.words[at]
            if provider in ("mail", "male") and at:
                provider = talk.words[at - 1] + "mail"
            if named <= 2 and provider in language.providers:
                end = at + 1
                if talk.words[at + 1 : at + 2] == ["com"]:
                    return at + 2
        at += 1
    return end


def _leads_to_dot(talk: WordStream, at: int) -> bool:
    at = _past_gaps(talk, at)
    return at < len(talk.kinds) and talk.kinds[at] == "."


def _goes_on(talk: WordStream, at: int) -> bool:
    """True if an address continues after the turn or sentence that ends at *at*: a dot or the domain follows."""
    after = _past_gaps(talk, at)
    return "." in talk.kinds[after : after + 3]


def _past_gaps(talk: WordStream, at: int) -> int:
    while at < len(talk.kinds) and talk.kinds[at] in GAPS:
        at += 1
    return at


def _after_dot(talk: WordStream, at: int, language: SpokenLanguage) -> int | None:
    """The word after ``com``, ``c o m`` or ``u k``, if such a domain starts at word *at* or after fillers."""
    for first in (at, _past_gaps(talk, at)):
        if talk.words[first : first + 1] and talk.words[first] in language.domains:
            return first + 1
    letters = ""
    found = None
    for _ in range(3):
        at = _past_gaps(talk, at)
        if at >= len(talk.words) or talk.kinds[at] not in "lvo":
            break
        letters += language.values[talk.words[at]].lower()
        at += 1
        if letters in language.domains:
            found = at
    return found


def _local_start(talk: WordStream, at: int, floor: int, language: SpokenLanguage) -> int:
    """The first word of the name before an "at" or dot; *at* itself if there is none."""
    start = at
    plain = 0
    while (before := _before(talk, start, floor, is_open=start == at or talk.kinds[start] in _SIGNS + "@")) is not None:
        kind, word = talk.kinds[before], talk.words[before]
        joined = start == at or talk.kinds[start] in _SIGNS + "@"
        if kind in _UNITS + _SIGNS or (kind == "@" and start == at):
            plain = 0
        elif start == at and word in language.mailboxes:
            plain += 1
        elif not joined and (word in language.before_email or word in language.dividing):
            if kind not in _PERHAPS or not _spelled_on(talk, before, language):
                return start
        elif kind in _PERHAPS:
            if not joined and not _spelled_on(talk, before, language):
                return start
        elif joined and word in language.before_email and start == at:
            return start
        elif kind in "xMO":
            plain += 1
            if plain > _PLAIN_WORDS_MAX:
                return start
        else:
            return start
        start = before
    return start


def _spelled_on(talk: WordStream, at: int, language: SpokenLanguage) -> bool:
    """True if a word that may be a letter or digit is one: other letters adjoin it, or the middle of a name."""
    after = talk.kinds[_past_gaps(talk, at + 1)]
    before = talk.kinds[at - 1] if at else "s"
    if len(talk.words[at]) == 1 and after in "lnvo=.":
        return True
    if before in _UNITS + _SIGNS and before != "m":
        return True
    if before == "x" and talk.words[at - 1] not in language.before_email:
        return after in "dtT9o"
    return talk.kinds[at] == "v" and after in "lvno=" and before in "vgs;?"


def _before(talk: WordStream, start: int, floor: int, *, is_open: bool) -> int | None:
    """The word before *start* that may belong to the same address, skipping fillers and the other speaker."""
    before = start - 1
    while before >= max(floor, start - _ASIDE_MAX) and talk.kinds[before] in GAPS:
        before -= 1
    if before < floor or talk.kinds[before] in GAPS:
        return None
    gap = talk.kinds[before + 1 : start]
    is_again = talk.words[before] == talk.words[start] or (before and talk.kinds[before - 1] in _SIGNS)
    if "c" in gap and "s" not in gap and is_again:
        return before
    if talk.kinds[start] == "@" and not _SIGNING.isdisjoint(talk.words[before + 1 : start]):
        return None
    if gap == "f" and talk.words[start - 1] in _HESITATIONS:
        return before
    if gap and not is_open and talk.kinds[before] not in _UNITS + _SIGNS + _PERHAPS:
        return None
    is_then = gap == "g" and talk.words[start - 1] == "then" and talk.kinds[before] in _UNITS
    is_and = gap == "g" and talk.words[start - 1] == "and" and talk.kinds[max(0, before - 1)] in "sg?;"
    is_joined = is_open or is_then or is_and or "z" in gap
    if ("g" in gap or ";" in gap) and not is_joined and talk.kinds[before] not in _SIGNS:
        return None
    if "s" in gap and "z" not in gap and not is_open:
        return None
    return before


def _site(talk: WordStream, dot: int, floor: int, language: SpokenLanguage) -> Candidate | None:
    """The web address around the dot at word *dot*, unless it is part of an e-mail address."""
    end = _after_dot(talk, dot + 1, language)
    if end is None or not dot or talk.kinds[dot - 1] in "gcys;":
        return None
    start = _local_start(talk, dot, floor, language)
    if start == dot or talk.words[dot] in language.decimals:
        return None
    while _leads_to_dot(talk, end) and (after := _after_dot(talk, _past_gaps(talk, end) + 1, language)):
        end = after
    is_word = talk.words[end - 1] in language.word_domains
    if is_word and "." not in talk.kinds[start:dot] and "/" not in talk.kinds[end : end + 1]:
        return None
    bare = start, end
    end = _path_end(talk, end, language)
    start = _scheme_start(talk, _world_wide(talk, _past_and(talk, start, floor, language), dot), floor)
    if talk.words[dot] == "." and start == bare[0] and not _has_said_sign(talk, bare[1], end):
        return None  # entirely written, and found as such
    told = any("EMAIL_ADDRESS" in it.prompt.types for it in talk.asked_before(start, 1))
    return Candidate(start, end, "URL", _SITE, told)


def _past_and(talk: WordStream, start: int, floor: int, language: SpokenLanguage) -> int:
    """The first word of ``bilby and sons`` before a dot, if a sign or an introductory word precedes it."""
    first = start - 2
    if first <= floor or talk.words[start - 1] != "and" or talk.kinds[first] != "x":
        return start
    return first if talk.kinds[first - 1] in "._-/s?" or talk.words[first - 1] in language.before_email else start


def _world_wide(talk: WordStream, start: int, dot: int) -> int:
    """The start of ``w w w`` before the dot, or some words earlier if it was first said wrong."""
    if talk.words[start:dot][-3:] == ["w", "w", "w"]:
        return dot - 3
    for at in range(start - 1, max(0, start - _TRIED_WORDS_MAX), -1):
        if talk.kinds[at] in "s;?@!":
            break
        if talk.words[at - 2 : at + 1] == ["w", "w", "w"]:
            return at - 2
    return start


def _scheme_start(talk: WordStream, start: int, floor: int) -> int:
    """The first word of ``h t t p s colon slash slash`` before a site; *start* if that is not spoken."""
    at = start
    while at > floor and (talk.kinds[at - 1] in "/fcyz:" or talk.words[at - 1] in _SCHEME):
        at -= 1
    return at if not _PROTOCOLS.isdisjoint(talk.words[at:start]) else start


def _path_end(talk: WordStream, at: int, language: SpokenLanguage) -> int:
    """The word after ``slash help slash two one four``, which may start in the next turn, or after the other
    speaker."""
    end = at
    while at < len(talk.kinds):
        if talk.words[at] == "forward" and talk.kinds[at + 1 : at + 2] == "/":
            at += 1
        if talk.kinds[at] not in "/-._":
            sign = _PATH.match(talk.kinds, at)
            if sign is None:
                break
            at = sign.end() - 1
        at = _past_gaps(talk, at + 1) if talk.kinds[at] == "/" else at + 1
        while at < len(talk.kinds) and talk.words[at] in language.casing:
            at += 1
        if at < len(talk.kinds) and talk.kinds[at] not in GAPS:
            end = at = _name_end(talk, at + 1, language)
    return end


def _name_end(talk: WordStream, at: int, language: SpokenLanguage) -> int:
    """The word after a name in a path, whose first word precedes word *at*: numbers and letters, and words up to the
    end of the turn or the next sign."""
    while at < len(talk.kinds) and (
        talk.kinds[at] in _UNITS + "=&"
        or talk.words[at] in language.casing
        or not _QUERY.isdisjoint(talk.words[at : at + 2])
    ):
        at += 1
    if names := _NAMES.match(talk.kinds, at):
        return names.end()
    return at

"""Compares what a sentence says with what its control compares reality to: the declared ceiling, collection points,
categories and hosts (``declared_parameters.toml``).

A control that finds reality as declared shows nothing of a sentence that says something else. Only plain contradictions
count, in English; a sentence under a condition, or about a part of the matter, is not compared.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from troth.data_files import read_toml
from troth.declaration import Declaration, Problem, covers
from troth.policy.categories import categories_in
from troth.policy.classify.quantities import numbers_in, places_in
from troth.policy.negation import done
from troth.policy.phrases import Phrase, plain
from troth.text import counted, first_few, same_words

_DATE_OF_BIRTH, _AGE_RANGE = "user.demographic.date_of_birth", "user.demographic.age_range"
_PART = re.compile(r"(?<=[.;:!?])\s+")
_BEFORE_MAX = 40
"""Characters before a denied part in which its verb may stand: “we ask for no date of birth”."""


def problems(declaration: Declaration) -> Iterator[Problem]:
    """Promises whose sentence the declaration contradicts, so that their control checks something else."""
    for index, promise in enumerate(declaration.promises):
        for control, contradiction in _COMPARED:
            if control in promise.controls and (message := contradiction(promise.quote, declaration)):
                message = f"{message}, so {control} does not show that it is kept"
                path = f"promises.{index}.quote"
                yield Problem("promise-parameter", None, path, message, "fix the sentence or the declaration")


def _more_people(text: str, declaration: Declaration) -> str:
    """The control compares the number of people with the declared ceiling, whatever number the sentence promises."""
    most, access = _people_promised(text), declaration.access
    if most is None or access is None or access.ceiling <= most:
        return ""
    return f"the sentence says {most:g} people, and 'access.ceiling' allows {access.ceiling}"


def _people_promised(text: str) -> float | None:
    """The largest number of people who may see data, as the sentence says; None if it says none. A number with words
    such as “at most” goes before others: “at most three of our twenty people”."""
    plain = same_words(text)
    others = {start for start, _, quantity in places_in(plain) if quantity.unit != "person"}
    limits, plainly = list[float](), list[float]()
    numbers = [it for it in numbers_in(plain) if it[0] not in others]
    for start, end, number in numbers:
        before, after = plain[:start].rstrip(" (").casefold(), plain[end:]
        if _pattern("people", "fewer").search(before) and _pattern("people", "counted").match(after):
            limits.append(number - 1)
        elif _pattern("people", "capped").search(before) and _pattern("people", "counted").match(after):
            limits.append(number)
        elif _pattern("people", "opening").match(after):
            plainly.append(number)
    return max(limits or plainly, default=None)


def _other_places(text: str, declaration: Declaration) -> str:
    """The control compares the forms with the declared collection points, however many the sentence counts."""
    plain = same_words(text)
    pages = [point.page for point in declaration.collection_points.values() if point.page is not None]
    if not pages or not _pattern("places", "asks").search(plain) or categories_in(plain):
        return ""
    for start, end, number in numbers_in(plain):
        before, after = plain[:start], plain[end:]
        if not (_pattern("places", "before").search(before) and _pattern("places", "after").search(after)):
            continue
        # Two forms may stand on one page.
        fewest, most = len(set(pages)), len(pages)
        is_capped = _pattern("places", "capped").search(before) is not None
        if number < fewest or (number > most and not is_capped):
            return f"the sentence says {number:g} places, and the declaration has {counted(most, 'collection point')}"
    return ""


def _denied_and_declared(text: str, declaration: Declaration) -> str:
    """The controls compare forms and tables with the declared categories, also with those that the sentence denies."""
    denied = _denied(text)
    held = [place for category, place in _held(declaration) if any(covers(one, category) for one in denied)]
    return f"the declaration has what the sentence rules out: {first_few(dict.fromkeys(held))}" if held else ""


def _denied(text: str) -> Set[str]:
    """The categories that the sentence says are not asked for or kept at all."""
    categories = set[str]()
    for words in map(plain, _PART.split(text)):
        for start, end in _denied_parts(words):
            part = _pattern("denied", "neutral").sub(" ", words[start:end])
            clause = words[max(0, start - _BEFORE_MAX) : end]
            if _pattern("denied", "qualified").search(part) or not any(
                phrase.found_in(clause) for phrase in _phrases("denied", "does")
            ):
                continue
            named = {
                one
                for one in categories_in(part)
                if any(covers(broad, one) for broad in _data()["denied"]["categories"])
            }
            # The words for a date of birth also stand for an age, of which somebody may know only the decade.
            categories |= named - {_AGE_RANGE} if _DATE_OF_BIRTH in named and " age" not in part else named
    return categories


def _denied_parts(words: str) -> Iterator[tuple[int, int]]:
    """Start and end of what `done` leaves out."""
    if (pieces := done(words)) is None:
        return
    at = 0
    for start, piece in [*pieces, (len(words), "")]:
        if words[at:start].strip():
            yield at, start
        at = start + len(piece)


def _held(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """Categories that are asked for, or kept in a system that serves a purpose for which something is asked, each with
    its place. What is processed for others, and systems of other people, such as employees, are left out."""
    asked_for = {purpose for point in declaration.collection_points.values() for purpose in point.purposes}
    own = {name for name, purpose in declaration.purposes.items() if purpose.role != "processor"}
    for name, point in declaration.collection_points.items():
        for label, asked in point.fields.items():
            if asked.category is not None:
                yield asked.category, f"{asked.category} ('{label}' of '{name}')"
    for name, system in declaration.systems.items():
        if not system.is_troths and asked_for & own & set(system.purposes or asked_for):
            for label, table in system.tables.items():
                yield from ((use.category, f"{use.category} ({name}.{label})") for use in table.fields.values())


def _other_companies(text: str, declaration: Declaration) -> str:
    """The control lets pages load from the hosts of declared recipients, which are other companies too."""
    words = plain(text)
    if not any(phrase.found_in(words) for phrase in _phrases("others", "words")):
        return ""
    if any(phrase.found_in(words) for phrase in _phrases("others", "unless")):
        return ""
    hosts = [f"{it.hosts[0]} ({name})" for name, it in declaration.recipients.items() if it.hosts]
    return f"the sentence rules out other companies, and recipients have hosts: {first_few(hosts)}" if hosts else ""


_COMPARED: Sequence[tuple[str, Callable[[str, Declaration], str]]] = (
    ("staff.ceiling", _more_people),
    ("collection.only_declared_fields", _other_places),
    ("collection.only_declared_fields", _denied_and_declared),
    ("stores.schema_declared", _denied_and_declared),
    ("detect.no_undeclared_personal_data", _denied_and_declared),
    ("disclosures.only_to_recipients", _other_companies),
)
"""Controls that compare reality with the declaration, each with what its sentences are compared with."""


@functools.cache
def _pattern(section: str, name: str) -> re.Pattern[str]:
    return re.compile(_data()[section][name].replace("\\\n", ""), re.IGNORECASE)


@functools.cache
def _phrases(section: str, name: str) -> Sequence[Phrase]:
    others: str = _data()["others"]["others"]
    return [Phrase(text.replace("OTHERS", others)) for text in _data()[section][name]]


def _data() -> Mapping[str, Any]:
    return read_toml(__package__, "declared_parameters.toml")

"""Extracts claims from the policy's sentences that can be checked against a schema, connection or site. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from troth.data_files import read_toml
from troth.declaration import Period
from troth.policy import PolicyText, Sentence
from troth.policy.categories import breadth, names_category
from troth.policy.classify import Clause
from troth.stores import Column, ColumnKind, TableSchema
from troth.text import plain_punctuation

_CHARACTERS_MAX: Final = 2_000
_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]+")
_UNITS: Final = frozenset({"day", "week", "month", "year"})


@functools.cache
def _patterns() -> dict[str, Any]:
    data = read_toml(__package__, "claims.toml")
    groups = ("sentences", "cookies")
    compiled = {group: {name: re.compile(text, re.I) for name, text in data[group].items()} for group in groups}
    return {**compiled, "hosts": data["hosts"]}


def _says(name: str, text: str) -> bool:
    return _patterns()["sentences"][name].search(text) is not None


def plain(sentence: Sentence) -> str:
    """The sentence as input for patterns: length-limited, with plain quotes and dashes."""
    return plain_punctuation(sentence.text[:_CHARACTERS_MAX])


# --- categories -----------------------------------------------------------------------------------------------------


def names_what_is_collected(policy: PolicyText) -> list[Sentence]:
    """Sentences that say what is collected and name at least one category, including list items and table cells under a
    heading that says so."""
    found, is_told = list[Sentence](), False
    for block in policy.blocks:
        if block.kind == "heading":
            is_told = any(_tells(plain(sentence)) for sentence in block.sentences)
        is_listed = is_told and (block.kind == "list_item" or block.cell is not None)
        for sentence in block.sentences:
            text = plain(sentence)
            is_said = _tells(text) or (is_listed and not _says("denies", text))
            found += [sentence] if is_said and breadth(text) else []
    return found


def _tells(text: str) -> bool:
    return _says("collects", text) and not _says("denies", text)


def denials(policy: PolicyText, category: str) -> list[Sentence]:
    """Sentences that say that the category is *not* collected."""
    return [sentence for sentence in policy.sentences if _denies(plain(sentence), category)]


def is_of_all(sentence: Sentence) -> bool:
    """True if a denial covers only the whole number, so that keeping its last four digits is consistent with it."""
    return _says("whole_number", plain(sentence))


def is_part(column: str) -> bool:
    """True if the column's name says that it holds only the end of a number."""
    return _says("end_of_number", " ".join(words_of(column)))


def _denies(text: str, category: str) -> bool:
    denial = _patterns()["sentences"]["denies"].search(text)
    if denial is None:
        return False
    rest = text[denial.end() :]
    end = _patterns()["sentences"]["ends_denial"].search(rest)
    return names_category(rest[: end.start()] if end else rest, category)


# --- periods --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RetentionClaim:
    """A sentence that says when data is deleted. *everything*: it covers all personal data, not only some.
    *conditional*: the period starts from an event that may not be recorded in a column."""

    clause: Clause
    period: Period
    everything: bool
    conditional: bool

    def is_about(self, table: TableSchema) -> bool:
        """True if the sentence names this table's rows, or covers everything."""
        if self.everything:
            return True
        said = {_singular(word) for word in re.findall(r"[^\W\d_]+", _joined(self.clause.sentence).lower())}
        noun = words_of(table.name.rpartition(".")[2])
        return bool(noun) and all(_singular(word) in said for word in noun)


def retention_claims(clauses: Sequence[Clause]) -> list[RetentionClaim]:
    """Clauses that name exactly one period, after which data is deleted or for which it is kept at most."""
    claims = []
    for clause in clauses:
        text = plain(clause.sentence)
        periods = [it for it in clause.quantities if it.unit in _UNITS and it.number == int(it.number)]
        if len(periods) != 1 or not _says("deletes", text) or _says("not_deletes", text):
            continue
        unit: Any = periods[0].unit
        claims.append(
            RetentionClaim(
                clause,
                Period(count=int(periods[0].number), unit=unit),
                everything=_says("everything", text),
                conditional=_says("conditional", text),
            )
        )
    return claims


_STARTS: Final = (
    "created", "inserted", "registered", "signed", "added", "written", "received", "sent", "logged", "issued", "placed",
    "ordered", "submitted", "opened", "occurred", "happened", "at", "on", "date", "time", "timestamp", "updated",
    "modified", "changed", "seen",
)  # fmt: skip
_NO_STARTS: Final = frozenset(
    {"due", "expires", "expiry", "expiration", "until", "valid", "end", "ends", "ended", "next", "deleted", "birth",
     "born", "dob", "hire", "hired", "delivery", "delete", "scheduled", "to"}
)  # fmt: skip


def date_column(table: TableSchema, personal: frozenset[str]) -> Column | None:
    """The column that best shows when a row was created, or None. Dates about the person, and dates that lie in the
    future by their name, are excluded."""
    ranked = []
    for at, column in enumerate(table.columns):
        words = words_of(column.name)
        if column.kind not in {ColumnKind.DATE, ColumnKind.DATETIME} or column.name in personal:
            continue
        if _NO_STARTS & set(words):
            continue
        rank = min((_STARTS.index(word) for word in words if word in _STARTS), default=len(_STARTS))
        ranked.append((rank, at, column))
    return min(ranked, key=lambda it: it[:2])[2] if ranked else None


# --- other claims ---------------------------------------------------------------------------------------------------


def promises_encryption(clause: Clause) -> bool:
    """True if the sentence promises encryption of database connections, or of all connections."""
    text = plain(clause.sentence)
    if not _says("encrypts", text) or (clause.negative and "not" in text.split()):
        return False
    return _says("of_databases", text) if _says("at_rest_or_site", text) else True


def ceilings(clauses: Sequence[Clause]) -> Iterator[tuple[Clause, int]]:
    """Sentences that limit how many people can see personal data, with that number."""
    for clause in clauses:
        text = plain(clause.sentence)
        people = [it for it in clause.quantities if it.unit == "person"]
        if len(people) == 1 and _says("readers", text) and _says("sees", text):
            yield clause, int(people[0].number)


def promises_no_early_cookies(clauses: Sequence[Clause]) -> Clause | None:
    """The first sentence that promises to store nothing on a device before the visitor has chosen, or None."""
    return next((it for it in clauses if _says("stores_first", plain(it.sentence))), None)


def is_tracking(cookie: str) -> bool:
    """True if a cookie of that name is known to track visitors."""
    return _patterns()["cookies"]["tracking"].search(cookie[:200]) is not None


def company_names(host: str) -> tuple[str, ...]:
    """Names by which a policy may refer to the company behind a host: the host, its domain, and well-known names."""
    labels = host.lower().split(".")
    own = max(labels[-3:-1] or labels, key=len)
    known = [name for part, names in _patterns()["hosts"].items() if part in labels for name in names.split("|")]
    return tuple(dict.fromkeys([host.lower(), ".".join(labels[-2:]), *([own] if len(own) > 3 else []), *known]))


def names_host(text: str, host: str) -> bool:
    """True if *text* names the host or its company."""
    folded = text.lower()
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) for name in company_names(host))


# --- words ----------------------------------------------------------------------------------------------------------


def words_of(name: str) -> tuple[str, ...]:
    """Split an identifier of the schema into words: ``signInHistory`` becomes "sign", "in", "history"."""
    return tuple(word.lower() for word in _WORD.findall(name[:200]))


def _joined(sentence: Sentence) -> str:
    """The sentence without its conditions, repeated with hyphenated words joined and split: "sign-in", "signin", "sign
    in"."""
    text = plain(sentence)
    end = _patterns()["sentences"]["begins_condition"].search(text)
    text = text[: end.start()] if end else text
    return f"{text} {text.replace('-', '')} {text.replace('-', ' ')}"


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word

"""Finding the sentences that the declaration's promises quote."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from troth.declaration import Declaration, Problem, Promise, Severity
from troth.policy import retention
from troth.policy.reading.files import read_file
from troth.policy.text import Block, PolicyError, PolicyText, Sentence
from troth.wording import same_words

__all__ = ["ROW", "Bound", "bind", "check", "doubts", "marks", "quoted"]

ROW = " | "
"""Stands between the cells of a row, in a quote."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Promise number *index* and the sentences that its quote touches: exactly one place, else *problem* says why
    there is none, and *near* is the sentence that is most like the quote."""

    index: int
    promise: Promise
    sentences: tuple[Sentence, ...] = ()
    problem: Problem | None = None
    near: Sentence | None = None


def bind(policy: PolicyText, promises: Sequence[Promise]) -> list[Bound]:
    """Find each promise's quote in the policy; white space, quotation marks and dashes may differ.

    A quote may be part of a sentence, or cross from one into the next within a paragraph; in a table it may cross
    cells of one row, with `` | `` between them.
    """
    page = _Page(policy)
    return [_bound(index, promise, page) for index, promise in enumerate(promises)]


def quoted(policy: PolicyText, quotes: Sequence[str]) -> list[tuple[Sentence, ...]]:
    """The sentences that each quote touches; none for one that does not stand in exactly one place."""
    page = _Page(policy)
    found = [page.find(same_words(quote)) if quote.strip() else [] for quote in quotes]
    return [places[0] if len(places) == 1 else () for places in found]


def marks(bounds: Sequence[Bound]) -> dict[str, tuple[int, ...]]:
    """The promises under each sentence, as a page needs them: sentence id to the indexes of promises."""
    found: dict[str, tuple[int, ...]] = {}
    for bound in bounds:
        for sentence in bound.sentences:
            found[sentence.id] = (*found.get(sentence.id, ()), bound.index)
    return found


def check(declaration: Declaration) -> list[Problem]:
    """What is wrong with the policy file and with the quotes that the declaration takes from it."""
    path = declaration.folder / declaration.policy.file
    try:
        policy = read_file(path)
    except PolicyError as error:
        return [_located(declaration, Problem("policy-unreadable", None, "policy.file", str(error)))]
    problems = [bound.problem for bound in bind(policy, declaration.promises) if bound.problem is not None]
    problems += [*_passed_over(declaration, policy), *retention.problems(declaration)]
    return [_located(declaration, problem) for problem in problems]


def doubts(declaration: Declaration, policy: PolicyText) -> dict[int, str]:
    """Why a promise cannot count as kept, whatever its controls found, by its index: its words are not in the policy,
    or its control looks for another period than they say."""
    found = [bound.problem for bound in bind(policy, declaration.promises) if bound.problem is not None]
    found += retention.problems(declaration)
    return {int(problem.path.split(".")[1]): _sentence(problem.message) for problem in reversed(found)}


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


def _passed_over(declaration: Declaration, policy: PolicyText) -> list[Problem]:
    """Decisions about sentences that are no longer there: harmless, and worth a look."""
    passed = declaration.policy.not_promises
    places = quoted(policy, [one.quote for one in passed])
    message, mend = "the quote is not in the policy", "take the line out, or quote the sentence as it now is"
    return [
        Problem("quote-not-found", None, f"policy.not_promises.{index}.quote", message, mend, Severity.WARNING)
        for index, found in enumerate(places)
        if not found
    ]


def _located(declaration: Declaration, problem: Problem) -> Problem:
    return Problem(
        problem.code, declaration.where(problem.path), problem.path, problem.message, problem.mend, problem.severity
    )


class _Page:
    """The policy in the form that quotes are searched in: one paragraph a line, each character's sentence known."""

    def __init__(self, policy: PolicyText) -> None:
        self.sentences = policy.sentences
        self._starts: list[int] = []
        parts: list[str] = []
        at = 0
        for block, following in zip(policy.blocks, (*policy.blocks[1:], None), strict=True):
            for place, sentence in enumerate(block.sentences):
                words = same_words(sentence.text)
                parts.append(words + (_behind(block, following) if place == len(block.sentences) - 1 else " "))
                self._starts.append(at)
                at += len(parts[-1])
        self.text = "".join(parts)

    def find(self, quote: str) -> list[tuple[Sentence, ...]]:
        """The sentences of the first places where the quote stands; two are enough to know that it is ambiguous."""
        found: list[tuple[Sentence, ...]] = []
        at = self.text.find(quote)
        while at >= 0 and len(found) < 2:
            first = bisect.bisect_right(self._starts, at) - 1
            last = bisect.bisect_right(self._starts, at + len(quote) - 1) - 1
            found.append(self.sentences[first : last + 1])
            at = self.text.find(quote, at + len(quote))
        return list(dict.fromkeys(found))

    def nearest(self, quote: str) -> Sentence | None:
        """The sentence that shares most of its words with the quote, if any shares half of them."""
        wanted = _words(quote)
        scored = [(_likeness(wanted, _words(sentence.text)), -place) for place, sentence in enumerate(self.sentences)]
        likeness, place = max(scored, default=(0.0, 0))
        return self.sentences[-place] if likeness >= 0.5 else None


def _behind(block: Block, following: Block | None) -> str:
    """What stands behind a block: the end of its line, but a bar within a row of a table."""
    if block.cell is None or following is None or following.cell is None:
        return "\n"
    return ROW if (block.cell.table, block.cell.row) == (following.cell.table, following.cell.row) else "\n"


def _bound(index: int, promise: Promise, page: _Page) -> Bound:
    quote, path = same_words(promise.quote), f"promises.{index}.quote"
    found = page.find(quote)
    if len(found) == 1:
        return Bound(index, promise, found[0])
    if found:
        lines = " and ".join(f"line {sentences[0].span.line}" for sentences in found)
        message = f"the quote stands in the policy more than once, in {lines}"
        return Bound(index, promise, (), Problem("quote-ambiguous", None, path, message, "quote more of the sentence"))
    near = page.nearest(quote)
    mend = (
        f"the nearest sentence is in line {near.span.line}: “{_short(near.text)}”" if near else "quote it as published"
    )
    return Bound(
        index, promise, (), Problem("quote-not-found", None, path, "the quote is not in the policy", mend), near
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", same_words(text).casefold()))


def _likeness(wanted: frozenset[str], words: frozenset[str]) -> float:
    return len(wanted & words) / (len(wanted) + len(words - wanted) * 0.2) if wanted else 0.0


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"

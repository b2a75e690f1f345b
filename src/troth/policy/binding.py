"""Finds the sentences that the declaration's promises quote."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from troth.declaration import Declaration, Problem, Promise, Severity
from troth.declaration import check as declared_problems
from troth.policy import declared_parameters, retention
from troth.policy.parse.files import read_file
from troth.policy.quote_matcher import QuotableText
from troth.policy.retention import lies_in
from troth.policy.text import PolicyError, PolicyText, Sentence
from troth.text import folded, same_words


@dataclass(frozen=True, slots=True)
class Bound:
    """Promise number *index* and the sentences that its quote covers. If the quote is not in exactly one place,
    *problem* says why and *near* is the most similar sentence."""

    index: int
    promise: Promise
    sentences: tuple[Sentence, ...] = ()
    problem: Problem | None = None
    near: Sentence | None = None


def bind_promises(policy: PolicyText, promises: Sequence[Promise]) -> list[Bound]:
    """Find each promise's quote in the policy, ignoring white space, quotation marks, dashes and marks at its ends.

    A quote must be complete: one sentence or list item, or several consecutive ones of a paragraph; in a table a row,
    with `` | `` between its cells, or a sentence of a cell. A list item may include the text that introduces the list.
    Shorter quotes are rejected, because the remaining words could change and reverse the meaning.
    """
    page = QuotableText(policy)
    return [_bound(index, promise, page) for index, promise in enumerate(promises)]


def quoted(policy: PolicyText, quotes: Sequence[str]) -> list[tuple[Sentence, ...]]:
    """The sentences of each quote; empty for a quote that does not match completely in exactly one place."""
    page = QuotableText(policy)
    found = [page.whole(same_words(quote)) for quote in quotes]
    return [places[0] if len(places) == 1 else () for places in found]


def marks(bounds: Sequence[Bound]) -> dict[str, tuple[int, ...]]:
    """Promise indexes by sentence id, for rendering a page."""
    found: dict[str, tuple[int, ...]] = {}
    for bound in bounds:
        for sentence in bound.sentences:
            found[sentence.id] = (*found.get(sentence.id, ()), bound.index)
    return found


def check(declaration: Declaration) -> list[Problem]:
    """Problems of the policy file and of the quotes that the declaration takes from it."""
    path = declaration.folder / declaration.policy.file
    try:
        policy = read_file(path)
    except PolicyError as error:
        return [declaration.problem("policy-unreadable", "policy.file", str(error))]
    problems = [bound.problem for bound in bind_promises(policy, declaration.promises) if bound.problem is not None]
    problems += [*_passed_over(declaration, policy), *_of_another_matter(declaration)]
    return [dataclasses.replace(problem, where=declaration.where(problem.path)) for problem in problems]


def doubts(declaration: Declaration, policy: PolicyText) -> dict[int, str]:
    """Why a promise cannot count as kept whatever its controls report, by index: its words are not in the policy,
    its control checks something else than they state, or the declaration has an error at what it is about."""
    found = [bound.problem for bound in bind_promises(policy, declaration.promises) if bound.problem is not None]
    found += [*_of_another_matter(declaration), *_of_faulty_places(declaration)]
    return {int(problem.path.split(".")[1]): _sentence(problem.message) for problem in reversed(found)}


def _of_another_matter(declaration: Declaration) -> Iterator[Problem]:
    yield from retention.problems(declaration)
    yield from declared_parameters.problems(declaration)


def _of_faulty_places(declaration: Declaration) -> Iterator[Problem]:
    """Errors of the declaration at what a promise with controls is about: they look there by what it says."""
    for problem in declared_problems(declaration):
        section, _, place = problem.path.replace(".tables.", ".", 1).partition(".")
        is_meant = section == "systems" and problem.severity is Severity.ERROR
        for index, promise in enumerate(declaration.promises if is_meant else ()):
            if promise.controls and any(lies_in(place, it) or lies_in(it, place) for it in promise.about):
                message = f"the declaration has an error at {place}: {problem.message}"
                yield dataclasses.replace(problem, path=f"promises.{index}.about", message=message)


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


def _passed_over(declaration: Declaration, policy: PolicyText) -> Iterator[Problem]:
    """`not_promises` entries whose sentence is no longer in the policy: harmless, so only a warning."""
    page = QuotableText(policy)
    for index, one in enumerate(declaration.policy.not_promises):
        found = page.whole(same_words(one.quote))
        if len(found) != 1:
            path = f"policy.not_promises.{index}.quote"
            problem, _ = _unplaced(same_words(one.quote), path, found, page)
            fix = f"{problem.fix}, or remove the line"
            yield dataclasses.replace(problem, fix=fix, severity=Severity.WARNING)


def _bound(index: int, promise: Promise, page: QuotableText) -> Bound:
    quote = same_words(promise.quote)
    found = page.whole(quote)
    if len(found) == 1:
        return Bound(index, promise, found[0])
    problem, near = _unplaced(quote, f"promises.{index}.quote", found, page)
    return Bound(index, promise, (), problem, near)


def _unplaced(
    quote: str, path: str, matches: Sequence[tuple[Sentence, ...]], page: QuotableText
) -> tuple[Problem, Sentence | None]:
    """Why the quote does not match exactly one place, and the sentence to look at."""
    if matches:
        lines = " and ".join(f"line {sentences[0].span.line}" for sentences in matches[:2])
        message = f"the quote is in the policy more than once, in {lines}"
        fix = "also quote the sentence before or after it, or the introduction of the list"
        return Problem("quote-ambiguous", None, path, message, fix), None
    if (part_of := page.around(quote)) is not None:
        message = f"the quote is only a part of line {part_of.span.line}, and the rest may change its meaning"
        return Problem(
            "quote-partial", None, path, message, f"quote all of it: “{_short(page.whole_of(quote), 2_000)}”"
        ), part_of
    near = _nearest(page.sentences, quote)
    fix = (
        f"the nearest sentence is in line {near.span.line}: “{_short(near.text)}”" if near else "quote it as published"
    )
    return Problem("quote-not-found", None, path, "the quote is not in the policy", fix), near


def _nearest(sentences: Sequence[Sentence], quote: str) -> Sentence | None:
    """The sentence that shares most words with the quote, if it shares at least half of them."""
    wanted = _words(quote)
    scored = [(_likeness(wanted, _words(sentence.text)), -place) for place, sentence in enumerate(sentences)]
    likeness, place = max(scored, default=(0.0, 0))
    return sentences[-place] if likeness >= 0.5 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(folded(text).split())


def _likeness(wanted: frozenset[str], words: frozenset[str]) -> float:
    return len(wanted & words) / (len(wanted) + len(words - wanted) * 0.2) if wanted else 0.0


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

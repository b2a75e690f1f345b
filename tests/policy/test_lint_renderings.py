"""One policy in five formats: the same findings, and the same promises."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable

import pytest
from tests.policy.papers import as_docx, as_markdown, as_page, as_pdf, as_text, voice_company
from tests.policy.sampling import AS_OF, SAMPLES, sample
from tests.policy.test_lint_metamorphic import FAULTS, GOOD, spots, with_a

from troth.policy import PolicyText, read, read_bytes, understand
from troth.policy.lint import lint

RENDERINGS: dict[str, Callable[[PolicyText], bytes]] = {
    "policy.md": lambda policy: as_markdown(policy).encode(),
    "policy.html": lambda policy: as_page(as_markdown(policy)).encode(),
    "policy.docx": as_docx,
    "policy.pdf": as_pdf,
    "policy.txt": lambda policy: as_text(policy).encode(),
}

WITHOUT_TABLES = {"policy.txt"}
"""Formats in which a cell is a line as any other, so that nothing says what its column or its row is about."""

OF_TABLES = {"GDPR.12.clarity", "GDPR.13.2a.retention", "GDPR.9.special", "S.law-no-promise"}
"""Rules that judge what a cell says by its column, or its words by not being a heading."""

RUNNING_TITLES = {("us-shop.html", "policy.pdf"): "Example Voice Ltd privacy policy"}
"""A title above the only page of a PDF could be a sentence: nothing shows that it would stand above each."""


def policy(name: str) -> PolicyText:
    return read(voice_company()) if name == "company" else sample(name)


def rendered(policy: PolicyText, name: str) -> PolicyText:
    return read_bytes(RENDERINGS[name](policy), name=name)


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def found(policy: PolicyText) -> Counter[tuple[str, str]]:
    """Findings without their lines. Quotes are compared by their words."""
    return Counter((one.rule, words(one.quote)) for one in lint(policy, as_of=AS_OF).findings)


def understood(
    policy: PolicyText, *, leave_out: frozenset[str] = frozenset(), nested: bool = True
) -> Counter[tuple[str, object, object]]:
    """What each sentence does and promises; those of which the words are *left out* are not looked at. Where titles are
    not *nested*, as in plain text, a sentence is under fewer of them, and only its promise is told."""
    clauses = understand(policy).clauses
    told = ((words(one.sentence.text), one.promise, one.kinds if nested else bool(one.promise)) for one in clauses)
    return Counter(clause for clause in told if clause[0] not in leave_out)


def beside_tables(policy: PolicyText) -> frozenset[str]:
    """The sentences of the sections that have a table: a cell on a line of its own may look like their heading."""
    tabled = (section for section in policy.sections if any(block.cell for block in section.blocks))
    return frozenset(words(one.text) for section in tabled for block in section.blocks for one in block.sentences)


@pytest.mark.few(5)
@pytest.mark.parametrize("format_", RENDERINGS)
@pytest.mark.parametrize("name", [*SAMPLES, "company"])
def test_every_rendering_has_the_same_findings(name: str, format_: str) -> None:
    before, after = found(policy(name)), found(rendered(policy(name), format_))
    changed = {rule for rule, _ in (after - before) + (before - after)}
    assert changed <= (OF_TABLES if format_ in WITHOUT_TABLES else set())


@pytest.mark.few(5)
@pytest.mark.parametrize("format_", RENDERINGS)
@pytest.mark.parametrize("name", [*SAMPLES, "company"])
def test_every_rendering_makes_the_same_promises(name: str, format_: str) -> None:
    whole = policy(name)
    title = RUNNING_TITLES.get((name, format_))
    left = beside_tables(whole) if format_ in WITHOUT_TABLES else frozenset()
    nested = format_ not in WITHOUT_TABLES
    before = understood(whole, leave_out=left, nested=nested)
    assert before
    after = rendered(whole, format_)
    assert understood(after, leave_out=left | {title} if title else left, nested=nested) == before


# --- an edit ----------------------------------------------------------------------------------------------------------

EVERY = tuple(itertools.product(FAULTS, RENDERINGS))
SOME = tuple(zip(FAULTS, itertools.cycle(RENDERINGS), strict=False))


@functools.cache
def rules_in(format_: str) -> Counter[str]:
    """What is found in the good policy in that format."""
    return Counter(rule for rule, _ in found(rendered(GOOD, format_)).elements())


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("fault", "format_"), [pytest.param(*one, marks=() if one in SOME else pytest.mark.soak) for one in EVERY]
)
def test_a_fault_in_a_good_policy_brings_exactly_its_findings_in_each_format(fault: str, format_: str) -> None:
    [at] = spots(fault, GOOD, 1)
    after = Counter(rule for rule, _ in found(rendered(with_a(fault, GOOD, at), format_)).elements())
    assert after - rules_in(format_) == Counter(FAULTS[fault])
    assert rules_in(format_) - after == Counter()

"""What an edit of a policy does to its findings: its own come or go, and no other."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import random
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from tests.policy.sampling import AS_OF, SAMPLES, sample
from tests.scale import scaled
from tests.tables import each_row

from troth.policy import PolicyText, read
from troth.policy.lint import lint, rules
from troth.policy.parse import Kind

GOOD = sample("good.md")

FAULTS = {
    "Please read our privacy policy carefully.": {"S.circular"},
    "We follow the CANSPAM Act.": {"S.typo.regime", "CANSPAM.content"},
    "We are bound by the GPDR.": {"S.typo.regime"},
    "The company and it's staff keep your data safe.": {"S.typo.its"},
    "We act in accordance the law.": {"S.grammar.missing-word"},
    "We hold your name email address and postal address.": {"S.grammar.list"},
    "See http://example.org/list for more.": {"S.link.insecure"},
    "See their privacy notice.": {"S.link.missing"},
    "The reader finds more in section 47.": {"S.link.missing"},
    "This is the law. See more at: https://example.org/law": {"S.template.citation"},
    "The customer shall indemnify the company.": {"S.template.contract"},
    "Our telephone is +44 01632 960000.": {"S.contact.postcode"},
    "We take part in the Privacy Shield.": {"GDPR.13.1f.transfer"},
    "Like us on Google+.": {"S.product.sunset"},
    "We share PII with nobody.": {"S.term.undefined", "CA.22575.b1.thirdparties", "X.transfer-vs-vendors"},
    "We use HubSpot, and the servers of Hubspot are in Ireland.": {"S.name-variants"},
    "On 31 November 2015 we moved.": {"S.date.invalid"},
    "We moved on 5/6/2014.": {"S.date.invalid"},
    "We do not share your personal data with third parties.": {"X.transfer-vs-vendors", "CA.22575.b1.thirdparties"},
    "Write to us and we remove you from all correspondence.": {"X.unsub-vs-breach-mail"},
    "Everything is encrypted with SSL.": {"SEC.ssl"},
    "We guarantee that your data is completely secure.": {"SEC.absolute"},
    "Copies of parcel labels are kept for as long as necessary.": {"GDPR.13.2a.vague"},
}
"""A sentence, and the rules that fire on it in a policy that is good."""

ALONE = {
    "The GPDR binds the workshop.": "S.typo.regime",
    "The workshop and it's staff keep data safe.": "S.typo.its",
    "All of this is in accordance the law.": "S.grammar.missing-word",
    "The customer shall indemnify the carrier.": "S.template.contract",
    "Telephone: +44 01632 960000.": "S.contact.postcode",
    "On 31 November 2015 the workshop moved.": "S.date.invalid",
    "This is the law. See more at: https://example.org/law": "S.template.citation",
}
"""Faults that do not hang on what else a policy says."""

GONE = {
    "You can also complain to the Information\nCommissioner's Office, Wycliffe House, Water Lane, Wilmslow SK9 5AF, at "
    "any time, or go to a court.": {"GDPR.13.2d.complaint"},
    "### Your right to object to direct marketing\n\nYou can object to direct marketing at any time, without a reason. "
    "We then stop at once.\n": {"GDPR.21.4.objection"},
    "- have its use restricted while we look into a dispute,\n": {"GDPR.13.2b.rights"},
    "No third party collects data about you on our site over time or across other sites.": {"CA.22575.b6.crosssite"},
    "In force from 1 September 2026. Version 7.": {"CA.22575.b4.effective"},
    "We make no decisions about you by automated means alone, and we do no profiling.": {"GDPR.13.2f.adm"},
    "within 72 hours after we learn of it": {"BREACH.deadline"},
    "It is certified under the UK-US data bridge.": {"GDPR.13.1f.transfer"},
}
"""Words that the good policy needs, and the rules that miss them."""


def fired(policy: PolicyText, *, as_of: dt.date = AS_OF) -> Counter[str]:
    return Counter(finding.rule for finding in lint(policy, as_of=as_of).findings)


@functools.cache
def fired_in(source: str, kind: Kind) -> Counter[str]:
    return fired(read(source, kind=kind))


def changes(before: PolicyText, after: PolicyText, kind: Kind = "markdown") -> tuple[Counter[str], Counter[str]]:
    """Which findings an edit brings, and which it takes away."""
    old, new = fired_in(before.source, kind), fired(after)
    return new - old, old - new


def quoted(policy: PolicyText) -> Counter[tuple[str, str]]:
    """Findings without their lines. Quotes are compared by their words."""
    found = lint(policy, as_of=AS_OF).findings
    return Counter((one.rule, " ".join(re.findall(r"\w+", one.quote))) for one in found)


def paragraphs(policy: PolicyText) -> list[str]:
    return policy.source.strip().split("\n\n")


def places(parts: list[str]) -> list[int]:
    """Where a paragraph may come between others without parting a list or a table from what leads into it."""
    following = [*parts, ""]
    is_list = re.compile(r"[-*|] ?|\d+\. ")
    return [at for at in range(1, len(parts) + 1) if not is_list.match(following[at]) and parts[at - 1][-1] != ":"]


def with_a(fault: str, policy: PolicyText, at: int, *, kind: Kind = "markdown") -> PolicyText:
    parts = paragraphs(policy)
    return read("\n\n".join([*parts[:at], fault, *parts[at:]]) + "\n", kind=kind)


# --- one fault comes, and goes ----------------------------------------------------------------------------------------


def spots(fault: str, policy: PolicyText, count: int) -> list[int]:
    return random.Random(fault).choices(places(paragraphs(policy)), k=count)


@pytest.mark.few(3)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("count", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_a_fault_anywhere_in_a_good_policy_brings_exactly_its_findings(fault: str, count: int) -> None:
    for at in spots(fault, GOOD, count):
        assert changes(GOOD, with_a(fault, GOOD, at)) == (Counter(FAULTS[fault]), Counter()), at


@pytest.mark.few(3)
@pytest.mark.parametrize("fault", ALONE)
@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.endswith(".html")])
@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_a_fault_in_any_policy_brings_exactly_its_finding(fault: str, name: str, count: int) -> None:
    policy = sample(name)
    kind: Kind = "text" if name.endswith(".txt") else "markdown"
    for at in spots(fault, policy, count):
        edited = with_a(fault, policy, at, kind=kind)
        assert changes(policy, edited, kind) == (Counter([ALONE[fault]]), Counter()), at


@each_row("words", GONE)
def test_a_sentence_that_is_needed_and_gone_brings_exactly_its_findings(words: str) -> None:
    assert words in GOOD.source
    edited = read(GOOD.source.replace(words, ""), kind="markdown")
    assert changes(GOOD, edited) == (Counter(GONE[words]), Counter())


# --- edits that change nothing ----------------------------------------------------------------------------------------


def wrapped(policy: PolicyText, width: int) -> Iterator[str]:
    """The paragraphs of a text with other line breaks; lists, tables and headings stay as they are."""
    for part in paragraphs(policy):
        is_plain = (
            not re.match(r"[#|>*-]|\d+\.", part) and "\n- " not in part and "\n* " not in part and "|" not in part
        )
        is_long = len(part) > 90 and part[-1] in ".:?!"
        yield (
            textwrap.fill(part, width, break_long_words=False, break_on_hyphens=False) if is_plain and is_long else part
        )


@pytest.mark.parametrize("name", ["good.md", "voice.md"])
def test_other_line_breaks_change_no_finding(name: str) -> None:
    policy = sample(name)
    for width in (60, 74, 97, 500):
        assert quoted(read("\n\n".join(wrapped(policy, width)), kind="markdown")) == quoted(policy), width


@pytest.mark.parametrize("name", ["good.md", "voice.md"])
def test_the_same_words_as_a_page_have_the_same_findings(name: str) -> None:
    policy = sample(name)
    page = MarkdownIt("commonmark").enable("table").render(policy.source)
    assert quoted(read(f"<html><body><main>{page}</main></body></html>", kind="html")) == quoted(policy)


@pytest.mark.scaled
@pytest.mark.parametrize("name", ["good.md", "voice.md"])
def test_sections_in_another_order_have_the_same_findings(name: str) -> None:
    policy = sample(name)
    first, *sections = re.split(r"(?m)^(?=## )", policy.source)
    for seed in range(scaled(2, 6)):
        shuffled = random.Random(seed).sample([*sections[:-1], f"{sections[-1]}\n"], k=len(sections))
        assert fired(read(first + "".join(shuffled), kind="markdown")) == fired(policy), seed


MAIL = re.compile(r"\b([Ee])-?mail")


@each_row("name", SAMPLES)
@each_row("spelling", [r"\1mail", r"\1-mail"])
def test_the_spelling_of_email_changes_no_finding(name: str, spelling: str) -> None:
    before = sample(name)
    kind: Kind = "html" if name.endswith(".html") else "text" if name.endswith(".txt") else "markdown"
    gone, come = changes(before, read(MAIL.sub(spelling, before.source), kind=kind), kind)
    assert {rule for rule in gone + come if rule != "S.name-variants"} == set()


# --- days, and words that mean nothing --------------------------------------------------------------------------------

GROW_OLD = {"S.stale", "S.predates", "S.product.sunset", "S.date.invalid", "GDPR.13.1f.transfer"}
"""Rules that look at the day themselves."""


@pytest.mark.scaled
@pytest.mark.parametrize("name", SAMPLES)
def test_another_day_changes_exactly_the_dated_rules(name: str) -> None:
    policy = sample(name)
    days = sorted(random.Random(name).sample(range(dt.date(2017, 1, 1).toordinal(), AS_OF.toordinal()), k=scaled(3, 8)))
    seen = [(day, fired(policy, as_of=day)) for day in map(dt.date.fromordinal, [*days, AS_OF.toordinal()])]
    for (before, old), (after, new) in itertools.pairwise(seen):
        dated = {id_ for id_, rule in rules().items() if before < rule.applies_from <= after}
        for rule in (old - new) + (new - old):
            assert rule in GROW_OLD or any(f"{rule}.".startswith(f"{id_}.") for id_ in dated), (before, after, rule)


LOREM = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore. "
    "Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat."
)


def test_on_words_that_mean_nothing_only_rules_about_the_whole_document_fire() -> None:
    text = f"# Lorem ipsum\n\n{LOREM}\n\n## Dolor sit\n\n- {LOREM}\n- {LOREM}\n"
    found = lint(read(text, kind="markdown"), as_of=AS_OF).findings
    assert found
    assert [one.rule for one in found if one.line is not None] == []

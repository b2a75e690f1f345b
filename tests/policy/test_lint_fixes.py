"""Fixing what is mechanical: each fix removes exactly its finding, and fixing twice changes nothing."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.declared import VOICE, declared
from tests.policy.linting import TODAY
from tests.policy.sampling import SAMPLES, sample
from tests.scale import scaled
from tests.tables import each_row

from troth.policy import read
from troth.policy.lint import FixedText, LintFacts, LintReport, apply_fixes, lint
from troth.policy.parse import Kind


def look(text: str, kind: Kind) -> LintReport:
    return lint(read(text, kind=kind), as_of=TODAY)


@functools.cache
def fixed(text: str, kind: Kind = "markdown") -> FixedText:
    return apply_fixes(text, kind=kind, look=functools.partial(look, kind=kind))


@functools.cache
def fired(text: str, kind: Kind = "markdown") -> Counter[str]:
    return Counter(finding.rule for finding in look(text, kind).findings)


def kind_of(name: str) -> Kind:
    return "html" if name.endswith(".html") else "text" if name.endswith(".txt") else "markdown"


@each_row(
    ("before", "after"),
    [
        ("Last edited on 2018-25-04.", "Last edited on 2018-04-25."),
        ("The firm and it’s staff.", "The firm and its staff."),
        ("The CANSPAM Act.", "The CAN-SPAM Act."),
        ("See http://example.org/list.", "See https://example.org/list."),
        ("We encrypt it with Secure Socket Layer (SSL) technology.", "We encrypt it with TLS."),
        ("We act in accordance the law.", "We act in accordance with the law."),
        ("We hold your name email address.", "We hold your name, email address."),
        ("Mailchimp sends it, and MailChimp counts.", "Mailchimp sends it, and Mailchimp counts."),
        ("The right to data portability (Art. 21 GDPR).", "The right to data portability (Art. 20 GDPR)."),
    ],
)
def test_a_mechanical_fault_is_fixed(before: str, after: str) -> None:
    assert fixed(before).text == after


@pytest.mark.parametrize(
    "text",
    [
        "Last edited on 6/12/2018.",
        "Last edited on 30 February 2024.",
        "We take part in the Privacy Shield.",
        "We keep it for as long as necessary.",
        "We may your data with others.",
    ],
)
def test_what_only_a_person_can_say_is_left_to_one(text: str) -> None:
    assert fixed(text).text == text


@pytest.mark.parametrize("name", SAMPLES)
def test_fixing_removes_exactly_the_findings_that_it_fixes(name: str) -> None:
    source, kind = sample(name).source, kind_of(name)
    done = fixed(source, kind)
    assert fired(source, kind) - fired(done.text, kind) == Counter(one.finding.rule for one in done.fixes)
    assert not fired(done.text, kind) - fired(source, kind)


@pytest.mark.parametrize("name", SAMPLES)
def test_fixing_twice_changes_nothing(name: str) -> None:
    once = fixed(sample(name).source, kind_of(name))
    assert fixed(once.text, kind_of(name)).fixes == ()


def test_each_fix_alone_removes_its_finding_alone() -> None:
    source = sample("voice.md").source
    fixes = fixed(source).fixes
    assert len(fixes) >= 4
    for one in fixes:
        text = source[: one.start] + one.write + source[one.end :]
        assert fired(source) - fired(text) == Counter([one.finding.rule])


def test_a_fix_that_would_bring_another_finding_is_not_made() -> None:
    text = "The GPDR binds the firm and it's staff."

    def strict(text: str) -> LintReport:
        """As if another rule took offence at the right name of the law."""
        report = look(text, "markdown")
        return replace(report, findings=report.findings * (2 if "GDPR" in text else 1))

    assert apply_fixes(text, kind="markdown", look=strict).text == "The GPDR binds the firm and its staff."


def test_the_words_of_a_page_are_fixed_without_its_markup() -> None:
    page = "<html><body><main><p>Caf&eacute; &amp; Co and it&rsquo;s <b>staff</b>.</p></main></body></html>"
    assert fixed(page, "html").text == page.replace("it&rsquo;s", "its")


def test_the_diff_is_one_that_patch_reads() -> None:
    assert fixed("One.\n\nThe firm and it's staff.").diff("policy.md") == (
        "--- a/policy.md\n+++ b/policy.md\n@@ -1,3 +1,3 @@\n One.\n \n"
        "-The firm and it's staff.\n\\ No newline at end of file\n"
        "+The firm and its staff.\n\\ No newline at end of file\n"
    )
    assert fixed("All is well.").diff("policy.md") == ""


def test_a_list_that_is_promised_is_filled_from_the_declaration() -> None:
    facts = LintFacts.of(declared(VOICE))

    def beside(text: str) -> LintReport:
        return lint(read(text, kind="markdown"), as_of=TODAY, facts=facts)

    text = "## Cookies\n\nWe use cookies to:\n\n## Mail\n\nWrite to us."
    done = apply_fixes(text, kind="markdown", look=beside)
    assert "We use these cookies: cart (remembers what you put in the cart); choice" in done.text
    assert [one.finding.rule for one in done.fixes] == ["S.empty-list.cookies"]
    assert apply_fixes(done.text, kind="markdown", look=beside).fixes == ()
    assert fixed(text).text == text


FRAGMENTS = st.sampled_from(
    [
        *(
            "The firm and it’s staff. ",
            "CANSPAM ",
            "in accordance the law",
            "http://example.org/a ",
            "2018-25-04 ",
            ",,",
        ),
        *(
            "MailChimp ",
            "mailchimp ",
            "SSL ",
            "We use cookies to:\n\n",
            "# ",
            "- ",
            "| a | b |\n",
            "[x](http://example.org) ",
        ),
        *("<b>", "&amp;", "{", "}", "%s", "\n\n", "’", "+44 0", "see section 9. ", "We do not sell ", "\x00", "é"),
    ]
)


@settings(max_examples=scaled(5, 40), deadline=None)
@given(
    text=st.lists(FRAGMENTS | st.text(max_size=8), max_size=25).map("".join),
    kind=st.sampled_from(["markdown", "text", "html"]),
)
def test_whatever_stands_there_is_looked_at_and_fixed_for_good(text: str, kind: Kind) -> None:
    done = fixed(text, kind)
    assert fixed(done.text, kind).text == done.text
    assert not fired(done.text, kind) - fired(text, kind)

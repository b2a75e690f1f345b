"""A notice from the declaration: complete for the laws that apply, plain to read, and nothing invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.policy.declared import CLINIC, SHOP, VOICE, changed, declared, without
from tests.tables import each_row

from troth.policy import PolicyError, read
from troth.policy.render import EASE_MIN, NoticeIncomplete, render, render_short


def _section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("path", [VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def test_two_builds_give_the_same_bytes(path: Path) -> None:
    assert render(declared(path)) == render(declared(path))


@pytest.mark.parametrize("path", [VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def test_the_prose_reads_easily(path: Path) -> None:
    assert render(declared(path)).ease > EASE_MIN + 20


@each_row(
    ("letter", "words"),
    [
        ("13(1)(a)", "Beispielklinik GmbH | Beispielweg 1, 10115 Berlin | datenschutz@example.org"),
        ("13(1)(b)", "dpo@example.org"),
        ("13(1)(c)", "To treat you | a contract with you"),
        ("13(1)(d)", "our legitimate interest | to find better treatments"),
        ("13(1)(e)", "Example Laboratory Inc | decides for itself (controller)"),
        ("13(1)(f)", "United States | standard contractual clauses | for a copy of it"),
        ("13(2)(a)", "10 years | the law has us keep records"),
        ("13(2)(b)", "access: | rectification: | erasure: | restriction: | objection: | portability: | 1 month"),
        ("13(2)(c)", "withdrawal: take back a consent"),
        ("13(2)(d)", "complain to the supervisory authority at any time: Berliner Beauftragte"),
        ("13(2)(e)", "we cannot treat you | the contract requires it"),
        ("13(2)(f)", "Which requests a doctor sees first | how urgent they sound | challenge the decision"),
        ("13(3)", "something new, we tell you before we start"),
        ("14(2)(f)", "the doctor who sent you to us | Open to the public"),
        ("9(2)", "health data | health care, under a duty of secrecy | archives, research or statistics"),
        ("21(4)", "You can object to direct marketing at any time"),
        ("33-34", "within 72 hours"),
    ],
)
def test_it_says_what_each_letter_of_the_gdpr_asks_for(letter: str, words: str) -> None:
    text = read(render(declared(CLINIC)).md).text
    assert [each for each in words.split(" | ") if each not in text] == [], letter


@each_row(
    ("paragraph", "words"),
    [
        ("22575(b)(1)", "identifiers | Example Adverts Inc"),
        ("22575(b)(2)", "You can look at your data and change it"),
        ("22575(b)(3)", "by e-mail and on our website, 30 days before"),
        ("22575(b)(4)", "in force since 1 July 2026"),
        ("22575(b)(5)", "Do Not Track | Global Privacy Control"),
        ("22575(b)(6)", "over time and across other websites: Example Adverts Inc"),
        ("1798.130(a)(5)", "past twelve months | commercial information"),
        ("1798.135", "Do not sell or share my personal information"),
        ("7021", "45 days | 10 business days"),
        ("7063, 1798.125", "through an agent | do not treat you worse"),
        ("15 USC 7704", "within 10 business days | our postal address"),
    ],
)
def test_it_says_what_californian_law_asks_for(paragraph: str, words: str) -> None:
    text = read(render(declared(SHOP)).md).text
    assert [each for each in words.split(" | ") if each not in text] == [], paragraph


def test_it_names_the_complaint_route_and_the_commissioner_in_the_uk() -> None:
    text = _section(render(declared(VOICE)).md, "If you think that we are wrong")
    assert "/your-data/complain/" in text
    assert "We acknowledge a complaint within 30 days." in text
    assert "Information Commissioner's Office" in text


def test_cookies_are_told_with_name_purpose_duration_and_party() -> None:
    table = _section(render(declared(SHOP)).md, "Cookies")
    assert "| seen | marketing | shows you our bicycles elsewhere | 90 days | adverts.example.org |" in table
    assert "| cart | necessary | remembers your cart | until you close the browser | we do |" in table


def test_laws_that_do_not_apply_are_not_spoken_of() -> None:
    assert "California" not in render(declared(CLINIC)).md
    assert "GDPR" not in render(declared(SHOP)).md


def test_what_is_done_for_others_is_told_apart_with_the_role() -> None:
    text = render(declared(VOICE)).md
    assert "the customer is the controller, and we are the processor" in _section(text, "What we do for others")
    assert "transcribe" not in _section(text, "What we use it for")


@each_row(
    ("old", "new", "path"),
    [
        ("  regulator: Berliner Beauftragte für Datenschutz und Informationsfreiheit\n", "", "organisation"),
        ("    without: we cannot treat you\n", "", "collection_points.first_visit"),
        ("    condition: health_care\n", "", "purposes.care"),
        ("    safeguard: scc\n", "", "recipients.laboratory"),
        ("    interests: to find better treatments\n", "", "purposes.research"),
        ("keep: {for: 10 years, from: seen_at,", "keep: {", "retention"),
        ("{need: required, category: user.demographic.date_of_birth}", "required", "collection_points.first_visit"),
        ("  children: none\n", "", "notice"),
        ("  changes: {how: [site], days_before: 14}\n", "", "notice"),
    ],
)
def test_what_is_missing_stops_the_build_and_says_where_it_goes(old: str, new: str, path: str) -> None:
    with pytest.raises(NoticeIncomplete) as caught:
        render(changed(CLINIC, (old, new)))
    assert any(problem.path.startswith(path) and problem.fix for problem in caught.value.problems)


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(NoticeIncomplete) as caught:
        render(without(declared(SHOP), children=None, signals=None, elsewhere=None))
    assert len(caught.value.problems) == 3


def test_nothing_is_said_of_decisions_that_nobody_declared() -> None:
    assert "automated" not in render(declared(SHOP)).md


def test_a_company_from_elsewhere_names_its_representative() -> None:
    served = ("requests: {serves: [US, US-CA]}", "requests: {serves: [US, US-CA, DE]}")
    with pytest.raises(NoticeIncomplete, match="no representative is declared for the GDPR"):
        render(changed(SHOP, served))
    named = "  representative: {name: Example Agents GmbH, address: Berlin, email: agents@example.org}\n"
    site = ("  email: privacy@example.org\n", f"  email: privacy@example.org\n  regulator: Berlin\n{named}")
    more = ("notice:\n", "notice:\n  decisions: none\n")
    assert "Example Agents GmbH acts for us" in render(changed(SHOP, served, site, more)).md


def test_hostile_words_stay_words() -> None:
    nasty = "Ann | <script>alert(1)</script> [x](javascript:alert(1)) *y*"
    rendered = render(changed(SHOP, ("name: Example Bikes Inc", f"name: '{nasty}'")))
    assert "<script>" not in rendered.page
    assert 'href="javascript' not in rendered.page
    assert nasty in read(rendered.md).text


def test_hard_words_stop_the_build() -> None:
    hard = "Notwithstanding organisational considerations, categorisation necessitates individualised determinations"
    words = ", ".join([hard] * 40)
    with pytest.raises(PolicyError, match="too hard to read"):
        render(changed(CLINIC, ("Records are encrypted, and every look at them is recorded.", words)))


def test_a_language_that_is_not_there_says_so() -> None:
    with pytest.raises(PolicyError, match="'de' is not supported yet"):
        render(declared(SHOP), language="de")


def test_a_short_notice_says_what_matters_at_the_form_in_few_words() -> None:
    text = render_short(declared(VOICE), "newsletter")
    assert len(text.split()) <= 150
    said = ("Required: e-mail address.", "Optional: name.", "your consent", "withdraw consent", "Example Post Inc")
    assert [each for each in said if each not in text] == []


def test_a_short_notice_names_those_only_who_get_what_is_asked_there_for_its_purposes() -> None:
    assert "It goes to: Example Carrier LLC." in render_short(declared(SHOP), "order")  # the adverts get visits only
    news = ("receives: [user.name, user.contact.address]}", "receives: [user.name], purposes: [news]}")
    assert "It goes to" not in render_short(changed(SHOP, news), "order")


@pytest.mark.parametrize("title", ["Ship orders", "Shipping", "To ship orders.", "SMS reminders"])
def test_a_short_notice_reads_well_whatever_the_form_of_a_title(title: str) -> None:
    text = render_short(changed(SHOP, ("title: To take your order and send it", f"title: {title}")), "order")
    assert f"\n\nWhat we use it for: {title.rstrip('.')}.\n" in text


def test_a_name_with_a_full_stop_of_its_own_ends_the_sentence() -> None:
    named = (
        ("name: Example Bikes Inc", 'name: "Example Bikes, Inc."'),
        ("Example Carrier LLC", '"Example Carriers, Inc."'),
    )
    both = ("receives: [user.device]", "receives: [user.device, user.name]")
    assert "We are Example Bikes, Inc. We decide" in render(changed(SHOP, *named)).md
    assert "It goes to: Example Carriers, Inc.; Example Adverts Inc." in render_short(
        changed(SHOP, *named, both), "order"
    )
    assert ".." not in render(changed(SHOP, *named)).md


def test_a_period_that_runs_from_nothing_that_words_say_stops_the_build() -> None:
    with pytest.raises(NoticeIncomplete, match="'at' does not say in words") as caught:
        render(changed(SHOP, (", starts: the visit", "")))
    assert [problem.path for problem in caught.value.problems] == ["retention.visits"]


def test_signals_of_browsers_are_under_no_heading_of_cookies() -> None:
    text = render(declared(SHOP)).md
    assert "Global Privacy Control" in _section(text, "Tracking across websites")
    assert "Do Not Track" not in _section(text, "Cookies")


@pytest.mark.parametrize("path", [VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def test_the_links_of_a_short_notice_lead_to_sections_that_are_there(path: Path) -> None:
    page = render(declared(path)).page
    for point in declared(path).collection_points:
        anchors = re.findall(r'href="/policy/#([^"]+)"', render_short(declared(path), point, "html"))
        assert len(anchors) == 2
        assert [anchor for anchor in anchors if f'id="{anchor}"' not in page] == []


def test_an_unknown_point_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PolicyError, match="there are order"):
        render_short(declared(SHOP), "ordr")


def test_too_much_for_a_short_notice_is_refused() -> None:
    with pytest.raises(PolicyError, match="words, 150 are allowed"):
        render_short(changed(SHOP, ("without: we cannot send", "without: " + "we cannot send it, " * 40)), "order")


def test_that_nothing_was_sold_before_is_said_by_the_company_alone() -> None:
    said = "We did neither in the past twelve months"
    assert said in render(declared(VOICE)).md
    silent = changed(VOICE, ("  sold_before: none\n", ""))
    with pytest.raises(NoticeIncomplete, match="whether data was sold before is not declared"):
        render(silent)

"""Manners of published policies over which a reader could stumble: what stands there for programs, boxes, answers in
tables, one person who speaks."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pytest
from tests.policy.linting import TODAY

from troth.policy import read
from troth.policy.classify import ClauseKind, understand
from troth.policy.extraction import ContactKind, contacts, dates, definitions
from troth.policy.lexicon import mentions
from troth.policy.lint import lint

FRONT = (
    "---\ntitle: Privacy\nredirect_from:\n  - /privacy\ndescription: It is your data, and this is our promise!\n---\n\n"
)


def found(text: str, kind: Literal["markdown", "html", "text"] = "markdown") -> set[str]:
    return {one.rule for one in lint(read(text, kind=kind), as_of=TODAY, regimes=("gdpr", "uk", "ca", "us")).findings}


def test_what_a_site_generator_reads_is_no_part_of_the_policy() -> None:
    policy = read(f"{FRONT}# Privacy\n\nLast updated May 31, 2026\n{{: .date }}\n\n## Contact {{#contact}}\n\nWrite.\n")
    assert [block.text for block in policy.blocks] == ["Privacy", "Last updated May 31, 2026", "Contact", "Write."]
    assert policy.blocks[0].sentences[0].span.line == FRONT.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "first"),
    [("---\n\nWe keep it.\n\n---\n", "We keep it."), ("---\nUpdated: 3 May 2026\n---\n", "Updated: 3 May 2026")],
)
def test_a_text_between_rules_is_a_part_of_the_policy(text: str, first: str) -> None:
    assert read(text, kind="markdown").blocks[0].text == first


def test_a_gap_that_is_written_for_a_program_is_still_a_gap() -> None:
    assert "GDPR.12.clarity" in found("We are {{ company }} and we keep your name for a year.")


@pytest.mark.parametrize(
    "text",
    [
        "Last update: 9. April 2026",
        "We join the EU–U.S. Data Privacy Framework.",
        "IT RESTS ON ART. 6 (1) LIT. F GDPR.",
    ],
)
def test_a_full_stop_within_a_date_or_a_name_ends_no_sentence(text: str) -> None:
    assert len(read(text, kind="markdown").sentences) == 1


def test_a_number_may_end_a_sentence() -> None:
    assert len(read("We keep it until the age of 30. Maybe longer.", kind="markdown").sentences) == 2


def test_a_box_with_a_name_in_bold_type_is_what_its_lead_announces() -> None:
    box = "<h2>Contact</h2><p>For questions:</p><div><strong>Larch Ltd</strong><br>Ford Lane, Netherby NE99 1AA</div>"
    assert not {one for one in found(box, "html") if one.startswith(("S.empty-list", "GDPR.12.clarity"))}
    assert "GDPR.12.clarity" in found(
        "<h2>Purposes</h2><p>We use your data for:</p><h2>Contact</h2><p>Write.</p>", "html"
    )


@pytest.mark.parametrize("text", ["📞 0303 123 1113", "Larch Ltd, Ford Lane, Netherby NE99 1AA · 01632 960 441"])
def test_a_number_beside_an_address_or_a_sign_is_a_telephone(text: str) -> None:
    assert ContactKind.TELEPHONE in {one.kind for one in contacts(read(text, kind="markdown"))}


def test_a_number_of_a_company_and_a_place_on_the_page_reach_nobody() -> None:
    policy = read("Larch Ltd, company 01234567, Ford Lane, Netherby NE99 1AA. [Up](#top)", kind="markdown")
    assert {one.kind for one in contacts(policy)} == {ContactKind.POST}


def test_that_something_means_that_another_thing_happens_defines_nothing() -> None:
    assert not definitions(read("Failure to provide it means that no contract can be made.", kind="markdown"))


def test_what_a_table_says_is_not_collected_is_not() -> None:
    head = "| Category | Examples | Collected |\n|---|---|---|\n"
    rows = f"{head}| Contact | Your name | YES |\n| Biometric | Fingerprints | NO |\n"
    does = {clause.sentence.text: clause.kinds for clause in understand(read(rows, kind="markdown")).clauses}
    assert ClauseKind.COLLECTION in does["Your name"]
    assert does["Fingerprints"] == ()
    assert not mentions(read(rows, kind="markdown")).has("special.implied")


def test_the_column_of_sources_names_no_recipients() -> None:
    rows = "| What | Who from | How long |\n|---|---|---|\n| Name | You, by phone | 3 months |\n"
    kinds = [clause.kinds for clause in understand(read(rows, kind="markdown")).clauses]
    assert not any(ClauseKind.RECIPIENT in one for one in kinds)


ALONE = "I run a practice. My notes are mine. I keep them for a year. I work from home, and my desk is locked. {}"


def test_somebody_who_works_alone_is_read_as_we() -> None:
    text = ALONE.format("I delete my notes after a year.")
    assert text.rpartition(". ")[2] in {one.sentence.text for one in understand(read(text, kind="markdown")).promises}
    assert mentions(read(ALONE.format("I may collect your name."), kind="markdown")).has("hedge.practice")


def test_a_reader_who_asks_is_not_read_as_we() -> None:
    text = "## Can I collect my data?\n\nWe send it to you. We keep our files for a year, and our staff is trained."
    assert "can i collect my data" in {one.words for one in mentions(read(text, kind="markdown")).passages}


@pytest.mark.parametrize(
    "text",
    [
        "- **Legitimate interests** — running the junior league is a core part of the club.",
        "- **Legitimate Interests.** We may process it. For example, to diagnose problems.",
        "Legitimate interests: we process data to secure our app.",
    ],
)
def test_an_interest_may_be_named_behind_its_label(text: str) -> None:
    assert "GDPR.13.1d.interests" not in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "- **Legitimate interests.** Processing is necessary for our legitimate interests or those of others.",
        "Legitimate interests: where they do not override your rights.",
        "- **Legitimate interests** — we process data to pursue our interests.",
    ],
)
def test_a_label_with_nothing_behind_it_names_no_interest(text: str) -> None:
    assert "GDPR.13.1d.interests" in found(text)


def test_what_is_denied_of_third_parties_and_told_of_a_provider_is_a_contradiction() -> None:
    denial, deed = "We do not collect any information from third parties.", "We receive your name from the provider."
    assert "X.contradiction" in found(f"{denial}\n\n{deed}")
    assert "X.contradiction" not in found(f"{denial}\n\nYou tell us your name.")


def test_other_peoples_things_beside_ours_lack_no_word() -> None:
    assert "S.grammar.missing-word" not in found("We note your visits to our and other websites.")
    assert "S.grammar.missing-word" in found("We note your visits to our and see you.")


WRAPPED = """We only use it when the law allows us to do so. Most commonly we process it
where:
  • we need to comply with a legal obligation
  • we need it for a task in the public
    interest
Less commonly, we may also process it where:
  • we need to protect somebody's life

National Register
We are required to provide information about pupils to the department as part
of the school census that is taken in each term of the year, and we do so with
great care. To find out more about the register, ask in the office or see what
the department says of it.
"""


def test_what_stands_left_of_the_markers_goes_on_behind_the_list() -> None:
    blocks = read(WRAPPED, kind="text").blocks
    assert [block.kind for block in blocks[:5]] == ["paragraph", "list_item", "list_item", "paragraph", "list_item"]
    assert blocks[2].text.endswith("in the public interest")


def test_a_short_line_above_wrapped_ones_is_their_heading() -> None:
    assert ("heading", "National Register") in {(one.kind, one.text) for one in read(WRAPPED, kind="text").blocks}


@pytest.mark.parametrize(
    "text", ["Reviewed by the governors: September 2025  Next review: September 2026", "Reviewed September 2025"]
)
def test_the_day_of_the_next_review_is_not_the_day_of_the_policy(text: str) -> None:
    policy = read(f"# Notice\n\n{text}\n\nWe keep your name for a year.", kind="markdown")
    assert [one.text for one in dates(policy)] == ["September 2025"]
    assert "S.stale" in found(f"# Notice\n\n{text}\n\nWe keep your name for a year.")


def test_a_day_is_read_as_it_is_written_in_german() -> None:
    assert dates(read("Last update: 9. April 2026", kind="markdown"))[0].days == (dt.date(2026, 4, 9),)


def test_a_heading_with_nothing_below_tells_nothing() -> None:
    bare = "## What automated decisions we take\n\n## Contact\n\nWrite to us."
    assert "GDPR.13.2f.adm" in found(bare)
    assert "GDPR.13.2f.adm" not in found(bare.replace("\n\n## Contact", "\n\nNone.\n\n## Contact"))


@pytest.mark.parametrize("heading", ["## Effective 1 May 2026", "## We never sell your data"])
def test_a_heading_that_says_something_is_heard_without_a_text(heading: str) -> None:
    assert mentions(read(f"{heading}\n\n## Contact\n\nWrite.", kind="markdown")).passages[0].words


def shown(page: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read(page, kind="html").blocks]


def test_a_tag_that_a_generator_made_up_divides_no_sentence() -> None:
    page = '<div><span>This is of <bdt class="q">Larch, Inc.</bdt><bdt></bdt> (<bdt>Larch</bdt>), a shop.</span></div>'
    assert shown(page) == [("paragraph", "This is of Larch, Inc. (Larch), a shop.")]
    assert shown("<p>One<my-box>two</my-box></p>") == [("paragraph", "One"), ("paragraph", "two")]


def test_a_picture_within_a_sentence_divides_it_as_little() -> None:
    assert shown('<p>Write <img class="emoji" alt=""> to us.</p>') == [("paragraph", "Write to us.")]


@pytest.mark.parametrize("mark", ["•", "- ", "(a) "])
def test_lines_that_are_drawn_as_a_list_are_one(mark: str) -> None:
    page = f"<p>We use it to:<br>{mark}answer you<br>{mark}send parcels<br>Then we delete it.</p>"
    assert [kind for kind, _ in shown(page)] == ["paragraph", "list_item", "list_item", "paragraph"]
    assert shown(page)[2][1] == "send parcels"


def test_a_dash_between_lines_of_an_address_draws_no_list() -> None:
    assert [kind for kind, _ in shown("<p>Larch Ltd<br>- Privacy -<br>Netherby</p>")] == ["paragraph"]


CIPHER = "7b1a3b1e031a160b171e5514091c"


@pytest.mark.parametrize(
    "link",
    [
        f'<a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="{CIPHER}">[hidden]</a>',
        f'<a href="/cdn-cgi/l/email-protection#{CIPHER}"><span data-cfemail="{CIPHER}">[hidden]</span></a>',
    ],
)
def test_an_address_in_a_cipher_is_read_as_a_script_would_show_it(link: str) -> None:
    policy = read(f"<p>Write to {link} for a copy.</p>", kind="html")
    assert policy.blocks[0].text == "Write to a@example.org for a copy."
    assert [(one.kind, one.value) for one in contacts(policy)] == [(ContactKind.EMAIL, "a@example.org")]


@pytest.mark.parametrize("cipher", ["", "7b", "zz1a3b1e031a160b171e5514091c", "7b" * 500])
def test_what_is_no_cipher_stays_as_it_is(cipher: str) -> None:
    page = f'<p>Write to <a data-cfemail="{cipher}">[email protected]</a>.</p>'
    assert shown(page) == [("paragraph", "Write to [email protected].")]


def test_an_address_that_was_hidden_is_no_gap() -> None:
    assert "GDPR.12.clarity" not in found("We delete your name after a year. Write to [email protected] for a copy.")
    assert "GDPR.12.clarity" in found("We delete your name after a year. Write to [email address] for a copy.")


ROW = "<tr><td>{}</td><td>{}</td></tr>"


def test_a_first_row_in_bold_type_is_the_head_of_its_table() -> None:
    head = ROW.format("<p><b>Category</b></p>", "<strong>Collected</strong>")
    page = f"<table>{head}{ROW.format('Fingerprints', 'NO')}{ROW.format('Names', 'YES')}</table>"
    assert [block.cell.is_head for block in read(page, kind="html").blocks if block.cell] == [True, True, *[False] * 4]
    assert not mentions(read(page, kind="html")).has("special.implied")


def test_bold_type_in_each_row_or_in_one_cell_makes_no_head() -> None:
    for rows in (ROW.format("<b>Name</b>", "to ship") * 2, ROW.format("<b>A</b>", "<b>B</b>") * 2):
        assert not any(block.cell.is_head for block in read(f"<table>{rows}</table>", kind="html").blocks if block.cell)


def test_what_a_button_above_it_opens_is_shown_with_the_button_as_its_title() -> None:
    page = "<main><h1>Privacy</h1><div><button aria-expanded='false'>Cookies</button>{}</div><p>We keep it.</p></main>"
    told = "<div hidden><p>We set one cookie.</p></div>"
    assert ("heading", "Cookies") in shown(page.format(told))
    assert ("paragraph", "We set one cookie.") in shown(page.format(told))
    menu = "<ul hidden><li><a href='/'>Home</a></li><li><a href='/shop'>Shop</a></li></ul>"
    assert [text for _, text in shown(page.format(menu))] == ["Privacy", "We keep it."]


def test_who_asks_whether_data_goes_abroad_has_not_said_so() -> None:
    asked = "## Is it sent to the United States?\n\n{}"
    assert "GDPR.13.1f.transfer" not in found(asked.format("No."))
    assert "GDPR.13.1f.transfer" in found(asked.format("Yes. It is sent to the United States."))


def test_a_duty_that_decides_how_long_data_is_kept_is_no_ground_for_having_it() -> None:
    kept = "How long we retain it depends on whether we need it to comply with legal obligations."
    assert "GDPR.13.1c.basis" in found(f"We use your name to ship. {kept}")
    assert "GDPR.13.1c.basis" not in found("We use your name to comply with our legal obligations.")


def kinds_of(text: str) -> dict[str, tuple[ClauseKind, ...]]:
    return {one.sentence.text: one.kinds for one in understand(read(text, kind="markdown")).clauses}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Purpose: to do the sums.", ClauseKind.PURPOSE),
        ("Legal basis: contract, Article 6(1)(b).", ClauseKind.PURPOSE),
        ("Data: device model, version of the system.", ClauseKind.COLLECTION),
        ("Recipients: our courier.", ClauseKind.RECIPIENT),
        ("Storage period: until the flat is closed.", ClauseKind.RETENTION),
    ],
)
def test_a_label_announces_what_stands_behind_its_colon(text: str, kind: ClauseKind) -> None:
    assert kind in kinds_of(f"## Shared expenses\n\n{text}")[text]


@pytest.mark.parametrize("text", ["Data protection officer: none.", "Place of processing: Italy.", "Version: 7."])
def test_other_labels_announce_nothing_of_it(text: str) -> None:
    assert kinds_of(f"## Shared expenses\n\n{text}")[text] == ()


def test_the_name_of_an_item_promises_nothing() -> None:
    text = "We only process your data on these bases:\n\n- **Consent.** You have given us permission.\n"
    assert ClauseKind.PROMISE not in kinds_of(text)["Consent."]


def cells(page: str) -> list[tuple[str, int, int, bool]]:
    blocks = read(page, kind="html").blocks
    return [(one.text, one.cell.row, one.cell.column, one.cell.is_head) for one in blocks if one.cell is not None]


def test_a_cell_that_reaches_down_takes_its_column_from_the_rows_below() -> None:
    first = '<tr><td rowspan="2">Identifiers</td><td>Name</td></tr><tr><td>Address</td></tr>'
    found = cells(f"<table>{first}<tr><td>Logs</td><td>IP</td></tr></table>")
    assert [(text, row, column) for text, row, column, _ in found[2:]] == [
        ("Address", 1, 1),
        ("Logs", 2, 0),
        ("IP", 2, 1),
    ]


def test_a_cell_over_several_columns_leaves_the_next_its_own() -> None:
    head = '<tr><th colspan="2">What</th><th>Why</th></tr>'
    found = cells(f"<table>{head}<tr><td>Name</td><td>Address</td><td>To ship</td></tr></table>")
    assert ("Why", 0, 2, True) in found
    assert ("To ship", 1, 2, False) in found


def test_the_name_of_a_row_is_no_head_of_a_column() -> None:
    page = "<table><tr><th>Name</th><td>To ship</td></tr><tr><th>Card</th><td>To bill</td></tr></table>"
    assert not any(is_head for *_, is_head in cells(page))


@pytest.mark.parametrize("side", ["", '<td><a href="/">Home</a></td>'])
def test_a_table_that_only_lays_out_the_page_is_none(side: str) -> None:
    page = f"<table><tr>{side}<td><h2>Retention</h2><p>We keep it for a year.</p></td></tr></table>"
    assert not cells(page)
    assert ("heading", "Retention") in shown(page)

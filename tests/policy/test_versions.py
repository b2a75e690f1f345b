"""What changed between two versions of a policy, clause by clause, and in whose favour."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.policy import PolicyText, read
from troth.policy.versions import ClauseChange, Verdict, compare
from troth.policy.versions.clauses import clauses_of

VOICE = Path(__file__).parents[2] / "examples/voice-company/policy.md"

_PAIRS = [
    ("We do not sell your data.", "We sell your data.", "not to sell"),
    ("We never share your name with advertisers.", "We share your name with advertisers.", "not to share"),
    ("We always delete logins after 90 days.", "We delete logins after 90 days.", "always"),
    ("We will delete your data when you ask.", "We may delete your data when you ask.", "may"),
    ("We delete logins after 30 days.", "We delete logins after 90 days.", "30 days"),
    ("We answer within one month.", "We answer within two months.", "one month"),
    ("We answer within 10 business days.", "We answer within one month.", "10 business days"),
    ("We tell you thirty days before a change.", "We tell you ten days before a change.", "thirty days"),
    ("Opt-out links work for at least 60 days.", "Opt-out links work for at least 30 days.", "60 days"),
    ("We delete your data when you ask.", "We delete your data when you ask, unless we need it.", "unless"),
    ("We delete your data when you ask.", "We delete your data when you ask, where possible.", "where possible"),
    ("We encrypt every disk.", "We encrypt some disks.", "every"),
    (
        "We use your e-mail address for news with your consent.",
        "We use your e-mail address for news in our legitimate interest.",
        "consent",
    ),
    ("We share your name with Example Post.", "We share your name with Example Post and our partners.", "partners"),
    ("We collect your name and e-mail address.", "We collect your name, e-mail address and location.", "location"),
    ("No more than eight people can open your records.", "No more than nine people can open your records.", "eight"),
    ("Two people have access to your data.", "Two hundred people have access to your data.", "hundred people"),
    ("We delete logins after 30 days.", "We delete logins after 30 days at the earliest.", "at the earliest"),
    ("We delete logins after 30 days.", "In general we delete logins after 30 days.", "usually"),
    ("We do not sell your data.", "We do not knowingly sell your data.", "knowingly"),
    ("We do not sell your data.", "We do not directly sell your data.", "directly"),
    ("You can opt out.", "You can opt out, for a fee.", "for a fee"),
    ("Three people check each demand.", "Two people check each demand.", "three"),
    ("We encrypt connections with TLS 1.3.", "We encrypt connections with TLS 1.2.", "tls 1.3"),
    ("You can have your data corrected or deleted.", "You can have your data corrected.", "to delete"),
    ("You can object at any time, free of charge.", "You can object at any time.", "to free"),
    ("We keep call recordings for 30 days.", "We keep call recordings.", "30 days"),
    ("We tell you at once when something goes wrong.", "We tell you when something goes wrong.", "at once"),
]
"""A clause, a weaker one, and a word of the reason."""


def _policy(clause: str, *others: str) -> PolicyText:
    return read("# Policy\n\n## What we promise\n\n" + "\n\n".join(["We are Example Ltd.", clause, *others]) + "\n")


def _only(old: str, new: str) -> ClauseChange:
    [change] = [each for each in compare(_policy(old), _policy(new)).changes if each.verdict is not Verdict.SAME]
    return change


@each_row(("strong", "weak", "reason"), _PAIRS)
def test_a_weaker_clause_is_told_with_its_reason(strong: str, weak: str, reason: str) -> None:
    change = _only(strong, weak)
    assert change.verdict is Verdict.WEAKENED
    assert reason in " ".join(change.reasons).casefold()


@each_row(("strong", "weak", "reason"), _PAIRS)
def test_strengthening_is_weakening_the_other_way(strong: str, weak: str, reason: str) -> None:
    assert _only(weak, strong).verdict is Verdict.STRENGTHENED
    assert compare(_policy(weak), _policy(strong)).weaker == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We delete logins after thirty days.", "We delete logins after 30 days."),
        ("We delete logins after one month.", "We delete logins after 30 days."),
        ("We use your data for orders.", "We use your data to fulfil orders."),
        ("We test backups every quarter.", "We test backups every three months."),
        ("Nobody sells your data.", "No one sells your data."),
    ],
)
def test_other_words_for_the_same_are_reworded(one: str, other: str) -> None:
    assert _only(one, other).verdict is Verdict.REWORDED
    assert compare(_policy(one), _policy(other)).verdict is Verdict.REWORDED


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Your data is never sold.", "Your data is ever sold.", "it no longer says “never”"),
        ("We never share your location.", "We fever share your location.", "it no longer says not to share"),
        ("We read messages with your consent.", "We read messages with your content.", "it no longer says on consent"),
    ],
)
def test_a_letter_that_takes_a_promise_back_is_no_typing_error(old: str, new: str, reason: str) -> None:
    change = _only(old, new)
    assert change.verdict is Verdict.WEAKENED
    assert reason in change.reasons


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("We delete recordings at the end of the call.", "We delete recordings after ten years."),
        (
            "We delete your data 30 days after you ask.",
            "We delete your data 14 days after your account was closed for good.",
        ),
        ("We may delete logs in 30 days and always tell you.", "We always delete logs in 20 days and may tell you."),
        ("All pages are sent over TLS.", "Most pages are sent over TLS."),
        ("Passwords are hashed with bcrypt.", "Passwords are hashed with MD5."),
        ("We store the last four digits of your card.", "We store your card number."),
        ("You may use an authorized agent.", ""),
    ],
)
def test_what_may_be_weaker_is_in_doubt_whatever_became_better(old: str, new: str) -> None:
    compared = compare(_policy(old), _policy(new))
    assert len(compared.doubtful) == 1
    assert not compared.weaker


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We do not shrae your data.", "We do not share your data."),
        ("We never sell your personel data.", "We never sell your personal data."),
    ],
)
def test_a_typing_error_takes_nothing_back(one: str, other: str) -> None:
    assert {_only(one, other).verdict, _only(other, one).verdict} == {Verdict.REWORDED}


def test_a_promise_that_is_gone_weakens_the_policy() -> None:
    compared = compare(_policy("We never sell your data."), _policy(""))
    assert [change.verdict for change in compared.weaker] == [Verdict.GONE]
    assert compared.verdict is Verdict.WEAKENED


def test_a_new_use_weakens_and_a_new_promise_strengthens() -> None:
    here = _policy("")
    assert compare(here, _policy("We share your location with our partners.")).verdict is Verdict.WEAKENED
    assert compare(here, _policy("We encrypt every backup.")).verdict is Verdict.STRENGTHENED
    assert compare(here, _policy("Hello to our readers.")).verdict is Verdict.REWORDED


def test_a_new_recipient_in_a_table_weakens_the_policy() -> None:
    head = "# P\n\n## Who else sees it\n\n| Recipient | What |\n|---|---|\n| Example Post Inc | name |\n"
    compared = compare(read(head), read(head + "| Example Adverts Inc | e-mail address |\n"))
    assert [change.verdict for change in compared.weaker] == [Verdict.NEW]


def test_a_longer_period_in_a_table_is_found_in_its_row() -> None:
    table = "# P\n\n## How long\n\n| What | How long |\n|---|---|\n| Sign-ins | ninety days |\n| Orders | six years |\n"
    [change] = compare(read(table), read(table.replace("ninety days", "two years"))).weaker
    assert change.reasons == ("“ninety days” became “two years”",)


def test_items_of_a_list_are_read_with_the_words_that_lead_to_them() -> None:
    items = "# P\n\nWe do not:\n\n- sell your data\n- share your name\n"
    compared = compare(read(items), read(items.replace("We do not:", "We:")))
    assert {change.new.text for change in compared.weaker if change.new} >= {"sell your data", "share your name"}


def test_a_clause_that_stands_elsewhere_is_moved() -> None:
    one, two = "We never sell your data.", "We encrypt every disk."
    old = read(f"# P\n\n## A\n\n{one}\n\n{two}\n\n## B\n\nWe are Example Ltd.\n")
    new = read(f"# P\n\n## A\n\n{two}\n\n## B\n\nWe are Example Ltd.\n\n{one}\n")
    compared = compare(old, new)
    assert compared.counts == {Verdict.MOVED: 1, Verdict.SAME: 5}
    assert compared.verdict is Verdict.MOVED


def test_a_section_that_was_renamed_moves_nothing() -> None:
    text = VOICE.read_text(encoding="utf-8")
    compared = compare(read(text), read(text.replace("## Mail from us", "## E-mail")))
    assert {change.verdict for change in compared.changes} == {Verdict.SAME, Verdict.REWORDED}
    assert [change.old.text for change in compared.doubtful if change.old] == ["Mail from us"]


def test_a_sentence_that_was_divided_is_one_change_whichever_way() -> None:
    one = "We keep orders for six years and delete invoices after ten years."
    two = "We keep orders for six years. We delete invoices after eight years."
    shorter, longer = _only(one, two), _only(two, one)
    assert (shorter.verdict, longer.verdict) == (Verdict.STRENGTHENED, Verdict.WEAKENED)
    assert shorter.new is not None
    assert shorter.new.text == two
    assert " ".join(sentence.text for sentence in shorter.new.sentences) == two


def test_sentences_that_became_one_are_each_known_by_their_own_names() -> None:
    two = "We keep orders for six years. We delete invoices after eight years."
    change = _only(two, "We keep orders for six years and delete invoices after ten years.")
    assert change.old is not None
    known = {clause.id for clause in clauses_of(_policy(two))}
    assert len({sentence.id for sentence in change.old.sentences} & known) == 2


@pytest.mark.parametrize(
    ("new", "is_only_longer"),
    [
        ("We delete logins after 90 days.", True),
        ("We may delete logins after 90 days.", False),
        ("We may delete logins after 30 days.", False),
    ],
)
def test_a_longer_time_is_told_from_what_else_was_lost(new: str, *, is_only_longer: bool) -> None:
    assert _only("We delete logins after 30 days.", new).is_only_longer is is_only_longer


def test_a_sentence_that_was_added_to_another_is_new() -> None:
    added = "We delete your account within a week. We tell you that it is deleted."
    assert _only("We delete your account within a week.", added).verdict is Verdict.NEW


def test_dividing_a_sentence_is_in_doubt_only_where_it_denies_something() -> None:
    plain = _only(
        "We keep orders for a year and we delete them then.", "We keep orders for a year. We delete them then."
    )
    denial = _only("We never sell names and lend addresses.", "We never sell names. We lend addresses.")
    assert (plain.verdict, plain.in_doubt) == (Verdict.REWORDED, False)
    assert denial.in_doubt or denial.is_weaker


def test_the_longest_of_several_times_counts() -> None:
    assert _only("We delete logins after 30 days.", "We delete logins after a year and a day.").is_weaker


def test_a_clause_that_gives_and_takes_is_weaker() -> None:
    assert _only("We delete logins after 90 days.", "We may delete logins after 30 days.").is_weaker


@pytest.mark.parametrize("title", ["Selling your data", "We sell your data", "We may sell your data"])
def test_a_promise_in_a_heading_is_compared(title: str) -> None:
    text = "# P\n\n## {}\n\nOf this we are proud.\n"
    [change] = compare(read(text.format("We never sell your data")), read(text.format(title))).weaker
    assert "it no longer says not to sell" in change.reasons


def test_a_promise_in_the_head_of_a_table_is_compared() -> None:
    table = "# P\n\n## T\n\n| Never shared | How long |\n|---|---|\n| Name | a year |\n"
    assert compare(read(table), read(table.replace("Never shared", "Shared"))).verdict is Verdict.WEAKENED


def test_a_text_in_another_language_is_not_compared() -> None:
    german = (
        "# Datenschutz\n\nWir verkaufen Ihre Daten nicht und geben sie auch nicht an andere weiter, weil sie uns "
        "anvertraut sind.\n"
    )
    assert not compare(read(german), read(german.replace("nicht", ""))).is_read
    assert compare(_policy(""), _policy("")).is_read


# --- doubt ------------------------------------------------------------------------------------------------------------

_AND_SO = "and so it is, " * 200


@each_row(
    ("old", "new"),
    [
        ("We tell you of a breach within 72 hours.", "We tell the authority of a breach within 72 hours."),
        ("We answer within one month.", "We answer within one month of verifying who you are."),
        ("We use your name to answer you.", "We use your name to answer you and to train our models."),
        ("We share your name with Acme Ltd.", "We share your name with Acme Ltd and Evil Ltd."),
        ("Your data is stored in Germany.", "Your data is stored in China."),
        ("We encrypt your data with AES-256.", "We encrypt your data with DES."),
        ("We encrypt disks with AES-256.", "We always encrypt disks with DES."),
        ("We delete logins after one term.", "We delete logins after one quarter."),
        ("We keep recordings.", "We keep recordings for ten years."),
        ("", "The above does not apply to customers outside Spain."),
        ("", "We encrypt your data and share it with everybody."),
        ("We share your name with Acme Ltd.", ""),
        (f"We delete logins {_AND_SO} after 30 days.", f"We delete logins {_AND_SO} after 30 years."),
        (f"We delete your data {_AND_SO} never late.", f"We always delete your data {_AND_SO} late."),
    ],
)
def test_what_may_be_weaker_is_in_doubt(old: str, new: str) -> None:
    compared = compare(_policy(old), _policy(new))
    assert (len(compared.doubtful), compared.weaker) == (1, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("We delete logins after thirty days.", "We will delete the logins after 30 days."),
        ("We delete logins after 30 days.", "We delete logins after 14 days."),
        ("We share your name with partners.", "We do not share your name with partners."),
        ("We may delete your data.", "We always delete your data."),
        ("", "We encrypt every backup."),
    ],
)
def test_what_harms_nobody_is_in_no_doubt(old: str, new: str) -> None:
    assert compare(_policy(old), _policy(new)).doubtful == ()


def test_what_comes_to_stand_in_another_section_is_in_doubt() -> None:
    one = "We never sell your data."
    text = "# P\n\n## A\n\nWe are Example Ltd.\n\n{}\n\n## Business customers\n\nThis is for them.\n\n{}\n"
    [change] = compare(read(text.format(one, "")), read(text.format("", one))).doubtful
    assert change.verdict is Verdict.MOVED


def test_empty_policies_are_the_same() -> None:
    assert compare(read(""), read("")).verdict is Verdict.SAME


# --- properties -------------------------------------------------------------------------------------------------------

_SENTENCES = [clause for pair in _PAIRS for clause in pair[:2]] + [
    "We are Example Ltd.",
    "This page is for everybody.",
    "Write to us at privacy@example.org.",
]


@given(st.lists(st.sampled_from(_SENTENCES), max_size=12))
def test_a_policy_is_the_same_as_itself(clauses: list[str]) -> None:
    policy = _policy("", *clauses)
    assert compare(policy, policy).verdict is Verdict.SAME


@given(st.lists(st.sampled_from(_SENTENCES), max_size=8), st.sampled_from(_PAIRS))
def test_one_weaker_clause_weakens_any_policy_and_its_fixing_strengthens_it(
    clauses: list[str], pair: tuple[str, str, str]
) -> None:
    strong, weak, _ = pair
    rest = [clause for clause in clauses if clause not in {strong, weak}]
    assert compare(_policy(strong, *rest), _policy(weak, *rest)).verdict is Verdict.WEAKENED
    assert compare(_policy(weak, *rest), _policy(strong, *rest)).verdict is Verdict.STRENGTHENED


_SAMPLES = [VOICE, *sorted((Path(__file__).parent / "samples").glob("*.md"))]


@settings(max_examples=scaled(5, 60), deadline=None)
@given(st.data())
def test_what_one_way_strengthens_weakens_the_other_in_real_policies(data: st.DataObject) -> None:
    """Sentences of whole policies are taken out, or made to hedge or to except something."""
    lines = data.draw(st.sampled_from(_SAMPLES)).read_text(encoding="utf-8").split("\n")
    whole = [number for number, line in enumerate(lines) if line.startswith("We ") and line.endswith(".")]
    at = data.draw(st.sampled_from(whole))
    edits = {"gone": "", "may": lines[at].replace("We ", "We may ", 1), "unless": f"{lines[at][:-1]} unless we cannot."}
    changed = edits[data.draw(st.sampled_from(sorted(edits)))]
    other = "\n".join([*lines[:at], changed, *lines[at + 1 :]])
    old, new = read("\n".join(lines)), read(other)
    forth, back = compare(old, new), compare(new, old)
    assert forth.verdict is not Verdict.SAME
    if forth.verdict is Verdict.STRENGTHENED:
        assert back.verdict is Verdict.WEAKENED
    if back.verdict is Verdict.STRENGTHENED:
        assert forth.verdict is Verdict.WEAKENED
    assert sum(forth.counts.values()) == sum(back.counts.values())


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_two_texts_are_compared(one: str, other: str) -> None:
    old, new = read(one, kind="text"), read(other, kind="text")
    compared = compare(old, new)
    assert compare(old, new) == compared
    assert compare(old, old).verdict is Verdict.SAME

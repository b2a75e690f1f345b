"""What could show that a promise is kept: proposed from its words and a declaration, never decided."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.tables import each_row

from troth.controls import catalogue
from troth.declaration import Declaration, Promise, Severity, parse
from troth.policy import bind_promises, read, understand
from troth.policy.bind import BindingPlan, Proposal, change_for, period_conflict, plan_binding, propose
from troth.policy.bind.proposals import ProposalsError, _row, _rows, _shows
from troth.policy.bind.subject_matter import period_doubts, tables_kept
from troth.policy.lexicon import concepts
from troth.policy.retention import problems

COMPANY = """troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  logins:
    store: ${LOGINS_URL}
    tables:
      login: {key: id, fields: {address: user.device.ip_address}, erase: delete}
  shop:
    store: ${SHOP_URL}
    tables:
      customer: {key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete}
retention:
  logins: {table: logins.login, for: 90 days, from: at, title: Sign-in history}
"""
"""Ends where promises may follow."""

CASES = Path(__file__).with_name("cases")
SENTENCES = tomllib.loads(CASES.joinpath("proposed.toml").read_text("utf-8"))["sentence"]
CAUSES = tomllib.loads(CASES.joinpath("proposed_near.toml").read_text("utf-8"))["cause"]


def company(promises: str = "") -> Declaration:
    return parse(COMPANY + promises)


def only(text: str, declaration: Declaration | None = None) -> Proposal:
    [proposal] = propose(understand(read(text, kind="text")), declaration)
    return proposal


def planned(text: str, promises: str = "") -> BindingPlan:
    return plan_binding(understand(read(text, kind="text")), company(promises))


@each_row(
    ("text", "control"),
    [
        ("We delete sign-in history after ninety days.", "retention.nothing_overdue"),
        ("All pages are served over HTTPS only.", "site.transport_encrypted"),
        ("Health notes are encrypted at rest.", "protect.sealed_at_rest"),
        ("We do not sell, trade or rent your personal information to others.", "disclosures.only_to_recipients"),
        ("Only employees who need the information to do their job have access to it.", "staff.ceiling"),
        ("Everyone with access has signed a confidentiality undertaking.", "staff.undertakings"),
        ("Our staff must use two-factor authentication.", "staff.mfa"),
        ("We will respond to your request within 45 days.", "requests.answered_in_time"),
        ("No cookies are set until you have given your consent.", "site.nothing_stored_before_choice"),
        ("We require our service providers to keep it confidential.", "disclosures.recipients_documented"),
        ("For transfers we rely on the standard contractual clauses.", "disclosures.recipients_documented"),
        ("We will acknowledge your complaint within 30 days.", "complaints.acknowledged"),
        ("If you ask us to, we will delete your personal data.", "subjects.found_everywhere"),
        ("We will post any changes to this policy on this page.", "site.policy_published"),
        ("What we have deleted stays deleted.", "retention.erased_stays_erased"),
        ("Our forms ask only for what we need.", "collection.only_declared_fields"),
        ("We review this policy at least once a year.", "law.reviewed"),
    ],
)
def test_a_promise_is_offered_the_control_that_could_show_it(text: str, control: str) -> None:
    assert control in [proof.control for proof in only(text).proofs]


@pytest.mark.parametrize(
    "text",
    [
        "We never use calls to train speech models.",
        "Backups are overwritten after thirty-five days.",
        "We will notify you by email within 72 hours of a data breach.",
        "We never post anything in your name.",
        "We do not transfer your data outside the EU.",
    ],
)
def test_what_nothing_can_measure_is_left_to_a_persons_word(text: str) -> None:
    proposal = only(text)
    assert proposal.proofs == ()
    assert proposal.attest.endswith(".")


@each_row(("text", "controls"), [(row["text"], row["controls"]) for row in SENTENCES])
def test_a_control_is_offered_for_what_it_looks_at_and_for_nothing_near_it(text: str, controls: list[str]) -> None:
    assert sorted(proof.control for proof in only(text).proofs) == sorted(controls)


def is_offered(text: str, cause: dict[str, Any]) -> bool:
    [proposal] = propose(understand(read(text, kind="text")))
    offered = {proof.control for proof in proposal.proofs}
    return offered == set(cause["controls"]) and cause.get("attest", "") in proposal.attest


@each_row("cause", CAUSES, ids=[cause["why"] for cause in CAUSES])
def test_a_promise_is_offered_the_same_in_other_words(cause: dict[str, Any]) -> None:
    assert [text for text in cause["said"] if not is_offered(text, cause)] == []


@each_row("cause", CAUSES, ids=[cause["why"] for cause in CAUSES])
def test_what_only_lies_near_is_offered_something_else(cause: dict[str, Any]) -> None:
    assert [text for text in cause["near"] if is_offered(text, cause)] == []


def test_a_heading_on_keeping_data_safe_makes_no_period_of_every_time() -> None:
    text = "# Keeping it safe\n\nLaptops are encrypted and lock after five minutes.\n\n# Keeping\n\nLogs: ten days.\n"
    laptops, logs = propose(understand(read(text, kind="markdown")))
    assert laptops.proofs == ()
    assert [proof.control for proof in logs.proofs] == ["retention.nothing_overdue"]


def test_green_says_what_it_means_and_what_it_does_not() -> None:
    [proof] = only("We delete sign-in history after ninety days.").proofs
    assert proof.shows.startswith("no row")
    assert proof.cannot_see == catalogue()[proof.control].cannot_see


def test_only_controls_that_exist_are_proposed() -> None:
    assert propose(understand(read("All pages use HTTPS.", kind="text")), known={})[0].proofs == ()


def test_every_row_names_controls_of_the_catalogue() -> None:
    assert {control for row in _rows() for control in row.controls} <= catalogue().keys()


def test_every_row_has_words_and_every_concept_a_row() -> None:
    concepts_named = {name.removeprefix("proof.") for name in concepts() if name.startswith("proof.")}
    assert concepts_named == {row.name for row in _rows()}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"attest": "So it is.", "show": "it"}, "has controls, or what somebody attests"),
        ({"own": "a figure"}, "has controls, or what somebody attests"),
        ({"controls": ["ours.own"]}, "does not say what ours.own shows"),
        ({"controls": ["law.reviewed"], "part": "More."}, "somebody attests the rest"),
        ({"controls": ["law.reviewed"], "about": "fields"}, "about is"),
        ({"attest": "So it is.", "kind": "retentions"}, "kind is one of"),
        ({"attest": "So it is.", "aside": "perhaps"}, "what stands aside counts or is ignored"),
    ],
)
def test_a_row_that_says_too_little_or_too_much_is_refused_by_its_name(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ProposalsError, match=f"^kept: .*{why}"):
        _row("kept", row)


@each_row(("control", "shows"), _shows().items())
def test_what_green_shows_ends_a_sentence_about_a_control_of_the_catalogue(control: str, shows: str) -> None:
    assert control in catalogue()
    assert shows[0].islower()
    assert shows[-1].isalpha()


def test_what_a_promise_is_about_is_found_in_the_declaration() -> None:
    assert only("We delete sign-in history after ninety days.", company()).about == ("logins.login",)


def test_a_period_other_than_the_declared_one_is_said() -> None:
    [warning] = only("We delete sign-in history after 30 days.", company()).warnings
    assert warning == "the sentence says 30 days, the rule 'logins' says 90 days"


@pytest.mark.parametrize("words", ["Sign-in history: three months", "Sign-in history: 90 days", "Orders: 30 days"])
def test_the_same_time_in_other_words_is_no_conflict(words: str) -> None:
    assert period_conflict(words, company()) == ""


RULED = """
  crashes: {table: app.crash, for: 90 days, from: at, title: Crash reports}
  logs: {table: app.log, for: 30 days, from: at, title: Server logs}
  notes: {table: care.note, for: 8 years, from: at, title: Clinical notes of adults}
  customers: {table: shop.customer, for: 3 years, from: last_order_at}
  orders: {table: shop.orders, for: 5 years, from: placed_at}
"""


@each_row(
    ("text", "about", "doubt"),
    [
        ("Crash reports go after 90 days; server logs after 30 days.", ["app.crash", "app.log"], ""),
        (
            "Crash reports go after 90 days; server logs after 14 days.",
            ["app.crash", "app.log"],
            "says 14 days, the rule",
        ),
        (
            "Crash reports go after 30 days; server logs after 90 days.",
            ["app.crash", "app.log"],
            "says 30 days, the rule",
        ),
        ("We delete crash reports after 90 days and pictures after 2 days.", ["app.crash"], "also says 2 days, and no"),
        ("We delete crash reports after three months (90 days).", ["app.crash"], ""),
        ("Clinical notes of adults are kept for 8 years.", ["care.note"], ""),
        ("Clinical notes of children are kept for 8 years.", ["care.note"], "is for “Clinical notes of adults”, which"),
        (
            "Clinical notes of adults are kept until the 25th birthday.",
            ["care.note"],
            "states no period to compare",
        ),
        (
            "We keep identifiers for 3 years after your last order.",
            ["shop.customer"],
            "'orders', which says 5 years, matches",
        ),
        ("We keep orders for 3 years.", ["shop.orders"], "says 3 years, the rule 'orders' says 5 years"),
    ],
)
def test_every_period_is_held_against_the_rule_of_what_it_is_said_of(text: str, about: list[str], doubt: str) -> None:
    declaration = parse(COMPANY.rstrip("\n") + RULED)
    assert list(tables_kept(text, declaration)) == about
    doubts = period_doubts(text, declaration)
    assert len(doubts) == bool(doubt)
    assert doubt in "".join(doubts)


def test_a_rule_that_no_word_names_is_guessed_by_what_its_table_holds_and_not_bound() -> None:
    [doubt] = period_doubts("We keep IP numbers and network addresses for 90 days.", company())
    assert doubt == "no retention rule has a matching name; by its data it may be the rule 'logins'"


def test_a_promise_without_a_rule_says_so() -> None:
    [warning] = only("We keep recordings for ten days.", company()).warnings
    assert "no retention rule" in warning


def test_what_a_person_bound_is_left_alone() -> None:
    text = "We never sell your data. We answer within one month."
    plan = planned(text, "promises:\n  - {quote: We never sell your data, owner: ann@example.org}\n")
    assert [one.quote for one in plan.proposals] == ["We answer within one month."]


def test_what_was_said_to_be_no_promise_is_passed_over() -> None:
    text = COMPANY.replace("2026-11-01}", "2026-11-01, not_promises: [{quote: We never sell your data., because: no}]}")
    plan = plan_binding(understand(read("We never sell your data.", kind="text")), parse(text))
    assert (plan.proposals, plan.left) == ((), 1)


def test_a_promise_that_lost_its_words_is_named_with_the_sentence_most_like_it() -> None:
    bound = "promises:\n  - {quote: We never sell your data., owner: ann@example.org, controls: [ledger.intact]}\n"
    plan = planned("We never sell any of your data.", bound)
    [lost] = plan.astray
    assert lost.near is not None
    assert (lost.promise.controls, lost.near.text) == (("ledger.intact",), "We never sell any of your data.")
    assert len(plan.proposals) == 1  # and nothing is bound to it unasked


SAMPLES = sorted(Path(__file__).with_name("samples").glob("*.md"))


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_every_quote_that_is_proposed_is_found_again_and_lost_as_soon_as_a_letter_is_added(file: Path) -> None:
    policy = read(file.read_text("utf-8"), kind="markdown")
    for proposal in propose(understand(policy)):
        promise = Promise(quote=proposal.quote, owner="ann@example.org")
        [bound] = bind_promises(policy, [promise])
        span = proposal.clauses[0].sentence.span
        assert proposal.clauses[0].sentence in bound.sentences
        for at in (span.start, span.end - 1):
            [lost] = bind_promises(read(f"{policy.source[:at]}x{policy.source[at:]}", kind="markdown"), [promise])
            assert lost.problem is not None


def test_a_row_of_a_table_is_quoted_as_a_whole_and_found_again() -> None:
    policy = understand(read("| What | How long |\n|---|---|\n| Sign-in history | ninety days |\n", kind="markdown"))
    [proposal] = plan_binding(policy, company()).proposals
    assert (proposal.quote, proposal.about) == ("Sign-in history | ninety days", ("logins.login",))
    bound = company(f"promises:\n  - {{quote: {proposal.quote}, owner: ann@example.org}}\n")
    assert plan_binding(policy, bound).proposals == ()


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("We do not store email addresses.", "user.contact.email in shop.customer"),
        ("We do not collect IP addresses.", "user.device.ip_address in logins.login"),
        ("We do not ask for your date of birth.", ""),
        ("We do not collect IP addresses unless you agree.", ""),
    ],
)
def test_what_is_said_to_be_absent_is_looked_for_in_the_declaration(text: str, held: str) -> None:
    warnings = [f"the declaration contains what this rules out: {held}"] if held else []
    assert list(only(text, company()).warnings) == warnings


def test_a_shorter_period_than_the_laws_wants_a_persons_word() -> None:
    assert only("We answer every request within one month.").is_shown
    assert "period that the policy says" in only("We answer every request within three days.").attest


def test_words_that_stand_there_twice_are_said_to() -> None:
    first, second = propose(understand(read("We never sell it.\n\nWe never sell it.", kind="text")))[0:1] * 2
    assert first == second
    assert "more than once" in first.warnings[0]


def written(tmp_path: Path, text: str, yaml: str) -> str:
    file = tmp_path / "troth.yaml"
    file.write_bytes(yaml.encode())
    plan = plan_binding(understand(read(text, kind="text")), parse(yaml, file=file))
    change = change_for(plan.proposals, parse(yaml, file=file), file)
    change.write()
    return file.read_bytes().decode()


def test_writing_adds_lines_and_changes_none(tmp_path: Path) -> None:
    yaml = COMPANY + "promises:\n# ours\n- quote: We answer.   # kept\n  owner: ann@example.org\n\n# the end\n"
    after = written(tmp_path, "We answer. All pages use HTTPS.", yaml)
    assert after.replace(after[after.index("\n- quote: All") : after.index("\n# the end")], "") == yaml
    added = parse(after).promises[1]
    assert (added.quote, added.owner, added.controls) == (
        "All pages use HTTPS.",
        "TODO",
        ("site.transport_encrypted",),
    )


def test_a_second_time_there_is_nothing_to_write(tmp_path: Path) -> None:
    text = "All pages use HTTPS. We never sell “it”: not #1."
    once = written(tmp_path, text, COMPANY)
    assert written(tmp_path, text, once) == once


def test_line_ends_of_another_system_are_kept(tmp_path: Path) -> None:
    after = written(tmp_path, "All pages use HTTPS.", COMPANY.replace("\n", "\r\n"))
    assert after.count("\r\n") == after.count("\n")


def test_lines_of_two_kinds_keep_their_ends(tmp_path: Path) -> None:
    yaml = "# one\r\n" + COMPANY
    assert written(tmp_path, "All pages use HTTPS.", yaml).startswith(yaml)


def test_an_empty_list_takes_promises(tmp_path: Path) -> None:
    yaml = COMPANY + "promises: []   # none yet\n# the end\n"
    after = written(tmp_path, "All pages use HTTPS.", yaml)
    assert [one.quote for one in parse(after).promises] == ["All pages use HTTPS."]
    assert "# none yet" in after
    assert after.endswith("# the end\n")


def test_a_link_stays_one_and_the_file_as_closed_as_it_was(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "troth.yaml"
    real.write_text(COMPANY)
    real.chmod(0o640)
    link.symlink_to(real)
    written(tmp_path, "All pages use HTTPS.", COMPANY)
    assert link.is_symlink()
    assert "HTTPS" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("text", ["We delete sign-in history after 30 days.", "We keep recordings for ten days."])
def test_a_control_that_would_be_green_on_another_number_is_not_written(tmp_path: Path, text: str) -> None:
    after = written(tmp_path, text, COMPANY)
    assert parse(after).promises[0].controls == ()
    assert "# Not bound: " in after
    assert "# To bind by hand: controls: [retention.nothing_overdue]" in after


@pytest.mark.parametrize(
    "text",
    [
        "We never sell your data.",
        "We never share your data with anyone.",
        "We use it only to deliver your order.",
        "Our employees are required to keep your information confidential.",
        "Our pages load nothing from third parties.",
    ],
)
def test_what_a_control_sees_a_part_of_wants_a_persons_word_beside_it(tmp_path: Path, text: str) -> None:
    proposal = only(text)
    assert proposal.proofs[0].cannot_see != catalogue()[proposal.proofs[0].control].cannot_see
    assert proposal.attest.endswith(".")
    after = written(tmp_path, text, COMPANY)
    assert parse(after).promises[0].controls == ()
    assert "# These controls cover only a part." in after


RECIPIENTS = """
recipients:
  post: {role: processor, country: US, receives: [user.name], safeguard: scc, contract: post.pdf}
  press: {role: sale, country: GB, receives: [user.name]}
"""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("We never sell your data.", "press (sale)"),
        ("We never share your data with anyone.", "post (processor), press (sale)"),
    ],
)
def test_a_denial_is_held_against_the_recipients(text: str, named: str) -> None:
    assert only(text, company(RECIPIENTS)).warnings == (f"the declaration has recipients of data: {named}",)
    assert only(text, company()).warnings == ()


ELSEWHERE = "the declaration has data elsewhere: "
COOKIES = """
cookies:
  session: {purpose: necessary, lifetime: session}
  _ga: {purpose: statistics, lifetime: 2 years}
"""
NO_STATISTICS = "the declaration has cookies that this rules out: _ga (statistics)"


@each_row(
    ("text", "against"),
    [
        ("We do not transfer your data outside the EU.", f"{ELSEWHERE}post (processor, US), press (sale, GB)"),
        ("Your data stays in the UK.", f"{ELSEWHERE}post (processor, US)"),
        ("Your data never leaves the country.", f"{ELSEWHERE}post (processor, US)"),
        ("We never transfer your data abroad.", f"{ELSEWHERE}post (processor, US)"),
        ("Your data stays in the United States and the United Kingdom.", ""),
        ("We transfer no data outside the UK without standard contractual clauses.", ""),
        ("We store your data on servers in Germany.", ""),
        ("We keep your data in the United Kingdom only.", f"{ELSEWHERE}post (processor, US)"),
        ("Your data stays in your account for 90 days.", ""),
        ("Your data stays in the US.", f"{ELSEWHERE}press (sale, GB)"),
        ("We use no analytics.", NO_STATISTICS),
        ("Google Analytics is not used on this site.", NO_STATISTICS),
        ("We use only necessary cookies.", NO_STATISTICS),
        ("This website sets one cookie, session, which keeps you signed in.", "says 1 cookie, the declaration names 2"),
        ("We set two cookies: session and _ga.", ""),
        ("We use no advertising cookies.", ""),
        ("We set no analytics cookies unless you agree.", ""),
    ],
)
def test_what_is_said_of_places_and_cookies_is_held_against_the_declaration(text: str, against: str) -> None:
    [proposal] = propose(understand(read(text, kind="text")), company(RECIPIENTS + COOKIES))
    assert len(proposal.conflicts) == bool(against)
    assert against in "".join(proposal.conflicts)
    assert set(proposal.conflicts) <= set(proposal.warnings)


@pytest.mark.parametrize(
    "text",
    ["We never see or store your full card number.", "We do not store payment cards.", "We do not store names."],
)
def test_a_denial_of_a_kind_wants_a_persons_word_beside_its_controls(text: str) -> None:
    proposal = only(text, company())
    assert [proof.control for proof in proposal.proofs if proof.control == "detect.no_undeclared_personal_data"]
    assert "nothing of the kind is there" in proposal.attest
    assert not proposal.is_shown


def test_a_broader_kind_that_is_declared_may_be_what_is_ruled_out() -> None:
    broad = parse(COMPANY.replace("user.contact.email}", "user.financial}"))
    [warning] = only("We do not store payment cards.", broad).warnings
    assert warning == "the declaration contains what this may rule out: user.financial in shop.customer"


@pytest.mark.parametrize(
    ("quote", "control", "why"),
    [
        ("We never sell your data.", "disclosures.only_to_recipients", "press (sale)"),
        ("We delete sign-in history after 30 days.", "retention.nothing_overdue", "says 90 days"),
        ("We use no analytics.", "site.cookies_declared", "_ga (statistics)"),
        ("This site sets one cookie.", "site.cookies_declared", "the declaration names 2"),
        ("Your data stays in the UK.", "disclosures.recipients_documented", "post (processor, US)"),
        ("We do not store email addresses.", "stores.schema_declared", "user.contact.email in shop.customer"),
    ],
)
def test_what_is_bound_already_is_warned_about_too(quote: str, control: str, why: str) -> None:
    bound = f"promises:\n  - {{quote: {quote}, owner: ann@example.org, controls: [{control}]}}\n"
    [doubted] = planned(quote, RECIPIENTS + COOKIES + bound).doubted
    assert why in doubted.message


def test_a_denial_that_somebody_attests_is_not_warned_about() -> None:
    word = "attest: {by: ann@example.org, says: So it is., on: 2026-11-02, until: 2027-02-02}"
    bound = f"promises:\n  - quote: We never sell your data.\n    owner: ann@example.org\n    {word}\n"
    bound += "    controls: [disclosures.only_to_recipients]\n"
    assert planned("We never sell your data.", RECIPIENTS + bound).doubted == ()


def test_what_nothing_measures_is_written_without_anybodys_word(tmp_path: Path) -> None:
    after = written(tmp_path, "We never use calls to train speech models.", COMPANY)
    assert parse(after).promises[0].attest is None
    assert "# No control measures this." in after


def test_another_plan_has_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "troth.yaml"
    file.write_text(COMPANY)
    hashes = {
        change_for(
            plan_binding(understand(read(text, kind="text")), parse(COMPANY)).proposals, parse(COMPANY), file
        ).hash
        for text in ("We never sell it.", "We never rent it.")
    }
    assert len(hashes) == 2


BOUND = "promises:\n  - {quote: QUOTE, owner: ann@example.org, controls: [retention.nothing_overdue], about: [ABOUT]}\n"


@each_row(
    ("quote", "about", "codes"),
    [
        ("We delete sign-in history after ninety days.", "logins.login", []),
        ("We delete sign-in history after ninety days.", "logins", []),
        ("We delete sign-in history when it is no longer needed.", "logins.login", []),
        ("We delete sign-in history after thirty days.", "logins.login", ["promise-period"]),
        ("We delete sign-in history after a year.", "logins.login", ["promise-period"]),
        ("We keep sign-in history for no longer than a hundred days.", "logins.login", []),
        ("We keep sign-in history for no longer than thirty days.", "logins.login", ["promise-period"]),
        ("We delete sign-in history after ninety days.", "", []),
        ("We delete sign-in history after thirty days.", "", ["promise-period"]),
        (
            "We delete sign-in history after ninety days; other logins after ten days.",
            "logins.login",
            ["promise-period"],
        ),
        ("We delete sign-in history after thirty days; we tell you a week before.", "logins.login", ["promise-period"]),
        ("We delete sign-in history after ninety days; we tell you a week before.", "logins.login", []),
        ("We delete customers after three years.", "shop.customer", ["promise-no-rule"]),
    ],
)
def test_a_promise_on_a_period_needs_a_rule_that_says_the_same(quote: str, about: str, codes: list[str]) -> None:
    bound = company(BOUND.replace("QUOTE", quote).replace("ABOUT", about))
    found = list(problems(bound))
    assert [problem.code for problem in found] == codes
    assert {problem.severity for problem in found} <= {Severity.ERROR}

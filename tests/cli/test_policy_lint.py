"""``troth policy lint``: what is wrong with a policy, for people and for programs, and how it is fixed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.policy.sampling import sample

EXAMPLE = Path(__file__).parents[2] / "examples/voice-company"
TEXT = "# Privacy policy\n\nWe do not share your personal data with third parties. Stripe takes your payments.\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.md"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.md"
    file.write_text(sample("good.md").source, encoding="utf-8")
    return file


def test_findings_are_shown_the_gravest_first_with_line_quote_and_citation(ask: Ask, policy: Path) -> None:
    answer = ask("policy", "lint", str(policy), "--as-of", "2026-11-24")
    assert answer.code == 1
    assert "with the rules of 24 November 2026." in answer.out.splitlines()[0]
    assert answer.out.index("ERRORS: ") < answer.out.index("WARNINGS: ") < answer.out.index("ADVICE: ")
    assert "line 3  X.transfer-vs-vendors" in answer.out
    assert "> We do not share your personal data with third parties." in answer.out
    assert "GDPR Art. 5(1)(a); FTC Act s. 5" in answer.out


def test_json_is_the_list_of_findings(ask: Ask, policy: Path) -> None:
    answer = ask("policy", "lint", str(policy), "--json", "--as-of", "2026-11-24")
    [found] = [one for one in json.loads(answer.out) if one["rule"] == "X.transfer-vs-vendors"]
    assert (answer.code, found["severity"], found["line"]) == (1, "E", 3)


def test_a_policy_without_errors_ends_with_0(ask: Ask, good: Path) -> None:
    answer = ask("policy", "lint", str(good), "--as-of", "2026-11-24")
    assert answer.code == 0
    assert "0 errors, 0 warnings, 1 piece of advice" in answer.out


def test_a_regime_and_a_day_leave_out_the_other_laws(ask: Ask, policy: Path) -> None:
    def rules(*more: str) -> set[str]:
        return {
            one["rule"].split(".")[0] for one in json.loads(ask("policy", "lint", str(policy), "--json", *more).out)
        }

    assert {"CA", "GDPR"} <= rules()
    assert "CA" not in rules("--regime", "gdpr, uk")
    assert rules("--as-of", "2018-05-24") == {"X"}


def test_before_any_law_it_says_so_and_looks_with_the_rules_that_no_law_asks_for(ask: Ask, policy: Path) -> None:
    answer = ask("policy", "lint", str(policy), "--as-of", "1990-01-01")
    assert answer.code == 1
    assert "No rule of a law was in force on that day" in answer.out
    assert "X.transfer-vs-vendors" in answer.out
    assert "No law's rule" not in ask("policy", "lint", str(policy), "--as-of", "2018-05-25").out


def test_errors_under_a_condition_alone_are_counted_apart_and_end_with_0(ask: Ask, tmp_path: Path) -> None:
    shop = tmp_path / "shop.md"
    shop.write_text("# Privacy\n\nExample Shoes LLC, Austin, TX 78701, keeps your orders for ten years.\n")
    answer = ask("policy", "lint", str(shop), "--regime", "gdpr")
    assert (answer.code, "nobody settled" in answer.out) == (1, False)
    answer = ask("policy", "lint", str(shop), "--json")
    errors = [one for one in json.loads(answer.out) if one["severity"] == "E"]
    assert {one["conditional"] for one in errors} == {True, False}
    shown = ask("policy", "lint", str(shop)).out.splitlines()[0]
    assert f"({sum(one['conditional'] for one in errors)} errors under a condition that is not settled)" in shown


def test_sarif_and_the_page_are_printed_whole(ask: Ask, policy: Path) -> None:
    assert json.loads(ask("policy", "lint", str(policy), "--sarif").out)["version"] == "2.1.0"
    page = ask("policy", "lint", str(policy), "--html").out
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")


def test_a_declaration_is_held_against_the_text(ask: Ask, policy: Path) -> None:
    answer = ask("policy", "lint", str(policy), "--facts", str(EXAMPLE / "troth.yaml"), "--json")
    [found] = [one for one in json.loads(answer.out) if one["rule"] == "F.recipients"]
    assert "troth.yaml:" in found["message"]


def test_the_example_company_has_no_errors(ask: Ask) -> None:
    facts = ("--facts", str(EXAMPLE / "troth.yaml"))
    answer = ask("policy", "lint", str(EXAMPLE / "policy.md"), *facts, "--as-of", "2026-11-24", "--json")
    assert [one for one in json.loads(answer.out) if one["severity"] == "E"] == []
    assert answer.code == 0


def test_fix_prints_a_diff_and_changes_nothing(ask: Ask, policy: Path) -> None:
    policy.write_text(f"{TEXT}\nThe firm and it's staff.\n", encoding="utf-8")
    before = policy.read_bytes()
    answer = ask("policy", "lint", str(policy), "--fix")
    assert "-The firm and it's staff.\n+The firm and its staff.\n" in answer.out
    assert (answer.code, policy.read_bytes()) == (1, before)


def test_out_writes_the_fixed_policy(ask: Ask, good: Path, tmp_path: Path) -> None:
    good.write_bytes(good.read_bytes().replace(b"\n", b"\r\n") + b"\r\nThe firm and it's staff.\r\n")
    fixed = tmp_path / "fixed.md"
    answer = ask("policy", "lint", str(good), "--fix", "--out", str(fixed), "--as-of", "2026-11-24")
    assert (answer.code, answer.err) == (0, f"1 fault fixed, written to {fixed}\n")
    assert fixed.read_bytes() == good.read_bytes().replace(b"it's staff", b"its staff")


def test_the_rules_are_listed_with_what_they_say(ask: Ask) -> None:
    assert (
        "E  X.transfer-vs-vendors      Nobody outside gets the data, it says," in ask("policy", "lint", "--rules").out
    )
    rows = json.loads(ask("policy", "lint", "--rules", "--json").out)
    assert {"rule", "severity", "citation", "applies_from", "conditional", "title"} <= rows[0].keys()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give the policy's file"),
        (("policy.md", "--regime", "mars"), "there is no regime mars"),
        (("policy.md", "--json", "--sarif"), "give one of"),
        (("policy.md", "--out", "x.md"), "give both"),
        (("policy.md", "--as-of", "tomorrow"), "does not match the format"),
        (("nothing.md",), "does not exist"),
    ],
)
def test_who_asks_wrongly_is_told(ask: Ask, policy: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = ask("policy", "lint", *(str(policy) if one == "policy.md" else one for one in arguments))
    assert answer.code == 2
    assert says in answer.err


def test_another_language_is_said_and_not_guessed(ask: Ask, policy: Path) -> None:
    policy.write_text("Wir geben Ihre Daten nicht an Dritte weiter, und wir löschen sie nach dreißig Tagen.\n" * 3)
    answer = ask("policy", "lint", str(policy))
    assert answer.code == 1
    assert answer.err.startswith(f"troth: {policy.name} is not in English")
    assert answer.out == ""


def test_a_place_that_cannot_be_written_is_said_in_a_line(ask: Ask, policy: Path, tmp_path: Path) -> None:
    answer = ask("policy", "lint", str(policy), "--fix", "--out", str(tmp_path / "none" / "x.md"))
    assert answer.code == 2
    assert "cannot be written: No such file or directory" in answer.err


def test_the_declaration_s_models_are_not_loaded_to_look_at_a_text(policy: Path) -> None:
    code = (
        "import sys\nfrom troth.cli import main\n"
        f"try: main(['policy', 'lint', {str(policy)!r}, '--json'])\nexcept SystemExit: pass\n"
        "print(sorted({'pydantic', 'django', 'sqlalchemy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"

"""``troth policy render`` and ``troth policy diff``, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Ask
from tests.policy.declared import CLINIC, SHOP

STRONG = "# Policy\n\n## Sharing\n\nWe never sell your data.\n\nWe delete sign-ins after thirty days.\n"
WEAK = STRONG.replace("thirty days", "ninety days").replace("We never sell your data.\n\n", "")


def test_render_prints_the_notice(ask: Ask) -> None:
    answer = ask("policy", "render", "-d", str(CLINIC))
    assert answer.code == 0
    assert answer.out.startswith("# Privacy policy\n")
    assert "Beispielklinik GmbH" in answer.out


def test_render_prints_the_graph_for_machines(ask: Ask) -> None:
    answer = ask("policy", "render", "-d", str(SHOP), "--format", "json-ld")
    assert json.loads(answer.out)["@type"] == "dpv:PrivacyNotice"


def test_render_writes_every_form_into_a_folder(ask: Ask, tmp_path: Path) -> None:
    for _ in range(2):
        assert ask("policy", "render", "-d", str(SHOP), "--out", str(tmp_path / "notice")).code == 0
    names = {path.name for path in (tmp_path / "notice").iterdir()}
    assert names == {
        "policy.md",
        "policy.html",
        "policy-fragment.html",
        "policy.jsonld",
        "short-order.md",
        "short-order.html",
    }


def test_render_writes_over_nothing_that_says_something_else(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "policy.html").write_text("ours", encoding="utf-8")
    answer = ask("policy", "render", "-d", str(SHOP), "--out", str(tmp_path))
    assert (answer.code, answer.out) == (1, "")
    assert "policy.html exists with other content; give another folder" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["policy.html"]


def test_render_never_writes_the_published_policy(ask: Ask, tmp_path: Path) -> None:
    declared = tmp_path / "troth.yaml"
    declared.write_bytes(SHOP.read_bytes())
    answer = ask("policy", "render", "-d", str(declared), "--out", str(tmp_path))
    assert (answer.code, [path.name for path in tmp_path.iterdir()]) == (1, ["troth.yaml"])
    assert "is the published policy (policy.file)" in answer.err


def test_render_into_a_folder_that_cannot_be_says_so_in_a_line(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    answer = ask("policy", "render", "-d", str(SHOP), "--out", str(tmp_path / "file" / "notice"))
    assert answer.code == 2
    assert "cannot be written: Not a directory; give another folder" in answer.err


def test_render_as_json_holds_the_text_or_the_files(ask: Ask, tmp_path: Path) -> None:
    printed = json.loads(ask("policy", "render", "-d", str(SHOP), "--json").out)
    assert (printed["format"], printed["text"][:16]) == ("md", "# Privacy policy")
    written = json.loads(ask("policy", "render", "-d", str(SHOP), "--out", str(tmp_path / "notice"), "--json").out)
    assert "policy.md" in written["files"]


def test_render_prints_the_short_notice_of_a_form(ask: Ask) -> None:
    answer = ask("policy", "render", "-d", str(SHOP), "--short", "order", "--format", "html")
    assert answer.out.startswith("<p><strong>Checkout</strong>")
    assert ask("policy", "render", "-d", str(SHOP), "--short", "order", "--format", "json-ld").code == 2
    assert ask("policy", "render", "-d", str(SHOP), "--short", "nowhere").code == 1


def test_render_names_what_is_missing_and_writes_nothing(ask: Ask, tmp_path: Path) -> None:
    declared = tmp_path / "troth.yaml"
    declared.write_text(SHOP.read_text(encoding="utf-8").replace("  children: 16\n", ""))
    answer = ask("policy", "render", "-d", str(declared), "--out", str(tmp_path / "notice"))
    assert (answer.code, answer.out) == (1, "")
    assert "whether you serve children is not declared" in answer.err
    assert not (tmp_path / "notice").exists()


def test_render_in_a_language_that_is_not_there_says_so(ask: Ask) -> None:
    answer = ask("policy", "render", "-d", str(SHOP), "--lang", "de")
    assert (answer.code, answer.err) == (1, "troth: a notice can be rendered in en; 'de' is not supported yet\n")


def _two(folder: Path) -> tuple[str, str]:
    (folder / "old.md").write_text(STRONG)
    (folder / "new.md").write_text(WEAK)
    return str(folder / "old.md"), str(folder / "new.md")


def test_diff_says_what_is_weaker_and_why(ask: Ask, tmp_path: Path) -> None:
    answer = ask("policy", "diff", *_two(tmp_path))
    assert answer.code == 1
    assert answer.out.splitlines()[:2] == ["gone: it promised not to sell", "  -    5  We never sell your data."]
    assert "weakened: “thirty days” became “ninety days”" in answer.out
    assert answer.out.endswith("new.md: weakened (1 weakened, 1 gone, 2 same)\n")


def test_diff_the_other_way_is_fine(ask: Ask, tmp_path: Path) -> None:
    old, new = _two(tmp_path)
    assert ask("policy", "diff", new, old).code == 0
    same = ask("policy", "diff", old, old)
    assert (same.code, same.out) == (0, f"{old}: same (4 same)\n")


def test_diff_gives_machines_the_same(ask: Ask, tmp_path: Path) -> None:
    facts = json.loads(ask("policy", "diff", *_two(tmp_path), "--json").out)
    assert (facts["verdict"], facts["counts"]) == ("weakened", {"weakened": 1, "gone": 1, "same": 2})
    [gone, weaker] = facts["changes"]
    assert (gone["old"]["line"], gone["new"], gone["weaker"]) == (5, None, True)
    assert weaker["reasons"] == ["“thirty days” became “ninety days”"]


def test_diff_says_what_is_in_doubt_and_how_somebody_settles_it(ask: Ask, tmp_path: Path) -> None:
    old, new = _two(tmp_path)
    Path(new).write_text(STRONG.replace("We delete", "Our robot deletes"))
    answer = ask("policy", "diff", old, new)
    assert answer.code == 1
    assert "reworded, in doubt\n  -    7" in answer.out
    assert "new.md: in doubt (1 reworded, 3 same; 1 in doubt)" in answer.out
    facts = json.loads(ask("policy", "diff", old, new, "--json").out)
    assert (facts["verdict"], facts["in_doubt"]) == ("in_doubt", 1)
    assert f"text: {facts['text']}, than: {facts['than']}" in answer.out


def test_diff_says_of_a_sentence_that_is_gone_that_it_is_and_not_that_it_is_in_other_words(
    ask: Ask, tmp_path: Path
) -> None:
    old, new = _two(tmp_path)
    Path(new).write_text(STRONG)
    Path(old).write_text(f"{STRONG}\nYou may use an authorized agent.\n")
    answer = ask("policy", "diff", old, new)
    assert answer.code == 1
    assert "gone, in doubt\n" in answer.out
    assert "new.md: in doubt (1 gone, 4 same; 1 in doubt)" in answer.out
    assert "reworded" not in answer.out


def test_diff_of_another_language_says_that_it_cannot_compare(ask: Ask, tmp_path: Path) -> None:
    old, new = _two(tmp_path)
    german = "# Datenschutz\n\nWir verkaufen Ihre Daten nicht, und das ist auch so, weil sie uns nicht gehören.\n"
    Path(old).write_text(german)
    Path(new).write_text(german.replace("Daten nicht", "Daten"))
    answer = ask("policy", "diff", old, new)
    assert answer.code == 1
    assert "cannot be compared, because only English is supported" in answer.out
    assert ask("policy", "diff", old, old).code == 0


def test_diff_of_a_file_that_is_not_there_is_refused(ask: Ask, tmp_path: Path) -> None:
    old, _ = _two(tmp_path)
    answer = ask("policy", "diff", old, str(tmp_path / "none.md"))
    assert answer.code == 1
    assert "there is no such file" in answer.err


def _declared(folder: Path, announce: str) -> str:
    _two(folder)
    (folder / "troth.yaml").write_text(
        "troth: 1\norganisation: {name: Example Ltd, country: GB, address: London, email: privacy@example.org}\n"
        f"policy:\n  file: new.md\n  effective: 2026-11-01\n  announce: {announce}\n"
        "  versions: [{file: old.md, effective: 2025-03-01, keeps: {logns: 30 days}}]\n"
        "notice: {changes: {how: [email], days_before: 30}}\n"
    )
    return str(folder / "troth.yaml")


def test_check_refuses_a_weaker_version_without_a_plan(ask: Ask, tmp_path: Path) -> None:
    answer = ask("check", "-d", _declared(tmp_path, "null"), "--no-stores")
    assert answer.code == 1
    assert "2 clauses promise less than before, and how people are informed of it is not declared" in answer.out
    assert "version-weaker" in ask("check", "-d", str(tmp_path / "troth.yaml"), "--no-stores", "--json").out


def test_check_refuses_a_plan_that_was_carried_out_too_late_or_is_too_short(ask: Ask, tmp_path: Path) -> None:
    late = ask("check", "-d", _declared(tmp_path, "{how: [email], days_before: 30, on: 2026-10-20}"), "--no-stores")
    assert "people were informed too late: it can take effect on 2026-11-19 at the earliest" in late.out
    hasty = ask("check", "-d", _declared(tmp_path, "{how: [email], days_before: 7, on: 2026-10-01}"), "--no-stores")
    assert "people are informed 7 days before, but 30 are promised" in hasty.out


def test_check_passes_a_weaker_version_that_people_were_told_of(ask: Ask, tmp_path: Path) -> None:
    answer = ask("check", "-d", _declared(tmp_path, "{how: [email], days_before: 30, on: 2026-10-01}"), "--no-stores")
    assert "version-weaker" not in answer.out
    assert "promise less" not in answer.out
    assert "no retention rule 'logns'" in answer.out


def test_check_asks_what_older_data_keeps_where_a_time_became_longer(ask: Ask, tmp_path: Path) -> None:
    declared = _declared(tmp_path, "{how: [email], days_before: 30, on: 2026-10-01}")
    assert "became longer" not in ask("check", "-d", declared, "--no-stores").out
    text = Path(declared).read_text(encoding="utf-8")
    Path(declared).write_text(text.replace(", keeps: {logns: 30 days}", ""))
    answer = ask("check", "-d", declared, "--no-stores")
    assert "1 time became longer, but the periods of this version are not declared" in answer.out

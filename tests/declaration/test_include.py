"""Includes: many files, one declaration, and nothing from outside its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.declaration import DeclarationErrors, load, parse

HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: a@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)
PROMISE = "- {{quote: {}, owner: ann@example.org}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A declaration's folder, with a secret beside it that no include may reach."""
    (tmp_path / "beside.yaml").write_text("limits: {rows: 1}")
    (tmp_path / "company" / "systems").mkdir(parents=True)
    return tmp_path / "company"


def refusal(folder: Path) -> list[str]:
    with pytest.raises(DeclarationErrors) as caught:
        load(folder / "troth.yaml")
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_included_files_are_one_declaration_with_the_hash_of_one_file(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [systems/*.yaml]\npromises:\n" + PROMISE.format("one"))
    (folder / "systems" / "a.yaml").write_text("troth: 1\nsystems: {a: {store: task}}\n")
    (folder / "systems" / "b.yaml").write_text("systems: {b: {store: task}}\npromises:\n" + PROMISE.format("two"))
    whole = HEAD + "systems: {b: {store: task}, a: {store: task}}\npromises:\n"
    whole += PROMISE.format("two") + PROMISE.format("one")

    loaded = load(folder / "troth.yaml")

    assert loaded.hash == parse(whole).hash
    assert str(loaded.where("systems.b")) == f"{folder}/systems/b.yaml:1:11"
    assert str(loaded.where("promises.1.quote")) == f"{folder}/systems/b.yaml:3:4"


def test_the_same_name_twice_names_both_places(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "systems: {a: {store: task}}\ninclude: more.yaml")
    (folder / "more.yaml").write_text("systems:\n  a: {store: task}\nlimits: {}\npolicy: {}\n")

    assert refusal(folder) == [
        "more.yaml:2:3: systems.a: 'a' is declared twice; the first is at troth.yaml:4:11",
        "more.yaml:4:1: policy: 'policy' is declared twice; the first is at troth.yaml:3:1",
    ]


def test_mistakes_of_several_files_come_at_once(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [systems/*.yaml]\nsistems: {}\n")
    (folder / "systems" / "a.yaml").write_text("systems: {a: {stor: task, store: task}}")

    assert refusal(folder) == [
        "systems/a.yaml:1:15: systems.a.stor: unknown key 'stor'; did you mean 'store'?",
        "troth.yaml:5:1: sistems: unknown key 'sistems'; did you mean 'systems'?",
    ]


def test_a_circle_of_includes_is_refused(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [a.yaml]")
    (folder / "a.yaml").write_text("include: [systems/b.yaml]")
    (folder / "systems" / "b.yaml").write_text("include: [b.yaml]")

    assert refusal(folder) == [
        "systems/b.yaml:1:1: include: 'b.yaml' includes this file again; remove it from one of them"
    ]


def test_a_file_that_two_patterns_name_is_read_once(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [systems/a.yaml, systems/*.yaml]")
    (folder / "systems" / "a.yaml").write_text("systems: {a: {store: task}}")
    assert list(load(folder / "troth.yaml").systems) == ["a"]


@pytest.mark.parametrize("pattern", ["../beside.yaml", "link.yaml", "systems/../../beside.yaml"])
def test_nothing_outside_the_folder_is_read(folder: Path, pattern: str) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "beside.yaml")
    (folder / "troth.yaml").write_text(HEAD + f"include: [{pattern}]")
    assert "points outside the declaration's folder; move the file below the declaration" in refusal(folder)[0]


def test_an_absolute_path_is_no_pattern(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [/etc/*.yaml]")
    assert refusal(folder) == [
        "troth.yaml:4:1: include: '…' is not a valid file pattern; name files below the declaration, such "
        "as systems/*.yaml"
    ]


def test_a_pattern_that_names_no_file_is_a_mistake(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: [system/a.yaml]")
    assert refusal(folder) == ["troth.yaml:4:1: include: 'system/a.yaml' matches no file; check the spelling"]


def test_an_include_that_is_no_list_is_a_mistake(folder: Path) -> None:
    (folder / "troth.yaml").write_text(HEAD + "include: {a: b}")
    assert refusal(folder) == ["troth.yaml:4:1: include: a list of file patterns is expected; such as [systems/*.yaml]"]

"""The examples of the documentation do what the documentation says."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from troth import declaration
from troth.declaration import DeclarationErrors, check, dump, from_fides, load, parse
from troth.declaration.shape import keys

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/declaration.md").read_text("utf-8")
HOWTO = (ROOT / "docs/howto/import-a-fides-dataset.md").read_text("utf-8")
BLOCK = re.compile(r"^ *```(\w+)(?: (\w+))?\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)


def blocks(page: str, language: str, label: str = "") -> list[str]:
    return [dedent(text) for found, name, text in BLOCK.findall(page) if (found, name) == (language, label)]


def whole() -> str:
    return "".join(blocks(REFERENCE, "yaml"))


def test_the_examples_together_are_one_sound_declaration() -> None:
    assert check(parse(whole())) == []


def test_the_short_and_the_long_forms_shown_are_read() -> None:
    for text in blocks(REFERENCE, "yaml", "alone"):
        tables = parse(HEAD + text).systems["shop"].tables
        assert tables["order"].belongs_to["customer_id"].columns == ("customer_id",)


def test_the_mistakes_shown_are_the_mistakes_told() -> None:
    (broken,), (told,) = blocks(REFERENCE, "yaml", "broken"), blocks(REFERENCE, "text")
    with pytest.raises(DeclarationErrors) as caught:
        parse(broken)
    assert f"{caught.value}\n" == told


def test_every_key_is_shown() -> None:
    shown = set(re.findall(r"[\w]+(?=:)", whole())) | {"include"}
    declared = {key for part in _parts() for key in keys(part)}
    assert declared - shown - {"rows", "columns", "system", "table", "to", "count", "unit"} == set()


def _parts() -> list[type]:
    named = [getattr(declaration, name) for name in declaration.__all__]
    return [part for part in named if isinstance(part, type) and issubclass(part, declaration.StrictModel)]


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    ours = (ROOT / "src/troth/declaration").rglob("*.py")
    others = (
        ROOT / "src/troth" / name
        for name in (
            "controls/binding.py",
            "stores/custom_controls.py",
            "policy/binding.py",
            "policy/declared_parameters.py",
            "policy/retention.py",
            "policy/render/missing.py",
            "policy/versions/published.py",
            "detect/schema/check.py",
            "subjects/flag_columns.py",
            "protect/fields/check.py",
            "protect/tokens/check.py",
        )
    )
    source = "".join(path.read_text("utf-8") for path in (*ours, *others, ROOT / "src/troth/cli/check.py"))
    used = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source))
    listed = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", REFERENCE.partition("## Codes")[2]))
    assert listed == used


def test_the_python_shown_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "troth.yaml").write_text(whole(), "utf-8")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(REFERENCE, "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["engine_url"] == "sqlite:///shop.db"
    assert capsys.readouterr().out == ""


def test_the_import_shown_gives_the_draft_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (dataset,), (code,), (draft,) = (
        blocks(HOWTO, *kind) for kind in (("yaml", "dataset"), ("python",), ("yaml", "draft"))
    )
    (tmp_path / "dataset.yml").write_text(dataset, "utf-8")
    (tmp_path / "troth.yaml").write_text(f"{HEAD}include: [systems/*.yaml]\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    exec(code, {})

    assert dump(from_fides(dataset)) == draft
    assert {"erase-missing", "category-without-purpose"} == {problem.code for problem in check(load("troth.yaml"))}

"""``troth ropa``, ``troth dpia``, ``troth map``: what follows from the declaration, without a key or a database."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest
from tests.cli.firm import Firm, lay

EXAMPLE = Path(__file__).parents[2] / "examples" / "voice-company"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A company that says little."""
    return lay(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """The example company, which says everything."""
    folder = tmp_path_factory.mktemp("voice")
    for name in ("troth.yaml", "policy.md"):
        shutil.copy(EXAMPLE / name, folder)
    return Firm(folder)


@pytest.mark.parametrize("command", [("ropa",), ("ropa", "--role", "processor"), ("dpia", "--as-of", "2026-11-27")])
def test_a_company_that_says_everything_misses_nothing(voice: Firm, command: tuple[str, ...]) -> None:
    answer = voice.troth(*command)
    assert (answer.code, answer.err) == (0, "")
    assert not list(voice.folder.glob("home"))


def test_what_is_missing_ends_with_one_and_is_named(firm: Firm) -> None:
    answer = firm.troth("ropa")
    assert answer.code == 1
    assert "**Missing:** whose data order uses; add 'purposes.order.subjects'" in answer.out
    assert "missing from the record" in answer.err


def test_the_record_comes_in_four_forms(voice: Firm) -> None:
    assert voice.troth("ropa").out.startswith("# Record of processing as a controller")
    assert voice.troth("ropa", "--format", "html").out.startswith("<!doctype html>")
    rows = list(csv.reader(io.StringIO(voice.troth("ropa", "--format", "csv").out)))
    assert len(rows) == 7
    assert voice.troth("ropa", "--json").document == voice.troth("ropa", "--format", "json").document


def test_silence_about_risks_is_asked_for(firm: Firm) -> None:
    answer = firm.troth("dpia")
    assert answer.code == 1
    assert "`purposes.order.risk.people`" in answer.out
    (told,) = firm.troth("dpia", "--json").document
    assert told["verdict"] == "open"


def test_the_map_is_the_same_each_time_and_can_be_read_out(voice: Firm) -> None:
    picture = voice.troth("map").out
    assert picture.startswith("<svg ")
    assert voice.troth("map").out == picture
    assert "Customers: data goes to Registration" in voice.troth("map", "--format", "text").out
    assert {box["column"] for box in voice.troth("map", "--json").document["boxes"]} >= {"People", "Systems"}


@pytest.mark.parametrize("command", ["ropa", "dpia", "map"])
def test_a_broken_declaration_is_refused_with_its_place(tmp_path: Path, command: str) -> None:
    (tmp_path / "troth.yaml").write_text("troth: 1\nsystems: {shop: {stroe: x}}\n")
    answer = Firm(tmp_path).troth(command)
    assert answer.code == 1
    assert "troth.yaml:2" in answer.err
    assert answer.out == ""


def test_a_day_before_every_list_is_no_day_without_assessments(voice: Firm) -> None:
    answer = voice.troth("dpia", "--as-of", "1999-01-01")
    assert (answer.code, answer.out) == (1, "")
    assert "no list of criteria was in force on 1999-01-01" in answer.err


def test_two_formats_at_once_are_refused(voice: Firm) -> None:
    answer = voice.troth("ropa", "--format", "html", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert voice.troth("ropa", "--format", "json", "--json").code == voice.troth("ropa", "--json").code

"""The console's page of what is processed: the map, the record, the evidence, for those who may read evidence."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.staff.rights import StaffRight

from . import team

pytestmark = pytest.mark.sampled

ADDRESSES = ("processing", "map-css", "evidence-archive")


@pytest.fixture
def reader(database: str, staff_member: Any, settings: Any, tmp_path: Path) -> Any:
    settings.TROTH = team.lay(tmp_path)
    return staff_member(EVIDENCE_READ)


def test_the_page_shows_the_map_in_a_picture_and_in_words(reader: Any) -> None:
    page = reader.get(reverse("processing")).content.decode()
    assert page.count("<svg ") == 1
    assert "<style" not in page
    assert "Troth&#x27;s own records (systems)" in page
    assert reverse("map-css") in page


def test_the_picture_has_its_style_from_a_file(reader: Any) -> None:
    answer = reader.get(reverse("map-css"))
    assert answer["Content-Type"].startswith("text/css")
    assert b".map .system rect" in answer.content


@pytest.mark.parametrize("kind", ["md", "html", "csv", "json"])
def test_the_record_can_be_taken_along(reader: Any, kind: str) -> None:
    answer = reader.get(reverse("record-file", args=["controller", kind]))
    assert answer["Content-Disposition"] == f'attachment; filename="record-controller.{kind}"'
    assert b"To answer you" in answer.content


def test_there_is_no_other_record(reader: Any) -> None:
    assert reader.get(reverse("record-file", args=["nobody", "md"])).status_code == 404
    assert reader.get(reverse("record-file", args=["controller", "exe"])).status_code == 404


def test_the_evidence_archive_is_one_click(reader: Any, tmp_path: Path) -> None:
    answer = reader.get(reverse("evidence-archive"))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        assert "manifest.note" in archive.namelist()
    assert (tmp_path / "root.key").exists()  # it was made here
    assert not list(tmp_path.glob(".evidence-*"))


@pytest.mark.parametrize("name", ADDRESSES)
def test_others_do_not_see_it(database: str, staff_member: Any, settings: Any, tmp_path: Path, name: str) -> None:
    settings.TROTH = team.lay(tmp_path)
    assert staff_member(StaffRight.CASES_HANDLE).get(reverse(name)).status_code == 403

"""The map of the data: complete, the same for the same declaration, and readable for whoever cannot see it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from playwright.sync_api import Browser
from tests.browsing import axe, opened
from tests.reports.companies import example, small

from troth.declaration import Declaration, parse
from troth.reports import as_svg, picture_data, picture_of, picture_words
from troth.reports.layout import WIDTH, Placed, lay_out

COUNTRIES = ("US", "GB", "DE", "IE")


def large(systems: int = 30) -> Declaration:
    """A company of many systems, recipients and forms."""
    text = (
        "troth: 1\norganisation: {name: Example Ltd, country: GB, address: a, email: p@example.org}\n"
        "policy: {file: p.md, effective: 2026-11-01}\nsystems:\n"
    )
    for at in range(systems):
        text += f"  s{at}:\n    title: The system of the department number {at}\n    store: sqlite:///s{at}.sqlite\n"
        text += f"    subjects: [customers, staff {at % 3}]\n    purposes: [p{at % 7}]\n    tables:\n      t:\n"
        text += (
            "        identity: {email: a}\n        fields: {a: user.contact.email, b: user.name, c: user.location}\n"
        )
        text += "        erase: delete\n"
    text += "purposes:\n"
    text += "".join(f"  p{at}: {{basis: contract, use: essential.service, data: [user]}}\n" for at in range(7))
    text += "recipients:\n"
    for at in range(12):
        where = f"country: {COUNTRIES[at % 4]}, purposes: [p{at % 7}]"
        text += f"  r{at}: {{role: processor, receives: [user.name], {where}}}\n"
    text += "collection_points:\n"
    text += "".join(f"  f{at}: {{fields: {{email: required}}, purposes: [p{at}]}}\n" for at in range(5))
    return parse(text)


def test_everything_that_is_declared_stands_in_it() -> None:
    declaration = example()
    ids = {box.id for box in picture_of(declaration).boxes}
    assert {f"points.{name}" for name in declaration.collection_points} <= ids
    assert {f"systems.{name}" for name in declaration.systems} <= ids
    assert {f"recipients.{name}" for name in declaration.recipients} <= ids


def test_data_goes_only_where_its_purpose_leads() -> None:
    arrows = {(arrow.source, arrow.target) for arrow in picture_of(example()).arrows}
    assert ("systems.newsletter", "recipients.post") in arrows
    assert ("systems.shop", "recipients.post") not in arrows
    assert ("points.newsletter", "systems.newsletter") in arrows
    assert ("points.newsletter", "systems.shop") not in arrows


def test_who_is_never_asked_is_drawn_straight_to_the_system() -> None:
    arrows = {(arrow.source, arrow.target) for arrow in picture_of(example()).arrows}
    assert ("people.people who are on the calls", "systems.transcripts") in arrows


def test_nobody_named_is_said_to_be_so() -> None:
    nameless = small(**{"    subjects: [singers]\n": ""})
    assert [box.title for box in picture_of(nameless).column(0)] == ["People who are not named"]


def test_the_same_declaration_is_the_same_picture() -> None:
    assert as_svg(picture_of(example())) == as_svg(picture_of(example()))


@pytest.mark.parametrize("declaration", [example(), large()], ids=["example", "large"])
def test_no_box_covers_another_and_none_is_off_the_paper(declaration: Declaration) -> None:
    laid = lay_out(picture_of(declaration))
    for one, other in combinations(laid.boxes.values(), 2):
        assert not _overlap(one, other), (one.box.id, other.box.id)
    for each in laid.boxes.values():
        assert each.x >= 0
        assert each.x + each.width <= WIDTH
        assert each.y >= 0
        assert each.y + each.height <= laid.height


def test_what_passes_a_column_by_passes_between_its_boxes() -> None:
    laid = lay_out(picture_of(large()))
    passed = [stop for stops in laid.ways.values() for stop in stops]
    assert passed
    assert not [(stop, box) for stop in passed for box in laid.boxes.values() if _overlap(stop, box)]


def _overlap(one: Placed, other: Placed) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def test_it_is_one_sound_file_without_anything_from_elsewhere() -> None:
    svg = as_svg(picture_of(small(**{"To sing together": "<script>&\"'"})))
    root = ET.fromstring(svg)
    kinds = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert kinds == {"svg", "title", "desc", "style", "rect", "text", "g", "path"}
    assert not [each for each in root.iter() if {"href", "src", "onload"} & set(each.attrib)]
    assert "url(" not in svg


def test_it_is_told_in_words_too() -> None:
    picture = picture_of(example())
    words = " ".join(picture_words(picture))
    root = ET.fromstring(as_svg(picture))
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == words
    assert all(box.title in words for box in picture.boxes)
    assert {each["id"] for each in picture_data(picture)["boxes"]} == {box.id for box in picture.boxes}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_a_browser(browser: Browser, scheme: str) -> None:
    page = opened(browser, 1200, scheme=scheme)
    svg = as_svg(picture_of(example()))
    page.set_content(f'<!doctype html><html lang="en"><title>Map</title><main><h1>Map</h1>{svg}</main></html>')
    assert axe(page) == []
    assert page.evaluate(FITS) == []
    page.context.close()


FITS = """
() => [...document.querySelectorAll('svg g')].flatMap(group => {
  const box = group.querySelector('rect').getBBox();
  return [...group.querySelectorAll('text')].filter(text => {
    const inner = text.getBBox();
    return inner.x + inner.width > box.x + box.width || inner.y + inner.height > box.y + box.height + 1;
  }).map(text => text.textContent);
})
"""
"""The texts that do not fit into their boxes, in the fonts of this machine."""

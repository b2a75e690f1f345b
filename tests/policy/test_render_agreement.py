"""What people read and what machines read is the same, for every kind of fact: one edit on one side is found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.declared import CLINIC, SHOP, VOICE, declared
from tests.scale import scaled
from tests.tables import each_row

from troth.policy.render import NoticeDisagrees, Rendered, agree, differences, render
from troth.policy.render.words import words_of

EN = words_of("en")


@pytest.fixture(scope="module", params=[VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def notice(request: pytest.FixtureRequest) -> Rendered:
    return render(declared(request.param))


def test_both_renderings_agree_with_the_graph(notice: Rendered) -> None:
    agree(notice.md, notice.json_ld, EN)
    agree(notice.html, notice.json_ld, EN, kind="html")
    agree(notice.page, notice.json_ld, EN, kind="html")


_HUMAN = [
    (VOICE, "periods", "| Sign-in history | IP address, device data, behaviour |", "90 days", "60 days"),
    (VOICE, "recipients", "| Example Post Inc |", "Example Post Inc", "Example Postal Inc"),
    (
        VOICE,
        "recipients",
        "name, private messages and files | United States |",
        "United States",
        "Germany",
    ),
    (VOICE, "recipients", "UK-US data bridge", "UK-US data bridge", "adequacy decision"),
    (VOICE, "recipients", "| Example Pay Ltd | decides for itself (controller) |", "decides for", "works for"),
    (VOICE, "purposes", "| To send the newsletter | e-mail", "your consent", "a contract with you"),
    (VOICE, "purposes", "| To send the newsletter | e-mail", "e-mail address", "phone number"),
    (VOICE, "cookies", "| visit | statistics |", "statistics", "necessary"),
    (VOICE, "cookies", "| visit |", "30 days", "31 days"),
    (VOICE, "rights", "| erasure: have it deleted | UK GDPR |", "1 month", "2 months"),
    (VOICE, "points", "| Newsletter |", "e-mail address", "postal address"),
    (VOICE, "controller", "| In force since |", "1 November", "2 November"),
    (SHOP, "california", "| commercial information |", "purchases", "location"),
    (CLINIC, "special", "| health data | To treat you |", "health care, under a duty of secrecy", "legal claims"),
    (CLINIC, "decisions", "| Which requests a doctor sees first |", "urgent", "long"),
    (CLINIC, "sources", "| the doctor who sent you to us |", "| no |", "| yes |"),
]


@each_row(("path", "table", "row", "old", "new"), _HUMAN)
def test_an_edit_of_the_page_is_found(path: Any, table: str, row: str, old: str, new: str) -> None:
    rendered = render(declared(path))
    lines = rendered.md.splitlines()
    [at] = [number for number, line in enumerate(lines) if row in line]
    lines[at] = lines[at].replace(old, new)
    assert lines[at] != rendered.md.splitlines()[at]
    found = differences("\n".join(lines), rendered.json_ld, EN)
    assert {(each.table, each.side) for each in found} == {(table, "people"), (table, "machines")}


_MACHINE = [
    ("periods", "dpv:hasStorageCondition", "dpv:hasDuration", {"@type": "xsd:duration", "@value": "P1D"}),
    ("recipients", "dpv:hasRecipient", "dpv:hasLocation", "JP"),
    ("recipients", "dpv:hasRecipient", "dpv:hasName", "Somebody Else Ltd"),
    ("rights", "dpv:hasRight", "dpv:hasDuration", "9 months"),
]


@pytest.mark.parametrize(("table", "under", "term", "value"), _MACHINE)
def test_an_edit_of_the_graph_is_found(notice: Rendered, table: str, under: str, term: str, value: Any) -> None:
    graph = json.loads(notice.json_ld)
    graph[under][0][term] = value
    found = differences(notice.md, json.dumps(graph), EN)
    assert {each.table for each in found} == {table}


def test_a_term_that_contradicts_its_own_key_is_found(notice: Rendered) -> None:
    """The basis says consent to those who read our key, and contract to those who read the vocabulary."""
    graph = json.loads(notice.json_ld)
    [first, *_] = [node for node in graph["dpv:hasProcess"] if "dpv:hasLegalBasis" in node]
    first["dpv:hasLegalBasis"]["@id"] = "eu-gdpr:A6-1-e"
    assert differences(notice.md, json.dumps(graph), EN) != []


def test_a_row_too_many_is_found_on_either_side(notice: Rendered) -> None:
    graph = json.loads(notice.json_ld)
    graph["dpv:hasRecipient"].append(graph["dpv:hasRecipient"][0])
    assert [each.side for each in differences(notice.md, json.dumps(graph), EN)] == ["machines"]
    row = next(line for line in notice.md.splitlines() if "(controller) |" in line or "(processor) |" in line)
    assert [each.side for each in differences(notice.md.replace(row, f"{row}\n{row}"), notice.json_ld, EN)] == [
        "people"
    ]


def test_a_disagreement_stops_the_build_and_names_the_fact(notice: Rendered) -> None:
    with pytest.raises(NoticeDisagrees, match="recipients: only machines read"):
        agree(
            notice.md.replace("## Who else sees it", "## Who else\n\n").replace("| Recipient |", "| Who |"),
            notice.json_ld,
            EN,
        )


_WORDS = st.one_of(st.text(max_size=30), st.text(alphabet="|\\`*_{}[]<>#~&;,–- \n\tab1.:()!\"'+=@/", max_size=20))


@settings(max_examples=scaled(6, 60), deadline=None)
@given(_WORDS, _WORDS, _WORDS, _WORDS)
def test_whatever_words_the_declaration_has_both_sides_read_them(one: str, two: str, three: str, four: str) -> None:
    base = declared(SHOP)

    def titled(part: Any, **words: Any) -> Any:
        return part.model_copy(update=words)

    render(
        titled(
            base,
            organisation=titled(base.organisation, name=one, address=two),
            purposes={**base.purposes, "orders": titled(base.purposes["orders"], title=three)},
            recipients={**base.recipients, "carrier": titled(base.recipients["carrier"], title=four)},
            retention={
                **base.retention,
                "visits": titled(base.retention["visits"], title=one, starts=f"x{four}", because=two),
            },
            cookies={**base.cookies, "cart": titled(base.cookies["cart"], why=three or "x")},
        )
    )

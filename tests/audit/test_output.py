"""The report as files: whole, private, safe to open, and in the forms that other programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from tests.audit import world

from troth.audit import AuditReport, ReportUnwritten, as_data, as_html, as_sarif, audit, rules, write_report
from troth.stores import open_store

SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name", "rules"],
                            "properties": {"rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}}},
                        }
                    },
                },
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "invocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["executionSuccessful"],
                        "properties": {"endTimeUtc": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}},
                    },
                },
            },
        },
        "rule": {
            "type": "object",
            "required": ["id", "shortDescription", "defaultConfiguration"],
            "properties": {"shortDescription": {"$ref": "#/$defs/message"}},
        },
        "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
            "properties": {
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": {"$ref": "#/$defs/message"},
                "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "location": {
            "oneOf": [
                {"type": "object", "required": ["physicalLocation"], "additionalProperties": False,
                 "properties": {"physicalLocation": {
                     "required": ["artifactLocation"],
                     "properties": {
                         "artifactLocation": {"required": ["uri"]},
                         "region": {"properties": {"startLine": {"minimum": 1}, "startColumn": {"minimum": 1}}}}}}},
                {"type": "object", "required": ["logicalLocations"], "additionalProperties": False,
                 "properties": {"logicalLocations": {
                     "items": {"required": ["fullyQualifiedName"],
                               "properties": {"kind": {"enum": ["module", "type", "member"]}}}}}},
            ]
        },
    },
}  # fmt: skip
"""What SARIF 2.1.0 asks of a log that holds rules and results."""


def test_the_sarif_report_has_the_standard_s_structure(report: AuditReport) -> None:
    sarif = as_sarif(report)
    jsonschema.validate(sarif, SARIF)
    [run] = sarif["runs"]
    named = run["tool"]["driver"]["rules"]
    assert all(named[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert len(run["results"]) == len(report.findings)


def test_sarif_points_at_the_policy_s_line_and_at_columns(report: AuditReport) -> None:
    results = as_sarif(report)["runs"][0]["results"]
    by_rule = {result["ruleId"]: result["locations"][0] for result in results}
    policy = by_rule["policy.overdue"]["physicalLocation"]
    assert (policy["artifactLocation"]["uri"], policy["region"]["startLine"]) == ("policy.md", 6)
    [card] = by_rule["personal-data.card-number"]["logicalLocations"]
    assert (card["fullyQualifiedName"], card["kind"]) == ("shop.payment.reference", "member")


def test_the_same_finding_keeps_its_fingerprint(report: AuditReport) -> None:
    def marks() -> list[str]:
        return [it["partialFingerprints"]["trothAudit/v1"] for it in as_sarif(report)["runs"][0]["results"]]

    assert marks() == marks()
    assert len(set(marks())) == len(marks())


def test_the_data_say_all_that_the_page_says(report: AuditReport) -> None:
    data = json.loads(json.dumps(as_data(report)))
    assert len(data["findings"]) == len(report.findings)
    [login] = [table for table in data["systems"][0]["tables"] if table["name"] == "login"]
    assert [key["declared"] for key in login["foreign_keys"]] == [False]
    assert data["next"][1]["code"].startswith("troth init --store 'shop=${SHOP_DATABASE_URL}'")


def test_columns_that_single_people_out_are_told_by_page_and_data(report: AuditReport) -> None:
    tables = {table["name"]: table for table in as_data(report)["systems"][0]["tables"]}
    member = tables["member"]["quasi_identifier"]
    assert (member["columns"], member["rows"]) == (["birth_date", "postal_code"], 0)
    assert (tables["book"]["quasi_identifier"], tables["login"]["quasi_identifier"]) == (None, None)
    assert "Columns that single people out together" in as_html(report)


class _Page(HTMLParser):
    """Every tag with its attributes; and whether what is opened is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(report: AuditReport) -> None:
    page = _Page(as_html(report))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in {"href", "src"}]
    assert all(str(address).startswith("#") for address in addresses)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_the_page_s_links_lead_to_its_sections(report: AuditReport) -> None:
    tags = _Page(as_html(report)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(attributes["href"])[1:] for tag, attributes in tags if tag == "a"} <= set(ids)


@pytest.fixture
def hostile(sqlite_url: str) -> Iterator[AuditReport]:
    """An audit of a table whose names try everything."""
    engine = sa.create_engine(sqlite_url)
    name = "<script>alert(1)</script>\x1b]0;x\x07 [red]'%s"
    with engine.begin() as connection:
        quoted = name.replace("%", "%%")
        connection.exec_driver_sql(
            f'CREATE TABLE "{quoted}" (id integer PRIMARY KEY, "e-mail""><img src=x>" text, email text)'
        )
    engine.dispose()
    store = open_store("shop", sqlite_url, read_only=True)
    yield audit({"shop": store}, world.policy("<b>We</b> collect names"), now=world.NOW)
    store.close()


def test_hostile_names_do_nothing_in_the_page(hostile: AuditReport) -> None:
    html = as_html(hostile)
    assert "alert(1)" in html
    assert not {"script", "img"} & {tag for tag, _ in _Page(html).tags}
    assert "\x1b" not in html


def test_the_files_are_for_their_owner_alone(report: AuditReport, tmp_path: Path) -> None:
    files = write_report(report, tmp_path / "audit")
    assert [file.name for file in files] == ["report.html", "report.json", "report.sarif"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o700


def test_an_older_report_is_replaced_and_nothing_else_is_touched(report: AuditReport, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    (tmp_path / "report.html").symlink_to(elsewhere)
    write_report(report, tmp_path)
    assert (other.read_text(), elsewhere.read_text()) == ("mine", "theirs")
    assert not (tmp_path / "report.html").is_symlink()
    assert sorted(it.name for it in tmp_path.iterdir() if it.suffix not in {".db"}) == [
        "elsewhere", "notes.txt", "report.html", "report.json", "report.sarif",
    ]  # fmt: skip


def test_a_folder_that_is_a_file_is_refused(report: AuditReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportUnwritten, match="cannot be written"):
        write_report(report, tmp_path / "file")


def test_every_rule_says_what_it_cannot_see() -> None:
    assert all(rule.cannot_see.endswith(".") and not rule.title.endswith(".") for rule in rules().values())


def test_the_reference_lists_every_rule_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/audit.md").read_text("utf-8")
    rows: list[Any] = [f"| `{it.id}` | {it.severity} | {it.title} | {it.cite} |" for it in rules().values()]
    assert [row for row in rows if row not in page] == []

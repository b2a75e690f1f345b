"""``troth detect``: places and types, never values; what could not be scanned is said, and ends with 2."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tests.cli.conftest import Ask

from troth.cli import main
from troth.cli.detect import FileProgress

ANN, CARD = "ann@example.org", "4111 1111 1111 1111"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a note, a table, nothing, and a picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text(f"Dear Ben,\nwrite to {ANN}\nmy card is {CARD}\n")
    (tmp_path / "people.csv").write_text(f"id,mail,card\n1,{ANN},{CARD}\n2,,\n")
    (tmp_path / "clean.txt").write_text("nothing to see\n")
    (tmp_path / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + ANN.encode())
    return tmp_path


def test_each_place_has_a_line_and_each_type_a_total(ask: Ask) -> None:
    answer = ask("detect", "note.txt", "people.csv", "--no-names")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines() == [
        "note.txt:2:10: EMAIL_ADDRESS (0.99)",
        "note.txt:3:12: CREDIT_CARD (0.99)",
        "people.csv:2: EMAIL_ADDRESS (0.99) in mail:1",
        "people.csv:2: CREDIT_CARD (0.99) in card:1",
        "",
        "EMAIL_ADDRESS         2  E-mail address",
        "CREDIT_CARD           2  Payment card number",
        "4 findings of 2 types in 2 files.",
    ]


@pytest.mark.parametrize("options", [(), ("--json",), ("--json-lines",), ("--explain",), ("--summary",)])
@pytest.mark.parametrize("file", ["note.txt", "people.csv", "face.png"])
def test_no_value_is_ever_printed(ask: Ask, file: str, options: tuple[str, ...]) -> None:
    answer = ask("detect", file, *options)
    for value in (ANN, CARD, "Ben", "ann@", "4111"):
        assert value not in answer.out + answer.err


def test_nothing_found_is_fine(ask: Ask) -> None:
    assert ask("detect", "clean.txt", "--no-names").out == "Nothing found in 1 file.\n"
    assert ask("detect", "clean.txt", "--no-names").code == 0


def test_what_could_not_be_scanned_is_said_and_is_two(ask: Ask) -> None:
    answer = ask("detect", "clean.txt", "face.png", "--no-names")
    assert answer.code == 2
    assert answer.err == "face.png:1: NOT SCANNED: it is not text, but a picture\n"
    assert answer.out == "Nothing found in 2 files; NOT SCANNED completely: 1 file.\n"


def test_one_document_of_json_has_everything(ask: Ask) -> None:
    answer = ask("detect", "note.txt", "clean.txt", "face.png", "--no-names", "--json")
    assert (answer.code, answer.err) == (2, "")
    note, clean, face = json.loads(answer.out)["files"]
    assert note["findings"][0] == {
        "line": 2,
        "column": 10,
        "start": 19,
        "end": 34,
        "type": "EMAIL_ADDRESS",
        "score": 0.99,
        "recogniser": "world/email",
        "checked": None,
        "told": True,
    }
    assert clean == {"file": "clean.txt", "findings": [], "remarks": [], "types": {}, "unscanned": False}
    assert face["remarks"] == [{"line": 1, "remark": "it is not text, but a picture", "unscanned": True}]
    assert json.loads(answer.out)["types"] == {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}


def test_json_lines_are_objects_of_their_own(ask: Ask) -> None:
    answer = ask("detect", "people.csv", "face.png", "--no-names", "--json-lines")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [(it.get("file"), it.get("type"), it.get("field")) for it in lines] == [
        ("people.csv", "EMAIL_ADDRESS", "mail"),
        ("people.csv", "CREDIT_CARD", "card"),
        ("people.csv", None, None),
        ("face.png", None, None),
        ("face.png", None, None),
        (None, None, None),
    ]
    assert lines[-1] == {"types": {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}, "found": 2, "unscanned_files": 1}


@pytest.mark.parametrize(
    ("options", "types"),
    [
        (("--types", "EMAIL_ADDRESS"), {"EMAIL_ADDRESS"}),
        (("--types", "pci"), {"CREDIT_CARD"}),
        (("--types", "contact, credit_card"), {"EMAIL_ADDRESS", "CREDIT_CARD"}),
        (("--min-score", "1"), set()),
    ],
)
def test_types_groups_and_scores_choose(ask: Ask, options: tuple[str, ...], types: set[str]) -> None:
    answer = ask("detect", "note.txt", "--json", "--no-names", *options)
    assert json.loads(answer.out)["types"].keys() == types


@pytest.mark.parametrize("types", ["contact", "name,contact", "EMAIL_ADDRESS,gov_id"])
def test_of_a_group_whatever_can_be_found_is(ask: Ask, types: str) -> None:
    answer = ask("detect", "note.txt", "--types", types, "--no-names", "--country", "GB", "--json")
    assert json.loads(answer.out)["types"] == {"EMAIL_ADDRESS": 1}


def test_countries_choose_whose_numbers_are_looked_for(ask: Ask, files: Path) -> None:
    (files / "ni.txt").write_text("my National Insurance number is AB 12 34 56 C")
    assert "UK_NINO" in ask("detect", "ni.txt", "--no-names", "--country", "gb").out
    assert "UK_NINO" not in ask("detect", "ni.txt", "--no-names", "--country", "FI").out


def test_names_are_looked_for_unless_told_otherwise(ask: Ask) -> None:
    types = json.loads(ask("detect", "note.txt", "--json").out)["types"]
    assert types["PERSON"] == 1
    assert "PERSON" not in json.loads(ask("detect", "note.txt", "--json", "--no-names").out)["types"]


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        ("text", f"to {ANN}", "-:1:4: EMAIL_ADDRESS (0.99)"),
        ("csv", f"id;mail\n1;{ANN}", "-:2: EMAIL_ADDRESS (0.99) in mail:1"),
        ("jsonl", json.dumps({"a": {"b": [ANN]}}), "-:1: EMAIL_ADDRESS (0.99) in a.b[0]:1"),
        ("json", json.dumps([{"a": ANN}]), "-:1: EMAIL_ADDRESS (0.99) in a:1 of element 1"),
        ("json", json.dumps([None, ANN], indent=1), "-:3: EMAIL_ADDRESS (0.99) in element 2:1"),
        ("html", f"<p>\n<b>ann</b>{ANN[3:]}", "-:2:4: EMAIL_ADDRESS (0.99)"),
    ],
)
def test_a_pipe_is_read_as_it_is_told(kind: str, text: str, place: str) -> None:
    done = CliRunner().invoke(main, ["detect", "-", "--as", kind, "--no-names"], input=text, catch_exceptions=False)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, place)


def test_parquet_is_told_by_row_and_column(ask: Ask, files: Path) -> None:
    pq.write_table(pa.table({"mail": ["none", ANN]}), files / "people.parquet")
    answer = ask("detect", "people.parquet", "--no-names")
    assert answer.out.splitlines()[0] == "people.parquet:2: EMAIL_ADDRESS (0.99) in mail:1"


def test_a_summary_has_no_places(ask: Ask) -> None:
    answer = ask("detect", "note.txt", "--no-names", "--summary", "--types", "contact")
    assert answer.out == "EMAIL_ADDRESS         1  E-mail address\n1 finding of 1 type in 1 file.\n"


def test_a_summary_in_json_has_no_places_either(ask: Ask) -> None:
    told = json.loads(ask("detect", "note.txt", "face.png", "--no-names", "--summary", "--json").out)
    assert [set(file) for file in told["files"]] == [{"file", "remarks", "types", "unscanned"}] * 2
    lines = ask("detect", "note.txt", "--no-names", "--summary", "--json-lines").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"file": "note.txt", "types": {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}, "unscanned": False},
        {"types": {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}, "found": 2, "unscanned_files": 0},
    ]


@pytest.mark.parametrize("name", ["call.txt", "call.csv", "call.json"])
def test_the_encoding_of_a_file_can_be_named(ask: Ask, files: Path, name: str) -> None:
    text = f"Добрый день, {ANN}" if name.endswith("txt") else json.dumps(["Добрый день", ANN], ensure_ascii=False)
    (files / name).write_text(text, "koi8-r")
    answer = ask("detect", name, "--no-names")
    assert (answer.code, "--encoding" in answer.err) == (2, True)
    assert ask("detect", name, "--no-names", "--encoding", "koi8-r").code == 1


def test_programs_are_told_the_line_and_the_element(ask: Ask, files: Path) -> None:
    (files / "people.json").write_text(json.dumps([{"id": 1}, {"mail": ANN}], indent=1))
    (found,) = json.loads(ask("detect", "people.json", "--no-names", "--json").out)["files"][0]["findings"]
    assert (found["line"], found["element"], found["field"]) == (5, 2, "mail")


def test_columns_that_single_people_out_are_told(ask: Ask, files: Path) -> None:
    rows = "".join(f"19{n},CB7 {n % 9}AB,f\n" for n in range(50, 80))
    (files / "patients.csv").write_text(f"birth_year,postcode,sex\n{rows}")
    answer = ask("detect", "patients.csv", "--no-names", "--summary")
    line = "patients.csv: birth_year and postcode together may identify one person"
    assert f"{line} (30 of the first 30 rows are unique)" in answer.out.splitlines()
    (told,) = json.loads(ask("detect", "patients.csv", "--no-names", "--json").out)["files"]
    assert told["quasi_identifier"]["columns"] == ["birth_year", "postcode"]
    assert told["quasi_identifier"]["alone"] == 30
    assert "together" not in ask("detect", "patients.csv", "--types", "UK_POSTCODE").out


def test_columns_that_hold_nothing_by_themselves_are_something_together(ask: Ask, files: Path) -> None:
    (files / "people.jsonl").write_text('{"employer": "Example Voice", "person": {"occupation": "cook"}}\n')
    answer = ask("detect", "people.jsonl", "--no-names")
    told = "people.jsonl: employer and person.occupation together may identify one person"
    assert (answer.code, answer.out.splitlines()[1:]) == (1, [told, "Nothing else found in 1 file."])


@pytest.mark.parametrize("option", ["--json", "--json-lines"])
def test_half_a_character_in_a_name_breaks_no_json(ask: Ask, files: Path, option: str) -> None:
    (files / "half.jsonl").write_text(f'{{"m\\ud800": "{ANN}"}}\n')
    answer = ask("detect", "half.jsonl", "--no-names", option)
    assert answer.code == 1
    told = json.loads(answer.out if option == "--json" else answer.out.splitlines()[0])
    (found,) = told["files"][0]["findings"] if option == "--json" else [told]
    assert found["field"] == "m\ud800"


def test_mail_is_told_by_part_and_line_and_no_value_is_printed(ask: Ask, files: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = f"für {ANN}"
    mail.set_content(f"Grüße\nan {ANN}", cte="base64")
    mail.add_attachment(f"mail\n{ANN}\n", subtype="csv", cte="base64")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="face.png")
    mail.set_boundary("===============4111111111111111==")  # random digits that could be a card number
    (files / "letter.eml").write_bytes(mail.as_bytes())
    answer = ask("detect", "letter.eml", "--no-names")
    assert (answer.code, answer.err) == (2, "letter.eml:25: NOT SCANNED: part 3: it is not text, but a picture\n")
    assert answer.out.splitlines()[:3] == [
        "letter.eml:1: EMAIL_ADDRESS (0.99) in part HEADER:14",
        "letter.eml:9: EMAIL_ADDRESS (0.99) in part 1, line 2:4",
        "letter.eml:17: EMAIL_ADDRESS (0.99) in mail:1 of part 2, line 2",
    ]
    (told,) = json.loads(ask("detect", "letter.eml", "--no-names", "--json").out)["files"]
    assert [(it["part"], it.get("part_line")) for it in told["findings"]] == [("HEADER", None), ("1", 2), ("2", 2)]
    assert told["remarks"][0]["part"] == "3"
    assert ANN not in json.dumps(told) + answer.out + answer.err


def test_mail_that_is_read_as_text_says_how_it_is_read_better(ask: Ask, files: Path) -> None:
    (files / "letter.txt").write_text("Content-Transfer-Encoding: base64\n\nYW5uQGV4YW1wbGUub3Jn\n")
    assert "scan it --as mail" in ask("detect", "letter.txt", "--no-names").err
    assert ask("detect", "letter.txt", "--no-names", "--as", "mail").code == 1


def test_a_file_that_is_no_table_is_read_as_text_with_a_word(ask: Ask, files: Path) -> None:
    (files / "bad.json").write_text('{"mail": ' + ANN)
    answer = ask("detect", "bad.json", "--no-names")
    assert answer.code == 1
    assert answer.err == "bad.json:1: read as text from here on: it is not JSON, or too long\n"


def test_names_of_files_and_fields_give_a_terminal_no_orders(ask: Ask, files: Path) -> None:
    (files / "a\x1b[2J.jsonl").write_text(json.dumps({"m\x1b[2J\nx": ANN}))
    answer = ask("detect", "a\x1b[2J.jsonl", "--no-names")
    assert "\x1b" not in answer.out
    assert answer.out.splitlines()[0] == "a\ufffd[2J.jsonl:1: EMAIL_ADDRESS (0.99) in m\ufffd[2J x:1"


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("none.txt",),
        (".",),
        ("note.txt", "--types", "EMAIL"),
        ("note.txt", "--types", ","),
        ("note.txt", "--types", "PERSON", "--no-names"),
        ("note.txt", "--types", "PERSON,EMAIL_ADDRESS", "--no-names"),
        ("note.txt", "--types", "DE_TAX_ID,EMAIL_ADDRESS", "--country", "GB"),
        ("note.txt", "--types", "DE_TAX_ID", "--country", "GB"),
        ("note.txt", "--min-score", "2"),
        ("note.txt", "--min-score", "nan"),
        ("note.txt", "--country", "England"),
        ("note.txt", "--country", "ZZ"),
        ("note.txt", "--as", "xml"),
        ("note.txt", "--encoding", "morse"),
        ("note.txt", "--encoding", "base64"),
        ("note.txt", "--json", "--json-lines"),
    ],
    ids=" ".join,
)
def test_what_is_asked_wrongly_ends_with_two(ask: Ask, wrong: tuple[str, ...]) -> None:
    answer = ask("detect", *wrong)
    assert (answer.code, answer.out) == (2, "")
    assert "Error: " in answer.err


@pytest.mark.parametrize(
    ("option", "said", "meant"),
    [
        ("--types", "EMAIL_ADRESS", "EMAIL_ADDRESS"),
        ("--types", "email", "EMAIL_ADDRESS"),
        ("--types", "contacts", "contact"),
        ("--country", "UK", "GB"),
    ],
)
def test_what_is_nearly_right_is_shown(ask: Ask, option: str, said: str, meant: str) -> None:
    assert f"did you mean {meant}?" in ask("detect", "note.txt", option, said).err


def test_long_work_is_told_on_the_terminal_and_ends_its_line(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    told: list[str] = []
    monkeypatch.setattr("troth.cli.detect._STEP_S", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    monkeypatch.setattr("click.echo", lambda text, **_: told.append(text))
    with (files / "note.txt").open("rb") as file:
        followed = FileProgress("no\x1bte.txt", file)
        while followed.read(20):
            pass
    assert told[0] == "\rno\ufffdte.txt: 0 MB"
    assert [text for text in told if text.endswith("\n")] == [told[-1]]


def test_options_that_are_repeated_add_up(ask: Ask, files: Path) -> None:
    (files / "both.txt").write_text("ann@example.org paid with 4111 1111 1111 1111\n")
    told = json.loads(ask("detect", "both.txt", "--types", "contact", "--types", "pci", "--json").out)
    assert told["types"] == {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}
    asked = ("detect", "both.txt", "--types", "UK_NINO,DE_TAX_ID", "--country")
    assert [ask(*asked, "GB,DE").code, ask(*asked, "GB", "--country", "DE").code] == [0, 0]


def test_what_takes_too_long_was_not_scanned(ask: Ask, files: Path) -> None:
    answer = ask("detect", "note.txt", "--seconds-max", "1e-9")
    assert answer.code == 2
    assert "within the time limit" in answer.err
    assert "ann@" not in answer.err


def test_a_folder_is_refused_with_a_way_to_look_into_it(ask: Ask, files: Path) -> None:
    answer = ask("detect", ".")
    assert (answer.code, answer.out) == (2, "")
    assert "find FOLDER -type f -exec troth detect {} +" in answer.err


def test_columns_are_told_that_hold_personal_data_by_their_names(ask: Ask, files: Path) -> None:
    (files / "staff.csv").write_text("religion,diagnosis,email,notes,price\nnone,flu,ann@example.org,hello,3\n")
    answer = ask("detect", "staff.csv", "--no-names")
    assert answer.code == 1
    assert (
        "staff.csv: personal data according to the column name, whatever its values: religion "
        "(user.demographic.religious_belief), diagnosis (user.health_and_medical)\n"
    ) in answer.out
    [file] = json.loads(ask("detect", "staff.csv", "--no-names", "--json").out)["files"]
    assert [it["field"] for it in file["named"]] == ["religion", "diagnosis"]
    assert "by the name" not in ask("detect", "staff.csv", "--types", "EMAIL_ADDRESS").out


def test_a_table_without_such_names_is_clean(ask: Ask, files: Path) -> None:
    (files / "shelf.csv").write_text("sku,price,notes\nA,3,hello\n")
    answer = ask("detect", "shelf.csv", "--no-names", "--json")
    assert answer.code == 0
    assert "named" not in json.loads(answer.out)["files"][0]

"""The YAML that a declaration may use: its mistakes of form, and the limits that hostile text runs into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from troth.declaration import Declaration, DeclarationErrors, Problem, parse
from troth.declaration.yaml_reader import BYTES_MAX, read

Mistakes = Callable[[str], Sequence[Problem]]
Declared = Callable[[str], Declaration]

FORM_MISTAKES = [
    (
        "limits: {rows: 1}\nlimits: {rows: 2}",
        "5:1: 'limits' is given twice here; the first is at 4:1; keep one",
    ),
    (
        "systems:\n  a: {store: task}\n  'a': {store: task}",
        "6:3: systems: 'a' is given twice here; the first is at 5:3; keep one",
    ),
    ("systems: !!map {}", "4:10: systems: a tag ('!…'); tags are not supported; write the value without one"),
    ("<<: {limits: {}}", "4:1: a merge key ('<<'); write the keys in full, or move them to an include"),
    ("? [a]\n: b", "4:3: a key is not plain text; write the key as text"),
    (
        "systems:\n\tshop: {}",
        "5:1: while scanning for the next token, found character that cannot start any token (a tab); "
        "indent with spaces; YAML does not allow tabs",
    ),
    (
        "systems: shop: {}",
        "4:14: mapping values are not allowed in this context; put quotes around text that holds ': '",
    ),
    ("limits: 'x", "4:11: while scanning a quoted scalar, found unexpected end of stream; close the quote"),
    (
        "limits: {rows: 1\n",
        "5:1: while parsing a flow mapping, did not find expected ',' or '}'; "
        "close the bracket, or put quotes around the text",
    ),
    ("limits: *rows", "4:9: found undefined alias; '*' starts an alias; put quotes around the text"),
    ("a: &x 1\nb: &x 2", "5:4: found duplicate anchor; give one of them another name"),
    ("&a limits: {}\n*a : {}", "5:1: a key is not plain text; write the key as text"),
    (
        "---\nlimits: {}",
        "4:1: expected a single document in the stream, but found another document; "
        "keep one document in a file: remove the '---' line",
    ),
    ("limits: @x", "4:9: while scanning for the next token, found character that cannot start any token; "
     "put quotes around the text"),
    ("é: [\x07]", "4:5: control characters are not allowed; remove the control character"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), FORM_MISTAKES)
def test_a_mistake_of_form_is_told_with_its_place_and_its_fix(mistakes: Mistakes, text: str, said: str) -> None:
    assert [f"troth.yaml:{said}"] == [str(problem) for problem in mistakes(text)]


def test_bytes_that_are_not_utf_8_are_told_by_line_and_column() -> None:
    with pytest.raises(DeclarationErrors, match=r"troth\.yaml:2:5: not UTF-8 text; save the file as UTF-8"):
        parse("troth: 1\né: ".encode() + b"x\xff")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(b"\xef\xbb\xbfa: 1", file=Path("t")).values == {"a": 1}


def test_a_syntax_error_does_not_quote_the_text(mistakes: Mistakes) -> None:
    assert "hunter2" not in str(mistakes("systems: {s: {store: 'postgresql://t:hunter2@db")[0])


@pytest.mark.parametrize(
    "text",
    ["[" * 33, "[" * 200_000, "{a: " * 40, "- " * 40, "? " * 40, "a: &a {b: *a}",
     "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 12 + "*a" + "]" * 12],
)  # fmt: skip
def test_depth_has_a_limit(text: str) -> None:
    with pytest.raises(DeclarationErrors, match=r"nested more than 32 deep|exceeded maximum nesting depth"):
        read_whole(text)


def test_as_deep_as_the_limit_is_read() -> None:
    read_whole("[" * 32 + "x" + "]" * 32)


def test_aliases_are_followed_but_counted() -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(DeclarationErrors, match="more than 500,000 values, counting aliases; write fewer aliases"):
        read_whole("\n".join(laughs))


def test_an_alias_repeats_what_it_names(declared: Declared) -> None:
    declaration = declared("contracts: {a: &a {retain: 1 day, at_end: delete}, b: *a}")
    assert declaration.contracts["a"] == declaration.contracts["b"]


def test_a_mistake_in_what_an_alias_repeats_is_told_where_it_stands(mistakes: Mistakes) -> None:
    found = mistakes("contracts:\n  a: &a\n    retain: 1 day\n    at_end: burn\n  b: *a")
    assert [str(problem.where) for problem in found] == ["troth.yaml:7:13", "troth.yaml:7:13"]
    assert [problem.path for problem in found] == ["contracts.a.at_end", "contracts.b.at_end"]


def test_what_is_wrong_before_the_text_breaks_off_is_told_too(mistakes: Mistakes) -> None:
    found = mistakes("limits: {}\nlimits: {rows: !!int 1}\ncookies: [")
    assert [problem.code for problem in found] == ["yaml-duplicate-key", "yaml-tag", "yaml-syntax"]


def test_size_has_a_limit() -> None:
    with pytest.raises(DeclarationErrors, match="more than 8 MiB; split it into files"):
        parse(b"#" * (BYTES_MAX + 1))


def test_a_thousand_mistakes_are_enough() -> None:
    with pytest.raises(DeclarationErrors) as caught:
        read("a: 1\n" * 5_000, file=Path("t"))
    assert len(caught.value.problems) == 1_000


def test_the_parser_in_python_reads_like_the_one_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.declaration.yaml_reader._LOADER", yaml.SafeLoader)

    document = read("a: NO\nb: 010\nc: true\nd: &d 7\ne: '7'\nf: [*d]", file=Path("t"))
    assert document.values == {"a": "NO", "b": "010", "c": True, "d": 7, "e": "7", "f": [7]}
    assert [str(at) for at in document.places["f", "0"]] == ["t:6:5", "t:6:5"]
    with pytest.raises(DeclarationErrors, match="nested more than 32 deep"):
        read_whole("[" * 100)


def read_whole(text: str) -> None:
    """Read *text* and refuse it for any mistake of form, as loading does."""
    document = read(text, file=Path("t.yaml"))
    if document.problems:
        raise DeclarationErrors(document.problems)

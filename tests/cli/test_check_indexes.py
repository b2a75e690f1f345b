"""``troth check`` notes what blind indexes tell, refuses those that tell too much, and looks at the rows there are."""

from __future__ import annotations

from tests.cli.conftest import Ask
from tests.cli.firm import Firm


def _index(bare: Firm, population: int) -> None:
    """The company seals the names of its customers and finds them by buckets."""
    bare.change("shop", "ALTER TABLE customer ADD COLUMN name_bucket bigint")
    bare.change("shop", "ANALYZE")
    text = bare.declaration.read_text()
    assert "name: user.name" in text
    sealed = f"name: {{category: user.name, sealed: true, search: {{column: name_bucket, population: {population}}}}}"
    bare.declaration.write_text(text.replace("name: user.name", f"{sealed}, name_bucket: user.name", 1))


def test_an_index_is_a_note_and_does_not_fail(ask: Ask, bare: Firm) -> None:
    _index(bare, 5_000)
    answer = ask("check", "-d", str(bare.declaration), "--no-stores", **bare.environment)
    assert answer.code == 0, answer.out
    assert "note: " in answer.out
    assert "5,000 distinct values in 2,048 buckets" in answer.out
    assert answer.out.endswith("0 errors, 0 warnings\n")


def test_an_index_over_few_values_is_refused(ask: Ask, bare: Firm) -> None:
    _index(bare, 500)
    answer = ask("check", "-d", str(bare.declaration), "--no-stores", "--json", **bare.environment)
    assert answer.code == 1
    assert [it["severity"] for it in answer.document if it["code"] == "search-population"] == ["error"]


def test_a_store_with_fewer_rows_is_told(ask: Ask, bare: Firm) -> None:
    _index(bare, 5_000)
    answer = ask("check", "-d", str(bare.declaration), "--json", **bare.environment)
    assert answer.code == 0, answer.out
    assert [it["severity"] for it in answer.document if it["code"] == "search-rows"] == ["warning"]

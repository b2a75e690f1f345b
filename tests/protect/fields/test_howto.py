"""The page on sealing a column does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from tests.protect.fields.conftest import NOW

from troth.declaration import check as by_itself
from troth.declaration import parse
from troth.protect import Keyring
from troth.protect.fields import check

PAGE = (Path(__file__).parents[3] / "docs/howto/seal-a-column.md").read_text("utf-8")
ANN = "ann@example.org"


def blocks(language: str, label: str = "") -> list[str]:
    heading = f"```{language} {label}".rstrip()
    return re.findall(rf"^{heading}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_example_for_sqlalchemy_seals_finds_and_rotates(keyring: Keyring, sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    names: dict[str, Any] = {"__name__": "howto", "engine": engine}
    (example,), (rotation,), (redefined,) = (blocks("python", it) for it in ("sqlalchemy", "rotate", ""))
    exec(compile(example, "howto", "exec", dont_inherit=True), names)
    names["Base"].metadata.create_all(engine)
    with orm.Session(engine) as session:
        names["join"](session, ANN)
        assert [row.email for row in names["find"](session, ANN.upper())] == [ANN]
        assert ANN.encode() not in bytes(session.execute(sa.text("SELECT email FROM customer")).scalar_one())
    assert keyring.chain is not None
    keyring.chain.rotate("field", now=NOW)
    exec(rotation, names)
    with orm.Session(engine) as session:
        assert [row.email for row in names["find"](session, ANN)] == [ANN]
    exec(redefined, names)
    engine.dispose()


def test_the_example_for_django_seals_and_finds(keyring: Keyring) -> None:
    (example,) = blocks("python", "django")
    program = f"""
import django
from django.conf import settings
settings.configure(DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}})
django.setup()
{example}
from django.db import connection
with connection.schema_editor() as editor:
    editor.create_model(Customer)
row = Customer.objects.create(email="{ANN}")
assert [row.email for row in find("{ANN.upper()}")] == ["{ANN}"]
move(row, "new@example.org")
assert find("{ANN}") == [] and find("new@example.org") == [row]
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_the_leak_shown_is_the_leak_told(capsys: pytest.CaptureFixture[str]) -> None:
    (code,), (told,) = blocks("python", "leaks"), blocks("text")
    exec(code, {})
    assert capsys.readouterr().out == told


def test_the_declaration_shown_is_sound() -> None:
    (fields,) = blocks("yaml")
    declaration = parse(
        "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
        "policy: {file: p.md, effective: 2026-11-01}\n"
        "purposes: {p: {basis: contract, use: essential.service, data: [user]}}\n"
        f"systems: {{shop: {{store: task, tables: {{customer: {{{_in_flow(fields)}}}}}}}}}\n"
    )
    assert by_itself(declaration) == []
    assert [problem.code for problem in check(declaration)] == ["search-leak"]


def _in_flow(fields: str) -> str:
    """The block's two keys, as they may stand in braces."""
    first, second = re.split(r"^(?=erase)", fields, flags=re.MULTILINE)
    inner = ", ".join(line.strip() for line in first.splitlines()[1:])
    return f"fields: {{{inner}}}, {second.strip()}"

"""Makes what is stored beside this file: the home of the example company, and its database on both engines.

    python -m tests.stored.make

Every later version of Troth has to migrate and verify it, so it is made once for each version that is released, and
never changed afterwards. Its keys are for tests only.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.pinned.produce import Story

HERE = Path(__file__).parent
_ROWS_AT_ONCE = 500


def main() -> None:
    """Write ``home``, ``troth.sqlite3.xz`` and ``troth.sql.xz`` beside this file."""
    with tempfile.TemporaryDirectory() as temporary:
        story = Story(Path(temporary).resolve())
        for part in ("begin", "", "amend", "erase", "restored", "staff"):
            story.play(part) if part else story.ask()
        story.company.run("keys", "rotate", "field")
        story.company.run("keep")
        kept = HERE / "home"
        shutil.rmtree(kept, ignore_errors=True)
        made = story.company.folder / "home"
        shutil.copytree(made, kept, ignore=shutil.ignore_patterns("*.sqlite3*"))
        for name in ("troth.yaml", "policy.md"):
            text = (story.company.folder / name).read_text("utf-8")
            (kept / name).write_text(text.replace(f":{story.company.port}", ":8000"), "utf-8")
        whole = Path(temporary) / "whole.sqlite3"
        with closing(sqlite3.connect(made / "troth.sqlite3")) as database:
            database.execute("VACUUM INTO ?", (str(whole),))
        (HERE / "troth.sqlite3.xz").write_bytes(lzma.compress(whole.read_bytes()))
        os.umask(0o022)  # the server of PostgreSQL is another user
        (HERE / "troth.sql.xz").write_bytes(lzma.compress(_dumped(f"sqlite:///{whole}").encode()))


def _dumped(url: str) -> str:
    """What is in the database of that URL, as ``pg_dump`` writes it from PostgreSQL."""
    from django.apps import apps
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import connections
    from tests.rig.databases import as_default

    from troth.testing.servers import running

    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    rows = dict[Any, list[Any]]()
    with as_default(url):
        for model in models:
            rows[model] = list(model._base_manager.values())
    with running("postgresql") as server, server.database("troth") as target:
        with as_default(target):
            call_command("migrate", verbosity=0)
            connection = connections["default"]
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")  # in any order, and without triggers
                for model, values in rows.items():
                    model._base_manager.all()._raw_delete("default")
                    model._base_manager.bulk_create([model(**row) for row in values], batch_size=_ROWS_AT_ONCE)
                for statement in connection.ops.sequence_reset_sql(no_style(), models):
                    cursor.execute(statement)
        command = ["pg_dump", "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100", target]
        dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Commands of psql, and a setting that older servers do not know.
    return re.sub(r"^(\\|SET transaction_timeout).*\n", "", dumped, flags=re.MULTILINE)


if __name__ == "__main__":
    main()

"""A company to measure on: its folder, its database, its keys, and Django on top."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from troth.testing.servers import running


def placing(options: argparse.ArgumentParser) -> None:
    """Let *options* say where the company lies."""
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    options.add_argument("--postgresql", action="store_true", help="instead of SQLite")


@contextlib.contextmanager
def brought_up(given: argparse.Namespace, lay: Callable[[Path], None]) -> Iterator[tuple[Path, str]]:
    """The company that *lay* writes into a folder, ready to be asked: the folder, and the kind of its database."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
        lay(folder)
        os.environ |= {"TROTH_HOME": f"{folder}/home", "TROTH_DECLARATION": f"{folder}/troth.yaml"}
        if given.postgresql:
            server = stack.enter_context(running("postgresql", durable=True))
            os.environ["TROTH_DATABASE_URL"] = stack.enter_context(server.database("troth"))
        from troth.protect import create_home
        from troth.service.server import migrate, set_up

        create_home(folder / "home")
        set_up()
        migrate()
        yield folder, "PostgreSQL" if given.postgresql else "SQLite"

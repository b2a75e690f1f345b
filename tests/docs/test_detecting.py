"""What the pages on detecting and replacing show is what happens."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.cli.firm import TROTH
from tests.docs import consoles
from tests.tables import each_row

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / f"docs/howto/{name}.md").read_text("utf-8")
    for name in ("find-personal-data", "replace-personal-data")
}
_EXAMPLE = re.compile(r"^```python (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [(f"{page}: {name}", code) for page, text in PAGES.items() for name, code in _EXAMPLE.findall(text)]


@each_row("code", [code for _, code in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_every_example_does_what_it_says(code: str) -> None:
    exec(compile(code, "<example>", "exec"), {})


def test_the_terminal_shows_what_is_printed(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Dear Ben,\nwrite to ann@example.org\nmy card is 4111 1111 1111 1111\n")
    (tmp_path / "people.csv").write_text("id,mail,nino\n1,ann@example.org,AB123456C\n")
    path = f"{Path(TROTH).parent}{os.pathsep}{os.environ['PATH']}"
    for command, shown in consoles.typed(PAGES["find-personal-data"]):
        printed = consoles.run(command, tmp_path, {**os.environ, "PATH": path})
        assert consoles.differences(shown, printed) == []

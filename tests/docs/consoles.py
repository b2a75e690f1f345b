"""Blocks of a page that show a terminal: what is typed after ``$``, and what is printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests import forks

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HASH = re.compile(r"\b(dg1|ps1):[0-9a-f]*…?")


def typed(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of the page in turn, and the lines that are shown below it."""
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield command, shown


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What a shell prints, errors and all. A plain ``troth`` command is a fork; see `tests.forks`."""
    words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
    if words[0] == "troth" and not set(words) & {"&&", "|", ">", ";", "(", "&"}:
        return _forked(shlex.split(command), folder, environment)
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


def _forked(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    with tempfile.TemporaryFile() as printed:
        forks.start(command, env=environment, cwd=folder, stdout=printed, stderr=printed).wait(timeout=600)
        printed.seek(0)
        return printed.read().decode()


def differences(shown: list[str], printed: str) -> list[str]:
    """The shown lines that were not printed, in this order; ``…`` stands for anything, on a line of its own for lines.

    Lines of printed text between two shown ones need a ``…`` of their own. Hashes are each reader's own, and one space
    is as good as many.
    """
    lines = [_plain(line) for line in printed.splitlines() if line.strip()]
    at, skipping, missing = 0, False, []
    for line in filter(str.strip, shown):
        if line.strip() == "…":
            skipping = True
            continue
        pattern = re.compile(".*".join(map(re.escape, _plain(line).split("…"))))
        within = range(at, len(lines) if skipping else min(at + 1, len(lines)))
        found = next((number for number in within if pattern.fullmatch(lines[number])), None)
        if found is None:
            missing.append(line)
        else:
            at, skipping = found + 1, False
    return missing if missing or skipping else [f"not shown: {line}" for line in lines[at:]]


def _plain(line: str) -> str:
    return " ".join(_HASH.sub(r"\1", line).split())

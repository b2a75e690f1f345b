"""How long it takes to read a policy in each format, from its bytes to named sentences.

    python -m benchmarks.policy

The policy is the example company's, of 2,300 words; then the same words again and again until they fill five megabytes.
The floor beside each, in the same run, is what the library that opens the format takes for no more than that; for plain
text, what it takes to name its lines. DOCX and PDF are read in a process of their own, and its start is in the figure.
Then how long it takes to lint it: cut and repeated to 3,000 words, beside reading the same words, and as a command.
Times are a processor's. Bounds: 0.4 s for the policy in each format, for ``troth policy read`` as a command and for
the start of ``troth policy lint``; 0.5 s to lint 3,000 words, with all that has to be loaded; 15 s for five megabytes,
where they are not refused. The exit code says whether they held.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from tests.policy.papers import as_docx, as_page, as_pdf, as_text, voice_company

from troth.policy import PolicyError, contacts, dates, definitions, read, read_bytes
from troth.text import same_words

ROUNDS = 5
BOUND_S, BOUND_LARGE_S = 0.4, 15.0
BOUND_LINT_S = 0.5
LARGE_BYTES = 5_000_000
LINT_WORDS = 3_000


def best(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least of several runs, in seconds of a processor, of this process and those that it starts."""
    times = []
    for _ in range(rounds):
        start = spent()
        act()
        times.append(spent() - start)
    return min(times)


def spent() -> float:
    """Seconds of a processor so far."""
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + others.ru_utime + others.ru_stime


def floors(data: dict[str, bytes]) -> dict[str, Callable[[], object]]:
    """What opens each format, and no more."""
    import mammoth
    import pypdfium2
    from markdown_it import MarkdownIt
    from selectolax.lexbor import LexborHTMLParser

    return {
        "policy.txt": lambda: [sha256(same_words(line).encode()) for line in data["policy.txt"].decode().splitlines()],
        "policy.md": lambda: MarkdownIt("commonmark").enable("table").parse(data["policy.md"].decode()),
        "policy.html": lambda: LexborHTMLParser(data["policy.html"].decode()).text(),
        "policy.docx": lambda: mammoth.extract_raw_text(io.BytesIO(data["policy.docx"])),
        "policy.pdf": lambda: [
            page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data["policy.pdf"])
        ],
    }


def main() -> int:
    markdown = voice_company()
    policy = read(markdown)
    data = {
        "policy.txt": as_text(policy).encode(),
        "policy.md": markdown.encode(),
        "policy.html": as_page(markdown).encode(),
        "policy.docx": as_docx(policy),
        "policy.pdf": as_pdf(policy),
    }
    held = True
    print(f"{len(policy.sentences)} sentences, best of {ROUNDS}")
    for name, floor in floors(data).items():
        opening, reading = best(floor), best(lambda name=name: read_bytes(data[name], name=name))  # type: ignore[misc]
        figures = f"floor {opening * 1000:7.1f} ms   read {reading * 1000:7.1f} ms   {reading / opening:6.1f} x floor"
        print(f"{name:<12}  {figures}")
        held &= reading <= BOUND_S
    facts = best(lambda: (definitions(policy), contacts(policy), dates(policy)))
    print(f"facts         {facts * 1000:.1f} ms")
    held &= command(data["policy.md"])
    held &= linting(markdown)
    for name in ("policy.txt", "policy.html", "policy.md"):
        held &= large(name, data[name])
    return 0 if held else 1


def command(markdown: bytes) -> bool:
    """Time the command with the start of its process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "policy.md")
        file.write_bytes(markdown)
        troth = str(Path(sys.executable).with_name("troth"))
        took = best(lambda: subprocess.run([troth, "policy", "read", str(file)], capture_output=True, check=True))
    print(f"troth policy read policy.md   {took:.2f} s  (bound {BOUND_S} s)")
    return took <= BOUND_S


LINT = """
import datetime as dt, pathlib, sys, time
from troth.policy import read
words = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
start = time.process_time()
policy = read(words)
took = time.process_time() - start
from troth.policy.lint import lint
for _ in range(2):
    start = time.process_time()
    found = lint(policy, as_of=dt.date(2026, 11, 24)).findings
    print(time.process_time() - start, took, len(found))
"""
"""Lints a file in a process of its own: the first time with all that has to be loaded, and once more."""


def linting(markdown: str) -> bool:
    """Time the linter on 3,000 words, and the start of its command."""
    words = (markdown + markdown).split(" ")
    text = " ".join(words[:LINT_WORDS])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "policy.md")
        file.write_text(text, encoding="utf-8")
        asked = [sys.executable, "-c", LINT, str(file)]
        runs = [subprocess.run(asked, capture_output=True, check=True, text=True).stdout.split() for _ in range(ROUNDS)]
        troth = str(Path(sys.executable).with_name("troth"))
        start = best(lambda: subprocess.run([troth, "policy", "lint", "--help"], capture_output=True, check=True))
    first, again, reading = (min(float(run[at]) for run in runs) for at in (0, 3, 1))
    figures = f"first {first:.2f} s   again {again:.2f} s   {again / reading:.1f} x reading"
    print(f"lint {len(text.split()):,} words   {figures}  (bound {BOUND_LINT_S} s)")
    print(f"troth policy lint --help   {start:.2f} s  (bound {BOUND_S} s)")
    return first <= BOUND_LINT_S and start <= BOUND_S


def large(name: str, data: bytes) -> bool:
    """Time five megabytes, read or refused."""
    start = spent()
    try:
        said = f"{len(read_bytes(data * (LARGE_BYTES // len(data)), name=name).sentences):,} sentences"
    except PolicyError as refused:
        said = f"refused: {refused}"
    took = spent() - start
    print(f"{name:<12}  5 MB  {took:5.1f} s  (bound {BOUND_LARGE_S:.0f} s)  {said}")
    return took <= BOUND_LARGE_S


if __name__ == "__main__":
    sys.exit(main())

"""How long it takes to read a policy in each format, from its bytes to named sentences.

    python -m benchmarks.policy

The policy is the example company's, of 2,300 words; then the same words again and again until they fill five megabytes.
The floor beside each, in the same run, is what the library that opens the format takes for no more than that; for plain
text, what it takes to name its lines. DOCX and PDF are read in a process of their own, and its start is in the figure.
Times are a processor's. Bounds: 0.4 s for the policy in each format and for ``troth policy read`` as a command; 15 s
for five megabytes, where they are not refused. The exit code says whether they held.
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
from troth.wording import same_words

ROUNDS = 5
BOUND_S, BOUND_LARGE_S = 0.4, 15.0
LARGE_BYTES = 5_000_000


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

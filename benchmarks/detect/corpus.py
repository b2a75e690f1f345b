"""Five megabytes of what companies have most of, made from a seed: calls, tickets and logs, mail and forums.

    python -m benchmarks.detect.corpus [--megabytes 5] [--seed 1] > corpus.jsonl

Two fifths are transcripts of calls, half of them in words only, a third tickets, the rest mail and forum posts. A
document has between 100 and 3,000 bytes, and about one line in three something personal. One JSON string a line.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from benchmarks.detect.frames import AGENT, ASKED, CALLER, FORUM, LOG, MAIL, TICKET
from benchmarks.detect.values import VALUES, said

LEAST, MOST = 100, 3_000
_SLOT: Final = re.compile(r"<(\w+)>")
_CHOICE: Final = re.compile(r"\[([^\]]*\|[^\]]*)\]")


def documents(megabytes: float, seed: int = 1) -> Iterator[str]:
    """Documents of so many megabytes in all; the same seed gives the same."""
    chance, left = random.Random(seed), megabytes * 1e6
    while left > 0:
        text = _document(chance)
        left -= len(text.encode())
        yield text


def _document(chance: random.Random) -> str:
    """Most are short: half of them have fewer than 450 bytes."""
    size = min(MOST, max(LEAST, int(chance.lognormvariate(6.1, 0.8))))
    # Kinds are drawn by document, and all have the same sizes, so that the shares hold in bytes too.
    (kind,) = chance.choices((_spoken_call, _written_call, _ticket, _mail, _posts), (20, 20, 33, 15, 12))
    text = ""
    for line in kind(chance):
        if text and len(text) + len(line) >= size:
            break
        text += line + "\n"
    return text if len(text) >= LEAST else text + _filled(chance, chance.choice(FORUM))


# --- kinds ----------------------------------------------------------------------------------------------------------


def _spoken_call(chance: random.Random) -> Iterator[str]:
    """As a lexical recogniser writes it: lower case, no punctuation, numbers in words."""
    for speaker, frame in _turns(chance):
        yield f"{speaker}: {_filled(chance, frame, said)}"


def _written_call(chance: random.Random) -> Iterator[str]:
    """As a recogniser writes it for people to read."""
    for speaker, frame in _turns(chance):
        line = _filled(chance, frame)
        mark = "?" if line.startswith(("can ", "could ", "what", "who ", "do ", "which ")) else "."
        yield f"{speaker.title()}: {line[0].upper()}{line[1:].replace(' i ', ' I ')}{mark}"


def _turns(chance: random.Random) -> Iterator[tuple[str, str]]:
    while True:
        if chance.random() < 0.25:
            yield from zip(("agent", "caller", "agent"), chance.choice(ASKED), strict=True)
        else:
            yield "agent", chance.choice(AGENT)
            yield "caller", chance.choice(CALLER)


def _ticket(chance: random.Random) -> Iterator[str]:
    frames = LOG if chance.random() < 0.3 else TICKET
    yield f"Ticket #{chance.randrange(10**4, 10**6)} | Priority: {chance.choice(('low', 'normal', 'high'))}"
    yield from _told(chance, frames)


def _mail(chance: random.Random) -> Iterator[str]:
    yield _filled(chance, "From: <person> <<email>>")
    yield _filled(chance, "Subject: [Re: ||Fwd: ][order <order>|the contract|your visit|minutes of the meeting]")
    yield from _told(chance, MAIL)


def _posts(chance: random.Random) -> Iterator[str]:
    yield from _told(chance, FORUM)


def _told(chance: random.Random, frames: Sequence[str]) -> Iterator[str]:
    """Every frame in some order, then in another: a document repeats itself only if it is long."""
    while True:
        for frame in chance.sample(frames, len(frames)):
            yield _filled(chance, frame)


def _filled(chance: random.Random, frame: str, written: Callable[[str], str] = str) -> str:
    chosen = _CHOICE.sub(lambda choice: chance.choice(choice[1].split("|")), frame)
    return _SLOT.sub(lambda slot: written(VALUES[slot[1]](chance)), chosen)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=float, default=5)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    for text in documents(given.megabytes, given.seed):
        sys.stdout.write(json.dumps(text, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

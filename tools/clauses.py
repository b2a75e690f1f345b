"""Write docs/reference/clauses.md from tools/clauses.toml: ``python tools/clauses.py`` (``make clauses``)."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import troth.service  # noqa: F401 - adds the controls of duties to the catalogue
from troth.controls import Control, catalogue
from troth.declaration import load

_ROOT = Path(__file__).parents[1]
REFERENCE = _ROOT / "docs" / "reference" / "clauses.md"
CLAUSES = Path(__file__).with_name("clauses.toml")
KINDS = {
    "sentence": "a sentence of the example's policy",
    "control": "a control",
    "mutation": "a control, and breaches that each of its controls notices",
    "journey": "a journey",
}
"""What a clause may have, in words."""
_EXAMPLE = _ROOT / "examples" / "voice-company" / "troth.yaml"
_PINNED = _ROOT / "tests" / "pinned" / "expected" / "commands" / "promises.json"
_CONTROLS = REFERENCE.with_name("controls.md")
_NONE = "none yet"
_HEAD = """\
# Clauses

What privacy policies promise, kind by kind: which sentences of the example company's
[policy](../../examples/voice-company/policy.md) state a clause, which controls see something of it, and which journeys
try it. `make clauses` writes this page from `tools/clauses.toml`, the example, and the reference of
controls.

- A *sentence* is the quote of a promise in [`troth.yaml`](../../examples/voice-company/troth.yaml); some open a list.
  Its [status](../explain/status.md) is that in the demo at a fixed time, which
  `tests/pinned/expected/commands/promises.json` holds. The demo plants faults, so some promises are broken. A status
  rests on the controls and the word that the promise names, which are not always the controls of the row.
- A *control* stands here because the catalogue says that it serves the clause. It may see a part only:
  [Controls](controls.md) says what a pass does not show. The number behind it counts the breaches there that it
  notices. A company's own controls name no clause, so those of the example are not here.
- A *journey* is a test that begins with a step of a person, a member of staff or an engineer, and ends with what comes
  of it. It may go through a part of the clause.
- A *gap* names what controls or journeys leave out, where that is most of the clause.
"""


@dataclass(frozen=True, slots=True)
class Clause:
    """A kind of promise: what states it, what tries it, and what it has at the least."""

    id: str
    title: str
    sentences: tuple[str, ...]
    journeys: tuple[str, ...]
    has: tuple[str, ...]
    gap: str = ""


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause by its number, in the order of the file."""
    rows = tomllib.loads(CLAUSES.read_text("utf-8"))
    return {
        id_: Clause(
            id_, row["title"], tuple(row["sentences"]), tuple(row["journeys"]), tuple(row["has"]), row.get("gap", "")
        )
        for id_, row in rows.items()
    }


@cache
def quotes() -> tuple[str, ...]:
    """The quotes of the example's promises."""
    return tuple(promise.quote for promise in load(_EXAMPLE).promises)


@cache
def statuses() -> Mapping[str, str]:
    """The status of each promise in the demo at a fixed time, by its quote."""
    [run] = json.loads(_PINNED.read_text("utf-8"))
    return {promise["quote"]: promise["status"] for promise in run["json"]}


@cache
def faults() -> Counter[str]:
    """How many of its breaches each control notices."""
    sections = re.split(r"^## `([^`]+)`$", _CONTROLS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return Counter({id_: text.count("| noticed |") for id_, text in zip(sections[::2], sections[1::2], strict=True)})


def controls_of(clause: Clause) -> tuple[Control, ...]:
    return tuple(control for control in catalogue().values() if clause.id in control.clauses)


def shown(clause: Clause) -> tuple[str, ...]:
    """Which of `KINDS` it has."""
    controls = controls_of(clause)
    has = {
        "sentence": bool(clause.sentences),
        "control": bool(controls),
        "mutation": bool(controls) and all(faults()[control.id] for control in controls),
        "journey": bool(clause.journeys),
    }
    return tuple(kind for kind in KINDS if has[kind])


def reference() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, *_counts(), *_table(), *_other_promises()])


def _counts() -> Iterator[str]:
    yield f"| a clause has | of {len(clauses())} | the others |\n|---|---|---|"
    has = {id_: shown(clause) for id_, clause in clauses().items()}
    for kind, words in KINDS.items():
        yield _count(words, [id_ for id_ in has if kind not in has[id_]])
    yield _count("all of these", [id_ for id_ in has if len(has[id_]) < len(KINDS)])
    yield _count("any of these", [id_ for id_ in has if not has[id_]])
    yield ""


def _count(words: str, without: list[str]) -> str:
    return f"| {words} | {len(clauses()) - len(without)} | {', '.join(without)} |"


def _table() -> Iterator[str]:
    yield "| clause | sentences, and their status in the demo | controls, and their breaches | journeys |"
    yield "|---|---|---|---|"
    for clause in clauses().values():
        sentences = [f"{statuses()[quote]}: “{quote.replace('|', '&#124;')}”" for quote in clause.sentences]
        cells = [
            [f"**{clause.id}** {clause.title}", *([f"Gap: {clause.gap}"] if clause.gap else [])],
            sentences or [_NONE],
            [_linked(control) for control in controls_of(clause)] or [_NONE],
            [_journey(journey) for journey in clause.journeys] or [_NONE],
        ]
        yield f"| {' | '.join('<br>'.join(cell) for cell in cells)} |"
    yield ""


def _linked(control: Control) -> str:
    faults_ = str(faults()[control.id] or "no breach yet")
    return f"[`{control.id}`](controls.md#{control.id.replace('.', '')}) ({faults_})"


def _journey(journey: str) -> str:
    path, _, name = journey.partition("::")
    return f"[`{name}`](../../{path})"


def _other_promises() -> Iterator[str]:
    stated = {quote for clause in clauses().values() for quote in clause.sentences}
    yield "## Promises that state no clause\n\nThe example promises this as well.\n"
    yield from (f"- {statuses()[quote]}: “{quote}”" for quote in quotes() if quote not in stated)
    yield ""


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")

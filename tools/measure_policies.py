"""How well a policy is understood, on policies that somebody else has labelled.

    python tools/measure_policies.py FOLDER [--misses]

FOLDER holds policies, each with ``NAME.labels.json``: the sentences that are promises, rights and so on, verbatim, and
the practices of each paragraph. Printed are recall, precision and F1 of each kind, and of the practices together.
A sentence counts as found when it and the label are the same words, or one holds the other; the row of a table is one
sentence.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from troth.policy import PolicyText, read_file
from troth.policy.classify import Clause, ClauseKind, Paragraph, Practice, Understood, understand
from troth.policy.phrases import plain

KINDS = {
    "promises": ClauseKind.PROMISE,
    "rights": ClauseKind.RIGHT,
    "retention": ClauseKind.RETENTION,
    "recipients": ClauseKind.RECIPIENT,
    "collection": ClauseKind.COLLECTION,
    "purposes": ClauseKind.PURPOSE,
    "security": ClauseKind.SECURITY,
    "contacts": ClauseKind.CONTACT,
    "law": ClauseKind.LAW,
}


_NUMBERED = re.compile(r"^(?:#+ |[-*] )?(?:\d{1,2}(?:\.\d{1,2})?[.)]?|\([a-z\d]\)) ")
"""The number of a paragraph, which often is none of its words."""


class Tally:
    """Found and right, found and wrong, missed."""

    def __init__(self) -> None:
        self.right = self.wrong = self.missed = 0

    def __str__(self) -> str:
        recall = self.right / (self.right + self.missed) if self.right + self.missed else 1.0
        precision = self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0
        f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
        return f"recall {recall:6.1%}   precision {precision:6.1%}   F1 {f1:.3f}   of {self.right + self.missed}"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--misses", nargs="*", metavar="KIND", help="show what was missed and found too much")
    options = asked.parse_args()
    tallies: dict[str, Tally] = defaultdict(Tally)
    for labels in sorted(options.folder.glob("*.labels.json")):
        file = next(
            it for it in options.folder.glob(f"{labels.name.removesuffix('.labels.json')}.*") if it.suffix != ".json"
        )
        understood = understand(read_file(file))
        measure(understood, json.loads(labels.read_text("utf-8")), tallies, options.misses, file.name)
    for name, tally in tallies.items():
        print(f"{name:24} {tally}")


def measure(
    understood: Understood, labels: dict[str, Any], tallies: dict[str, Tally], shown: list[str] | None, file: str
) -> None:
    """Add what was found in one policy to *tallies*."""
    rows = rows_of(understood.policy)
    for name, kind in KINDS.items():
        found = [clause for clause in understood.clauses if kind in clause.kinds]
        _sentences(name, found, labels.get(name, []), rows, tallies[name], file if _is_shown(name, shown) else "")
    _practices(understood, labels["paragraphs"], tallies, file if _is_shown("practices", shown) else "")


def _is_shown(name: str, shown: list[str] | None) -> bool:
    return shown is not None and (not shown or name in shown)


def rows_of(policy: PolicyText) -> dict[str, str]:
    """For each sentence of a table the words of its row."""
    words: dict[tuple[int, int], list[str]] = defaultdict(list)
    for block in policy.blocks:
        if block.cell is not None:
            words[block.cell.table, block.cell.row].append(plain(block.text))
    return {
        sentence.id: " ".join(words[block.cell.table, block.cell.row])
        for block in policy.blocks
        if block.cell is not None
        for sentence in block.sentences
    }


def _sentences(
    name: str, found: list[Clause], wanted: list[str], rows: dict[str, str], tally: Tally, shown: str
) -> None:
    said = {rows.get(it.sentence.id) or plain(it.sentence.text): it for it in found}
    labels = [plain(text) for text in wanted]
    for label, text in zip(labels, wanted, strict=True):
        if any(is_same(label, one) for one in said):
            tally.right += 1
        else:
            tally.missed += 1
            if shown:
                print(f"  - {name} {shown}: {text[:300]}")
    for one, clause in said.items():
        if not any(is_same(label, one) for label in labels):
            tally.wrong += 1
            if shown:
                print(f"  + {name} {shown}: {clause.sentence.text[:300]}\n        {clause.because[:2]}")


def is_same(label: str, found: str) -> bool:
    if not label or not found:
        return False
    if f" {label} " in f" {found} " or f" {found} " in f" {label} ":
        return True
    one, other = set(label.split()), set(found.split())
    return len(one & other) / len(one | other) > 0.75


def _practices(understood: Understood, labels: list[dict[str, Any]], tallies: dict[str, Tally], shown: str) -> None:
    for begins, practices, group in matched(understood.paragraphs, labels):
        found = {str(it) for paragraph in group for it in paragraph.practices}
        found -= {"other"} if len(found) > 1 else set()
        wanted = set(practices)
        for practice in map(str, Practice):
            for tally in (tallies["practices"], tallies[f"  {practice}"]):
                tally.right += practice in found and practice in wanted
                tally.wrong += practice in found and practice not in wanted
                tally.missed += practice not in found and practice in wanted
        if shown and found != wanted:
            print(f"  ~ {shown}: {begins}\n      wanted {sorted(wanted - found)}, too much {sorted(found - wanted)}")


def matched(
    paragraphs: Iterable[Paragraph], labels: list[dict[str, Any]]
) -> Iterator[tuple[str, list[str], list[Paragraph]]]:
    """Each labelled paragraph with those of ours that begin between it and the next."""
    starts = [tuple(map(_start, (it["begins"], _NUMBERED.sub("", it["begins"])))) for it in labels]
    at, groups = -1, [list[Paragraph]() for _ in labels]
    for paragraph in paragraphs:
        words = plain(" ".join(sentence.text for sentence in paragraph.sentences)[:3000])
        for next_at in range(at + 1, min(at + 6, len(labels))):
            if words.startswith(starts[next_at]):
                at = next_at
                break
        if at >= 0:
            groups[at].append(paragraph)
    for label, group in zip(labels, groups, strict=True):
        if group:
            yield label["begins"], label["practices"], group
        else:
            print(f"not found: {label['begins']}", file=sys.stderr)


def _start(text: str) -> str:
    return " ".join(plain(text).split()[:6])


if __name__ == "__main__":
    main()

"""What is proposed for each promise that somebody else has labelled, for a judge to mark.

    python -m tools.measure_binding FOLDER [NAME …] > proposed.json
    python -m tools.measure_binding --marked MARKED.json

FOLDER holds policies, each with ``NAME.labels.json``. Printed is, for each labelled promise, its quote and what `troth
policy bind` would propose without a declaration: controls with what green means and does not, and what somebody would
have to attest. A judge sets each ``mark`` to right, partly or wrong, and the second form counts the marks.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.measure_policies import is_same

import troth.service  # noqa: F401 - adds the controls of its duties
from troth.controls import catalogue
from troth.policy import read_file
from troth.policy.bind import Proposal, propose
from troth.policy.classify import understand
from troth.policy.phrases import plain


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, nargs="?")
    asked.add_argument("names", nargs="*", metavar="NAME", help="only these policies")
    asked.add_argument("--marked", type=Path, help="count the marks of a judge")
    options = asked.parse_args()
    if options.marked is not None:
        print(counted(json.loads(options.marked.read_text("utf-8"))))
    elif options.folder is None:
        asked.error("name a folder of policies, or --marked")
    else:
        print(json.dumps(list(proposed(options.folder, options.names)), indent=1, ensure_ascii=False))


def proposed(folder: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    """What is proposed for each labelled promise of each policy."""
    for labels in sorted(folder.glob("*.labels.json")):
        name = labels.name.removesuffix(".labels.json")
        if names and name not in names:
            continue
        file = next(it for it in folder.glob(f"{name}.*") if it.suffix != ".json")
        proposals = {plain(one.quote): one for one in propose(understand(read_file(file)))}
        for quote in json.loads(labels.read_text("utf-8"))["promises"]:
            said = plain(quote)
            found = proposals.get(said) or next((it for words, it in proposals.items() if is_same(said, words)), None)
            yield {"policy": name, "quote": quote, **_shown(found), "mark": ""}


def _shown(proposal: Proposal | None) -> dict[str, Any]:
    if proposal is None:
        return {"found": False, "controls": [], "attest": "", "own": ""}
    controls = [
        {"id": one.control, "asks": catalogue()[one.control].question, "green": one.shows, "not": one.cannot_see}
        for one in proposal.proofs
    ]
    return {"found": True, "controls": controls, "attest": proposal.attest, "own": proposal.own}


def counted(rows: list[dict[str, Any]]) -> str:
    """How many proposals were marked how, of all promises and of those that were found."""
    marks = Counter(row["mark"] for row in rows)
    found = sum(row["found"] for row in rows)
    right = marks["right"]
    shares = ", ".join(f"{count} {mark or 'not marked'}" for mark, count in marks.most_common())
    return (
        f"{len(rows)} promises: {shares}. Right: {right / len(rows):.1%} of all, {right / found:.1%} of {found} found."
    )


if __name__ == "__main__":
    main()

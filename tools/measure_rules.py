"""How well the linter finds what a careful reviewer finds.

    python tools/measure_rules.py FOLDER [--rules GDPR CA …] [--misses]

FOLDER holds policies, each with ``NAME.lint.json``: the regimes that plausibly apply, and the findings, of which the
reviewer is sure or not. A rule counts once a policy. Recall is of the findings that are sure; a finding of ours is
right where the reviewer lists it, surely or not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import Counter
from pathlib import Path

from troth.policy import read_file
from troth.policy.lint import lint

AS_OF = dt.date(2026, 11, 24)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rules", nargs="*", default=[""], metavar="BEGINNING", help="rules whose ids begin so")
    asked.add_argument("--misses", action="store_true", help="show what was missed, and what was found too much")
    options = asked.parse_args()
    total: Counter[str] = Counter()
    for review in sorted(options.folder.glob("*.lint.json")):
        total += measured(review, tuple(options.rules), is_shown=options.misses)
    print(f"recall     {total['hit']} of {total['sure']} that are sure: {total['hit'] / max(total['sure'], 1):.1%}")
    print(f"of all     {total['right']} of {total['listed']} listed: {total['right'] / max(total['listed'], 1):.1%}")
    print(f"precision  {total['right']} of {total['found']} found: {total['right'] / max(total['found'], 1):.1%}")


def measured(review: Path, rules: tuple[str, ...], *, is_shown: bool) -> Counter[str]:
    """What one policy adds to the numbers."""
    name = review.name.removesuffix(".lint.json")
    file = next(it for it in review.parent.glob(f"{name}.*") if it.suffix in {".md", ".html", ".txt", ".docx", ".pdf"})
    wanted = json.loads(review.read_text("utf-8"))
    listed = {row["rule"] for row in wanted["findings"] if row["rule"].startswith(rules)}
    sure = {row["rule"] for row in wanted["findings"] if row["sure"]} & listed
    report = lint(read_file(file), as_of=AS_OF, regimes=wanted["regimes"])
    found = {finding.rule for finding in report.findings if finding.rule.startswith(rules)}
    if is_shown:
        for sign, missed in (("-", sure - found), ("+", found - listed)):
            for rule in sorted(missed):
                print(f"  {sign} {name}: {rule}")
    return Counter(
        hit=len(sure & found), sure=len(sure), right=len(listed & found), listed=len(listed), found=len(found)
    )


if __name__ == "__main__":
    main()

"""Rehearse the example company and write docs/reference/rehearsal.md: ``make mutations``.

Exits with 1 if fewer than `AT_LEAST` of the planted breaches are noticed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import troth.service  # noqa: F401 - adds the controls of duties to the catalogue
from troth.controls import controls_of
from troth.declaration import Declaration, load
from troth.rehearsal import Rehearsal, RehearsalVerdict, RehearsedPromise
from troth.service.assurance.rehearsal.run import rehearse

_ROOT = Path(__file__).parents[1]
_EXAMPLE = _ROOT / "examples" / "voice-company"
REFERENCE = _ROOT / "docs" / "reference" / "rehearsal.md"
AT_LEAST = 0.95
_REHEARSED = (RehearsalVerdict.NOTICES, RehearsalVerdict.PARTLY, RehearsalVerdict.MISSES)
_HEAD = """\
# The example company, rehearsed

Each promise of the example company that is *kept* or *stated* in an invented company made from its
[declaration](../../examples/voice-company/troth.yaml), with what its controls look at and the breaches that were
planted against it: ✓ noticed, ✗ not noticed. Those behind – are not planted, because a control of the promise is known
not to see them. `make mutations` writes this page. [Rehearse a policy](../howto/rehearse-a-policy.md) says how, and
[Controls](controls.md) why no control notices them.

"""


def page(outcome: Rehearsal, declared: Declaration) -> str:
    """The page as it should be."""
    return "".join([_HEAD, *_counts(outcome), *_table(outcome, declared), *_others(outcome)])


def _counts(outcome: Rehearsal) -> Iterator[str]:
    notices, partly, misses = (len(outcome.of(it)) for it in _REHEARSED)
    yield f"{outcome.different} different breaches were planted, {outcome.planted} times; {outcome.noticed} noticed. "
    yield f"{notices} promises noticed all of theirs; {partly} did, but for what their controls are known not to see; "
    yield f"{misses} would have stayed green after one.\n\n"
    yield f"{outcome.not_planted} more breaches were not planted, because these controls are known not to see them.\n\n"


def _table(outcome: Rehearsal, declared: Declaration) -> Iterator[str]:
    yield "| promise | its controls look at | breaches |\n|---|---|---|\n"
    known = controls_of(declared)
    for promise, rehearsed in zip(declared.promises, outcome.promises, strict=True):
        if rehearsed.planted:
            looks = "<br>".join(f"`{id_}`: {known[id_].looks_at}" for id_ in promise.controls if id_ in known)
            marks = [f"{'✓' if it.noticed else '✗'} {it.text}" for it in rehearsed.planted]
            planted = "<br>".join([*marks, *(f"– {it.text}" for it in rehearsed.not_planted)])
            status = f"{rehearsed.before}{', and a person’s word' if promise.attest else ''}"
            yield f"| “{_cell(promise.quote)}” ({status}) | {looks} | {planted} |\n"
    yield "\n"


def _others(outcome: Rehearsal) -> Iterator[str]:
    for verdict, title in (
        (RehearsalVerdict.NOT_REHEARSED, "Not rehearsed, because they are not kept in the invented company"),
        (RehearsalVerdict.UNBOUND, "Resting on nothing"),
        (RehearsalVerdict.STATED, "Resting on a person’s word alone"),
    ):
        yield f"## {title}\n\n"
        yield from map(_line, outcome.of(verdict))
        yield "\n"


def _line(promise: RehearsedPromise) -> str:
    return f"- “{_cell(promise.quote)}”\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "&#124;")


def main() -> int:
    sys.path.insert(0, str(_EXAMPLE))
    import datetime as dt

    from example_voice import Places, lay_down

    with tempfile.TemporaryDirectory() as folder:
        places = Places.in_folder(Path(folder))
        lay_down(places, people=12, seed=9, now=dt.datetime.now(dt.UTC))
        os.environ |= places.environment()
        path = _EXAMPLE / "troth.yaml"
        declared = load(path)
        outcome = rehearse(path, declared)
    REFERENCE.write_text(page(outcome, declared).rstrip() + "\n", encoding="utf-8")
    for promise in outcome.promises:
        for it in promise.unseen:
            print(f"not noticed: {it.text} ({it.control}): “{promise.quote}”")
    print(f"{outcome.noticed} of {outcome.planted} breaches noticed in {outcome.seconds:.0f} s")
    return 0 if outcome.score >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())

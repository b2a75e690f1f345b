"""Write docs/reference/controls.md from the catalogue: ``python tools/controls.py``."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

from troth.controls import Control, catalogue, principles
from troth.rehearsal import breaches
from troth.service.assurance.rehearsal.process import register_breaches
from troth.service.duty import duties
from troth.text import counted

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "controls.md"
_HEAD = """\
# Controls

What Troth can check, and what each check cannot see: the catalogue, `src/troth/controls/catalogue.toml`, as
`python tools/controls.py` writes it down. How results become a status is in
[What a status means](../explain/status.md), how to add one to Troth in [Add a control](../howto/add-a-control.md), and
how a company adds its own in [Add a control of your own](../howto/add-your-own-control.md). [Clauses](clauses.md) says
what each clause has besides controls.

Under each control stand breaches: what somebody may do so that its promise is broken. A test plants each of them into
an invented company that keeps its promises, and sees whether the control notices; `troth rehearse` plants those that
are noticed into a company made from [your declaration](../howto/rehearse-a-policy.md). Where a control does not
notice, the line says why.

Some are also checked at once after something happened, with the next pass of the [keep loop](../explain/keep-loop.md),
and once a minute at most: a case was closed, the register of disclosures changed, an erasure was carried out, a
restriction was set or lifted.

A promise in `troth.yaml` names the controls that show it to be kept:

```yaml
promises:
  - quote: We never sell your data.
    owner: dpo@example.org
    controls: [disclosures.only_to_recipients, disclosures.recipients_documented]
```
"""


def reference() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, *_principles(), *map(_section, catalogue().values())])


def _principles() -> Iterator[str]:
    yield "## Principles\n\nEach control serves some of these; `/policy/principles/` shows which of them are kept.\n"
    yield "| principle | asks | controls |\n|---|---|---|"
    for id_, each in principles().items():
        serving = ", ".join(f"`{control.id}`" for control in catalogue().values() if id_ in control.principles)
        yield f"| `{id_}` {each.title} ({each.source}) | {each.asks} | {serving or 'none yet'} |"
    yield ""


def _section(control: Control) -> str:
    times = "once" if control.failures_to_break == 1 else f"{control.failures_to_break} times in a row"
    return (
        f"## `{control.id}`\n\n{control.question}\n\n"
        f"- Source: {control.citation}; clauses {', '.join(control.clauses)}. Severity: {control.severity}.\n"
        f"- Checked every {_span(control.every)}{_at_once(control)}, shown for {_span(control.fresh_for)}, "
        f"broken when it failed {times}. Widest audience: {control.audience.value}.\n"
        f"- Serves {', '.join(f'`{id_}`' for id_ in control.principles)}.\n"
        f"- When it fails: {control.remedy}\n"
        f"- Looks at {control.looks_at}{_extent(control)}.\n"
        f"- A pass does not show: {control.cannot_see}\n\n"
        f"{_breaches(control)}"
    )


def _extent(control: Control) -> str:
    if isinstance(control.whole, bool):
        return "" if control.whole else "; so it proves no promise that says “all”, “never” or the like"
    words = ", ".join(f"“{word}”" for word in control.whole if word[0] != "-")
    other = ", ".join(f"“{word[1:]}”" for word in control.whole if word[0] == "-")
    besides = f", and not of {other}" if other else ""
    return f"; so it proves a promise that says “all”, “never” or the like only where that speaks of {words}{besides}"


def _breaches(control: Control) -> str:
    rows = [
        f"| {it.text} | {f'not noticed: {it.unseen}' if it.unseen else 'noticed'} |\n"
        for it in sorted(breaches()[control.id], key=lambda it: (bool(it.unseen), it.text))
    ]
    return "".join(["| breach | |\n|---|---|\n", *rows])


def _at_once(control: Control) -> str:
    events = sorted({event for duty in duties().values() for event, ids in duty.after.items() if control.id in ids})
    return f" and at once after {', '.join(f'`{event}`' for event in events)}" if events else ""


def _span(time: dt.timedelta) -> str:
    hours = int(time.total_seconds() // 3_600)
    return counted(hours, "hour") if hours % 24 else counted(hours // 24, "day")


def register() -> None:
    """Set up Django in a folder of its own, and import every breach."""
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TROTH_HOME": f"{folder}/home", "TROTH_PROFILE": "development"}
        from troth.service.server import set_up

        set_up()
    register_breaches()


if __name__ == "__main__":
    register()
    REFERENCE.write_text(reference(), encoding="utf-8")

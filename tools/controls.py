"""Write docs/reference/controls.md from the catalogue: ``python tools/controls.py``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from troth.controls import Control, catalogue, principles
from troth.service.duty import duties
from troth.text import counted

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "controls.md"
_HEAD = """\
# Controls

What Troth can check, and what each check cannot see: the catalogue, `src/troth/controls/catalogue.toml`, as
`python tools/controls.py` writes it down. How results become a status is in
[What a status means](../explain/status.md), how to add one to Troth in [Add a control](../howto/add-a-control.md), and
how a company adds its own in [Add a control of your own](../howto/add-your-own-control.md). [Mutations](mutations.md)
lists the fault that turned each of them red, and [Clauses](clauses.md) says what each clause has besides controls.

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
        f"- A pass does not show: {control.cannot_see}\n"
    )


def _at_once(control: Control) -> str:
    events = sorted({event for duty in duties().values() for event, ids in duty.after.items() if control.id in ids})
    return f" and at once after {', '.join(f'`{event}`' for event in events)}" if events else ""


def _span(time: dt.timedelta) -> str:
    hours = int(time.total_seconds() // 3_600)
    return counted(hours, "hour") if hours % 24 else counted(hours // 24, "day")


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")

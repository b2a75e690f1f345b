"""The reference of controls says what the catalogue says."""

from pathlib import Path

import pytest

from troth.promises import Control, catalogue

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "controls.md"


def section(control: Control) -> str:
    times = "once" if control.failures_to_break == 1 else f"{control.failures_to_break} times in a row"
    clauses = ", ".join(control.clauses)
    return (
        f"## `{control.id}`\n\n{control.question}\n\n"
        f"- Source: {control.citation}; clauses {clauses}. Severity: {control.severity}.\n"
        f"- Checked every {_span(control.every)}, shown for {_span(control.fresh_for)}, "
        f"broken when it failed {times}. Widest audience: {control.audience.value}.\n"
        f"- When it fails: {control.remedy}\n"
        f"- A pass does not show: {control.cannot_see}\n"
    )


def _span(time: object) -> str:
    return str(time).replace(", 0:00:00", "").replace("1:00:00", "1 hour").replace("6:00:00", "6 hours")


@pytest.mark.parametrize("id_", list(catalogue()))
def test_every_control_is_in_the_reference(id_: str) -> None:
    wanted = section(catalogue()[id_])
    assert wanted in REFERENCE.read_text(encoding="utf-8"), f"put this into docs/reference/controls.md:\n\n{wanted}"


def test_the_reference_names_no_other_control() -> None:
    named = {line[4:-1] for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("## `")}
    assert named == set(catalogue())

"""Plants every registered breach into the company of these tests, and prints what its control says before and after:
one JSON object a line. Run in a process of its own, because a rehearsal sets up Django for itself."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from troth.controls import Check, catalogue
from troth.rehearsal import World, breaches
from troth.rehearsal.task import RehearsalTask
from troth.rehearsal.world import Baseline
from troth.sandbox import connect_to_nothing
from troth.service.assurance.rehearsal import process


def main(folder: Path, company: Path) -> None:
    declaration = shutil.copytree(company, folder / "company") / "troth.yaml"
    text = declaration.read_text()
    declaration.write_text(text.replace("[declaration.complete]", str([*catalogue()])))
    os.environ |= process.environment(folder, declaration)
    logging.disable(logging.CRITICAL)
    connect_to_nothing()
    PBKDF2PasswordHasher.iterations = 1
    (folder / "world").mkdir(exist_ok=True)
    world = process.invented(RehearsalTask(declaration, {}, {}, folder, dt.datetime.now(dt.UTC)))
    before = process.look_at(world, sorted(catalogue()))
    baseline = Baseline(world)
    for control, several in breaches().items():
        if control == CANARIES:
            with baseline.restored():
                _leave_databases_only(world)
                before |= process.look_at(world, [control])
        print(json.dumps({"control": control, **_seen(before[control])}))
        for breach in several:
            line = {"control": control, "text": breach.text, "unseen": breach.unseen}
            with baseline.restored():
                if control == CANARIES:
                    _leave_databases_only(world)
                try:
                    after = process.planted(world, breach, [control])
                    line |= _seen(after[control])
                except Exception as error:  # noqa: BLE001 - the test says of which breach
                    line |= {"outcome": f"cannot be planted: {type(error).__name__}"}
            print(json.dumps(line))


CANARIES = "subjects.canaries_erased"


def _leave_databases_only(world: World) -> None:
    """No canary can be planted into files, so this control proves nothing at a company that has some."""
    from troth.service.assurance.models import CanaryRow
    from troth.service.assurance.rehearsal import canaries
    from troth.service.core.deployment import given

    databases = {name: it for name, it in world.declaration.systems.items() if name != "calls"}
    rules = {name: it for name, it in world.declaration.retention.items() if name != "calls"}
    world.declare(systems=databases, retention=rules)
    with given(process.deployment_of(world)):
        CanaryRow.objects.all().delete()
        canaries.ordinary(world)


def _seen(check: Check) -> dict[str, Any]:
    return {
        "outcome": check.outcome,
        "summary": check.summary,
        "findings": [f"{finding.place}: {finding.message}" for finding in check.findings[:5]],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

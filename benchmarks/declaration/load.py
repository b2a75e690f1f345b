"""How long it takes to load and check a large declaration: 1,000 tables of 10 fields, each belonging to another.

    python benchmarks/declaration/load.py

The floor is PyYAML's bare ``parse`` of the same text with libyaml, measured in the same run. The bound is half a
second on one core for load and check together; the exit code says whether it held.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from troth.declaration import check, load

TABLES = 1_000
FIELDS = 10
ROUNDS = 5
BOUND_S = 0.5
CATEGORIES = ("user.contact.email", "user.name", "user.contact.phone_number", "user.device.ip_address", "user.content")


def declaration() -> Iterator[str]:
    yield "troth: 1"
    yield "organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}"
    yield "policy: {file: policy.md, effective: 2026-11-01}"
    yield "purposes:"
    yield "  service: {basis: contract, use: essential.service, data: [user]}"
    yield "systems:"
    yield "  shop:"
    yield "    store: ${SHOP_DATABASE_URL}"
    yield "    tables:"
    for number in range(TABLES):
        yield f"      table_{number}:"
        if number:
            yield f"        belongs_to: {{parent_id: table_{(number - 1) // 2}.id}}"
        yield "        fields:"
        yield from (f"          column_{at}: {CATEGORIES[at % len(CATEGORIES)]}" for at in range(FIELDS))
        yield f"        erase: {{{', '.join(f'column_{at}: mask' for at in range(FIELDS))}}}"


def best(act: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds: the one least disturbed by the machine."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    text = "\n".join(declaration()) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "troth.yaml")
        file.write_text(text, "utf-8")
        loaded = load(file)
        assert check(loaded) == [], "the benchmark's declaration is sound"
        floor = best(lambda: sum(1 for _ in yaml.parse(text, Loader=yaml.CSafeLoader)))
        loading = best(lambda: load(file))
        checking = best(lambda: check(loaded))
    both = loading + checking
    print(f"{TABLES:,} tables x {FIELDS} fields, {len(text) / 1024:.0f} KiB, best of {ROUNDS}")
    print(f"floor  yaml.parse    {floor:.3f} s")
    print(f"       load          {loading:.3f} s  {loading / floor:.1f} x floor")
    print(f"       check         {checking:.3f} s")
    print(f"       both          {both:.3f} s  {both / floor:.1f} x floor  (bound {BOUND_S} s)")
    return 0 if both <= BOUND_S else 1


if __name__ == "__main__":
    sys.exit(main())
